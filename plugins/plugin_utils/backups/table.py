"""Backups as a person reads them: a line for each, and what is wrong with it behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from plugins.plugin_utils.backups import buckets
from plugins.plugin_utils.backups.point import Point, begun
from plugins.plugin_utils.ledger import GOOD
from plugins.plugin_utils.ledger_table import COLOURS

HEAD = ("UTC", "backup", "outcome", "release", "still there", "took", "who")
UNITS = ((2**40, "TB"), (2**30, "GB"), (2**20, "MB"), (2**10, "KB"))


def size(number: int) -> str:
    """Bytes in one unit, `1.5 GB`."""
    for length, word in UNITS:
        if number >= length:
            return f"{number / length:.1f} {word}".replace(".0 ", " ")
    return f"{number} B"


def contents(point: Mapping[str, Any]) -> str:
    """What is in a backup, with sizes: `database.main 20 GB, bucket.up versions of then`."""
    return ", ".join(_content(key, part) for key, part in (point.get("parts") or {}).items() if part["state"] == GOOD)


def _content(key: str, part: Mapping[str, Any]) -> str:
    return f"{key} versions of then" if part.get("kind") == buckets.KIND else f"{key} {size(part.get('bytes') or 0)}"


def wrong(point: Mapping[str, Any]) -> list[str]:
    """A sentence for each part that is not in it."""
    parts = (point.get("parts") or {}).items()
    return [f"{key}: {part.get('why') or part['state']}" for key, part in parts if part["state"] != GOOD]


def lines(points: Iterable[Point]) -> list[tuple[str, str | None]]:
    """The lines of a table, each with its colour.

    Args:
        points: with `gone`, the keys of parts that are not there any more.
    """
    listed = list(points)
    table = [_row(each) for each in listed]
    widths = [max(len(row[column]) for row in (HEAD, *table)) for column in range(len(HEAD))]

    def line(row: tuple[str, ...]) -> str:
        return "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()

    shown: list[tuple[str, str | None]] = [(line(HEAD), None)]
    for each, row in zip(listed, table, strict=True):
        shown.append((line(row), "red" if each.get("gone") else COLOURS.get(each.get("outcome", ""))))
        shown += [(f"    {told}", None) for told in (contents(each), *wrong(each)) if told]
        shown += [(f"    not in it: {told}", None) for told in each.get("without") or []]
    return shown


def _row(point: Point) -> tuple[str, ...]:
    at, gone, seconds = begun(point), point.get("gone") or [], point.get("seconds")
    return (
        f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if at else "?",
        str(point.get("name", "?")),
        str(point.get("outcome", "?")),
        str(point.get("release") or "-"),
        f"gone: {', '.join(gone)}" if gone else "all" if point.get("parts") else "-",
        "-" if seconds is None else f"{seconds:.0f} s",
        f"{point.get('who', '?')}@{point.get('where', '?')}".removesuffix("@"),
    )

"""The picture of a site: an inline SVG of its topology, in columns for a wide page and in rows for a narrow one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

WIDTH, HEIGHT = 176, 58
"""Of a node, in units of the picture."""
ICONS = {
    "visitors": "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-8 8c0-4 4-6 8-6s8 2 8 6z",
    "load balancer": "M3 12h6l5-7h6M9 12h11M9 12l5 7h6",
    "service": "M12 2l9 5v10l-9 5-9-5V7zM3 7l9 5 9-5M12 12v10",
    "job": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l4 2",
    "function": "M7 21l5-14 5 14M12 7l-2-4H7",
    "database": "M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
    "volume": "M3 6h7l2 3h9v11H3z",
    "bucket": "M4 6h16l-2 14H6zM4 6c0-3 16-3 16 0",
    "table": "M3 5h18v14H3zM3 10h18M3 14.5h18M9 5v14",
    "secret": "M8 11V8a4 4 0 0 1 8 0v3M5 11h14v10H5zM12 15v2",
    "static": "M6 3h8l4 4v14H6zM14 3v4h4",
}
"""Kind of a node → the lines of its icon, in a square of 24."""
LONGEST = 19
"""Characters of a name; more would leave its node."""


@dataclass(frozen=True)
class Spread:
    """How nodes are spread: across (`wide`) or down.

    Attributes:
        wide: whether columns stand side by side.
        gap: between two of a column.
        between: between two columns.
        most: nodes side by side in a row of the narrow form.
    """

    wide: bool
    gap: int
    between: int
    most: int = 2


WIDE, NARROW = Spread(True, 18, 92), Spread(False, 16, 46)
MARGIN = 8


def svg(topology: Mapping[str, Any], spread: Spread, label: str) -> str:
    """The picture; empty where there is nothing to draw.

    Args:
        topology: of topology.py.
        spread: `WIDE` or `NARROW`.
        label: what it shows, for those who do not see it.
    """
    columns = [[each for each in topology["nodes"] if each["column"] == n] for n in range(4)]
    columns = [column for column in columns if column]
    if not columns:
        return ""
    at, width, height = _across(columns, spread) if spread.wide else _down(columns, spread)
    lines = "".join(_line(at[each["from"]], at[each["to"]], spread) for each in topology["lines"])
    nodes = "".join(_node(each, *at[each["id"]]) for each in topology["nodes"])
    name = "wide" if spread.wide else "narrow"
    return (
        f'<svg class="picture {name}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(label)}">{lines}{nodes}</svg>'
    )


def _across(columns: list[list[Any]], spread: Spread) -> tuple[dict[str, tuple[int, int]], int, int]:
    tallest = max(len(column) for column in columns) * (HEIGHT + spread.gap) - spread.gap
    at = {}
    for number, column in enumerate(columns):
        top = (tallest - (len(column) * (HEIGHT + spread.gap) - spread.gap)) // 2
        for place, node in enumerate(column):
            at[node["id"]] = (MARGIN + number * (WIDTH + spread.between), MARGIN + top + place * (HEIGHT + spread.gap))
    return at, 2 * MARGIN + len(columns) * (WIDTH + spread.between) - spread.between, 2 * MARGIN + tallest


def _down(columns: list[list[Any]], spread: Spread) -> tuple[dict[str, tuple[int, int]], int, int]:
    across = spread.most * (WIDTH + spread.gap) - spread.gap
    at, top = {}, MARGIN
    for column in columns:
        for start in range(0, len(column), spread.most):
            row = column[start : start + spread.most]
            left = (across - (len(row) * (WIDTH + spread.gap) - spread.gap)) // 2
            for place, node in enumerate(row):
                at[node["id"]] = (MARGIN + left + place * (WIDTH + spread.gap), top)
            top += HEIGHT + spread.gap
        top += spread.between - spread.gap
    return at, 2 * MARGIN + across, top - spread.between + MARGIN


def _line(start: tuple[int, int], end: tuple[int, int], spread: Spread) -> str:
    (x, y), (to_x, to_y), half = start, end, HEIGHT // 2
    right = x + WIDTH
    if x == to_x and spread.wide:  # within a column: out to the right, and back
        bow = right + spread.between // 2
        path = f"M{right} {y + half} C{bow} {y + half} {bow} {to_y + half} {right} {to_y + half}"
    elif spread.wide:
        middle = (right + to_x) // 2
        path = f"M{right} {y + half} C{middle} {y + half} {middle} {to_y + half} {to_x} {to_y + half}"
    else:
        from_x, into_x, from_y, into_y = x + WIDTH // 2, to_x + WIDTH // 2, y + HEIGHT, to_y
        middle = (from_y + into_y) // 2
        path = f"M{from_x} {from_y} C{from_x} {middle} {into_x} {middle} {into_x} {into_y}"
    return f'<path class="line" d="{path}"/>'


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _node(node: Mapping[str, Any], x: int, y: int) -> str:
    kind, ill = node["kind"], "" if node["well"] else " ill"
    title = f"{kind} {node['name']}: {node['detail']}" if node["name"] != kind else f"{kind}: {node['detail']}"
    return (
        f'<g class="node{ill}" transform="translate({x} {y})"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10"/>'
        f'<path class="icon" transform="translate(12 18) scale(.92)" d="{ICONS.get(kind, ICONS["static"])}"/>'
        f'<text class="name" x="44" y="25">{escape(_cut(node["name"], LONGEST - 3))}</text>'
        f'<text class="detail" x="44" y="43">{escape(_cut(node["detail"], LONGEST))}</text></g>'
    )

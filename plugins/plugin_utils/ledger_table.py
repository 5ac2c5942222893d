"""The ledger as a person reads it: which entries, which of them is live, and a line for each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from plugins.plugin_utils.ledger import FAILED, GOOD, INTERRUPTED, RUNNING, Entry
from plugins.plugin_utils.rollback import same_beside
from plugins.plugin_utils.site.images import digest_of, name_of, tag_of

COLOURS = {GOOD: "green", FAILED: "red", INTERRUPTED: "red", RUNNING: "yellow"}
HEAD = ("UTC", "verb", "release", "outcome", "images", "static", "took", "who")
STILL = {True: "there", False: "gone", None: "-"}


@dataclass(frozen=True)
class Image:
    """An image in a repository of the site's own (`cloudformation/image.yml`).

    Attributes:
        repository: its name.
        digest, tag: what the image is called by, at least one of both.
    """

    repository: str
    digest: str
    tag: str

    @classmethod
    def of(cls, uri: str, prefix: str) -> Image | None:
        """The image of a URI; None if it is not the site's own.

        Args:
            uri: with registry.
            prefix: of the site's repositories, `<site_name>-<environment_name>`.
        """
        repository, digest, tag = name_of(uri).partition("/")[2], digest_of(uri), tag_of(uri)
        return cls(repository, digest, tag) if repository.startswith(f"{prefix}/") and (digest or tag) else None

    @property
    def identifier(self) -> dict[str, str]:
        """What ECR's calls take."""
        return {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag}


def images_of(entry: Entry) -> list[str]:
    """The URIs of an entry's images."""
    services = (entry.get("services") or {}).values()
    return list(dict.fromkeys(uri for each in services for uri in (each.get("images") or {}).values()))


def definitions_of(services: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Service → task definition, of those that have one."""
    return {name: str(each["task_definition"]) for name, each in services.items() if each.get("task_definition")}


def told_once(entries: Iterable[Entry]) -> list[Entry]:
    """The entries less those of `site` that have found what another had released already.

    Args:
        entries: newest first.
    """
    kept: list[Entry] = []
    for entry in entries:
        if kept and _found_it_so(kept[-1], entry):
            kept.pop()
        kept.append(entry)
    return kept


def _found_it_so(newer: Entry, older: Entry) -> bool:
    now, before = (definitions_of(each.get("services") or {}) for each in (newer, older))
    good = newer["outcome"] == older["outcome"] == GOOD
    return newer.get("verb") == "site" and good and bool(now) and now == before and same_beside(newer, older)


def live_run(entries: Iterable[Entry], live: Mapping[str, Mapping[str, Any]]) -> str:
    """The run whose release is live: the newest good one with the task definitions that the services run.

    Args:
        entries: newest first.
        live: service → `task_definition` (`ecs_live_release`).
    """
    now = definitions_of(live)
    for entry in entries:
        then = definitions_of(entry.get("services") or {})
        if then and entry["outcome"] == GOOD and all(now.get(name) == arn for name, arn in then.items()):
            return str(entry["run"])
    return ""


def there(entry: Entry, missing: Collection[str], unasked: Collection[str]) -> bool | None:
    """Whether all images of an entry can be pulled still; None if that is not known, or it names none.

    Args:
        missing: URIs that the registry has no more.
        unasked: URIs of registries that were not asked.
    """
    uris = images_of(entry)
    if any(uri in missing for uri in uris):
        return False
    return True if any(uri not in unasked for uri in uris) else None


def static_there(entry: Entry, lost: Collection[tuple[str, str]]) -> bool | None:
    """Whether all static files of an entry can be shown still; None if it names none.

    Args:
        lost: bucket and release of those that are not whole.
    """
    named = [(each["bucket"], each["release"]) for each in (entry.get("static") or {}).values()]
    return not any(each in lost for each in named) if named else None


def rows(entries: Iterable[Entry]) -> list[tuple[str, ...]]:
    """A row for each entry, as `HEAD` has them, and behind it why it failed, or that a rollback has left it.

    Args:
        entries: with `live`, `images_there` and `static_there`.
    """
    found: list[tuple[str, ...]] = []
    for entry in entries:
        outcome = f"live, {entry['outcome']}" if entry.get("live") else str(entry["outcome"])
        images, static = (STILL[entry.get(f"{what}_there")] for what in ("images", "static"))
        seconds = entry.get("seconds")
        took = "-" if seconds is None else f"{seconds:.0f} s"
        left = f"left by a rollback to {entry['left_by']}" if entry.get("left_by") else ""
        behind = "; ".join(filter(None, (left, str(entry.get("reason") or ""))))
        who = f"{entry.get('who', '?')}@{entry.get('where', '?')}"
        begin, release = _when(str(entry.get("started", ""))), str(entry.get("release") or "-")
        found.append((begin, str(entry.get("verb", "?")), release, outcome, images, static, took, who, behind))
    return found


def lines(entries: Iterable[Entry]) -> list[tuple[str, str | None]]:
    """The lines of a table, each with its colour."""
    listed = list(entries)
    table = rows(listed)
    widths = [max(len(row[column]) for row in (HEAD, *table)) for column in range(len(HEAD))]

    def line(row: tuple[str, ...]) -> str:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        return "  ".join([*cells, *row[len(widths) :]]).rstrip()

    shown: list[tuple[str, str | None]] = [(line(HEAD), None)]
    return shown + [(line(row), COLOURS.get(each["outcome"])) for each, row in zip(listed, table, strict=True)]


def _when(written: str) -> str:
    try:
        return f"{datetime.fromisoformat(written).astimezone(UTC):%Y-%m-%d %H:%M}"
    except ValueError:
        return written or "?"

"""The parts of a backup: which there are to be of a site, and whether those of earlier ones are there still."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from plugins.plugin_utils.backups import buckets, databases, volumes
from plugins.plugin_utils.backups.point import LEFT, Part, Point

Client = Callable[[str], Any]


class Maker(Protocol):
    """What makes a kind of part."""

    def begin(self, entry: str, of: str, point: str, before: Mapping[str, Any]) -> Part:
        """Begin a part, unless it is there."""

    def look(self, part: Mapping[str, Any]) -> Part:
        """The part as it is now."""

    def there(self, parts: list[Mapping[str, Any]]) -> set[str]:
        """The ids of those that are there still."""

    def let_go(self, part: Mapping[str, Any]) -> None:
        """Delete what a part is."""


@dataclass(frozen=True)
class Wanted:
    """A part that is to be made.

    Attributes:
        key: `database.main`.
        of: the resource.
        kind: of the part.
    """

    key: str
    of: str
    kind: str

    @property
    def entry(self) -> str:
        """Its name in the site."""
        return self.key.partition(".")[2]


OUTPUTS = {"database": ("InstanceId", databases.KIND), "volume": ("FileSystemArn", volumes.KIND)}
"""Noun → the output of its stack that says what is to be copied, and the kind of part."""


def wanted(outputs: Mapping[str, str]) -> list[Wanted]:
    """What is to be copied of a site.

    Args:
        outputs: of its layers, `database.main.InstanceId`.
    """
    found = []
    for name, value in sorted(outputs.items()):
        key, _, output = name.rpartition(".")
        named, kind = OUTPUTS.get(key.partition(".")[0], ("", ""))
        if named == output:
            found.append(Wanted(key, value, kind))
    return found


def makers(client: Client, prefix: str, tags: Mapping[str, str], outputs: Mapping[str, str]) -> dict[str, Maker]:
    """Kind → what makes it.

    Args:
        client: gives a boto3 client.
        prefix: of the environment.
        tags: that what is made gets.
        outputs: of the layer `backup`, where there is one.
    """
    vault, role = outputs.get("VaultName", ""), outputs.get("BackupRoleArn", "")
    return {
        databases.KIND: databases.Snapshots(client("rds"), prefix, tags),
        volumes.KIND: volumes.RecoveryPoints(client("backup"), prefix, tags, vault, role),
    }


def gone(client: Client, points: Iterable[Point], now: datetime) -> dict[str, list[str]]:
    """Name of a backup → keys of its parts that are not there any more.

    Args:
        client: gives a boto3 client.
        points: the backups.
        now: with its time zone.
    """
    listed = [(str(each["name"]), key, part) for each in points for key, part in (each.get("parts") or {}).items()]
    made = makers(client, "", {}, {})
    there = {
        kind: maker.there([part for _, _, part in listed if part.get("kind") == kind]) for kind, maker in made.items()
    }
    found: dict[str, list[str]] = {name: [] for name, _, _ in listed}
    for name, key, part in listed:
        if part.get("state") == LEFT:
            continue
        if part.get("kind") == buckets.KIND:
            is_there = buckets.there(client("s3"), part, now)
        else:
            is_there = part.get("id") in there.get(str(part.get("kind")), set())
        if not is_there:
            found[name].append(key)
    return found

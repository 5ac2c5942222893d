"""The record of a backup: an object in the ledger's bucket, beside the entries of the runs.

A run that makes a backup writes the record before it begins, and into it each part that it has begun. So the next run
of that name knows what is there, and makes no part twice.
"""

from __future__ import annotations

import concurrent.futures
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from plugins.plugin_utils.ledger import FAILED, GOOD, INTERRUPTED, READERS, RUNNING, Ledger, as_it_is

RESTORED = ("bucket", "database", "volume")
"""Nouns whose parts a backup has and `restore` brings back."""
FOLDER = "points/"
OF_TIME = "time-"
"""What the name of a time begins with that the site was restored to; no person can call a backup so."""
TIMES_FOLDER = "times/"
"""Where the records of those are: they are no backups, but what becomes of a restore is noted there as well."""
OTHERS_FOLDER = "others/"
"""Where the records of another environment's backups are: what becomes of a restore is noted here, and what they are
made of is not this environment's to let go."""
BETWEEN = "."
"""What stands in the name of such a record between the environment and its backup; no name has one."""
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
NAME_MOST = 40
WAITING, LEFT = "waiting", "left out"
"""States of a part besides those of a run: it cannot be begun yet; it cannot be in a backup at all."""

Part = dict[str, Any]
"""`kind`, `of` (the resource), `id` (what was made), `state`, `why` (it is so), `percent`, `bytes`, `made`; what its
kind adds."""
Point = dict[str, Any]
"""`name`, `run`, `who`, `where`, `started`, `ended`, `seconds`, `outcome`, `reason`, `release`, `services`, `secrets`,
`without` (what is not in it), `parts`: key (`database.main`) → part."""


class Points:
    """The backups of an environment.

    Args:
        s3: boto3 client.
        ledger: of the environment.
    """

    def __init__(self, s3: Any, ledger: Ledger) -> None:
        self._s3, self._ledger = s3, ledger

    def begin(self, point: Point) -> None:
        """Write a new record."""
        self._ledger.begin({**point, "key": key(point["name"])})

    def read(self, name: str) -> Point | None:
        """A backup by its name; None if there is none."""
        found = self._ledger.read(key(name))
        return as_it_is(found, self._ledger.alive()) if found else None

    def update(self, name: str, facts: Mapping[str, Any]) -> None:
        """Merge facts into a record, mappings key by key.

        Raises:
            TimeoutError: it was written by others again and again.
        """
        self._ledger.update(key(name), facts)

    def all(self) -> list[Point]:
        """All backups, the one that was begun last first. One whose run was killed is `INTERRUPTED`."""
        return self._all(FOLDER)

    def with_others(self) -> list[Point]:
        """All backups, the times that the site was restored to, and the backups of another environment."""
        return [each for folder in (FOLDER, TIMES_FOLDER, OTHERS_FOLDER) for each in self._all(folder)]

    def _all(self, folder: str) -> list[Point]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._ledger.bucket, Prefix=folder)
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        if not keys:
            return []
        alive = self._ledger.alive()
        with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
            found = [as_it_is(each, alive) for each in pool.map(self._ledger.read, keys) if each]
        return sorted(found, key=lambda each: str(each.get("started", "")), reverse=True)

    def remove(self, name: str) -> None:
        """Take a record away, once its parts are gone."""
        self._s3.delete_object(Bucket=self._ledger.bucket, Key=key(name))


def key(name: str) -> str:
    """Where the record of a backup lies in the ledger's bucket."""
    if BETWEEN in name:
        return f"{OTHERS_FOLDER}{name}.json"
    return f"{TIMES_FOLDER if name.startswith(OF_TIME) else FOLDER}{name}.json"


def of_other(environment: str, name: str) -> str:
    """What the backup of another environment is called in this one's ledger."""
    return f"{environment}{BETWEEN}{name}"


def is_of_other(name: str) -> bool:
    """Whether a backup is another environment's."""
    return BETWEEN in name


def in_words(name: str) -> str:
    """A backup, for a sentence: `the backup before-the-move of test`."""
    environment, between, own = name.rpartition(BETWEEN)
    return f"the backup {own} of {environment}" if between else f"the backup {own}"


def of_now(now: datetime) -> str:
    """The name of a backup that was given none: `2026-11-27-093012`, in UTC."""
    return f"{now.astimezone(UTC):%Y-%m-%d-%H%M%S}"


def is_name(name: str) -> bool:
    """Whether a backup can be called so: it becomes part of the names of snapshots."""
    return len(name) <= NAME_MOST and bool(NAME.fullmatch(name))


def is_good(point: Mapping[str, Any]) -> bool:
    """Whether all that the site had was in it when it was made."""
    return point.get("outcome") == GOOD


def begun(point: Mapping[str, Any]) -> datetime | None:
    """When a backup was begun; None where its record does not say."""
    try:
        found = datetime.fromisoformat(str(point.get("started")))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def due(points: list[Point], keep: int) -> list[Point]:
    """The backups that are to go, the oldest last: all that were begun before the last good one of those that are kept.

    Args:
        points: the one that was begun last first.
        keep: how many good ones stay; at least one does.
    """
    keep = max(1, keep)
    good = [place for place, each in enumerate(points) if is_good(each)]
    if len(good) <= keep:
        return []
    return [each for each in points[good[keep - 1] + 1 :] if each.get("outcome") in (GOOD, FAILED, INTERRUPTED)]


def is_over(part: Mapping[str, Any]) -> bool:
    """Whether nothing more comes of a part by itself."""
    return part.get("state") not in (RUNNING, WAITING)

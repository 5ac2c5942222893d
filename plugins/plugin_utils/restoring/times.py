"""A time in the place of a backup: what of a site leads back to it, as the parts of a backup do.

RDS restores a database to any time of its automated backups, and a bucket keeps old versions. A file system has nothing
between its recovery points, so the newest that is not later stands for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.backups import buckets, planned
from plugins.plugin_utils.backups.point import OF_TIME, RESTORED, Part
from plugins.plugin_utils.ledger import GOOD
from plugins.plugin_utils.lock import code
from plugins.plugin_utils.restoring.instance import ABSENT
from plugins.plugin_utils.status import stacks
from plugins.plugin_utils.status.words import age, iso

KIND = "time"
"""Of a part of a database: RDS's automated backups lead there."""
EXAMPLE = "2026-11-27T10:00Z"
LAYERS = ("backup", *RESTORED)


class Wrong(Exception):
    """What was typed is no time that was, and what is."""


class Unfit(Exception):
    """Something of the site does not lead back to the time.

    Args:
        why: it does not.
        instead: the nearest time to which it does; None if there is none.
    """

    def __init__(self, why: str, instead: datetime | None = None) -> None:
        super().__init__(why)
        self.instead = instead


def read(typed: str, now: datetime) -> datetime:
    """The time that was typed, in UTC and whole seconds.

    Args:
        typed: ISO 8601, with its zone.
        now: with its time zone.

    Raises:
        Wrong: it is none, has no zone, or is to come.
    """
    try:
        found = datetime.fromisoformat(typed.strip())
    except ValueError:
        raise Wrong(f"{typed} is no time as ISO 8601 has it, {EXAMPLE} for example") from None
    if found.tzinfo is None:
        raise Wrong(f"{typed} does not say in which zone: Z behind it is UTC, +01:00 an hour before that") from None
    found = found.astimezone(UTC).replace(microsecond=0)
    if found > now:
        raise Wrong(f"{iso(found)} is to come: it is {iso(now)} now")
    return found


def name(at: datetime) -> str:
    """What a time is called where a backup has a name: `time-2026-11-27-100000`, in UTC."""
    return f"{OF_TIME}{at.astimezone(UTC):%Y-%m-%d-%H%M%S}"


def wanted(typed: Mapping[str, str], site: Mapping[str, Sequence[str]]) -> list[str]:
    """Keys (`database.main`) of what is meant.

    Args:
        typed: noun → the entry that was typed; empty for all.
        site: noun → the entries that Berth has made and can restore.
    """
    every = [f"{noun}.{entry}" for noun in RESTORED for entry in site.get(noun, ())]
    named = {f"{noun}.{entry}" for noun, entry in typed.items() if entry}
    return [key for key in every if not named or key in named]


class Back:
    """What leads back to a time.

    Args:
        client: gives a boto3 client.
        prefix: of the environment.
        at: the time, in UTC.
        now: with its time zone.
        days: bucket → for how many it keeps old versions.
    """

    def __init__(
        self, client: Callable[[str], Any], prefix: str, at: datetime, now: datetime, days: Mapping[str, int]
    ) -> None:
        self._client, self._at, self._now, self._days = client, at, now, days
        self._stacks = stacks.described(client("cloudformation"), prefix, LAYERS)
        self._plan = planned.Plan.told(self._stacks)

    def part(self, key: str) -> Part:
        """What leads there of an entry (`database.main`).

        Raises:
            Unfit: nothing does.
        """
        noun, _, entry = key.partition(".")
        stack = self._stacks.get(key)
        if stack is None:
            raise Unfit("it is not there")
        if noun == "bucket":
            return self._bucket(entry, stack)
        of = self._plan.wanted.get(key)
        if of is None:
            raise Unfit("its stack does not say what it is")
        return self._database(of) if noun == "database" else self._volume(of)

    def distance(self, part: Mapping[str, Any]) -> str:
        """How far what stands for a time lies from it; empty where it is of that time."""
        seconds = (self._at - datetime.fromisoformat(str(part["made"]))).total_seconds()
        return age(seconds) if seconds >= 1 else ""

    def _database(self, of: str) -> Part:
        rds = self._client("rds")
        try:
            # one page: it is asked for one
            found = rds.describe_db_instances(DBInstanceIdentifier=of)["DBInstances"][0]
        except ClientError as error:
            if code(error) not in ABSENT:
                raise
            raise Unfit(f"its instance {of} is not there") from None
        if not found.get("BackupRetentionPeriod"):
            raise Unfit("RDS makes no automated backups of it (backup_days of site_databases is 0)")
        pages = rds.get_paginator("describe_db_instance_automated_backups").paginate(DBInstanceIdentifier=of)
        listed = [each for page in pages for each in page["DBInstanceAutomatedBackups"]]
        mine = [each for each in listed if each.get("DbiResourceId") == found["DbiResourceId"]]
        earliest = next((each["RestoreWindow"]["EarliestTime"] for each in mine if each.get("RestoreWindow")), None)
        latest = found.get("LatestRestorableTime")
        if earliest is None or latest is None:
            raise Unfit("RDS has no automated backup of it yet")
        earliest, latest = _up(earliest), latest.astimezone(UTC).replace(microsecond=0)
        if not earliest <= self._at <= latest:
            raise Unfit(
                f"RDS restores it to times from {iso(earliest)} to {iso(latest)}",
                earliest if self._at < earliest else latest,
            )
        made = self._at.isoformat(timespec="seconds")
        return {"kind": KIND, "of": of, "id": of, "state": GOOD, "why": "", "made": made}

    def _volume(self, of: str) -> Part:
        if not self._plan.vault:
            raise Unfit("the site has no vault with recovery points (site_backups)")
        pages = (
            self._client("backup")
            .get_paginator("list_recovery_points_by_backup_vault")
            .paginate(BackupVaultName=self._plan.vault, ByResourceArn=of)
        )
        points = [each for page in pages for each in page["RecoveryPoints"] if each["Status"] in planned.WHOLE]
        points.sort(key=lambda each: each["CreationDate"])
        before = [each for each in points if each["CreationDate"] <= self._at]
        if before:
            return planned.part(self._plan, before[-1])
        if not points:
            raise Unfit("AWS Backup has no recovery point of it")
        oldest = _up(points[0]["CreationDate"])
        raise Unfit(f"its oldest recovery point is of {iso(oldest)}", oldest)

    def _bucket(self, entry: str, stack: Mapping[str, Any]) -> Part:
        of = stacks.outputs(stack).get("BucketName", "")
        kept = timedelta(days=self._days.get(entry, 0))
        begun = max(_up(stack["CreationTime"]), _up(self._now - kept))
        if self._at < begun:
            raise Unfit(f"its old versions lead back to {iso(begun)}", begun)
        part = buckets.part(self._client("s3"), of, kept.days, self._at)
        if part["state"] != GOOD:
            raise Unfit(part["why"])
        return part


def nearest(unfit: Sequence[Unfit], at: datetime) -> datetime | None:
    """The time to type instead, to which all that does not lead to `at` may lead; None if there is none."""
    found = [each.instead for each in unfit if each.instead]
    if len(found) < len(unfit):
        return None
    return min(found) if all(each < at for each in found) else max(found)


def _up(at: datetime) -> datetime:
    """The next whole second: what is typed has no parts of one."""
    return datetime.fromtimestamp(math.ceil(at.timestamp()), UTC)

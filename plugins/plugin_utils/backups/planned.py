"""Backups that AWS Backup begins by itself (the plan of cloudformation/backup.yml), as records like those of the verb.

Nobody writes anything down when a plan begins. So its backups are read out of the vault: what it has begun within the
hour is of one moment, and is one backup, called after the time. Of buckets a plan copies nothing, and need not: their
old versions lead back to that time as to any other. What ran then is told by the ledger. A backup of which something
is restored is written down beside the others (`Points`), as restores are noted there; from then on its record is what
counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.backups import buckets, parts, volumes
from plugins.plugin_utils.backups.point import RESTORED, Part, Point, Points, begun
from plugins.plugin_utils.ledger import FAILED, GOOD, RUNNING, Ledger
from plugins.plugin_utils.lock import code
from plugins.plugin_utils.status import stacks

PREFIX = "plan-"
"""What their names begin with; no person can call one so."""
WHO = "AWS Backup"
TOGETHER = timedelta(minutes=60)
"""How much later than the first a part may begin: the start window of the plan."""
LAYERS = ("backup", *RESTORED)
NOUNS = {"RDS": "database", "EFS": "volume"}
"""AWS Backup's word for a type of resources → the site's."""
WHOLE, UNDER_WAY = ("COMPLETED", "AVAILABLE"), ("PARTIAL", "CREATING")
"""States of a recovery point."""
SNAPSHOT = ":snapshot:"
"""What the ARN of a recovery point of a database has before the name of the snapshot that it is."""
UNBEGUN = (
    "AWS Backup began no copy of it: is it let at its type (aws backup describe-region-settings), and does the layer "
    "backup name it?"
)
LOOKED_BACK = 200
"""Newest entries of the ledger among which is looked for what ran at the time of a backup."""


@dataclass
class Moment:
    """What the plan began at one time.

    Attributes:
        at: when the first part was.
        points: ARN of a resource → its recovery point.
        jobs: ARN of a resource → its job, of those that came to nothing.
    """

    at: datetime
    points: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    jobs: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def has(self, resource: str) -> bool:
        """Whether it is known what became of a resource."""
        return resource in self.points or resource in self.jobs


@dataclass(frozen=True)
class Bucket:
    """A bucket of the site, as its stack tells of it now.

    Attributes:
        name: of the bucket.
        keeps: whether it keeps old versions.
        days: for which it does.
        since: when it was made.
    """

    name: str
    keeps: bool
    days: int
    since: datetime

    @classmethod
    def told(cls, stack: Mapping[str, Any]) -> Bucket | None:
        """That of a stack; None where the stack has made none.

        Args:
            stack: of DescribeStacks.
        """
        name = stacks.outputs(stack).get("BucketName", "")
        given = {each["ParameterKey"]: str(each["ParameterValue"]) for each in stack.get("Parameters", [])}
        if not name:
            return None
        days = int(given.get("BucketOldVersionsDays") or 0)
        return cls(name, given.get("BucketVersioned") == "true", days, stack["CreationTime"])


@dataclass(frozen=True)
class Plan:
    """What is known of a site's plan.

    Attributes:
        vault: that it makes copies into; empty where the site has none.
        wanted: key (`database.main`) → what of the site is to be in a backup: its ARN, or of a database its identifier.
        buckets: key (`bucket.uploads`) → the bucket.
    """

    vault: str
    wanted: Mapping[str, str]
    buckets: Mapping[str, Bucket] = field(default_factory=dict)

    @classmethod
    def told(cls, described: Mapping[str, Mapping[str, Any]]) -> Plan:
        """That of a site.

        Args:
            described: layer (`backup`, `database.main`) → its stack, of DescribeStacks.
        """
        outputs = {layer: stacks.outputs(stack) for layer, stack in described.items()}
        flat = {f"{layer}.{name}": value for layer, each in outputs.items() for name, value in each.items()}
        found = {layer: Bucket.told(stack) for layer, stack in described.items() if layer.startswith("bucket.")}
        return cls(
            flat.get("backup.VaultName", ""),
            {each.key: each.of for each in parts.wanted(flat)},
            {layer: bucket for layer, bucket in found.items() if bucket},
        )

    @classmethod
    def find(cls, client: Callable[[str], Any], prefix: str) -> Plan:
        """That of the site of a prefix, whatever of its stacks is there.

        Args:
            client: gives a boto3 client.
            prefix: of the environment.
        """
        return cls.told(stacks.described(client("cloudformation"), prefix, LAYERS))

    def key(self, point: Mapping[str, Any]) -> str:
        """What a recovery point is of, by the site's name where the site has it still, else by AWS's."""
        arn = str(point["ResourceArn"])
        named = {arn, arn.rpartition(":")[2]}
        found = next((key for key, of in self.wanted.items() if of in named), "")
        noun = NOUNS.get(str(point.get("ResourceType")), "resource")
        return found or f"{noun}.{arn.rpartition(':')[2].rpartition('/')[2]}"


def every(client: Callable[[str], Any], ledger: Ledger, plan: Plan, now: datetime) -> list[Point]:
    """All backups of an environment, its plan's too, the one that was begun last first.

    Args:
        client: gives a boto3 client.
        ledger: of the environment.
        plan: what is known of its plan.
        now: with its time zone.
    """
    made = read(client("backup"), plan, now) if plan.vault else []
    if made:
        made = with_releases(made, ledger.entries(LOOKED_BACK))
    return merged(Points(client("s3"), ledger).all(), made)


def read(backup: Any, plan: Plan, now: datetime) -> list[Point]:
    """The backups of a plan, the one that was begun last first.

    Args:
        backup: boto3 client, of the region of the vault.
        plan: what is known of it.
        now: with its time zone.
    """
    try:
        pages = backup.get_paginator("list_recovery_points_by_backup_vault").paginate(BackupVaultName=plan.vault)
        points = [each for page in pages for each in page["RecoveryPoints"] if each.get("CreatedBy")]
        pages = backup.get_paginator("list_backup_jobs").paginate(ByBackupVaultName=plan.vault)
        jobs = [each for page in pages for each in page["BackupJobs"] if each.get("CreatedBy")]
    except ClientError as error:
        if code(error) not in volumes.ABSENT:
            raise
        return []
    made = moments(points, [each for each in jobs if each["State"] in volumes.ENDED])
    first = {key: made[place].at for place in reversed(range(len(made))) for key in _keys(plan, made[place])}
    return [_point(plan, each, first, now) for each in made]


def moments(points: Iterable[Mapping[str, Any]], failed: Iterable[Mapping[str, Any]]) -> list[Moment]:
    """What belongs together, the newest first: what was begun within the hour, of each resource once.

    Args:
        points: recovery points.
        failed: jobs that came to nothing.
    """
    listed = [
        *((each["CreationDate"], 0, each) for each in points),
        *((each["CreationDate"], 1, each) for each in failed),
    ]
    found: list[Moment] = []
    for at, kind, each in sorted(listed, key=lambda one: (one[0], one[1])):
        resource = str(each["ResourceArn"])
        if not found or at - found[-1].at >= TOGETHER or found[-1].has(resource):
            found.append(Moment(at))
        (found[-1].jobs if kind else found[-1].points)[resource] = each
    return found[::-1]


def with_releases(points: Sequence[Point], entries: Iterable[Mapping[str, Any]]) -> list[Point]:
    """The same, with what ran when each was begun.

    Args:
        points: the backups.
        entries: of the ledger, the newest first.
    """
    told = [each for each in entries if each.get("outcome") == GOOD and each.get("services")]
    return [{**each, **_ran(told, begun(each))} for each in points]


def merged(written: Sequence[Point], read_: Sequence[Point]) -> list[Point]:
    """All backups, the one that was begun last first. Of one that is written down the record counts.

    Args:
        written: the records.
        read_: the plan's.
    """
    names = {each["name"] for each in written}
    both = [*written, *(each for each in read_ if each["name"] not in names)]
    return sorted(both, key=lambda each: str(each.get("started", "")), reverse=True)


def is_planned(point: Mapping[str, Any]) -> bool:
    """Whether a plan made it."""
    return str(point.get("name", "")).startswith(PREFIX)


def _keys(plan: Plan, moment: Moment) -> list[str]:
    return [plan.key(each) for each in moment.points.values()]


def _point(plan: Plan, moment: Moment, first: Mapping[str, datetime], now: datetime) -> Point:
    """The record of a moment.

    Args:
        plan: what is known of the plan.
        moment: what it began.
        first: key → when the plan made the first copy of it that is there.
        now: with its time zone.
    """
    found = {plan.key(each): part(plan, each) for each in moment.points.values()}
    for each in moment.jobs.values():
        found.setdefault(plan.key(each), _failed(each))
    without, awaited = [], now - moment.at < TOGETHER
    missing = plan.wanted.keys() - found.keys()
    for key in missing:
        if key in first and first[key] > moment.at:
            without.append(f"{key}, of which the first copy was made later")
        elif not awaited:
            found[key] = {"kind": volumes.KIND, "of": plan.wanted[key], "id": "", "state": FAILED, "why": UNBEGUN}
    for key, bucket in plan.buckets.items():
        if bucket.since > moment.at:
            without.append(f"{key}, which was made later")
        elif bucket.keeps and buckets.is_late(bucket.days, moment.at, now):
            without.append(f"{key}, whose old versions of then are gone")
        else:
            found[key] = buckets.at(bucket.name, bucket.days, moment.at, bucket.keeps)
    states = {part["state"] for part in found.values()} | ({RUNNING} if missing and awaited else set())
    bad = "; ".join(f"{key}: {part['why']}" for key, part in sorted(found.items()) if part["state"] == FAILED)
    ends = [each["CompletionDate"] for each in moment.points.values() if each.get("CompletionDate")]
    ended = max(ends, default=None) if RUNNING not in states else None
    return {
        "name": f"{PREFIX}{moment.at.astimezone(UTC):%Y-%m-%d-%H%M}",
        "run": "",
        "who": WHO,
        "where": "",
        "started": moment.at.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds") if ended else None,
        "seconds": (ended - moment.at).total_seconds() if ended else None,
        "outcome": RUNNING if RUNNING in states else FAILED if bad else GOOD,
        "reason": bad,
        "release": "",
        "services": {},
        "secrets": {},
        "without": sorted(without),
        "parts": dict(sorted(found.items())),
    }


def part(plan: Plan, point: Mapping[str, Any]) -> Part:
    """A recovery point of a plan's vault, as a part of a backup."""
    arn, status = str(point["RecoveryPointArn"]), str(point["Status"])
    state = GOOD if status in WHOLE else RUNNING if status in UNDER_WAY else FAILED
    made = {"snapshot": arn.partition(SNAPSHOT)[2]} if SNAPSHOT in arn else {}
    of = str(point["ResourceArn"])
    return {
        "kind": volumes.KIND,
        "of": of.rpartition(":")[2] if made else of,
        "id": arn,
        "vault": plan.vault,
        "state": state,
        "why": f"its recovery point is {status}" if state == FAILED else "",
        "percent": 100 if state == GOOD else 0,
        "bytes": int(point.get("BackupSizeInBytes") or 0),
        "made": point["CreationDate"].isoformat(timespec="seconds"),
        **made,
    }


def _failed(job: Mapping[str, Any]) -> Part:
    why = f"AWS Backup: {job['State']}" + (f", {job['StatusMessage']}" if job.get("StatusMessage") else "")
    return {"kind": volumes.KIND, "of": str(job["ResourceArn"]), "id": "", "state": FAILED, "why": why}


def _ran(entries: Sequence[Mapping[str, Any]], at: datetime | None) -> dict[str, Any]:
    """What the newest entry that had ended by then says of the release."""
    for entry in entries:
        ended = _time(entry.get("ended"))
        if at and ended and ended <= at:
            return {
                "release": str(entry.get("release") or ""),
                "services": entry.get("services") or {},
                "secrets": entry.get("secrets") or {},
            }
    return {}


def _time(written: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

"""The volumes: their file systems, and the newest backup of each.

Asks DescribeFileSystems, ListRecoveryPointsByResource.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.words import age, iso, seconds_since

BACKUP_SECONDS = 2 * 86_400
"""How old the newest backup may be: EFS's automatic backups make one a day.

https://docs.aws.amazon.com/efs/latest/ug/automatic-backups.html
"""
GIB = 2**30


def look(client: Client, systems: Mapping[str, str], now: datetime.datetime) -> Part:
    """Ask for the file systems, and judge.

    Args:
        client: gives a boto3 client.
        systems: entry → id of its file system.
        now: with its time zone.
    """
    part = Part([])
    for name, identifier in systems.items():
        about = f"volume.{name}"
        system = part.ask(about, "efs", _described, client("efs"), identifier)
        if not system:
            continue
        points = part.ask(about, "backup", _points, client("backup"), system["FileSystemArn"])
        facts = _facts(name, system, points, now)
        part.facts.append(facts)
        _judge(part, facts, points is not None)
    return part


def _described(efs: Any, identifier: str) -> dict[str, Any]:
    found = efs.describe_file_systems(FileSystemId=identifier)  # one page: it is asked for one
    return dict(found["FileSystems"][0])


def _points(backup: Any, arn: str) -> list[dict[str, Any]]:
    pages = backup.get_paginator("list_recovery_points_by_resource").paginate(ResourceArn=arn)
    return [each for page in pages for each in page["RecoveryPoints"] if each.get("Status") == "COMPLETED"]


def _facts(
    name: str, system: Mapping[str, Any], points: list[dict[str, Any]] | None, now: datetime.datetime
) -> dict[str, Any]:
    newest = max((each["CreationDate"] for each in points or ()), default=None)
    return {
        "name": name,
        "file_system": system["FileSystemId"],
        "status": system["LifeCycleState"],
        "size_gb": round(system["SizeInBytes"]["Value"] / GIB, 2),
        "age_seconds": seconds_since(system["CreationTime"], now),
        "newest_backup": None if points is None else iso(newest) if newest else "",
        "newest_backup_age_seconds": seconds_since(newest, now) if newest else None,
    }


def _judge(part: Part, facts: Mapping[str, Any], asked_for_backups: bool) -> None:
    about, identifier = f"volume.{facts['name']}", facts["file_system"]
    if facts["status"] != "available":
        typed = f"aws efs describe-file-systems --file-system-id {identifier}"
        part.is_wrong(about, f"its file system is {facts['status']}", typed)
    newest = facts["newest_backup_age_seconds"]
    grown = facts["age_seconds"] > BACKUP_SECONDS
    if asked_for_backups and grown and (newest is None or newest > BACKUP_SECONDS):
        what = f"its newest backup is {age(newest)} old" if newest else "it has no backup"
        typed = f"aws efs describe-backup-policy --file-system-id {identifier}"
        part.is_wrong(about, what, typed)

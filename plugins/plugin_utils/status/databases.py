"""The databases: what they are, whether they can be restored, and what waits for their maintenance window.

Asks DescribeDBInstances, DescribeDBSnapshots, DescribePendingMaintenanceActions, DescribeCertificates.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.words import age, iso, seconds_since

RESTORABLE_SECONDS = 3_600
"""How far back the newest point in time may lie: RDS moves it on every five minutes.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html
"""
AUTHORITY_DAYS = 180
"""For how many days before its end an authority is spoken of: images may have to be built anew for another."""
LEAST_DAYS = 30
"""How many days what a server proves itself by must hold."""
FULL_PERCENT = 90
"""From how much of its largest size on storage is spoken of."""
BACKUP_SECONDS = 2 * 86_400
"""How old the newest backup may be: there is one a day."""
AT_WORK = ("backing-up", "modifying", "maintenance", "upgrading", "rebooting", "storage-optimization", "starting",
           "creating", "configuring-log-exports", "configuring-enhanced-monitoring", "renaming")  # fmt: skip
"""States that RDS leaves by itself."""


def look(client: Client, identifiers: Mapping[str, str], now: datetime.datetime) -> Part:
    """Ask for the databases, and judge.

    Args:
        client: gives a boto3 client.
        identifiers: entry → RDS's identifier.
        now: with its time zone.
    """
    part = Part([])
    for name, identifier in identifiers.items():
        about = f"database.{name}"
        found = part.ask(about, "rds", _described, client("rds"), identifier)
        if not found:
            continue
        backups = part.ask(about, "rds", _automated, client("rds"), identifier)
        pending = part.ask(about, "rds", _pending, client("rds"), found["DBInstanceArn"])
        authorities = part.ask(about, "rds", _authorities, client("rds"))
        facts = _facts(name, found, backups, pending or [], now)
        facts["certificate"] = _certificate(found, authorities or {}, now)
        part.facts.append(facts)
        _judge(part, facts, backups is not None)
        _judge_certificate(part, facts)
        _judge_storage(part, facts)
    return part


def _described(rds: Any, identifier: str) -> dict[str, Any]:
    return dict(rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0])


def _automated(rds: Any, identifier: str) -> list[dict[str, Any]]:
    pages = rds.get_paginator("describe_db_snapshots").paginate(
        DBInstanceIdentifier=identifier, SnapshotType="automated"
    )
    return [each for page in pages for each in page["DBSnapshots"] if each.get("SnapshotCreateTime")]


def _pending(rds: Any, arn: str) -> list[dict[str, Any]]:
    pages = rds.get_paginator("describe_pending_maintenance_actions").paginate(ResourceIdentifier=arn)
    found = [each for page in pages for each in page["PendingMaintenanceActions"]]
    return [action for each in found for action in each["PendingMaintenanceActionDetails"]]


def _authorities(rds: Any) -> dict[str, Any]:
    """The authorities of RDS by their identifiers; that of new databases is called so, too."""
    found: dict[str, Any] = {}
    for page in rds.get_paginator("describe_certificates").paginate():
        found |= {each["CertificateIdentifier"]: each for each in page["Certificates"]}
        found[""] = found.get(page.get("DefaultCertificateForNewLaunches", ""), {})
    return found


def _certificate(found: Mapping[str, Any], authorities: Mapping[str, Any], now: datetime.datetime) -> dict[str, Any]:
    name = found.get("CACertificateIdentifier", "")
    ends = {
        "": (found.get("CertificateDetails") or {}).get("ValidTill"),
        "authority_": authorities.get(name, {}).get("ValidTill") if name else None,
    }
    facts = {"authority": name, "usual": authorities.get("", {}).get("CertificateIdentifier", "")}
    for what, end in ends.items():
        facts[f"{what}ends"] = iso(end) if end else ""
        facts[f"{what}days_left"] = (end - now).days if end else None
    return facts


def _facts(
    name: str,
    found: Mapping[str, Any],
    backups: list[dict[str, Any]] | None,
    pending: list[dict[str, Any]],
    now: datetime.datetime,
) -> dict[str, Any]:
    newest = max((each["SnapshotCreateTime"] for each in backups or ()), default=None)
    latest, created = found.get("LatestRestorableTime"), found.get("InstanceCreateTime")
    changes = sorted(found.get("PendingModifiedValues") or {})  # never their values: one may be a password
    return {
        "name": name,
        "identifier": found["DBInstanceIdentifier"],
        "status": found["DBInstanceStatus"],
        "class": found["DBInstanceClass"],
        "engine": f"{found['Engine']} {found['EngineVersion']}",
        "storage_gb": found["AllocatedStorage"],
        "storage_max_gb": found.get("MaxAllocatedStorage"),
        "multi_az": bool(found.get("MultiAZ")),
        "age_seconds": seconds_since(created, now) if created else None,
        "backup_days": found.get("BackupRetentionPeriod", 0),
        "restorable_to": iso(latest) if latest else "",
        "restorable_age_seconds": seconds_since(latest, now) if latest else None,
        "newest_backup": None if backups is None else iso(newest) if newest else "",
        "newest_backup_age_seconds": seconds_since(newest, now) if newest else None,
        "maintenance": [
            {
                "action": each.get("Action", ""),
                "what": each.get("Description", ""),
                "by_itself_after": iso(each["AutoAppliedAfterDate"]) if each.get("AutoAppliedAfterDate") else "",
            }
            for each in pending
        ],
        "waiting_changes": changes,
    }


def _judge(part: Part, facts: Mapping[str, Any], asked_for_backups: bool) -> None:
    about, identifier = f"database.{facts['name']}", facts["identifier"]
    typed = f"aws rds describe-events --source-type db-instance --duration 1440 --source-identifier {identifier}"
    if facts["status"] in AT_WORK:
        part.note(about, f"is {facts['status']}")
    elif facts["status"] != "available":
        part.is_wrong(about, f"is {facts['status']}", typed)
    if not facts["backup_days"]:
        part.is_wrong(about, "has no automated backups: set its backup_days", verb("site.yml"))
    elif facts["restorable_age_seconds"] is not None and facts["restorable_age_seconds"] > RESTORABLE_SECONDS:
        behind = age(facts["restorable_age_seconds"])
        part.is_wrong(about, f"the newest point in time that can be restored is {behind} old", typed)
    grown = (facts["age_seconds"] or 0) > BACKUP_SECONDS
    newest = facts["newest_backup_age_seconds"]
    if asked_for_backups and facts["backup_days"] and grown and (newest is None or newest > BACKUP_SECONDS):
        what = f"its newest automated backup is {age(newest)} old" if newest else "it has no automated backup"
        part.is_wrong(about, what, typed)
    for each in facts["maintenance"]:
        when = f", by itself after {each['by_itself_after'][:10]}" if each["by_itself_after"] else ""
        part.note(about, f"maintenance waits: {each['action']} ({each['what']}){when}")
    if facts["waiting_changes"]:
        part.note(about, f"changed at the next maintenance window: {', '.join(facts['waiting_changes'])}")


def _judge_certificate(part: Part, facts: Mapping[str, Any]) -> None:
    """Who connects without looking at certificates is not cut off by any of it; who looks is, on that day."""
    about, one = f"database.{facts['name']}", facts["certificate"]
    left, typed = one["authority_days_left"], verb("site.yml")
    if left is not None and left < AUTHORITY_DAYS:
        told = part.is_wrong if left < LEAST_DAYS else part.note
        new = one["usual"] if one["usual"] != one["authority"] else "another one"
        told(
            about,
            f"{one['authority']}, the authority that signs its certificate, ends in {left} days: write ca_certificate: "
            f"{new or 'another one'} into site_databases.{facts['name']}",
            typed,
        )
    if one["days_left"] is not None and one["days_left"] < LEAST_DAYS:
        part.is_wrong(
            about,
            f"its certificate ends in {one['days_left']} days, and RDS has not renewed it: it does so when it restarts",
            f"aws rds reboot-db-instance --db-instance-identifier {facts['identifier']}",
        )


def _judge_storage(part: Part, facts: Mapping[str, Any]) -> None:
    most = facts["storage_max_gb"]
    if most and facts["storage_gb"] * 100 >= most * FULL_PERCENT:
        part.note(
            f"database.{facts['name']}",
            f"has {facts['storage_gb']} of the at most {most} GB to which its storage grows by itself: write a larger "
            "storage_max_gb",
            verb("site.yml"),
        )

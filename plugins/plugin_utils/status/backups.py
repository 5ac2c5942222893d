"""The backups that the verb `backup` or a plan makes: how old the newest good one is, and what became of the last.

Reads objects of the bucket of the layer `ledger`: ListObjectsV2, GetObject; and of the vault, where there is one:
ListRecoveryPointsByBackupVault, ListBackupJobs. That there is none in time is the fault
that nobody else would tell: what fails can be heard, what is never started cannot.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.backups import drills, planned, table
from plugins.plugin_utils.backups.point import Points, begun, is_good
from plugins.plugin_utils.ledger import FAILED, INTERRUPTED, RUNNING, Ledger
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.site.backups import Backups
from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.words import age, iso, seconds_since

ABOUT = "backups"
LATE_SECONDS = 2 * 3_600
"""How much later than it should be a backup may be: it takes its time, and is started a little later each day."""


def look(
    client: Client, bucket: str, wanted: Backups, plan: planned.Plan, site_age: int | None, now: datetime.datetime
) -> Part:
    """Read the records, and judge.

    Args:
        client: gives a boto3 client.
        bucket: of the layer ledger; empty where the site has none.
        wanted: what `site_backups` says.
        plan: what is known of the site's plan.
        site_age: seconds since the ledger was made; None where that is not known.
        now: with its time zone.
    """
    part = Part({"every_seconds": wanted.every, "newest": None, "last": None, "drill": None})
    s3 = client("s3")
    ledger = Ledger(s3, bucket)
    written = part.ask(ABOUT, "s3", Points(s3, ledger).all) if bucket else []
    made = part.ask(ABOUT, "backup", planned.read, client("backup"), plan, now) if plan.vault else []
    if written is None or made is None:
        return part
    entries = part.ask(ABOUT, "s3", ledger.entries, planned.LOOKED_BACK) if made and bucket else []
    points = planned.merged(written, planned.with_releases(made, entries or []))
    good = next((_facts(each, now) for each in points if is_good(each)), None)
    last = next((_facts(each, now) for each in points if each.get("outcome") != RUNNING), None)
    drill = part.ask(ABOUT, "s3", drills.Drills(ledger).last) if bucket else None
    part.facts |= {"newest": good, "last": last, "drill": drill and _drilled(drill)}
    _judge(part, wanted, site_age)
    return part


def _facts(point: dict[str, Any], now: datetime.datetime) -> dict[str, Any]:
    at = begun(point)
    return {
        "name": point["name"],
        "outcome": point.get("outcome", ""),
        "reason": point.get("reason", ""),
        "release": point.get("release", ""),
        "at": iso(at) if at else "",
        "age_seconds": seconds_since(at, now) if at else None,
        "contents": table.contents(point),
    }


def _drilled(drill: Mapping[str, Any]) -> dict[str, Any]:
    names = ("backup", "outcome", "reason", "point_seconds", "recovery_seconds")
    return {"at": drill["started"], **{name: drill.get(name) for name in names}, "said": drills.said(drill)}


def _judge(part: Part, wanted: Backups, site_age: int | None) -> None:
    good, last = part.facts["newest"], part.facts["last"]
    typed = verb("backup.yml")
    if last and (good is None or last["name"] != good["name"]):
        why = f": {last['reason']}" if last["reason"] else ""
        again = typed if planned.is_planned(last) else f"{typed} -e backup={last['name']}"
        part.note(ABOUT, f"the last one, {last['name']}, did not become whole{why}", again)
    if (drill := part.facts["drill"]) and drill["outcome"] in (FAILED, INTERRUPTED):
        again = f"{verb('drill.yml')} -e backup={drill['backup']}"
        if drill["outcome"] == FAILED:
            part.is_wrong(ABOUT, f"the last drill of a restore failed: {drill['said']}", again)
        else:
            part.note(ABOUT, "the last drill of a restore was broken off, and may have left something", again)
    if wanted.every is None:
        return
    limit = wanted.every + LATE_SECONDS
    should = f"there should be one every {age(wanted.every)} (site_backups)"
    if good is None:
        if site_age is None or site_age > limit:
            part.is_wrong(ABOUT, f"there is none, and {should}", typed)
        else:
            part.note(ABOUT, f"there is none yet, and {should}", typed)
    elif good["age_seconds"] is None or good["age_seconds"] > limit:
        old = age(good["age_seconds"] or 0)
        part.is_wrong(ABOUT, f"the newest good one, {good['name']}, is {old} old, and {should}", typed)


def said(facts: Mapping[str, Any]) -> str:
    """The newest in a sentence."""
    good = facts["newest"]
    if not good:
        return "none yet"
    release = f" · release {good['release']}" if good["release"] else ""
    return f"{good['name']}, {age(good['age_seconds'] or 0)} old{release} · {good['contents'] or 'no data in it'}"


def drilled(facts: Mapping[str, Any]) -> str:
    """The last drill in a sentence."""
    drill = facts["drill"]
    return str(drill["said"]) if drill else f"none yet: {verb('drill.yml')}"

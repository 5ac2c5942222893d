"""The ledger: who holds the lock, and what was done last.

Reads objects of the bucket of the layer `ledger`, whose stack the site may not have: ListObjectsV2, GetObject.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.ledger import GOOD, INTERRUPTED, RUNNING, Ledger
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.words import ago, iso, seconds_since

VERBS = 5
ENTRY_KEYS = ("verb", "who", "where", "outcome", "reason", "seconds", "release")
LOCK_KEYS = ("verb", "who", "where", "run")
NONE: dict[str, Any] = {"there": False, "lock": None, "verbs": []}


def look(client: Client, bucket: str, now: datetime.datetime) -> Part:
    """Read the ledger.

    Args:
        client: gives a boto3 client.
        bucket: of the layer; empty where the site has no ledger.
        now: with its time zone.
    """
    if not bucket:
        return Part(dict(NONE))
    part = Part({"there": True, "lock": None, "verbs": []})
    ledger = Ledger(client("s3"), bucket)
    held = part.ask("lock", "s3", ledger.lock.read)
    if held and not held.expired:  # a run that was killed has left the other
        holder = {key: getattr(held.holder, key) for key in LOCK_KEYS}
        part.facts["lock"] = holder | {"started": _iso(held.holder.started)}
    entries = part.ask("ledger", "s3", ledger.entries, VERBS) or []
    part.facts["verbs"] = [_entry(entry, now) for entry in entries]
    _judge(part)
    return part


def _judge(part: Part) -> None:
    """What ended badly is worth a word until something went well after it."""
    last = next((each for each in part.facts["verbs"] if each["outcome"] != RUNNING), None)
    if last and last["outcome"] != GOOD:
        why = f": {last['reason']}" if last["reason"] else ""
        came = "was interrupted" if last["outcome"] == INTERRUPTED else f"has {last['outcome']}"
        part.note(
            "ledger",
            f"the last run, {last['verb']} by {last['who']} {ago(last['age_seconds'] or 0)}, {came}{why}",
            verb("releases.yml") + " -e all=true",
        )


def _entry(entry: Mapping[str, Any], now: datetime.datetime) -> dict[str, Any]:
    at = _time(entry.get("started"))
    return {name: entry.get(name) for name in ENTRY_KEYS} | {
        "started": iso(at) if at else "",
        "ended": _iso(entry.get("ended")),
        "age_seconds": seconds_since(at, now) if at else None,
    }


def _iso(text: Any) -> str:
    at = _time(text)
    return iso(at) if at else ""


def _time(text: Any) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)

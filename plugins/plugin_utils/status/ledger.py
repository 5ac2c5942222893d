"""The ledger: who holds the lock, and what was done last.

Reads objects of the bucket of the layer `ledger`, whose stack the site may not have: ListObjectsV2, GetObject.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.words import ago, iso, seconds_since

ENTRIES, LOCK = "entries/", "lock.json"
VERBS = 5
ENTRY_KEYS = ("verb", "who", "where", "outcome", "reason", "seconds", "release")
LOCK_KEYS = ("verb", "who", "where", "run")
RUNNING, INTERRUPTED, GOOD = "running", "interrupted", "good"
TTL_SECONDS = 300.0
"""For how long a lock holds that does not say it (`ttl`), from its last renewal."""
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
    part.facts["lock"] = lock = part.ask("lock", "s3", _lock, client("s3"), bucket, now)
    alive = lock["run"] if lock else ""
    for key in part.ask("ledger", "s3", _newest, client("s3"), bucket) or []:
        entry = part.ask("ledger", "s3", _object, client("s3"), bucket, key)
        if entry:
            part.facts["verbs"].append(_entry(entry[0], alive, now))
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


def _newest(s3: Any, bucket: str) -> list[str]:
    """Keys of the newest entries, the newest first: a key begins with its time."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=ENTRIES)
    return sorted((each["Key"] for page in pages for each in page.get("Contents", [])), reverse=True)[:VERBS]


def _object(s3: Any, bucket: str, key: str) -> tuple[dict[str, Any], Mapping[str, Any]] | None:
    """A JSON object of the bucket, and S3's answer; None where there is none, or it is no such thing."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
        found = json.loads(answer["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    except ValueError:
        return None
    return (found, answer) if isinstance(found, dict) else None


def _lock(s3: Any, bucket: str, now: datetime.datetime) -> dict[str, Any] | None:
    """Who holds the lock; None if nobody does, also where a run that was killed has left it."""
    found = _object(s3, bucket, LOCK)
    if not found or not found[0].get("verb"):
        return None
    lock, answer = found
    # By the clock of S3, which wrote down when it was renewed.
    told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    at = parsedate_to_datetime(told) if told else now
    if (at - answer.get("LastModified", at)).total_seconds() > float(lock.get("ttl") or TTL_SECONDS):
        return None
    return {key: lock.get(key, "") for key in LOCK_KEYS} | {"started": _iso(lock.get("started"))}


def _entry(entry: Mapping[str, Any], alive: str, now: datetime.datetime) -> dict[str, Any]:
    told = {name: entry.get(name) for name in ENTRY_KEYS}
    if told["outcome"] == RUNNING and entry.get("run") != alive:
        told |= {"outcome": INTERRUPTED, "reason": "the run was killed"}
    at = _time(entry.get("started"))
    return told | {
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

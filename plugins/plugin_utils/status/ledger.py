"""The ledger: who holds the lock, and what was done last.

Reads objects of the bucket of the layer `ledger`: ListObjectsV2, GetObject. See plugins/plugin_utils/ledger.py.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.words import iso, seconds_since

ENTRIES, LOCK = "entries/", "lock.json"
VERBS = 5
ENTRY_KEYS = ("verb", "who", "where", "started", "ended", "outcome", "reason", "seconds", "release")
LOCK_KEYS = ("verb", "who", "where", "started", "expires")
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
    lock = part.ask("lock", "s3", _object, client("s3"), bucket, LOCK)
    if lock and not _is_over(lock, now):
        part.facts["lock"] = {key: lock.get(key) for key in LOCK_KEYS}
    keys = part.ask("ledger", "s3", _newest, client("s3"), bucket) or []
    for key in keys:
        entry = part.ask("ledger", "s3", _object, client("s3"), bucket, key)
        if entry:
            part.facts["verbs"].append({name: entry.get(name) for name in ENTRY_KEYS} | _age(entry, now))
    return part


def _newest(s3: Any, bucket: str) -> list[str]:
    """Keys of the newest entries, the newest first: a key begins with its time."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=ENTRIES)
    return sorted((each["Key"] for page in pages for each in page.get("Contents", [])), reverse=True)[:VERBS]


def _object(s3: Any, bucket: str, key: str) -> dict[str, Any] | None:
    """A JSON object of the bucket; None where there is none, or it is no such thing."""
    try:
        found = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _time(text: Any) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _is_over(lock: dict[str, Any], now: datetime.datetime) -> bool:
    """Whether nobody holds the lock any more, though its object is there."""
    end = _time(lock.get("expires"))
    return bool(lock.get("released") or (end and end <= now) or not lock.get("verb"))


def _age(entry: dict[str, Any], now: datetime.datetime) -> dict[str, Any]:
    at = _time(entry.get("started"))
    return {"started": iso(at) if at else "", "age_seconds": seconds_since(at, now) if at else None}

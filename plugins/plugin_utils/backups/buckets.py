"""Buckets in a backup: a time, to which the bucket's old versions lead back for as long as they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.backups.point import LEFT, Part
from plugins.plugin_utils.ledger import FAILED, GOOD
from plugins.plugin_utils.lock import code

KIND = "versions"


def part(s3: Any, bucket: str, days: int | None, now: datetime) -> Part:
    """The bucket as it is in a backup.

    Args:
        s3: boto3 client.
        bucket: its name.
        days: for which it keeps old versions; None where that is not known, as the bucket is somebody else's.
        now: the time to be led back to.
    """
    found: Part = {"kind": KIND, "of": bucket, "id": bucket, "made": now.isoformat(timespec="seconds"), "days": days}
    state = _versioning(s3, bucket)
    if state is None:
        return found | {"state": FAILED, "why": "there is no such bucket"}
    if state != "Enabled":
        return found | {"state": LEFT, "why": "it keeps no old versions"}
    return found | {"state": GOOD, "why": ""}


def there(s3: Any, part: Mapping[str, Any], now: datetime) -> bool:
    """Whether the bucket of then can be had still: it is there, and all old versions since then are."""
    days = part.get("days")
    late = days is not None and now - datetime.fromisoformat(str(part["made"])) > timedelta(days=days)
    return not late and _versioning(s3, str(part["of"])) == "Enabled"


def _versioning(s3: Any, bucket: str) -> str | None:
    """`Enabled`, `Suspended`, or nothing; None where there is no such bucket."""
    try:
        return str(s3.get_bucket_versioning(Bucket=bucket).get("Status", ""))
    except ClientError as error:
        if code(error) not in ("NoSuchBucket", "404"):
            raise
        return None

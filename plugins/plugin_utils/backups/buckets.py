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
    state = _versioning(s3, bucket)
    if state is None:
        return at(bucket, days, now, False) | {"state": FAILED, "why": "there is no such bucket"}
    return at(bucket, days, now, state == "Enabled")


def at(bucket: str, days: int | None, then: datetime, keeps: bool) -> Part:
    """The bucket as it is in a backup of a time, which nobody has to have looked at it at.

    Args:
        bucket: its name.
        days: for which it keeps old versions; None where that is not known.
        then: the time to be led back to.
        keeps: whether it keeps old versions.
    """
    found: Part = {"kind": KIND, "of": bucket, "id": bucket, "made": then.isoformat(timespec="seconds"), "days": days}
    return found | ({"state": GOOD, "why": ""} if keeps else {"state": LEFT, "why": "it keeps no old versions"})


def there(s3: Any, part: Mapping[str, Any], now: datetime) -> bool:
    """Whether the bucket of then can be had still: it is there, and all old versions since then are."""
    late = is_late(part.get("days"), datetime.fromisoformat(str(part["made"])), now)
    return not late and _versioning(s3, str(part["of"])) == "Enabled"


def is_late(days: int | None, then: datetime, now: datetime) -> bool:
    """Whether old versions of a time may be gone.

    Args:
        days: for which they are kept; None where that is not known.
        then: the time.
        now: with its time zone.
    """
    return days is not None and now - then > timedelta(days=days)


def _versioning(s3: Any, bucket: str) -> str | None:
    """`Enabled`, `Suspended`, or nothing; None where there is no such bucket."""
    try:
        return str(s3.get_bucket_versioning(Bucket=bucket).get("Status", ""))
    except ClientError as error:
        if code(error) not in ("NoSuchBucket", "404"):
            raise
        return None

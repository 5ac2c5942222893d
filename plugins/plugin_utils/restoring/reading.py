"""Versions of objects read to their end, and held against what S3 says of them: nothing is written for that."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from botocore.exceptions import FlexibleChecksumError, HTTPClientError
from botocore.httpchecksum import StreamingChecksumBody

from plugins.plugin_utils.restoring.versions import Version

PIECE = 2**20
"""Bytes that are kept at a time."""
TRIES = 3
"""How often an object is read whose connection breaks: botocore asks again, and does not go on with an answer."""
MD5 = re.compile(r'"[0-9a-f]{32}"')
"""An ETag that is the content's, unless a key of KMS encrypts it; that of an object that came in parts is not.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
"""


class Damaged(Exception):
    """What was read is not what the bucket lists, and why."""


def read(s3: Any, bucket: str, key: str, version: Version) -> bool:
    """Read a version to its end.

    Args:
        s3: boto3 client.
        bucket: its name.
        key: of the object.
        version: as the bucket lists it.

    Returns:
        Whether its content was held against a checksum, and not against its size alone.

    Raises:
        Damaged: it is another one.
        ClientError: S3 does not give it, as it is archived, its key is gone, or nobody here may read it.
        HTTPClientError: the connection breaks again and again.
    """
    for _ in range(TRIES - 1):
        try:
            return _read(s3, bucket, key, version)
        except HTTPClientError:
            continue
    return _read(s3, bucket, key, version)


def _read(s3: Any, bucket: str, key: str, version: Version) -> bool:
    answered = s3.get_object(Bucket=bucket, Key=key, VersionId=version.id, ChecksumMode="ENABLED")
    body, digest, size = answered["Body"], hashlib.md5(usedforsecurity=False), 0
    try:
        for piece in body.iter_chunks(PIECE):
            size += len(piece)
            digest.update(piece)
    except FlexibleChecksumError as error:
        raise Damaged(str(error).rstrip(".")) from None
    if size != version.size:
        raise Damaged(f"it has {size:,} bytes, and {version.size:,} are listed")
    if MD5.fullmatch(version.etag) and not str(answered.get("ServerSideEncryption", "")).startswith("aws:kms"):
        if digest.hexdigest() != version.etag.strip('"'):
            raise Damaged("its content has another checksum than is listed")
        return True
    return isinstance(body, StreamingChecksumBody)

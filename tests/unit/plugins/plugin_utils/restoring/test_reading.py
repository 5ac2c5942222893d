"""A version is read to its end and held against what is listed: what S3 gives, and what breaks on the way."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ResponseStreamingError
from botocore.response import StreamingBody

from local_aws.cloud import Cloud
from plugins.plugin_utils.restoring import reading
from plugins.plugin_utils.restoring.versions import Bucket, Version

MADE = datetime(2026, 11, 26, 10, 2, tzinfo=UTC)
CONTENT = b"harbour" * 400_000


def listed(content: bytes = CONTENT, etag: str = "") -> Version:
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return Version(MADE, "v1", etag or f'"{digest}"', len(content))


class Breaking(io.BytesIO):
    """A connection that is lost in the middle."""

    def read(self, *_: Any) -> bytes:
        raise ResponseStreamingError(error=ConnectionResetError())


class S3:
    """Which gives one content, once it has broken the connection so many times."""

    def __init__(self, content: bytes = CONTENT, breaks: int = 0, **answer: Any) -> None:
        self._content, self._left, self._answer = content, breaks, answer

    def get_object(self, **asked: Any) -> dict[str, Any]:
        assert asked == {"Bucket": "b", "Key": "k", "VersionId": "v1", "ChecksumMode": "ENABLED"}
        self._left -= 1
        raw = Breaking() if self._left >= 0 else io.BytesIO(self._content)
        return {"Body": StreamingBody(raw, len(self._content)), **self._answer}


def read(s3: Any, version: Version) -> bool:
    return reading.read(s3, "b", "k", version)


def test_a_content_is_held_against_the_etag_where_that_is_its_own() -> None:
    assert read(S3(), listed())
    assert not read(S3(), listed(etag='"d41d8cd98f00b204e9800998ecf8427e-2"')), "it came in parts"
    assert not read(S3(ServerSideEncryption="aws:kms"), listed(etag=f'"{"0" * 32}"')), "nor that of a key"


@pytest.mark.parametrize(
    ("version", "why"),
    [
        (listed(b"another" * 400_000), "its content has another checksum than is listed"),
        (listed(CONTENT + b"1"), "it has 2,800,000 bytes, and 2,800,001 are listed"),
        (listed(b"", etag='"0-2"'), "it has 2,800,000 bytes, and 0 are listed"),
    ],
)
def test_another_content_is_told(version: Version, why: str) -> None:
    with pytest.raises(reading.Damaged) as error:
        read(S3(), version)
    assert str(error.value) == why


def test_a_connection_that_breaks_is_no_damage_unless_it_always_does() -> None:
    assert read(S3(breaks=reading.TRIES - 1), listed())
    with pytest.raises(ResponseStreamingError):
        read(S3(breaks=reading.TRIES), listed())


@pytest.mark.embedded
def test_what_s3_itself_keeps_is_read_by_its_version(aws: Cloud) -> None:
    s3, bucket = aws.client("s3"), f"reading-{datetime.now(UTC):%H%M%S%f}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="é a.png", Body=CONTENT)
    s3.put_object(Bucket=bucket, Key="é a.png", Body=b"overwritten")
    s3.put_object(Bucket=bucket, Key="cold", Body=b"1", StorageClass="GLACIER")
    found = {(key, version.size): version for key, version, _ in Bucket(s3, bucket).versions()}
    assert reading.read(s3, bucket, "é a.png", found["é a.png", len(CONTENT)])
    with pytest.raises(ClientError, match="InvalidObjectState"):
        reading.read(s3, bucket, "cold", found["cold", 1])


@pytest.mark.embedded
def test_one_that_came_in_parts_is_held_against_the_checksum_that_s3_has_of_the_whole(aws: Cloud) -> None:
    s3, bucket = aws.client("s3"), f"reading-{datetime.now(UTC):%H%M%S%f}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="k", Body=CONTENT, ChecksumAlgorithm="SHA256")
    ((_, version, _),) = Bucket(s3, bucket).versions()
    in_parts = Version(version.made, version.id, '"0-2"', version.size)
    assert reading.read(s3, bucket, "k", in_parts)

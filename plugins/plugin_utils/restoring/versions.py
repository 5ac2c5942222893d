"""A bucket as it was at a time, out of the old versions that it keeps: nothing is taken away from it for that.

What is brought back comes as a new version on top of what is there, and what was not there then gets a delete marker.
So all that was there before stays in the bucket as old versions, for as long as it keeps those.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/RestoringPreviousVersions.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from boto3.s3.transfer import TransferConfig

AT_ONCE = 5 * 2**30
"""Bytes of an object that one call copies (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html)."""


@dataclass(frozen=True, order=True)
class Version:
    """A version of an object, or that it was deleted.

    Attributes:
        made: by the clock of S3, in whole seconds.
        id: of the version.
        etag: as S3 writes it; empty if it was deleted then.
        size: bytes.
    """

    made: datetime
    id: str = field(compare=False)
    etag: str = field(compare=False, default="")
    size: int = field(compare=False, default=0)

    @property
    def is_object(self) -> bool:
        """Whether there was something."""
        return bool(self.etag)

    def has_content_of(self, other: Version) -> bool:
        """Whether its content is the other's; not seen where a key encrypts it, as then each copy has its own ETag."""
        return self.id == other.id or (self.etag, self.size) == (other.etag, other.size)


@dataclass
class Difference:
    """How a bucket was, beside how it is.

    Attributes:
        same: how many objects are as they were.
        other: key → the version of then, of those that have another content now.
        lost: key → the version of then, of those that are not there now.
        new: keys of those that were not there then.
        then: key → the version of then, of all that were there.
    """

    same: int = 0
    other: dict[str, Version] = field(default_factory=dict)
    lost: dict[str, Version] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    then: dict[str, Version] = field(default_factory=dict)

    @property
    def back(self) -> dict[str, Version]:
        """Key → the version that is to be on top again."""
        return self.other | self.lost

    @property
    def is_none(self) -> bool:
        """Whether the bucket is as it was."""
        return not (self.other or self.lost or self.new)

    def told(self) -> str:
        """It in one sentence, without a full stop."""
        return (
            f"{self.same + len(self.back):,} objects were there: {self.same:,} are as they are now, "
            f"{len(self.other):,} have another content now, {len(self.lost):,} are not there now; "
            f"{len(self.new):,} of now are not among them"
        )


def beside(then: Mapping[str, Version], versions: Iterable[tuple[str, Version, bool]]) -> Difference:
    """How the objects of another bucket were, beside how those of this one are.

    Args:
        then: key → version of the other one, of all that were there.
        versions: of this one, as `Bucket.versions` gives them.
    """
    now = {key: version for key, version, is_latest in versions if is_latest and version.is_object}
    found = Difference(then=dict(then), new=sorted(now.keys() - then.keys()))
    for key, before in sorted(then.items()):
        if key not in now:
            found.lost[key] = before
        elif now[key].has_content_of(before):
            found.same += 1
        else:
            found.other[key] = before
    return found


def compare(versions: Iterable[tuple[str, Version, bool]], then: datetime) -> Difference:
    """How the objects were, beside how they are.

    Args:
        versions: key, version, and whether it is the one of now, those of one key as S3 lists them.
        then: the time; what was made in that very second counts as there.
    """
    was: dict[str, Version] = {}
    now: dict[str, Version] = {}
    for key, version, is_latest in versions:
        if is_latest:
            now[key] = version
        # Of two that were made in one second the one of now is the newer one, else the one that S3 lists first.
        if version.made <= then and (key not in was or version > was[key] or (is_latest and version >= was[key])):
            was[key] = version
    found = Difference(then={key: version for key, version in was.items() if version.is_object})
    for key in sorted(was.keys() | now.keys()):
        before, after = was.get(key), now.get(key)
        if before is None or not before.is_object:
            if after and after.is_object:
                found.new.append(key)
        elif after is None or not after.is_object:
            found.lost[key] = before
        elif after.has_content_of(before):
            found.same += 1
        else:
            found.other[key] = before
    return found


class Bucket:
    """A bucket that keeps old versions.

    Args:
        s3: boto3 client.
        name: of the bucket.
        path: the only key that is meant, or all below it; everything if empty.
        at_once: bytes of an object that are copied by one call.
    """

    def __init__(self, s3: Any, name: str, path: str = "", at_once: int = AT_ONCE) -> None:
        self._s3, self.name, self._path, self._at_once = s3, name, path, at_once

    def versions(self) -> Iterator[tuple[str, Version, bool]]:
        """Key, version, and whether it is the one of now, of all that are meant."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=self._path)
        for page in pages:
            for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                if self._is_meant(each["Key"]):
                    yield each["Key"], _version(each), bool(each["IsLatest"])

    def bring_back(self, key: str, version: Version, of: str = "") -> None:
        """Make a version the one of now, with its type, metadata and tags.

        Args:
            key: of the object.
            version: of it.
            of: the bucket that has it, if that is another one.

        Raises:
            ClientError: S3 does not, as it is archived for example.
        """
        source = {"Bucket": of or self.name, "Key": key, "VersionId": version.id}
        if version.size <= self._at_once:
            self._s3.copy_object(Bucket=self.name, Key=key, CopySource=source)
            return
        parts = TransferConfig(multipart_threshold=self._at_once, multipart_chunksize=min(self._at_once, 2**30))
        self._s3.copy(source, self.name, key, ExtraArgs={"TaggingDirective": "COPY"}, Config=parts)

    def put_away(self, key: str) -> None:
        """Delete an object of now, which leaves it there as an old version."""
        self._s3.delete_object(Bucket=self.name, Key=key)

    def now(self) -> datetime:
        """The clock of S3, by which its versions are made; that of this machine may be another."""
        answered = self._s3.head_bucket(Bucket=self.name)["ResponseMetadata"]["HTTPHeaders"]["date"]
        return parsedate_to_datetime(answered)

    def _is_meant(self, key: str) -> bool:
        return not self._path or key == self._path or key.startswith(f"{self._path}/")


def _version(listed: Mapping[str, Any]) -> Version:
    return Version(listed["LastModified"], listed["VersionId"], listed.get("ETag", ""), int(listed.get("Size") or 0))

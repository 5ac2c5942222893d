"""The static files of a release in their bucket: what is shown, and what a rollback shows again.

A file whose name stands for its content (its header says `immutable`) lies once, where it is asked for: new beside
old. Of every other, be it a page or `robots.txt`, each release has a copy of its own below `_releases/<release>/`, and
what is asked for is a copy of that. A release is called after what is in it, so the same files are never kept twice,
and another content is never called the same; `_releases/<release>.json` names all its files, and is written last.

Not a folder a release to which CloudFront is pointed: a distribution takes minutes to change, in which some of its
places show the one release and some the other; a page that was loaded before would not find its files any more; and a
container that reads the bucket, or a site without CloudFront, would have to be told. A copy within the bucket is all or
nothing for each file, and pages go last.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from plugins.plugin_utils.static_files import FOLDER, PAGES

LIVE = f"{FOLDER}live.json"
"""Says what is shown: `release`; `left`, which rollbacks have left; `kept`, once what is not has been told to go."""
DIGEST, SUPERSEDED = "berth-sha256", "berth-superseded"
"""Keys of an object's metadata."""
TAGGING = "berth%3Asuperseded=true"
"""The tag `berth:superseded` as a header has it; the lifecycle rule of cloudformation/static.yml looks for it."""
KEPT_HEADERS = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType")
FIXED = "immutable"
"""What the header of a file says whose name stands for its content."""
AT_ONCE = 16
"""Calls at the same time."""
GONE = ("404", "NoSuchKey")

Item = TypeVar("Item")
Found = TypeVar("Found")
Head = dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """A file of a release, as its manifest has it.

    Attributes:
        digest: SHA-256 of what is in it, as letters.
        content_type, cache_control: its headers.
    """

    digest: str
    content_type: str
    cache_control: str

    @property
    def fixed(self) -> bool:
        """Whether its name stands for its content."""
        return FIXED in self.cache_control

    def shown_by(self, head: Head | None) -> bool:
        """Whether an object is this file as it is to be."""
        if head is None or SUPERSEDED in head["Metadata"]:
            return False
        there = head["Metadata"].get(DIGEST), head.get("ContentType"), head.get("CacheControl")
        return there == (self.digest, self.content_type, self.cache_control)


Files = dict[str, Kept]
"""Key → file, of a release."""


def name_of(files: Mapping[str, Kept]) -> str:
    """What a release of these files is called."""
    told = sorted((key, each.digest, each.content_type, each.cache_control) for key, each in files.items())
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def folder_of(release: str) -> str:
    """Where the copies of a release lie."""
    return f"{FOLDER}{release}/"


def manifest_key(release: str) -> str:
    """Where its manifest lies."""
    return f"{FOLDER}{release}.json"


def pages_last(keys: Iterable[str]) -> tuple[list[str], list[str]]:
    """Keys of what pages need, and of pages: none is to be there before what it names."""
    found: tuple[list[str], list[str]] = [], []
    for key in keys:
        found[key.lower().endswith(PAGES)].append(key)
    return found


def missing(release: str, files: Mapping[str, Kept], there: Iterable[str]) -> list[str]:
    """Files of a release that a bucket has no longer, by their names alone.

    Args:
        release: its name.
        files: of its manifest.
        there: keys of the bucket.
    """
    known, folder = set(there), folder_of(release)
    return [key for key, each in files.items() if folder + key not in known and not (each.fixed and key in known)]


class Bucket:
    """A bucket with static files.

    Args:
        s3: boto3 client.
        name: of the bucket.
    """

    def __init__(self, s3: Any, name: str) -> None:
        self._s3, self.name = s3, name

    def keys(self, prefix: str = "") -> list[str]:
        """All of its keys that begin so."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def heads(self, keys: Iterable[str]) -> dict[str, Head]:
        """Key → HeadObject, of those that are there."""
        listed = list(keys)
        found = zip(listed, each_of(listed, self.head), strict=True)
        return {key: head for key, head in found if head is not None}

    def head(self, key: str) -> Head | None:
        """HeadObject; None if it has just gone, by the lifecycle rule for example."""
        try:
            found: Head = self._s3.head_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
            return None
        return found

    def live(self) -> dict[str, Any]:
        """What is shown; empty if nobody has said it yet."""
        return self._json(LIVE) or {}

    def show(self, release: str, left: list[str], kept: list[str] | None = None) -> None:
        """Say what is shown.

        Args:
            release: that is shown.
            left: those that a rollback has left.
            kept: those that stay; None where nobody has looked yet for what does not.
        """
        self._put_json(LIVE, {"release": release, "left": left} | ({} if kept is None else {"kept": kept}))

    def manifest(self, release: str) -> Files | None:
        """The files of a release; None if it is not whole, or has gone."""
        if not release or (found := self._json(manifest_key(release))) is None:
            return None
        return {key: Kept(*each) for key, each in found["files"].items()}

    def write_manifest(self, release: str, files: Files) -> None:
        """Say that a release is whole."""
        told = {key: [each.digest, each.content_type, each.cache_control] for key, each in sorted(files.items())}
        self._put_json(manifest_key(release), {"files": told})

    def put(self, key: str, file: Kept, content: Any) -> None:
        """Write a file."""
        self._s3.put_object(
            Bucket=self.name, Key=key, Body=content, ContentType=file.content_type, CacheControl=file.cache_control,
            Metadata={DIGEST: file.digest},
        )  # fmt: skip

    def copy(self, source: str, key: str, file: Kept) -> None:
        """Write a file that the bucket has elsewhere, or make what is superseded one that stays."""
        headers = {"ContentType": file.content_type, "CacheControl": file.cache_control}
        self._copy(source, key, {DIGEST: file.digest}, **headers)

    def supersede(self, key: str, head: Head) -> None:
        """Have the lifecycle rule take an object in some days.

        Written once more: a tag alone would leave its age, by which the rule would take it at once.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
        """
        self._copy(key, key, {**head["Metadata"], SUPERSEDED: "true"}, Tagging=TAGGING, **_headers(head))

    def keep(self, key: str, head: Head) -> None:
        """Have it stay after all."""
        metadata = {name: value for name, value in head["Metadata"].items() if name != SUPERSEDED}
        self._copy(key, key, metadata, **_headers(head))

    def _copy(self, source: str, key: str, metadata: Mapping[str, str], **more: str) -> None:
        self._s3.copy_object(
            Bucket=self.name, Key=key, CopySource={"Bucket": self.name, "Key": source}, MetadataDirective="REPLACE",
            Metadata=metadata, TaggingDirective="REPLACE", **more,
        )  # fmt: skip

    def _json(self, key: str) -> Any:
        try:
            return json.loads(self._s3.get_object(Bucket=self.name, Key=key)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
            return None

    def _put_json(self, key: str, value: Any) -> None:
        self._s3.put_object(
            Bucket=self.name, Key=key, Body=json.dumps(value).encode(), ContentType="application/json",
            CacheControl="no-cache",
        )  # fmt: skip


def _headers(head: Head) -> dict[str, str]:
    return {name: head[name] for name in KEPT_HEADERS if head.get(name)}


def shown(keys: Iterable[str]) -> Iterator[str]:
    """Of a bucket's keys those that are asked for."""
    return (key for key in keys if not key.startswith(FOLDER))


def kept_releases(keys: Iterable[str]) -> dict[str, list[str]]:
    """Release → the keys of its copies, and of its manifest, of those that a bucket has."""
    found: dict[str, list[str]] = {}
    for key in keys:
        if key.startswith(FOLDER) and key != LIVE:
            release = key.removeprefix(FOLDER).partition("/")[0].removesuffix(".json")
            found.setdefault(release, []).append(key)
    return found


def each_of(items: Iterable[Item], work: Callable[[Item], Found]) -> list[Found]:
    """What `work` says of each, some at once; the first failure ends it, and what has not begun is left."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(work, item) for item in items]
        try:
            return [each.result() for each in running]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise

"""Buckets: S3, or one that exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.site.kinds import Flag, Listed, Text, Whole
from plugins.plugin_utils.site.noun import STACK, Grant, Identity, Noun, nothing_else
from plugins.plugin_utils.site.patch import patch
from plugins.plugin_utils.site.place import Place
from plugins.plugin_utils.site.reference import Attribute, Output, Sub
from plugins.plugin_utils.site.schema import Key, Schema

SCHEMA = Schema(
    "a bucket",
    {
        "name": Key(Text("the name of a bucket that exists", "acme-uploads", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"), ""),
        "versioned": Key(Flag(), True),
        "expire_days": Key(Whole(1, 36500, "days")),
        "old_versions_days": Key(Whole(1, 36500, "days"), 90),
        "cors_origins": Key(
            Listed(Text("an origin", "https://www.acme.io", r"\*|https?://[^/\s]+"), "https://acme.io"), ()
        ),
        "patch": Key(patch, {}),
    },
    {
        "public": "nobody reads a bucket of Berth's but who has the right: uses: {bucket.<name>: [read]}. Take it out.",
        "acl": "nobody reads a bucket of Berth's but who has the right: uses: {bucket.<name>: [read]}. Take it out.",
        "versioning": "write versioned: true.",
        "lifecycle": "write expire_days: 90, or patch: {Bucket.LifecycleConfiguration: …}.",
        "bucket": "write name: the name of a bucket that exists.",
    },
)


@dataclass(frozen=True)
class Bucket:
    """A bucket.

    Attributes:
        entry: its name in the site.
        name: of a bucket that exists, which then has no stack; empty for one that Berth makes and AWS names.
        versioned: whether overwritten and deleted objects are kept for `old_versions_days`.
        expire_days: days after which an object goes; None for never.
        cors_origins: pages that may read and write from a browser.
    """

    entry: str
    name: str
    versioned: bool
    expire_days: int | None
    old_versions_days: int
    cors_origins: tuple[str, ...]
    patch: dict[str, Any] = field(default_factory=dict)


def check(entry: Bucket, given: Mapping[Any, Any], at: Place) -> None:
    """A bucket that exists is left as it is."""
    if entry.name:
        nothing_else(SCHEMA, given, at)


def _existing_arn(entry: Bucket) -> str:
    return f"arn:${{AWS::Partition}}:s3:::{entry.name}"


def attributes(entry: Bucket, identity: Identity) -> dict[str, Attribute]:
    """What a bucket can be asked for."""
    del identity
    if entry.name:
        return {"name": Attribute(entry.name, data=""), "arn": Attribute(Sub(_existing_arn(entry)), data="")}
    return {"name": Attribute(Output("BucketName"), data=""), "arn": Attribute(Output("BucketArn"), data="")}


NOUN = Noun(
    "bucket",
    "site_buckets",
    SCHEMA,
    Bucket,
    check,
    attributes,
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
    grants={
        "read": (
            Grant(("s3:ListBucket", "s3:GetBucketLocation")),
            Grant(("s3:GetObject", "s3:GetObjectVersion"), "/*"),
        ),
        "write": (
            Grant(("s3:ListBucketMultipartUploads",)),
            Grant(("s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"), "/*"),
        ),
    },
    arn=lambda entry: _existing_arn(entry) if entry.name else Output("BucketArn"),
    names=(STACK,),
)

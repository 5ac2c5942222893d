"""Photos in a bucket. They do not pass through here: addresses are signed, and the browser does the rest.

Signed with the keys of the task's role, which boto3 asks the ECS agent for: an address may do what the role may, with
one photo, for some minutes. https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
"""

from __future__ import annotations

import functools
import os
import re
import secrets
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

KINDS = {"image/jpeg": "jpg", "image/png": "png"}
NAME = re.compile(r"\d{8}T\d{6}-[0-9a-f]{16}\.(jpg|png)")
LARGEST = 8 * 2**20
"""Bytes of a photo; the bucket itself refuses more."""
SECONDS = 600
"""For which an address holds. boto3 has keys renewed that have less than ten minutes to go, so they hold as long."""
BEGIN = 2**16
"""Bytes in which a photo says how large it is."""


class PhotoError(ValueError):
    """What was asked for cannot be; the message is for the visitor.

    Attributes:
        status: of the answer.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@functools.cache
def client(endpoint: str = "") -> Any:
    """A client for S3, at AWS's own address if `endpoint` is empty.

    Made at the first request: connections do not outlive gunicorn's fork.
    """
    # With "virtual" a form leads to the bucket's own region; else to s3.amazonaws.com, which leads on to a new bucket
    # of another region (307), and no page may follow. At an address that is a number the bucket stays in the path.
    config = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    return boto3.client("s3", endpoint_url=endpoint or None, config=config)


def for_browsers() -> Any:
    """A client that signs addresses. The host is signed too, so it must be that by which a browser reaches S3.

    It is another one than the container's where BROWSER_ENDPOINT_URL_S3 says so. boto3's own AWS_ENDPOINT_URL_S3 would
    change both.
    """
    return client(os.environ.get("BROWSER_ENDPOINT_URL_S3", ""))


def bucket() -> str:
    """The bucket's name."""
    return os.environ["PHOTOS"]


def upload(visitor: str, kind: str) -> dict[str, Any]:
    """A place for a photo: its name, and the form by which a browser puts it there.

    A form (POST), not a PUT, as its policy holds the bucket to type and size:
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html

    Args:
        visitor: whose it will be.
        kind: its media type.

    Raises:
        PhotoError: it is none of a photo.
    """
    if kind not in KINDS:
        raise PhotoError(f"A photo is one of {', '.join(sorted(KINDS))}.", 400)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(8)}.{KINDS[kind]}"
    form = for_browsers().generate_presigned_post(
        bucket(), f"{visitor}/{name}", Fields={"Content-Type": kind},
        Conditions=[{"Content-Type": kind}, ["content-length-range", 1, LARGEST]], ExpiresIn=SECONDS,
    )  # fmt: skip
    return {"name": name, "url": form["url"], "fields": form["fields"]}


def newest(visitor: str, count: int = 20) -> list[dict[str, Any]]:
    """The newest photos of a visitor, newest first, each with an address at which its bytes are."""
    pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket(), Prefix=f"{visitor}/")
    found = sorted((each for page in pages for each in page.get("Contents", ())), key=lambda each: each["Key"])
    return [
        {
            "name": each["Key"].partition("/")[2],
            "bytes": each["Size"],
            "at": each["LastModified"].isoformat(timespec="seconds"),
            "url": for_browsers().generate_presigned_url(
                "get_object", Params={"Bucket": bucket(), "Key": each["Key"]}, ExpiresIn=SECONDS
            ),
        }
        for each in reversed(found[-count:])
    ]


def begin(visitor: str, name: str) -> bytes:
    """The first bytes of a photo.

    Raises:
        PhotoError: the visitor has none of that name.
    """
    try:
        found = client().get_object(Bucket=bucket(), Key=key(visitor, name), Range=f"bytes=0-{BEGIN - 1}")
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            raise missing() from error
        raise
    read: bytes = found["Body"].read()
    return read


def delete(visitor: str, name: str) -> None:
    """Delete a photo; one that is not there is no error.

    Raises:
        PhotoError: no photo can be called so.
    """
    client().delete_object(Bucket=bucket(), Key=key(visitor, name))


def key(visitor: str, name: str) -> str:
    """Where a photo lies in the bucket.

    Raises:
        PhotoError: no photo can be called so.
    """
    if not NAME.fullmatch(name):
        raise missing()
    return f"{visitor}/{name}"


def missing() -> PhotoError:
    """There is no such photo, or it is somebody else's."""
    return PhotoError("You have no such photo.", 404)

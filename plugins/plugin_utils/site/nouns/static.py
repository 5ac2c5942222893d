"""Static files: a folder of built files, or one inside an image, in a bucket of its own, new beside old."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.site.container_kinds import image
from plugins.plugin_utils.site.kinds import Pairs, Text, Whole, absolute
from plugins.plugin_utils.site.noun import STACK, AwsName, Grant, Identity, Noun
from plugins.plugin_utils.site.patch import patch
from plugins.plugin_utils.site.place import Place
from plugins.plugin_utils.site.reference import Attribute, Output
from plugins.plugin_utils.site.schema import Key, Schema

NAMED = "CloudFormation names the bucket: static.<entry>.bucket. One that exists is an entry of site_buckets."
CLOSED = "nobody reads the files but who has the right: uses: {static.<entry>: [read]}. Take it out."
BUCKET = AwsName("bucket", "{prefix}-{noun}-{entry}-files-000000000000", 63)
"""CloudFormation makes the name up, and would cut it: then operators, whose rights know the bucket by it, had none.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

FOLDER = (
    "Name the folder with the built files, beside the inventory or in the project: folder: front/dist. Or one inside "
    "an image that the site runs: image: shop/front, path: /usr/share/nginx/html."
)


def folder_within(value: Any, at: Place) -> str | None:
    """A folder in an image, from its root, each step a name."""
    found = absolute(value, at)
    if found is None:
        return None
    steps = [step for step in found.split("/") if step not in ("", ".")]
    if steps and ".." not in steps:
        return f"/{'/'.join(steps)}"
    why = "has .. in it" if steps else "would be the whole image"
    at.wrong(f"is {found}, which {why}. Write the folder's path from the root: /usr/share/nginx/html.")
    return None


SCHEMA = Schema(
    "an entry of static files",
    {
        "folder": Key(Text("a folder beside the inventory or in the project", "front/dist"), ""),
        "image": Key(image, ""),
        "path": Key(folder_within, ""),
        "cache_control": Key(
            Pairs(Text("a Cache-Control header", "public, max-age=3600", r"[ -~]{1,200}"), '"*.pdf": max-age=3600'), {}
        ),
        "keep_days": Key(Whole(1, 36500, "days"), 30),
        "patch": Key(patch, {}),
    },
    {
        "source": "write folder: front/dist.",
        "build": "Berth builds nothing. Build the files beforehand, and write folder: where they come to lie.",
        "name": NAMED,
        "bucket": NAMED,
        "public": CLOSED,
        "acl": CLOSED,
        "expire_days": "write keep_days: 30. What the folder has stays.",
        "delete": "a file that the folder has no longer is kept for keep_days, and goes then. Take it out.",
        "headers": 'write cache_control: {"*.pdf": max-age=3600}. A type follows from the name.',
    },
)


@dataclass(frozen=True)
class Static:
    """A folder of built files.

    Attributes:
        entry: its name in the site.
        folder: as written; empty if they lie in an image.
        image: that has them, as the site's containers call it; empty if they lie in a folder.
        path: of the folder in the image, from its root.
        cache_control: pattern of a file's path → its header Cache-Control; the first that fits holds. What none fits
            has the header that plugin_utils/static_files.py gives it.
        keep_days: days for which a file is kept that the folder has no longer.
        patch: see patch.py.
    """

    entry: str
    folder: str
    image: str
    path: str
    cache_control: dict[str, str]
    keep_days: int
    patch: dict[str, Any] = field(default_factory=dict)


def check(entry: Static, given: Mapping[Any, Any], at: Place) -> None:
    """Complain unless the files lie in one place: a folder, or an image and a path in it."""
    del entry
    within = [key for key in ("image", "path") if key in given]
    if "folder" in given:
        for key in within[:1]:
            (at / key).wrong("stands beside folder: files are taken from one place. Keep folder, or image and path.")
    elif not within:
        at.wrong(f"has no folder. {FOLDER}")
    elif "path" not in given:
        at.wrong("has an image and no path. Name the folder in it: path: /usr/share/nginx/html.")
    elif "image" not in given:
        at.wrong(
            "has a path and no image. Name the image that has it: image: shop/front. Else write folder: front/dist."
        )


def attributes(entry: Static, identity: Identity) -> dict[str, Attribute]:
    """What an entry can be asked for. It leads to no data: what is in the bucket is built."""
    del entry, identity
    return {"bucket": Attribute(Output("BucketName")), "arn": Attribute(Output("BucketArn"))}


NOUN = Noun(
    "static",
    "site_static",
    SCHEMA,
    Static,
    check,
    attributes,
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
    grants={"read": (Grant(("s3:ListBucket", "s3:GetBucketLocation")), Grant(("s3:GetObject",), "/*"))},
    arn=lambda _: Output("BucketArn"),
    names=(STACK, BUCKET),
)

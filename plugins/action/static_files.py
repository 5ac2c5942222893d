"""Put the files of a folder, or of one inside an image, into a bucket, new beside old."""

from __future__ import annotations

import concurrent.futures
import contextlib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.static_files import DOCUMENTATION
from plugins.plugin_utils import image_folder, static_files
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.static_files import File

DIGEST, SUPERSEDED = "berth-sha256", "berth-superseded"
"""Keys of an object's metadata."""
TAGGING = "berth%3Asuperseded=true"
"""The tag `berth:superseded` as a header has it; the lifecycle rule of cloudformation/static.yml looks for it."""
KEPT_HEADERS = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType")
AT_ONCE = 16
"""Calls at the same time."""

Item = TypeVar("Item")
Found = TypeVar("Found")


class ActionModule(AwsAction):
    """See plugins/modules/static_files.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Upload what is missing or other, then tag what has gone.

        Raises:
            Failed: the folder cannot be read, or there is nothing in it; or its image is not here, and neither is
                anything in the bucket.
        """
        self.s3, self.bucket = self.client("s3"), self.arguments["bucket"]
        if not self.arguments["image"]:
            return self._upload(Path(self.arguments["folder"]), self.arguments["folder"])
        image, path = self.arguments["image"], self.arguments["path"]
        runs, what = self.arguments["runs"] or image, f"{path} of the image {image}"
        with contextlib.ExitStack() as meanwhile:
            try:
                folder = meanwhile.enter_context(image_folder.taken(image, runs, path))
            except image_folder.NotHere as absent:
                return self._leave(str(absent), what, image, runs)
            except (ValueError, OSError) as error:
                raise Failed(f"The files in {what} cannot be uploaded: {error}.") from None
            return self._upload(folder, what)

    def _leave(self, because: str, what: str, image: str, runs: str) -> dict[str, Any]:
        """What comes of an image that is not here: what is live stays, unless nothing is there yet."""
        if not self.check_mode:
            # one page: whether there is any
            if not self.s3.list_objects_v2(Bucket=self.bucket, MaxKeys=1).get("Contents"):
                local = "" if runs == image else f", or {verb('site.yml')} -e publish_select=local to release another"
                raise Failed(
                    f"There is nothing in the bucket {self.bucket} yet, and {what} cannot be taken. {because} "
                    f"Type docker pull {runs} and the same command again{local}."
                )
            self.say("static", f"{because} What is in {self.bucket} stays.", "yellow")
        return {"changed": False, "uploaded": [], "superseded": [], "diff": []}

    def _upload(self, folder: Path, what: str) -> dict[str, Any]:
        """Upload a folder; `what` is what a person calls it."""
        try:
            files = static_files.read(folder, self.arguments["cache_control"])
            digests = dict(zip((each.key for each in files), _each(files, File.digest), strict=True))
        except (ValueError, OSError) as error:
            raise Failed(f"The files in {what} cannot be uploaded: {error}.") from None
        if not files:
            # An empty bucket is never what is meant: more likely the build has failed, or not begun.
            raise Failed(f"There is no file in {what}. Build the files first.")
        there = self._there()
        wanted = [each for each in files if not _is(each, digests[each.key], there.get(each.key))]
        first, pages = ([each for each in wanted if each.is_page is page] for page in (False, True))
        known = {each.key for each in files}
        gone = [key for key, head in there.items() if key not in known and SUPERSEDED not in head["Metadata"]]
        if not self.check_mode:
            for what, part in (("files", first), ("pages", pages)):
                self._tell(f"{len(part)} {what}", part)
                _each(part, lambda each: self._put(each, digests[each.key]))
            self._tell(f"{len(gone)} of before to be kept for a while", gone)
            _each(gone, lambda key: self._supersede(key, there[key]))
        rows = [
            f"{'~' if each.key in there else '+'} {each.key} ({each.content_type}, {each.cache_control})"
            for each in [*first, *pages]
        ]
        rows += [f"= {key} is superseded, and goes in some days" for key in gone]
        return {
            "changed": bool(rows),
            "uploaded": [each.key for each in [*first, *pages]],
            "superseded": gone,
            "diff": [{"prepared": "\n".join(rows) + "\n"}] if rows else [],
        }

    def _tell(self, text: str, what: Iterable[Any]) -> None:
        if what:
            self.say("static", f"{text} → {self.bucket}")

    def _there(self) -> dict[str, dict[str, Any]]:
        """Key → HeadObject of what the bucket has."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        heads = zip(keys, _each(keys, self._head), strict=True)
        return {key: head for key, head in heads if head is not None}

    def _head(self, key: str) -> dict[str, Any] | None:
        """HeadObject; None if it has just gone, by the lifecycle rule for example."""
        try:
            found: dict[str, Any] = self.s3.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] != "404":
                raise
            return None
        return found

    def _put(self, file: File, digest: str) -> None:
        with file.path.open("rb") as content:
            self.s3.put_object(
                Bucket=self.bucket,
                Key=file.key,
                Body=content,
                ContentType=file.content_type,
                CacheControl=file.cache_control,
                Metadata={DIGEST: digest},
            )

    def _supersede(self, key: str, head: dict[str, Any]) -> None:
        # Written once more: a tag alone would leave its age, by which the lifecycle rule would delete it at once.
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
        self.s3.copy_object(
            Bucket=self.bucket,
            Key=key,
            CopySource={"Bucket": self.bucket, "Key": key},
            MetadataDirective="REPLACE",
            Metadata={**head["Metadata"], SUPERSEDED: "true"},
            TaggingDirective="REPLACE",
            Tagging=TAGGING,
            **{name: head[name] for name in KEPT_HEADERS if head.get(name)},
        )


def _is(file: File, digest: str, head: dict[str, Any] | None) -> bool:
    """Whether an object is a file as it is to be."""
    if head is None or SUPERSEDED in head["Metadata"]:
        return False
    there = head["Metadata"].get(DIGEST), head.get("ContentType"), head.get("CacheControl")
    return there == (digest, file.content_type, file.cache_control)


def _each(items: Iterable[Item], work: Callable[[Item], Found]) -> list[Found]:
    """What `work` says of each, some at once; the first failure ends it, and what has not begun is left."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(work, item) for item in items]
        try:
            return [each.result() for each in running]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise

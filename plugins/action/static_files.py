"""Put the files of a folder, or of one inside an image, into a bucket, new beside old."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.static_files import DOCUMENTATION
from plugins.plugin_utils import image_folder, static_files, static_release
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.static_files import File
from plugins.plugin_utils.static_release import DIGEST, LIVE, Bucket, Files, Head, Kept, each_of


class ActionModule(AwsAction):
    """See plugins/modules/static_files.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Upload what is missing, and show of it what replaces nothing.

        Raises:
            Failed: the folder cannot be read, or there is nothing in it; or its image is not here, and neither is
                anything in the bucket.
        """
        self.bucket = Bucket(self.client("s3"), self.arguments["bucket"])
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
        if self.check_mode:
            return self._stays({})
        if not self.bucket.keys():
            local = "" if runs == image else f", or {verb('site.yml')} -e publish_select=local to release another"
            raise Failed(
                f"There is nothing in the bucket {self.bucket.name} yet, and {what} cannot be taken. {because} "
                f"Type docker pull {runs} and the same command again{local}."
            )
        self.say("static", f"{because} What is in {self.bucket.name} stays.", "yellow")
        return self._stays(self.bucket.live())

    def _stays(self, live: dict[str, Any]) -> dict[str, Any]:
        release = str(live.get("release") or "")
        waits = bool(release) and "kept" not in live
        return {"changed": False, "release": release, "waits": waits, "uploaded": [], "diff": []}

    def _upload(self, folder: Path, what: str) -> dict[str, Any]:
        """Upload a folder; `what` is what a person calls it."""
        try:
            read = static_files.read(folder, self.arguments["cache_control"])
            digests = each_of(read, File.digest)
        except (ValueError, OSError) as error:
            raise Failed(f"The files in {what} cannot be uploaded: {error}.") from None
        if not read:
            # An empty bucket is never what is meant: more likely the build has failed, or not begun.
            raise Failed(f"There is no file in {what}. Build the files first.")
        paths = {each.key: each.path for each in read}
        files = {
            each.key: Kept(digest, each.content_type, each.cache_control)
            for each, digest in zip(read, digests, strict=True)
        }
        release = static_release.name_of(files)
        keys = self.bucket.keys()
        live = self.bucket.live() if LIVE in keys else {}
        if release in live.get("left", []) and not self.arguments["left_too"]:
            left = f"{what} has the files that a rollback has left"
            again = f"to release them again: {verb('release.yml')}"
            self.say("static", f"{left}. What is in {self.bucket.name} stays; {again}", "yellow")
            return self._stays(live)
        return self._bring(release, files, paths, keys, live)

    def _bring(
        self, release: str, files: Files, paths: dict[str, Path], keys: list[str], live: dict[str, Any]
    ) -> dict[str, Any]:
        folder, manifest = static_release.folder_of(release), static_release.manifest_key(release)
        there = self.bucket.heads(key for key in keys if key.startswith(folder) or key in (manifest, *files))
        # What would replace something waits until the release is proven, be its name one of its content or not.
        fixed = [key for key, each in files.items() if each.fixed and not _other(each, there.get(key))]
        copies = [key for key in files if key not in fixed]
        put = [key for key in fixed if not files[key].shown_by(there.get(key))]
        wanted = [key for key in copies if not files[key].shown_by(there.get(folder + key))]
        same = [key for key in wanted if files[key].shown_by(there.get(key))]
        kept = [key for key in wanted if key not in same]
        new = [key for key in copies if key not in there or _superseded(there[key])]
        replaced = [key for key in copies if key not in new and not files[key].shown_by(there[key])]
        whole = manifest in there and not _superseded(there[manifest])
        waits = live.get("release") != release or "kept" not in live or bool(replaced)
        if not self.check_mode:
            self._tell(f"{len(put)} files", put)
            each_of(put, lambda key: self._put(key, key, files, paths))
            self._tell(f"{len(kept)} pages and other files of the release {release}", kept)
            each_of(kept, lambda key: self._put(folder + key, key, files, paths))
            each_of(same, lambda key: self.bucket.copy(key, folder + key, files[key]))
            if not whole:
                self.bucket.write_manifest(release, files)
            for part in static_release.pages_last(new):
                self._tell(f"{len(part)} of them that replace nothing", part)
                each_of(part, lambda key: self.bucket.copy(folder + key, key, files[key]))
        first, pages = static_release.pages_last(key for key in files if key in {*put, *new, *replaced})
        rows = [
            f"{'~' if key in there else '+'} {key} ({files[key].content_type}, {files[key].cache_control})"
            for key in [*first, *pages]
        ]
        uploaded = {*put, *kept, *new}
        return {
            "changed": bool(put or wanted or new) or not whole or (self.check_mode and waits),
            "release": release,
            "waits": waits,
            "uploaded": [key for key in [*first, *pages] if key in uploaded],
            "diff": [{"prepared": "\n".join(rows) + "\n"}] if rows else [],
        }

    def _tell(self, text: str, what: Iterable[Any]) -> None:
        if what:
            self.say("static", f"{text} → {self.bucket.name}")

    def _put(self, at: str, key: str, files: Files, paths: dict[str, Path]) -> None:
        with paths[key].open("rb") as content:
            self.bucket.put(at, files[key], content)


def _superseded(head: Head) -> bool:
    return static_release.SUPERSEDED in head["Metadata"]


def _other(file: Kept, head: Head | None) -> bool:
    """Whether an object of a file's name has another content than that, against what its name says."""
    return head is not None and not _superseded(head) and head["Metadata"].get(DIGEST) != file.digest

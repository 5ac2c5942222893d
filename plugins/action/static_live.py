"""Show the static files of a release that the bucket has."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.static_live import DOCUMENTATION
from plugins.plugin_utils import static_release
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.static_release import DIGEST, Bucket, Files, Head, Kept, each_of

MOST_SHOWN = 3


class ActionModule(AwsAction):
    """See plugins/modules/static_live.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Copy what is shown otherwise, pages last.

        Raises:
            Failed: the bucket has not all files of the release; nothing was changed.
        """
        self.bucket = Bucket(self.client("s3"), self.arguments["bucket"])
        self.release = str(self.arguments["release"])
        if (files := self.bucket.manifest(self.release)) is None:
            self._refuse("it has no list of them")
        keys = set(self.bucket.keys())
        there = self.bucket.heads(key for key in files if key in keys)
        sources = {key: self._source(key, file, there.get(key), keys) for key, file in files.items()}
        if lost := [key for key, source in sources.items() if source is None]:
            more = f" and {len(lost) - MOST_SHOWN} more" if len(lost) > MOST_SHOWN else ""
            self._refuse(f"it has no {', '.join(lost[:MOST_SHOWN])}{more}")
        copies = {key: source for key, source in sources.items() if source}
        live = self.bucket.live()
        before = str(live.get("release") or "")
        first, pages = static_release.pages_last(copies)
        if not self.check_mode:
            self._preserve(before, copies, files, there, keys)
            for what, part in (("files", first), ("pages", pages)):
                if part:
                    self.say("static", f"{len(part)} {what} of the release {self.release} → {self.bucket.name}")
                each_of(part, lambda key: self.bucket.copy(copies[key], key, files[key]))
            if before != self.release:
                left = [each for each in live.get("left", []) if each != self.release]
                self.bucket.show(self.release, left + [before] * bool(before and self.arguments["back"]))
        rows = [f"~ {key}" for key in [*first, *pages]]
        replaced = [key for key in [*first, *pages] if key in there and _digest(there[key]) != files[key].digest]
        return {
            "changed": bool(copies) or before != self.release,
            "shown": [*first, *pages],
            "replaced": replaced,
            "diff": [{"prepared": "\n".join(rows) + "\n"}] if rows else [],
        }

    def _source(self, key: str, file: Kept, head: Head | None, keys: set[str]) -> str | None:
        """From where a file is copied: empty if it is shown already; None if it is nowhere."""
        if file.shown_by(head):
            return ""
        if (copy := static_release.folder_of(self.release) + key) in keys:
            return copy
        # The content is there, and only its header or its mark are others.
        return key if head is not None and _digest(head) == file.digest else None

    def _preserve(
        self, before: str, copies: Mapping[str, str], files: Files, there: Mapping[str, Head], keys: set[str]
    ) -> None:
        """Keep what the release before shows under a name that was to stand for its content, and does not."""
        old, folder = self.bucket.manifest(before) or {}, static_release.folder_of(before)
        lost = [
            key
            for key in copies
            if key in there and key in old and folder + key not in keys
            and _digest(there[key]) == old[key].digest != files[key].digest
        ]  # fmt: skip
        each_of(lost, lambda key: self.bucket.copy(key, folder + key, old[key]))

    def _refuse(self, what: str) -> NoReturn:
        raise Failed(
            f"The static files of the release {self.release} are not all in the bucket {self.bucket.name}: {what}. "
            f"Nothing was changed. Build them and release them again: {verb('release.yml')}, or go back to another "
            f"release; {verb('releases.yml')} says whose files are there."
        )


def _digest(head: Head) -> str:
    return str(head["Metadata"].get(DIGEST, ""))

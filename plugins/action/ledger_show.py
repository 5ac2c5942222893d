"""Show the ledger of an environment."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ledger_show import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.ecs import chunks
from plugins.plugin_utils.ledger import Entry, Ledger
from plugins.plugin_utils.ledger_table import Image, images_of, lines, live_run, static_there, there, told_once
from plugins.plugin_utils.places import nearest, verb
from plugins.plugin_utils.rollback import completed
from plugins.plugin_utils.static_release import Bucket
from plugins.plugin_utils.static_release import missing as missing_files

FORMATS = ("table", "json")
MOST_LINES = 10_000
ASKED = 100
"""Images that one call may ask for (BatchGetImage)."""
GONE = ("ImageNotFound",)


class ActionModule(AwsAction):
    """See plugins/modules/ledger_show.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Read the ledger, ask the registry, and show it."""
        most = self._lines()
        if (form := self.arguments["format"]) not in FORMATS:
            meant = nearest(form, FORMATS)
            raise Failed(f"format is {form!r}; write {' or '.join(FORMATS)}: {verb('releases.yml')} -e format={meant}")
        prefix = str(self.arguments["prefix"])
        ledger = Ledger.find(self.client, prefix, self.arguments["bucket"])
        entries = self._entries(ledger, most) if ledger else []
        if form == "json":
            Display().display(json.dumps(entries, indent=1))
        elif entries:
            for line, colour in lines(entries):
                Display().display(line, color=colour)
        else:
            what = "nothing was released yet" if ledger else "there is no ledger yet"
            Display().display(f"{prefix}: {what}. Type: {verb('site.yml')}", color="yellow")
        return {"changed": False, "entries": entries}

    def _entries(self, ledger: Ledger, most: int) -> list[Entry]:
        if self.arguments["all"]:
            found = ledger.entries(most)
        else:
            # All of them: what is left out of the newest is known only with those before.
            found = told_once(completed(ledger.entries(None, lambda entry: bool(entry.get("release")))))[:most]
        live = live_run(found, self.arguments["live"])
        lost = self._lost(found)
        missing, unasked = self._missing(uri for entry in found for uri in images_of(entry))
        return [
            {
                **entry,
                "live": entry["run"] == live,
                "images_there": there(entry, missing, unasked),
                "static_there": static_there(entry, lost),
            }
            for entry in found
        ]

    def _lost(self, entries: Iterable[Entry]) -> set[tuple[str, str]]:
        """Bucket and release of the static files that are not whole any more."""
        shown = [each for entry in entries for each in (entry.get("static") or {}).values()]
        named = {(each["bucket"], each["release"]) for each in shown}
        lost = set[tuple[str, str]]()
        for name in {bucket for bucket, _ in named}:
            bucket = Bucket(self.client("s3"), name)
            releases = [release for its, release in named if its == name]
            try:
                keys = bucket.keys()
                files = {release: bucket.manifest(release) for release in releases}
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchBucket":
                    raise
                keys, files = [], dict.fromkeys(releases)
            lost |= {(name, each) for each, its in files.items() if its is None or missing_files(each, its, keys)}
        return lost

    def _missing(self, uris: Iterable[str]) -> tuple[set[str], set[str]]:
        """Which images the site's registry has no more, and which are not of it."""
        wanted: dict[str, dict[str, Image]] = {}
        missing, unasked = set[str](), set[str]()
        for uri in uris:
            if image := Image.of(uri, self.arguments["prefix"]):
                wanted.setdefault(image.repository, {})[uri] = image
            else:
                unasked.add(uri)
        for repository, images in wanted.items():
            for part in chunks(list(images), ASKED):
                try:
                    answer = self.client("ecr").batch_get_image(
                        repositoryName=repository, imageIds=[images[uri].identifier for uri in part]
                    )
                except ClientError as error:
                    if error.response["Error"]["Code"] != "RepositoryNotFoundException":
                        raise
                    missing |= set(part)
                    continue
                gone = [each["imageId"] for each in answer.get("failures", []) if each.get("failureCode") in GONE]
                missing |= {uri for uri in part if images[uri].identifier in gone}
        return missing, unasked

    def _lines(self) -> int:
        typed = self.arguments["lines"]
        if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= MOST_LINES:
            return int(typed)
        raise Failed(f"lines is {typed!r}; write a number from 1 to {MOST_LINES}: {verb('releases.yml')} -e lines=100")

"""Make a bucket what it was at the time of a backup, or what it was before that."""

from __future__ import annotations

import concurrent.futures
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.bucket_restore import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait, reason
from plugins.plugin_utils.backups.point import Points, is_of_other
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.restoring.attempts import BACK, BEGUN, BESIDE, SWITCHED, Attempts
from plugins.plugin_utils.restoring.versions import Bucket, Difference, beside, compare

HAD = "had"
AT_A_TIME = 10
"""Objects: as many connections as a client keeps open."""
SAID_EVERY = 10.0
"""Seconds between two lines of progress."""
SECOND_MOST = 60
"""Seconds to wait for the next one of S3's clock."""


class ActionModule(AwsAction):
    """See plugins/modules/bucket_restore.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION
    _of = ""  # another environment's bucket, out of which objects are copied

    def perform(self) -> dict[str, Any]:
        """Compare, and with the word bring back.

        Raises:
            Failed: there is no ledger; the backup is of another bucket; S3 does not bring an object back.
        """
        given = self.arguments
        ledger = Ledger.find(self.client, str(given["prefix"]), given["bucket"])
        if ledger is None:
            raise Failed(
                f"{given['prefix']} has no ledger, in which backups are written down. Type: {verb('site.yml')}"
            )
        self._attempts = Attempts(Points(self.client("s3"), ledger))
        self._entry, self._name, self._path = given["entry"], given["name"], given["path"]
        return self._go_back() if given["back"] else self._restore()

    def _restore(self) -> dict[str, Any]:
        given, part = self.arguments, self.arguments["part"]
        self._of = str(part["of"]) if is_of_other(self._name) else ""
        if not self._of:
            self._check_is_the_site_s(part)
        self._key = f"bucket.{self._entry} {self._path}".strip()
        found = self._attempts.read(self._name, self._key)
        if found.get("state") == SWITCHED and given["confirm"] and not given["overwrite"]:
            return self._told(False, HAD)
        bucket = Bucket(self.client("s3"), given["of"], self._path)
        difference = self._compare(bucket, datetime.fromisoformat(part["made"]))
        if not given["confirm"] or self.check_mode:
            return self._told(given["confirm"] and not difference.is_none, BESIDE, difference)
        if found.get("state") != BEGUN:
            before = bucket.now()
            self._attempts.new(self._name, self._key, before.isoformat())
            wait = Wait(SECOND_MOST, self.say, self._entry)
            while bucket.now() <= before:  # whole seconds: what comes now is to be later than what there was
                if not wait.pause("the next second of S3's clock"):
                    raise Failed(f"The clock of S3 stands still at {before:%H:%M:%S}. Type the same command again.")
        self._make(bucket, difference, SWITCHED)
        return self._told(not difference.is_none, SWITCHED, difference)

    def _check_is_the_site_s(self, part: Mapping[str, Any]) -> None:
        of = self.arguments["of"]
        if part["of"] != of:
            raise Failed(
                f"The backup {self._name} is of the bucket {part['of']}, and {self._entry} is {of or 'not there'} now. "
                f"Nothing was changed. If that one is meant, write name: {part['of']} into site_buckets, and type: "
                f"{verb('site.yml')}"
            )

    def _go_back(self) -> dict[str, Any]:
        given = self.arguments
        found = self._attempts.last_switched(f"bucket.{self._entry}")
        if found is None:
            return self._told(False, HAD)
        self._name, self._key = found
        self._path = self._key.partition(" ")[2]
        before = datetime.fromisoformat(str(self._attempts.read(self._name, self._key)["before"]))
        if datetime.now(UTC) - before > timedelta(days=given["days"]):
            raise Failed(
                f"What the bucket {self._entry} had before the restore of {before:%Y-%m-%d} is gone: old versions are "
                f"kept for {given['days']} days (old_versions_days). Nothing was changed."
            )
        bucket = Bucket(self.client("s3"), given["of"], self._path)
        difference = self._compare(bucket, before)
        if not given["confirm"] or self.check_mode:
            return self._told(not difference.is_none, BESIDE, difference)
        self._make(bucket, difference, BACK)
        return self._told(not difference.is_none, BACK, difference)

    def _compare(self, bucket: Bucket, then: datetime) -> Difference:
        try:
            if self._of:
                was = compare(Bucket(self.client("s3"), self._of, self._path).versions(), then).then
                found = beside(was, bucket.versions())
            else:
                found = compare(bucket.versions(), then)
        except ClientError as error:
            raise Failed(
                f"The versions of the bucket {self._of or bucket.name} cannot be listed: "
                f"{reason(error).rstrip('.')}. Nothing was changed. Has whoever types this the policy data of "
                "docs/security.md?"
            ) from None
        self.say(self._entry, f"at {then.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC {found.told()}")
        return found

    def _make(self, bucket: Bucket, difference: Difference, state: str) -> None:
        """Bring back what was there, then delete what was not: in between nothing is missing that is in both."""
        self._all(
            "brought back",
            {key: partial(bucket.bring_back, key, was, self._of) for key, was in difference.back.items()},
        )
        self._all("put away", {key: partial(bucket.put_away, key) for key in difference.new})
        self._attempts.note(self._name, self._key, {"state": state})

    def _all(self, word: str, jobs: dict[str, Callable[[], None]]) -> None:
        if not jobs:
            return
        said = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            running = {pool.submit(job): key for key, job in jobs.items()}
            for number, done in enumerate(concurrent.futures.as_completed(running), start=1):
                if error := done.exception():
                    pool.shutdown(wait=True, cancel_futures=True)
                    if not isinstance(error, ClientError):
                        raise error
                    raise Failed(
                        f"S3 does not let {running[done]} of the bucket {self._entry} be {word}: "
                        f"{reason(error).rstrip('.')}. What was done until then stays so; the same command goes on "
                        "with the rest."
                    )
                if time.monotonic() - said > SAID_EVERY:
                    said = time.monotonic()
                    self.say(self._entry, f"{number:,} of {len(jobs):,} objects {word}")
        self.say(self._entry, f"{len(jobs):,} objects {word}", "yellow")

    def _told(self, changed: bool, state: str, difference: Difference | None = None) -> dict[str, Any]:
        found = difference or Difference()
        return {
            "changed": changed,
            "state": state,
            "back": len(found.back),
            "away": len(found.new),
            "path": self._path,
        }

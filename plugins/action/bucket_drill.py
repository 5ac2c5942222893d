"""See that a bucket can be had as it was at the time of a backup: each object of then is read."""

from __future__ import annotations

import concurrent.futures
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.action import bucket_restore
from plugins.modules.bucket_drill import DOCUMENTATION
from plugins.plugin_utils.aws_action import Failed, reason
from plugins.plugin_utils.importing.amounts import amount
from plugins.plugin_utils.restoring.reading import Damaged, read
from plugins.plugin_utils.restoring.versions import Bucket, Version

LISTED = 5
"""How many objects a message names."""
ENOUGH = 100
"""Objects that cannot be had, after which no other is asked for: whoever may read none would read on for hours."""


class ActionModule(bucket_restore.ActionModule):
    """See plugins/modules/bucket_drill.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Find the versions of then, and read each.

        Raises:
            Failed: the backup is of another bucket; an object cannot be had.
        """
        given, part = self.arguments, self.arguments["part"]
        self._entry, self._name = given["entry"], given["name"]
        self._check_is_the_site_s(part)
        bucket = Bucket(self.client("s3"), given["of"])
        then = self._compare(bucket, datetime.fromisoformat(part["made"])).then
        size = sum(version.size for version in then.values())
        if self.check_mode:
            self.say(self._entry, f"{len(then):,} objects of then would be read ({amount(size)})", "yellow")
            return {"changed": False, "objects": len(then), "bytes": size, "checked": 0}
        checked = self._read(bucket, then, size)
        told = f"{len(then):,} objects of then were read ({amount(size)}), {checked:,} of them against their checksum"
        self.say(self._entry, told, "green")
        return {"changed": False, "objects": len(then), "bytes": size, "checked": checked}

    def _read(self, bucket: Bucket, then: Mapping[str, Version], size: int) -> int:
        """How many were held against a checksum."""
        s3, said, checked, bad = self.client("s3"), time.monotonic(), 0, dict[str, str]()
        with concurrent.futures.ThreadPoolExecutor(bucket_restore.AT_A_TIME) as pool:
            running = {pool.submit(read, s3, bucket.name, key, version): key for key, version in then.items()}
            for number, done in enumerate(concurrent.futures.as_completed(running), start=1):
                try:
                    checked += done.result()
                except (Damaged, ClientError, BotoCoreError) as error:
                    bad[running[done]] = str(error) if isinstance(error, Damaged) else reason(error)
                    if len(bad) == ENOUGH:
                        pool.shutdown(wait=True, cancel_futures=True)
                        break
                if time.monotonic() - said > bucket_restore.SAID_EVERY:
                    said = time.monotonic()
                    self.say(self._entry, f"{number:,} of {len(then):,} objects were read ({amount(size)} in all)")
        if bad:
            named = "; ".join(f"{key}: {why.rstrip('.')}" for key, why in sorted(bad.items())[:LISTED])
            more = "; and others" if len(bad) > LISTED else ""
            most = " or more" if len(bad) == ENOUGH else ""
            raise Failed(
                f"{len(bad):,}{most} of the {len(then):,} objects that the bucket {self._entry} had then cannot be "
                f"had: {named}{more}. A restore would be without them."
            )
        return checked

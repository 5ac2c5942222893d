"""What is known of the restore of a volume or bucket: written into the record of the backup, for the next run."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from plugins.plugin_utils.backups.point import Point, Points

FIELD = "restores"
BEGUN, BESIDE, SWITCHED, BACK, FAILED, REMOVED = "begun", "beside", "switched", "back", "failed", "removed"
"""States: something is at it; its files lie beside, and were read; the site has them; it had them; AWS Backup could
not; nothing of it is in the file system any more."""
Attempt = dict[str, Any]
"""`attempt` (names a volume's folder), `job` (of AWS Backup), `before` (the time that a bucket goes back to), `state`,
`at`."""


class Attempts:
    """The attempts to restore the parts of backups.

    Args:
        points: the backups.
    """

    def __init__(self, points: Points) -> None:
        self._points = points

    def read(self, name: str, key: str) -> Attempt:
        """The last attempt of a part; empty if there was none.

        Args:
            name: of the backup.
            key: of the part, with the path that is meant behind it.
        """
        return dict(((self._points.read(name) or {}).get(FIELD) or {}).get(key) or {})

    def new(self, name: str, key: str, before: str = "") -> Attempt:
        """Begin one, in the place of an earlier one.

        Args:
            name: of the backup.
            key: of the part, with the path that is meant behind it.
            before: the time that a bucket goes back to, if somebody wants that.
        """
        facts = {"attempt": uuid.uuid4().hex[:12], "job": "", "before": before, "state": BEGUN}
        return self.note(name, key, facts)

    def note(self, name: str, key: str, facts: Mapping[str, Any]) -> Attempt:
        """Write down what has become of it."""
        found = {**self.read(name, key), **facts, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        self._points.update(name, {FIELD: {key: found}})
        return found

    def last_switched(self, part: str) -> tuple[str, str] | None:
        """Backup and key of what the site was switched to last, and is still.

        Args:
            part: key of the part, without a path.
        """
        found = [
            (str(each.get("at", "")), str(point["name"]), key)
            for point in self._points.with_others()
            for key, each in _of(point).items()
            if key.partition(" ")[0] == part and each.get("state") == SWITCHED
        ]
        return max(found)[1:] if found else None

    def left(self, key: str) -> tuple[str, Attempt] | None:
        """Backup and attempt of which something may be in the file system still; None if there is none.

        Args:
            key: of the part.
        """
        for point in self._points.with_others():
            if (found := _of(point).get(key)) and found.get("state") != REMOVED:
                return str(point["name"]), found
        return None


def _of(point: Point) -> dict[str, Attempt]:
    return dict(point.get(FIELD) or {})

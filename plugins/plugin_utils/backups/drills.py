"""Drills: that backups were restored beside and proven. The last one has a record of its own in the ledger's bucket.

The entry of each run has what its drill came to as well; this is what `status` and `backups` can read without looking
through all of them, and it outlives the backup that was drilled.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from plugins.plugin_utils.ledger import GOOD, RUNNING, Ledger, as_it_is

KEY = "drills/last.json"
Drill = dict[str, Any]
"""`backup`, `run`, `who`, `where`, `started`, `ended`, `outcome`, `reason`; `point_seconds`: how old its data were, as
much as a loss at that moment would have cost; `recovery_seconds`: until all was there and proven, None unless it was;
`parts`: key (`database.main`) → what was proven."""
UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


class Drills:
    """The drills of an environment.

    Args:
        ledger: of the environment.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def last(self) -> Drill | None:
        """The last one; None if there was none. One whose run was killed is `INTERRUPTED`."""
        found = self._ledger.read(KEY)
        return as_it_is(found, self._ledger.alive()) if found else None

    def begin(self, facts: Mapping[str, Any], of: datetime, now: datetime) -> Drill:
        """Write down that one begins.

        Args:
            facts: `backup`, `run`, `who`, `where`.
            of: when the backup was begun.
            now: the time.
        """
        drill: Drill = {
            **facts,
            "started": now.isoformat(timespec="seconds"),
            "ended": None,
            "outcome": RUNNING,
            "reason": "",
            "point_seconds": max(0.0, round((now - of).total_seconds())),
            "recovery_seconds": None,
            "parts": {},
        }
        self._ledger.begin({**drill, "key": KEY})
        return drill

    def proven(self, key: str, facts: Mapping[str, Any]) -> Drill:
        """Write down what of it was proven; the drill.

        Args:
            key: of the part, or of the service that was started on it.
            facts: what was counted.
        """
        return self._ledger.update(KEY, {"parts": {key: dict(facts)}}) or {}

    def end(self, outcome: str, reason: str, now: datetime) -> Drill:
        """Write down how it ended; the drill, empty if it was never begun.

        Args:
            outcome: `GOOD` or `FAILED`.
            reason: why it failed.
            now: the time.
        """
        found = self._ledger.read(KEY)
        if found is None:
            return {}
        took = round((now - datetime.fromisoformat(found["started"])).total_seconds())
        facts = {
            "outcome": outcome,
            "reason": reason,
            "ended": now.isoformat(timespec="seconds"),
            "recovery_seconds": max(0, took) if outcome == GOOD else None,
        }
        return self._ledger.update(KEY, facts) or {}


def said(drill: Mapping[str, Any]) -> str:
    """A drill in a sentence, `2026-11-27 09:30 UTC, of nightly: good · data 3 h old, back in 12 min`."""
    at = datetime.fromisoformat(str(drill["started"])).astimezone(UTC)
    old = f"data {span(drill['point_seconds'])} old"
    took = f", back in {span(drill['recovery_seconds'])}" if drill.get("recovery_seconds") is not None else ""
    why = f" · {drill['reason']}" if drill.get("reason") else ""
    return f"{at:%Y-%m-%d %H:%M} UTC, of {drill['backup']}: {drill['outcome']} · {old}{took}{why}"


def span(seconds: float) -> str:
    """A time of hours or minutes in two units at most, `3 h 20 min`."""
    left, told = int(seconds), list[str]()
    for length, unit in UNITS:
        if left >= length:
            told.append(f"{left // length} {unit}")
            left %= length
    return " ".join(told[:2]) or f"{left} s"

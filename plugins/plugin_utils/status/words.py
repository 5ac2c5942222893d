"""Times and ages as people read them. Times are UTC."""

from __future__ import annotations

import datetime

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def iso(at: datetime.datetime | float) -> str:
    """A time as the model has it, `2026-11-27T00:23:59Z`.

    Args:
        at: with its time zone, or seconds since 1970.
    """
    if not isinstance(at, datetime.datetime):
        at = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return f"{at.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def seconds_since(at: datetime.datetime, now: datetime.datetime) -> int:
    """How old something is, in whole seconds; a clock that is ahead makes nothing younger than new."""
    return max(0, int((now - at).total_seconds()))


def age(seconds: float) -> str:
    """A time in one unit, `3 hours`: who wants it exactly has the model."""
    for length, word in UNITS:
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {word}{'s' * (number != 1)}"
    return "0 seconds"


def ago(seconds: float) -> str:
    """The same, of what is past."""
    return "just now" if seconds < UNITS[-2][0] else f"{age(seconds)} ago"


def shown(at: str) -> str:
    """A time of the model for reading, `2026-11-27 00:23 UTC`; empty for none."""
    return f"{at[:10]} {at[11:16]} UTC" if at else ""


def many(number: int, word: str) -> str:
    """`1 host`, `2 hosts`."""
    return f"{number} {word}{'s' * (number != 1)}"

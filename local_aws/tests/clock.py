"""Time without waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class DayClock:
    """Goes where it is told to; it begins now, as what is made meanwhile has the machine's time."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> float:
        return self.now.timestamp()

    def next(self, hour: int) -> datetime:
        """Go to the next time of that hour."""
        found = self.now.replace(hour=hour, minute=0, second=0, microsecond=0)
        self.now = found + timedelta(days=0 if found > self.now else 1)
        return self.now

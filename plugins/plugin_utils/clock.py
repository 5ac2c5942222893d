"""Seconds as a person reads them."""

from __future__ import annotations

LEAST_SECONDS = 5.0
"""What is over sooner is not waited for, and nobody need know beforehand how long it takes."""
STEPS = ((60, 5), (300, 10), (3600, 30))
"""Below so many seconds, what is expected is told in steps of so many; above all of them in minutes."""


def clock(seconds: float) -> str:
    """Minutes and seconds, as on a watch: `2:10`; with hours where there are some."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def about(seconds: float) -> str:
    """What is expected, as on a watch, no more exact than it can be known: `about 2:10`."""
    step = next((step for below, step in STEPS if seconds < below), 60)
    return f"about {clock(max(step, round(seconds / step) * step))}"

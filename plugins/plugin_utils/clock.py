"""Seconds as a person reads them."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Minutes and seconds, as on a watch: `2:10`; with hours where there are some."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

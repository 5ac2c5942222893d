"""Spans of time as a person types them behind `-e since=` or `-e for=`."""

from __future__ import annotations

import re

SPAN = re.compile(r"([0-9]{1,6})([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(typed: str) -> int | None:
    """Seconds of 30s, 15m, 2h or 3d; None for what is none, or no time at all."""
    found = SPAN.fullmatch(typed)
    return int(found[1]) * SECONDS[found[2]] or None if found else None

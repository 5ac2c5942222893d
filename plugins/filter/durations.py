"""Durations in Go's notation, which the ECS agent and Docker read."""

from __future__ import annotations

import re
from collections.abc import Callable

SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")


def go_seconds(text: object) -> float:
    """Seconds of a duration such as 10m or 1h30m; -1 for what is none (a number without a unit, a day, a sign).

    https://pkg.go.dev/time#ParseDuration
    """
    written = str(text)
    parts = PART.findall(written)
    if not parts or "".join(number + unit for number, unit in parts) != written:
        return -1.0
    return sum(float(number) * SECONDS[unit] for number, unit in parts)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Name to filter."""
        return {"go_seconds": go_seconds}

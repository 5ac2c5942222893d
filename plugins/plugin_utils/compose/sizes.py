"""Amounts and durations of a Compose file in the units that ECS counts in: whole MiB, whole seconds."""

from __future__ import annotations

import re
from typing import Any

from plugins.filter.durations import go_seconds
from plugins.plugin_utils.site.kinds import MIB, SIZE, UNITS, Size


def mebibytes(value: Any) -> int | None:
    """Whole MiB of an amount of memory, rounded up: `512M`, `1.5gb`, or bytes; None for what is none."""
    text = str(value).strip()
    if re.fullmatch(r"[0-9]+", text):
        return -(-int(text) // MIB) if int(text) else None
    found = SIZE.fullmatch(text)
    return -int(-float(found[1]) * UNITS[found[2][0].lower()] // MIB) if found else None


def size(value: Any, kind: Size) -> str | None:
    """An amount as the inventory writes it, `512m`, the kind's least at least; None for what is none."""
    amount = mebibytes(value)
    return None if amount is None else f"{max(amount, kind.low)}m"


def seconds(value: Any) -> int | None:
    """A duration in whole seconds, rounded up; None for what is none."""
    given = go_seconds(value)
    return None if given < 0 else int(-(-given // 1))


def shares(cpus: Any) -> int | None:
    """ECS's shares of a number of CPUs: 1024 are one; None for what is none."""
    try:
        return int(float(str(cpus)) * 1024) or None
    except ValueError:
        return None

"""How long a stack takes, by what earlier runs have written into the ledger.

An entry has `durations`, name → seconds: `stack.<layer>` for an update, `stack.<layer>.create` for a first create,
which may take many times as long.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from plugins.plugin_utils.ledger import GOOD, Ledger, Place

KEY = "durations"
LOOKED_AT = 20
"""How many of the newest entries are read."""
COUNTED = 5
"""How many of a thing's newest durations count: what took long a year ago does not matter."""
LEAST_SECONDS = 5.0
"""What is over sooner is not waited for."""


def name_of(layer: str, creating: bool) -> str:
    """The name of a stack's duration."""
    return f"stack.{layer}{'.create' if creating else ''}"


def expected(entries: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Name → seconds that it will take, probably: the median of the newest.

    Args:
        entries: of the ledger, newest first. Those of runs that were not good do not count.
    """
    found: dict[str, list[float]] = {}
    for entry in entries:
        if entry.get("outcome") != GOOD:
            continue
        for name, seconds in (entry.get(KEY) or {}).items():
            if len(known := found.setdefault(name, [])) < COUNTED:
                known.append(float(seconds))
    medians = {name: statistics.median(each) for name, each in found.items()}
    return {name: seconds for name, seconds in medians.items() if seconds >= LEAST_SECONDS}


def learned(client: Callable[[str], Any], prefix: str) -> dict[str, float]:
    """What the ledger of an environment lets expect; nothing where this run has not its lock, or cannot read it."""
    # The run knows of its lock where the ledger is: no stack is asked for between the look at all and the change.
    place = Place.of_this_run(prefix)
    try:
        return expected(Ledger(client("s3"), place.bucket).entries(LOOKED_AT)) if place else {}
    except (BotoCoreError, ClientError):
        return {}  # a run is no worse for it


def remember(client: Callable[[str], Any], prefix: str, durations: Mapping[str, float]) -> None:
    """Write into this run's entry how long things took; if it cannot be written, only the next run misses it."""
    place = Place.of_this_run(prefix)
    if place is None or not durations:
        return
    try:
        Ledger(client("s3"), place.bucket).update(place.key, {KEY: dict(durations)})
    except (BotoCoreError, ClientError, TimeoutError):
        return

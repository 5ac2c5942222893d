"""How long a stack or a wait takes, by what earlier runs have written into the ledger.

An entry has `durations`, name → seconds: `stack.<layer>` for an update, `stack.<layer>.create` for a first create,
which may take many times as long; for a wait `hosts`, `task.<family>`, and `service`, `proof` or `restart` with the
family of the service's task definition.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from plugins.plugin_utils.clock import LEAST_SECONDS
from plugins.plugin_utils.ledger import GOOD, Ledger, Place

KEY = "durations"
LOOKED_AT = 20
"""How many of the newest entries are read."""
COUNTED = 5
"""How many of a thing's newest durations count: what took long a year ago does not matter."""
LEAST_RUNS = 3
"""How many durations of a wait must be known: one alone, or two that differ, let nobody expect anything. Of a stack one
is enough, as its first create is the only one that there will be."""
STACK = "stack."


def name_of(layer: str, creating: bool) -> str:
    """The name of a stack's duration."""
    return f"{STACK}{layer}{'.create' if creating else ''}"


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
    told = {name: each for name, each in found.items() if name.startswith(STACK) or len(each) >= LEAST_RUNS}
    medians = {name: statistics.median(each) for name, each in told.items()}
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


class Duration:
    """How long a wait of this run takes: what the runs before let expect, and what is written down for the next.

    Args:
        client: makes boto3 clients (`AwsAction.client`).
        prefix: of the environment's stacks, which is also its cluster's name.
        name: of the wait, see above; empty where one is not like the other.
    """

    def __init__(self, client: Callable[[str], Any], prefix: str, name: str) -> None:
        self._client, self._prefix, self._name = client, prefix, name

    def expected(self) -> float:
        """Seconds; 0 where too little is known."""
        return learned(self._client, self._prefix).get(self._name, 0.0) if self._name else 0.0

    def took(self, seconds: float) -> None:
        """Write it down, if it was waited for at all."""
        if self._name and seconds >= LEAST_SECONDS:
            remember(self._client, self._prefix, {self._name: round(seconds, 1)})

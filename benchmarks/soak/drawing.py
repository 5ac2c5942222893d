"""What a soak does to a site, drawn by a seed: the same seed and number give the same acts in the same order."""

from __future__ import annotations

import random
from dataclasses import dataclass

PLANNED = {"site": 2, "release": 3, "restart": 3, "hosts": 1, "refresh_hosts": 1, "backup": 1, "rotate_secrets": 1}
"""Verbs that run through, and how often they are drawn beside each other. None may cost a visitor a request."""
KILLED = {
    "site": 2,
    "release": 4,
    "restart": 2,
    "hosts": 1,
    "verify": 1,
    "refresh_hosts": 1,
    "backup": 1,
    "rotate_secrets": 2,
}
"""Verbs that get a SIGKILL at some moment and are typed again."""
FAULTS = {
    "kill host": 3,
    "kill container": 4,
    "kill agent": 2,
    "hang agent": 2,
    "kill dockerd": 2,
    "kill database": 2,
    "kill load balancer": 1,
    "kill file server": 2,
    "pause file server": 1,
}
"""What dies or hangs, of what the site stands on."""
SHARES = {"planned": 3, "killed": 3, "fault": 6}
LONGEST = {
    "site": 12.0,
    "release": 40.0,
    "restart": 30.0,
    "hosts": 20.0,
    "verify": 20.0,
    "refresh_hosts": 120.0,
    "backup": 20.0,
    "rotate_secrets": 40.0,
}
"""Within so many seconds a verb is killed: about as long as it takes on the embedded AWS."""


@dataclass(frozen=True)
class Act:
    """One thing that is done to the site.

    Attributes:
        number: from 1 on.
        sort: `planned`, `killed` or `fault`.
        what: the verb, or the fault.
        share: 0 to 1, which of the hosts (or of their containers) is meant, whatever they are called by then.
        seconds: after which a verb is killed, or for which something hangs.
    """

    number: int
    sort: str
    what: str
    share: float
    seconds: float

    @property
    def name(self) -> str:
        """As the table shows it."""
        return {"planned": self.what, "killed": f"SIGKILL of {self.what}", "fault": self.what}[self.sort]


def drawn(seed: int, count: int) -> list[Act]:
    """The acts of a soak.

    Args:
        seed: of the draw.
        count: how many acts, 1 or more.
    """
    dice = random.Random(seed)
    acts = []
    for number in range(1, count + 1):
        sort = _one(dice, SHARES)
        what = _one(dice, {"planned": PLANNED, "killed": KILLED, "fault": FAULTS}[sort])
        share, moment = dice.random(), dice.random()
        seconds = 1.0 + moment * (LONGEST[what] - 1.0) if sort == "killed" else 30.0
        acts.append(Act(number, sort, what, share, seconds))
    return acts


def _one(dice: random.Random, weights: dict[str, int]) -> str:
    return dice.choices(list(weights), list(weights.values()))[0]

"""Managed scaling: how many hosts the tasks of a capacity provider need. Pure: no API and no clock.

The rules, as AWS has them:

- CapacityProviderReservation is 100 * M / N: of the N hosts that there are the tasks need M. M are those that have a
  task, and for tasks that wait for a place as many more as hold them at best. Without any host it is 100 if none is
  needed, else 200. https://aws.amazon.com/blogs/containers/deep-dive-on-amazon-ecs-cluster-auto-scaling/
- One minute above the target capacity adds hosts, between the least and the greatest step; fifteen minutes below take
  some away. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-auto-scaling.html
- A task without a place waits in PROVISIONING for up to a quarter of an hour.
  https://docs.aws.amazon.com/AmazonECS/latest/developerguide/managed-scaling-behavior.html

A host that still starts counts among the N, so that nobody asks for another in its place.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from local_aws.scaling.tracking import IN_MINUTES, TINY

WAITS_SECONDS = 15 * 60.0


@dataclass(frozen=True)
class Size:
    """What a host has for tasks, or what a task takes: CPU units, MiB, static ports."""

    cpu: int
    memory: int
    ports: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Limits:
    """Between what the number of hosts moves.

    Attributes:
        least, most: of the group.
        target: the target capacity, in percent.
        step_least, step_most: hosts that are added at a time.
    """

    least: int
    most: int
    target: float = 100.0
    step_least: int = 1
    step_most: int = 10000


def bins(waiting: Iterable[Size], host: Size | None) -> int:
    """How many empty hosts hold these tasks at best; one if it is not known what a host has."""
    tasks = list(waiting)
    if not tasks:
        return 0
    if host is None:
        return 1
    taken = Counter(port for task in tasks for port in task.ports)
    return max(
        1,
        math.ceil(sum(task.cpu for task in tasks) / host.cpu) if host.cpu else 1,
        math.ceil(sum(task.memory for task in tasks) / host.memory) if host.memory else 1,
        max(taken.values(), default=0),
    )


def reservation(needed: int, there: int) -> float:
    """CapacityProviderReservation, of hosts that are needed and that there are."""
    if not there:
        return 200.0 if needed else 100.0
    return 100.0 * needed / there


def wanted(needed: int, there: int, limits: Limits) -> int:
    """How many hosts the target capacity asks for, if it asks for more than there are; else `there`."""
    more = math.ceil(100.0 * needed / limits.target - TINY) - there
    if more <= 0:
        return there
    return max(there, min(there + min(max(more, limits.step_least), limits.step_most), limits.most))


def fewer(needed: int, there: int, limits: Limits, values: Sequence[float]) -> int:
    """How many hosts are enough, once the reservation was below the target for so long; else `there`."""
    newest = values[-IN_MINUTES:]
    if len(newest) < IN_MINUTES or not all(each < limits.target for each in newest):
        return there
    return min(there, max(limits.least, math.ceil(100.0 * needed / limits.target - TINY)))

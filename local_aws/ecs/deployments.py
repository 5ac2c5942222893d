"""The rules of a rolling deployment: how many tasks to start and to stop, when a roll-out has failed.

Pure functions. Rules: ECS developer guide, "Deploy Amazon ECS services by replacing tasks" and "How the Amazon ECS
deployment circuit breaker detects failures".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from local_aws.ecs.state import Json

RUNNING_SECONDS = 40.0
"""How long a task without any health check must have been RUNNING before it counts as healthy."""


@dataclass(frozen=True)
class Counts:
    """The tasks of a service.

    Attributes:
        desired: how many the service should have.
        new: wanted tasks of the primary deployment on hosts that are not draining.
        new_healthy: those of them that are healthy.
        old_healthy, old_unhealthy: wanted tasks that are to be replaced: of older deployments, or on a draining host.
        total: wanted tasks, running or pending. Those that are being stopped count no more, though they still hold
            their resources: https://github.com/aws/containers-roadmap/issues/959
    """

    desired: int
    new: int
    new_healthy: int
    old_healthy: int
    old_unhealthy: int
    total: int


@dataclass(frozen=True)
class Step:
    """What to do now: tasks of the primary deployment to start, surplus ones to stop, old ones to stop."""

    start: int
    stop_new: int
    stop_old: int


def bounds(desired: int, configuration: Json) -> tuple[int, int]:
    """Lower bound of healthy tasks (rounded up) and upper bound of running and pending tasks (rounded down)."""
    minimum = math.ceil(desired * configuration["minimumHealthyPercent"] / 100)
    maximum = math.floor(desired * configuration["maximumPercent"] / 100)
    return minimum, maximum


def step(counts: Counts, configuration: Json, room: bool) -> Step:
    """The next step of a roll-out.

    Args:
        counts: the service's tasks.
        configuration: its deploymentConfiguration.
        room: whether the last try to place a task worked; if not, old tasks are stopped down to the lower bound to
            make room.
    """
    minimum, maximum = bounds(counts.desired, configuration)
    missing = max(0, counts.desired - counts.new)
    start = min(missing, max(0, maximum - counts.total))
    stop_new = max(0, counts.new - counts.desired)
    blocked = missing > 0 and (start == 0 or not room)
    # Old tasks stay for as long as new ones cannot replace them; when the new ones have no place, the lower bound does.
    if blocked:
        stop_old = counts.old_unhealthy + max(0, counts.old_healthy - max(0, minimum - counts.new_healthy))
    else:
        stop_old = max(0, counts.old_healthy + counts.old_unhealthy - max(0, counts.desired - counts.new_healthy))
    return Step(start, stop_new, stop_old)


def threshold(desired: int, breaker: Json) -> int:
    """How many failed tasks in a row trip the circuit breaker: half the desired count, at least 3, at most 200."""
    own = breaker.get("thresholdConfiguration") or {}
    value = own.get("value")
    if value is not None and own.get("type") == "COUNT":
        return max(1, int(value))
    share = 50.0 if value is None else float(value)
    count = math.ceil(desired * share / 100)
    if own.get("type") == "UNBOUNDED_PERCENT":
        return max(1, count)
    return min(200, max(3, count))


def pause(failures: int) -> float:
    """Seconds until the scheduler tries again after so many failures in a row; the first three are not delayed."""
    return 0.0 if failures < 4 else min(60.0, 2.0 ** (failures - 3))

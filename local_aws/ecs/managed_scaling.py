"""Managed scaling: a capacity provider's Auto Scaling group gets as many hosts as the tasks need.

With managed termination protection the group may take those hosts only that have no task. Suspending the group's
process AlarmNotification stops it, as that stops every policy of a group.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from local_aws.ecs.state import CapacityProvider, Instance, Json, Region, State
from local_aws.patches.autoscaling import WAITING
from local_aws.scaling.hosts import Limits, Size, bins, fewer, reservation, wanted
from local_aws.scaling.tracking import IN_MINUTES

NAMESPACE = "AWS/ECS/ManagedScaling"


class Groups(Protocol):
    """The Auto Scaling groups of a region."""

    def find(self, name: str) -> Any:
        """moto's group; None if there is none."""

    def want(self, name: str, count: int) -> None:
        """Let a group have so many hosts."""


class ManagedScaling:
    """That of one region.

    Args:
        state, region: what to work on.
        groups: the Auto Scaling groups.
        clock: seconds.
    """

    def __init__(
        self, state: State, region: Region, groups: Groups, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._state, self._region, self._groups, self._clock = state, region, groups, clock
        self._values: dict[str, deque[float]] = {}
        self._ended = clock()

    def round(self, minute: float) -> list[Json]:
        """Protect hosts with tasks; at the end of a minute, judge.

        Args:
            minute: how many seconds it lasts.

        Returns:
            What to put into `NAMESPACE`.
        """
        with self._state.lock:
            found = [each for each in self._region.providers.values() if managed(each)]
        self._values = {each.name: self._values.get(each.name, deque(maxlen=IN_MINUTES)) for each in found}
        now = self._clock()
        over = now - self._ended >= minute
        if over or not found:
            self._ended = now
        data: list[Json] = []
        for provider in found:
            group = self._groups.find(provider.group_name)
            if group is not None:
                self._protect(provider, group)
                data += self._judge(provider, group) if over else []
        return data

    def _hosts(self, provider: CapacityProvider) -> dict[str, Instance]:
        return {each.ec2_id: each for each in self._region.instances.values() if each.provider == provider.name}

    def _protect(self, provider: CapacityProvider, group: Any) -> None:
        if provider.group["managedTerminationProtection"] != "ENABLED":
            return
        with self._state.lock:
            hosts = self._hosts(provider)
            for each in list(group.instance_states):
                host = hosts.get(each.instance.id)
                if host is not None:
                    each.protected_from_scale_in = any(task.active for task in self._region.tasks_of(instance=host.arn))

    def _judge(self, provider: CapacityProvider, group: Any) -> list[Json]:
        """Have the group changed, if it is to be; CloudWatch's data."""
        there = sum(each.lifecycle_state != WAITING for each in list(group.instance_states))
        with self._state.lock:
            needed = self._needed(provider)
            clusters = [each.name for each in self._region.clusters.values() if provider.name in each.providers]
        value = reservation(needed, there)
        values = self._values[provider.name]
        values.append(value)
        scaling = provider.group["managedScaling"]
        limits = Limits(
            int(group.min_size or 0), int(group.max_size or 0), float(scaling["targetCapacity"]),
            int(scaling["minimumScalingStepSize"]), int(scaling["maximumScalingStepSize"]),
        )  # fmt: skip
        count = wanted(needed, there, limits)
        if count == there:
            count = fewer(needed, there, limits, list(values))
        suspended = "AlarmNotification" in (group.suspended_processes or [])
        if count != there and count != int(group.desired_capacity or 0) and not suspended:
            self._groups.want(provider.group_name, count)
            if count < there:
                values.clear()
        return [
            {
                "MetricName": "CapacityProviderReservation",
                "Dimensions": [
                    {"Name": "CapacityProviderName", "Value": provider.name},
                    {"Name": "ClusterName", "Value": cluster},
                ],
                "Value": value,
                "Unit": "Percent",
            }
            for cluster in clusters
        ]

    def _needed(self, provider: CapacityProvider) -> int:
        """M: the hosts that have a task, and those that the tasks need that have no place.

        A host that is drained counts no more, as it does for a cluster's reservation
        (https://github.com/aws/amazon-ecs-agent/issues/718): its tasks come elsewhere, and while they do one host more
        would be launched for each that goes.
        """
        hosts = [each for each in self._hosts(provider).values() if each.status == "ACTIVE"]
        used = sum(any(task.active for task in self._region.tasks_of(instance=host.arn)) for host in hosts)
        waiting = [
            Size(task.cpu, task.memory, tuple(task.ports))
            for task in self._region.tasks.values()
            if task.provisioning and task.provider == provider.name
        ]
        sizes = [Size(int(each.total.get("CPU", 0)), int(each.total.get("MEMORY", 0))) for each in hosts]
        return used + bins(waiting, max(sizes, key=lambda size: size.memory, default=None))


def managed(provider: CapacityProvider | None) -> bool:
    """Whether a capacity provider scales its group."""
    return provider is not None and provider.group["managedScaling"]["status"] == "ENABLED"


def waiting_at(region: Region, strategy: list[Json]) -> str:
    """The capacity provider of a strategy at which a task without a place waits for a host; empty if none scales."""
    names = [each["capacityProvider"] for each in strategy]
    return next((name for name in names if managed(region.providers.get(name))), "")

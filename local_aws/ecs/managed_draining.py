"""Managed draining: a host that its Auto Scaling group lets go is drained first, and goes when its tasks have ended.

ECS adds a lifecycle hook to the group of a capacity provider. An instance that the group terminates, as it has too many
or was told to, waits in `Terminating:Wait`; ECS sets it DRAINING, and completes the hook once no task is left on it.
What EC2 itself terminates is not waited for.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/managed-instance-draining.html

Of the hook nothing is shown but what it does, nor does it end by itself after AWS's 48 hours.
"""

from __future__ import annotations

from local_aws.ecs.state import Instance, Region, State


class ManagedDraining:
    """That of one region.

    Args:
        state, region: what to work on.
    """

    def __init__(self, state: State, region: Region) -> None:
        self._state, self._region = state, region

    def holds(self, instance_id: str) -> bool:
        """Whether an EC2 instance may not go yet: it joined by a provider with managed draining that is still there."""
        with self._state.lock:
            return any(self._is_managed(each) for each in self._of(instance_id))

    def drained(self, instance_id: str) -> bool:
        """Whether a waiting instance may go; until then it takes no new task."""
        with self._state.lock:
            found = [each for each in self._of(instance_id) if self._is_managed(each)]
            for each in found:
                if each.status != "DRAINING":
                    each.status = "DRAINING"
                    each.version += 1
            tasks = (task for each in found for task in self._region.tasks_of(instance=each.arn))
            return not any(task.active for task in tasks)

    def _of(self, instance_id: str) -> list[Instance]:
        return [each for each in self._region.instances.values() if each.ec2_id == instance_id]

    def _is_managed(self, instance: Instance) -> bool:
        provider = self._region.providers.get(instance.provider)
        return provider is not None and provider.group["managedDraining"] == "ENABLED"

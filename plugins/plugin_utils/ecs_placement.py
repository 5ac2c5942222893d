"""Whether the hosts of a cluster can take a task: the arithmetic of ECS's scheduler, with what the hosts registered.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/memory-management.html
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.ecs import container_instances, listed, tasks

LASTING_SECONDS = 30.0
"""How long a task must have had no place before that counts as lasting: hosts and tasks are told with some delay."""
HOSTS = 3
"""How many hosts are named with their numbers."""
REMEDY = (
    "Lower mem_limit or mem_reservation of the containers, take a larger host_instance_type, or more hosts "
    "(site_hosts: {min: …})."
)
REMEDY_ATTRIBUTES = (
    "A host registers such attributes when its agent starts; hosts.yml brings the agent's settings back."
)


@dataclass(frozen=True)
class Needs:
    """What a task takes from its host.

    Attributes:
        memory: MiB.
        cpu: CPU units.
        attributes: names that its host must carry.
    """

    memory: int
    cpu: int
    attributes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> Needs:
        """The needs of a task definition.

        A container counts with its soft limit where it has one; the task's own limit wins over the sum.
        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
        """
        containers = definition["containerDefinitions"]
        memory = sum(each.get("memoryReservation") or each.get("memory") or 0 for each in containers)
        cpu = sum(each.get("cpu") or 0 for each in containers)
        return cls(
            int(definition.get("memory") or memory),
            int(definition.get("cpu") or cpu),
            frozenset(each["name"] for each in definition.get("requiresAttributes", [])),
        )


def registered(instance: Mapping[str, Any], kind: str = "MEMORY") -> int:
    """What a container instance registered, less what its agent keeps back: MiB of MEMORY or units of CPU."""
    return _amount(instance.get("registeredResources", []), kind)


def remaining(instance: Mapping[str, Any], kind: str = "MEMORY") -> int:
    """What the tasks on a container instance leave of that."""
    return _amount(instance.get("remainingResources", []), kind)


def _amount(resources: list[Mapping[str, Any]], kind: str) -> int:
    return next((int(each.get("integerValue", 0)) for each in resources if each["name"] == kind), 0)


def usable(instance: Mapping[str, Any]) -> bool:
    """Whether ECS may place tasks on a container instance now."""
    return instance["status"] == "ACTIVE" and bool(instance.get("agentConnected"))


def lacking(instance: Mapping[str, Any], needs: Needs) -> frozenset[str]:
    """The attributes that a task needs and a container instance has not."""
    return needs.attributes - {each["name"] for each in instance.get("attributes", [])}


def obstacle(instance: Mapping[str, Any], needs: Needs) -> str:
    """Why a usable container instance takes no task of these needs, with the numbers; empty if it does."""
    name = _name(instance)
    if missing := lacking(instance, needs):
        return f"{name} lacks {', '.join(sorted(missing))}"
    for kind, wanted, unit in (("MEMORY", needs.memory, " MiB"), ("CPU", needs.cpu, " CPU units")):
        if remaining(instance, kind) < wanted:
            return (
                f"{name} registered {registered(instance, kind)}{unit} for tasks and has "
                f"{remaining(instance, kind)}{unit} left"
            )
    return ""


def _name(instance: Mapping[str, Any]) -> str:
    return str(instance.get("ec2InstanceId") or instance["containerInstanceArn"].rsplit("/", 1)[-1])


def _away(instance: Mapping[str, Any]) -> str:
    """Why a container instance takes no task whatever; empty if it is usable."""
    if usable(instance):
        return ""
    drained = instance["status"] != "ACTIVE"
    return f"{_name(instance)} is {instance['status']}" if drained else f"the agent of {_name(instance)} is away"


def arithmetic(needs: Needs, instances: list[dict[str, Any]]) -> str:
    """What a task takes, and why those hosts do not take it that have the most left.

    Args:
        needs: of the task.
        instances: container instances, none of which takes it now.
    """
    nearest = sorted(instances, key=remaining, reverse=True)[:HOSTS]
    more = f"; {len(instances) - HOSTS} more hosts have less" if len(instances) > HOSTS else ""
    cpu = f" and {needs.cpu} CPU units" if needs.cpu else ""
    hosts = "; ".join(_away(each) or obstacle(each, needs) for each in nearest)
    return f"a task takes {needs.memory} MiB{cpu}; {hosts}{more}"


def without_room(ecs: Any, cluster: str, definition: Mapping[str, Any], provider: str | None = None) -> str:
    """The arithmetic of a task that RunTask has just refused; empty where a host has what is counted here.

    Args:
        ecs: a boto3 client.
        cluster: name or ARN.
        definition: the task's, of DescribeTaskDefinition.
        provider: capacity provider whose hosts alone are asked; None for all.
    """
    instances = [
        each
        for each in container_instances(ecs, cluster)
        if not provider or each.get("capacityProviderName") == provider
    ]
    needs = Needs.of(definition)
    lacking = instances and all(_away(each) or obstacle(each, needs) for each in instances)
    return arithmetic(needs, instances) if lacking else ""


class Placement:
    """Whether a deployment that finds no place may find one yet.

    Args:
        client: gives a boto3 client by the service's name.
        cluster: name or ARN.
        clock: seconds; replaced by tests.
    """

    def __init__(self, client: Callable[[str], Any], cluster: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._cluster, self._clock = client, cluster, clock
        self._needs: dict[str, Needs] = {}
        self._scaling: dict[tuple[str, ...], bool] = {}
        self._since: float | None = None
        self.obstacles, self._remedy = "", REMEDY

    def look(self, service: Mapping[str, Any]) -> None:
        """Judge the primary deployment of a service (of DescribeServices) that found no place, or waits for a host."""
        primary = next((each for each in service["deployments"] if each["status"] == "PRIMARY"), None)
        obstacles = self._obstacles(service, primary) if primary else ""
        if not obstacles:
            self._since = None
        elif self._since is None:
            self._since = self._clock()
        self.obstacles = obstacles or self.obstacles

    def waiting(self, service: Mapping[str, Any]) -> int:
        """How many tasks of a service wait for a host, which is to come for them; only managed scaling lets them."""
        providers = _providers(service)
        if not service.get("pendingCount") or not self._scales(providers):
            return 0
        ecs = self._client("ecs")
        arns = listed(ecs, "list_tasks", "taskArns", cluster=self._cluster, serviceName=service["serviceName"])
        return sum(each["lastStatus"] == "PROVISIONING" for each in tasks(ecs, self._cluster, arns))

    def hopeless(self) -> str:
        """Why no host will take the task any more, with what to type; empty while one may."""
        if self._since is None or self._clock() - self._since < LASTING_SECONDS:
            return ""
        return f"no host can take another task: {self.obstacles}. {self._remedy}"

    def _obstacles(self, service: Mapping[str, Any], primary: Mapping[str, Any]) -> str:
        """The arithmetic of all hosts; empty if a task has a place, or if one may come free by itself."""
        running, pending = primary.get("runningCount", 0), primary.get("pendingCount", 0)
        if (
            pending > self.waiting(service)
            or running >= primary["desiredCount"]
            or self._may_stop_old(service, running)
        ):
            return ""
        providers = _providers(service)
        instances = [
            each
            for each in container_instances(self._client("ecs"), self._cluster)
            if not providers or each.get("capacityProviderName") in providers
        ]
        # One that is drained or out of touch may come back; where there is none at all, the hosts are the matter.
        if not instances or not all(usable(each) for each in instances) or self._growing(providers, len(instances)):
            return ""
        needs = self._needs_of(primary["taskDefinition"])
        if not all(obstacle(each, needs) for each in instances) or self._others_end():
            return ""
        self._remedy = REMEDY_ATTRIBUTES if all(lacking(each, needs) for each in instances) else REMEDY
        old = "; the tasks that run keep theirs until new ones are healthy" if _old(service) else ""
        return arithmetic(needs, instances) + old

    @staticmethod
    def _may_stop_old(service: Mapping[str, Any], new: int) -> bool:
        """Whether ECS may stop tasks of the former deployment, which makes room."""
        percent = service.get("deploymentConfiguration", {}).get("minimumHealthyPercent", 100)
        old = _old(service)
        return old > 0 and old + new > math.ceil(service["desiredCount"] * percent / 100)

    def _growing(self, providers: list[str], hosts: int) -> bool:
        """Whether another host is on its way, or the group may add one by itself."""
        if not providers:
            return False
        found = self._client("ecs").describe_capacity_providers(capacityProviders=providers)["capacityProviders"]
        for provider in found:
            given = provider.get("autoScalingGroupProvider", {})
            name = given.get("autoScalingGroupArn", "").rpartition("autoScalingGroupName/")[2]
            groups = self._client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
            for group in groups["AutoScalingGroups"]:
                wanted = "MaxSize" if given.get("managedScaling", {}).get("status") == "ENABLED" else "DesiredCapacity"
                if hosts < int(group[wanted]):
                    return True
        return False

    def _scales(self, providers: list[str]) -> bool:
        """Whether any of them adds hosts by itself; asked once."""
        key = tuple(providers)
        if key not in self._scaling:
            ecs = self._client("ecs")
            found = ecs.describe_capacity_providers(capacityProviders=providers)["capacityProviders"] if key else []
            given = [each.get("autoScalingGroupProvider", {}).get("managedScaling", {}) for each in found]
            self._scaling[key] = any(each.get("status") == "ENABLED" for each in given)
        return self._scaling[key]

    def _others_end(self) -> bool:
        """Whether tasks hold memory that end by themselves: those being stopped, and those of no service."""
        ecs = self._client("ecs")
        stopping = listed(ecs, "list_tasks", "taskArns", cluster=self._cluster, desiredStatus="STOPPED")
        running = listed(ecs, "list_tasks", "taskArns", cluster=self._cluster, desiredStatus="RUNNING")
        return any(
            task["lastStatus"] != "STOPPED"
            and (task.get("desiredStatus") == "STOPPED" or not str(task.get("group", "")).startswith("service:"))
            for task in tasks(ecs, self._cluster, stopping + running)
        )

    def _needs_of(self, definition: str) -> Needs:
        if definition not in self._needs:
            found = self._client("ecs").describe_task_definition(taskDefinition=definition)["taskDefinition"]
            self._needs[definition] = Needs.of(found)
        return self._needs[definition]


def _providers(service: Mapping[str, Any]) -> list[str]:
    return [each["capacityProvider"] for each in service.get("capacityProviderStrategy", [])]


def _old(service: Mapping[str, Any]) -> int:
    """How many tasks of former deployments run."""
    return sum(each.get("runningCount", 0) for each in service["deployments"] if each["status"] != "PRIMARY")

"""Where a task can go. Pure functions over the state; the rules are those of the ECS developer guide's placement pages.

A task fits an ACTIVE, connected container instance with the attributes that its definition requires, with the memory
and CPU units that are left, and with its static host ports free.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from local_aws.ecs import queries
from local_aws.ecs.state import Instance, Json, Region, Task


@dataclass(frozen=True)
class Needs:
    """What a task takes from its instance: CPU units, memory in MiB, static host ports, attributes."""

    cpu: int
    memory: int
    ports: tuple[tuple[int, str], ...]
    attributes: tuple[Json, ...]


@dataclass(frozen=True)
class Refusal:
    """Why an instance cannot take a task: AWS's code (`RESOURCE:MEMORY`, `ATTRIBUTE`, `AGENT`…) and the instance."""

    code: str
    instance: Instance


EVENT_TEXT = {
    "RESOURCE:MEMORY": "has insufficient memory available",
    "RESOURCE:CPU": "has insufficient CPU units available",
    "RESOURCE:PORTS": "is already using a port required by your task",
    "ATTRIBUTE": "is missing an attribute required by your task",
    "AGENT": 'encountered error "AGENT"',
}
"""How a service event puts a failure of the closest instance (ECS developer guide, service event messages)."""
NEARER = (
    "ATTRIBUTE",
    "AGENT",
    "RESOURCE:MEMORY",
    "RESOURCE:CPU",
    "RESOURCE:PORTS",
    "distinctInstance",
    "MemberOf",
)
"""Failures, the nearer an instance came to fitting the later. One that drains is not looked at."""


def needs(definition: Json) -> Needs:
    """What a task of `definition` takes.

    A container counts with its soft limit (`memoryReservation`) where it has one, else with its hard one; task-level
    values win over the sums.
    """
    containers = definition["containerDefinitions"]
    memory = int(definition.get("memory") or 0) or sum(
        each.get("memoryReservation") or each.get("memory") or 0 for each in containers
    )
    cpu = int(definition.get("cpu") or 0) or sum(each.get("cpu") or 0 for each in containers)
    ports = tuple(
        (mapping["hostPort"], mapping.get("protocol", "tcp"))
        for each in containers
        for mapping in each.get("portMappings", [])
        if mapping.get("hostPort")
    )
    return Needs(cpu, memory, ports, tuple(definition.get("requiresAttributes", [])))


def remaining(instance: Instance, tasks: Iterable[Task]) -> Json:
    """What is left on `instance` beside its active `tasks`: CPU, MEMORY and the taken PORTS and PORTS_UDP."""
    left: Json = {
        "CPU": int(instance.total.get("CPU", 0)),
        "MEMORY": int(instance.total.get("MEMORY", 0)),
        "PORTS": set(instance.total.get("PORTS", ())),
        "PORTS_UDP": set(instance.total.get("PORTS_UDP", ())),
    }
    for task in tasks:
        if not task.active:
            continue
        left["CPU"] -= task.cpu
        left["MEMORY"] -= task.memory
        for port, protocol in task.ports:
            left["PORTS_UDP" if protocol == "udp" else "PORTS"].add(str(port))
    return left


def refusal(instance: Instance, tasks: Sequence[Task], wanted: Needs) -> str:
    """Why `instance` cannot take a task with these needs beside `tasks`; empty if it can."""
    if instance.status != "ACTIVE":
        return "DRAINING"
    if not all(instance.has(attribute) for attribute in wanted.attributes):
        return "ATTRIBUTE"
    left = remaining(instance, tasks)
    if left["MEMORY"] < wanted.memory:
        return "RESOURCE:MEMORY"
    if left["CPU"] < wanted.cpu:
        return "RESOURCE:CPU"
    for port, protocol in wanted.ports:
        if str(port) in left["PORTS_UDP" if protocol == "udp" else "PORTS"]:
            return "RESOURCE:PORTS"
    if instance.channel is None:
        return "AGENT"
    return ""


def place(
    region: Region,
    cluster: str,
    definition: Json,
    *,
    launch_type: str = "",
    strategy: Sequence[Json] = (),
    constraints: Sequence[Json] = (),
    placement: Sequence[Json] = (),
    group: str = "",
) -> tuple[Instance | None, str, list[Refusal]]:
    """Choose a container instance for a new task.

    Args:
        region, cluster: where; the cluster by name.
        definition: the registered task definition.
        launch_type: `EC2` places on any instance of the cluster.
        strategy: capacity provider strategy; only instances of those providers are looked at, by base and weight.
        constraints: `distinctInstance` (no two tasks of `group` on one instance) and `memberOf` (a query of `queries`);
            the definition's own are added.
        placement: placement strategy, `spread` or `binpack`, applied in order.
        group: the task group, `service:<name>` for a service.
    Returns:
        The instance and the capacity provider's name (empty for a launch type), or None and the refusals of all
        instances that were looked at.
    """
    wanted = needs(definition)
    instances = region.instances_of(cluster)
    constraints = [*constraints, *definition.get("placementConstraints", [])]
    distinct = any(each["type"] == "distinctInstance" for each in constraints)
    members = [queries.parse(each.get("expression", "")) for each in constraints if each["type"] == "memberOf"]
    refusals: list[Refusal] = []
    provider_names = [""] if launch_type or not strategy else _by_share(region, cluster, strategy, group)
    for provider in provider_names:
        fitting = []
        for instance in instances:
            if provider and instance.provider != provider:
                continue
            on_it = list(region.tasks_of(instance=instance.arn))
            code = refusal(instance, on_it, wanted)
            if not code and distinct and any(task.group == group and task.active for task in on_it):
                code = "distinctInstance"
            if not code and not all(matches(instance, region) for matches in members):
                code = "MemberOf"
            if code:
                refusals.append(Refusal(code, instance))
            else:
                fitting.append(instance)
        if fitting:
            return _prefer(region, fitting, placement, group), provider, []
    return None, "", refusals


def _by_share(region: Region, cluster: str, strategy: Sequence[Json], group: str) -> list[str]:
    """The providers of a strategy, the one that is furthest below its share first."""
    running = Counter(task.provider for task in region.tasks_of(cluster=cluster) if task.group == group and task.wanted)

    def load(item: Json) -> tuple[bool, float]:
        name, weight = item["capacityProvider"], item.get("weight", 0)
        below_base = running[name] < item.get("base", 0)
        share = running[name] / weight if weight else float("inf")
        return (not below_base, share)

    return [item["capacityProvider"] for item in sorted(strategy, key=load)]


def _prefer(region: Region, fitting: list[Instance], placement: Sequence[Json], group: str) -> Instance:
    """The best of `fitting` by the placement strategy; fewest tasks first where none decides."""

    def count(instance: Instance) -> int:
        return sum(task.wanted and task.group == group for task in region.tasks_of(instance=instance.arn))

    by_zone = Counter[str]()
    for instance in region.instances_of(fitting[0].cluster):
        by_zone[instance.zone] += count(instance)

    def rank(instance: Instance) -> list[float | str]:
        keys: list[float | str] = []
        left = remaining(instance, region.tasks_of(instance=instance.arn))
        for each in placement:
            if each["type"] == "spread":
                by_host = not each["field"].endswith("availability-zone")
                keys.append(count(instance) if by_host else by_zone[instance.zone])
            elif each["type"] == "binpack":
                keys.append(left[each["field"].upper()])
        return [*keys, count(instance), -left["MEMORY"], instance.arn]

    return min(fitting, key=rank)


def event(refusals: Sequence[Refusal], by_provider: bool) -> str:
    """The text of the service event when no instance can take a task."""
    guide = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
    failed = [each for each in refusals if each.code in NEARER]
    if not failed:
        where = "capacity provider" if by_provider else "cluster"
        return (
            "was unable to place a task because no container instance met all of its requirements. "
            f"Reason: No Container Instances were found in your {where}. {guide}"
        )
    nearest = max(failed, key=lambda each: NEARER.index(each.code))
    text = EVENT_TEXT.get(nearest.code, "does not satisfy the placement constraints")
    return (
        "was unable to place a task because no container instance met all of its requirements. "
        f"The closest matching (container-instance {nearest.instance.id}) {text}. {guide}"
    )

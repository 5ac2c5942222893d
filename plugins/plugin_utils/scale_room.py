"""How many more tasks of a kind the hosts of a cluster hold: ECS's arithmetic, with the hosts that may still come.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/memory-management.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.ecs import container_instances, some
from plugins.plugin_utils.ecs_placement import Needs, lacking, registered, remaining, usable

HOSTS = 3
"""How many hosts are named with their numbers."""


@dataclass(frozen=True)
class Room:
    """What there is for further tasks.

    Attributes:
        tasks: how many have a place.
        arithmetic: how that was counted.
    """

    tasks: int
    arithmetic: str


def room(client: Callable[[str], Any], cluster: str, service: Mapping[str, Any]) -> Room:
    """The room for further tasks of a service.

    Args:
        client: gives a boto3 client by the service's name.
        cluster: name or ARN.
        service: of DescribeServices.
    """
    ecs = client("ecs")
    needs = Needs.of(ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"])
    providers = [each["capacityProvider"] for each in service.get("capacityProviderStrategy", [])]
    hosts = [
        each
        for each in container_instances(ecs, cluster)
        if not providers or each.get("capacityProviderName") in providers
    ]
    more = max(0, _hosts_at_most(client, providers) - len(hosts))
    return counted(needs, hosts, more)


def counted(needs: Needs, hosts: list[dict[str, Any]], more: int) -> Room:
    """The room on hosts that there are, and on `more` of them that may come, each as large as the largest and empty."""
    there = [each for each in hosts if usable(each) and not lacking(each, needs)]
    empty = max((_fitting(needs, each, registered) for each in there), default=0)
    tasks = sum(_fitting(needs, each, remaining) for each in there) + more * empty
    cpu = f" and {needs.cpu} CPU units" if needs.cpu else ""
    nearest = sorted(there, key=remaining, reverse=True)
    described = [
        f"{each.get('ec2InstanceId', 'a host')} registered {_amounts(needs, each, registered)} and has "
        f"{_amounts(needs, each, remaining)} left"
        for each in nearest
    ]
    if more and empty:
        described.append(f"{more} more may come, with room for {empty} each")
    listed = some(described, HOSTS, "; ") or "no host takes tasks now"
    return Room(tasks, f"a task takes {needs.memory} MiB{cpu}; {listed}")


def _fitting(needs: Needs, host: Mapping[str, Any], amount: Callable[..., int]) -> int:
    wanted: Iterable[tuple[str, int]] = (("MEMORY", needs.memory), ("CPU", needs.cpu))
    return min((amount(host, kind) // each for kind, each in wanted if each), default=1)


def _amounts(needs: Needs, host: Mapping[str, Any], amount: Callable[..., int]) -> str:
    cpu = f" and {amount(host, 'CPU')} CPU units" if needs.cpu else ""
    return f"{amount(host)} MiB{cpu}"


def coming(client: Callable[[str], Any], hosts: Iterable[Mapping[str, Any]]) -> int:
    """How many hosts managed scaling may still add to those of a cluster, if tasks need them.

    Args:
        client: gives a boto3 client by the service's name.
        hosts: its container instances.
    """
    there = list(hosts)
    providers = sorted({str(each["capacityProviderName"]) for each in there if each.get("capacityProviderName")})
    most = sum(int(group["MaxSize"]) for scales, group in _groups(client, providers) if scales)
    return max(0, most - len(there))


def _hosts_at_most(client: Callable[[str], Any], providers: list[str]) -> int:
    """How many hosts there are to be: with managed scaling the group's maximum."""
    return sum(int(group["MaxSize" if scales else "DesiredCapacity"]) for scales, group in _groups(client, providers))


def _groups(client: Callable[[str], Any], providers: list[str]) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Whether managed scaling is on, and the Auto Scaling group, of each capacity provider."""
    if not providers:
        return
    found = client("ecs").describe_capacity_providers(capacityProviders=providers)["capacityProviders"]
    for given in (each.get("autoScalingGroupProvider", {}) for each in found):
        name = given.get("autoScalingGroupArn", "").rpartition("autoScalingGroupName/")[2]
        scales = given.get("managedScaling", {}).get("status") == "ENABLED"
        groups = client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        for group in groups:
            yield scales, group

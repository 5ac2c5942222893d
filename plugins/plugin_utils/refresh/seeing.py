"""What AWS shows of the hosts that are replaced, and of the services that run on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from plugins.plugin_utils.aws_action import Failed
from plugins.plugin_utils.ecs import container_instances, some
from plugins.plugin_utils.ecs_placement import Needs, lacking
from plugins.plugin_utils.refresh.order import Host, Scene
from plugins.plugin_utils.status.hosts import source
from plugins.plugin_utils.verify import live

EVENTS = 2
"""How many of a service's last events say why it lacks something."""
IN_SERVICE = "InService"


class Seeing:
    """One site.

    Args:
        client: gives a boto3 client by the service's name.
        cluster: name.
        group: name of the Auto Scaling group.
        provider: name of the capacity provider.
        wanted: how many hosts there are to be in the end.
    """

    def __init__(self, client: Callable[[str], Any], cluster: str, group: str, provider: str, wanted: int) -> None:
        self._client, self._cluster, self._group, self._provider = client, cluster, group, provider
        self._wanted = wanted
        self.services: dict[str, dict[str, Any]] = {}
        self.gone: set[str] = set()

    def scene(self, proved: Collection[str] = (), all_old: bool = False) -> Scene:
        """What is there now.

        Args:
            proved: names of hosts that were tried.
            all_old: whether what the group launches from is yet to change, so that no host is new.

        Raises:
            Failed: there is no such group.
        """
        group = self._described()
        joined: dict[str, dict[str, Any]] = {}
        for each in container_instances(self._client("ecs"), self._cluster):
            name = str(each.get("ec2InstanceId"))
            if name not in joined or each.get("agentConnected"):  # a machine may have registered twice
                joined[name] = each
        self.services = live.services(self._client("ecs"), self._cluster)
        needs = [Needs.of(each["definition"]) for each in self.services.values()]
        now = source(group)
        hosts = tuple(
            self._host(each, joined.get(each["InstanceId"]), needs, not all_old and source(each) == now)
            for each in group["Instances"]
        )
        hosts = tuple(replace(each, proved=each.name in proved) for each in hosts)
        return Scene(hosts, self._wanted, group["DesiredCapacity"], group["MaxSize"], self._lacking())

    def events(self) -> list[str]:
        """What services said last that lack something."""
        return [
            event["message"]
            for each in self.services.values()
            if any(self._lacks(each["service"]))
            for event in each["service"].get("events", [])[:EVENTS]
        ]

    def image(self, hosts: Collection[str]) -> str:
        """Id of the AMI of the first of these instances; empty if there is none."""
        if not hosts:
            return ""
        filters = [{"Name": "instance-id", "Values": sorted(hosts)}]
        pages = self._client("ec2").get_paginator("describe_instances").paginate(Filters=filters)
        found = (each for page in pages for reservation in page["Reservations"] for each in reservation["Instances"])
        return next((str(each["ImageId"]) for each in sorted(found, key=lambda each: str(each["InstanceId"]))), "")

    def _described(self) -> dict[str, Any]:
        asked = self._client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self._group])
        if not asked["AutoScalingGroups"]:
            raise Failed(f"There is no Auto Scaling group {self._group}.")
        return dict(asked["AutoScalingGroups"][0])

    def _host(self, member: Mapping[str, Any], agent: Mapping[str, Any] | None, needs: list[Needs], new: bool) -> Host:
        state = str(member["LifecycleState"])
        name = str(member["InstanceId"])
        return Host(
            name,
            str(member["AvailabilityZone"]),
            new,
            status=agent["status"] if agent else "",
            lack=self._host_lacks(agent, needs, state),
            tasks=int(agent["runningTasksCount"]) + int(agent["pendingTasksCount"]) if agent else 0,
            # What was asked for counts, though the group's answer may be from before.
            leaving=state.startswith("Terminat") or name in self.gone,
        )

    def _host_lacks(self, agent: Mapping[str, Any] | None, needs: list[Needs], state: str) -> str:
        """Why a host cannot take the site's tasks, were it ACTIVE; empty if it can."""
        if not agent:
            return f"is {state}, not registered yet"
        if not agent.get("agentConnected"):
            return "its agent is not connected"
        if agent.get("capacityProviderName") != self._provider:
            return f"belongs to the capacity provider {agent.get('capacityProviderName') or 'of none'}"
        if missing := sorted({name for each in needs for name in lacking(agent, each)}):
            return f"lacks {some(missing)}, which the site's tasks need"
        return "" if state == IN_SERVICE else f"is {state}"

    def _lacking(self) -> str:
        return ", ".join(lack for each in self.services.values() for lack in self._lacks(each["service"]))

    def _lacks(self, service: Mapping[str, Any]) -> Iterator[str]:
        """What a service lacks of tasks that run, and of targets that are healthy."""
        if service.get("schedulingStrategy") == "DAEMON":
            return  # has as many as there are hosts
        name, desired = service["serviceName"], int(service["desiredCount"])
        if service["runningCount"] < desired:
            yield f"{service['runningCount']} of {desired} tasks of {name} running"
            return
        for balancer in service.get("loadBalancers", []):
            if arn := balancer.get("targetGroupArn"):
                found = self._client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
                healthy = sum(each["TargetHealth"]["State"] == "healthy" for each in found)
                if healthy < desired:
                    yield f"{healthy} of {desired} targets of {name} healthy"

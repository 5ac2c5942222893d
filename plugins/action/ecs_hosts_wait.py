"""Wait until hosts have joined an ECS cluster through its capacity provider."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_hosts_wait import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.consoles import Consoles
from plugins.plugin_utils.ecs import container_instances, short, some
from plugins.plugin_utils.ecs_placement import HOSTS, REMEDY, registered
from plugins.plugin_utils.expected import Duration
from plugins.plugin_utils.host_start import RECENT, failed_launches
from plugins.plugin_utils.site.room import without_place

NAME = "hosts"
MISSING_SECONDS = 60.0
"""For how long what a stack has just made may not be shown: the APIs are eventually consistent."""


class ActionModule(AwsAction):
    """See plugins/modules/ecs_hosts_wait.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Wait for the hosts.

        Raises:
            Failed: they are not there in time, with what the Auto Scaling group says; or they lack room for the tasks.
        """
        self.may_be_missing: Callable[[], bool] = lambda: True
        if self.check_mode:
            return {"changed": False, "hosts": self._ready_now()}
        since = datetime.datetime.now(datetime.UTC) - RECENT
        wait = Wait(self.arguments["timeout"], self.say, NAME)
        duration = Duration(self.client, short(self.arguments["cluster"]), NAME)
        wait.expects(duration.expected)
        self.may_be_missing = lambda: wait.elapsed < MISSING_SECONDS
        consoles = Consoles(lambda: self.client("ec2"))
        told: set[str] = set()
        while True:
            instances = self._instances()
            ready = [instance for instance in instances if not self._lacks(instance)]
            if len(ready) >= self.arguments["count"]:
                self._check_room(ready)
                self.say(NAME, f"{len(ready)} ready", "green")
                duration.took(wait.elapsed)
                return {"changed": False, "hosts": [_host(instance) for instance in ready]}
            failures = self._failed_launches(since)
            lacking = self._lacking(instances)
            reports = consoles.reports(sorted(lacking), wait.elapsed)
            for failure in failures + reports:
                if failure not in told:
                    told.add(failure)
                    self.say(NAME, failure, "red")
            details = some((f"{name} {lack}" for name, lack in sorted(lacking.items())), joint="; ")
            details = details or "none is launched yet"
            state = f"{len(ready)} of {self.arguments['count']} hosts ready: {details}"
            wait.tell(state)
            if not wait.pause(state):
                # Once more: what a host said in its last seconds.
                reasons = failures + (consoles.reports(sorted(lacking)) or consoles.silence(sorted(lacking)))
                listed = "".join(f"\n  {line}" for line in reasons)
                raise Failed(f"After {wait.seconds:.0f} s: {state}.{listed}")

    def _check_room(self, hosts: list[dict[str, Any]]) -> None:
        """Refuse hosts that registered too little for the tasks: a deployment would wait for a place for ever."""
        tasks = self.arguments["tasks"]
        rooms = [registered(host) for host in hosts]
        if not (left := without_place(tasks, rooms)):
            return
        smallest = sorted(hosts, key=registered)[:HOSTS]
        listed = ", ".join(f"{host['ec2InstanceId']} registered {registered(host)} MiB" for host in smallest)
        raise Failed(
            f"The {len(hosts)} hosts have no room for all tasks that may stand at the same time, {sum(tasks)} MiB in "
            f"{len(tasks)} tasks (one of a deployment, or a job, beside those that run): {listed}; there is no place "
            f"for {', '.join(f'one of {task} MiB' for task in left)}. {REMEDY} The services were left as they are."
        )

    def _ready_now(self) -> list[dict[str, Any]]:
        """The hosts that are ready; none where the cluster is yet to be made."""
        return [_host(instance) for instance in self._instances() if not self._lacks(instance)]

    def _instances(self) -> list[dict[str, Any]]:
        try:
            return container_instances(self.client("ecs"), self.arguments["cluster"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ClusterNotFoundException" and self.may_be_missing():
                return []
            raise

    def _lacks(self, instance: Mapping[str, Any]) -> str:
        """What a container instance still lacks; nothing if it is ready."""
        wanted, provider = self.arguments["capacity_provider"], instance.get("capacityProviderName")
        if instance["status"] != "ACTIVE":
            return f"is {instance['status']}"
        if not instance.get("agentConnected"):
            return "its agent is not connected"
        if not provider:
            return "belongs to no capacity provider (it registered before there was one: replace it)"
        if wanted and provider != wanted:
            return f"belongs to the capacity provider {provider}, not {wanted}"
        return ""

    def _lacking(self, instances: list[dict[str, Any]]) -> dict[str, str]:
        """Instance id → what it still lacks, of all that are launched or registered."""
        lacking = {
            str(instance.get("ec2InstanceId")): lack for instance in instances if (lack := self._lacks(instance))
        }
        registered = {str(instance.get("ec2InstanceId")) for instance in instances}
        for instance in self._group().get("Instances", []):
            if instance["InstanceId"] not in registered:
                lacking[instance["InstanceId"]] = f"is {instance['LifecycleState']}, not registered yet"
        return lacking

    def _failed_launches(self, since: datetime.datetime) -> list[str]:
        group = self.arguments["auto_scaling_group"]
        return failed_launches(self.client("autoscaling"), group, since) if group else []

    def _group(self) -> dict[str, Any]:
        name = self.arguments["auto_scaling_group"]
        if not name:
            return {}
        found = self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        if not found["AutoScalingGroups"]:
            if self.may_be_missing():
                return {}
            raise Failed(f"There is no Auto Scaling group {name}.")
        return dict(found["AutoScalingGroups"][0])


def _host(instance: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "instance_id": instance.get("ec2InstanceId"),
        "container_instance": instance["containerInstanceArn"],
        "agent_version": instance.get("versionInfo", {}).get("agentVersion"),
        "capacity_provider": instance.get("capacityProviderName"),
    }

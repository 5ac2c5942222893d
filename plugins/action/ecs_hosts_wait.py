"""Wait until hosts have joined an ECS cluster through its capacity provider."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_hosts_wait import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.ecs import container_instances

NAME = "hosts"
RECENT = datetime.timedelta(minutes=15)
"""Scaling activities older than this when the wait begins belong to something else."""


class ActionModule(AwsAction):
    """See plugins/modules/ecs_hosts_wait.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Wait for the hosts.

        Raises:
            Failed: they are not there in time; with what the Auto Scaling group says.
        """
        if self.check_mode:
            return {"changed": False, "hosts": self._ready_now()}
        since = datetime.datetime.now(datetime.UTC) - RECENT
        wait = Wait(self.arguments["timeout"], self.say, NAME)
        told: set[str] = set()
        while True:
            instances = container_instances(self.client("ecs"), self.arguments["cluster"])
            ready = [instance for instance in instances if not self._lacks(instance)]
            if len(ready) >= self.arguments["count"]:
                self.say(NAME, f"{len(ready)} ready", "green")
                return {"changed": False, "hosts": [_host(instance) for instance in ready]}
            failures = self._failed_activities(since)
            for failure in failures:
                if failure not in told:
                    told.add(failure)
                    self.say(NAME, failure, "red")
            state = self._state(instances, len(ready))
            wait.tell(state)
            if not wait.pause(state):
                reasons = failures or [
                    "Look at what they say while they boot: aws ec2 get-console-output --latest --instance-id <id>"
                ]
                listed = "".join(f"\n  {line}" for line in reasons)
                raise Failed(f"After {wait.seconds:.0f} s: {state}.{listed}")

    def _ready_now(self) -> list[dict[str, Any]]:
        """The hosts that are ready; none where the cluster is yet to be made."""
        try:
            instances = container_instances(self.client("ecs"), self.arguments["cluster"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ClusterNotFoundException":
                return []
            raise
        return [_host(instance) for instance in instances if not self._lacks(instance)]

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

    def _state(self, instances: list[dict[str, Any]], ready: int) -> str:
        lacking = {
            str(instance.get("ec2InstanceId")): lack for instance in instances if (lack := self._lacks(instance))
        }
        registered = {str(instance.get("ec2InstanceId")) for instance in instances}
        for instance in self._group().get("Instances", []):
            if instance["InstanceId"] not in registered:
                lacking[instance["InstanceId"]] = f"is {instance['LifecycleState']}, not registered yet"
        details = "; ".join(f"{name} {lack}" for name, lack in sorted(lacking.items())) or "none is launched yet"
        return f"{ready} of {self.arguments['count']} hosts ready: {details}"

    def _group(self) -> dict[str, Any]:
        name = self.arguments["auto_scaling_group"]
        if not name:
            return {}
        found = self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        if not found["AutoScalingGroups"]:
            raise Failed(f"There is no Auto Scaling group {name}.")
        return dict(found["AutoScalingGroups"][0])

    def _failed_activities(self, since: datetime.datetime) -> list[str]:
        name = self.arguments["auto_scaling_group"]
        if not name:
            return []
        activities = self.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=name, MaxRecords=20)
        failed = [
            activity
            for activity in activities["Activities"]
            if activity["StatusCode"] in ("Failed", "Cancelled") and activity["StartTime"] >= since
        ]
        sentences = [f"{name}: {activity.get('StatusMessage') or activity['StatusCode']}" for activity in failed]
        return list(dict.fromkeys(sentences))


def _host(instance: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "instance_id": instance.get("ec2InstanceId"),
        "container_instance": instance["containerInstanceArn"],
        "agent_version": instance.get("versionInfo", {}).get("agentVersion"),
        "capacity_provider": instance.get("capacityProviderName"),
    }

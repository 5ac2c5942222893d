"""Wait until hosts have joined an ECS cluster through its capacity provider."""

from __future__ import annotations

import datetime
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_hosts_wait import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait, reason
from plugins.plugin_utils.ecs import container_instances, short, some
from plugins.plugin_utils.ecs_placement import HOSTS, REMEDY, registered
from plugins.plugin_utils.expected import Duration
from plugins.plugin_utils.known_reasons import explained
from plugins.plugin_utils.site.room import without_place

NAME = "hosts"
MISSING_SECONDS = 60.0
"""For how long what a stack has just made may not be shown: the APIs are eventually consistent."""
RECENT = datetime.timedelta(minutes=15)
"""Scaling activities older than this when the wait begins belong to something else."""


CONSOLE_SECONDS = 15.0
"""Between two looks at a console: the API is throttled, and the answer is up to 64 KB."""
CONSOLES = 10
"""How many consoles are looked at in a round: a call each, and what ails one host ails the others of its group."""
SAID = re.compile(r"\becs-boot-report(?:\[\d+\])?: ([^\r\n]*)")
"""A line of the host role ecs_agent's report, as journald forwards it to the console."""


def boot_report(console: str) -> list[str]:
    """What a host last said of why it has not joined; nothing if it has, or has not said anything yet.

    Args:
        console: everything on its console, of several boots perhaps.
    """
    report: list[str] = []
    complete = False
    for text in SAID.findall(console):
        if text.startswith(("BEGIN report", "joined ")):
            report, complete = [], False
        if text.startswith("END report"):
            complete = True
        elif not text.startswith("joined "):
            report.append(text.removeprefix("BEGIN report: "))
    return report if complete else []


class Consoles:
    """The boot reports of hosts, from their consoles.

    Args:
        client: gives EC2's client.
    """

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client
        self._looked = -CONSOLE_SECONDS
        self._reports: list[str] = []
        self._refused = ""
        self._latest = True

    def reports(self, names: list[str], elapsed: float | None = None) -> list[str]:
        """A text a host that has said why it did not join.

        Args:
            names: instance ids.
            elapsed: seconds of the wait, to look now and then only; None to look now.
        """
        if elapsed is None or elapsed - self._looked >= CONSOLE_SECONDS:
            self._looked = elapsed or 0.0
            found = {name: boot_report(self._console(name)) for name in names[:CONSOLES]}
            self._reports = [
                f"host {name} did not join: " + "\n    ".join(lines) for name, lines in found.items() if lines
            ]
        return self._reports

    def silence(self, names: list[str]) -> list[str]:
        """What to type where no console had a report."""
        if not names:
            return []
        refused = f" ({self._refused})" if self._refused else ""
        return [
            f"No console has a report of the host{refused}. Look again in some minutes, older types show theirs late: "
            f"aws ec2 get-console-output --output text --instance-id {names[0]}"
        ]

    def _console(self, name: str) -> str:
        """Everything that EC2 has of a console.

        The latest is to be had of Nitro types only; of others it is what they wrote up to some minutes ago.
        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html
        """
        try:
            if self._latest:
                try:
                    return str(self._client().get_console_output(InstanceId=name, Latest=True).get("Output") or "")
                except ClientError as error:
                    if error.response["Error"]["Code"] != "UnsupportedOperation":
                        raise
                    self._latest = False
            return str(self._client().get_console_output(InstanceId=name).get("Output") or "")
        except ClientError as error:  # an instance that has just gone, or no right to look: the wait goes on
            self._refused = reason(error)
            return ""


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
            failures = self._failed_activities(since)
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

    def _failed_activities(self, since: datetime.datetime) -> list[str]:
        name = self.arguments["auto_scaling_group"]
        if not name:
            return []
        autoscaling = self.client("autoscaling")
        # one page: the newest come first, and the next round asks again
        activities = autoscaling.describe_scaling_activities(AutoScalingGroupName=name, MaxRecords=20)
        failed = [
            activity
            for activity in activities["Activities"]
            if activity["StatusCode"] in ("Failed", "Cancelled") and activity["StartTime"] >= since
        ]
        sentences = [
            f"{name}: {explained(activity.get('StatusMessage') or activity['StatusCode'])}" for activity in failed
        ]
        return list(dict.fromkeys(sentences))


def _host(instance: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "instance_id": instance.get("ec2InstanceId"),
        "container_instance": instance["containerInstanceArn"],
        "agent_version": instance.get("versionInfo", {}).get("agentVersion"),
        "capacity_provider": instance.get("capacityProviderName"),
    }

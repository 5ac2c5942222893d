"""Take all tasks and hosts out of an ECS cluster, in an order that cannot hang, so that its stack can be deleted."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_cluster_empty import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.ecs import container_instances, listed, some

HELD_BACK = ("Terminating:Wait", "Pending:Wait")
GONE_STATES = ("Terminated", "Detached")


class ActionModule(AwsAction):
    """See plugins/modules/ecs_cluster_empty.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Stop the tasks, then the hosts.

        Raises:
            Failed: something is still there when time is up; with what it is.
        """
        self.cluster, self.ecs = self.arguments["cluster"], self.client("ecs")
        self.changed = False
        there = self._cluster_is_there()
        tasks = self._tasks() if there else []
        hosts = [instance["InstanceId"] for instance in (self._group() or {}).get("Instances", [])]
        if there:
            hosts = sorted({*hosts, *(str(each.get("ec2InstanceId")) for each in self._container_instances())})
        result = {"changed": bool(tasks or hosts), "tasks": tasks, "hosts": hosts}
        if self.check_mode:
            return result
        if there:
            self._stop_tasks()
        # The group goes to none while the provider is still there, so that ECS drains and forgets the instances.
        self._stop_hosts(there)
        return result | {"changed": self.changed}

    def _cluster_is_there(self) -> bool:
        clusters = self.ecs.describe_clusters(clusters=[self.cluster])["clusters"]
        return any(cluster["status"] != "INACTIVE" for cluster in clusters)

    # Tasks

    def _tasks(self) -> list[str]:
        return listed(self.ecs, "list_tasks", "taskArns", cluster=self.cluster, desiredStatus="RUNNING")

    def _not_ended(self) -> int:
        """How many tasks run or are still being stopped."""
        found = self.ecs.describe_clusters(clusters=[self.cluster])["clusters"][0]
        return int(found["runningTasksCount"]) + int(found["pendingTasksCount"])

    def _stop_tasks(self) -> None:
        for service in listed(self.ecs, "list_services", "serviceArns", cluster=self.cluster):
            name = service.rsplit("/", 1)[-1]
            described = self.ecs.describe_services(cluster=self.cluster, services=[service])["services"][0]
            if described["status"] == "ACTIVE" and described["desiredCount"] > 0:
                self.say("tasks", f"the service {name} is to run none", "yellow")
                self.ecs.update_service(cluster=self.cluster, service=service, desiredCount=0)
                self.changed = True
        wait = Wait(self.arguments["timeout"], self.say, "tasks")
        stopped: set[str] = set()
        while True:
            for task in set(self._tasks()) - stopped:
                self.say("tasks", f"stopping {task.rsplit('/', 1)[-1]}", "yellow")
                self.ecs.stop_task(cluster=self.cluster, task=task, reason="the cluster is being emptied")
                stopped.add(task)
                self.changed = True
            left = self._not_ended()
            if not left and not self._tasks():
                return
            if not wait.pause(f"{left} tasks to end"):
                raise Failed(
                    f"{left} tasks of {self.cluster} have not ended after {wait.seconds:.0f} s (is their host's agent "
                    "still connected?). Type the same command again to go on."
                )

    # Hosts

    def _group(self) -> dict[str, Any] | None:
        name = self.arguments["auto_scaling_group"]
        if not name:
            return None
        found = self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        return dict(found["AutoScalingGroups"][0]) if found["AutoScalingGroups"] else None

    def _container_instances(self) -> list[dict[str, Any]]:
        return container_instances(self.ecs, self.cluster)

    def _stop_hosts(self, cluster: bool) -> None:
        group = self._group()
        if group:
            self._scale_to_none(group)
        wait = Wait(self.arguments["timeout"], self.say, "hosts")
        while True:
            group = self._group()
            launched = {
                instance["InstanceId"]: instance["LifecycleState"]
                for instance in (group or {}).get("Instances", [])
                if instance["LifecycleState"] not in GONE_STATES
            }
            registered = self._container_instances() if cluster else []
            held = [name for name, state in launched.items() if state in HELD_BACK]
            if group and held:
                self._let_go(group, held)
            if not launched:
                # The machine is gone; an instance whose agent was lost stays registered until told otherwise.
                for instance in registered:
                    self._deregister(instance)
            if not launched and not registered:
                return
            hosts = some(f"{name} ({state})" for name, state in sorted(launched.items()))
            instances = f"{len(registered)} registered container instances" if registered else ""
            what = ", ".join(filter(None, (hosts, instances)))
            wait.tell(f"waiting for {what} to go")
            if not wait.pause(what):
                raise Failed(f"Still there after {wait.seconds:.0f} s: {what}. Type the same command again to go on.")

    def _scale_to_none(self, group: Mapping[str, Any]) -> None:
        autoscaling, name = self.client("autoscaling"), group["AutoScalingGroupName"]
        protected = [each["InstanceId"] for each in group["Instances"] if each.get("ProtectedFromScaleIn")]
        for start in range(0, len(protected), 50):
            autoscaling.set_instance_protection(
                AutoScalingGroupName=name, InstanceIds=protected[start : start + 50], ProtectedFromScaleIn=False
            )
            self.changed = True
        if group["MinSize"] or group["DesiredCapacity"]:
            self.say("hosts", f"{name} is to have none", "yellow")
            autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=0, DesiredCapacity=0)
            self.changed = True

    def _let_go(self, group: Mapping[str, Any], instances: list[str]) -> None:
        autoscaling, name = self.client("autoscaling"), group["AutoScalingGroupName"]
        hooks = autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]
        for instance, hook in itertools.product(instances, hooks):
            try:
                autoscaling.complete_lifecycle_action(
                    AutoScalingGroupName=name,
                    LifecycleHookName=hook["LifecycleHookName"],
                    InstanceId=instance,
                    LifecycleActionResult="CONTINUE",
                )
            except ClientError as error:
                # ValidationError: this hook does not hold this instance (any more); another one may.
                if error.response["Error"]["Code"] != "ValidationError":
                    raise

    def _deregister(self, instance: Mapping[str, Any]) -> None:
        arn = instance["containerInstanceArn"]
        try:
            self.ecs.deregister_container_instance(cluster=self.cluster, containerInstance=arn, force=True)
        except ClientError as error:
            if "not found" not in str(error).lower():  # it went by itself in between
                raise
        self.changed = True

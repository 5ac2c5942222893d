"""Draining a host of an ECS cluster, and letting it take tasks again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Failed, Say, Wait
from plugins.plugin_utils.ecs import chunks, container_instances, listed, tasks
from plugins.plugin_utils.ecs_placement import REMEDY, without_room

SERVICE = "service:"
"""How the group of a task begins that a service keeps."""
EVENTS = 2
"""How many of each service's last events go into a failure's message."""


class HostDraining:
    """One host.

    Args:
        ecs: a boto3 client.
        cluster: name or ARN.
        host: id of the EC2 instance.
        say: shows a line.
        wait: makes a wait with the deadline.
        stop_tasks: whether tasks without a place elsewhere are stopped.
        check_mode: whether nothing may be changed.
        coming: how many more hosts come for tasks that have no place.

    Attributes:
        changed: whether something was changed, or would be.
        stopped: ARNs of the tasks that were stopped.
    """

    def __init__(
        self,
        ecs: Any,
        cluster: str,
        host: str,
        say: Say,
        wait: Callable[[], Wait],
        stop_tasks: bool = False,
        check_mode: bool = False,
        coming: Callable[[], int] = lambda: 0,
    ) -> None:
        self._coming = coming
        self.ecs, self.cluster, self.host, self.say = ecs, cluster, host, say
        self._wait, self._stop_tasks, self.check_mode = wait, stop_tasks, check_mode
        self.changed = False
        self.stopped: list[str] = []

    def _all(self, query: str = "") -> list[dict[str, Any]]:
        try:
            return container_instances(self.ecs, self.cluster, query)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ClusterNotFoundException":
                return []
            raise

    def find(self) -> dict[str, Any] | None:
        """The container instance of the host; one that is connected if the machine has registered twice."""
        # Asked for alone: of a thousand hosts, each would otherwise look through all, at each look of its waits.
        return max(
            self._all(f"ec2InstanceId == {self.host}"), key=lambda each: bool(each.get("agentConnected")), default=None
        )

    def _set(self, instance: Mapping[str, Any], state: str) -> None:
        self.changed = True
        if self.check_mode:
            return
        answer = self.ecs.update_container_instances_state(
            cluster=self.cluster, containerInstances=[instance["containerInstanceArn"]], status=state
        )
        if answer["failures"]:
            reason = answer["failures"][0].get("reason") or "no reason given"
            raise Failed(f"{self.host} cannot be set {state}: {reason}")

    # Taking tasks again

    def activate(self, instance: dict[str, Any] | None) -> dict[str, Any]:
        """Let the host take tasks, and wait until it does and the services are whole; keys of a result.

        Args:
            instance: of `find`.

        Raises:
            Failed: it is not so in time.
        """
        if self.check_mode:
            if instance and instance["status"] != "ACTIVE":
                self._set(instance, "ACTIVE")
            return {}
        wait = self._wait()
        while lack := self._lacks(instance):
            wait.tell(lack)
            if not wait.pause(lack):
                raise Failed(f"{self.host}: {lack}, after {wait.seconds:.0f} s.{self._why_not(instance)}")
            instance = self.find()
        if self.changed:
            self.say(self.host, "takes tasks again", "green")
        return {}

    def _lacks(self, instance: dict[str, Any] | None) -> str:
        """What a host still lacks that is to take tasks; sets it ACTIVE as soon as it can."""
        if not instance:
            return f"its agent has not registered with the cluster {self.cluster}"
        if instance["status"] != "ACTIVE":
            self._set(instance, "ACTIVE")
        if not instance.get("agentConnected"):
            return "its agent is not connected"
        # The next host is drained after this one: what was stopped here must have its place again.
        short = [each for each in self._all_services() if each["runningCount"] < each["desiredCount"]]
        if self.changed and short:
            named = (
                f"{each['runningCount']} of {each['desiredCount']} tasks of {each['serviceName']}" for each in short
            )
            return f"not all tasks are back: {', '.join(named)} running"
        return ""

    def _why_not(self, instance: Mapping[str, Any] | None) -> str:
        if not instance or not instance.get("agentConnected"):
            return "\n  See on the host: systemctl status ecs, and /var/log/ecs/ecs-agent.log"
        events = [event["message"] for each in self._all_services() for event in each.get("events", [])[:EVENTS]]
        return "".join(f"\n  {event}" for event in events)

    def _all_services(self) -> list[dict[str, Any]]:
        arns = listed(self.ecs, "list_services", "serviceArns", cluster=self.cluster)
        return self._described(arns)

    # Draining

    def drain(self, instance: dict[str, Any] | None) -> dict[str, Any]:
        """Let the host take no more tasks, and wait until it has none; keys of a result.

        Args:
            instance: of `find`.

        Raises:
            Failed: its tasks have no place elsewhere, or it is not so in time, with what keeps them.
        """
        if instance is None:
            return {}
        homeless, why = self._homeless(instance)
        if homeless and not self._stop_tasks:
            state = "stays DRAINING" if instance["status"] == "DRAINING" else "was not drained"
            message = f"{self.host} {state}: ECS would never stop {_names(homeless)}, because {why}."
            if not self.check_mode:
                raise Failed(message, reason="no place")
            self._mark(instance)
            return {"warnings": [message]}
        self._mark(instance)
        if not self.check_mode:
            for task in homeless:
                self._stop(task, why)
            self._wait_until_drained(instance["containerInstanceArn"])
        return {}

    def _mark(self, instance: Mapping[str, Any]) -> None:
        if instance["status"] != "DRAINING":
            self._set(instance, "DRAINING")
            if not self.check_mode:
                self.say(self.host, "takes no new tasks")

    def _stop(self, task: Mapping[str, Any], why: str) -> None:
        self.say(self.host, f"stopping {_names([task])}, because {why}", "yellow")
        self.ecs.stop_task(cluster=self.cluster, task=task["taskArn"], reason=f"{self.host} is being drained")
        self.stopped.append(task["taskArn"])
        self.changed = True

    def _tasks(self, arn: str) -> list[dict[str, Any]]:
        """The tasks of a host that hold on to it, those that are being stopped included."""
        arns = [
            task
            for desired in ("RUNNING", "STOPPED")
            for task in listed(
                self.ecs, "list_tasks", "taskArns", cluster=self.cluster, containerInstance=arn, desiredStatus=desired
            )
        ]
        return [task for task in tasks(self.ecs, self.cluster, arns) if task["lastStatus"] != "STOPPED"]

    def _wait_until_drained(self, arn: str) -> None:
        wait = self._wait()
        while True:
            left = self._tasks(arn)
            if not left and self._shows_none(arn):
                if self.changed:
                    self.say(self.host, "drained", "green")
                return
            runs = _names(left) if left else "tasks, by the count of ECS"
            wait.tell(f"still runs {runs}")
            if not wait.pause(runs):
                raise Failed(f"{self.host} still runs {runs} after {wait.seconds:.0f} s.{self._why(left)}")

    def _shows_none(self, arn: str) -> bool:
        """Whether one description of the host shows it DRAINING and without tasks: so it is newer than the request.

        ListTasks alone may not show yet what was placed right before it.
        """
        found = self.ecs.describe_container_instances(cluster=self.cluster, containerInstances=[arn])
        return all(  # of one at most; of none where it has gone altogether
            each["status"] == "DRAINING" and not each["runningTasksCount"] + each["pendingTasksCount"]
            for each in found["containerInstances"]
        )

    def _why(self, left: list[dict[str, Any]]) -> str:
        """What is known about tasks that stay."""
        lines = []
        instance = self.find()
        if not (instance or {}).get("agentConnected"):
            lines.append("Its agent is not connected, so nothing can tell its tasks to stop: systemctl restart ecs")
        if single := [task for task in left if not _service(task)]:
            lines.append(f"No service keeps {_names(single)}: wait for its end, or stop it with aws ecs stop-task")
        for name, service in self._services(left).items():
            lines += self._no_place(name, service["taskDefinition"])
            lines += [event["message"] for event in service.get("events", [])[:EVENTS]]
        return "".join(f"\n  {line}" for line in lines)

    def _no_place(self, service: str, definition: str) -> list[str]:
        """The arithmetic of a service's task that no host takes now."""
        found = self.ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
        arithmetic = without_room(self.ecs, self.cluster, found)
        return [f"No host takes another task of {service}: {arithmetic}. {REMEDY}"] if arithmetic else []

    # Where tasks could go

    def _services(self, some: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        names = sorted({name for task in some if (name := _service(task))})
        return {service["serviceName"]: service for service in self._described(names)}

    def _described(self, services: list[str]) -> list[dict[str, Any]]:
        return [
            service
            for part in chunks(services, 10)
            for service in self.ecs.describe_services(cluster=self.cluster, services=part)["services"]
        ]

    def _homeless(self, instance: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
        """The service tasks of a host that ECS would keep for ever because no other host can take them; and why."""
        mine = [
            task
            for task in self._tasks(instance["containerInstanceArn"])
            if _service(task) and task["desiredStatus"] == "RUNNING"
        ]
        services = self._services(mine)
        bound = [task for task in mine if _is_bound(services.get(_service(task)))]
        if not bound:
            return [], ""
        others = [
            each
            for each in self._all()
            if each["status"] == "ACTIVE" and each.get("agentConnected") and each.get("ec2InstanceId") != self.host
        ]
        if not others:
            return ([], "") if self._coming() else (bound, "no other host of the cluster takes tasks")
        if frozen := [task for task in bound if _is_frozen(services[_service(task)])]:
            return frozen, "minimumHealthyPercent and maximumPercent of their service allow neither a stop nor a start"
        # A drain that was begun has started replacements already, which hold the room that is looked for here.
        if instance["status"] == "DRAINING":
            return [], ""
        rooms = [_Room(other) for other in others]
        largest_first = sorted(bound, key=lambda task: _needs(task)["MEMORY"], reverse=True)
        homeless = [task for task in largest_first if not any(room.takes(task) for room in rooms)]
        # Their replacements wait for a host, and the drain for them.
        if homeless and self._coming():
            return [], ""
        return homeless, "no other host has room for it"


class _Room:
    """What a host has left, as tasks are put on it in thought."""

    def __init__(self, instance: Mapping[str, Any]) -> None:
        self._provider = instance.get("capacityProviderName")
        self._left = {each["name"]: each.get("integerValue", 0) for each in instance.get("remainingResources", [])}

    def takes(self, task: Mapping[str, Any]) -> bool:
        """Put a task here if it fits."""
        needs = _needs(task)
        if task.get("capacityProviderName") not in (None, self._provider):
            return False
        if any(self._left.get(name, 0) < amount for name, amount in needs.items()):
            return False
        self._left = {name: left - needs.get(name, 0) for name, left in self._left.items()}
        return True


def _needs(task: Mapping[str, Any]) -> dict[str, int]:
    """CPU units and MiB that the scheduler would set aside for a task like this one."""
    containers = task.get("containers", [])
    memory = sum(int(each.get("memoryReservation") or each.get("memory") or 0) for each in containers)
    cpu = sum(int(each.get("cpu") or 0) for each in containers)
    return {"MEMORY": int(task.get("memory") or 0) or memory, "CPU": int(task.get("cpu") or 0) or cpu}


def _service(task: Mapping[str, Any]) -> str:
    """Name of the service that keeps a task, empty for a one-off task."""
    group = str(task.get("group") or "")
    return group.removeprefix(SERVICE) if group.startswith(SERVICE) else ""


def _is_bound(service: Mapping[str, Any] | None) -> bool:
    """Whether a service's tasks are stopped only for replacements: its lower bound is what it runs."""
    if service is None or service.get("schedulingStrategy") == "DAEMON" or service["status"] != "ACTIVE":
        return False
    desired = int(service["desiredCount"])
    minimum = int((service.get("deploymentConfiguration") or {}).get("minimumHealthyPercent", 100))
    return math.ceil(desired * minimum / 100) >= desired > 0


def _is_frozen(service: Mapping[str, Any]) -> bool:
    """Whether a service may not start a replacement first either."""
    desired = int(service["desiredCount"])
    maximum = int((service.get("deploymentConfiguration") or {}).get("maximumPercent", 200))
    return math.floor(desired * maximum / 100) <= desired


def _names(some: list[dict[str, Any]] | list[Mapping[str, Any]]) -> str:
    """Tasks in one phrase, with the services that keep them."""
    phrases = [
        f"{task['taskArn'].rsplit('/', 1)[-1][:8]} of {_service(task) or task.get('group') or 'no service'}"
        for task in some
    ]
    return f"task{'s' if len(phrases) > 1 else ''} {', '.join(phrases)}"

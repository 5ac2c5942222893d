"""Stop a one-off task of an ECS cluster and wait until it has ended."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_task_stop import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.ecs import listed, short, some, stop_reason, tasks
from plugins.plugin_utils.places import verb

NAME = "task"
SERVICE = "service:"
"""What the group of a service's task begins with."""


class ActionModule(AwsAction):
    """See plugins/modules/ecs_task_stop.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Stop it, and wait.

        Raises:
            Failed: there is no such task, it is a service's, or it does not end.
        """
        task = self._found()
        name, group = short(task["taskArn"]), str(task.get("group", ""))
        if group.startswith(SERVICE):
            raise Failed(
                f"{name} is a task of the {group.replace(':', ' ')}, which would start another. To replace it: "
                f"{verb('restart.yml')}"
            )
        if task["lastStatus"] == "STOPPED":
            return {"changed": False, **self._result(task)}
        if self.check_mode:
            self.say(NAME, f"{name} would be stopped; it is {task['lastStatus']}")
            return {"changed": True}
        self.client("ecs").stop_task(cluster=self.arguments["cluster"], task=task["taskArn"], reason="stopped by hand")
        wait = Wait(self.arguments["timeout"], self.say, NAME)
        while task["lastStatus"] != "STOPPED":
            wait.tell(f"{name} is {task['lastStatus']}")
            if not wait.pause(f"{name} to end"):
                raise Failed(f"{name} was told to end and is still {task['lastStatus']} after {wait.seconds:.0f} s.")
            task = self._described(name) or task | {"lastStatus": "STOPPED"}
        self.say(NAME, f"{name} has ended: {stop_reason(task)}", "green")
        return {"changed": True, **self._result(task)}

    def _found(self) -> dict[str, Any]:
        name = short(self.arguments["task"])
        if found := self._described(name):
            return found
        running = [short(each["taskArn"]) for each in self._one_offs()]
        there = f"these run: {some(running)}" if running else "none runs"
        raise Failed(f"There is no one-off task {name} in the cluster {self.arguments['cluster']} any more; {there}.")

    def _described(self, name: str) -> dict[str, Any] | None:
        try:
            return next(iter(tasks(self.client("ecs"), self.arguments["cluster"], [name])), None)
        except ClientError as error:  # what is no id at all
            if error.response["Error"]["Code"] in ("InvalidParameterException", "ClusterNotFoundException"):
                return None
            raise

    def _one_offs(self) -> list[dict[str, Any]]:
        ecs, cluster = self.client("ecs"), self.arguments["cluster"]
        try:
            arns = listed(ecs, "list_tasks", "taskArns", cluster=cluster)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ClusterNotFoundException":
                return []
            raise
        return [each for each in tasks(ecs, cluster, arns) if not str(each.get("group", "")).startswith(SERVICE)]

    @staticmethod
    def _result(task: dict[str, Any]) -> dict[str, Any]:
        return {"exit_codes": {each["name"]: each.get("exitCode") for each in task.get("containers", [])}}

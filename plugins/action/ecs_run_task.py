"""Run a one-off task on an ECS cluster, show its log while it runs, and wait for its exit code."""

from __future__ import annotations

import datetime
import functools
import re
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_run_task import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait, reason
from plugins.plugin_utils.container_log import ContainerLog
from plugins.plugin_utils.ecs import listed, short, tasks, why_stopped
from plugins.plugin_utils.ecs_placement import without_room
from plugins.plugin_utils.expected import Duration
from plugins.plugin_utils.maintenance_switch import Switch, Wanted
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.revisions import SUCCESS, ended_well

NAME = "task"
NO_ROOM = ("RESOURCE:", "AGENT")
"""Reasons of a failed placement that pass: no memory, CPU or port is free now, or an agent is not connected now.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html
"""
NO_HOST = "ATTRIBUTE"
"""Reason of one that does not pass: no host has what the task needs."""
MISSING_SECONDS = 60.0
"""For how long DescribeTasks may not know a task: the API is eventually consistent (see RunTask)."""
NO_SUCH_COMMAND = (126, 127)
"""Exit codes by which shells, and a container's first process, say that a command cannot be run, or is not there."""
NOT_STARTED = re.compile(r"executable file not found|no such file or directory|permission denied", re.IGNORECASE)
"""What Docker says of such a command, as the reason why a container was not started."""
STARTED_BY = re.compile(r"[A-Za-z0-9_/-]{1,128}")
"""What ECS takes as `startedBy` (RunTask)."""


def _changes(overrides: Mapping[str, Any] | None) -> list[tuple[str, list[str], list[tuple[str, str]]]]:
    """What is different in each container, in an order that does not depend on who says it."""
    return sorted(
        (each["name"], each.get("command", []), _environment(each))
        for each in (overrides or {}).get("containerOverrides", [])
        if each.get("command") or each.get("environment")
    )


def _environment(override: Mapping[str, Any]) -> list[tuple[str, str]]:
    return sorted((variable["name"], variable["value"]) for variable in override.get("environment", []))


class ActionModule(AwsAction):
    """See plugins/modules/ecs_run_task.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Start the task and wait for its end.

        Raises:
            Failed: it could not be started, ended with another exit code than 0, or did not end in time.
        """
        self._check_started_by()
        ecs = self.client("ecs")
        found = self._definition(ecs)
        definition = found["taskDefinition"]
        overrides = self._overrides(definition)
        ended = ended_well(found)
        revision = short(definition["taskDefinitionArn"])
        if ended and not self.arguments["again"]:
            return {"changed": False, "msg": f"{revision} ran well at {ended}."}
        if self.arguments["passed_over"]:
            if not self.check_mode:
                self._record(ecs, definition["taskDefinitionArn"])
            return {"changed": False, "msg": f"{revision} is passed over."}
        self._refuse_others(ecs, definition, overrides)
        self._keep_visitors_out()
        if self.check_mode:
            return {"changed": True, "msg": f"{revision} would be run."}
        wait = Wait(self.arguments["timeout"], self.say, NAME)
        # Another command is another matter each time.
        name = "" if overrides else f"task.{revision.partition(':')[0]}"
        duration = Duration(self.client, short(self.arguments["cluster"]), name)
        if own := self._own_command(definition):
            self.say(NAME, f"{own} was given no command: its image's own one runs", "yellow")
        task = self._start(ecs, definition, overrides, wait)
        if self.arguments["detach"]:
            return self._result(task, {}, definition, wait)
        clients = functools.partial(self.client, "logs")
        logs = {
            container["name"]: log
            for container in definition["containerDefinitions"]
            if (log := ContainerLog.of(clients, container, task["taskArn"], self.arguments["log_lines"]))
        }
        wait.expects(duration.expected)
        task = self._ended(ecs, definition, task, logs, wait)
        result = self._result(task, logs, definition, wait)
        essential = {each["name"] for each in definition["containerDefinitions"] if each.get("essential", True)}
        if any(result["exit_codes"].get(name) != 0 for name in essential):
            raise Failed(f"The one-off {why_stopped([task])[0]}.{_not_there(task)}{_tails(logs)}", **result)
        self.say(NAME, f"ended with exit code 0 after {result['seconds']} s", "green")
        if not overrides:
            self._record(ecs, definition["taskDefinitionArn"])
        duration.took(_lasted(task))
        return result

    def _ended(
        self, ecs: Any, definition: dict[str, Any], task: dict[str, Any], logs: dict[str, ContainerLog], wait: Wait
    ) -> dict[str, Any]:
        """Show what it writes until it has stopped; the task as ECS describes it then.

        Raises:
            Failed: it does not end in time, and is stopped; or ECS knows it no more.
        """
        cluster, arn = self.arguments["cluster"], task["taskArn"]
        seen = wait.elapsed
        while task["lastStatus"] != "STOPPED":
            wait.tell(task["lastStatus"])
            for log in logs.values():
                if log.read(self.say):
                    wait.heard()
            if not wait.pause(f"the task to end (it is {task['lastStatus']})"):
                ecs.stop_task(cluster=cluster, task=arn, reason=f"still running after {wait.seconds:.0f} s")
                message = f"was still {task['lastStatus']} after {wait.seconds:.0f} s and has been stopped (timeout)."
                own = self._own_command(definition)
                hint = f" {own} was given no command, so its image's own one ran, a server perhaps." if own else ""
                raise Failed(f"The task {message}{hint}{_tails(logs)}", **self._result(task, logs, definition, wait))
            found = ecs.describe_tasks(cluster=cluster, tasks=[arn])
            if found["tasks"]:
                task, seen = found["tasks"][0], wait.elapsed
            elif wait.elapsed - seen > MISSING_SECONDS:
                raise Failed(
                    f"ECS has not known {arn} for {MISSING_SECONDS:.0f} s; its hosts are gone.",
                    changed=True,
                    task_arn=arn,
                )
        for log in logs.values():
            log.read(self.say)
        return task

    def _keep_visitors_out(self) -> None:
        """With `maintenance`: show visitors its page from now on; who runs this lets them in again."""
        given = self.arguments["maintenance"]
        if given:
            wanted = Wanted(given["page"], given["beside"], "", given["allowed_cidrs"], given["by"])
            Switch(self.client, self.say, given["prefix"], given["tags"], self.check_mode).on(wanted)

    def _definition(self, ecs: Any) -> dict[str, Any]:
        name = self.arguments["task_definition"]
        try:
            return dict(ecs.describe_task_definition(taskDefinition=name, include=["TAGS"]))
        except ClientError as error:
            if "Unable to describe task definition" in error.response["Error"].get("Message", ""):
                raise Failed(f"There is no task definition {name} yet. Type: {verb('site.yml')}") from None
            raise

    def _record(self, ecs: Any, definition: str) -> None:
        """Remember a success at the revision itself: a service's release does not tell whether its job has run."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        try:
            ecs.tag_resource(resourceArn=definition, tags=[{"key": SUCCESS, "value": now}])
        except ClientError as error:
            self.say(NAME, f"will run again next time, as its success cannot be recorded: {reason(error)}", "yellow")

    def _own_command(self, definition: Mapping[str, Any]) -> str:
        """The essential containers that run what their image says."""
        given = self.arguments["overrides"]
        return ", ".join(
            each["name"]
            for each in definition["containerDefinitions"]
            if each.get("essential", True) and not each.get("command") and "command" not in given.get(each["name"], {})
        )

    def _overrides(self, definition: Mapping[str, Any]) -> list[dict[str, Any]]:
        names = [container["name"] for container in definition["containerDefinitions"]]
        overrides = []
        for name, changes in self.arguments["overrides"].items():
            if name not in names:
                raise Failed(f"overrides names the container {name}; the task definition has {', '.join(names)}.")
            if unknown := set(changes) - {"command", "environment"}:
                raise Failed(f"overrides of {name} has {', '.join(sorted(unknown))}; it may have command, environment.")
            environment = [{"name": key, "value": str(value)} for key, value in changes.get("environment", {}).items()]
            override: dict[str, Any] = {"name": name, "environment": environment}
            if "command" in changes:
                override["command"] = [str(word) for word in changes["command"]]
            overrides.append(override)
        return overrides

    def _check_started_by(self) -> None:
        wanted = self.arguments["started_by"]
        if wanted and not STARTED_BY.fullmatch(wanted):
            raise Failed(
                f"started_by is {wanted!r}; ECS takes at most 128 letters, digits, hyphens, slashes and underscores."
            )

    def _running(self, ecs: Any, definition: str, overrides: list[dict[str, Any]]) -> dict[str, Any] | None:
        """A task that does the same already: a run before this one was interrupted, or is beside it."""
        if not self.arguments["started_by"] or not self.arguments["join"]:
            return None
        cluster = self.arguments["cluster"]
        # ECS takes no other filter beside startedBy (ListTasks).
        arns = listed(ecs, "list_tasks", "taskArns", cluster=cluster, startedBy=self.arguments["started_by"])
        for task in tasks(ecs, cluster, arns):
            same = task["taskDefinitionArn"] == definition and _changes(task.get("overrides")) == _changes(
                {"containerOverrides": overrides}
            )
            if same and task["desiredStatus"] == "RUNNING" and task["lastStatus"] != "STOPPED":
                return task
        return None

    def _refuse_others(self, ecs: Any, definition: Mapping[str, Any], overrides: list[dict[str, Any]]) -> None:
        """With `alone`: end here if a task of the family runs that is not the one to be joined."""
        if not self.arguments["alone"]:
            return
        others = self._others(ecs, definition)
        if others and not self._running(ecs, definition["taskDefinitionArn"], overrides):
            raise Failed(_busy(definition["family"], others[0]))

    def _others(self, ecs: Any, definition: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The tasks of the family that run, are about to, or were told to end and have not, whoever started them."""
        cluster, family = self.arguments["cluster"], definition["family"]
        arns = [
            arn
            for desired in ("RUNNING", "STOPPED")
            for arn in listed(ecs, "list_tasks", "taskArns", cluster=cluster, family=family, desiredStatus=desired)
        ]
        return [task for task in tasks(ecs, cluster, arns) if task["lastStatus"] != "STOPPED"]

    def _give_way(self, ecs: Any, definition: Mapping[str, Any], task: Mapping[str, Any]) -> None:
        """With `alone`: of two that were started at the same moment the later one ends, before its container starts."""
        if not self.arguments["alone"]:
            return
        own = (_when(task), task["taskArn"])
        others = [each for each in self._others(ecs, definition) if (_when(each), each["taskArn"]) < own]
        if others:
            ecs.stop_task(cluster=self.arguments["cluster"], task=task["taskArn"], reason="another one runs already")
            raise Failed(_busy(definition["family"], others[0]), changed=True)

    def _start(
        self, ecs: Any, definition: Mapping[str, Any], overrides: list[dict[str, Any]], wait: Wait
    ) -> dict[str, Any]:
        arn = definition["taskDefinitionArn"]
        if running := self._running(ecs, arn, overrides):
            name = short(running["taskArn"])
            self.say(NAME, f"{name} does this already: waiting for it instead of starting another", "yellow")
            return running
        request: dict[str, Any] = {"cluster": self.arguments["cluster"], "taskDefinition": arn, "count": 1}
        if overrides:
            request["overrides"] = {"containerOverrides": overrides}
        if self.arguments["started_by"]:
            request["startedBy"] = self.arguments["started_by"]
        if self.arguments["capacity_provider"]:
            request["capacityProviderStrategy"] = [{"capacityProvider": self.arguments["capacity_provider"]}]
        elif self.arguments["launch_type"]:
            request["launchType"] = self.arguments["launch_type"]
        while True:
            # What botocore repeats bears the same token and starts nothing twice. After a refusal the token is another
            # one: ECS answers a known token by what it answered before.
            # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ECS_Idempotency.html
            answer = ecs.run_task(**request, clientToken=uuid.uuid4().hex)
            if answer["tasks"]:
                task: dict[str, Any] = answer["tasks"][0]
                self._give_way(ecs, definition, task)
                # Said now: who ends this run ends nothing there, and may not be able to say anything any more.
                self.say(
                    NAME, f"{short(task['taskArn'])} started; it goes on if this run is ended, until: {_stop(task)}"
                )
                return task
            reasons = sorted({str(failure.get("reason")) for failure in answer["failures"]})
            why = ", ".join(reasons) or "no reason given"
            if not reasons or not all(each.startswith(NO_ROOM) for each in reasons):
                lacking = self._numbers(ecs, definition) if NO_HOST in reasons else ""
                raise Failed(f"The task cannot be started: {why}{lacking}")
            numbers = self._numbers(ecs, definition)
            wait.tell(f"no host has room for it ({why}{numbers}); trying again", "yellow")
            if not wait.pause(f"room for it ({why})"):
                raise Failed(
                    f"The task cannot be started: {why}, for {wait.seconds:.0f} s{numbers}. Raise min of site_hosts, "
                    "or lower mem_limit or mem_reservation of the containers."
                )

    def _numbers(self, ecs: Any, definition: Mapping[str, Any]) -> str:
        """What it takes and what the hosts have left, to follow ECS's word; empty where nobody can say it."""
        cluster, provider = self.arguments["cluster"], self.arguments["capacity_provider"]
        try:
            numbers = without_room(ecs, cluster, definition, provider)
        except (BotoCoreError, ClientError):  # it only explains: what keeps it from that must not end the wait
            return ""
        return f": {numbers}" if numbers else ""

    @staticmethod
    def _result(
        task: Mapping[str, Any], logs: Mapping[str, ContainerLog], definition: Mapping[str, Any], wait: Wait
    ) -> dict[str, Any]:
        begun, ended = task.get("startedAt"), task.get("stoppedAt")
        return {
            "changed": True,
            "task_arn": task["taskArn"],
            "task_definition": definition["taskDefinitionArn"],
            "exit_codes": {each["name"]: each.get("exitCode") for each in task.get("containers", [])},
            "seconds": round((ended - begun).total_seconds() if begun and ended else wait.elapsed),
            "stopped_reason": task.get("stoppedReason", ""),
            "log": {name: log.tail for name, log in logs.items()},
        }


def _stop(task: Mapping[str, Any]) -> str:
    """What to type to end a task."""
    return f"{verb('run.yml')} -e stop={short(task['taskArn'])}"


def _when(task: Mapping[str, Any]) -> float:
    """When a task was made, in seconds since 1970; one of which that is not known is the later."""
    made = task.get("createdAt")
    return made.timestamp() if made else float("inf")


def _lasted(task: Mapping[str, Any]) -> float:
    """For how many seconds a task was there that has ended, whoever started it; 0 if that is not known."""
    made, ended = task.get("createdAt"), task.get("stoppedAt")
    return float((ended - made).total_seconds()) if made and ended else 0.0


def _busy(family: str, task: Mapping[str, Any]) -> str:
    """That another task of the family runs."""
    made = task.get("createdAt")
    since = f" since {made.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S}Z" if made else ""
    whose = f" started by {task['startedBy']}" if task.get("startedBy") else ""
    return (
        f"A task of {family} runs already: {short(task['taskArn'])}{whose}{since}, {task['lastStatus']}. Two of them "
        f"at once would harm each other. Let it end and type the same command again; to end it: {_stop(task)}"
    )


def _not_there(task: Mapping[str, Any]) -> str:
    """What to say besides of a command that the image has not."""
    for each in task.get("containers", []):
        if each.get("exitCode") in NO_SUCH_COMMAND or NOT_STARTED.search(each.get("reason", "")):
            return (
                f" The image of {each['name']} seems to have no such command, or may not run it; pipes and variables "
                "need a shell: sh -c '…'."
            )
    return ""


def _tails(logs: Mapping[str, ContainerLog]) -> str:
    """The ends of the logs, for the message."""
    return "".join(f"\n  {name}: {line}" for name, log in logs.items() for line in log.tail[-10:])

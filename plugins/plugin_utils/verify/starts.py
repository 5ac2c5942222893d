"""Starts on a host that start nothing: what ECS does before a container's first instruction, and then no instruction.

A task whose entry point does not exist ends with that complaint after the agent has pulled its image, read its secrets
with the execution role, mounted its volumes and opened its log, each as it does for the site; and any image will do,
as nothing of it runs. It takes no ssh, and nobody but the agent sees a secret.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from plugins.plugin_utils.aws_action import Wait, reason
from plugins.plugin_utils.container_log import stream_name
from plugins.plugin_utils.ecs import chunks, listed, stop_reason, tasks
from plugins.plugin_utils.verify.subjects import Secret, Task

ENTRY = "/berth-verify"
"""Entry point that no image has."""
NAME = "verify"
MEMORY, MOST_MEMORY = 8, 64
"""MiB that a start takes of its host, and that runc may need for a moment; Docker's least is 6."""
PLACES = ("RESOURCE:", "AGENT", "No Container Instances")
"""Beginnings of why a task has no place that say nothing about what it is to prove."""
REFUSED = ("AccessDenied", "NotAuthorized", "Throttl", "Server", "Unavailable")
"""Parts of the codes of errors that say nothing about it either."""
DEADLINE = "it was still under way after {seconds:.0f} s"
AT_ONCE = 10
"""Starts under way at a time."""
NO_ROOM = "RESOURCE:"
MISSING_SECONDS = 60.0
"""For how long DescribeTasks may not know a task: the API is eventually consistent (see RunTask)."""


@dataclass(frozen=True)
class Start:
    """One start.

    Attributes:
        task: whose roles, log group and volumes it has.
        image: that is pulled.
        secrets: that are read.
        volumes: names of those that are mounted.
    """

    task: Task
    image: str
    secrets: tuple[Secret, ...] = ()
    volumes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of a start: everything before the first instruction went well, or not, or nobody can tell."""

    state: Literal["good", "bad", "unknown"]
    reason: str = ""


GOOD = Outcome("good")


def request(start: Start, family: str, region: str) -> dict[str, Any]:
    """RegisterTaskDefinition for a start.

    Volumes are mounted read-only, at places that no image has: Docker fills an empty one with what an image has there.
    https://docs.docker.com/engine/storage/volumes/#populate-a-volume-using-a-container
    """
    definition = start.task.definition
    container: dict[str, Any] = {
        "name": NAME,
        "image": start.image,
        "essential": True,
        "entryPoint": [ENTRY],
        "memory": MOST_MEMORY,
        "memoryReservation": MEMORY,
        "secrets": [{"name": each.name, "valueFrom": each.where} for each in start.secrets],
        "mountPoints": [
            {"sourceVolume": name, "containerPath": f"{ENTRY}-{number}", "readOnly": True}
            for number, name in enumerate(start.volumes)
        ],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": start.task.log_group,
                "awslogs-region": region,
                "awslogs-stream-prefix": NAME,
            },
        },
    }
    roles = {name: definition[name] for name in ("executionRoleArn", "taskRoleArn") if definition.get(name)}
    return {
        "family": family,
        "networkMode": "bridge",
        "requiresCompatibilities": ["EC2"],
        "containerDefinitions": [container],
        "volumes": [start.task.volumes[name] for name in start.volumes],
        **roles,
    }


def read(task: Mapping[str, Any]) -> Outcome:
    """The outcome of a task that has stopped (of DescribeTasks)."""
    container: Mapping[str, Any] = next(iter(task.get("containers", [])), {})
    why = str(container.get("reason") or "")
    if "CannotStartContainerError" in why and ENTRY in why:
        return GOOD
    if str(task.get("stoppedReason", "")).startswith("Host EC2"):
        return Outcome("unknown", "its host went away meanwhile")
    return Outcome("bad", stop_reason(task))


class Starts:
    """Starts tasks, and leaves nothing of them.

    Args:
        client: gives a boto3 client by the service's name.
        cluster: name of the cluster; `<cluster>-verify` is the family.
        region: of the log groups.
        wait: with a deadline for all of them.
        host: id of the EC2 instance on which alone they are started; any by default.
    """

    def __init__(
        self, client: Callable[[str], Any], cluster: str, region: str, wait: Callable[[], Wait], host: str = ""
    ) -> None:
        self._client, self._cluster, self._region, self._wait = client, cluster, region, wait
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-query-language.html
        only = {"type": "memberOf", "expression": f"ec2InstanceId == {host}"}
        self._constraints = {"placementConstraints": [only]} if host else {}

    def outcomes(self, starts: Sequence[Start]) -> list[Outcome]:
        """What became of each, in their order. As many at a time as there is room for.

        Raises:
            ClientError: the tasks could not be watched.
        """
        ecs = self._client("ecs")
        found: dict[int, Outcome] = {}
        tasks_of: dict[str, int] = {}
        definitions = self._forgotten(ecs) if starts else []
        pending = [(number, self._register(ecs, start, definitions)) for number, start in enumerate(starts)]
        try:
            wait = self._wait()
            running: dict[str, int] = {}
            seen: dict[str, float] = {}
            while pending or running:
                self._begin(ecs, pending, running, found)
                tasks_of |= running
                if running:
                    seen |= {arn: wait.elapsed for arn in running if arn not in seen}
                    self._look(ecs, running, found, seen, wait.elapsed)
                if running and not wait.pause(f"{len(running)} starts on the hosts"):
                    late = DEADLINE.format(seconds=wait.seconds)
                    found |= {number: Outcome("unknown", late) for number in (*running.values(), *dict(pending))}
                    break
        finally:
            self._clean(ecs, {arn: starts[number] for arn, number in tasks_of.items()}, definitions)
        return [found[number] for number in range(len(starts))]

    def _register(self, ecs: Any, start: Start, definitions: list[str]) -> str | Outcome:
        try:
            made = ecs.register_task_definition(**request(start, f"{self._cluster}-{NAME}", self._region))
        except (BotoCoreError, ClientError) as error:
            return _error(error)
        definitions.append(made["taskDefinition"]["taskDefinitionArn"])
        return definitions[-1]

    def _begin(
        self,
        ecs: Any,
        pending: list[tuple[int, str | Outcome]],
        running: dict[str, int],
        found: dict[int, Outcome],
    ) -> None:
        """Start what can be started now; what has no room is left for when another has ended."""
        while pending and len(running) < AT_ONCE:
            number, definition = pending[0]
            outcome = definition if isinstance(definition, Outcome) else self._run(ecs, definition, number, running)
            if outcome and outcome.state == "unknown" and running and NO_ROOM in outcome.reason:
                return
            pending.pop(0)
            if outcome:
                found[number] = outcome

    def _run(self, ecs: Any, definition: str, number: int, running: dict[str, int]) -> Outcome | None:
        """Start a task; what is wrong where that cannot be done."""
        try:
            # Not by the capacity provider, which would add a host where there is no room, and not for this.
            answer = ecs.run_task(
                cluster=self._cluster,
                taskDefinition=definition,
                count=1,
                launchType="EC2",
                startedBy=NAME,
                **self._constraints,
            )
        except (BotoCoreError, ClientError) as error:
            return _error(error)
        if answer["tasks"]:
            running[answer["tasks"][0]["taskArn"]] = number
            return None
        why = ", ".join(sorted({str(each.get("reason")) for each in answer["failures"]})) or "no reason given"
        return Outcome("unknown" if why.startswith(PLACES) else "bad", f"ECS has no place for it: {why}")

    def _forgotten(self, ecs: Any) -> list[str]:
        """Task definitions of a run that was killed, an hour or longer ago; another may be under way."""
        family, found = f"{self._cluster}-{NAME}", list[str]()
        old = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
        with contextlib.suppress(BotoCoreError, ClientError):
            for arn in listed(ecs, "list_task_definitions", "taskDefinitionArns", familyPrefix=family):
                definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
                if definition["registeredAt"] < old:
                    found.append(arn)
        return found

    def _look(
        self, ecs: Any, running: dict[str, int], found: dict[int, Outcome], seen: dict[str, float], elapsed: float
    ) -> None:
        """Take in which tasks have stopped; `seen` says when ECS has shown each, or begun it."""
        known = {task["taskArn"]: task for task in tasks(ecs, self._cluster, list(running))}
        for arn in list(running):
            task = known.get(arn, {})
            if task.get("lastStatus") == "STOPPED":
                found[running.pop(arn)] = read(task)
            elif task:
                seen[arn] = elapsed
            elif elapsed - seen[arn] > MISSING_SECONDS:
                found[running.pop(arn)] = Outcome("unknown", "ECS does not know its task")

    def _clean(self, ecs: Any, running: Mapping[str, Start], definitions: list[str]) -> None:
        """Take away tasks, task definitions and streams; what cannot be taken away is no finding about the site."""
        logs = self._client("logs")
        for arn, start in running.items():
            with contextlib.suppress(BotoCoreError, ClientError):
                ecs.stop_task(cluster=self._cluster, task=arn, reason="verify has seen enough")
            with contextlib.suppress(BotoCoreError, ClientError):  # where it failed before, there is none
                logs.delete_log_stream(logGroupName=start.task.log_group, logStreamName=stream_name(NAME, NAME, arn))
        for arn in definitions:
            with contextlib.suppress(BotoCoreError, ClientError):
                ecs.deregister_task_definition(taskDefinition=arn)
        for part in chunks(definitions, 10):
            with contextlib.suppress(BotoCoreError, ClientError):
                ecs.delete_task_definitions(taskDefinitions=part)


def _error(error: BotoCoreError | ClientError) -> Outcome:
    code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else "Server"
    known = not any(part in code for part in REFUSED) and not any(part in str(error) for part in PLACES)
    return Outcome("bad" if known else "unknown", reason(error))

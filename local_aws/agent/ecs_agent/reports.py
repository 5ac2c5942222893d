"""What the control plane is told of a task: what has changed since it was told last.

Source: amazon-ecs-agent, agent/api/statechange.go: image digests while the task is pending, each container as it starts
and ends, the task when all of it runs and when all of it has stopped.
"""

from __future__ import annotations

import json

from .aws import Json
from .task import Container, Task

REASON_LENGTH = 1024
TIMES = (("pull_started", "pullStartedAt"), ("pull_stopped", "pullStoppedAt"), ("stopped", "executionStoppedAt"))


def due(task: Task) -> Json | None:
    """The SubmitTaskStateChange that is due for a task (without cluster and task), None if there is none."""
    status = task.status if task.status in ("RUNNING", "STOPPED") else "PENDING"
    changes = [
        change
        for name, state in task.containers.items()
        for change in [container(name, state)]
        if change is not None and task.told.get(name) != summary(change)
    ]
    if not changes and (status == "PENDING" or status == task.reported):
        return None
    request: Json = {"status": status, "containers": changes, "reason": task.reason[:REASON_LENGTH]}
    times = {name: getattr(task, key) for key, name in TIMES}
    return request | {name: seconds for name, seconds in times.items() if seconds}


def delivered(task: Task, request: Json) -> None:
    """Note what the control plane knows now."""
    task.told.update({change["containerName"]: summary(change) for change in request["containers"]})
    if request["status"] != "PENDING":
        task.reported = request["status"]


def summary(change: Json) -> str:
    """A change, for comparison."""
    return json.dumps(change, sort_keys=True)


def container(name: str, state: Container) -> Json | None:
    """A container's part of a report; None for one of which there is nothing to say yet."""
    change: Json = {"containerName": name, "status": state.status}
    if state.status in ("NONE", "CREATED"):
        if not state.digest:
            return None
        return {**change, "status": "PENDING", "imageDigest": state.digest}
    if state.id:
        change["runtimeId"] = state.id
    if state.exit_code is not None:
        change["exitCode"] = state.exit_code
    if state.reason:
        change["reason"] = state.reason[:REASON_LENGTH]
    if state.bindings:
        change["networkBindings"] = state.bindings
    if state.digest:
        change["imageDigest"] = state.digest
    return change

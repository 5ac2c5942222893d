"""What the control plane is told of a task: what has changed since it was told last.

Source: amazon-ecs-agent, agent/api/statechange.go: image digests while the task is pending, each container as it starts
and ends, the task when all of it runs and when all of it has stopped.
"""

from __future__ import annotations

import json

from .aws import Json

REASON_LENGTH = 1024
TIMES = (("pullStarted", "pullStartedAt"), ("pullStopped", "pullStoppedAt"), ("stopped", "executionStoppedAt"))


def due(record: Json) -> Json | None:
    """The SubmitTaskStateChange that is due for a task's record (without cluster and task), None if there is none."""
    status = record["status"] if record["status"] in ("RUNNING", "STOPPED") else "PENDING"
    told: Json = record.setdefault("told", {})
    changes = [
        change
        for name, state in record["containers"].items()
        for change in [container(name, state)]
        if change is not None and told.get(name) != summary(change)
    ]
    if not changes and (status == "PENDING" or status == record["reported"]):
        return None
    request: Json = {"status": status, "containers": changes, "reason": record["reason"][:REASON_LENGTH]}
    return request | {name: record[key] for key, name in TIMES if record.get(key)}


def delivered(record: Json, request: Json) -> None:
    """Note what the control plane knows now."""
    record["told"].update({change["containerName"]: summary(change) for change in request["containers"]})
    if request["status"] != "PENDING":
        record["reported"] = request["status"]


def summary(change: Json) -> str:
    """A change, for comparison."""
    return json.dumps(change, sort_keys=True)


def container(name: str, state: Json) -> Json | None:
    """A container's part of a report; None for one of which there is nothing to say yet."""
    change: Json = {"containerName": name, "status": state["status"]}
    if state["status"] in ("NONE", "CREATED"):
        if not state["digest"]:
            return None
        return {**change, "status": "PENDING", "imageDigest": state["digest"]}
    if state["id"]:
        change["runtimeId"] = state["id"]
    if state["exitCode"] is not None:
        change["exitCode"] = state["exitCode"]
    if state["reason"]:
        change["reason"] = state["reason"][:REASON_LENGTH]
    if state["bindings"]:
        change["networkBindings"] = state["bindings"]
    if state["digest"]:
        change["imageDigest"] = state["digest"]
    return change

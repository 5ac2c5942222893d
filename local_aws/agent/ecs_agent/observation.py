"""What Docker says of a task's containers, taken into the task."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import docker

from . import containers
from .aws import Json
from .ports import bindings
from .task import Container, Task

HEALTH = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}


def observe(client: Any, task: Task) -> bool:
    """Take in what Docker says of the containers of `task`; whether any changed."""
    changed = False
    for name, container in task.containers.items():
        if container.status in ("NONE", "STOPPED") and container.id == "":
            _adopt(client, task, name, container)
        if not container.id or container.status == "STOPPED":
            continue
        try:
            found = client.api.inspect_container(container.id)
        except docker.errors.NotFound:
            container.status = "STOPPED"
            container.reason = "ContainerVanishedError: No container matching saved ID found"
            changed = True
            continue
        changed |= take(container, task.definition(name), found)
    return changed


def _adopt(client: Any, task: Task, name: str, container: Container) -> None:
    """Find a container that was made just before the agent was stopped."""
    if container.looked:
        return
    container.looked = True
    labels = [f"{containers.LABEL}task-arn={task.arn}", f"{containers.LABEL}container-name={name}"]
    for found in client.api.containers(all=True, filters={"label": labels}):
        container.id, container.status = found["Id"], "CREATED"


def take(container: Container, definition: Json, found: Json) -> bool:
    """Update a container from Docker's inspection of it; whether it changed."""
    before = dataclasses.replace(container)
    state = found["State"]
    if state["Status"] in ("running", "paused", "restarting"):
        container.status = "RUNNING"
        container.started = container.started or time.time()
        container.bindings = bindings(found)
        if definition.get("healthCheckType") == "docker":
            seen = HEALTH.get((state.get("Health") or {}).get("Status", ""), "UNKNOWN")
            if seen != container.health:
                container.health, container.health_since = seen, time.time()
    elif state["Status"] in ("exited", "dead") and container.started is not None:
        container.status, container.exit_code = "STOPPED", state["ExitCode"]
        if state.get("OOMKilled"):
            container.reason = "OutOfMemoryError: Container killed due to memory usage"
    elif state["Status"] in ("exited", "dead"):  # it ended before it was ever seen to run
        container.status, container.exit_code, container.started = "STOPPED", state["ExitCode"], time.time()
    return container != before

"""What a container waits for, and when that will never come.

Source: amazon-ecs-agent, agent/engine/dependencygraph/graph.go; its texts are those of the reasons.
"""

from __future__ import annotations

import time

from .aws import Json
from .task import Container, Task


class DependencyError(Exception):
    """A container can never start; the message says why."""


def of(definition: Json) -> list[tuple[str, str]]:
    """What a container waits for, (container, condition): dependsOn, links and volumesFrom."""
    found = [(each["containerName"], each["condition"]) for each in definition.get("dependsOn") or []]
    named = {name for name, _ in found}
    implied = [link.partition(":")[0] for link in definition.get("links") or []]
    implied += [each["sourceContainer"] for each in definition.get("volumesFrom") or []]
    return found + [(name, "START") for name in implied if name not in named]


def resolved(task: Task, name: str) -> bool:
    """Whether what the container `name` waits for has come.

    Raises:
        DependencyError: it never will.
    """
    waits = False
    for dependency, condition in of(task.definition(name)):
        state = task.containers[dependency]
        if state.status != "STOPPED" and condition != "START" and timed_out(task, dependency):
            raise DependencyError(
                f"dependency graph: container ordering dependency [{shown(task, dependency)}] for target "
                f"[{shown(task, name)}] has timed out."
            )
        if condition == "SUCCESS" and state.status == "STOPPED" and state.exit_code != 0:
            raise DependencyError(
                "dependency graph: failed to resolve container ordering dependency "
                f"[{shown(task, dependency)}] for target [{shown(task, name)}] as dependency did not exit successfully."
            )
        if state.status == "STOPPED" and state.started is None:
            raise DependencyError(
                "dependency graph: failed to resolve container ordering dependency "
                f"[{shown(task, dependency)}] for target [{shown(task, name)}] because dependency will never start"
            )
        waits |= not met(state, condition)
    return not waits


def met(state: Container, condition: str) -> bool:
    """Whether a container is where `condition` wants it."""
    status = state.status
    if condition == "START":
        return status in ("RUNNING", "STOPPED")
    if condition == "HEALTHY":
        return bool(status == "RUNNING" and state.health == "HEALTHY")
    return bool(status == "STOPPED" and (condition == "COMPLETE" or state.exit_code == 0))


def timed_out(task: Task, dependency: str) -> bool:
    """Whether a container had longer than its startTimeout to become what others wait for."""
    started, limit = task.containers[dependency].started, task.definition(dependency).get("startTimeout")
    return bool(limit and started and time.time() - started > limit)


def shown(task: Task, name: str) -> str:
    """A container as the agent's messages have it: `name(image) (status->wanted status)`."""
    state = task.containers[name]
    text = f"{name}({task.definition(name)['image']}) ({state.status}->{task.desired})"
    return text if state.exit_code is None else f"{text} - Exit: {state.exit_code}"

"""The task of a one-off command: of a service's task definition the one container, and what that container needs.

A command that is given to a service's own task (an override of RunTask) starts all of its containers, and that goes
wrong in four ways: the task wants the memory of all; a fixed port of the host is taken by the service; a container that
waits until this one is healthy never starts, as the command is no server, and if it is essential ECS then stops the
task in the middle of the command; and any other essential container that ends does the same. So a definition of its own
is made of the service's, by nothing but leaving out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

COPIED = (
    "taskRoleArn", "executionRoleArn", "networkMode", "placementConstraints", "requiresCompatibilities", "cpu",
    "memory", "pidMode", "ipcMode", "runtimePlatform",
)  # fmt: skip
"""Keys of a task definition that a container's task has as well (RegisterTaskDefinition)."""
IMAGE = ("name", "image", "repositoryCredentials", "cpu", "memory", "memoryReservation", "logConfiguration")
"""Keys of a container that its image is run with for another purpose (`at_root`)."""
ROOT = "/file-system"
"""Where that has the root of a file system."""
LABEL = "berth.run"
"""Docker label by which a definition is known again, so that a second command of the same container needs no other."""
STREAM_PREFIX = "run"
"""What log streams of these tasks begin with, in the log group of the service."""


class NoContainer(ValueError):
    """The task definition has no such container."""


def alone(definition: Mapping[str, Any], name: str, family: str) -> dict[str, Any]:
    """What RegisterTaskDefinition is asked for: one container with those that it needs.

    Args:
        definition: of DescribeTaskDefinition.
        name: the container's.
        family: of the new definition.

    Raises:
        NoContainer: it has none of that name.
    """
    containers = {each["name"]: each for each in definition["containerDefinitions"]}
    if name not in containers:
        raise NoContainer(name)
    kept = [_kept(containers[each], each == name) for each in containers if each in needed(containers, name)]
    mounted = {mount["sourceVolume"] for each in kept for mount in each.get("mountPoints", [])}
    request: dict[str, Any] = {
        "family": family,
        **{key: definition[key] for key in COPIED if definition.get(key)},
        "containerDefinitions": kept,
        "volumes": [each for each in definition.get("volumes", []) if each["name"] in mounted],
    }
    return _marked(request)


def at_root(
    definition: Mapping[str, Any], name: str, family: str, file_system: str, entry_point: list[str]
) -> dict[str, Any]:
    """What RegisterTaskDefinition is asked for: one container's image with the root of a file system, for its own sake.

    It has no more of the container than the image and where it logs to: no secret, no right and no other volume. Its
    user is root, as files of any owner are moved. There is no policy of the file system that would ask for a right, or
    this could not mount it.

    Args:
        definition: of DescribeTaskDefinition.
        name: the container's.
        family: of the new definition.
        file_system: id of the file system.
        entry_point: what runs, before the command.

    Raises:
        NoContainer: it has none of that name.
    """
    found = next((each for each in definition["containerDefinitions"] if each["name"] == name), None)
    if found is None:
        raise NoContainer(name)
    kept = {key: found[key] for key in IMAGE if found.get(key)}
    kept = _kept(kept, True) | {
        "user": "0",
        "entryPoint": entry_point,
        "mountPoints": [{"sourceVolume": "root", "containerPath": ROOT}],
    }
    mounted = {"fileSystemId": file_system, "rootDirectory": "/", "transitEncryption": "ENABLED"}
    request: dict[str, Any] = {
        "family": family,
        **{key: definition[key] for key in COPIED if definition.get(key) and key != "taskRoleArn"},
        "containerDefinitions": [kept],
        "volumes": [{"name": "root", "efsVolumeConfiguration": mounted}],
    }
    return _marked(request)


def _marked(request: dict[str, Any]) -> dict[str, Any]:
    mark = hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()[:32]
    for each in request["containerDefinitions"]:
        each["dockerLabels"] = {**each.get("dockerLabels", {}), LABEL: mark}
    return request


def mark_of(definition: Mapping[str, Any]) -> str:
    """By what a definition of `alone` is known again; empty for another."""
    return str(definition["containerDefinitions"][0].get("dockerLabels", {}).get(LABEL, ""))


def needed(containers: Mapping[str, Mapping[str, Any]], name: str) -> set[str]:
    """The container and all that it depends on, links to or takes volumes from, and what these do.

    Args:
        containers: name to container definition.
        name: of the one that is wanted.
    """
    found, ahead = set[str](), [name]
    while ahead:
        at = ahead.pop()
        if at in found:
            continue
        found.add(at)
        given = containers[at]
        ahead += [each["containerName"] for each in given.get("dependsOn", [])]
        ahead += [each.partition(":")[0] for each in given.get("links", [])]
        ahead += [each["sourceContainer"] for each in given.get("volumesFrom", [])]
    return found


def _kept(container: Mapping[str, Any], is_meant: bool) -> dict[str, Any]:
    """A container as it runs for a command.

    The one that is meant is essential: its end is the task's. Nobody asks it anything, so it has no ports, and no
    health check, which another command than the server's would fail. Those that it needs are not essential, as their
    exit codes say nothing about the command, and take a free port of the host where the service has a fixed one.
    """
    kept = {key: value for key, value in container.items() if value not in (None, [], {})}
    kept["essential"] = is_meant
    if is_meant:
        kept.pop("portMappings", None)
        kept.pop("healthCheck", None)
    elif "portMappings" in kept:
        kept["portMappings"] = [{**each, "hostPort": 0} for each in kept["portMappings"]]
    log = kept.get("logConfiguration", {})
    if "awslogs-stream-prefix" in log.get("options", {}):
        kept["logConfiguration"] = {**log, "options": {**log["options"], "awslogs-stream-prefix": STREAM_PREFIX}}
    return kept

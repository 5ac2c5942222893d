"""Whether a host can start what the site runs: pull its images, mount its volumes, open its logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.aws_action import Wait
from plugins.plugin_utils.verify.starts import Start, Starts
from plugins.plugin_utils.verify.subjects import Task


def unproved(
    client: Callable[[str], Any], cluster: str, host: str, services: Mapping[str, Mapping[str, Any]], wait: Wait
) -> list[str]:
    """Why a host cannot start what the site runs, a sentence a container; nothing if it can.

    Args:
        client: gives a boto3 client by the service's name.
        cluster: name.
        host: instance id.
        services: `service.web` → `definition`, of DescribeTaskDefinition.
        wait: with the deadline of it all.
    """
    wanted = list(starts(services))
    if not wanted:
        return []
    tried = Starts(client, cluster, client("ecs").meta.region_name, lambda: wait, host)
    outcomes = tried.outcomes(wanted)
    return [
        f"{start.task.key} ({start.image}): {outcome.reason}"
        for start, outcome in zip(wanted, outcomes, strict=True)
        if outcome.state != "good"
    ]


def starts(services: Mapping[str, Mapping[str, Any]]) -> Iterator[Start]:
    """A start a container, with its volumes; no secrets, which are no matter of the host."""
    for key, service in services.items():
        definition = service["definition"]
        volumes = {each["name"]: each for each in definition.get("volumes", [])}
        for container in definition["containerDefinitions"]:
            log = container.get("logConfiguration") or {}
            group = (log.get("options") or {}).get("awslogs-group", "")
            mounted = [each["sourceVolume"] for each in container.get("mountPoints", []) if each.get("sourceVolume")]
            if group:  # what a start leaves is taken away by its log group
                task = Task(key, group, (), volumes=volumes, definition=dict(definition))
                yield Start(task, container["image"], (), tuple(dict.fromkeys(mounted)))

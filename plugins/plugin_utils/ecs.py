"""What the plugins about ECS share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError


def listed(client: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    """All items of a paginated List call."""
    return [item for page in client.get_paginator(operation).paginate(**arguments) for item in page[key]]


def chunks(items: list[str], size: int) -> Iterator[list[str]]:
    """`items` in parts of at most `size`, as the Describe calls take them."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def some(items: Iterable[str], most: int = 10, joint: str = ", ") -> str:
    """`items` in one phrase: the first `most`, and how many there are besides; a thousand hosts make no sentence."""
    found = list(items)
    more = [f"and {len(found) - most} more"] if len(found) > most else []
    return joint.join(found[:most] + more)


def tasks(client: Any, cluster: str, arns: list[str]) -> list[dict[str, Any]]:
    """DescribeTasks of any number of tasks."""
    return [task for part in chunks(arns, 100) for task in client.describe_tasks(cluster=cluster, tasks=part)["tasks"]]


def container_instances(client: Any, cluster: str, query: str = "") -> list[dict[str, Any]]:
    """Container instances of a cluster, draining ones too: all, or those that a cluster query finds.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-query-language.html
    """
    narrowed = {"filter": query} if query else {}
    arns = listed(client, "list_container_instances", "containerInstanceArns", cluster=cluster, **narrowed)
    return [
        instance
        for part in chunks(arns, 100)
        for instance in client.describe_container_instances(cluster=cluster, containerInstances=part)[
            "containerInstances"
        ]
    ]


def service_of(client: Any, cluster: str, service: str) -> dict[str, Any] | None:
    """A service by its name or ARN; None if there is none, or no such cluster."""
    try:
        found = client.describe_services(cluster=cluster, services=[service])["services"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ClusterNotFoundException":
            return None
        raise
    return next((dict(each) for each in found if each["status"] != "INACTIVE"), None)


def primary_of(service: Mapping[str, Any]) -> dict[str, Any] | None:
    """The deployment of a service that is to stay."""
    return next((dict(each) for each in service["deployments"] if each["status"] == "PRIMARY"), None)


def counts(deployment: Mapping[str, Any]) -> str:
    """How far a deployment is."""
    return f"{deployment.get('runningCount', 0)} of {deployment.get('desiredCount', 0)} tasks running"


def why_stopped(stopped: Iterable[dict[str, Any]]) -> list[str]:
    """One sentence for each stopped task: ECS's reason, and what its containers did."""
    return [f"task {short(task['taskArn'])}: {stop_reason(task)}" for task in stopped]


def stop_reason(task: Mapping[str, Any]) -> str:
    """Why a task was stopped, in one sentence that is the same for each task that ended so."""
    own_end = task.get("stopCode") == "EssentialContainerExited"
    containers = [
        f"{container['name']} {what}"
        for container in task.get("containers", [])
        if (what := _end(container, zero_counts=own_end))
    ]
    sentence = str(task.get("stoppedReason") or "stopped").rstrip(".")
    return f"{sentence} ({', '.join(containers)})" if containers else sentence


def _end(container: Mapping[str, Any], zero_counts: bool) -> str:
    """What a container did: its exit code, the agent's reason, a failed health check; empty if nothing of note."""
    code, reason = container.get("exitCode"), container.get("reason", "")
    parts = ["was UNHEALTHY"] if container.get("healthStatus") == "UNHEALTHY" else []
    if code or (zero_counts and code == 0):
        parts.append(f"ended with exit code {code}")
    said = " and ".join(parts)
    return f"{said}: {reason}" if said and reason else said or reason


def short(arn: str) -> str:
    """The last part of an ARN, by which people know a thing."""
    return arn.rsplit("/", 1)[-1]


def same_task_definition(one: str, other: str) -> bool:
    """Whether two names (ARN or `family:revision`) mean the same revision."""
    return short(one) == short(other)

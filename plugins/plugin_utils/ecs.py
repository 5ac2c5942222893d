"""What the plugins about ECS share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


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


def why_stopped(stopped: Iterable[dict[str, Any]]) -> list[str]:
    """One sentence for each stopped task: ECS's reason, and what its containers did."""
    sentences = []
    for task in stopped:
        containers = [
            f"{container['name']} {what}"
            for container in task.get("containers", [])
            if (what := container.get("reason") or _exit(container))
        ]
        short = task["taskArn"].rsplit("/", 1)[-1]
        sentence = f"task {short}: {task.get('stoppedReason') or 'stopped'}"
        sentences.append(f"{sentence} ({', '.join(containers)})" if containers else sentence)
    return sentences


def _exit(container: dict[str, Any]) -> str:
    code = container.get("exitCode")
    return f"ended with exit code {code}" if code else ""


def same_task_definition(one: str, other: str) -> bool:
    """Whether two names (ARN or `family:revision`) mean the same revision."""
    return one.rsplit("/", 1)[-1] == other.rsplit("/", 1)[-1]

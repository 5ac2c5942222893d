"""The tasks of a service that ended last: why, with which exit codes, and what their containers wrote in the end.

Asks ListTasks, DescribeTasks, GetLogEvents. ECS remembers a stopped task for about an hour.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.container_log import ContainerLog, readable
from plugins.plugin_utils.ecs import listed, short, stop_reason, tasks
from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.words import iso, seconds_since

TASKS, LINES = 5, 3
LINE_CHARACTERS = 300
"""Of a line of a log; a trace in JSON would hide all else."""
PLANNED = ("ServiceSchedulerInitiated", "UserInitiated")
"""Codes of ends that somebody wanted: a deployment, less of a service, a restart."""


def look(
    client: Client,
    cluster: str,
    arns: list[str],
    about: str,
    definitions: dict[str, dict[str, Any]],
    now: datetime.datetime,
) -> Part:
    """The last ends, the newest first.

    Args:
        client: gives a boto3 client.
        cluster: name.
        arns: of stopped tasks.
        about: what is looked at, `service.web`.
        definitions: task definitions that were asked for, by ARN; more come in.
        now: with its time zone.
    """
    part = Part([])
    found = part.ask(about, "ecs", tasks, client("ecs"), cluster, arns) or []
    ended = [each for each in found if each.get("stoppedAt") or each["lastStatus"] == "STOPPED"]
    ended.sort(key=lambda task: str(task.get("stoppedAt") or task.get("stoppingAt") or ""), reverse=True)
    for task in ended[:TASKS]:
        facts = _facts(task, now)
        for container in facts["containers"]:
            container["log"] = part.ask(about, "logs", _last, client, task, container["name"], definitions) or []
        part.facts.append(facts)
    return part


def of_service(client: Client, cluster: str, service: str) -> list[str]:
    """ARNs of the stopped tasks of a service."""
    return listed(
        client("ecs"), "list_tasks", "taskArns", cluster=cluster, serviceName=service, desiredStatus="STOPPED"
    )


def of_family(client: Client, cluster: str, family: str) -> list[str]:
    """ARNs of the stopped tasks of a family of task definitions."""
    return listed(client("ecs"), "list_tasks", "taskArns", cluster=cluster, family=family, desiredStatus="STOPPED")


def _facts(task: Mapping[str, Any], now: datetime.datetime) -> dict[str, Any]:
    at = task.get("stoppedAt") or task.get("stoppingAt")
    begun = task.get("startedAt") or task.get("createdAt")
    codes = [each.get("exitCode") for each in task.get("containers", [])]
    return {
        "task": short(task["taskArn"]),
        "revision": short(task["taskDefinitionArn"]),
        "started": iso(begun) if begun else "",
        "stopped": iso(at) if at else "",
        "age_seconds": seconds_since(at, now) if at else None,
        "reason": readable(stop_reason(task)),
        "code": task.get("stopCode", ""),
        "failed": task.get("stopCode") not in PLANNED and (any(codes) or None in codes),
        "containers": [
            {"name": each["name"], "exit_code": each.get("exitCode"), "reason": readable(each.get("reason", ""))}
            for each in task.get("containers", [])
        ],
    }


def _last(client: Client, task: Mapping[str, Any], name: str, definitions: dict[str, dict[str, Any]]) -> list[str]:
    """The last lines of a container; none where its log goes elsewhere."""
    arn = task["taskDefinitionArn"]
    if arn not in definitions:
        definitions[arn] = client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
    container = next((each for each in definitions[arn]["containerDefinitions"] if each["name"] == name), None)
    log = ContainerLog.of(lambda _: client("logs"), container, task["taskArn"], LINES) if container else None
    lines = [line for message in (log.last() if log else []) for line in message.splitlines()]
    return [readable(line)[:LINE_CHARACTERS] for line in lines[-LINES:]]

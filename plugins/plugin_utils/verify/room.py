"""Whether a new task finds a place beside the old ones, with what the hosts have left now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from plugins.plugin_utils.ecs import listed, primary_of, tasks
from plugins.plugin_utils.ecs_placement import (
    REMEDY,
    Needs,
    arithmetic,
    lacking,
    obstacle,
    registered,
    remaining,
    usable,
)
from plugins.plugin_utils.verify.finding import OK, WRONG, Finding
from plugins.plugin_utils.verify.subjects import NOTHING, Task

WHAT = "a new task fits"


def judge(
    task: Task,
    instances: Collection[Mapping[str, Any]],
    own: Collection[str] = (),
    leaving: Mapping[str, Needs] = MappingProxyType({}),
    coming: int = 0,
) -> Finding:
    """The finding for a service or job.

    Args:
        task: of which one more task is to be placed.
        instances: container instances of the cluster.
        own: ARNs of those on which tasks of it run, which a deployment that stops first gives free.
        leaving: ARN → what tasks take there that end by themselves (`leaving`).
        coming: how many more hosts come if tasks need them.
    """
    if task.needs.memory == 0 or (task.key.startswith("service.") and task.replicas == 0):
        return Finding("room", task.key, WHAT, OK, "it runs no task")
    there = [each for each in instances if usable(each)]
    if not there:
        every = ", ".join(str(each.get("ec2InstanceId")) for each in instances)
        why = f"no host takes tasks now ({every or 'the cluster has none'}): drained, or its agent is away"
        return Finding("room", task.key, WHAT, WRONG, why)
    room = [each for each in there if not obstacle(each, task.needs)]
    needs = f"{task.needs.memory} MiB" + (f" and {task.needs.cpu} CPU units" if task.needs.cpu else "")
    if room:
        most = max(remaining(each) for each in room)
        return Finding("room", task.key, WHAT, OK, f"{needs}; a host has {most} MiB left")
    # What stops first takes the place of the old task, which may have been smaller.
    old = Needs.of(task.definition) if task.up else Needs(0, 0)
    freed = [each for each in there if each["containerInstanceArn"] in own and _with(each, old, task.needs)]
    if task.stop_first and freed:
        return Finding("room", task.key, WHAT, OK, f"{needs}, in place of an old task, which is stopped first")
    if later := [each for each in there if _with(each, leaving.get(each["containerInstanceArn"], NOTHING), task.needs)]:
        names = ", ".join(str(each.get("ec2InstanceId")) for each in later)
        why = f"{needs}; {names} has them once tasks that are on their way out have ended"
        return Finding("room", task.key, WHAT, OK, why)
    if coming and any(_empty(each, task.needs) for each in there):
        more = f"{coming} more hosts come" if coming > 1 else "one more host comes"
        return Finding("room", task.key, WHAT, OK, f"{needs}; no host has them left, and {more} if tasks need it")
    return Finding("room", task.key, WHAT, WRONG, f"{arithmetic(task.needs, [dict(each) for each in there])}. {REMEDY}")


def leaving(ecs: Any, cluster: str, services: Collection[Mapping[str, Any]]) -> dict[str, Needs]:
    """Container instance → what tasks take of it that end without anybody's doing.

    Those are told to stop, are of no service, or of a former deployment of one: what a run that was killed has begun
    goes on, and the next one is to wait for it, not to be refused for it.

    Args:
        ecs: boto3 client.
        cluster: its name.
        services: of DescribeServices.

    Raises:
        ClientError: they cannot be asked for.
    """
    stays = {f"service:{each['serviceName']}": str((primary_of(each) or {}).get("id")) for each in services}
    arns = [
        arn
        for desired in ("RUNNING", "STOPPED")
        for arn in listed(ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus=desired)
    ]
    found: dict[str, Needs] = {}
    needs: dict[str, Needs] = {}
    for each in tasks(ecs, cluster, arns):
        group, begun_by = str(each.get("group", "")), str(each.get("startedBy"))
        stay = group.startswith("service:") and stays.get(group, begun_by) == begun_by  # others' services as well
        if each["lastStatus"] == "STOPPED" or (stay and each["desiredStatus"] == "RUNNING"):
            continue
        definition, host = each["taskDefinitionArn"], str(each.get("containerInstanceArn"))
        if definition not in needs:
            needs[definition] = Needs.of(ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"])
        there = found.get(host, NOTHING)
        found[host] = Needs(there.memory + needs[definition].memory, there.cpu + needs[definition].cpu)
    return found


def _empty(instance: Mapping[str, Any], needs: Needs) -> bool:
    """Whether a host like a container instance, without tasks, holds one of these needs."""
    return (
        not lacking(instance, needs)
        and registered(instance) >= needs.memory
        and registered(instance, "CPU") >= needs.cpu
    )


def _with(instance: Mapping[str, Any], old: Needs, new: Needs) -> bool:
    """Whether a container instance takes a new task once an old one has gone from it."""
    return (
        not lacking(instance, new)
        and remaining(instance) + old.memory >= new.memory
        and remaining(instance, "CPU") + old.cpu >= new.cpu
    )

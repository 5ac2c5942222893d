"""Whether a new task finds a place beside the old ones, with what the hosts have left now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from plugins.plugin_utils.ecs_placement import REMEDY, Needs, arithmetic, lacking, obstacle, remaining, usable
from plugins.plugin_utils.verify.finding import OK, WRONG, Finding
from plugins.plugin_utils.verify.subjects import Task

WHAT = "a new task fits"


def judge(task: Task, instances: Collection[Mapping[str, Any]], own: Collection[str] = ()) -> Finding:
    """The finding for a service or job.

    Args:
        task: of which one more task is to be placed.
        instances: container instances of the cluster.
        own: ARNs of those on which tasks of it run, which a deployment that stops first gives free.
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
    return Finding("room", task.key, WHAT, WRONG, f"{arithmetic(task.needs, [dict(each) for each in there])}. {REMEDY}")


def _with(instance: Mapping[str, Any], old: Needs, new: Needs) -> bool:
    """Whether a container instance takes a new task once an old one has gone from it."""
    return (
        not lacking(instance, new)
        and remaining(instance) + old.memory >= new.memory
        and remaining(instance, "CPU") + old.cpu >= new.cpu
    )

"""What is to be told beside the stacks: images, jobs, hosts, the domain, and what Berth does not own."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.plan.containers import UNPUBLISHED
from plugins.plugin_utils.plan.model import CHANGE, CREATE, UNKNOWN, StackChange
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.stack_pointing import TASK_DEFINITION
from plugins.plugin_utils.status.hosts import OLD_DAYS

GIVEN = {
    "volume": ("file_system_id",),
    "bucket": ("name",),
    "table": ("name",),
    "secret": ("secret_arn", "parameter"),
    "database": ("endpoint",),
}
"""Noun → keys of an entry that name what exists already."""
LAUNCH_TYPES = frozenset({"AWS::AutoScaling::LaunchConfiguration", "AWS::EC2::LaunchTemplate"})


def images(wanted: Iterable[str], live: Mapping[str, str], contents: Mapping[str, str]) -> Iterator[str]:
    """Sentences about the images that would be published.

    Args:
        wanted: as containers call them.
        live: image → what runs of it.
        contents: image → id of its content on this machine.
    """
    for image in wanted:
        content = contents.get(image, "")
        there = f"this machine's {content[:19]}" if content else "this machine has none that could be looked at"
        before = live.get(image, "")
        yield f"{image} would be published ({there}); " + (
            f"live is {before}" if before and before != UNPUBLISHED else "none is live"
        )


def jobs(
    before_release: Iterable[str], closing: Collection[str], changes: Mapping[str, StackChange], publishing: bool
) -> Iterator[str]:
    """The jobs that would run: once for each revision of their task definition.

    Args:
        before_release: names of those that run before the services change.
        closing: names of those that keep visitors out.
        changes: layer → what becomes of its stack.
        publishing: whether images are published first, which are in the revision.
    """
    for name in before_release:
        change = changes.get(f"job.{name}")
        if change is None:
            continue
        closed = "; visitors see the maintenance page meanwhile" if name in closing else ""
        revised = any(each.type == TASK_DEFINITION for each in change.resources)
        if change.action == CREATE or (change.action == CHANGE and revised):
            yield f"{name}{closed}"
        elif change.action == UNKNOWN:
            yield f"{name}{'' if publishing else ', if its task definition changes'}{closed}"


def behind(group: Mapping[str, Any] | None, changes: Iterable[StackChange]) -> Iterator[str]:
    """Sentences about hosts that were started from an older launch source than the group has.

    Args:
        group: of DescribeAutoScalingGroups; None if there is none.
        changes: what becomes of the stacks.
    """
    instances = [each for each in (group or {}).get("Instances", []) if each["LifecycleState"] == "InService"]
    if group is None or not instances:
        return
    old = sorted(each["InstanceId"] for each in instances if _source(each) != _source(group))
    if old:
        yield (
            f"{_hosts(len(old))} behind: started from an older launch source than the group has now "
            f"({', '.join(old)}). A run replaces no host; {verb('refresh_hosts.yml')} does."
        )
    moved = [each for change in changes for each in change.resources if each.type in LAUNCH_TYPES]
    if any(each.action != "Remove" for each in moved):
        running = _hosts(len(instances))
        yield f"The launch source would change, and {running} then behind: it counts for hosts that start later."


def _source(given: Mapping[str, Any]) -> tuple[str, str]:
    """What a group or an instance starts from."""
    template = given.get("LaunchTemplate") or {}
    named = template.get("LaunchTemplateId") or given.get("LaunchConfigurationName") or ""
    return str(named), str(template.get("Version") or "")


def _hosts(count: int) -> str:
    return "1 host is" if count == 1 else f"{count} hosts are"


def drifted(services: Mapping[str, Mapping[str, Any]], deployed: Mapping[str, str]) -> Iterator[str]:
    """Sentences about services that run another revision than their stack says: by hand, or rolled back.

    Args:
        services: name → what it runs (ecs_live_release).
        deployed: name → ARN of the task definition of its stack; one that is not known is missing.
    """
    for name, service in services.items():
        runs, says = str(service["task_definition"]), deployed.get(name)
        if says and runs != says:
            yield (
                f"service.{name} runs {runs.rpartition('/')[2]}, and its stack says {says.rpartition('/')[2]}: it was "
                "rolled back, or changed by hand. The plan compares with the stack."
            )


def ami_age(live: Mapping[str, Any], newest: Mapping[str, Any], today: datetime.date) -> Iterator[str]:
    """A sentence about the AMI that hosts start from, if there is one yet.

    Args:
        live: id, name and creation date of it; empty if there is none.
        newest: likewise, of the newest one of its family; empty if that is not known.
        today: for the age.
    """
    if not live.get("id"):
        return
    made, days = str(live.get("creation_date", ""))[:10], 0
    try:
        days = (today - datetime.date.fromisoformat(made)).days
    except ValueError:
        age = "of unknown age" if live.get("found", True) else "and does not exist any more"
    else:
        age = f"{days} day{'' if days == 1 else 's'} old"
    name = f" ({live['name']})" if live.get("name") else ""
    said = f"The hosts' AMI {live['id']}{name} is {age}".replace("is and does", "does")
    if newest.get("id") and newest["id"] != live["id"]:
        said += f"; the newest is {newest['id']} of {str(newest.get('creation_date', ''))[:10] or 'an unknown day'}"
    if days > OLD_DAYS:
        said += f". Hosts get no security fixes but by a newer one: {verb('refresh_hosts.yml')}"
    yield f"{said}."


def engines(instances: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence about which ECS agent and Docker the hosts run, if any has joined.

    Args:
        instances: of DescribeContainerInstances.
    """
    counted: Counter[tuple[str, str]] = Counter()
    for each in instances:
        version = each.get("versionInfo") or {}
        docker = str(version.get("dockerVersion", "")).removeprefix("DockerVersion: ")
        counted[str(version.get("agentVersion") or "of unknown version"), docker or "of unknown version"] += 1
    if len(counted) == 1:
        ((agent, docker),) = counted
        yield f"The hosts run ECS agent {agent} and Docker {docker}."
    elif counted:
        kinds = (f"{_hosts(count).rpartition(' ')[0]} with ECS agent {agent} and Docker {docker}"
                 for (agent, docker), count in sorted(counted.items()))  # fmt: skip
        yield f"The hosts differ: {', '.join(kinds)}."


def domain(fates: Mapping[str, str], elsewhere: Mapping[str, Iterable[str]]) -> tuple[list[str], list[str]]:
    """Sentences about names that would lead elsewhere, and about those that a run leaves.

    Args:
        fates: name → what becomes of it (roles/dns/vars/main.yml).
        elsewhere: name → where it points, if that is not this site.
    """
    changing, staying = [], []
    for name, fate in fates.items():
        now = "; ".join(elsewhere.get(name, ())) or "elsewhere"
        if fate == "taken over":
            changing.append(f"{name} would point at this site, in place of: {now}")
        elif fate == "left":
            staying.append(f"{name} points at {now}, and stays so; dns_switch.yml takes it over")
        elif fate == "by hand":
            staying.append(f"{name} lies in no hosted zone of ours: its record is made by hand")
    return changing, staying


def foreign(site: Site, variables: Mapping[str, str]) -> Iterator[str]:
    """What Berth is told to use or to write, and does not own.

    Args:
        site: as the inventory describes it.
        variables: those that name what exists → value; empty if they name nothing.
    """
    for name, value in variables.items():
        if value:
            yield f"{name}: {value} exists, and is only used"
    for noun, entries in site.entries.items():
        for name, entry in entries.items():
            for key in GIVEN.get(noun, ()):
                if value := getattr(entry, key):
                    yield f"{noun}.{name}: {value} exists, and is only used"
            for path in getattr(entry, "patch", {}):
                yield f"{noun}.{name}: its patch writes {path}, which nobody checks"

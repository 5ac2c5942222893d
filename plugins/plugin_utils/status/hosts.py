"""The hosts: instances, agents, what is left on them, and whether they are as a new one would be.

Asks DescribeAutoScalingGroups, ListContainerInstances, DescribeContainerInstances, DescribeInstances, DescribeImages.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.account.hosts import ami
from plugins.plugin_utils.ecs import container_instances
from plugins.plugin_utils.ecs_placement import registered, remaining, usable
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.words import age, iso, many, seconds_since

OLD_DAYS = 60
"""From when on an AMI is called old, as preflight has it too (roles/cluster/account.yml): AWS makes new ones of Amazon
Linux every week or two."""
JOIN_SECONDS = 600
"""For how long a new host may not have joined the cluster."""


def source(thing: Mapping[str, Any]) -> str:
    """What an instance was launched from, or a group launches from: the same text for the same."""
    template = thing.get("LaunchTemplate") or {}
    if template:
        return f"{template.get('LaunchTemplateId') or template.get('LaunchTemplateName')}:{template.get('Version', '')}"
    return str(thing.get("LaunchConfigurationName", ""))


def look(client: Client, cluster: str, group_name: str, now: datetime.datetime) -> tuple[Part, list[dict[str, Any]]]:
    """Ask for the hosts, and judge.

    Args:
        client: gives a boto3 client.
        cluster: name.
        group_name: of the Auto Scaling group.
        now: with its time zone.

    Returns:
        The part; its facts are the hosts. And the container instances as ECS has them.
    """
    part = Part([])
    group = part.ask("hosts", "autoscaling", _group, client("autoscaling"), group_name)
    joined = part.ask("hosts", "ecs", container_instances, client("ecs"), cluster)
    members = {each["InstanceId"]: each for each in (group or {}).get("Instances", [])}
    by_id = {str(each.get("ec2InstanceId")): each for each in joined or []}
    ids = sorted(members.keys() | by_id.keys())
    instances = part.ask("hosts", "ec2", described, client("ec2"), ids) or {}
    images = {
        image: part.ask(f"image {image}", "ec2", ami, client("ec2"), image)
        for image in sorted({each["ImageId"] for each in instances.values() if each.get("ImageId")})
    }
    for name in ids:
        member, agent, instance = members.get(name, {}), by_id.get(name, {}), instances.get(name, {})
        facts = _facts(name, member, agent, instance, images.get(instance.get("ImageId", "")) or {}, now)
        facts["behind"] = bool(member) and is_behind(member, group or {})
        part.facts.append(facts)
        if joined is not None:
            _judge(part, facts)
    if group is not None and joined is not None:
        _judge_all(part, group)
    return part, joined or []


def is_behind(member: Mapping[str, Any], group: Mapping[str, Any]) -> bool:
    """Whether an instance of a group was launched from something else than the group launches from now."""
    now = source(group)
    return bool(now) and not now.endswith(("$Latest", "$Default")) and source(member) != now


def _group(autoscaling: Any, name: str) -> dict[str, Any]:
    """An Auto Scaling group; empty if there is none."""
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return dict(found[0]) if found else {}


def described(ec2: Any, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Instance id → instance; one that is long gone is simply none."""
    if not ids:
        return {}
    pages = ec2.get_paginator("describe_instances").paginate(Filters=[{"Name": "instance-id", "Values": ids}])
    found = (each for page in pages for reservation in page["Reservations"] for each in reservation["Instances"])
    return {str(each["InstanceId"]): each for each in found}


def _facts(
    name: str,
    member: Mapping[str, Any],
    agent: Mapping[str, Any],
    instance: Mapping[str, Any],
    image: Mapping[str, Any],
    now: datetime.datetime,
) -> dict[str, Any]:
    version, launched = agent.get("versionInfo", {}), instance.get("LaunchTime")
    is_leaving = str(member.get("LifecycleState", "")).startswith("Terminat")
    placement = instance.get("Placement", {})
    return {
        "instance": name,
        "state": agent.get("status") or ("terminating" if is_leaving else "not joined"),
        "usable": bool(agent) and usable(agent),
        "type": instance.get("InstanceType") or member.get("InstanceType", ""),
        "zone": placement.get("AvailabilityZone") or member.get("AvailabilityZone", ""),
        "launched": iso(launched) if launched else "",
        "age_seconds": seconds_since(launched, now) if launched else None,
        "ami": _ami(image, now) if image.get("found") else {"id": instance.get("ImageId", ""), "age_days": None},
        "agent": {"version": version.get("agentVersion", ""), "connected": bool(agent.get("agentConnected"))},
        "docker": version.get("dockerVersion", "").removeprefix("DockerVersion: "),
        "memory": {"of": registered(agent), "left": remaining(agent)},
        "cpu": {"of": registered(agent, "CPU"), "left": remaining(agent, "CPU")},
        "tasks": agent.get("runningTasksCount", 0),
    }


def _ami(image: Mapping[str, Any], now: datetime.datetime) -> dict[str, Any]:
    made = _time(image["creation_date"])
    gone = _time(image["deprecation_time"])
    return {
        "id": image["id"],
        "name": image["name"],
        "age_days": seconds_since(made, now) // 86_400 if made else None,
        "deprecated": bool(gone and gone <= now),
    }


def _time(text: str) -> datetime.datetime | None:
    """A time as EC2 writes it into an image."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _judge(part: Part, facts: Mapping[str, Any]) -> None:
    about = f"host {facts['instance']}"
    if facts["state"] == "not joined":
        waited = facts["age_seconds"] or 0
        what = f"has not joined the cluster {age(waited)} after its launch"
        if waited > JOIN_SECONDS:
            part.is_wrong(about, what, f"aws ec2 get-console-output --latest --instance-id {facts['instance']}")
        else:
            part.note(about, what)
    elif facts["state"] == "terminating":
        part.note(about, "is being terminated")
    elif not facts["agent"]["connected"]:
        part.is_wrong(about, "its ECS agent is not connected: no task can start or stop on it", verb("hosts.yml"))
    elif facts["state"] != "ACTIVE":
        part.note(about, f"is {facts['state']}: it takes no new task")
    days = facts["ami"]["age_days"]
    if days is not None and days > OLD_DAYS:
        part.note(
            about,
            f"its AMI {facts['ami']['id']} is {days} days old, and a host gets no security fixes but by a newer one",
            verb("refresh_hosts.yml"),
        )


def _judge_all(part: Part, group: Mapping[str, Any]) -> None:
    """What the hosts are together."""
    well = [each for each in part.facts if each["usable"]]
    wanted = int(group.get("DesiredCapacity", 0))
    if not well:
        part.is_wrong("hosts", "no host takes tasks", verb("site.yml"))
    elif len(well) < wanted:
        part.is_wrong("hosts", f"{len(well)} of {many(wanted, 'host')} take tasks", verb("site.yml"))
    behind = [each["instance"] for each in part.facts if each["behind"]]
    if behind:
        are = "is" if len(behind) == 1 else "are"
        part.note(
            "hosts",
            f"{', '.join(behind)} {are} behind: a host that starts now is made from something newer. hosts.yml brings "
            f"settings in place; AMI, type and disk come with a new host, by {verb('refresh_hosts.yml')}",
            verb("hosts.yml"),
        )

"""The volumes: the hosts' way to each file system. That one mounts, a start on a host says (`starts`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding

WHAT = "reachable"
NFS = 2049


def check(
    efs: Any, ec2: Any, name: str, outputs: Mapping[str, str], hosts: Collection[str], driver: str
) -> Iterator[Finding]:
    """Look at file system, mount targets, access point and security groups of a volume.

    Args:
        efs, ec2: clients.
        name: the volume's.
        outputs: of stacks.
        hosts: EC2 instance ids.
        driver: of the volume.

    Raises:
        ClientError: they cannot be asked for.
    """
    subject = f"volume.{name}"
    if driver == "task":
        return
    system = outputs.get(f"{subject}.FileSystemId", "")
    if not system:
        yield Finding("volume", subject, WHAT, NOT_ASKED, f"it is not there yet; {verb('site.yml')} makes it")
        return
    try:
        targets = [
            each
            for page in efs.get_paginator("describe_mount_targets").paginate(FileSystemId=system)
            for each in page["MountTargets"]
        ]
    except efs.exceptions.FileSystemNotFound:
        yield Finding("volume", subject, WHAT, WRONG, f"there is no file system {system}")
        return
    instances = described(ec2, hosts)
    problems = [*unreached(targets, instances), *_point(efs, outputs.get(f"{subject}.AccessPointId", ""))]
    groups = {
        each["MountTargetId"]: efs.describe_mount_target_security_groups(MountTargetId=each["MountTargetId"])
        for each in targets
    }
    of_targets = {group for found in groups.values() for group in found["SecurityGroups"]}
    if of_targets:
        pages = ec2.get_paginator("describe_security_groups").paginate(GroupIds=sorted(of_targets))
        rules = [dict(group) for page in pages for group in page["SecurityGroups"]]
        problems += closed(rules, instances)
    if problems:
        yield Finding("volume", subject, WHAT, WRONG, f"{system}: {'; '.join(problems)}. Type: {verb('site.yml')}")
    else:
        yield Finding(
            "volume", subject, WHAT, OK, f"{system}, {len(targets)} mount target{'s' if len(targets) != 1 else ''}"
        )


def described(ec2: Any, hosts: Collection[str]) -> list[dict[str, Any]]:
    """EC2's description of the hosts."""
    if not hosts:
        return []
    pages = ec2.get_paginator("describe_instances").paginate(InstanceIds=sorted(hosts))
    return [dict(each) for page in pages for part in page["Reservations"] for each in part["Instances"]]


def unreached(targets: list[dict[str, Any]], hosts: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with the mount targets: each zone of a host has one, as a file system's name leads to that.

    https://docs.aws.amazon.com/efs/latest/ug/mounting-fs-mount-cmd-dns-name.html
    """
    states = {each.get("AvailabilityZoneName", ""): each["LifeCycleState"] for each in targets}
    for host in hosts:
        zone, name = host["Placement"]["AvailabilityZone"], host["InstanceId"]
        if zone not in states:
            yield f"no mount target lies in {zone}, where {name} is"
        elif states[zone] != "available":
            yield f"the mount target in {zone}, where {name} is, is {states[zone]}"


def closed(groups: list[dict[str, Any]], hosts: list[dict[str, Any]]) -> Iterator[str]:
    """Hosts that the mount targets' security groups do not let in. Networks by address are taken to be right."""
    open_ = [
        rule
        for group in groups
        for rule in group.get("IpPermissions", [])
        if rule["IpProtocol"] == "-1" or rule.get("FromPort", -1) <= NFS <= rule.get("ToPort", -1)
    ]
    if any(rule.get("IpRanges") or rule.get("Ipv6Ranges") or rule.get("PrefixListIds") for rule in open_):
        return
    let_in = {pair["GroupId"] for rule in open_ for pair in rule.get("UserIdGroupPairs", [])}
    for host in hosts:
        own = {each["GroupId"] for each in host.get("SecurityGroups", [])}
        if not own & let_in:
            names = ", ".join(sorted(each["GroupId"] for each in groups))
            yield f"{names} does not let {host['InstanceId']} in at port {NFS}"


def _point(efs: Any, point: str) -> Iterator[str]:
    if not point:
        return
    try:
        (found,) = efs.describe_access_points(AccessPointId=point)["AccessPoints"]  # one page: it is one
    except efs.exceptions.AccessPointNotFound:
        yield f"its access point {point} is gone"
        return
    if found["LifeCycleState"] != "available":
        yield f"its access point {point} is {found['LifeCycleState']}"

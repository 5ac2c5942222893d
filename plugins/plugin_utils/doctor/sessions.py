"""Sessions on hosts: whether each opens that was tried, and why Session Manager leads to one of them not.

Asks DescribeInstanceInformation, DescribeRouteTables, DescribeVpcEndpoints, where Session Manager is the way in.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.doctor.judging import told_by
from plugins.plugin_utils.doctor.signature import SESSION, SSH, Evidence
from plugins.plugin_utils.ecs import chunks
from plugins.plugin_utils.status.part import Client

MACHINE = "this machine"
PROGRAMS = ("aws", "session-manager-plugin")
"""What ssh needs here to come through Session Manager (group_vars/all/site.yml)."""
SERVICES = ("ssm", "ssmmessages")
"""What Session Manager's agent speaks to.

https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html
"""
ANYWHERE = "0.0.0.0/0"
WAYS = ("GatewayId", "NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId")
"""What a route to anywhere may lead through."""
FILTERED = 50
"""Values of a filter of DescribeInstanceInformation."""


def done(answers: Iterable[Mapping[str, Any]], by_manager: bool) -> Iterator[dict[str, str]]:
    """What came of each session: `about`, `what`, `state` (`good`, `bad`) and `said`.

    Args:
        answers: results of the task that looked at hosts, one a host.
        by_manager: whether the way is Session Manager.
    """
    way = "Session Manager" if by_manager else "ssh"
    for each in answers:
        if not (name := str(each.get("item", ""))) or each.get("skipped"):
            continue
        about = f"host {name}"
        if each.get("unreachable"):
            why = " ".join(str(each.get("msg", "")).split())
            said = f"{way} does not open one: {why.rstrip('.')}.{_explained(Evidence(SSH, about, why))}"
            yield {"about": about, "what": "session", "state": "bad", "said": said}
        else:
            yield {"about": about, "what": "session", "state": "good", "said": f"{way} opens one"}


def _explained(line: Evidence) -> str:
    """Cause and command behind a refusal; empty where it is not known."""
    signature = told_by(line)
    match = signature.found(line) if signature else None
    if not signature or not match:
        return ""
    return f" {signature.filled(signature.cause, match, line.about)} Type: {signature.command(match, line.about)}"


def missing(there: Callable[[str], str | None] = shutil.which) -> Iterator[Evidence]:
    """What this machine lacks for sessions by Session Manager.

    Args:
        there: finds a program in the path.
    """
    for name in PROGRAMS:
        if there(name) is None:
            yield Evidence(SESSION, MACHINE, f"{name} is not installed here, and ssh comes through it", name)


def of_hosts(client: Client, instances: Mapping[str, Mapping[str, Any]], shut: Iterable[str]) -> Iterator[Evidence]:
    """What Systems Manager says of hosts on which no session opened.

    Args:
        client: gives a boto3 client.
        instances: instance id → instance of DescribeInstances.
        shut: their instance ids.

    Raises:
        ClientError: it may not be asked.
    """
    names = [each for each in shut if instances.get(each, {}).get("State", {}).get("Name") == "running"]
    known = {str(each["InstanceId"]): str(each.get("PingStatus", "")) for each in _known(client("ssm"), names)}
    for name in names:
        state = known.get(name, "")
        if state and state != "Online":
            yield Evidence(SESSION, f"host {name}", f"Session Manager has lost it: its agent is {state}", "ssm")
        elif not state:
            yield Evidence(SESSION, f"host {name}", "Session Manager does not know it", "ssm")
            if instances[name].get("IamInstanceProfile") and (lack := _no_way(client("ec2"), instances[name])):
                yield Evidence(SESSION, f"host {name}", lack, "ec2")


def _known(ssm: Any, names: list[str]) -> Iterator[dict[str, Any]]:
    for some in chunks(names, FILTERED):
        pages = ssm.get_paginator("describe_instance_information").paginate(
            Filters=[{"Key": "InstanceIds", "Values": some}]
        )
        yield from (each for page in pages for each in page["InstanceInformationList"])


def _no_way(ec2: Any, instance: Mapping[str, Any]) -> str:
    """Why an instance cannot reach Session Manager by its network; empty if nothing is known to keep it from that."""
    vpc, subnet = instance.get("VpcId", ""), instance.get("SubnetId", "")
    if not vpc:
        return ""
    wanted = [{"Name": "vpc-id", "Values": [vpc]}]
    tables = [
        table
        for page in ec2.get_paginator("describe_route_tables").paginate(Filters=wanted)
        for table in page["RouteTables"]
    ]
    if _leads_out(tables, subnet, bool(instance.get("PublicIpAddress"))):
        return ""
    endpoints = [
        each
        for page in ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=wanted)
        for each in page["VpcEndpoints"]
    ]
    there = {each["ServiceName"].rpartition(".")[2] for each in endpoints if each.get("State") == "available"}
    lacking = [each for each in SERVICES if each not in there]
    if not lacking:
        return ""
    return f"the subnet {subnet} has no way out and no endpoint of {' and '.join(lacking)}"


def _leads_out(tables: Iterable[Mapping[str, Any]], subnet: str, is_public: bool) -> bool:
    """Whether a subnet's route table, or the VPC's own, leads an instance anywhere."""
    links = [(link, table) for table in tables for link in table.get("Associations", [])]
    own = [table for link, table in links if link.get("SubnetId") == subnet]
    main = [table for link, table in links if link.get("Main")]
    routes = [route for table in (own or main)[:1] for route in table.get("Routes", [])]
    for route in routes:
        if route.get("DestinationCidrBlock") == ANYWHERE and route.get("State", "active") == "active":
            to_internet = str(route.get("GatewayId", "")).startswith("igw-")
            if (is_public or not to_internet) and any(route.get(way) for way in WAYS):
                return True
    return False

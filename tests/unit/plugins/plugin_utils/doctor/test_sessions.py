"""Sessions on hosts: which opens, and what keeps Session Manager from one."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.doctor import sessions
from plugins.plugin_utils.doctor.judging import recognised
from tests.unit.plugins.plugin_utils.status.status_support import Account

HOST = "i-0aaaaaaaaaaaaaaa1"
OUT = {"DestinationCidrBlock": "0.0.0.0/0", "State": "active"}
INTERNET, NAT = OUT | {"GatewayId": "igw-1"}, OUT | {"NatGatewayId": "nat-1"}
DEAD = NAT | {"State": "blackhole"}
"""As a route is whose NAT gateway has gone."""


def an_instance(**more: Any) -> dict[str, Any]:
    return {
        "InstanceId": HOST, "State": {"Name": "running"}, "IamInstanceProfile": {"Arn": "x"}, "VpcId": "vpc-1",
        "SubnetId": "subnet-1",
    } | more  # fmt: skip


def table(*routes: dict[str, Any], subnet: str = "subnet-1") -> dict[str, Any]:
    return {"Routes": list(routes), "Associations": [{"SubnetId": subnet} if subnet else {"Main": True}]}


def endpoint(service: str, state: str = "available") -> dict[str, Any]:
    return {"ServiceName": f"com.amazonaws.us-east-1.{service}", "State": state}


def found(ping: str = "", tables: Any = (), endpoints: Any = (), instance: dict[str, Any] | None = None) -> list[str]:
    """The failures that are known of a host on which no session opened."""
    known = [{"InstanceId": HOST, "PingStatus": ping}] if ping else []
    account = Account(
        describe_instance_information={"InstanceInformationList": known},
        describe_route_tables={"RouteTables": list(tables)},
        describe_vpc_endpoints={"VpcEndpoints": list(endpoints)},
    )
    lines = sessions.of_hosts(account, {HOST: instance or an_instance()}, [HOST])
    return [each.signature for each in recognised(lines)]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"ping": "Online"}, []),
        ({"ping": "ConnectionLost"}, ["session-lost"]),
        ({"tables": [table(NAT)]}, ["session-unknown"]),
        ({"tables": [table(INTERNET)], "instance": an_instance(PublicIpAddress="192.0.2.7")}, ["session-unknown"]),
        ({"tables": [table(INTERNET)]}, ["session-endpoint"]),
        ({"tables": [table(DEAD)]}, ["session-endpoint"]),
        ({"tables": [table(NAT, subnet="subnet-2"), table(subnet="")]}, ["session-endpoint"]),
        ({"tables": [table(subnet="subnet-2"), table(NAT, subnet="")]}, ["session-unknown"]),
        ({"tables": [table()], "endpoints": [endpoint("ssm"), endpoint("ssmmessages")]}, ["session-unknown"]),
        (
            {"tables": [table()], "endpoints": [endpoint("ssm"), endpoint("ssmmessages", "pending")]},
            ["session-endpoint"],
        ),
        ({"instance": an_instance(IamInstanceProfile=None)}, ["session-unknown"]),
        ({"instance": an_instance(State={"Name": "stopped"})}, []),
    ],
)  # fmt: skip
def test_why_session_manager_leads_to_a_host_not(given: dict[str, Any], names: list[str]) -> None:
    assert found(**given) == names


def test_what_this_machine_lacks() -> None:
    assert list(sessions.missing(lambda name: f"/usr/bin/{name}")) == []
    (lack,) = recognised(sessions.missing(lambda name: None if "plugin" in name else f"/usr/bin/{name}"))
    assert (lack.signature, lack.about) == ("session-program", "this machine")
    assert "session-manager-working-with-install-plugin" in lack.mend


@pytest.mark.parametrize(("by_manager", "way"), [(False, "ssh"), (True, "Session Manager")])
def test_each_session_is_told_with_its_cause_and_what_to_type(by_manager: bool, way: str) -> None:
    refused = "Failed to connect to the host via ssh: ssh: connect to host 192.0.2.7 port 22: Connection timed out"
    answers: list[dict[str, Any]] = [
        {"item": HOST, "stdout": "x"},
        {"item": "i-2", "unreachable": True, "msg": refused},
        {"skipped": True},
    ]
    good, bad = sessions.done(answers, by_manager)
    assert good == {"about": f"host {HOST}", "what": "session", "state": "good", "said": f"{way} opens one"}
    assert bad["state"] == "bad"
    assert bad["said"].startswith(f"{way} does not open one: {refused}. Nothing answers at the host's port 22")
    assert " Type: ansible-playbook site.yml -i " in bad["said"]
    (strange,) = sessions.done([{"item": HOST, "unreachable": True, "msg": "odd\nwords."}], by_manager)
    assert strange["said"] == f"{way} does not open one: odd words."

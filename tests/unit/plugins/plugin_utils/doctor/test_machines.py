"""What is said of a host that says nothing itself."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.patches import ec2
from plugins.plugin_utils.doctor import machines
from plugins.plugin_utils.doctor.judging import recognised
from tests.unit.plugins.plugin_utils.doctor.console_support import NEVER, console
from tests.unit.plugins.plugin_utils.status.status_support import Account

HOST = "i-0aaaaaaaaaaaaaaa1"


def an_instance(**more: Any) -> dict[str, Any]:
    return {"InstanceId": HOST, "State": {"Name": "running"}, "IamInstanceProfile": {"Arn": "x"}} | more


@pytest.mark.parametrize(
    ("instance", "names"),
    [
        (an_instance(), []),
        (an_instance(IamInstanceProfile=None), ["host-role"]),
        (an_instance(State={"Name": "stopped"}), ["not-running"]),
        (
            an_instance(
                State={"Name": "terminated"},
                StateReason={"Code": "x", "Message": "Client.InternalError: Client error on launch"},
            ),
            ["disk-key"],
        ),
    ],
)
def test_what_ec2_says_of_an_instance(instance: dict[str, Any], names: list[str]) -> None:
    found = [each.signature for each in recognised(machines.of_instance(instance))]
    assert [each for each in found if each != "not-running" or names == ["not-running"]] == names


@pytest.mark.parametrize(
    ("connected", "provider", "names"),
    [(True, "shop", []), (True, None, []), (False, "shop", ["agent-away"]), (True, "", ["no-provider"])],
)
def test_what_ecs_says_of_a_host(connected: bool, provider: str | None, names: list[str]) -> None:
    host = {"instance": HOST, "state": "ACTIVE", "agent": {"connected": connected}}
    assert [each.signature for each in recognised(machines.of_status(host, provider))] == names
    assert list(machines.of_status({"instance": HOST, "state": "not joined"}, provider)) == []


def test_the_console_tells_of_its_own_report_and_of_the_boot() -> None:
    stamp = "[  61.2] ecs-boot-report[812]: "
    console = "\r\n".join([
        "[   31.2] cloud-init[1512]: util.py[WARNING]: Failed to run module scripts-user (scripts)",
        f"{stamp}BEGIN report: not in cluster shop-prod after 300 s",
        f"{stamp}agent: Result=exit-code ExecMainStatus=5 ActiveState=failed SubState=failed",
        f"{stamp}END report",
    ])  # fmt: skip
    account = Account(get_console_output={"InstanceId": HOST, "Output": console})
    lines = list(machines.of_consoles(account("ec2"), [HOST]))
    assert [each.signature for each in recognised(lines)] == ["boot-failed", "agent-failed"]
    assert {each.about for each in lines} == {f"host {HOST}"}


@pytest.mark.parametrize("why", NEVER)
def test_each_reason_why_a_host_never_joined_is_read_off_the_console_that_ec2_has(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    ec2_ = aws.client("ec2")
    (made,) = ec2_.run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1)["Instances"]
    name = made["InstanceId"]
    monkeypatch.setattr(ec2, "consoles", [lambda _: console(why).encode()])
    (found,) = recognised(machines.of_consoles(ec2_, [name]))
    assert (found.signature, found.about) == (why, f"host {name}")
    assert found.types


def test_no_more_consoles_are_read_than_tell_something_new() -> None:
    account = Account(get_console_output={"Output": ""})
    assert list(machines.of_consoles(account("ec2"), [f"i-{number}" for number in range(20)])) == []
    assert account.asked.count("get_console_output") == machines.MOST

"""What the embedded AWS keeps of its own answers: nothing that anybody may have changed."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from local_aws import changes
from local_aws.changes import Changes
from local_aws.cloud import Cloud
from local_aws.late.chance import Settings
from local_aws.late.front import Late
from local_aws.part import Part
from local_aws.server import Server
from local_aws.tests.watched_support import Watched, client, outside, vpcs


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """Something to ask, and how often it was."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> int:
        self.times += 1
        return self.times


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def quiet(clock: Clock) -> Changes:
    """One that sees the requests, of which there are none."""
    made = Changes(clock)
    made.watch(lambda _environ, _start: [])
    return made


def request(seen: Changes, service: str = "ec2", **headers: str) -> None:
    credential = f"AWS4-HMAC-SHA256 Credential=key/20250101/us-east-1/{service}/aws4_request, SignedHeaders=host"
    seen.watch(lambda _environ, _start: [])({"HTTP_AUTHORIZATION": credential, **headers}, None)


def test_an_answer_is_kept_while_nothing_changes(quiet: Changes, clock: Clock) -> None:
    ask, other = Asked(), Asked()
    assert [quiet.kept("a", ask) for _ in range(3)] == [1, 1, 1]
    assert quiet.kept("b", other) == 1
    clock.now = changes.KEPT_SECONDS
    assert quiet.kept("a", ask) == 2


def test_without_the_requests_nothing_is_kept() -> None:
    seen, ask = Changes(), Asked()
    assert [seen.kept("a", ask) for _ in range(2)] == [1, 2]


def test_who_asks_for_the_same_has_the_same_answer() -> None:
    asked = changes.key("ec2", "describe_vpcs", {"VpcIds": ["vpc-1"], "MaxResults": 5})
    assert asked == changes.key("ec2", "describe_vpcs", {"MaxResults": 5, "VpcIds": ["vpc-1"]})
    assert asked != changes.key("ec2", "describe_vpcs", {"MaxResults": 6, "VpcIds": ["vpc-1"]})


def test_what_was_said_before_the_requests_were_seen_counts_no_more(clock: Clock) -> None:
    seen, ask = Changes(clock), Asked()
    seen.kept("a", ask)
    seen.watch(lambda _environ, _start: [])
    assert seen.kept("a", ask) == 2


@pytest.mark.parametrize(
    ("service", "headers", "again"),
    [
        ("ec2", {}, True),
        ("secretsmanager", {}, True),
        ("ec2", {"HTTP_X_BERTH_READS": "true"}, False),
        *((service, {}, False) for service in ("dynamodb", "logs", "monitoring", "s3", "sqs", "sts")),
    ],
)
def test_what_may_change_something(quiet: Changes, service: str, headers: dict[str, str], again: bool) -> None:
    ask = Asked()
    quiet.kept("a", ask)
    request(quiet, service, **headers)
    assert quiet.kept("a", ask) == 1 + again


def test_an_unsigned_request_may_change_something(quiet: Changes) -> None:
    ask = Asked()
    quiet.kept("a", ask)
    quiet.watch(lambda _environ, _start: [])({}, None)
    assert quiet.kept("a", ask) == 2


def test_while_something_changes_nothing_is_kept(quiet: Changes) -> None:
    ask = Asked()
    quiet.kept("a", ask)
    with quiet.happening():
        assert [quiet.kept("a", ask) for _ in range(2)] == [2, 3]
    assert [quiet.kept("a", ask) for _ in range(2)] == [4, 4]


def test_an_answer_that_a_change_overtook_is_not_kept(quiet: Changes) -> None:
    def ask() -> str:
        with quiet.happening():
            return "before"

    def ask_into() -> str:
        beginning.__enter__()
        return "before"

    beginning = quiet.happening()
    assert quiet.kept("a", ask) == "before"
    assert quiet.kept("a", lambda: "after") == "after"
    assert quiet.kept("b", ask_into) == "before"
    beginning.__exit__(None, None, None)
    assert quiet.kept("b", lambda: "after") == "after"


def test_a_change_that_fails_counts_too(quiet: Changes) -> None:
    ask = Asked()
    quiet.kept("a", ask)
    with pytest.raises(RuntimeError), quiet.happening():
        raise RuntimeError
    assert [quiet.kept("a", ask) for _ in range(2)] == [2, 2]


def test_no_loop_looks_at_a_service_whose_calls_count_for_nothing() -> None:
    folder = Path(changes.__file__).parent
    looked = {
        name
        for path in folder.rglob("*.py")
        for name in re.findall(r'\.look\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert {"ec2", "elbv2", "rds"} <= looked
    data = botocore.session.get_session()
    signing = {data.get_service_model(name).signing_name for name in looked}
    assert {"elasticloadbalancing", "elasticfilesystem"} <= signing
    assert not signing & changes.ALL_DAY


# With the APIs


@pytest.mark.parametrize("who", [outside, lambda watched, service: watched.cloud.client(service)])
def test_a_loop_sees_what_anybody_made(watched: Watched, who: Callable[[Watched, str], Any]) -> None:
    assert vpcs(watched) == ["172.31.0.0/16"]
    who(watched, "ec2").create_vpc(CidrBlock="10.79.0.0/17")
    assert vpcs(watched) == ["10.79.0.0/17", "172.31.0.0/16"]
    assert watched.asked(lambda: vpcs(watched)) == 0


def test_what_the_embedded_aws_reads_changes_nothing(watched: Watched) -> None:
    vpcs(watched)
    watched.cloud.client("ec2").describe_subnets()
    assert watched.asked(lambda: vpcs(watched)) == 0
    outside(watched, "ec2").describe_subnets()
    assert watched.asked(lambda: vpcs(watched)) == 1


def test_all_pages_are_looked_at(watched: Watched) -> None:
    zones = {f"{number:03}.example." for number in range(105)}
    for zone in zones:
        watched.cloud.client("route53").create_hosted_zone(Name=zone, CallerReference=zone)
    assert zones < {zone["Name"] for zone in watched.cloud.look("route53", "list_hosted_zones")["HostedZones"]}


def test_loops_are_told_the_truth_while_others_are_not(watch: Callable[..., Watched]) -> None:
    watched = watch(lambda application: Late(application, Settings(seed=1, stale=1, lag=0, faults=0, lost=0, short=0)))
    ec2 = outside(watched, "ec2")
    vpcs(watched)
    ec2.describe_vpcs()
    ec2.create_vpc(CidrBlock="10.79.0.0/17")
    assert [vpc["CidrBlock"] for vpc in ec2.describe_vpcs()["Vpcs"]] == ["172.31.0.0/16"]
    assert vpcs(watched) == ["10.79.0.0/17", "172.31.0.0/16"]


def test_the_server_sees_the_requests_of_both_its_ports(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local_aws.patches.apply", lambda _cloud: None)  # one cloud a process, and it is `aws`
    monkeypatch.setattr("local_aws.cloudformation.api.install", lambda _cloud: None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = dataclasses.replace(aws.config, api_port=port, network=ipaddress.IPv4Network("127.9.0.0/16"))
    server = Server(config)
    server.parts = [Part(server.cloud)]
    server.start()
    try:
        for address in ("127.0.0.1", config.gateway):
            before = server.cloud.look("ec2", "describe_vpcs")
            assert server.cloud.look("ec2", "describe_vpcs") is before
            client(f"http://{address}:{port}", "ec2").create_vpc(CidrBlock="10.79.0.0/17")
            assert len(server.cloud.look("ec2", "describe_vpcs")["Vpcs"]) == len(before["Vpcs"]) + 1
    finally:
        server.stop()

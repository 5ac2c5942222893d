"""The part that sets security groups' rules, with an engine that only remembers what it was told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import docker
import pytest

from local_aws.cloud import Cloud
from local_aws.parts.instances import INSTANCE_LABEL
from local_aws.parts.security_groups import SecurityGroups
from local_aws.tests.until import until

FIREWALL = "berth-unit-firewall"


class Engine:
    """Docker's engine: containers by name, and what was run in the one that sets rules.

    Attributes:
        set: rules, by the process in whose network they were set.
        refusal: what nft says, if it refuses.
        told: events that are still to be read.
    """

    def __init__(self) -> None:
        self.containers = SimpleNamespace(get=self.get, run=self.run)
        self.api = SimpleNamespace(containers=self.listed, inspect_container=self.inspect_container)
        self.hosts: dict[str, dict[str, Any]] = {}
        self.set: list[tuple[str, str]] = []
        self.refusal = ""
        self.status = "absent"
        self.given: dict[str, Any] = {}
        self.told = threading.Event()
        self.asked = 0

    def add(self, instance: str, process: int, address: str) -> None:
        self.hosts[instance] = {"Pid": process, "IPAddress": address}

    # What the part asks

    def listed(self, filters: dict[str, Any]) -> list[dict[str, Any]]:
        assert filters == {"label": ["berth.local-aws=unit"]}
        self.asked += 1
        others: list[dict[str, Any]] = [{"Id": "resolver", "Labels": {}}]
        return others + [{"Id": name, "Labels": {INSTANCE_LABEL: name}} for name in self.hosts]

    def inspect_container(self, name: str) -> dict[str, Any]:
        if self.hosts[name]["Pid"] < 0:
            raise docker.errors.NotFound("gone meanwhile")
        networks = {"berth-unit": {"IPAddress": self.hosts[name]["IPAddress"]}}
        state = {"Pid": self.hosts[name]["Pid"]}
        return {"Name": f"/berth-unit-{name}", "State": state, "NetworkSettings": {"Networks": networks}}

    def events(self, decode: bool, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        assert decode
        assert filters["event"] == ["start", "die"]

        def each() -> Iterator[dict[str, Any]]:
            while True:
                self.told.wait()
                self.told.clear()
                yield {"status": "start"}

        return each()

    def get(self, name: str) -> Any:
        assert name == FIREWALL
        if self.status == "absent":
            raise docker.errors.NotFound("No such container")
        return SimpleNamespace(status=self.status, remove=self.remove, exec_run=self.exec_run)

    def remove(self, *, force: bool) -> None:
        assert force
        self.status = "absent"

    def run(self, image: str, **given: Any) -> Any:
        assert image == "berth/firewall:x"
        self.status, self.given = "running", given
        return SimpleNamespace(exec_run=self.exec_run)

    def exec_run(self, command: list[str]) -> tuple[int, bytes]:
        enter, network, nft, text = command
        assert (enter, nft) == ("nsenter", "nft")
        if self.refusal:
            return 1, self.refusal.encode()
        self.set.append((network, text))
        return 0, b""


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    found = Engine()
    monkeypatch.setattr(Cloud, "docker", found)
    monkeypatch.setattr("local_aws.images.ensure", lambda name: f"berth/{name}:x")
    return found


@pytest.fixture
def part(aws: Cloud, engine: Engine) -> SecurityGroups:
    made = SecurityGroups(aws)
    assert made.cloud.docker is engine
    return made


def group(aws: Cloud) -> str:
    found = aws.client("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])
    return str(found["SecurityGroups"][0]["GroupId"])


def host(aws: Cloud, engine: Engine, process: int) -> str:
    client = aws.client("ec2")
    (made,) = client.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SecurityGroupIds=[group(aws)])[
        "Instances"
    ]
    engine.add(made["InstanceId"], process, made["PrivateIpAddress"])
    return str(made["InstanceId"])


def open_port(aws: Cloud, port: int) -> None:
    aws.client("ec2").authorize_security_group_ingress(
        GroupId=group(aws), IpProtocol="tcp", FromPort=port, ToPort=port, CidrIp="0.0.0.0/0"
    )


def test_rules_are_set_where_the_thing_is_and_again_when_they_change(
    aws: Cloud, engine: Engine, part: SecurityGroups
) -> None:
    host(aws, engine, 77)
    part.reconcile()
    ((network, text),) = engine.set
    assert network == "--net=/proc/77/ns/net"
    assert "tcp dport 22 accept" in text
    assert "tcp dport 8000 accept" not in text
    part.reconcile()
    assert len(engine.set) == 1, "nothing has changed"
    open_port(aws, 8000)
    part.reconcile()
    assert "tcp dport 8000 accept" in engine.set[1][1]
    assert [(line.ok, line.detail) for line in part.health()] == [(True, "enforced in 1 containers")]


def test_what_sets_them_sees_processes_and_is_in_no_network(aws: Cloud, engine: Engine, part: SecurityGroups) -> None:
    host(aws, engine, 77)
    part.reconcile()
    assert engine.given["name"] == FIREWALL
    assert engine.given["labels"] == {"berth.local-aws": "unit"}
    assert (engine.given["pid_mode"], engine.given["network_mode"]) == ("host", "none")
    engine.status = "exited"
    open_port(aws, 1)
    part.reconcile()
    assert engine.status == "running"
    assert len(engine.set) == 2


def test_a_container_that_was_started_again_gets_its_rules_again(
    aws: Cloud, engine: Engine, part: SecurityGroups
) -> None:
    engine.add(host(aws, engine, 77), 78, "172.31.0.9")
    part.reconcile()
    identifier = next(iter(engine.hosts))
    engine.hosts[identifier]["Pid"] = 79
    part.reconcile()
    assert [network for network, _ in engine.set] == ["--net=/proc/78/ns/net"], "nobody told of it"
    part._look_anew()
    part.reconcile()
    assert [network for network, _ in engine.set] == ["--net=/proc/78/ns/net", "--net=/proc/79/ns/net"]


@pytest.mark.parametrize(("process", "address"), [(0, "172.31.0.9"), (-1, "172.31.0.9"), (77, "")])
def test_a_container_that_has_ended_has_no_rules(
    aws: Cloud, engine: Engine, part: SecurityGroups, process: int, address: str
) -> None:
    engine.add(host(aws, engine, 77), process, address)
    part.reconcile()
    assert engine.set == []
    assert [line.detail for line in part.health()] == ["enforced in 0 containers"]


def test_rules_that_are_refused_are_told_of_and_tried_again(aws: Cloud, engine: Engine, part: SecurityGroups) -> None:
    name = f"security groups of berth-unit-{host(aws, engine, 77)}"
    host(aws, engine, 78)
    engine.refusal = "Error: syntax error"
    part.reconcile()
    assert {line.name: line.detail for line in part.health() if not line.ok}[name] == "Error: syntax error"
    engine.refusal = ""
    part.reconcile()
    assert len(engine.set) == 2
    assert all(line.ok for line in part.health())


def test_the_engine_is_asked_again_only_when_a_container_started_or_ended(engine: Engine, part: SecurityGroups) -> None:
    part.prepare()
    until(lambda: part._wake.is_set(), "it listens", 5)
    part.reconcile()
    part.reconcile()
    assert engine.asked == 1
    part._wake.clear()
    engine.told.set()
    until(lambda: part._wake.is_set(), "it was told", 5)
    part.reconcile()
    assert engine.asked == 2
    part.stop()

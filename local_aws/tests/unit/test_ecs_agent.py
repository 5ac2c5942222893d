"""The stand-in agent's reading of its configuration, its host and its payload; no Docker."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest

from local_aws.agent.ecs_agent import (
    aws,
    configuration,
    dependencies,
    host,
    ports,
    registration,
    secrets,
    telemetry,
    volumes,
)
from local_aws.agent.ecs_agent.store import Store
from local_aws.agent.ecs_agent.task import Task


def test_lines_are_split_at_the_first_equals_and_nothing_is_unquoted(tmp_path: Path) -> None:
    file = tmp_path / "ecs.config"
    file.write_text('ECS_CLUSTER=one\n# ECS_DATADIR=/x\nECS_CLUSTER="prod"\nECS_INSTANCE_ATTRIBUTES={"a":"b=c"}\n')
    read = configuration.read([str(file)], {})
    assert read.cluster == '"prod"'
    assert read.data_directory == "/var/lib/ecs/data"
    assert read.attributes == {"a": "b=c"}


def test_the_later_file_wins_over_the_earlier_and_both_over_the_environment(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_text("ECS_CLUSTER=first\nECS_RESERVED_MEMORY=64\n")
    second.write_text("ECS_CLUSTER=second\n")
    read = configuration.read([str(first), str(second), str(tmp_path / "none")], {"ECS_RESERVED_MEMORY": "1"})
    assert (read.cluster, read.reserved_memory) == ("second", 64)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("ECS_INSTANCE_ATTRIBUTES", '\'{"a":"b"}\'', "Expected a json hash"),
        ("ECS_INSTANCE_ATTRIBUTES", '{"a":1}', "Expected a json hash"),
        ("ECS_CONTAINER_INSTANCE_TAGS", "a=b", "Expected a json hash"),
        ("ECS_AVAILABLE_LOGGING_DRIVERS", '["papertape"]', "Invalid logging driver"),
    ],
)
def test_fatal_values(key: str, value: str, message: str) -> None:
    with pytest.raises(configuration.ConfigurationError, match=message):
        configuration.from_values({key: value})


@pytest.mark.parametrize(
    ("key", "value", "field", "expected"),
    [
        ("ECS_CONTAINER_STOP_TIMEOUT", "1m30s", "stop_timeout", 90.0),
        ("ECS_CONTAINER_STOP_TIMEOUT", "10", "stop_timeout", 30.0),
        ("ECS_CONTAINER_STOP_TIMEOUT", "500ms", "stop_timeout", 1.0),
        ("ECS_CONTAINER_START_TIMEOUT", "1s", "start_timeout", 45.0),
        ("ECS_IMAGE_CLEANUP_INTERVAL", "5m", "image_cleanup_interval", 1800.0),
        ("ECS_IMAGE_MINIMUM_CLEANUP_AGE", "30s", "image_minimum_age", 30.0),
        ("ECS_RESERVED_MEMORY", "64", "reserved_memory", 64),
        ("ECS_RESERVED_MEMORY", "70000", "reserved_memory", 0),
        ("ECS_RESERVED_MEMORY", "-1", "reserved_memory", 0),
        ("ECS_RESERVED_PORTS", "[80]", "reserved_ports", (80,)),
        ("ECS_RESERVED_PORTS", "80", "reserved_ports", (22, 2375, 2376, 51678, 51679)),
        ("ECS_RESERVED_PORTS", '["80"]', "reserved_ports", (22, 2375, 2376, 51678, 51679)),
        ("ECS_AVAILABLE_LOGGING_DRIVERS", '["sumologic"]', "logging_drivers", ("sumologic",)),
        ("ECS_AVAILABLE_LOGGING_DRIVERS", "awslogs", "logging_drivers", ("json-file", "none")),
        ("ECS_DYNAMIC_HOST_PORT_RANGE", "40000-40010", "dynamic_ports", (40000, 40010)),
        ("ECS_PULL_DEPENDENT_CONTAINERS_UPFRONT", "true", "pull_dependants_upfront", True),
        ("ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM", "ec2_instance", "propagate_tags", True),
        ("ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM", "none", "propagate_tags", False),
        ("ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION", "10m", "cleanup_wait", 600.0),
        ("ECS_DISABLE_METRICS", "yes", "disable_metrics", False),
        ("ECS_DISABLE_METRICS", "T", "disable_metrics", True),
        ("ECS_IMAGE_PULL_BEHAVIOR", "sometimes", "pull_behavior", "default"),
    ],
)
def test_values_that_are_wrong_fall_back(key: str, value: str, field: str, expected: object) -> None:
    assert getattr(configuration.from_values({key: value}), field) == expected


@pytest.mark.parametrize("value", ["", "40010-40000", "0-1", "1-70000", "many"])
def test_without_a_good_range_ports_come_from_the_kernels(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = tmp_path / "range"
    kernel.write_text("32000\t32100\n")
    monkeypatch.setattr(configuration, "PORT_RANGE", str(kernel))
    assert configuration.from_values({"ECS_DYNAMIC_HOST_PORT_RANGE": value}).dynamic_ports == (32000, 32100)


def test_memory_is_the_hosts_own_limit(tmp_path: Path) -> None:
    meminfo, limit = tmp_path / "meminfo", tmp_path / "limit"
    meminfo.write_text("MemTotal:       24000000 kB\n")
    limit.write_text("1073741824\n")
    assert host.memory_mib((str(limit),), str(meminfo)) == 1024
    limit.write_text("max\n")
    assert host.memory_mib((str(limit),), str(meminfo)) == 24000000 // 1024
    limit.write_text("9223372036854771712\n")
    assert host.memory_mib((str(limit), str(tmp_path / "none")), str(meminfo)) == 24000000 // 1024


@pytest.mark.parametrize(
    ("plugin", "attributes"),
    [
        ("rexray/efs:latest", ["rexray/efs", "rexray/efs.latest"]),
        ("rexray/efs:0.11.4", ["rexray/efs.0.11.4"]),
    ],
)
def test_plugin_attributes_follow_the_tag(plugin: str, attributes: list[str]) -> None:
    assert host.plugin_attributes(plugin) == [f"ecs.capability.docker-plugin.{name}" for name in attributes]


def test_attributes_name_enabled_plugins_only() -> None:
    found = host.attributes(configuration.from_values({}), [("rexray/efs:latest", True), ("other:latest", False)])
    names = [each["name"] for each in found]
    assert "ecs.capability.docker-plugin.rexray/efs" in names
    assert not any("other" in name for name in names)
    assert "ecs.capability.efsAuth" in names
    assert "com.amazonaws.ecs.capability.logging-driver.awslogs" in names


# Of those that the real agent (1.105.1) publishes with the default ecs.config, those that a stand-in forgets easily.
PUBLISHED = """
com.amazonaws.ecs.capability.docker-remote-api.1.17 com.amazonaws.ecs.capability.docker-remote-api.1.25
com.amazonaws.ecs.capability.docker-remote-api.1.28 com.amazonaws.ecs.capability.docker-remote-api.1.32
com.amazonaws.ecs.capability.logging-driver.awsfirelens com.amazonaws.ecs.capability.task-iam-role-network-host
ecs.capability.private-registry-authentication.secretsmanager ecs.capability.env-files.s3
ecs.capability.container-restart-policy ecs.capability.network.container-port-range ecs.capability.full-sync
ecs.capability.ecr-endpoint ecs.capability.firelens.fluentd ecs.capability.firelens.options.config.s3
ecs.capability.secrets.asm.bootstrap.log-driver ecs.capability.secrets.ssm.bootstrap.log-driver
ecs.capability.aws-appmesh ecs.os-type ecs.os-family ecs.os-type-detailed
"""


def test_attributes_are_the_real_ones() -> None:
    found = host.attributes(configuration.from_values({"ECS_ENABLE_TASK_IAM_ROLE": "false"}), [])
    names = {each["name"] for each in found}
    assert names >= set(PUBLISHED.split())
    absent = ("1.26", "1.27", "1.31", "1.33", "1.41")
    assert not names & {f"com.amazonaws.ecs.capability.docker-remote-api.{version}" for version in absent}
    assert "com.amazonaws.ecs.capability.task-iam-role" not in names
    assert {"name": "ecs.os-family", "value": "LINUX"} in found


@pytest.mark.parametrize(("override", "offered"), [("true", True), ("false", False), ("", True)])
def test_logs_by_the_execution_role_are_offered_unless_they_are_switched_off(override: str, offered: bool) -> None:
    """ecs-init switches them on (amazon-ecs-agent, ecs-init/docker/docker_config.go)."""
    configured = configuration.from_values({"ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE": override})
    names = [each["name"] for each in host.attributes(configured, [])]
    assert ("ecs.capability.execution-role-awslogs" in names) == offered


def test_efs_options() -> None:
    plain = {"fileSystemId": "fs-1", "rootDirectory": "/data"}
    assert volumes.efs_options(plain, "") == {"type": "efs", "device": "fs-1:/data"}
    secured = {
        "fileSystemId": "fs-1",
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"accessPointId": "fsap-1", "iam": "ENABLED"},
    }
    assert volumes.efs_options(secured, "/v2/credentials/x") == {
        "type": "efs",
        "device": "fs-1:/",
        "o": "tls,iam,awscredsuri=/v2/credentials/x,accesspoint=fsap-1",
    }


def test_secret_references() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:1:secret:db-AbCdEf"
    assert secrets.split(arn) == (arn, "", "", "")
    assert secrets.split(f"{arn}:password::") == (arn, "password", "", "")
    assert secrets.split(f"{arn}:password:AWSPREVIOUS:") == (arn, "password", "AWSPREVIOUS", "")


def test_dependencies_come_from_depends_on_links_and_volumes_from() -> None:
    definition = {
        "dependsOn": [{"containerName": "a", "condition": "HEALTHY"}],
        "links": ["a:alias", "b"],
        "volumesFrom": [{"sourceContainer": "c"}],
    }
    assert dependencies.of(definition) == [("a", "HEALTHY"), ("b", "START"), ("c", "START")]


def test_ports_and_bindings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "free", lambda _port, _protocol: True)
    mappings = [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}, {"containerPort": 53, "hostPort": 5353}]
    assert ports.published({"portMappings": mappings}, ports.Ports(40000, 40001)) == (
        {"80/tcp": {}, "53/tcp": {}},
        {"80/tcp": [{"HostPort": "40000"}], "53/tcp": [{"HostPort": "5353"}]},
    )
    places = [{"HostIp": "0.0.0.0", "HostPort": "32768"}, {"HostIp": "::", "HostPort": "32768"}]
    assert ports.bindings({"NetworkSettings": {"Ports": {"80/tcp": places, "81/tcp": None}}}) == [
        {"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 32768, "protocol": "tcp"}
    ]
    assert ports.bindings({"NetworkSettings": {"Ports": {}}}) == []  # on the host's network


def test_ports_are_the_next_free_ones_of_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = {40001}
    monkeypatch.setattr(ports, "free", lambda port, _protocol: port not in taken)
    found = ports.Ports(40000, 40003)
    assert [found.take("tcp") for _ in range(4)] == [40000, 40002, 40003, 40000]
    taken |= {40000, 40002, 40003}
    with pytest.raises(ports.PortError):
        found.take("tcp")


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert not ports.free(port, "tcp")
    assert ports.free(port, "tcp")


def test_usage_is_of_the_whole_host_and_without_cache() -> None:
    found: dict[str, Any] = {
        "cpu_stats": {"cpu_usage": {"total_usage": 300}, "system_cpu_usage": 2000},
        "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000},
        "memory_stats": {"usage": 30 * 1024 * 1024, "stats": {"total_inactive_file": 10 * 1024 * 1024}},
    }
    assert telemetry.usage(found) == (20.0, 20.0)


def test_store_survives_and_is_private(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "data"))
    store.cluster, store.container_instance, store.ec2_instance = "demo", "arn:ci", "i-1"
    task = Task.sent({"arn": "arn:task", "desiredStatus": "RUNNING", "containers": [{"name": "web"}]})
    task.containers["web"].started = 7.0
    store.put(task)
    again = Store(str(tmp_path / "data"))
    assert (again.cluster, again.container_instance, again.tasks) == ("demo", "arn:ci", {"arn:task": task})
    assert (tmp_path / "data" / "agent.json").stat().st_mode & 0o077 == 0
    again.forget("arn:task")
    assert json.loads((tmp_path / "data" / "agent.json").read_text())["tasks"] == {}


class Client:
    """Docker's, as far as a registration asks it."""

    plugins = SimpleNamespace(list=list)

    def version(self) -> dict[str, str]:
        """The engine's."""
        return {"Version": "25"}


def test_own_attributes_are_sent_at_the_first_registration_only(tmp_path: Path) -> None:
    own = {"name": "tier", "value": "web"}
    sent = []

    def call(action: str, request: dict[str, Any]) -> dict[str, Any]:
        del action
        sent.append(request)
        return {"containerInstance": {"containerInstanceArn": "arn:ci", "attributes": request["attributes"]}}

    configured = configuration.from_values({"ECS_INSTANCE_ATTRIBUTES": '{"tier":"web"}'})
    for _ in range(2):
        registered = registration.Registration(configured, Store(str(tmp_path)), Metadata(), Client())  # type: ignore[arg-type]  # a stand-in for IMDS
        registered.call = call  # type: ignore[method-assign]  # no control plane here
        registered.register()
    assert own in sent[0]["attributes"]
    assert own not in sent[1]["attributes"]
    assert sent[1]["containerInstanceArn"] == "arn:ci"


class Metadata:
    def identity(self) -> tuple[str, str]:
        return json.dumps({"region": "us-east-1", "instanceId": "i-1"}), ""

    def credentials(self) -> aws.Credentials:
        return aws.Credentials("AKIA", "secret", "token")


def registering(tmp_path: Path, answers: list[Any], **values: str) -> tuple[registration.Registration, list[Any]]:
    """A registration that is answered so, and the requests that it makes."""
    asked: list[Any] = []

    def call(action: str, request: dict[str, Any]) -> dict[str, Any]:
        assert action == "RegisterContainerInstance"
        asked.append(request)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"containerInstance": {"containerInstanceArn": "arn:ci", "attributes": request["attributes"]}}

    store = Store(str(tmp_path))
    made = registration.Registration(configuration.from_values(values), store, Metadata(), Client())  # type: ignore[arg-type]  # a stand-in for IMDS
    made.call = call  # type: ignore[method-assign]  # no control plane here
    return made, asked


@pytest.mark.parametrize("kind", ["ClientException", "InvalidParameterException"])
def test_what_ecs_refuses_for_good_ends_the_agent_for_good(tmp_path: Path, kind: str) -> None:
    made, asked = registering(tmp_path, [aws.ApiError(kind, "Cluster not found.")])
    with pytest.raises(registration.Terminal, match="Cluster not found"):
        made.register()
    assert len(asked) == 1


@pytest.mark.parametrize("problem", [aws.ApiError("AccessDeniedException", "no"), OSError("no route")])
def test_what_may_get_better_ends_the_agent_for_now(tmp_path: Path, problem: Exception) -> None:
    made, asked = registering(tmp_path, [problem])
    with pytest.raises(type(problem)):
        made.register()
    assert len(asked) == 1


def test_the_agent_ends_at_once_although_a_thread_waits_for_docker(tmp_path: Path) -> None:
    """systemd starts a killed Docker after the agent's end: the two would wait for each other."""
    program = f"""
import os, signal, sys, threading, time
from local_aws.agent.ecs_agent import __main__ as agent

def run(configuration, options):
    threading.Thread(target=time.sleep, args=(60,)).start()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)

agent._run = run
sys.argv = ["ecs_agent", "--config", {str(tmp_path / "none")!r}]
sys.exit(agent.main())
"""
    ended = subprocess.run([sys.executable, "-c", program], timeout=30, check=False)
    assert ended.returncode == 0


def test_a_busy_ecs_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    busy = [aws.ApiError("ThrottlingException", "slow"), aws.ApiError("ServerException", "oops")]
    made, asked = registering(tmp_path, [*busy, None])
    made.register()
    assert pauses == [3.0, 6.0]
    assert len({each["clientToken"] for each in asked}) == 1, "one registration, however often it is asked for"


TAGS = b"""<DescribeTagsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><tagSet>
<item><resourceId>i-1</resourceId><key>Name</key><value>shop-host</value></item>
<item><resourceId>i-1</resourceId><key>Team</key><value>web</value></item>
<item><resourceId>i-1</resourceId><key>aws:autoscaling:groupName</key><value>hosts</value></item>
<item><resourceId>i-1</resourceId><key>AmazonECSManaged</key><value/></item>
</tagSet></DescribeTagsResponse>"""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("ec2_instance", {"Name": "shop-host", "Team": "ops", "AmazonECSManaged": ""}),
        ("none", {"Team": "ops"}),
    ],
)
def test_tags_of_the_instance_are_taken_over_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, expected: dict[str, str]
) -> None:
    sent: list[urllib.request.Request] = []

    def urlopen(request: urllib.request.Request, **_more: Any) -> io.BytesIO:
        sent.append(request)
        return io.BytesIO(TAGS)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    more = {"ECS_CONTAINER_INSTANCE_TAGS": '{"Team":"ops"}', "ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM": source}
    made, asked = registering(tmp_path, [None], **more)
    made.register()
    assert {each["key"]: each["value"] for each in asked[0]["tags"]} == expected
    if source == "none":
        assert sent == []
        return
    (request,) = sent
    query = parse_qs(request.data.decode())  # type: ignore[union-attr]  # bytes
    assert (query["Action"], query["Filter.1.Value.1"]) == (["DescribeTags"], ["i-1"])
    assert "/ec2/aws4_request" in request.headers["Authorization"]


def test_without_the_tags_the_agent_does_not_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def urlopen(*_arguments: Any, **_more: Any) -> None:
        raise OSError("HTTP Error 403: Forbidden")

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    made, asked = registering(tmp_path, [None], ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM="ec2_instance")
    with pytest.raises(OSError, match="403"):
        made.register()
    assert asked == []


def test_another_cluster_after_the_first_registration_is_terminal(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.cluster, store.ec2_instance, store.container_instance = "one", "i-1", "arn:ci"
    other = configuration.from_values({"ECS_CLUSTER": "two"})
    made = registration.Registration(other, store, Metadata(), None)  # type: ignore[arg-type]  # a stand-in for IMDS
    with pytest.raises(
        registration.Terminal, match="Data mismatch; saved cluster 'one' does not match configured cluster 'two'"
    ):
        made.register()

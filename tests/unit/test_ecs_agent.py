"""The stand-in agent's reading of its configuration, its host and its payload; no Docker."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.agent.ecs_agent import configuration, host, secrets, session, task, volumes
from local_aws.agent.ecs_agent.store import Store


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
        ("ECS_AVAILABLE_LOGGING_DRIVERS", "awslogs", "expected a json list"),
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
        ("ECS_CONTAINER_STOP_TIMEOUT", "500ms", "stop_timeout", 30.0),
        ("ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION", "10m", "cleanup_wait", 600.0),
        ("ECS_DISABLE_METRICS", "yes", "disable_metrics", False),
        ("ECS_DISABLE_METRICS", "T", "disable_metrics", True),
        ("ECS_IMAGE_PULL_BEHAVIOR", "sometimes", "pull_behavior", "default"),
    ],
)
def test_values_that_are_wrong_fall_back(key: str, value: str, field: str, expected: object) -> None:
    assert getattr(configuration.from_values({key: value}), field) == expected


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
    assert task.dependencies(definition) == [("a", "HEALTHY"), ("b", "START"), ("c", "START")]


def test_ports_and_bindings() -> None:
    definition = {"portMappings": [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}]}
    assert task.ports(definition) == ({"80/tcp": {}}, {"80/tcp": [{"HostPort": ""}]})
    inspected = {"NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}], "81/tcp": None}}}
    assert task.bindings(definition, inspected, "bridge") == [
        {"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 32768, "protocol": "tcp"}
    ]
    assert task.bindings(definition, inspected, "host")[0]["hostPort"] == 80


def test_usage_is_of_the_whole_host_and_without_cache() -> None:
    found: dict[str, Any] = {
        "cpu_stats": {"cpu_usage": {"total_usage": 300}, "system_cpu_usage": 2000},
        "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000},
        "memory_stats": {"usage": 30 * 1024 * 1024, "stats": {"total_inactive_file": 10 * 1024 * 1024}},
    }
    assert session.usage(found) == (20.0, 20.0)


def test_store_survives_and_is_private(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "data"))
    store.cluster, store.container_instance, store.ec2_instance = "demo", "arn:ci", "i-1"
    store.put("arn:task", {"status": "RUNNING"})
    again = Store(str(tmp_path / "data"))
    assert (again.cluster, again.container_instance, again.tasks) == (
        "demo",
        "arn:ci",
        {"arn:task": {"status": "RUNNING"}},
    )
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
        registration = session.Registration(configured, Store(str(tmp_path)), Metadata(), Client())  # type: ignore[arg-type]  # a stand-in for IMDS
        registration.call = call  # type: ignore[method-assign]  # no control plane here
        registration.register()
    assert own in sent[0]["attributes"]
    assert own not in sent[1]["attributes"]
    assert sent[1]["containerInstanceArn"] == "arn:ci"


class Metadata:
    def identity(self) -> tuple[str, str]:
        return json.dumps({"region": "us-east-1", "instanceId": "i-1"}), ""


def test_another_cluster_after_the_first_registration_is_terminal(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.cluster, store.ec2_instance, store.container_instance = "one", "i-1", "arn:ci"
    other = configuration.from_values({"ECS_CLUSTER": "two"})
    registration = session.Registration(other, store, Metadata(), None)  # type: ignore[arg-type]  # a stand-in for IMDS
    with pytest.raises(
        session.Terminal, match="Data mismatch; saved cluster 'one' does not match configured cluster 'two'"
    ):
        registration.register()

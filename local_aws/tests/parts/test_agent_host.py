"""The stand-in agent where it belongs: on a host, with containers on a bridge and images from the registry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws.config import REGION
from local_aws.tests.host_support import Site
from local_aws.tests.own_server import running
from local_aws.tests.until import until

pytestmark = pytest.mark.docker

CLUSTER = "agent-host"
PORTS = range(41000, 41010)
ROLE = "arn:aws:iam::123456789012:role/execution"
USER_DATA = f"""#cloud-config
write_files:
  - path: /etc/ecs/ecs.config
    content: |
      ECS_CLUSTER={CLUSTER}
      ECS_IMAGE_PULL_BEHAVIOR=once
      ECS_DYNAMIC_HOST_PORT_RANGE={PORTS.start}-{PORTS.stop - 1}
      ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM=ec2_instance
"""
ASK = """
ask() { exec 3<>/dev/tcp/$1/$2 && printf 'GET %s HTTP/1.0\\r\\n\\r\\n' "$3" >&3 && cat <&3; echo; }
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running(3, {"resolver", "registry", "instances", "ecs"}) as own:
        found = Site(own, CLUSTER)
        found.boot(USER_DATA)
        yield found


def test_the_host_registers_as_what_it_is(site: Site) -> None:
    instance = site.instance()
    assert {"key": "Site", "value": "shop"} in instance["tags"]
    attributes = {each["name"]: each.get("value") for each in instance["attributes"]}
    assert attributes["ecs.cpu-architecture"] == "x86_64"
    assert attributes["ecs.os-family"] == "LINUX"
    assert instance["versionInfo"]["dockerVersion"].startswith("DockerVersion: ")


def test_a_dependants_image_comes_when_its_turn_has_come(site: Site) -> None:
    first, second = site.push("first"), site.push("second")
    check = {"command": ["CMD-SHELL", "test -f /tmp/up"], "interval": 5, "timeout": 2, "retries": 5}
    arn = site.run(
        "ordered",
        {"name": "a", "image": first, "healthCheck": check,
         "command": ["sh", "-c", "sleep 12; touch /tmp/up; sleep 600"]},
        {"name": "b", "image": second, "command": ["sleep", "600"], "portMappings": [{"containerPort": 80}],
         "dependsOn": [{"containerName": "a", "condition": "HEALTHY"}]},
        executionRoleArn=ROLE,
    )  # fmt: skip
    listed = "docker images --format '{{.Repository}}'"
    until(lambda: f"{site.registry}/first" in site.on_host(listed), "the first image", 60)
    task = until(lambda: running_first(site.task(arn)), "the first container", 60)
    assert f"{site.registry}/second" not in site.on_host(listed)
    assert all(each["imageDigest"].startswith("sha256:") for each in task["containers"]), "both manifests are known"
    assert task["lastStatus"] == "PENDING"
    task = site.reach(arn, "RUNNING")
    assert f"{site.registry}/second" in site.on_host(listed)
    (binding,) = next(each["networkBindings"] for each in task["containers"] if each["name"] == "b")
    assert binding["hostPort"] in PORTS
    site.ecs.stop_task(cluster=CLUSTER, task=arn)
    site.reach(arn, "STOPPED")


def running_first(task: dict[str, Any]) -> dict[str, Any] | None:
    """`task` once its first container runs."""
    states = {each["name"]: each["lastStatus"] for each in task["containers"]}
    return task if states["a"] == "RUNNING" else None


def test_a_container_on_a_bridge_reaches_the_agent(site: Site) -> None:
    script = ASK + (
        'ask 169.254.170.2 80 "${ECS_CONTAINER_METADATA_URI_V4#http://169.254.170.2}/task"\n'
        'ask 169.254.170.2 80 "${ECS_CONTAINER_METADATA_URI#http://169.254.170.2}"\n'
        "ask 172.17.0.1 51678 /v1/metadata\n"
        "sleep 600\n"
    )
    arn = site.run("curious", {"name": "one", "image": site.push("curious"), "command": ["bash", "-c", script]})
    site.reach(arn, "RUNNING")
    identity = site.task(arn)["containers"][0]["runtimeId"]

    def answers() -> list[str]:
        return [line for line in site.on_host(f"docker logs {identity}").splitlines() if line.startswith("{")]

    until(lambda: len(answers()) == 3, "three answers", 60)
    task, container, introspection = (json.loads(line) for line in answers())
    assert task["TaskARN"] == arn
    assert task["AvailabilityZone"] == f"{REGION}a"
    assert task["VPCID"].startswith("vpc-")
    assert container["DockerId"] == identity
    assert introspection["Cluster"] == CLUSTER
    site.ecs.stop_task(cluster=CLUSTER, task=arn)
    assert site.reach(arn, "STOPPED")["containers"][0]["exitCode"] is not None


def test_an_image_that_the_registry_has_not(site: Site) -> None:
    task = site.reach(site.run("none", {"name": "one", "image": f"{site.registry}/first:none"}), "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", "Task failed to start")
    reason = task["containers"][0]["reason"]
    assert reason.startswith("CannotPullImageManifestError: Error response from daemon: manifest unknown"), reason


def test_a_deregistered_host_keeps_its_agent_until_it_is_started_again(site: Site) -> None:
    instance = site.instance()
    name = site.own.config.container(instance["ec2InstanceId"])
    host = site.own.docker.containers.get(name)
    state = "systemctl show ecs --property ActiveState,ExecMainStatus | paste -sd ' '"

    def look() -> str:
        return str(host.exec_run(["bash", "-c", state]).output.decode().strip())

    site.ecs.deregister_container_instance(
        cluster=CLUSTER, containerInstance=instance["containerInstanceArn"], force=True
    )
    log = ["journalctl", "-u", "ecs", "--output", "cat"]
    until(lambda: b"Container instance is deregistered" in host.exec_run(log).output, "it to be told", 60)
    assert "ActiveState=active" in look()
    host.exec_run(["systemctl", "restart", "ecs"])
    # A unit that systemd will start again is `activating` meanwhile, for its RestartSec, not `failed`.
    until(lambda: "ActiveState=failed" in look(), "it to end", 60)
    assert "ExecMainStatus=5" in look()

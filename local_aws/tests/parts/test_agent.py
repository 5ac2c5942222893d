"""The stand-in agent on this machine's Docker engine, against the control plane: real containers, real sockets."""

from __future__ import annotations

import http.server
import ipaddress
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from local_aws import images
from local_aws.config import LABEL, PROJECT, Config
from local_aws.server import Server
from local_aws.tests.until import until

pytestmark = pytest.mark.docker

CONFIG = Config("test-agent", 4630, 4631, 4632, 4633, 4634, ipaddress.IPv4Network("10.103.0.0/16"))
INTROSPECTION, CREDENTIALS, METADATA = 4635, 4636, 4639
CLUSTER = "test-agent"
PORTS = range(47100, 47200)


TAGS = [{"Key": "Name", "Value": "test-agent-host"}]


class Metadata(http.server.BaseHTTPRequestHandler):
    """The parts of the metadata service that the agent needs."""

    document = ""

    def do_PUT(self) -> None:
        self._answer(200, "token")

    def do_GET(self) -> None:
        found = {"document": self.document, "signature": "c2ln"}.get(self.path.rpartition("/")[2])
        self._answer(200 if found else 404, found or "")

    def _answer(self, code: int, body: str) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_arguments: Any) -> None:
        """Keep the test's output clean."""


class Site:
    """A cluster with one agent, and short words for what the tests ask."""

    def __init__(self, server: Server, directory: Path, image: str) -> None:
        self.ecs = server.cloud.client("ecs")
        self.cloud = server.cloud
        self.directory = directory
        self.image = image
        self.config = directory / "ecs.config"
        self.config.write_text(
            f"ECS_CLUSTER={CLUSTER}\nECS_DATADIR={directory}/data\nECS_BACKEND_HOST={CONFIG.endpoint}\n"
            "ECS_IMAGE_PULL_BEHAVIOR=prefer-cached\nECS_CONTAINER_STOP_TIMEOUT=1s\n"
            f"ECS_DYNAMIC_HOST_PORT_RANGE={PORTS.start}-{PORTS.stop - 1}\n"
            "ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM=ec2_instance\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start_agent(self, config: Path | None = None) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{METADATA}",
            "AWS_ENDPOINT_URL": CONFIG.endpoint,
        }
        command = [sys.executable, "-m", "ecs_agent", "--config", str(config or self.config)]
        command += ["--telemetry-seconds", "0.5"]
        command += ["--introspection-port", str(INTROSPECTION), "--containers-port", str(CREDENTIALS)]
        with (self.directory / "agent.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=PROJECT / "local_aws" / "agent", env=environment, stdout=log, stderr=log
            )
        return self.process

    def stop_agent(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(20)

    def instance(self) -> dict[str, Any]:
        arns = self.ecs.list_container_instances(cluster=CLUSTER)["containerInstanceArns"]
        if not arns:
            return {}
        found = self.ecs.describe_container_instances(cluster=CLUSTER, containerInstances=arns)
        return dict(found["containerInstances"][0])

    def connected(self) -> bool:
        return bool(self.instance().get("agentConnected"))

    def define(self, family: str, *containers: dict[str, Any], **more: Any) -> str:
        definitions = [{"image": self.image, "memory": 32, **each} for each in containers]
        answer = self.ecs.register_task_definition(family=family, containerDefinitions=definitions, **more)
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def run(self, definition: str, **more: Any) -> str:
        answer = self.ecs.run_task(cluster=CLUSTER, taskDefinition=definition, **more)
        assert answer["failures"] == []
        return str(answer["tasks"][0]["taskArn"])

    def task(self, arn: str) -> dict[str, Any]:
        return dict(self.ecs.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0])

    def reach(self, arn: str, status: str) -> dict[str, Any]:
        until(lambda: self.task(arn)["lastStatus"] == status, f"{arn} {status}")
        return self.task(arn)

    def service(self, name: str) -> dict[str, Any]:
        return dict(self.ecs.describe_services(cluster=CLUSTER, services=[name])["services"][0])

    def containers(self, arn: str = "", name: str = "") -> list[Any]:
        labels = [f"com.amazonaws.ecs.cluster={CLUSTER}"]
        labels += [f"com.amazonaws.ecs.task-arn={arn}"] if arn else []
        labels += [f"com.amazonaws.ecs.container-name={name}"] if name else []
        return list(self.cloud.docker.containers.list(all=True, ignore_removed=True, filters={"label": labels}))


def clean() -> None:
    client = docker.from_env()
    for container in client.containers.list(
        all=True, ignore_removed=True, filters={"label": f"com.amazonaws.ecs.cluster={CLUSTER}"}
    ):
        container.remove(force=True)
    for network in client.networks.list(filters={"label": f"{LABEL}={CONFIG.name}"}):
        network.remove()
    for volume in client.volumes.list(filters={"name": "test-agent-media"}):
        volume.remove(force=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    clean()
    server = Server(CONFIG, only={"network", "ecs"})
    server.start()
    ec2 = server.cloud.client("ec2")
    image = ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])["Images"][0]["ImageId"]
    tags = [{"ResourceType": "instance", "Tags": TAGS}]
    started = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t2.micro", TagSpecifications=tags)[
        "Instances"
    ][0]
    Metadata.document = json.dumps({"instanceId": started["InstanceId"], "region": "us-east-1"})
    metadata = http.server.ThreadingHTTPServer(("127.0.0.1", METADATA), Metadata)
    threading.Thread(target=metadata.serve_forever, daemon=True).start()
    found = Site(server, tmp_path_factory.mktemp("agent"), images.ensure("base-bookworm"))
    found.ecs.create_cluster(clusterName=CLUSTER)
    found.start_agent()
    try:
        until(found.connected, "the agent connects")
        yield found
    finally:
        found.stop_agent()
        print((found.directory / "agent.log").read_text())
        metadata.shutdown()
        server.stop()
        clean()


LIVE = "trap 'exit 0' TERM; touch /tmp/up /media/seen; while :; do sleep 0.2; done"
CHECK = {"command": ["CMD-SHELL", "test -f /tmp/up"], "interval": 5, "timeout": 2, "retries": 2}


def pair(site: Site) -> str:
    """Two containers as of the site: nginx waits for django's health check, and has a dynamic host port."""
    mount = {"sourceVolume": "test-agent-media", "containerPath": "/media"}
    volume = {"scope": "shared", "autoprovision": True, "driver": "local"}
    return site.define(
        "pair",
        {"name": "django", "command": ["sh", "-c", LIVE], "healthCheck": CHECK, "mountPoints": [mount]},
        {
            "name": "nginx",
            "command": ["sh", "-c", "test -f /media/seen && trap 'exit 0' TERM; while :; do sleep 0.2; done"],
            "links": ["django"],
            "dependsOn": [{"containerName": "django", "condition": "HEALTHY"}],
            "portMappings": [{"containerPort": 80}],
            "mountPoints": [{**mount, "readOnly": True}],
        },
        volumes=[{"name": "test-agent-media", "dockerVolumeConfiguration": volume}],
    )


def test_instance_says_what_it_is(site: Site) -> None:
    instance = site.instance()
    assert instance["status"] == "ACTIVE"
    assert "ecs.capability.docker-plugin.local" in [each["name"] for each in instance["attributes"]]
    with urllib.request.urlopen(f"http://127.0.0.1:{INTROSPECTION}/v1/metadata") as answer:
        metadata = json.load(answer)
    assert metadata["Cluster"] == CLUSTER
    assert metadata["ContainerInstanceArn"] == instance["containerInstanceArn"]
    assert instance["versionInfo"]["agentVersion"] == "1.105.1"
    assert instance["versionInfo"]["dockerVersion"].startswith("DockerVersion: ")
    described = site.ecs.describe_container_instances(
        cluster=CLUSTER,
        containerInstances=[instance["containerInstanceArn"]],
        include=["TAGS", "CONTAINER_INSTANCE_HEALTH"],
    )
    (tagged,) = described["containerInstances"]
    assert tagged["tags"] == [{"key": "Name", "value": "test-agent-host"}]
    until(lambda: _health(site) == {"CONTAINER_RUNTIME": "OK"}, "the host's own health")


def _health(site: Site) -> dict[str, str]:
    (found,) = site.ecs.describe_container_instances(
        cluster=CLUSTER,
        containerInstances=[site.instance()["containerInstanceArn"]],
        include=["CONTAINER_INSTANCE_HEALTH"],
    )["containerInstances"]
    return {each["type"]: each["status"] for each in found["healthStatus"]["details"]}


def test_two_containers_in_order_then_a_stop(site: Site) -> None:
    arn = site.run(pair(site))
    task = site.reach(arn, "RUNNING")
    django, nginx = (next(each for each in task["containers"] if each["name"] == name) for name in ("django", "nginx"))
    until(lambda: site.task(arn)["healthStatus"] == "HEALTHY", "its health")
    assert django["lastStatus"] == "RUNNING"
    assert nginx["networkBindings"][0]["containerPort"] == 80
    assert nginx["networkBindings"][0]["hostPort"] in PORTS
    (container,) = site.containers(arn, "nginx")
    assert container.name.startswith("ecs-pair-")
    assert container.attrs["HostConfig"]["Memory"] == 32 * 1024 * 1024
    assert container.labels["com.amazonaws.ecs.task-definition-family"] == "pair"
    site.ecs.stop_task(cluster=CLUSTER, task=arn, reason="enough")
    task = site.reach(arn, "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
    assert [each["exitCode"] for each in task["containers"]] == [0, 0]


def test_one_off_task_gives_its_exit_code(site: Site) -> None:
    arn = site.run(site.define("once", {"name": "once", "command": ["sh", "-c", "exit 3"]}))
    task = site.reach(arn, "STOPPED")
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", 3)


def test_secrets_come_from_their_stores(site: Site) -> None:
    secret = site.cloud.client("secretsmanager").create_secret(
        Name="test-agent", SecretString='{"password":"open sesame"}'
    )
    site.cloud.client("ssm").put_parameter(Name="/test-agent/host", Value="db", Type="SecureString")
    arn = site.run(
        site.define(
            "secrets",
            {
                "name": "one",
                "command": ["sh", "-c", 'test "$PASSWORD" = "open sesame" && test "$HOST" = db'],
                "secrets": [
                    {"name": "PASSWORD", "valueFrom": f"{secret['ARN']}:password::"},
                    {"name": "HOST", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/test-agent/host"},
                ],
            },
            executionRoleArn="arn:aws:iam::123456789012:role/execution",
        )
    )
    assert site.reach(arn, "STOPPED")["containers"][0]["exitCode"] == 0


def test_a_secret_that_is_not_there_fails_the_task(site: Site) -> None:
    secret = {"name": "A", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/nowhere/a"}
    role = "arn:aws:iam::123456789012:role/execution"
    arn = site.run(site.define("secretless", {"name": "one", "secrets": [secret]}, executionRoleArn=role))
    task = site.reach(arn, "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"] == (
        f"fetching secret data from SSM Parameter Store in us-east-1: invalid parameters: {secret['valueFrom']}"
    )
    missing = "arn:aws:secretsmanager:us-east-1:123456789012:secret:nowhere-AbCdEf"
    definition = site.define(
        "secretless", {"name": "one", "secrets": [{"name": "A", "valueFrom": missing}]}, executionRoleArn=role
    )
    task = site.reach(site.run(definition), "STOPPED")
    assert task["stoppedReason"].startswith(
        f"ResourceNotFoundException: The task can't retrieve the secret with ARN '{missing}' from AWS Secrets Manager. "
        "Check whether the secret exists in the specified Region"
    )


def test_an_image_that_is_not_there_is_the_containers_reason(site: Site) -> None:
    image = f"127.0.0.1:{CONFIG.registry_port}/none:1"
    task = site.reach(site.run(site.define("imageless", {"name": "one", "image": image})), "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", "Task failed to start")
    assert task["containers"][0]["reason"].startswith("CannotPullImageManifestError: Error response from daemon: ")


def test_a_volume_that_is_not_there_is_the_tasks_reason(site: Site) -> None:
    volume = {"name": "test-agent-none", "dockerVolumeConfiguration": {"scope": "shared", "driver": "local"}}
    mount = {"sourceVolume": "test-agent-none", "containerPath": "/media"}
    arn = site.run(site.define("volumeless", {"name": "one", "mountPoints": [mount]}, volumes=[volume]))
    task = site.reach(arn, "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith(
        f"resource cannot be initialized for task {arn}: initialize volume: volume detection failed, volume "
        "'test-agent-none' does not exist and autoprovision is set to false: Error response from daemon: "
    )


def test_what_waits_for_a_success_that_does_not_come_says_so(site: Site) -> None:
    definition = site.define(
        "unmet",
        {"name": "first", "essential": False, "command": ["sh", "-c", "exit 4"]},
        {"name": "second", "dependsOn": [{"containerName": "first", "condition": "SUCCESS"}]},
    )
    task = site.reach(site.run(definition), "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", "Task failed to start")
    first, second = task["containers"]
    assert (first["exitCode"], second["exitCode"]) == (4, 143)
    assert second["reason"].startswith("CannotStartContainerError: dependency graph: ")
    assert second["reason"].endswith("as dependency did not exit successfully.")


ASK = """
exec 3<>/dev/tcp/127.0.0.1/%d
printf 'GET %%s HTTP/1.0\\r\\n\\r\\n' "${%s#http://169.254.170.2}%s" >&3
cat <&3
echo
"""


def test_a_container_finds_itself_and_its_task_by_the_metadata_endpoint(site: Site) -> None:
    script = "\n".join(
        ASK % (CREDENTIALS, *each)
        for each in (
            ("ECS_CONTAINER_METADATA_URI_V4", ""),
            ("ECS_CONTAINER_METADATA_URI_V4", "/task"),
            ("ECS_CONTAINER_METADATA_URI", ""),
        )
    )
    command = ["bash", "-c", f"echo $AWS_REGION $AWS_DEFAULT_REGION $ECS_AGENT_URI; {script}"]
    # On the host's network: the route from a bridge is a host's (test_agent_host.py).
    arn = site.run(site.define("curious", {"name": "one", "command": command}, networkMode="host"))
    site.reach(arn, "STOPPED")
    (container,) = site.containers(arn)
    assert container.attrs["HostConfig"]["NetworkMode"] == "host"
    first, *answers = container.logs().decode().splitlines()
    assert first.startswith("us-east-1 us-east-1 http://169.254.170.2/api/")
    own, task, former = (json.loads(line) for line in answers if line.startswith("{"))
    assert own["DockerId"] == former["DockerId"] == container.id
    assert own["ContainerARN"] == site.task(arn)["containers"][0]["containerArn"]
    assert "ContainerARN" not in former
    assert (task["TaskARN"], task["Family"], task["Cluster"]) == (arn, "curious", CLUSTER)
    assert [each["Name"] for each in task["Containers"]] == ["one"]


def test_service_replaces_a_killed_container_and_rolls_back_a_broken_release(site: Site) -> None:
    good = pair(site)
    breaker = {"enable": True, "rollback": True}
    site.ecs.create_service(
        cluster=CLUSTER,
        serviceName="web",
        taskDefinition=good,
        desiredCount=1,
        launchType="EC2",
        deploymentConfiguration={"deploymentCircuitBreaker": breaker},
    )
    until(lambda: site.service("web")["deployments"][0]["rolloutState"] == "COMPLETED", "steady")
    (first,) = site.ecs.list_tasks(cluster=CLUSTER, serviceName="web")["taskArns"]
    site.containers(first, "django")[0].kill()
    task = site.reach(first, "STOPPED")
    assert task["stoppedReason"] == "Essential container in task exited"
    until(lambda: site.service("web")["runningCount"] == 1 and first not in _arns(site), "replaced")
    site.ecs.update_service(
        cluster=CLUSTER,
        service="web",
        taskDefinition=site.define("pair", {"name": "django", "image": f"127.0.0.1:{CONFIG.registry_port}/none:1"}),
    )
    until(lambda: any("rolling back" in each["message"] for each in site.service("web")["events"]), "failed")
    until(lambda: [d["rolloutState"] for d in site.service("web")["deployments"]] == ["COMPLETED"], "rolled back")
    assert site.service("web")["taskDefinition"] == good
    site.ecs.delete_service(cluster=CLUSTER, service="web", force=True)
    until(lambda: site.service("web")["status"] == "INACTIVE", "gone")


def _arns(site: Site) -> list[str]:
    return list(site.ecs.list_tasks(cluster=CLUSTER, serviceName="web")["taskArns"])


def test_tasks_live_on_while_the_agent_restarts(site: Site) -> None:
    command = ["sh", "-c", "while :; do sleep 0.2; done"]
    arn = site.run(site.define("lasting", {"name": "one", "command": command}))
    site.reach(arn, "RUNNING")
    site.stop_agent(signal.SIGKILL)
    until(lambda: not site.connected(), "disconnected")
    assert site.containers(arn)[0].status == "running"
    site.start_agent()
    until(site.connected, "connected")
    assert site.task(arn)["lastStatus"] == "RUNNING"
    site.containers(arn)[0].kill()
    assert site.reach(arn, "STOPPED")["containers"][0]["exitCode"] == 137


def test_quoted_configuration_is_an_error_and_another_cluster_is_terminal(site: Site) -> None:
    site.stop_agent()
    plain = site.config.read_text()
    try:
        site.config.write_text(plain.replace(f"={CLUSTER}", "=elsewhere"))
        assert site.start_agent().wait(20) == 5
        assert "Data mismatch" in (site.directory / "agent.log").read_text()
        site.config.write_text(plain + "ECS_INSTANCE_ATTRIBUTES='{}'\n")
        assert site.start_agent().wait(20) == 1
        assert "Expected a json hash" in (site.directory / "agent.log").read_text()
    finally:
        site.config.write_text(plain)
        site.start_agent()
        until(site.connected, "connected")


def test_a_cluster_that_is_not_there_is_terminal(site: Site) -> None:
    site.stop_agent()
    config = site.directory / "elsewhere.config"
    plain = site.config.read_text().replace(f"={CLUSTER}", "=elsewhere")
    config.write_text(plain.replace(f"{site.directory}/data", f"{site.directory}/elsewhere"))
    try:
        assert site.start_agent(config).wait(20) == 5
        assert "ClientException: Cluster not found." in (site.directory / "agent.log").read_text()
    finally:
        site.start_agent()
        until(site.connected, "connected")


def test_an_agent_without_its_api_ends_for_now(site: Site) -> None:
    site.stop_agent()
    config = site.directory / "deaf.config"
    config.write_text(site.config.read_text().replace(CONFIG.endpoint, "http://127.0.0.1:1"))
    try:
        assert site.start_agent(config).wait(20) == 1
    finally:
        site.start_agent()
        until(site.connected, "connected")


def test_a_deregistered_agent_stays_with_its_containers_and_is_not_started_again(site: Site) -> None:
    command = ["sh", "-c", "while :; do sleep 0.2; done"]
    arn = site.run(site.define("lasting", {"name": "one", "command": command}))
    site.reach(arn, "RUNNING")
    instance = site.instance()["containerInstanceArn"]
    site.ecs.deregister_container_instance(cluster=CLUSTER, containerInstance=instance, force=True)
    log = site.directory / "agent.log"
    until(lambda: "Container instance is deregistered" in log.read_text(), "it is told")
    assert site.process
    assert site.process.poll() is None
    assert site.containers(arn)[0].status == "running"
    site.stop_agent()
    assert site.start_agent().wait(20) == 5
    assert f"Container instance {instance.rpartition('/')[2]} is inactive." in log.read_text()

"""The control plane, by what the real agent sends and takes: frames and requests as 1.105.1 has them.

Their shapes are those of amazon-ecs-agent (`ecs-agent/acs/model/api/api-2.json`, `ecs-agent/tcs/model/api/api-2.json`,
`ecs-agent/wsclient`, `ecs-agent/tcs/client/client.go`, `agent/api/statechange.go`), and what a run of it on a host of
the embedded AWS showed. Each frame goes over a socket, through all that a real one goes through.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import socket
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from local_aws.cloud import Cloud
from local_aws.config import REGION, Config
from local_aws.ecs import control_plane
from local_aws.ecs.errors import EcsError
from local_aws.ecs.metrics import Metrics
from local_aws.ecs.state import Json
from local_aws.patches import autoscaling
from local_aws.tests.ecs_support import GROUP, World
from local_aws.tests.until import until

REGISTRY = "127.0.0.1:5000"
ROLE = "arn:aws:iam::123456789012:role/execution"
VERSION = {"agentVersion": "1.105.1", "agentHash": "54d3e56b", "dockerVersion": "DockerVersion: 20.10.24+dfsg1"}
SIGNED = (
    b"Authorization: AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20251125/us-east-1/ecs/aws4_request, "
    b"SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=0fd1\r\n"
    b"Host: 10.77.0.1:4567\r\nX-Amz-Date: 20251125T110012Z\r\nX-Amz-Security-Token: IQoJb3JpZ2luX2VjE{}\r\n\r\n"
)
"""Go's http.Header.Write and an empty line, before each frame on the telemetry socket."""
TEXT, WHOLE, NUMBER, YES, TABLE = str, int, (int, float), bool, dict
TASK = {"arn": TEXT, "taskClusterArn": TEXT, "taskDefinitionAccountId": TEXT, "family": TEXT, "version": TEXT,
        "desiredStatus": TEXT, "overrides": TEXT, "networkMode": TEXT, "launchType": TEXT, "serviceName": TEXT,
        "cpu": NUMBER, "memory": WHOLE, "volumes": list, "containers": list, "roleCredentials": TABLE,
        "executionRoleCredentials": TABLE}  # fmt: skip
CONTAINER = {"name": TEXT, "image": TEXT, "cpu": WHOLE, "memory": WHOLE, "essential": YES, "environment": TABLE,
             "links": list, "portMappings": list, "mountPoints": list, "volumesFrom": list, "dependsOn": list,
             "overrides": TEXT, "dockerConfig": TABLE, "containerArn": TEXT, "logsAuthStrategy": TEXT,
             "registryAuthentication": TABLE, "command": list, "entryPoint": list, "startTimeout": WHOLE,
             "stopTimeout": WHOLE, "healthCheckType": TEXT, "secrets": list}  # fmt: skip
"""What the control plane may send of the agent's model, with its types. Go drops a whole message over a wrong one."""


def fits(value: Json, model: dict[str, Any]) -> None:
    """Fail over a member that the agent's model has not, or has of another type."""
    for key, found in value.items():
        assert key in model, f"the agent knows no {key}"
        assert isinstance(found, model[key]), f"{key}: {found!r}"
        assert not (model[key] in (WHOLE, NUMBER) and isinstance(found, bool)), key


class Plane:
    """A control plane that listens, with cluster `demo` and a clock that stands still."""

    def __init__(self, port: int) -> None:
        self.world = World()
        self.world.dispatcher.registry = REGISTRY
        network = ipaddress.IPv4Network("127.90.0.0/16")  # its gateway is this machine, as on a real network
        cloud = Cloud(Config("contract", port, port, 0, 0, 0, network))
        self.metrics = Metrics(self.world.state, self.world.region)
        ecs = control_plane.Ecs(cloud, self.world.state)
        ecs._regional[REGION] = control_plane.Regional(
            self.world.api, self.world.scheduler, self.world.dispatcher, self.metrics, None, None  # type: ignore[arg-type]  # no loop runs
        )  # fmt: skip
        vars(cloud)["_ecs"] = ecs
        self.part = control_plane.ControlPlane(cloud)
        self.url = f"ws://{cloud.config.gateway}:{port}"

    def call(self, action: str, **request: Any) -> Json:
        return self.world.call(action, **request)

    def run(self, containers: list[Json], **definition: Any) -> str:
        """Register a task definition, run it once; the task's ARN."""
        made = self.call("RegisterTaskDefinition", family="web", containerDefinitions=containers, **definition)
        arn = made["taskDefinition"]["taskDefinitionArn"]
        answer = self.call("RunTask", cluster="demo", taskDefinition=arn)
        assert answer["failures"] == []
        self.world.tick(1)
        return str(answer["tasks"][0]["taskArn"])

    def task(self, arn: str) -> Json:
        found: Json = self.call("DescribeTasks", cluster="demo", tasks=[arn])["tasks"][0]
        return found


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> Iterator[Plane]:
    monkeypatch.setattr(autoscaling, "holds", [])
    with socket.socket() as free:
        free.bind(("127.90.0.1", 0))
        port = free.getsockname()[1]
    made = Plane(port)
    made.part.prepare()
    yield made
    made.part.close()


class Real:
    """An agent that says what the real one says, when the test lets it."""

    def __init__(self, plane: Plane, **more: Any) -> None:
        self.plane = plane
        document = {"instanceId": "i-1", "region": REGION, "availabilityZone": "us-east-1a", "architecture": "x86_64",
                    "instanceType": "t3.micro", "imageId": "ami-1", "accountId": "123456789012"}  # fmt: skip
        capabilities = ("com.amazonaws.ecs.capability.docker-remote-api.1.32", "ecs.capability.container-ordering",
                        "com.amazonaws.ecs.capability.docker-remote-api.1.18", "ecs.capability.container-health-check",
                        "com.amazonaws.ecs.capability.docker-remote-api.1.19", "ecs.capability.execution-role-awslogs",
                        "com.amazonaws.ecs.capability.logging-driver.awslogs", "com.amazonaws.ecs.capability.ecr-auth",
                        "com.amazonaws.ecs.capability.task-iam-role", "ecs.capability.execution-role-ecr-pull",
                        "com.amazonaws.ecs.capability.task-iam-role-network-host",
                        "com.amazonaws.ecs.capability.docker-remote-api.1.21",
                        "com.amazonaws.ecs.capability.docker-remote-api.1.22",
                        "ecs.capability.secrets.asm.environment-variables")  # fmt: skip
        request = {
            "cluster": "demo",
            "instanceIdentityDocument": json.dumps(document),
            "instanceIdentityDocumentSignature": "c2ln",
            "totalResources": [
                {"name": "CPU", "type": "INTEGER", "integerValue": 2048, "doubleValue": 0, "longValue": 0},
                {"name": "MEMORY", "type": "INTEGER", "integerValue": 1900, "doubleValue": 0, "longValue": 0},
                {"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22", "2375", "2376", "51678", "51679"]},
                {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []},
            ],
            "attributes": [{"name": name} for name in capabilities],
            "platformDevices": [],
            "versionInfo": {},
            "tags": [],
            "clientToken": str(uuid.uuid4()),
            **more,
        }
        self.manifest: Json = {}
        self.instance: Json = plane.call("RegisterContainerInstance", **request)["containerInstance"]
        self.arn = str(self.instance["containerInstanceArn"])

    @contextlib.contextmanager
    def acs(self, credentials: bool = True) -> Iterator[ClientConnection]:
        """The connection over which tasks come, with what is to run (`ecs-agent/acs/session/session.go`, acsURL)."""
        asked = {"clusterArn": "demo", "containerInstanceArn": self.arn, **VERSION, "seqNum": "1",
                 "protocolVersion": "2", "sendCredentials": str(credentials).lower()}  # fmt: skip
        with connect(f"{self.plane.url}/ws?{urlencode(asked)}") as connection:
            self.manifest = self.take(connection, "TaskManifestMessage")
            yield connection

    @contextlib.contextmanager
    def tcs(self) -> Iterator[ClientConnection]:
        """The connection for telemetry (`ecs-agent/tcs/handler/handler.go`, formatURL); without its first heartbeat."""
        asked = {"cluster": "demo", "containerInstance": self.arn, **VERSION}
        with connect(f"{self.plane.url}/telemetry/ws?{urlencode(asked)}") as connection:
            assert json.loads(connection.recv(5))["type"] == "HeartbeatMessage"
            yield connection

    def shown(self, *include: str) -> Json:
        """What DescribeContainerInstances says of it."""
        asked = {"cluster": "demo", "containerInstances": [self.arn], "include": list(include)}
        found: Json = self.plane.call("DescribeContainerInstances", **asked)["containerInstances"][0]
        return found

    def report(self, task: str, status: str, *containers: Json, **more: Any) -> None:
        """SubmitTaskStateChange as a delta: only what has changed."""
        request = {"cluster": "demo", "task": task, "status": status, "reason": "", "containers": list(containers),
                   "attachments": [], "managedAgents": [], **more}  # fmt: skip
        self.plane.call("SubmitTaskStateChange", **request)

    def say(self, connection: ClientConnection, kind: str, **message: Any) -> None:
        """A frame on the ACS socket (`ecs-agent/wsclient/client.go`, CreateRequestMessage)."""
        connection.send(json.dumps({"type": kind, "message": message}, separators=(",", ":")))

    def take(self, connection: ClientConnection, kind: str) -> Json:
        """The next frame of this kind; others are passed over."""
        while True:
            frame = json.loads(connection.recv(5))
            assert set(frame) == {"type", "message"}, "the agent reads no other frame"
            if frame["type"] == kind:
                return dict(frame["message"])

    def receive(self, connection: ClientConnection) -> Json:
        """The next payload, acknowledged as the agent does."""
        message = self.take(connection, "PayloadMessage")
        known = self.plane.world.region.instances[self.arn].unacked
        assert message["messageId"] in known
        self.say(connection, "AckRequest", cluster="demo", containerInstance=self.arn, messageId=message["messageId"])
        until(lambda: message["messageId"] not in known, "the acknowledgment", 5)
        return message

    def rest(self, connection: ClientConnection) -> list[str]:
        """The kinds of all frames that are still to come; `closed` if the connection is ended."""
        found = []
        try:
            while True:
                found.append(str(json.loads(connection.recv(0.5))["type"]))
        except TimeoutError:
            return found
        except ConnectionClosed:
            return [*found, "closed"]

    def tell(self, connection: ClientConnection, kind: str, **message: Any) -> Json:
        """A frame on the telemetry socket, and its answer."""
        body = json.dumps({"type": kind, "message": message}, separators=(",", ":"))
        connection.send(SIGNED + body.encode(), text=True)
        answer: Json = json.loads(connection.recv(5))
        return answer


LOG = {"awslogs-group": "/shop", "awslogs-region": REGION}
WEB: Json = {"name": "web", "image": f"{REGISTRY}/shop/web:1", "memory": 128, "essential": True,
             "portMappings": [{"containerPort": 80}],
             "healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 5},
             "logConfiguration": {"logDriver": "awslogs", "options": LOG}}  # fmt: skip


def test_a_task_goes_out_in_the_form_that_the_agent_reads(plane: Plane) -> None:
    agent = Real(plane)
    secret = {"name": "KEY", "valueFrom": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:key-a1b2c3"}
    web = {**WEB, "secrets": [secret], "command": ["serve"], "stopTimeout": 5, "ulimits": [
        {"name": "nofile", "softLimit": 1024, "hardLimit": 4096}]}  # fmt: skip
    with agent.acs() as acs:
        task = plane.run([web], executionRoleArn=ROLE, taskRoleArn=ROLE, memory="256",
                         volumes=[{"name": "scratch"}])  # fmt: skip
        message = agent.take(acs, "PayloadMessage")
        (sent,) = message["tasks"]
        fits(message, {"clusterArn": TEXT, "containerInstanceArn": TEXT, "messageId": TEXT, "seqNum": WHOLE,
                       "generatedAt": WHOLE, "tasks": list})  # fmt: skip
        fits(sent, TASK)
        (container,) = sent["containers"]
        fits(container, CONTAINER)
        fits(container["portMappings"][0], {"containerPort": WHOLE, "hostPort": WHOLE, "protocol": TEXT})
        fits(container["secrets"][0], dict.fromkeys(("name", "valueFrom", "provider", "region", "type"), TEXT))
        fits(container["dockerConfig"], dict.fromkeys(("version", "config", "hostConfig"), TEXT))
        for each in ("config", "hostConfig"):
            assert isinstance(json.loads(container["dockerConfig"][each]), dict)
        for kind in ("roleCredentials", "executionRoleCredentials"):
            members = ("credentialsId", "roleArn", "accessKeyId", "secretAccessKey", "sessionToken", "expiration")
            fits(sent[kind], dict.fromkeys(members, TEXT))
        assert (sent["arn"], sent["desiredStatus"], container["healthCheckType"]) == (task, "RUNNING", "docker")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [({"sidecar": 1}, "knows no sidecar"), ({"memory": "128"}, "memory"), ({"memory": True}, "memory")],
)
def test_a_member_that_the_agent_cannot_read_is_noticed(wrong: Json, sentence: str) -> None:
    fits({"memory": 128}, CONTAINER)
    with pytest.raises(AssertionError, match=sentence):
        fits(wrong, CONTAINER)


def test_a_payload_is_sent_again_until_the_agent_acknowledges_it(plane: Plane) -> None:
    agent = Real(plane)
    with agent.acs() as acs:
        task = plane.run([WEB], executionRoleArn=ROLE)
        first = agent.take(acs, "PayloadMessage")
        plane.world.tick(1, seconds=31)
        plane.world.tick(1)
        again = agent.receive(acs)
        assert [each["arn"] for each in again["tasks"]] == [task]
        assert again["seqNum"] > first["seqNum"]
        plane.world.tick(3, seconds=31)
        assert "PayloadMessage" not in agent.rest(acs)


@pytest.mark.parametrize("kind", ["TaskApplication", "TaskExecution"])
def test_credentials_are_renewed_until_the_agent_acknowledges_them(plane: Plane, kind: str) -> None:
    agent = Real(plane)
    role = {"taskRoleArn" if kind == "TaskApplication" else "executionRoleArn": ROLE}
    with agent.acs() as acs:
        container = {**WEB, "image": "web:1"}
        if kind == "TaskApplication":
            del container["logConfiguration"]
        task = plane.run([container], **role)
        sent = agent.receive(acs)["tasks"][0]
        first = sent["roleCredentials" if kind == "TaskApplication" else "executionRoleCredentials"]
        agent.report(task, "RUNNING", {"containerName": "web", "status": "RUNNING", "runtimeId": "a1"})
        plane.world.tick(1, seconds=1801)
        plane.world.tick(1)
        renewed = agent.take(acs, "IAMRoleCredentialsMessage")
        fits(renewed, {"taskArn": TEXT, "messageId": TEXT, "roleType": TEXT, "roleCredentials": TABLE})
        assert (renewed["taskArn"], renewed["roleType"]) == (task, kind)
        keys = renewed["roleCredentials"]
        assert keys["credentialsId"] == first["credentialsId"], "the containers' address stays"
        assert keys["sessionToken"] != first["sessionToken"]
        plane.world.tick(1, seconds=31)
        plane.world.tick(1)
        later = agent.take(acs, "IAMRoleCredentialsMessage")
        assert later["messageId"] != renewed["messageId"], "nobody has acknowledged them"
        agent.say(acs, "IAMRoleCredentialsAckRequest", expiration=keys["expiration"], messageId=later["messageId"],
                  credentialsId=keys["credentialsId"])  # fmt: skip
        known = plane.world.tasks()[0].credentials
        until(lambda: known[kind][1] > plane.world.now + 1000, "the acknowledgment", 5)


@pytest.mark.parametrize("asked", [True, False])
def test_an_agent_that_has_lost_its_credentials_asks_for_them(plane: Plane, asked: bool) -> None:
    """It saves none: after a restart it says sendCredentials=true, after a mere reconnect it does not."""
    agent = Real(plane)
    with agent.acs() as acs:
        container = {key: value for key, value in WEB.items() if key != "logConfiguration"}
        task = plane.run([container], taskRoleArn=ROLE, executionRoleArn=ROLE)
        agent.receive(acs)
        agent.report(task, "RUNNING", {"containerName": "web", "status": "RUNNING", "runtimeId": "a1"})
    with agent.acs(credentials=asked) as acs:
        plane.world.tick(2)
        if asked:
            assert agent.take(acs, "IAMRoleCredentialsMessage")["taskArn"] == task
        else:
            assert "IAMRoleCredentialsMessage" not in agent.rest(acs)


def test_telemetry_is_read_behind_its_signed_headers(plane: Plane) -> None:
    agent = Real(plane)
    metadata = {"cluster": "demo", "containerInstance": agent.arn, "messageId": str(uuid.uuid4()), "fin": True}
    with agent.acs() as acs, agent.tcs() as tcs:
        task = plane.run([WEB], executionRoleArn=ROLE)
        agent.take(acs, "PayloadMessage")
        agent.report(task, "RUNNING", {"containerName": "web", "status": "RUNNING", "runtimeId": "a1"})
        about = {"clusterArn": "demo", "taskArn": task, "taskDefinitionFamily": "web", "taskDefinitionVersion": "1"}
        health = {"containerName": "web", "healthStatus": "HEALTHY", "statusSince": 1764068400}
        answer = agent.tell(tcs, "PublishHealthRequest", metadata=metadata, timestamp=1764068412,
                            tasks=[{**about, "containers": [health]}])  # fmt: skip
        assert answer["type"] == "AckPublishHealth"
        until(lambda: plane.task(task)["healthStatus"] == "HEALTHY", "its health", 5)
        used = {"max": 51.2, "min": 40, "sampleCount": 40, "sum": 1808}
        measured = {"containerName": "web", "containerArn": "arn:c", "memoryStatsSet": {"max": 64, "min": 64,
                    "sampleCount": 40, "sum": 2560}, "cpuStatsSet": used, "storageStatsSet": {},
                    "networkStatsSet": {"rxBytes": {"max": 1, "min": 1, "sampleCount": 1, "sum": 1}},
                    "restartStatsSet": {}}  # fmt: skip
        answer = agent.tell(tcs, "PublishMetricsRequest", metadata={**metadata, "idle": False}, timestamp=1764068412,
                            taskMetrics=[{**about, "containerMetrics": [measured]}])  # fmt: skip
        assert answer["type"] == "AckPublishMetric"
        shares = {each["MetricName"]: each for each in plane.metrics.data()}
        assert set(shares) == {"CPUUtilization", "MemoryUtilization"}
        status = {"type": "ContainerRuntime", "status": "IMPAIRED", "lastUpdated": 1764068412,
                  "lastStatusChange": 1764068000}  # fmt: skip
        asked = {"cluster": "demo", "containerInstance": agent.arn, "requestId": str(uuid.uuid4())}
        answer = agent.tell(
            tcs, "PublishInstanceStatusRequest", metadata=asked, statuses=[status], timestamp=1764068412
        )
        assert answer["type"] == "AckPublishInstanceStatus"
        (shown,) = agent.shown("CONTAINER_INSTANCE_HEALTH")["healthStatus"]["details"]
        assert (shown["type"], shown["status"]) == ("CONTAINER_RUNTIME", "IMPAIRED")
        assert agent.shown("CONTAINER_INSTANCE_HEALTH")["healthStatus"]["overallStatus"] == "IMPAIRED"


def test_an_idle_agents_metrics_have_no_tasks(plane: Plane) -> None:
    agent = Real(plane)
    metadata = {"cluster": "demo", "containerInstance": agent.arn, "messageId": "1", "fin": True, "idle": True}
    with agent.tcs() as tcs:
        assert agent.tell(tcs, "PublishMetricsRequest", metadata=metadata, timestamp=1)["type"] == "AckPublishMetric"
    assert plane.metrics.data() == []


def test_what_is_no_frame_of_telemetry_ends_the_connection(plane: Plane) -> None:
    with Real(plane).tcs() as tcs:
        tcs.send(SIGNED.replace(b"\r\n\r\n", b"\r\n"), text=True)
        with pytest.raises(ConnectionClosed):
            tcs.recv(5)


@pytest.mark.parametrize(
    ("driver", "role", "strategy"),
    [("awslogs", ROLE, "ExecutionRole"), ("awslogs", "", None), ("json-file", ROLE, None)],
)
def test_a_log_is_written_with_the_execution_roles_credentials(
    plane: Plane, driver: str, role: str, strategy: str | None
) -> None:
    name = f"com.amazonaws.ecs.capability.logging-driver.{driver}"
    agent = Real(plane)
    plane.call("PutAttributes", cluster="demo", attributes=[{"name": name, "targetId": agent.arn}])
    options = LOG if driver == "awslogs" else {}
    web = {**WEB, "image": "web:1", "logConfiguration": {"logDriver": driver, "options": options}}
    with agent.acs() as acs:
        plane.run([web], **({"executionRoleArn": role} if role else {}))
        (container,) = agent.take(acs, "PayloadMessage")["tasks"][0]["containers"]
    assert container.get("logsAuthStrategy") == strategy


@pytest.mark.parametrize("mode", ["host", "none", "bridge", ""])
def test_the_network_mode_is_in_dockers_own_configuration(plane: Plane, mode: str) -> None:
    web = {key: value for key, value in WEB.items() if key not in ("logConfiguration", "portMappings")}
    agent = Real(plane)
    with agent.acs() as acs:
        plane.run([{**web, "image": "web:1"}], **({"networkMode": mode} if mode else {}))
        (container,) = agent.take(acs, "PayloadMessage")["tasks"][0]["containers"]
    assert json.loads(container["dockerConfig"]["hostConfig"])["NetworkMode"] == (mode or "bridge")


def test_a_deregistered_agent_is_cut_off_and_refused_by_the_handshake(plane: Plane) -> None:
    """Any frame in its place would have it connect anew at once, hundreds of times in ten seconds."""
    agent = Real(plane)
    with agent.acs() as acs:
        plane.call("DeregisterContainerInstance", cluster="demo", containerInstance=agent.arn, force=True)
        assert set(agent.rest(acs)) <= {"HeartbeatMessage", "closed"}, "it is told nothing on the socket"
    with pytest.raises(InvalidStatus) as refused, agent.acs():
        pass
    response = refused.value.response
    body = json.loads(response.body or b"")
    assert (response.status_code, list(body)) == (400, ["InactiveInstanceException"])
    assert isinstance(body["InactiveInstanceException"], str)


def answered(plane: Plane, **more: Any) -> tuple[str, str]:
    """What RegisterContainerInstance is refused with, as it stands in the answer's body."""
    try:
        Real(plane, **more)
    except EcsError as error:
        return error.kind, error.message
    return "", ""


def test_what_ends_the_agent_for_good_is_a_client_exception(plane: Plane) -> None:
    """Exit status 5 where systemd does not start it again; anything else it is asked for every ten seconds."""
    assert answered(plane) == ("", "")
    assert answered(plane, cluster="not-yet") == ("ClientException", "Cluster not found.")
    gone = plane.world.region.arn("container-instance", "demo", "f" * 32)
    assert answered(plane, containerInstanceArn=gone) == (
        "ClientException",
        f"Container instance {'f' * 32} is inactive.",
    )


def test_a_restarted_agent_registers_as_the_same_instance(plane: Plane) -> None:
    agent = Real(plane)
    assert Real(plane, containerInstanceArn=agent.arn).arn == agent.arn
    echoed = {each["name"] for each in agent.instance["attributes"]}
    again = Real(plane, containerInstanceArn=agent.arn).instance
    assert echoed <= {each["name"] for each in again["attributes"]}, "it ends for good over one that is missing"
    assert (again["status"], again["ec2InstanceId"]) == ("ACTIVE", "i-1")


def test_versions_come_with_the_connection_alone(plane: Plane) -> None:
    agent = Real(plane)
    assert agent.shown()["versionInfo"] == {}
    with agent.acs():
        assert agent.shown()["versionInfo"] == VERSION
        assert agent.shown()["agentConnected"] is True
    until(lambda: not agent.shown()["agentConnected"], "it to be gone", 5)


PULL = "CannotPullImageManifestError: Error response from daemon: manifest unknown: manifest unknown"


@pytest.mark.parametrize(
    ("reports", "code", "reason"),
    [
        ([("STOPPED", {"status": "STOPPED", "reason": PULL}, "")], "TaskFailedToStart", "Task failed to start"),
        ([("STOPPED", {"status": "STOPPED"}, "resource cannot be initialized for task …: initialize volume")],
         "TaskFailedToStart", "resource cannot be initialized for task …: initialize volume"),
        ([("RUNNING", {"status": "RUNNING", "runtimeId": "a1"}, ""),
          ("STOPPED", {"status": "STOPPED", "exitCode": 1}, "")],
         "EssentialContainerExited", "Essential container in task exited"),
    ],
    ids=["pull", "volume", "exit"],
)  # fmt: skip
def test_the_tasks_reason_is_ecss_own_where_the_agent_gives_none(
    plane: Plane, reports: list[Any], code: str, reason: str
) -> None:
    agent = Real(plane)
    with agent.acs() as acs:
        task = plane.run([WEB], executionRoleArn=ROLE)
        agent.take(acs, "PayloadMessage")
        for status, container, said in reports:
            agent.report(task, status, {"containerName": "web", **container}, reason=said)
    shown = plane.task(task)
    assert (shown["stopCode"], shown["stoppedReason"]) == (code, reason)
    assert shown["containers"][0].get("reason", "") == reports[-1][1].get("reason", "")


def test_a_task_is_reported_bit_by_bit(plane: Plane) -> None:
    """Digests while it is pending, each container as it starts, then the task; nothing that was said is said again."""
    agent = Real(plane)
    with agent.acs() as acs:
        task = plane.run([WEB, {**WEB, "name": "proxy", "portMappings": []}], executionRoleArn=ROLE)
        agent.take(acs, "PayloadMessage")
        for name in ("web", "proxy"):
            agent.report(task, "PENDING", {"containerName": name, "status": "PENDING", "imageDigest": f"sha256:{name}"})
        bound = [{"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 32768, "protocol": "tcp"}]
        agent.report(task, "PENDING", {"containerName": "web", "status": "RUNNING", "runtimeId": "a1",
                                       "networkBindings": bound}, pullStartedAt=1.5, pullStoppedAt=4.25)  # fmt: skip
        shown = plane.task(task)
        assert shown["lastStatus"] == "PENDING"
        assert [each["lastStatus"] for each in shown["containers"]] == ["RUNNING", "PENDING"]
        agent.report(task, "RUNNING", {"containerName": "proxy", "status": "RUNNING", "runtimeId": "a2"})
        shown = plane.task(task)
        assert (shown["lastStatus"], shown["pullStoppedAt"]) == ("RUNNING", 4.25)
        assert [each["imageDigest"] for each in shown["containers"]] == ["sha256:web", "sha256:proxy"]
        assert shown["containers"][0]["networkBindings"] == bound
        plane.call("StopTask", cluster="demo", task=task)
        plane.world.tick(1)
        (stopped,) = agent.take(acs, "PayloadMessage")["tasks"]
        assert (stopped["arn"], stopped["desiredStatus"]) == (task, "STOPPED")
        agent.report(task, "RUNNING", {"containerName": "proxy", "status": "STOPPED", "exitCode": 0, "runtimeId": "a2"})
        agent.report(task, "STOPPED", {"containerName": "web", "status": "STOPPED", "exitCode": 143, "runtimeId": "a1"},
                     executionStoppedAt=9.0)  # fmt: skip
    shown = plane.task(task)
    assert [each["exitCode"] for each in shown["containers"]] == [143, 0]
    assert (shown["lastStatus"], shown["executionStoppedAt"]) == ("STOPPED", 9.0)


@pytest.mark.parametrize(("mode", "found"), [("host", 8080), ("bridge", None)])
def test_a_task_on_the_hosts_network_is_found_at_its_containers_port(
    plane: Plane, mode: str, found: int | None
) -> None:
    """The agent reports no binding for it. On a bridge, none means that there is none."""
    agent = Real(plane)
    web = {**WEB, "portMappings": [{"containerPort": 8080}]}
    made = plane.call("RegisterTaskDefinition", family="web", containerDefinitions=[web], networkMode=mode,
                      executionRoleArn=ROLE)  # fmt: skip
    definition = made["taskDefinition"]["taskDefinitionArn"]
    balancers = [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 8080}]
    with agent.acs() as acs:
        plane.world.create(definition, loadBalancers=balancers)
        plane.world.tick()
        (task,) = agent.take(acs, "PayloadMessage")["tasks"]
        agent.report(task["arn"], "RUNNING", {"containerName": "web", "status": "RUNNING", "runtimeId": "a1"})
        plane.world.tick()
    assert list(plane.world.elsewhere.health) == ([("i-1", found)] if found else [])


def test_what_ecs_itself_knows_of_an_instance_and_its_tasks(plane: Plane) -> None:
    agent = Real(plane)
    attributes = {each["name"]: each.get("value") for each in agent.shown()["attributes"]}
    assert attributes["ecs.cpu-architecture"] == "x86_64"
    assert attributes["ecs.availability-zone"] == "us-east-1a"
    assert agent.shown("CONTAINER_INSTANCE_HEALTH")["healthStatus"]["overallStatus"] == "INSUFFICIENT_DATA"
    with agent.acs() as acs:
        task = plane.run([WEB], executionRoleArn=ROLE)
        agent.take(acs, "PayloadMessage")
        shown = plane.task(task)
    assert shown["attributes"] == [{"name": "ecs.cpu-architecture", "value": "x86_64"}]
    assert (shown["connectivity"], bool(shown["connectivityAt"])) == ("CONNECTED", True)


def test_an_agent_is_told_what_is_to_run_and_asks_before_it_stops_the_rest(plane: Plane) -> None:
    agent = Real(plane)
    with agent.acs() as acs:
        task = plane.run([WEB], executionRoleArn=ROLE)
        agent.take(acs, "PayloadMessage")
        agent.report(task, "RUNNING", {"containerName": "web", "status": "RUNNING", "runtimeId": "a1"})
    orphan = re.sub(r"[^/]+$", "0" * 32, task)
    with agent.acs() as acs:
        manifest = agent.manifest
        fits(manifest, {"clusterArn": TEXT, "containerInstanceArn": TEXT, "messageId": TEXT, "generatedAt": WHOLE,
                        "timeline": WHOLE, "tasks": list})  # fmt: skip
        (named,) = manifest["tasks"]
        fits(named, {"taskArn": TEXT, "taskClusterArn": TEXT, "desiredStatus": TEXT})
        assert (named["taskArn"], named["desiredStatus"]) == (task, "RUNNING")
        candidates = [{"taskArn": each, "taskClusterArn": named["taskClusterArn"], "desiredStatus": "STOPPED"}
                      for each in (task, orphan)]  # fmt: skip
        agent.say(acs, "TaskStopVerificationMessage", messageId=manifest["messageId"], stopCandidates=candidates)
        answer = agent.take(acs, "TaskStopVerificationAck")
        fits(answer, {"messageId": TEXT, "generatedAt": WHOLE, "stopTasks": list})
        assert answer["messageId"] == manifest["messageId"], "the agent takes no other for an answer"
        assert [each["taskArn"] for each in answer["stopTasks"]] == [orphan], "what is to run is not stopped"


@pytest.mark.parametrize(
    ("image", "role", "data"),
    [
        (f"{REGISTRY}/shop/web:1", ROLE, {"registryId": "123456789012", "region": REGION, "useExecutionRole": True}),
        (f"{REGISTRY}/shop/web:1", "", {"registryId": "123456789012", "region": REGION, "useExecutionRole": False}),
        ("210987654321.dkr.ecr.eu-west-1.amazonaws.com/web:1", ROLE,
         {"registryId": "210987654321", "region": "eu-west-1", "useExecutionRole": True}),
        ("nginx:1", ROLE, None),
    ],
)  # fmt: skip
def test_an_image_of_a_private_registry_is_pulled_with_a_token(
    plane: Plane, image: str, role: str, data: Json | None
) -> None:
    agent = Real(plane)
    web = {key: value for key, value in WEB.items() if key != "logConfiguration"}
    with agent.acs() as acs:
        task = plane.run([{**web, "image": image}], **({"executionRoleArn": role} if role else {}))
        (container,) = agent.take(acs, "PayloadMessage")["tasks"][0]["containers"]
    assert container.get("registryAuthentication") == (data and {"type": "ecr", "ecrAuthData": data})
    assert container["containerArn"] == plane.task(task)["containers"][0]["containerArn"]


def test_an_agent_that_is_alive_answers_heartbeats(plane: Plane) -> None:
    agent = Real(plane)
    with agent.acs() as acs:
        message = agent.take(acs, "HeartbeatMessage")
        fits(message, {"messageId": TEXT, "healthy": YES})
        agent.say(acs, "HeartbeatAckRequest", messageId=message["messageId"])
        task = plane.run([WEB], executionRoleArn=ROLE)
        assert agent.take(acs, "PayloadMessage")["tasks"][0]["arn"] == task, "the connection lives on"

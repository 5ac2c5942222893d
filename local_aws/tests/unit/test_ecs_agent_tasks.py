"""The stand-in agent's tasks, round by round, on an engine that only takes down what it is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import docker
import pytest

from local_aws.agent.ecs_agent import aws, configuration, containers, metadata, session, volumes
from local_aws.agent.ecs_agent.aws import ApiError, Credentials, Json
from local_aws.agent.ecs_agent.engine import Engine
from local_aws.agent.ecs_agent.images import ImageError, Images
from local_aws.agent.ecs_agent.managed_task import ManagedTask
from local_aws.agent.ecs_agent.store import Store
from local_aws.agent.ecs_agent.task import Task
from local_aws.agent.ecs_agent.task_host import Host

ARN = "arn:aws:ecs:us-east-1:123456789012:task/demo/0123456789abcdef0123456789abcdef"
DIGEST = "sha256:" + "0" * 64


class Image:
    def __init__(self, image: str, digests: list[str], environment: list[str]) -> None:
        self.id = f"id of {image}"
        self.attrs = {"RepoDigests": digests, "Config": {"Env": environment}}


class DockerEngine:
    """An engine with a registry behind it.

    Attributes:
        did: what it was told to do, in order: `pull web:1`, `start web`.
        there: images on it, with their environment.
        registry: images that can be pulled.
        made: the containers' configurations, by container name.
        states: Docker's State of each container, by container name.
    """

    def __init__(self, registry: set[str], there: set[str] | None = None) -> None:
        self.did: list[str] = []
        self.there = {image: ["PATH=/bin"] for image in there or set()}
        self.registry = registry
        self.made: dict[str, Json] = {}
        self.states: dict[str, Json] = {}
        self.authorizations: list[Any] = []
        self.api = self.images = self

    def get(self, image: str) -> Image:
        if image not in self.there:
            raise docker.errors.ImageNotFound("404", explanation=f"No such image: {image}")
        return Image(image, [], self.there[image])

    def remove(self, image: str) -> None:
        self.did.append(f"remove {image}")
        self.there.pop(image)

    def inspect_distribution(self, image: str, auth_config: Any) -> Json:
        self.did.append(f"manifest {image}")
        self.authorizations.append(auth_config)
        if image not in self.registry:
            raise docker.errors.APIError("404", explanation="manifest unknown: manifest unknown")
        return {"Descriptor": {"digest": DIGEST}}

    def pull(self, reference: str, auth_config: Any, **_more: Any) -> list[Json]:
        self.did.append(f"pull {reference}")
        self.authorizations.append(auth_config)
        return [{"status": "Pulling"}]

    def tag(self, _reference: str, name: str, tag: str) -> None:
        self.there[f"{name}:{tag}"] = ["PATH=/bin"]

    def containers(self, **_filters: Any) -> list[Json]:
        return []

    def create_container_from_config(self, config: Json, _title: str) -> Json:
        name = config["Labels"]["com.amazonaws.ecs.container-name"]
        self.made[name] = config
        self.states[name] = {"Status": "created"}
        return {"Id": name}

    def start(self, name: str) -> None:
        self.did.append(f"start {name}")
        self.states[name] = {"Status": "running", "Health": {"Status": "starting"}}

    def stop(self, name: str, **_timeout: Any) -> None:
        self.did.append(f"stop {name}")
        self.states[name] = {"Status": "exited", "ExitCode": 0}

    def inspect_container(self, name: str) -> Json:
        return {
            "State": self.states[name],
            "Created": "2025-11-25T10:00:00Z",
            "Config": {"Labels": {"a": "b"}},
            "NetworkSettings": {"Ports": {}, "Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
        }


class Control:
    """Takes in the reports; `down` refuses them."""

    def __init__(self) -> None:
        self.reports: list[Json] = []
        self.down = False

    def submit(self, _action: str, request: Json) -> None:
        if self.down:
            raise OSError("no route")
        self.reports.append(request)


def a_task(engine: DockerEngine, control: Control, tmp_path: Path, *definitions: Json, **values: str) -> ManagedTask:
    configured = configuration.from_values({"ECS_DYNAMIC_HOST_PORT_RANGE": "47300-47310", **values})
    store = Store(str(tmp_path))
    images = Images(engine, configured, store, lambda: Credentials("host", "secret"))
    host = Host(engine, configured, images, "us-east-1", "demo", control.submit, lambda _task: None, lambda _arn: None)
    payload: Json = {
        "arn": ARN,
        "taskClusterArn": "arn:demo",
        "family": "web",
        "version": "7",
        "desiredStatus": "RUNNING",
        "containers": [{"essential": True, **each} for each in definitions],
    }
    return ManagedTask(host, Task.sent(payload))


def rounds(managed: ManagedTask, count: int = 1) -> None:
    """Let the task's thread turn so often, as `ManagedTask._run` does."""
    for _ in range(count):
        managed.turn()


DJANGO: Json = {"name": "django", "image": "django:1", "healthCheckType": "docker"}
NGINX: Json = {
    "name": "nginx",
    "image": "nginx:1",
    "dependsOn": [{"containerName": "django", "condition": "HEALTHY"}],
}


@pytest.mark.parametrize(("upfront", "before"), [("false", []), ("true", [f"pull nginx@{DIGEST}"])])
def test_a_dependants_image_is_pulled_when_its_turn_has_come(tmp_path: Path, upfront: str, before: list[str]) -> None:
    engine = DockerEngine({"django:1", "nginx:1"})
    managed = a_task(engine, Control(), tmp_path, DJANGO, NGINX, ECS_PULL_DEPENDENT_CONTAINERS_UPFRONT=upfront)
    rounds(managed, 2)
    first = ["manifest django:1", "manifest nginx:1", f"pull django@{DIGEST}", "start django"]
    assert engine.did == first + before
    engine.states["django"]["Health"]["Status"] = "healthy"
    rounds(managed)
    assert engine.did[len(first) :] == [f"pull nginx@{DIGEST}", "start nginx"]


def test_what_has_changed_is_reported_and_nothing_twice(tmp_path: Path) -> None:
    engine, control = DockerEngine({"django:1", "nginx:1"}), Control()
    managed = a_task(engine, control, tmp_path, DJANGO, NGINX)
    rounds(managed, 3)
    engine.states["django"]["Health"]["Status"] = "healthy"
    rounds(managed, 3)
    engine.states["nginx"] = {"Status": "exited", "ExitCode": 3}
    rounds(managed, 3)
    seen = [
        (report["status"], [(c["containerName"], c["status"], c.get("exitCode")) for c in report["containers"]])
        for report in control.reports
    ]
    assert seen == [
        ("PENDING", [("django", "PENDING", None), ("nginx", "PENDING", None)]),
        ("PENDING", [("django", "RUNNING", None)]),
        ("RUNNING", [("nginx", "RUNNING", None)]),
        ("RUNNING", [("nginx", "STOPPED", 3)]),
        ("RUNNING", [("django", "STOPPED", 0)]),
        ("STOPPED", []),
    ]
    assert [c["imageDigest"] for c in control.reports[0]["containers"]] == [DIGEST, DIGEST]
    assert {report["reason"] for report in control.reports} == {""}, "the words for this end are ECS's"
    assert control.reports[-1]["pullStartedAt"] <= control.reports[-1]["pullStoppedAt"]


def test_a_report_that_was_not_taken_is_sent_again(tmp_path: Path) -> None:
    engine, control = DockerEngine({"django:1"}), Control()
    managed = a_task(engine, control, tmp_path, DJANGO)
    control.down = True
    rounds(managed, 2)
    assert engine.did[-1] == "start django"
    control.down = False
    rounds(managed)
    assert [report["status"] for report in control.reports] == ["RUNNING"]


@pytest.mark.parametrize(
    ("behavior", "there", "started"),
    [
        ("default", {"web:1"}, True),
        ("prefer-cached", {"web:1"}, True),
        ("default", set(), False),
        ("prefer-cached", set(), False),
        ("always", {"web:1"}, False),
        ("once", {"web:1"}, False),
    ],
)
def test_an_image_that_cannot_be_pulled(tmp_path: Path, behavior: str, there: set[str], started: bool) -> None:
    engine, control = DockerEngine(set(), there), Control()
    managed = a_task(
        engine, control, tmp_path, {"name": "web", "image": "web:1"}, {"name": "other", "image": "web:1"},
        ECS_IMAGE_PULL_BEHAVIOR=behavior,
    )  # fmt: skip
    rounds(managed, 4)
    assert ("start web" in engine.did) == started
    if started:
        return
    last = control.reports[-1]
    assert (last["status"], last["reason"]) == ("STOPPED", "")
    reasons = {c["containerName"]: c.get("reason") for report in control.reports for c in report["containers"]}
    expected = "CannotPullImageManifestError: Error response from daemon: manifest unknown: manifest unknown"
    assert reasons["web"] == expected


def test_once_pulls_an_image_once_also_after_a_restart(tmp_path: Path) -> None:
    engine = DockerEngine({"web:1"})
    for _ in range(2):
        managed = a_task(engine, Control(), tmp_path, {"name": "web", "image": "web:1"}, ECS_IMAGE_PULL_BEHAVIOR="once")
        rounds(managed, 2)
    assert [each for each in engine.did if "start" not in each] == ["manifest web:1", f"pull web@{DIGEST}"]


@pytest.mark.parametrize(
    ("condition", "state", "reason", "code"),
    [
        ("SUCCESS", {"Status": "exited", "ExitCode": 4}, "as dependency did not exit successfully.", 143),
        ("HEALTHY", {"Status": "running", "Health": {"Status": "starting"}}, "has timed out.", 143),
        ("SUCCESS", {"Status": "exited", "ExitCode": 0}, "", None),
        ("COMPLETE", {"Status": "exited", "ExitCode": 4}, "", None),
    ],
)
def test_what_waits_for_what_never_comes(
    tmp_path: Path, condition: str, state: Json, reason: str, code: int | None
) -> None:
    engine, control = DockerEngine({"a:1", "b:1"}), Control()
    first = {"name": "a", "image": "a:1", "essential": False, "healthCheckType": "docker", "startTimeout": 30}
    second = {"name": "b", "image": "b:1", "dependsOn": [{"containerName": "a", "condition": condition}]}
    managed = a_task(engine, control, tmp_path, first, second)
    rounds(managed)
    engine.states["a"] = state
    started = managed.task.containers["a"].started
    assert started is not None
    managed.task.containers["a"].started = started - (40 if "timed out" in reason else 0)
    rounds(managed, 3)
    told = {c["containerName"]: c for report in control.reports for c in report["containers"]}["b"]
    assert told.get("exitCode") == code
    assert told.get("reason", "").endswith(reason)
    if reason:
        assert told["reason"].startswith("CannotStartContainerError: dependency graph: ")
        assert "[a(a:1) (" in told["reason"]
        assert control.reports[-1]["status"] == "STOPPED"
    else:
        assert told["status"] == "RUNNING"


def test_secrets_that_are_not_there_are_the_tasks_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def call(self: Any, _action: str, request: Json, _keys: Credentials) -> Json:
        if self.service == "ssm":
            return {"Parameters": [], "InvalidParameters": request["Names"]}
        if "gone" in request["SecretId"]:
            raise ApiError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        return {"SecretString": '{"key": "value"}'}

    monkeypatch.setattr(aws.Api, "call", call)
    gone = "arn:aws:secretsmanager:us-east-1:1:secret:gone-AbCdEf"
    here = "arn:aws:secretsmanager:us-east-1:1:secret:here-AbCdEf"
    wanted = [
        {"name": "A", "valueFrom": gone, "provider": "asm"},
        {"name": "B", "valueFrom": f"{here}:nokey::", "provider": "asm"},
        {"name": "C", "valueFrom": "/shop/c", "provider": "ssm"},
    ]
    engine, control = DockerEngine({"web:1"}), Control()
    managed = a_task(engine, control, tmp_path, {"name": "web", "image": "web:1", "secrets": wanted})
    rounds(managed, 3)
    last = control.reports[-1]
    assert last["status"] == "STOPPED"
    assert last["reason"].split(";") == [
        f"ResourceNotFoundException: The task can't retrieve the secret with ARN '{gone}' from AWS Secrets Manager. "
        "Check whether the secret exists in the specified Region: operation error Secrets Manager: GetSecretValue, "
        "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        "retrieved secret from Secrets Manager did not contain json key nokey",
        "fetching secret data from SSM Parameter Store in us-east-1: invalid parameters: /shop/c",
    ]
    assert not any("start" in each for each in engine.did)


def test_a_shared_volume_that_is_not_there_is_said_so() -> None:
    class Client:
        volumes: Any

        def get(self, name: str) -> None:
            raise docker.errors.NotFound("404", explanation=f"get {name}: no such volume")

    client = Client()
    client.volumes = client
    volume = {"name": "media", "type": "docker", "dockerVolumeConfiguration": {"scope": "shared"}}
    with pytest.raises(volumes.VolumeError) as caught:
        volumes.Volumes(client).provide(volume, "web-7", "", {})
    assert str(caught.value) == (
        "initialize volume: volume detection failed, volume 'media' does not exist and autoprovision is set to false: "
        "Error response from daemon: get media: no such volume"
    )
    assert not caught.value.initialized


REGIONS = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.mark.parametrize(
    ("own", "image", "expected"),
    [
        ({}, [], REGIONS),
        ({"AWS_REGION": "eu-west-1"}, [], {"AWS_REGION": "eu-west-1"}),
        ({}, ["AWS_DEFAULT_REGION=eu-west-1"], {}),
    ],
)
def test_containers_are_told_the_region_unless_they_know_one(
    tmp_path: Path, own: dict[str, str], image: list[str], expected: dict[str, str]
) -> None:
    definition = {"name": "web", "image": "web:1", "environment": own}
    managed = a_task(DockerEngine(set()), Control(), tmp_path, definition)
    found = containers.environment(managed.host, managed.task, "web", {}, image)
    assert {key: value for key, value in found.items() if "REGION" in key} == expected


def test_containers_are_told_where_the_agent_is(tmp_path: Path) -> None:
    managed = a_task(
        DockerEngine(set()), Control(), tmp_path, {"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}
    )
    found = [containers.environment(managed.host, managed.task, name, {}, []) for name in ("a", "b")]
    endpoint = managed.task.containers["a"].endpoint
    assert found[0]["ECS_CONTAINER_METADATA_URI"] == f"http://169.254.170.2/v3/{endpoint}"
    assert found[0]["ECS_CONTAINER_METADATA_URI_V4"] == f"http://169.254.170.2/v4/{endpoint}"
    assert found[0]["ECS_AGENT_URI"] == f"http://169.254.170.2/api/{endpoint}"
    assert found[0]["ECS_AGENT_URI"] != found[1]["ECS_AGENT_URI"]


@pytest.mark.parametrize(("role", "own"), [(True, {}), (True, {"AWS_CA_BUNDLE": "/app/ca.pem"}), (False, {})])
def test_containers_with_a_role_trust_the_endpoints(tmp_path: Path, role: bool, own: dict[str, str]) -> None:
    definition = {"name": "web", "image": "web:1", "environment": own}
    managed = a_task(DockerEngine(set()), Control(), tmp_path, definition)
    if role:
        managed.task.payload["roleCredentials"] = {"credentialsId": "r1"}
    made = containers.configuration(managed.host, managed.task, "web", {}, [])
    trusted = {each.partition("=")[0]: each.partition("=")[2] for each in made["Env"] if "_CA" in each}
    path = "/run/local-aws/ca-certificates.crt"
    assert trusted == ({"AWS_CA_BUNDLE": path, "NODE_EXTRA_CA_CERTS": path} if role else {}) | own
    assert made["HostConfig"]["Binds"] == ([f"/etc/ssl/certs/ca-certificates.crt:{path}:ro"] if role else [])


def test_what_an_image_trusts_itself_holds(tmp_path: Path) -> None:
    managed = a_task(DockerEngine(set()), Control(), tmp_path, {"name": "web", "image": "web:1"})
    managed.task.payload["roleCredentials"] = {"credentialsId": "r1"}
    found = containers.environment(managed.host, managed.task, "web", {}, ["AWS_CA_BUNDLE=/app/ca.pem"])
    assert [name for name in found if "_CA" in name] == ["NODE_EXTRA_CA_CERTS"]


@pytest.mark.parametrize("strategy", ["ExecutionRole", None])
def test_logs_go_by_the_execution_role_only_where_the_payload_says_so(tmp_path: Path, strategy: str | None) -> None:
    log = {"LogConfig": {"Type": "awslogs", "Config": {"awslogs-group": "g"}}}
    definition: Json = {"name": "web", "image": "web:1", "dockerConfig": {"hostConfig": json.dumps(log)}}
    if strategy:
        definition["logsAuthStrategy"] = strategy
    managed = a_task(DockerEngine(set()), Control(), tmp_path, definition)
    managed.task.payload["executionRoleCredentials"] = {"credentialsId": "e1"}
    options = containers.configuration(managed.host, managed.task, "web", {}, [])["HostConfig"]["LogConfig"]["Config"]
    assert options.get("awslogs-credentials-endpoint") == ("/v2/credentials/e1" if strategy else None)


@pytest.mark.parametrize(("mode", "bound"), [("bridge", True), ("host", False), ("none", False), ("", True)])
def test_the_network_mode_is_that_of_the_docker_configuration(tmp_path: Path, mode: str, bound: bool) -> None:
    definition = {
        "name": "web",
        "image": "web:1",
        "portMappings": [{"containerPort": 80}],
        "dockerConfig": {"hostConfig": json.dumps({"NetworkMode": mode} if mode else {})},
    }
    managed = a_task(DockerEngine(set()), Control(), tmp_path, definition)
    config = containers.configuration(managed.host, managed.task, "web", {}, [])
    assert config["HostConfig"]["NetworkMode"] == (mode or "default")
    assert config["HostConfig"]["IpcMode"] == "shareable"
    assert ("PortBindings" in config["HostConfig"]) == bound
    if bound:
        assert 47300 <= int(config["HostConfig"]["PortBindings"]["80/tcp"][0]["HostPort"]) <= 47310


PRIVATE: Json = {
    "name": "web",
    "image": "127.0.0.1:4568/web:1",
    "registryAuthentication": {
        "type": "ecr",
        "ecrAuthData": {"registryId": "123456789012", "region": "us-east-1", "useExecutionRole": True},
    },
}


def test_a_private_registry_is_asked_with_a_token_of_the_execution_role(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Json, str]] = []

    def call(self: Any, action: str, request: Json, keys: Credentials) -> Json:
        asked.append((self.service, request, keys.access_key))
        assert action == "GetAuthorizationToken"
        return {"authorizationData": [{"authorizationToken": "QVdTOnRva2Vu"}]}

    monkeypatch.setattr(aws.Api, "call", call)
    engine = DockerEngine({PRIVATE["image"]})
    managed = a_task(engine, Control(), tmp_path, PRIVATE)
    keys = {"credentialsId": "e1", "accessKeyId": "AKIAEXECUTION", "secretAccessKey": "s", "sessionToken": "t"}
    managed.task.payload["executionRoleCredentials"] = keys
    rounds(managed, 2)
    assert asked[0] == ("ecr", {"registryIds": ["123456789012"]}, "AKIAEXECUTION")
    assert engine.authorizations == [{"username": "AWS", "password": "token"}] * 2


def test_without_a_token_the_image_cannot_be_pulled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def call(*_arguments: Any) -> Json:
        raise ApiError("AccessDeniedException", "not authorized to perform: ecr:GetAuthorizationToken")

    monkeypatch.setattr(aws.Api, "call", call)
    images = Images(DockerEngine(set()), configuration.from_values({}), Store(str(tmp_path)), Credentials)
    with pytest.raises(ImageError, match="CannotPullECRContainerError: AccessDenied"):
        images.digest(PRIVATE, Credentials())
    with pytest.raises(ImageError, match="CannotPullECRContainerError: engine ecr credentials: not found"):
        images.digest(PRIVATE, None)


def test_images_of_no_task_go_the_longest_unused_first(tmp_path: Path) -> None:
    engine = DockerEngine(set(), {"a:1", "b:1", "c:1", "d:1"})
    store = Store(str(tmp_path))
    store.images = {
        "a:1": {"pulled": 1.0, "used": 30.0},
        "b:1": {"pulled": 1.0, "used": 20.0},
        "c:1": {"pulled": 1.0, "used": 10.0},
        "d:1": {"pulled": 9e9, "used": 5.0},
    }
    configured = configuration.from_values({"ECS_NUM_IMAGES_DELETE_PER_CYCLE": "1"})
    images = Images(engine, configured, store, Credentials)
    images.clean({"c:1"})
    images.clean({"c:1"})
    assert engine.did == ["remove b:1", "remove a:1"]


def test_a_container_and_its_task_as_they_see_themselves(tmp_path: Path) -> None:
    engine = DockerEngine({"django:1"})
    managed = a_task(engine, Control(), tmp_path, {**DJANGO, "memory": 64, "containerArn": "arn:container"})
    rounds(managed, 2)
    engine.states["django"]["Health"]["Status"] = "healthy"
    rounds(managed)
    inspected = {"django": engine.inspect_container("django")}
    place = {"Cluster": "demo", "AvailabilityZone": "us-east-1a", "VPCID": "vpc-1"}
    newer, older = (
        metadata.container(managed.task, "django", inspected["django"], version) for version in ("v4", "v3")
    )
    assert newer.keys() - older.keys() == {"ContainerARN"}
    assert newer["Health"]["status"] == "HEALTHY"
    assert newer["Limits"] == {"CPU": 2, "Memory": 64}
    assert newer["Networks"] == [{"NetworkMode": "bridge", "IPv4Addresses": ["172.17.0.2"]}]
    whole = metadata.task(managed.task, inspected, place, "v4")
    assert (whole["TaskARN"], whole["Revision"], whole["KnownStatus"]) == (ARN, "7", "RUNNING")
    assert (whole["VPCID"], whole["AvailabilityZone"]) == ("vpc-1", "us-east-1a")
    assert [each["ImageID"] for each in metadata.introspected(managed.task, inspected)["Containers"]] == [
        "id of django:1"
    ]


class Registered:
    """As much of a registration as a session asks for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.configuration = configuration.from_values({})


def test_tasks_that_the_manifest_does_not_name_are_asked_for_and_then_stopped(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    engine = Engine(
        DockerEngine(set()), configuration.from_values({}), "us-east-1", store, Control().submit, Credentials
    )
    kept, orphan, ended = (a_task(DockerEngine(set()), Control(), tmp_path) for _ in range(3))
    for managed, name in ((kept, "kept"), (orphan, "orphan"), (ended, "ended")):
        managed.task.payload["arn"] = name
        engine._tasks[name] = managed
    ended.task.desired = "STOPPED"
    sessions = session.Sessions(Registered(store), engine, 20.0)  # type: ignore[arg-type]  # enough of one
    manifest = {"messageId": "m1", "clusterArn": "arn:demo", "timeline": 3,
                "tasks": [{"taskArn": "kept", "desiredStatus": "RUNNING"}]}  # fmt: skip
    acknowledged, question = sessions.received("TaskManifestMessage", manifest)
    assert acknowledged["type"] == "AckRequest"
    assert question["type"] == "TaskStopVerificationMessage"
    assert [each["taskArn"] for each in question["message"]["stopCandidates"]] == ["orphan"]
    assert sessions.received("TaskManifestMessage", manifest) == [], "it is no newer than the last one"
    sessions.received("TaskStopVerificationAck", {"messageId": "m0", "stopTasks": [{"taskArn": "kept"}]})
    sessions.received("TaskStopVerificationAck", {"messageId": "m1", "stopTasks": [{"taskArn": "orphan"}]})
    assert [managed.task.desired for managed in (kept, orphan)] == ["RUNNING", "STOPPED"]

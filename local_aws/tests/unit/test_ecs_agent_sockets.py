"""What the stand-in agent sends and answers, by the bytes: telemetry, introspection, the containers' endpoint."""

from __future__ import annotations

import asyncio
import datetime
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from local_aws.agent.ecs_agent import aws, configuration, servers, session, telemetry
from local_aws.agent.ecs_agent.store import Store
from local_aws.agent.ecs_agent.task import Container, Task
from local_aws.ecs import sockets

URL = (
    "ws://10.77.0.1:4567/telemetry/ws?cluster=demo&containerInstance=arn%3Aaws%3Aecs%3A%3A1&agentHash=standin&seqNum=1"
)
KEYS = aws.Credentials("AKIA", "secret", "token")
FRAME = {"type": "PublishHealthRequest", "message": {"tasks": []}}


def test_a_telemetry_frame_is_signed_as_botocore_would_sign_it_and_read_by_the_control_plane() -> None:
    data = json.dumps(FRAME).encode()
    sent = aws.signed_frame(URL, "us-east-1", data, KEYS)
    head, _, body = sent.partition(b"\r\n\r\n")
    assert body == data
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    assert headers["Host"] == "10.77.0.1:4567"
    moment = datetime.datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    request = AWSRequest("GET", URL.replace("ws:", "http:"), data=data)
    request.context["timestamp"] = moment.strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Date"] = headers["X-Amz-Date"]
    request.headers["X-Amz-Security-Token"] = "token"
    signer = auth.SigV4Auth(BotoCredentials("AKIA", "secret", "token"), "ecs", "us-east-1")
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    assert headers["Authorization"].endswith(f"Signature={signature}")
    assert sockets.frame(sent) == ("PublishHealthRequest", {"tasks": []})


class Engine:
    """An engine with tasks that have a health check, and with a Docker that may be down."""

    def __init__(self, count: int) -> None:
        self.down = False
        self.client = SimpleNamespace(ping=self.ping, api=SimpleNamespace(stats=lambda *_a, **_k: {}))
        self._tasks = [self.task(str(number)) for number in range(count)]

    def ping(self) -> None:
        if self.down:
            raise docker.errors.DockerException("no socket")

    def tasks(self) -> list[Task]:
        return self._tasks

    @staticmethod
    def task(arn: str) -> Task:
        web = Container(id=arn, status="RUNNING", health="HEALTHY", health_since=7.0, endpoint=f"e{arn}")
        definitions = [{"name": "web", "healthCheckType": "docker"}]
        payload = {"arn": arn, "taskClusterArn": "arn:demo", "family": "web", "version": "1", "containers": definitions}
        return Task(payload, "RUNNING", {"web": web}, status="RUNNING")


def test_health_goes_out_ten_tasks_a_message_and_the_hosts_own_when_it_changes() -> None:
    engine = Engine(11)
    configured = configuration.from_values({"ECS_DISABLE_METRICS": "true"})
    messages = telemetry.Messages(configured, "arn:ci", engine)  # type: ignore[arg-type]  # enough of one
    first, second, host = messages.due()
    assert [len(each["message"]["tasks"]) for each in (first, second)] == [10, 1]
    assert [each["message"]["metadata"]["fin"] for each in (first, second)] == [False, True]
    assert first["message"]["tasks"][0]["containers"] == [
        {"containerName": "web", "healthStatus": "HEALTHY", "statusSince": 7}
    ]
    assert host["type"] == "PublishInstanceStatusRequest"
    assert [(each["type"], each["status"]) for each in host["message"]["statuses"]] == [("ContainerRuntime", "OK")]
    assert len(messages.due()) == 2
    engine.down = True
    assert [each["status"] for each in messages.due()[2]["message"]["statuses"]] == ["IMPAIRED"]


def test_an_idle_host_says_so_in_its_metrics() -> None:
    messages = telemetry.Messages(configuration.from_values({}), "arn:ci", Engine(0))  # type: ignore[arg-type]  # enough of one
    kinds = {each["type"]: each["message"] for each in messages.due()}
    assert kinds["PublishMetricsRequest"]["metadata"]["idle"] is True
    assert "PublishHealthRequest" not in kinds


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (InvalidStatus(Response(400, "", Headers(), b'{"InactiveInstanceException": "gone"}')), True),
        (InvalidStatus(Response(400, "", Headers(), b'{"AccessDeniedException": "no"}')), False),
        (InvalidStatus(Response(503, "", Headers(), b"")), False),
        (SimpleNamespace(status_code=400), True),  # as websockets 10 has it, without the answer
        (SimpleNamespace(status_code=503), False),
    ],
)
def test_a_refused_handshake_is_told_from_others(error: Any, expected: bool) -> None:
    assert session.refused(error) == expected


@pytest.mark.parametrize(
    ("values", "cleans"),
    [
        ({"ECS_IMAGE_PULL_BEHAVIOR": "prefer-cached"}, False),
        ({"ECS_DISABLE_IMAGE_CLEANUP": "true"}, False),
        ({"ECS_IMAGE_PULL_BEHAVIOR": "once"}, True),
    ],
)
def test_images_are_not_cleaned_where_the_cache_is_preferred(
    values: dict[str, str], cleans: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop(Exception):
        """The first clean-up is over."""

    cleaned: list[bool] = []

    def clean() -> None:
        cleaned.append(True)
        raise Stop

    async def at_once(_seconds: float) -> None:
        """Do not wait."""

    monkeypatch.setattr(asyncio, "sleep", at_once)
    registered = SimpleNamespace(configuration=configuration.from_values(values))
    sessions = session.Sessions(registered, SimpleNamespace(clean_images=clean), 20.0)  # type: ignore[arg-type]  # enough of both
    if cleans:
        with pytest.raises(Stop):
            asyncio.run(sessions.clean())
    else:
        asyncio.run(sessions.clean())
    assert bool(cleaned) == cleans


@pytest.fixture
def introspection(tmp_path: Path) -> Iterator[servers.Introspection]:
    store = Store(str(tmp_path))
    store.cluster, store.container_instance = "demo", "arn:ci"
    engine = SimpleNamespace(tasks=list, role_credentials=lambda _identity: None)
    server = servers.Introspection("", 0, engine, store)  # type: ignore[arg-type]  # enough of one
    yield server
    server.shutdown()
    server.server_close()


def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_introspection_answers_as_the_real_one(introspection: servers.Introspection) -> None:
    address, port = introspection.server_address[:2]
    assert address == "0.0.0.0"
    status, body = ask(port, "/v1/metadata")
    # The boot report and roles/ecs_agent look for these two.
    assert json.loads(body)["Cluster"] == "demo"
    assert json.loads(body)["ContainerInstanceArn"] == "arn:ci"
    assert json.loads(body)["Version"] == "Amazon ECS Agent - v1.105.1 (*standin)"
    assert json.loads(ask(port, "/v1/tasks")[1]) == {"Tasks": []}
    status, body = ask(port, "/v1/tasks?taskarn=arn:none")
    assert (status, json.loads(body)) == (
        404,
        {"Arn": "", "KnownStatus": "", "Family": "", "Version": "", "Containers": None},
    )
    assert ask(port, "/v1/tasks?taskarn=a&dockerid=b")[0] == 400
    commands = {"AvailableCommands": ["/v1/metadata", "/v1/tasks", "/license"]}
    assert [json.loads(ask(port, path)[1]) for path in ("/", "/anything")] == [commands, commands]
    assert ask(port, "/license")[1].startswith("Apache License")


def test_the_containers_endpoint_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    engine = SimpleNamespace(tasks=list, role_credentials=lambda _identity: None)
    server = servers.Containers("127.0.0.1", 0, engine, Store(str(tmp_path)), {})  # type: ignore[arg-type]  # enough of one
    port = server.server_address[1]
    try:
        assert ask(port, "/v2/credentials/x")[0] == 400
        assert json.loads(ask(port, "/v2/credentials/x")[1])["code"] == "InvalidIdInRequest"
        assert json.loads(ask(port, "/v2/credentials")[1])["code"] == "NoIdInRequest"
        assert (ask(port, "/v4/none")[0], ask(port, "/v3/none")[0], ask(port, "/api/none")[0]) == (404, 500, 404)
    finally:
        server.shutdown()
        server.server_close()

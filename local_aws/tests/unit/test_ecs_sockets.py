"""The agents' sockets, by the bytes that an agent sends and is answered with."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from local_aws.ecs import sockets

KNOWN = "arn:aws:ecs:us-east-1:123456789012:container-instance/demo/0123456789abcdef0123456789abcdef"
HEALTH = {
    "type": "PublishHealthRequest",
    "message": {
        "metadata": {"cluster": "demo", "containerInstance": KNOWN, "fin": True, "messageId": "8a5c"},
        "tasks": [
            {
                "taskArn": "arn:aws:ecs:us-east-1:123456789012:task/demo/1",
                "containers": [{"containerName": "web", "healthStatus": "HEALTHY", "statusSince": 1764068400}],
            }
        ],
        "timestamp": 1764068412,
    },
}
HEADERS = (
    b"Authorization: AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20251125/us-east-1/ecs/aws4_request, "
    b"SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=0fd1\r\n"
    b"Host: 10.77.0.1:4567\r\n"
    b"X-Amz-Date: 20251125T110012Z\r\n"
    b"X-Amz-Security-Token: {not-json}\r\n"
    b"\r\n"
)
"""As the agent puts them before each frame of its telemetry."""


class Listener:
    """Takes down what it is told."""

    def __init__(self) -> None:
        self.queries: list[dict[str, str]] = []
        self.frames: list[tuple[str, Any]] = []
        self.gone = threading.Event()
        self.asked: list[tuple[str, str, str]] = []
        self.refusal = ""

    def known(self, instance_arn: str) -> bool:
        return instance_arn == KNOWN

    def denied(self, action: str, query: dict[str, str], authorization: str) -> str:
        self.asked.append((action, query.get("clusterArn", query.get("cluster", "")), authorization[:10]))
        return self.refusal

    def connected(self, _arn: str, _channel: Any, query: dict[str, str]) -> bool:
        self.queries.append(query)
        return True

    def disconnected(self, _arn: str, _channel: Any) -> None:
        self.gone.set()

    def received(self, _arn: str, kind: str, message: Any) -> None:
        self.frames.append((kind, message))

    def telemetry(self, kind: str, message: Any) -> None:
        self.frames.append((kind, message))


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def url(listener: Listener) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = sockets.AgentServer("127.0.0.1", port, listener)
    server.start()
    yield f"ws://127.0.0.1:{port}"
    server.close()


@pytest.mark.parametrize("data", [HEADERS + json.dumps(HEALTH).encode(), json.dumps(HEALTH)], ids=["signed", "plain"])
def test_telemetry_is_read_with_signed_headers_and_without(listener: Listener, url: str, data: str | bytes) -> None:
    with connect(f"{url}/telemetry/ws?cluster=demo&containerInstance={KNOWN}") as agent:
        assert json.loads(agent.recv(5))["type"] == "HeartbeatMessage"
        agent.send(data, text=True)
        assert json.loads(agent.recv(5)) == {"type": "AckPublishHealth", "message": {"message": "OK"}}
    assert listener.frames == [("PublishHealthRequest", HEALTH["message"])]


@pytest.mark.parametrize("data", ["", "{}", "[]", "Host: x\r\n\r\n", "Host: x", b'x\r\n\r\n"type"'])
def test_what_is_no_frame_is_an_error(data: str | bytes) -> None:
    with pytest.raises(ValueError, match="no frame of an agent"):
        sockets.frame(data)


def test_an_instance_that_is_not_registered_gets_no_socket(url: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{url}/ws?clusterArn=demo&containerInstanceArn={KNOWN}0&sendCredentials=true")
    response = refused.value.response
    assert response.status_code == 400
    assert list(json.loads(response.body or b"")) == ["InactiveInstanceException"]


@pytest.mark.parametrize(
    ("path", "action"),
    [("ws?clusterArn=demo&containerInstanceArn=", "Poll"),
     ("telemetry/ws?cluster=demo&containerInstance=", "StartTelemetrySession")],
)  # fmt: skip
def test_an_agent_that_iam_denies_gets_no_socket(listener: Listener, url: str, path: str, action: str) -> None:
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=ASIA/…"[:30]}
    with connect(f"{url}/{path}{KNOWN}", additional_headers=signed):
        pass
    listener.refusal = "User: … is not authorized to perform: ecs:Poll"
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{url}/{path}{KNOWN}", additional_headers=signed)
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body or b"") == {"AccessDeniedException": listener.refusal}
    assert listener.asked == [(action, "demo", "AWS4-HMAC-")] * 2


def test_the_query_of_the_agents_url_is_handed_on(listener: Listener, url: str) -> None:
    query = (
        f"containerInstanceArn={KNOWN}&agentVersion=1.105.1&dockerVersion=DockerVersion%3A+25.0&sendCredentials=false"
    )
    with connect(f"{url}/ws?{query}") as agent:
        assert json.loads(agent.recv(5))["type"] == "HeartbeatMessage"
        agent.send(json.dumps({"type": "AckRequest", "message": {"messageId": "1"}}))
    assert listener.gone.wait(5)
    (seen,) = listener.queries
    assert (seen["agentVersion"], seen["dockerVersion"]) == ("1.105.1", "DockerVersion: 25.0")
    assert listener.frames == [("AckRequest", {"messageId": "1"})]

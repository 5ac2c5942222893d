"""The agents' WebSockets: ACS, over which tasks go out, and TCS, over which health and statistics come in.

Frames are `{"type": NAME, "message": {…}}` both ways; see amazon-ecs-agent, `ecs-agent/acs` and `ecs-agent/tcs`. What
an agent sends on TCS has the signed headers of an HTTP request and an empty line before it.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from local_aws.ecs.state import Json

HEARTBEAT_SECONDS = 30.0


class Listener(Protocol):
    """Who is told what comes from the agents."""

    def known(self, instance_arn: str) -> bool:
        """Whether there is such a container instance; no other may connect."""

    def denied(self, action: str, query: dict[str, str], authorization: str) -> str:
        """Why IAM denies a connection (`ecs:Poll`, `ecs:StartTelemetrySession`); empty if it does not.

        Args:
            action: `Poll` or `StartTelemetrySession`.
            query: of the URL.
            authorization: header of the handshake.
        """

    def connected(self, instance_arn: str, channel: AgentChannel, query: dict[str, str]) -> bool:
        """An agent has connected, with the query of its URL; False if the instance is gone by now."""

    def disconnected(self, instance_arn: str, channel: AgentChannel) -> None:
        """The connection has ended."""

    def received(self, instance_arn: str, kind: str, message: Json) -> None:
        """A frame of the ACS socket."""

    def telemetry(self, kind: str, message: Json) -> None:
        """A frame of the TCS socket."""


def frame(data: str | bytes) -> tuple[str, Json]:
    """Kind and message of a frame, with signed headers before the JSON or without.

    The agent puts them there: amazon-ecs-agent, `ecs-agent/tcs/client/client.go`, signRequestFunc.

    Raises:
        ValueError: it is no such frame.
    """
    text = data if isinstance(data, str) else data.decode()
    if not text.startswith("{"):
        text = text.partition("\r\n\r\n")[2]
    found = json.loads(text) if text else None
    if not isinstance(found, dict) or "type" not in found:
        raise ValueError(f"This is no frame of an agent: {data[:40]!r}")
    return str(found["type"]), found.get("message") or {}


class AgentChannel:
    """An agent's ACS connection; `send` may be called from any thread."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    def send(self, kind: str, message: Json) -> None:
        """See `state.Channel`."""
        try:
            self._connection.send(json.dumps({"type": kind, "message": message}))
        except ConnectionClosed as error:
            raise OSError(f"the agent has disconnected: {error}") from error

    def close(self) -> None:
        """See `state.Channel`. The closing handshake may take as long as the agent likes: nobody waits for it."""
        threading.Thread(target=self._connection.close, name="ecs-goodbye", daemon=True).start()


class AgentServer:
    """The WebSocket server of both sockets: `/ws` is ACS, `/telemetry/ws` is TCS.

    Args:
        address, port: where to listen.
        listener: see `Listener`.
    Raises:
        OSError: the port is taken.
    """

    def __init__(self, address: str, port: int, listener: Listener) -> None:
        self._listener = listener
        # The agent's own pings and the protocol's heartbeats keep it alive; a missing pong need not end it.
        self._server: Server = serve(
            self._handle, address, port,
            process_request=self._admit, ping_interval=20, ping_timeout=20, max_size=2**22,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._server.serve_forever, name="ecs-agents", daemon=True)
        self._stop = threading.Event()
        self._channels: set[AgentChannel] = set()
        self._heart = threading.Thread(target=self._beat, name="ecs-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to serve, in threads."""
        self._thread.start()
        self._heart.start()

    def close(self) -> None:
        """Stop serving and end all connections."""
        self._stop.set()
        self._server.shutdown()
        for channel in list(self._channels):
            channel.close()

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS):
            for channel in list(self._channels):
                try:
                    channel.send("HeartbeatMessage", {"messageId": str(uuid.uuid4()), "healthy": True})
                except OSError:  # its own thread notices and says so
                    self._channels.discard(channel)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse an instance that is not registered, or may not, before there is a socket, as ACS does.

        On a socket the agent has no handler for the exception, and connects anew at once, again and again
        (amazon-ecs-agent, `ecs-agent/wsclient/decode.go`, DecodeConnectionError).
        """
        path, query = _url(request)
        telemetry = path.startswith("/telemetry")
        action = "StartTelemetrySession" if telemetry else "Poll"
        if said := self._listener.denied(action, query, request.headers.get("Authorization", "")):
            body, status = {"AccessDeniedException": said}, HTTPStatus.FORBIDDEN
        elif telemetry or self._listener.known(query.get("containerInstanceArn", "")):
            return None
        else:
            body = {"InactiveInstanceException": "The referenced container instance is inactive."}
            status = HTTPStatus.BAD_REQUEST
        response = connection.respond(status, json.dumps(body))
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "application/json"
        return response

    def _handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        path, query = _url(connection.request)
        try:
            if path.startswith("/telemetry"):
                self._telemetry(connection)
            else:
                self._acs(connection, query)
        except (ConnectionClosed, OSError):
            pass

    def _acs(self, connection: ServerConnection, query: dict[str, str]) -> None:
        channel, instance = AgentChannel(connection), query.get("containerInstanceArn", "")
        if not self._listener.connected(instance, channel, query):
            return  # deregistered since it was admitted: it is told so when it connects anew
        self._channels.add(channel)
        try:
            channel.send("HeartbeatMessage", {"messageId": str(uuid.uuid4()), "healthy": True})
            for data in connection:
                self._listener.received(instance, *frame(data))
        finally:
            self._channels.discard(channel)
            self._listener.disconnected(instance, channel)

    def _telemetry(self, connection: ServerConnection) -> None:
        connection.send(json.dumps({"type": "HeartbeatMessage", "message": {"healthy": True}}))
        beat = time.monotonic()
        for data in connection:
            kind, message = frame(data)
            self._listener.telemetry(kind, message)
            answers = {"PublishMetricsRequest": "AckPublishMetric", "PublishHealthRequest": "AckPublishHealth",
                       "PublishInstanceStatusRequest": "AckPublishInstanceStatus"}  # fmt: skip
            if kind in answers:
                connection.send(json.dumps({"type": answers[kind], "message": {"message": "OK"}}))
            if time.monotonic() - beat > HEARTBEAT_SECONDS:
                beat = time.monotonic()
                connection.send(json.dumps({"type": "HeartbeatMessage", "message": {"healthy": True}}))


def _url(request: Request) -> tuple[str, dict[str, str]]:
    """Path and query of a request."""
    url = urlsplit(request.path)
    return url.path, {key: values[0] for key, values in parse_qs(url.query).items()}

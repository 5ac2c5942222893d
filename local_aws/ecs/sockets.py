"""The agents' WebSockets: ACS, over which tasks go out, and TCS, over which health and statistics come in.

Frames are `{"type": NAME, "message": {…}}` both ways; see amazon-ecs-agent, `ecs-agent/acs` and `ecs-agent/tcs`.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from local_aws.ecs.state import Json

HEARTBEAT_SECONDS = 30.0


class Listener(Protocol):
    """Who is told what comes from the agents."""

    def connected(self, instance_arn: str, channel: AgentChannel) -> bool:
        """An agent has connected; False refuses it, for example because the instance is unknown."""

    def disconnected(self, instance_arn: str, channel: AgentChannel) -> None:
        """The connection has ended."""

    def received(self, instance_arn: str, kind: str, message: Json) -> None:
        """A frame of the ACS socket."""

    def telemetry(self, kind: str, message: Json) -> None:
        """A frame of the TCS socket."""


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
        """End the connection, as when the same instance connects anew."""
        self._connection.close()


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
        self._server: Server = serve(self._handle, address, port, ping_interval=20, ping_timeout=20, max_size=2**22)
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

    def _handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        url = urlsplit(connection.request.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        try:
            if url.path.startswith("/telemetry"):
                self._telemetry(connection)
            else:
                self._acs(connection, query.get("containerInstanceArn", ""))
        except ConnectionClosed:
            pass

    def _acs(self, connection: ServerConnection, instance: str) -> None:
        channel = AgentChannel(connection)
        if not self._listener.connected(instance, channel):
            message = {"message": f"The container instance {instance} is not known."}
            connection.send(json.dumps({"type": "InactiveInstanceException", "message": message}))
            return
        self._channels.add(channel)
        try:
            channel.send("HeartbeatMessage", {"messageId": str(uuid.uuid4()), "healthy": True})
            for frame in connection:
                data = json.loads(frame)
                self._listener.received(instance, data["type"], data.get("message", {}))
        finally:
            self._channels.discard(channel)
            self._listener.disconnected(instance, channel)

    def _telemetry(self, connection: ServerConnection) -> None:
        connection.send(json.dumps({"type": "HeartbeatMessage", "message": {"healthy": True}}))
        beat = time.monotonic()
        for frame in connection:
            data = json.loads(frame)
            kind = data["type"]
            self._listener.telemetry(kind, data.get("message", {}))
            answers = {"PublishMetricsRequest": "AckPublishMetric", "PublishHealthRequest": "AckPublishHealth",
                       "PublishInstanceStatusRequest": "AckPublishInstanceStatus"}  # fmt: skip
            if kind in answers:
                connection.send(json.dumps({"type": answers[kind], "message": {"message": "OK"}}))
            if time.monotonic() - beat > HEARTBEAT_SECONDS:
                beat = time.monotonic()
                connection.send(json.dumps({"type": "HeartbeatMessage", "message": {"healthy": True}}))

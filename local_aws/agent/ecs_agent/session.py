"""The agent's connections to the control plane, ACS for tasks and TCS for telemetry, and what keeps them up."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import random
import time
from typing import Any
from urllib.parse import urlencode

import websockets

from . import HASH, VERSION, telemetry
from .aws import ApiError, Json, signed_frame, signed_handshake
from .engine import Engine
from .registration import Registration

log = logging.getLogger("ecs-agent")
NEW = "additional_headers" in inspect.signature(websockets.connect).parameters
HEADERS = "additional_headers" if NEW else "extra_headers"
"""What websockets calls the headers of a handshake; Debian's has the older word."""
SILENCE_SECONDS = 120.0
"""After so long without a heartbeat the agent connects anew."""
INACTIVE_SECONDS = 3600.0
"""A deregistered instance's containers go on; after so long the agent asks again."""


class Inactive(Exception):
    """ECS does not know this container instance any more."""


class Sessions:
    """The two sockets. Both reconnect by themselves, with a growing pause.

    Args:
        registration: who this host is.
        engine: where tasks go.
        telemetry_seconds: how often health and statistics are sent.
    """

    def __init__(self, registration: Registration, engine: Engine, telemetry_seconds: float) -> None:
        self.registration = registration
        self.engine = engine
        self.configuration = registration.configuration
        self.telemetry_seconds = telemetry_seconds
        self._needs_credentials = True
        self._manifest = ""

    async def run(self) -> None:
        """Keep both connections up for ever."""
        await asyncio.gather(self._keep("ACS", self._acs), self._keep("TCS", self._tcs), self.clean())

    async def _keep(self, name: str, connect: Any) -> None:
        pause = 0.25
        while True:
            began = time.monotonic()
            try:
                await connect()
                log.info("%s: disconnected", name)
            except Inactive:
                log.info("Container instance is deregistered; asking again in %.0f s", INACTIVE_SECONDS)
                await asyncio.sleep(INACTIVE_SECONDS)
            except (TimeoutError, OSError, ApiError, ValueError, websockets.exceptions.WebSocketException) as error:
                log.warning("%s: %s", name, str(error) or type(error).__name__)
            pause = 0.25 if time.monotonic() - began > 60 else min(30.0, pause * 2)
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))

    async def _endpoint(self, key: str) -> str:
        registration = self.registration
        request = {
            "cluster": registration.configuration.cluster,
            "containerInstance": registration.store.container_instance,
            "zoneId": registration.zone,
        }
        found = await asyncio.to_thread(registration.call, "DiscoverPollEndpoint", request)
        url = str(found[key]).rstrip("/") + "/ws"
        return url.replace("https://", "wss://").replace("http://", "ws://")

    async def _acs(self) -> None:
        version = await asyncio.to_thread(self.engine.client.version)
        query = {
            "clusterArn": self.configuration.cluster,
            "containerInstanceArn": self.registration.store.container_instance,
            "agentHash": HASH,
            "agentVersion": VERSION,
            "dockerVersion": f"DockerVersion: {version['Version']}",
            "protocolVersion": "2",
            "seqNum": "1",
            "sendCredentials": str(self._needs_credentials).lower(),
        }
        url = f"{await self._endpoint('endpoint')}?{urlencode(query)}"
        try:
            async with websockets.connect(url, **await self._options(url)) as socket:
                log.info("ACS: connected")
                self._needs_credentials = False
                while True:
                    frame = json.loads(await asyncio.wait_for(socket.recv(), SILENCE_SECONDS))
                    for answer in await asyncio.to_thread(self.received, frame["type"], frame.get("message") or {}):
                        await socket.send(json.dumps(answer))
        except websockets.exceptions.InvalidHandshake as error:
            if refused(error):
                raise Inactive from error
            raise

    async def _options(self, url: str) -> Json:
        """How to connect; the handshake is signed as any call is (amazon-ecs-agent, `ecs-agent/wsclient/client.go`)."""
        keys = await asyncio.to_thread(self.registration.metadata.credentials)
        return {"max_size": 2**22, "ping_interval": 20, "ping_timeout": 20,
                HEADERS: signed_handshake(url, self.registration.region, keys)}  # fmt: skip

    def received(self, kind: str, message: Json) -> list[Json]:
        """Act on a frame of ACS; the frames to answer with."""
        if kind == "HeartbeatMessage":
            return [{"type": "HeartbeatAckRequest", "message": {"messageId": message.get("messageId", "")}}]
        if kind == "PayloadMessage":
            for task in message.get("tasks", []):
                self.engine.handle(task)
            return [self._acknowledgment(message)]
        if kind == "IAMRoleCredentialsMessage":
            self.engine.renew(message)
            keys = message["roleCredentials"]
            acknowledged = {"messageId": message.get("messageId"), "expiration": keys["expiration"],
                            "credentialsId": keys["credentialsId"]}  # fmt: skip
            return [{"type": "IAMRoleCredentialsAckRequest", "message": acknowledged}]
        if kind == "TaskManifestMessage":
            return self._compare(message)
        if kind == "TaskStopVerificationAck":
            if message.get("messageId") == self._manifest:
                for each in message.get("stopTasks", []):
                    self.engine.stop(each["taskArn"])
            return []
        log.warning("ACS: unexpected %s", kind)
        return []

    def _compare(self, message: Json) -> list[Json]:
        """Ask before tasks are stopped that the manifest does not name (agent/acs/session, task_manifest_responder)."""
        if message["timeline"] <= self.registration.store.manifest:
            return []
        self.registration.store.manifest = message["timeline"]
        self.registration.store.save()
        self._manifest = message["messageId"]
        named = {each["taskArn"] for each in message["tasks"] if each["desiredStatus"] == "RUNNING"}
        orphans = [task for task in self.engine.tasks() if task.desired == "RUNNING" and task.arn not in named]
        answers = [self._acknowledgment(message)]
        if orphans:
            candidates = [
                {"taskArn": task.arn, "taskClusterArn": message["clusterArn"], "desiredStatus": "STOPPED"}
                for task in orphans
            ]
            asked = {"messageId": self._manifest, "stopCandidates": candidates}
            answers.append({"type": "TaskStopVerificationMessage", "message": asked})
        return answers

    @staticmethod
    def _acknowledgment(message: Json) -> Json:
        taken = {
            "cluster": message.get("clusterArn", ""),
            "containerInstance": message.get("containerInstanceArn", ""),
            "messageId": message.get("messageId", ""),
        }
        return {"type": "AckRequest", "message": taken}

    async def _tcs(self) -> None:
        store = self.registration.store
        query = {"cluster": self.configuration.cluster, "containerInstance": store.container_instance,
                 "agentHash": HASH, "agentVersion": VERSION, "seqNum": "1"}  # fmt: skip
        url = f"{await self._endpoint('telemetryEndpoint')}?{urlencode(query)}"
        async with websockets.connect(url, **await self._options(url)) as socket:
            reader = asyncio.ensure_future(self._drain(socket))
            messages = telemetry.Messages(self.configuration, store.container_instance, self.engine)
            try:
                while not (await asyncio.wait([reader], timeout=self.telemetry_seconds))[0]:
                    for message in await asyncio.to_thread(messages.due):
                        await socket.send(await asyncio.to_thread(self._signed, url, message))
                await reader
            finally:
                reader.cancel()

    def _signed(self, url: str, message: Json) -> str:
        keys = self.registration.metadata.credentials()
        return signed_frame(url, self.registration.region, json.dumps(message).encode(), keys).decode()

    @staticmethod
    async def _drain(socket: Any) -> None:
        while True:
            await asyncio.wait_for(socket.recv(), SILENCE_SECONDS)

    async def clean(self) -> None:
        """Clean up images for ever, or return at once where the configuration has none cleaned up."""
        configuration = self.configuration
        if configuration.disable_image_cleanup:
            return
        if configuration.pull_behavior == "prefer-cached":
            log.info("Pull behavior is set to always use cache. Disabling cleanup")
            return
        while True:
            await asyncio.sleep(configuration.image_cleanup_interval)
            await asyncio.to_thread(self.engine.clean_images)


def refused(error: Exception) -> bool:
    """Whether ECS refused the handshake because the instance is not registered.

    Debian's websockets keeps an answer's status alone; ACS has no other use for this one.
    """
    response = getattr(error, "response", None)
    if response is None:
        return getattr(error, "status_code", 0) == 400
    return response.status_code == 400 and b"InactiveInstanceException" in (response.body or b"")

"""The agent's connections to the control plane: registration, the ACS socket and the TCS socket."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
import uuid
from typing import Any
from urllib.parse import urlencode

import websockets

from . import VERSION, host
from .aws import Api, ApiError, Json, Metadata
from .configuration import Configuration
from .engine import Engine
from .store import Store

log = logging.getLogger("ecs-agent")
SILENCE_SECONDS = 120.0
"""After so long without a heartbeat the agent connects anew."""
METRICS_SECONDS = 20.0


class Terminal(Exception):
    """The agent must not be started again with this state: exit code 5 (RestartPreventExitStatus)."""


class Registration:
    """Who this host is to ECS.

    Args:
        configuration, store, metadata: the agent's.
        client: Docker's, for its version and plugins.
    """

    def __init__(self, configuration: Configuration, store: Store, metadata: Metadata, client: Any) -> None:
        self.configuration = configuration
        self.store = store
        self.metadata = metadata
        self.client = client
        self.document, self.signature = metadata.identity()
        identity = json.loads(self.document)
        self.region: str = identity["region"]
        self.ec2_instance: str = identity["instanceId"]
        self.api = Api("ecs", "AmazonEC2ContainerServiceV20141113", self.region, configuration.backend_host)

    def call(self, action: str, request: Json) -> Json:
        """Call the ECS API with the instance role's credentials."""
        return self.api.call(action, request, self.metadata.credentials())

    def submit(self, action: str, request: Json) -> None:
        """Send a state change.

        Raises:
            OSError: it could not be delivered; try again.
        """
        try:
            self.call(action, request)
        except ApiError as error:
            raise OSError(str(error)) from error

    def register(self) -> None:
        """Register the container instance, or register it again after a restart.

        Raises:
            Terminal: the saved state belongs to another cluster or instance.
            OSError, ApiError: ECS did not answer, or refused (the cluster may not be there yet).
        """
        store = self.store
        if store.ec2_instance and store.ec2_instance != self.ec2_instance:
            log.warning(
                "The saved state is of instance %s, this is %s: starting anew.", store.ec2_instance, self.ec2_instance
            )
            store.cluster = store.container_instance = ""
            store.tasks.clear()
        if store.cluster and store.cluster != self.configuration.cluster:
            raise Terminal(
                f"Data mismatch; saved cluster '{store.cluster}' does not match configured cluster "
                f"'{self.configuration.cluster}'. Perhaps you want to delete the configured checkpoint file?"
            )
        request: Json = {
            "cluster": self.configuration.cluster,
            "instanceIdentityDocument": self.document,
            "instanceIdentityDocumentSignature": self.signature,
            "totalResources": host.resources(self.configuration),
            "attributes": host.attributes(self.configuration, self._plugins()),
            "versionInfo": host.version_info(self.client.version()["Version"]),
            "tags": [{"key": key, "value": value} for key, value in self.configuration.tags.items()],
        }
        if store.container_instance:
            request["containerInstanceArn"] = store.container_instance
        else:
            # At the first registration only (amazon-ecs-agent, ecs-agent/api/ecs/client, registerContainerInstance).
            own = self.configuration.attributes
            request["attributes"] += [{"name": name, "value": value} for name, value in own.items()]
        answer = self.call("RegisterContainerInstance", request)["containerInstance"]
        echoed = {(each["name"], each.get("value")) for each in answer.get("attributes", [])}
        missing = [each["name"] for each in request["attributes"] if (each["name"], each.get("value")) not in echoed]
        if missing:
            raise Terminal(f"Attribute validation failed: ECS did not take {', '.join(missing)}")
        store.cluster, store.ec2_instance = self.configuration.cluster, self.ec2_instance
        store.container_instance = answer["containerInstanceArn"]
        store.save()
        log.info("Registered as %s", store.container_instance)

    def _plugins(self) -> list[tuple[str, bool]]:
        """Docker's managed volume plugins, (name with tag, enabled)."""
        found = []
        for plugin in self.client.plugins.list():
            # Docker's API gives each type as a text, "docker.volumedriver/1.0".
            types = plugin.attrs["Config"]["Interface"].get("Types") or []
            if any(each.split("/")[0] == "docker.volumedriver" for each in types):
                found.append((plugin.name, bool(plugin.enabled)))
        return found


class Sessions:
    """The two sockets. Both reconnect by themselves, with a growing pause.

    Args:
        registration: who this host is.
        engine: where tasks go.
    """

    def __init__(self, registration: Registration, engine: Engine) -> None:
        self.registration = registration
        self.engine = engine
        self.configuration = registration.configuration

    async def run(self) -> None:
        """Keep both connections up for ever.

        Raises:
            Terminal: ECS does not know this container instance any more.
        """
        await asyncio.gather(self._keep("ACS", self._acs), self._keep("TCS", self._tcs), self._clean())

    async def _keep(self, name: str, connect: Any) -> None:
        pause = 0.25
        while True:
            began = time.monotonic()
            try:
                await connect()
                log.info("%s: disconnected", name)
            except (TimeoutError, OSError, ApiError, ValueError, websockets.exceptions.WebSocketException) as error:
                log.warning("%s: %s", name, str(error) or type(error).__name__)
            pause = 0.25 if time.monotonic() - began > 60 else min(30.0, pause * 2)
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))

    async def _endpoint(self, key: str) -> str:
        registration = self.registration
        request = {
            "cluster": registration.configuration.cluster,
            "containerInstance": registration.store.container_instance,
        }
        found = await asyncio.to_thread(registration.call, "DiscoverPollEndpoint", request)
        url = str(found[key]).rstrip("/") + "/ws"
        return url.replace("https://", "wss://").replace("http://", "ws://")

    async def _acs(self) -> None:
        store = self.registration.store
        query = {
            "clusterArn": self.configuration.cluster,
            "containerInstanceArn": store.container_instance,
            "agentHash": "standin",
            "agentVersion": VERSION,
            "dockerVersion": "DockerVersion: 20.10",
            "protocolVersion": "2",
            "seqNum": "1",
            "sendCredentials": "true",
        }
        url = f"{await self._endpoint('endpoint')}?{urlencode(query)}"
        async with websockets.connect(url, max_size=2**22, ping_interval=20, ping_timeout=20) as socket:
            log.info("ACS: connected")
            while True:
                frame = json.loads(await asyncio.wait_for(socket.recv(), SILENCE_SECONDS))
                answer = await asyncio.to_thread(self._received, frame["type"], frame.get("message") or {})
                if answer:
                    await socket.send(json.dumps(answer))

    def _received(self, kind: str, message: Json) -> Json | None:
        """Act on a frame; the frame to answer with."""
        if kind == "HeartbeatMessage":
            return {"type": "HeartbeatAckRequest", "message": {"messageId": message.get("messageId", "")}}
        if kind == "PayloadMessage":
            for task in message.get("tasks", []):
                self.engine.handle(task)
        elif kind == "IAMRoleCredentialsMessage":
            self.engine.renew(message)
            identity = message["roleCredentials"]["credentialsId"]
            return {
                "type": "IAMRoleCredentialsAckRequest",
                "message": {
                    "messageId": message.get("messageId"),
                    "expiration": message["roleCredentials"]["expiration"],
                    "credentialsId": identity,
                },
            }
        elif kind == "InactiveInstanceException":
            # The instance was deregistered: the real agent ends for good, its host has to be replaced.
            raise Terminal(f"ECS does not know this container instance any more: {message.get('message', '')}")
        elif kind not in ("TaskManifestMessage", "TaskStopVerificationAck", "AttachTaskNetworkInterfacesMessage"):
            log.warning("ACS: unexpected %s", kind)
            return None
        return {
            "type": "AckRequest",
            "message": {
                "cluster": message.get("clusterArn", ""),
                "containerInstance": message.get("containerInstanceArn", ""),
                "messageId": message.get("messageId", ""),
            },
        }

    async def _tcs(self) -> None:
        store = self.registration.store
        query = {"cluster": self.configuration.cluster, "containerInstance": store.container_instance,
                 "agentHash": "standin", "agentVersion": VERSION, "seqNum": "1"}  # fmt: skip
        url = f"{await self._endpoint('telemetryEndpoint')}?{urlencode(query)}"
        async with websockets.connect(url, max_size=2**22, ping_interval=20, ping_timeout=20) as socket:
            self.engine.health_changed.set()
            reader = asyncio.ensure_future(self._drain(socket))
            due = time.monotonic() + METRICS_SECONDS
            try:
                while not reader.done():
                    if await asyncio.to_thread(self.engine.health_changed.wait, 1.0):
                        self.engine.health_changed.clear()
                        await socket.send(json.dumps(self._health()))
                    if time.monotonic() >= due:
                        due = time.monotonic() + METRICS_SECONDS
                        await socket.send(json.dumps(self._health()))
                        if not self.configuration.disable_metrics:
                            await socket.send(json.dumps(await asyncio.to_thread(self._metrics)))
                await reader
            finally:
                reader.cancel()

    @staticmethod
    async def _drain(socket: Any) -> None:
        while True:
            await asyncio.wait_for(socket.recv(), SILENCE_SECONDS)

    def _frame(self, kind: str, tasks_key: str, tasks: list[Json]) -> Json:
        metadata = {
            "cluster": self.configuration.cluster,
            "containerInstance": self.registration.store.container_instance,
            "messageId": str(uuid.uuid4()),
            "fin": True,
        }
        if kind == "PublishMetricsRequest":
            metadata["idle"] = not tasks
        return {"type": kind, "message": {"metadata": metadata, tasks_key: tasks, "timestamp": int(time.time())}}

    def _health(self) -> Json:
        tasks = []
        for task in self.engine.tasks():
            checked = [
                {"containerName": name, "healthStatus": state["health"], "statusSince": int(time.time())}
                for name, state in task.containers.items()
                if task.definition(name).get("healthCheckType") == "docker" and state["status"] == "RUNNING"
            ]
            if checked and task.record["status"] != "STOPPED":
                tasks.append(self._about(task, "containers", checked))
        return self._frame("PublishHealthRequest", "tasks", tasks)

    def _about(self, task: Any, key: str, values: list[Json]) -> Json:
        return {
            "taskArn": task.arn,
            "clusterArn": task.payload["taskClusterArn"],
            "taskDefinitionFamily": task.payload["family"],
            "taskDefinitionVersion": task.payload["version"],
            key: values,
        }

    def _metrics(self) -> Json:
        tasks = []
        for task in self.engine.tasks():
            measured = []
            for name, state in task.containers.items():
                if state["status"] != "RUNNING":
                    continue
                try:
                    found = self.engine.client.api.stats(state["id"], stream=False)
                except OSError:  # it has just ended
                    continue
                cpu, memory = usage(found)
                measured.append(
                    {"containerName": name, "cpuStatsSet": statistics(cpu), "memoryStatsSet": statistics(memory)}
                )
            if measured:
                tasks.append(self._about(task, "containerMetrics", measured))
        return self._frame("PublishMetricsRequest", "taskMetrics", tasks[:10])  # the protocol's limit a message

    async def _clean(self) -> None:
        while True:
            await asyncio.sleep(self.configuration.image_cleanup_interval)
            if not self.configuration.disable_image_cleanup:
                await asyncio.to_thread(self.engine.clean_images)


def usage(found: Json) -> tuple[float, float]:
    """CPU in percent of the whole host and memory in MiB (without the page cache), of Docker's statistics."""
    now, before = found.get("cpu_stats") or {}, found.get("precpu_stats") or {}
    used = now.get("cpu_usage", {}).get("total_usage", 0) - before.get("cpu_usage", {}).get("total_usage", 0)
    system = now.get("system_cpu_usage", 0) - before.get("system_cpu_usage", 0)
    memory = found.get("memory_stats") or {}
    details = memory.get("stats") or {}
    cache = details.get("total_inactive_file", details.get("inactive_file", 0))
    return (100.0 * used / system if system > 0 else 0.0, max(0, memory.get("usage", 0) - cache) / (1024 * 1024))


def statistics(value: float) -> Json:
    """One sample as a statistics set."""
    return {"min": value, "max": value, "sampleCount": 1, "sum": value}

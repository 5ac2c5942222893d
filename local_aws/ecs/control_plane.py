"""The ECS of an embedded AWS: the API in front of moto, and the part that schedules and talks to the agents."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from local_aws.cloud import Cloud
from local_aws.config import REGION
from local_aws.ecs.api import Api
from local_aws.ecs.dispatcher import Dispatcher
from local_aws.ecs.errors import EcsError
from local_aws.ecs.managed_draining import ManagedDraining
from local_aws.ecs.managed_scaling import NAMESPACE, ManagedScaling
from local_aws.ecs.metrics import SECONDS as METRICS_SECONDS
from local_aws.ecs.metrics import Metrics
from local_aws.ecs.outside import Services
from local_aws.ecs.scheduler import Scheduler
from local_aws.ecs.sockets import AgentChannel, AgentServer
from local_aws.ecs.state import Json, State
from local_aws.part import Health, Part
from local_aws.patches import autoscaling

TARGET = "AmazonEC2ContainerServiceV20141113."
SCOPE = re.compile(r"Credential=[^/]*/\d{8}/([\w-]+)/")
ACCESS_KEY = re.compile(r"Credential=([^/,\s]+)/")
WsgiApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass
class Regional:
    """What works on one region."""

    api: Api
    scheduler: Scheduler
    dispatcher: Dispatcher
    metrics: Metrics
    draining: ManagedDraining
    scaling: ManagedScaling


@dataclass
class Ecs:
    """The ECS of one `Cloud`, shared by the API and the part."""

    cloud: Cloud
    state: State = field(default_factory=State)
    wake: Callable[[], None] = lambda: None
    _regional: dict[str, Regional] = field(default_factory=dict)

    def regional(self, name: str) -> Regional:
        """The workers of a region; made when first asked for."""
        with self.state.lock:
            if name not in self._regional:
                region, outside = self.state.region(name), Services(self.cloud, name)
                config = self.cloud.config
                endpoint = f"http://{config.gateway}:{config.agent_port}"
                registry = f"127.0.0.1:{config.registry_port}" if config.registry_port else ""
                self._regional[name] = Regional(
                    Api(self.state, region, outside, endpoint, lambda: self.wake()),
                    Scheduler(self.state, region, outside),
                    Dispatcher(self.state, region, outside, registry=registry),
                    Metrics(self.state, region),
                    ManagedDraining(self.state, region),
                    ManagedScaling(self.state, region, autoscaling.Groups(name, self.cloud.changes.happening)),
                )
            return self._regional[name]

    def every(self) -> list[Regional]:
        """The workers of all regions in use."""
        with self.state.lock:
            return list(self._regional.values())


def of(cloud: Cloud) -> Ecs:
    """The one ECS of `cloud`."""
    found: Ecs = vars(cloud).setdefault("_ecs", Ecs(cloud))
    return found


def middleware(cloud: Cloud, application: WsgiApplication) -> WsgiApplication:
    """Answer ECS's requests, pass all others on.

    Args:
        cloud: the embedded AWS.
        application: moto's WSGI application.
    """
    ecs = of(cloud)

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not target.startswith(TARGET):
            return application(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, answer = _answer(ecs, target.removeprefix(TARGET), body, environ.get("HTTP_AUTHORIZATION", ""))
        data = json.dumps(answer).encode()
        headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("Content-Length", str(len(data))),
            ("x-amzn-RequestId", str(uuid.uuid4())),
        ]
        start_response(status, headers)
        return [data]

    return serve


def _answer(ecs: Ecs, action: str, body: bytes, authorization: str) -> tuple[str, Json]:
    scope = SCOPE.search(authorization)
    try:
        try:
            request = json.loads(body or b"{}")
        except ValueError as error:
            raise EcsError("SerializationException", str(error)) from error
        return "200 OK", ecs.regional(scope[1] if scope else REGION).api.call(action, request)
    except EcsError as error:
        return "400 Bad Request", {"__type": error.kind, "message": error.message}
    except (
        Exception
    ) as error:  # a fault of ours must reach the caller as AWS's server error, not as a dropped connection
        ecs.cloud.log("ecs").exception("%s failed", action)
        return "500 Internal Server Error", {"__type": "ServerException", "message": f"{type(error).__name__}: {error}"}


class ControlPlane(Part):
    """Schedules services, delivers tasks to the agents, takes in their reports."""

    name = "ecs"
    interval = 0.5

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.ecs = of(cloud)
        self.ecs.wake = self.wake
        self._agents: AgentServer | None = None
        self._measured = time.monotonic()

    def prepare(self) -> None:
        """Listen for agents.

        Raises:
            OSError: the agents' port is taken.
        """
        config = self.cloud.config
        try:
            self._agents = AgentServer(config.gateway, config.agent_port, self)
        except OSError as error:
            raise OSError(
                error.errno,
                f"The ECS agents' port {config.gateway}:{config.agent_port} is not to be had ({error.strerror}). "
                f"See who has it: ss -ltnp 'sport = :{config.agent_port}'",
            ) from error
        self._agents.start()
        autoscaling.holds[:] = [lambda region, instance: self.ecs.regional(region).draining.holds(instance)]

    def reconcile(self) -> None:
        """One round of the scheduler and of deliveries in each region; metrics once a minute."""
        for regional in self.ecs.every():
            regional.scheduler.round()
            regional.dispatcher.deliver()
        for name, regional in list(self.ecs._regional.items()):
            if data := regional.scaling.round(self.cloud.minute):
                self.cloud.client("cloudwatch", name).put_metric_data(Namespace=NAMESPACE, MetricData=data)
        for name, instance in autoscaling.waiting():
            if self.ecs.regional(name).draining.drained(instance):
                self.log.info("host %s is drained and goes", instance)
                with self.cloud.changes.happening():
                    autoscaling.complete(name, instance)
        if time.monotonic() - self._measured > METRICS_SECONDS:
            self._measured = time.monotonic()
            for name, regional in list(self.ecs._regional.items()):
                data = regional.metrics.data()
                if data:
                    self.cloud.client("cloudwatch", name).put_metric_data(Namespace="AWS/ECS", MetricData=data)

    def health(self) -> list[Health]:
        """A line for the agents' server, each container instance and each service."""
        config = self.cloud.config
        lines = [Health("ecs agents", self._agents is not None, f"ws://{config.gateway}:{config.agent_port}")]
        with self.ecs.state.lock:
            for region in self.ecs.state.regions.values():
                for instance in region.instances.values():
                    state = "connected" if instance.channel else "its agent is disconnected"
                    lines.append(
                        Health(
                            f"container instance {instance.ec2_id or instance.id}",
                            instance.channel is not None,
                            f"cluster {instance.cluster}, {instance.status}, {state}",
                        )
                    )
                for service in region.services.values():
                    if service.status != "ACTIVE":
                        continue
                    running = sum(task.status == "RUNNING" for task in region.tasks_of(service=service.arn))
                    latest = service.events[0]["message"] if service.events else ""
                    ok = service.steady and service.primary.state != "FAILED"
                    lines.append(
                        Health(
                            f"service {service.cluster}/{service.name}",
                            ok,
                            f"{running} of {service.desired} tasks" + ("" if ok else f"; {latest}"),
                        )
                    )
        return lines

    def close(self) -> None:
        """Stop listening for agents."""
        if self._agents:
            self._agents.close()

    # --- sockets.Listener

    def _of(self, arn: str) -> Regional | None:
        parts = arn.split(":")
        return self.ecs.regional(parts[3]) if len(parts) > 3 and parts[3] else None

    def known(self, instance_arn: str) -> bool:
        """See `sockets.Listener`."""
        regional = self._of(instance_arn)
        known = regional is not None and regional.dispatcher.known(instance_arn)
        if not known:
            self.log.info("agent of %s refused: no such container instance", instance_arn.rpartition("/")[2])
        return known

    def denied(self, action: str, query: dict[str, str], authorization: str) -> str:
        """See `sockets.Listener`."""
        instance = query.get("containerInstanceArn") or query.get("containerInstance", "")
        guard = self.cloud.guard
        if guard is None or instance.count(":") < 5:
            return ""
        key = ACCESS_KEY.search(authorization)
        cluster = query.get("clusterArn") or query.get("cluster", "")
        said = guard.connection(key[1] if key else "", action, cluster, instance, instance.split(":")[3])
        if said:
            self.log.info("agent of %s refused: %s", instance.rpartition("/")[2], said)
        return said

    def connected(self, instance_arn: str, channel: AgentChannel, query: dict[str, str]) -> bool:
        """See `sockets.Listener`."""
        regional = self._of(instance_arn)
        known = regional is not None and regional.dispatcher.connected(instance_arn, channel, query)
        self.log.info("agent of %s %s", instance_arn.rpartition("/")[2], "connected" if known else "refused")
        self.wake()
        return known

    def disconnected(self, instance_arn: str, channel: AgentChannel) -> None:
        """See `sockets.Listener`."""
        regional = self._of(instance_arn)
        if regional:
            regional.dispatcher.disconnected(instance_arn, channel)
        self.log.info("agent of %s disconnected", instance_arn.rpartition("/")[2])

    def received(self, instance_arn: str, kind: str, message: Json) -> None:
        """See `sockets.Listener`."""
        regional = self._of(instance_arn)
        if regional is None:
            return
        if kind == "AckRequest":
            regional.dispatcher.acknowledged(instance_arn, message.get("messageId", ""))
        elif kind == "IAMRoleCredentialsAckRequest":
            regional.dispatcher.credentials_acknowledged(instance_arn, message)
        elif kind == "TaskStopVerificationMessage":
            regional.dispatcher.stop_candidates(instance_arn, message)

    def telemetry(self, kind: str, message: Json) -> None:
        """See `sockets.Listener`."""
        metadata = message.get("metadata", {})
        regional = self._of(metadata.get("containerInstance", ""))
        if regional is None:
            return
        if kind == "PublishHealthRequest":
            regional.dispatcher.health(message)
            self.wake()
        elif kind == "PublishMetricsRequest":
            regional.metrics.received(message)
        elif kind == "PublishInstanceStatusRequest":
            regional.dispatcher.instance_status(message)

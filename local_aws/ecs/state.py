"""What the control plane knows: clusters, task definitions, container instances, tasks and services of a region.

Plain records. The rules that change them are in `placement`, `deployments` and `scheduler`; how they look to a
caller is in `views`. Times are seconds since the epoch, as ECS's JSON carries them.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from local_aws.config import ACCOUNT_ID, REGION

Json = dict[str, Any]
Tags = list[dict[str, str]]


class Channel(Protocol):
    """The way to a connected agent."""

    def send(self, kind: str, message: Json) -> None:
        """Send one frame of the ACS protocol.

        Raises:
            OSError: the agent is gone.
        """

    def close(self) -> None:
        """End the connection, as when the instance is deregistered. Returns at once."""


@dataclass
class Cluster:
    """An ECS cluster. `strategy` is its default capacity provider strategy."""

    name: str
    arn: str
    settings: Tags
    configuration: Json
    tags: Tags
    providers: list[str] = field(default_factory=list)
    strategy: list[Json] = field(default_factory=list)
    status: str = "ACTIVE"


@dataclass
class CapacityProvider:
    """A capacity provider on an Auto Scaling group."""

    name: str
    arn: str
    group: Json
    tags: Tags
    status: str = "ACTIVE"
    update_status: str = ""

    @property
    def group_name(self) -> str:
        """Name of the Auto Scaling group, given by its ARN or by its name."""
        return str(self.group["autoScalingGroupArn"]).rpartition("autoScalingGroupName/")[2]


@dataclass
class Instance:
    """A container instance: a host with an agent.

    Attributes:
        total: registered resources, CPU (units), MEMORY (MiB), PORTS and PORTS_UDP (reserved host ports).
        provider: the capacity provider it was registered through; none if it came before the provider.
        channel: the agent's connection, None while it is disconnected.
        connected_at: when the agent connected last.
        unacked: messages that the agent has not acknowledged, message id → (time sent, task ARNs).
        manifest: message id of the TaskManifestMessage that the agent was sent last.
        health: what the agent's own checks of its host found, as DescribeContainerInstances has it.
        client_token: the agent's token of its first registration: the same again is the same registration.
    """

    arn: str
    cluster: str
    ec2_id: str
    attributes: list[Json]
    total: Json
    version_info: Json
    tags: Tags
    registered_at: float
    provider: str = ""
    status: str = "ACTIVE"
    zone: str = ""
    version: int = 1
    sequence: int = 1
    channel: Channel | None = None
    connected_at: float = 0.0
    manifest: str = ""
    health: list[Json] = field(default_factory=list)
    client_token: str = ""
    unacked: dict[str, tuple[float, list[str]]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    def has(self, attribute: Json) -> bool:
        """Whether the instance carries `attribute` (by name, and by value where one is asked for)."""
        return any(
            mine["name"] == attribute["name"] and ("value" not in attribute or mine.get("value") == attribute["value"])
            for mine in self.attributes
        )


@dataclass
class Container:
    """A container of a task, as the agent last reported it."""

    name: str
    image: str
    arn: str
    status: str = "PENDING"
    runtime_id: str = ""
    image_digest: str = ""
    exit_code: int | None = None
    reason: str = ""
    bindings: list[Json] = field(default_factory=list)
    health: str = "UNKNOWN"


@dataclass
class Task:
    """A task.

    Attributes:
        instance: ARN of its container instance; empty while it is PROVISIONING.
        placing: what placement is asked again, of one that is PROVISIONING.
        ports: host ports that placement reserved for it, (port, protocol).
        delivered: the desired status that its agent was last sent, empty if none.
        targets: where the load balancer finds it, (target group ARN, instance id, port).
        registered: whether the targets are registered.
        drained_at: when deregistration ends and the agent may be told to stop it; 0 while it is not wanted.
        healthy_since: since when it counts as healthy; None while it does not.
        counted: whether its end was looked at, as a failure of its deployment or as none.
        credentials: (role type, role ARN) → (credentials id, when they have to be renewed).
    """

    arn: str
    cluster: str
    definition: Json
    instance: str
    containers: list[Container]
    created_at: float
    group: str
    provider: str = ""
    started_by: str = ""
    overrides: Json = field(default_factory=dict)
    tags: Tags = field(default_factory=list)
    exec_enabled: bool = False
    desired: str = "RUNNING"
    status: str = "PENDING"
    version: int = 1
    cpu: int = 0
    memory: int = 0
    ports: list[tuple[int, str]] = field(default_factory=list)
    service: str = ""
    deployment: str = ""
    delivered: str = ""
    started_at: float | None = None
    stopping_at: float | None = None
    stopped_at: float | None = None
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    execution_stopped_at: float | None = None
    stop_code: str = ""
    stopped_reason: str = ""
    targets: list[tuple[str, str, int]] = field(default_factory=list)
    registered: bool = False
    drained_at: float = 0.0
    healthy_since: float | None = None
    counted: bool = False
    credentials: dict[str, tuple[str, float]] = field(default_factory=dict)
    placing: Json = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def active(self) -> bool:
        """Whether it still holds resources of its instance."""
        return self.status != "STOPPED"

    @property
    def provisioning(self) -> bool:
        """Whether it waits for a host: its capacity provider scales, and none has room now."""
        return self.status == "PROVISIONING" and self.desired == "RUNNING"

    @property
    def wanted(self) -> bool:
        """Whether it should run."""
        return self.desired == "RUNNING" and self.status != "STOPPED"

    def container(self, name: str) -> Container | None:
        """The container called `name`."""
        return next((container for container in self.containers if container.name == name), None)

    @property
    def health(self) -> str:
        """HEALTHY, UNHEALTHY or UNKNOWN: of the essential containers that have a health check, the worst."""
        checked = [
            self.container(each["name"])
            for each in self.definition["containerDefinitions"]
            if each.get("healthCheck") and each.get("essential", True)
        ]
        states = {container.health for container in checked if container}
        for state in ("UNHEALTHY", "UNKNOWN"):
            if state in states:
                return state
        return "HEALTHY" if states else "UNKNOWN"

    @property
    def has_health_check(self) -> bool:
        """Whether an essential container has a health check in the task definition (an image's own does not count)."""
        return any(
            each.get("healthCheck") and each.get("essential", True) for each in self.definition["containerDefinitions"]
        )


@dataclass
class Deployment:
    """One roll-out of a service.

    Attributes:
        failed_in_a_row: tasks that failed since the last healthy one; what the circuit breaker counts.
        not_before: no task is started before this time, after failures.
        rollback_of: the deployment that failed and led to this one, empty for an ordinary one.
    """

    id: str
    arn: str
    task_definition: str
    created_at: float
    updated_at: float
    status: str = "PRIMARY"
    desired: int = 0
    state: str = "IN_PROGRESS"
    reason: str = ""
    failed: int = 0
    failed_in_a_row: int = 0
    not_before: float = 0.0
    rollback_of: str = ""
    finished_at: float | None = None
    strategy: list[Json] = field(default_factory=list)
    launch_type: str = ""


@dataclass
class Service:
    """An ECS service. `deployments` has the primary first; `history` keeps the finished ones."""

    name: str
    arn: str
    cluster: str
    request: Json
    desired: int
    created_at: float
    deployments: list[Deployment]
    status: str = "ACTIVE"
    tags: Tags = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    history: list[Deployment] = field(default_factory=list)
    last_completed: Deployment | None = None
    steady: bool = False

    @property
    def primary(self) -> Deployment:
        """The deployment that is wanted."""
        return self.deployments[0]

    @property
    def balancers(self) -> list[Json]:
        """Its load balancers: target group, container name, container port."""
        return list(self.request.get("loadBalancers", []))

    def say(self, text: str, now: float, quiet: float = 0.0) -> None:
        """Add an event; the same text again within `quiet` seconds is left out."""
        message = f"(service {self.name}) {text}"
        for event in self.events:
            if now - event["createdAt"] > quiet:
                break
            if event["message"] == message:
                return
        self.events.insert(0, {"id": str(uuid.uuid4()), "createdAt": now, "message": message})
        del self.events[100:]  # the service keeps the latest 100


@dataclass
class Region:
    """All of ECS in one region."""

    name: str
    clusters: dict[str, Cluster] = field(default_factory=dict)
    providers: dict[str, CapacityProvider] = field(default_factory=dict)
    definitions: dict[str, Json] = field(default_factory=dict)
    definition_tags: dict[str, Tags] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    run_tokens: dict[tuple[str, str], tuple[Json, list[str]]] = field(default_factory=dict)
    """Cluster and client token → the RunTask request that had it, and the tasks that it started."""

    def arn(self, kind: str, *path: str) -> str:
        """An ARN of this region: `arn:aws:ecs:<region>:<account>:<kind>/<path>`."""
        return f"arn:aws:ecs:{self.name}:{ACCOUNT_ID}:{kind}/{'/'.join(path)}"

    def tasks_of(self, *, instance: str = "", service: str = "", cluster: str = "") -> Iterator[Task]:
        """The tasks on an instance (ARN), of a service (ARN) or in a cluster (name)."""
        for task in self.tasks.values():
            if instance and task.instance != instance:
                continue
            if service and task.service != service:
                continue
            if cluster and task.cluster != cluster:
                continue
            yield task

    def instances_of(self, cluster: str) -> list[Instance]:
        """The container instances of a cluster (name)."""
        return [instance for instance in self.instances.values() if instance.cluster == cluster]


class State:
    """All regions, one lock. Whoever reads or changes a region holds the lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.regions: dict[str, Region] = {}

    def region(self, name: str = REGION) -> Region:
        """The region called `name`; made when first asked for."""
        with self.lock:
            return self.regions.setdefault(name, Region(name))


def new_id() -> str:
    """An id as tasks and container instances have them: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def deployment_id() -> str:
    """An id as a service's deployments have them."""
    return f"ecs-svc/{random.randint(10**18, 10**19 - 1)}"

"""A task on this host, as data: what the control plane wants, what has become of it. All of it survives a restart."""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass, field

from .aws import Json


@dataclass
class Container:
    """A container of a task.

    Attributes:
        id, name: Docker's; empty while it is not made.
        status: NONE, CREATED, RUNNING or STOPPED.
        bindings: its ports, as reports have them.
        health: HEALTHY, UNHEALTHY or UNKNOWN.
        health_since, started: seconds since the epoch.
        digest: of the image's manifest.
        image: the image's id.
        pulled: whether its image was seen to.
        endpoint: its part of the metadata endpoint's URL.
        looked: whether this run of the agent has looked for it among Docker's.
    """

    id: str = ""
    name: str = ""
    status: str = "NONE"
    exit_code: int | None = None
    reason: str = ""
    bindings: list[Json] = field(default_factory=list)
    health: str = "UNKNOWN"
    health_since: float = 0.0
    digest: str = ""
    image: str = ""
    pulled: bool = False
    endpoint: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float | None = None
    looked: bool = False


@dataclass
class Task:
    """A task.

    Attributes:
        payload: the task as the control plane sent it, with the newest credentials.
        desired: RUNNING or STOPPED.
        containers: by name.
        status: NONE, RUNNING or STOPPED.
        reported: the status that the control plane knows, empty if none.
        reason: why it was stopped, where ECS has no words of its own for it.
        volumes: those that belong to it alone, volume name → Docker volume.
        sources: volume name → what containers mount.
        provided: whether its volumes, images' digests and secrets were seen to.
        told: container name → the last report of it (`reports.summary`).
        pull_started, pull_stopped, stopped: seconds since the epoch.
    """

    payload: Json
    desired: str
    containers: dict[str, Container]
    status: str = "NONE"
    reported: str = ""
    reason: str = ""
    volumes: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    provided: bool = False
    told: dict[str, str] = field(default_factory=dict)
    pull_started: float | None = None
    pull_stopped: float | None = None
    stopped: float | None = None

    @classmethod
    def sent(cls, payload: Json) -> Task:
        """The task of a payload, of which nothing is there yet."""
        return cls(payload, payload["desiredStatus"], {each["name"]: Container() for each in payload["containers"]})

    @classmethod
    def saved(cls, record: Json) -> Task:
        """The task that `record` is of."""
        containers = {name: Container(**each) for name, each in record["containers"].items()}
        return cls(**{**record, "containers": containers})

    def record(self) -> Json:
        """All of it, for JSON."""
        return dataclasses.asdict(self)

    @property
    def arn(self) -> str:
        """The task's ARN."""
        return str(self.payload["arn"])

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def family(self) -> str:
        """`<family>-<revision>`, as in the containers' names."""
        return f"{self.payload['family']}-{self.payload['version']}"

    def definition(self, name: str) -> Json:
        """The container `name` as the payload has it."""
        return next(each for each in self.payload["containers"] if each["name"] == name)

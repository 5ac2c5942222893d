"""What every part of an embedded AWS is given: its configuration, its clients, its name service, its log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import docker
from botocore.config import Config as BotoConfig

from local_aws import changes
from local_aws.changes import Changes
from local_aws.config import LABEL, REGION, Config

if TYPE_CHECKING:
    from local_aws.access.front import Guard

ACCESS_KEY = "berth-embedded"
SECRET_KEY = "not-a-secret-0f3c9d"  # noqa: S105 - it guards nothing
"""It may occur nowhere else: Ansible masks the secret wherever it appears in a result, stack outputs included."""
INSIDE_KEY = "berth-embedded-itself"
"""The access key of what the embedded AWS asks itself: IAM judges everybody but this one."""
CALLER: ContextVar[str] = ContextVar("caller", default=INSIDE_KEY)
"""The access key of the request that is being answered, for services that act with the caller's rights."""
INSIDE = "berth-embedded-inside"
"""In the User-Agent of what the embedded AWS asks itself: it is told the truth at once, also in late mode."""


@dataclass
class Cloud:
    """One running embedded AWS.

    Attributes:
        config: its fixed facts.
        host_image: the image of EC2 instances, a folder of `local_aws/images`.
        ecs_agent: the agent of EC2 instances, checked (`real_agent.binary`); the stand-in if None.
        names: DNS names that hosts and their containers resolve, name → IPv4 addresses (the resolver serves them).
        private_zones: domains of which no name is looked for elsewhere (private hosted zones).
        names_changed: called by `publish` and `keep_private` after one of these changed; the resolver sets it.
        changes: whether anybody may have changed what the APIs say.
        guard: IAM; None where nobody is judged.
        minute: seconds that a minute lasts for what scales by load; `POST /_local_aws/minute` changes it.
    """

    config: Config
    host_image: str = "host"
    ecs_agent: Path | None = None
    names: dict[str, list[str]] = field(default_factory=dict)
    private_zones: list[str] = field(default_factory=list)
    names_changed: Callable[[], None] | None = None
    changes: Changes = field(default_factory=Changes, repr=False)
    guard: Guard | None = field(default=None, repr=False)
    minute: float = 60.0
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _docker: docker.DockerClient | None = field(default=None, repr=False)

    def client(self, service: str, region: str = REGION, key: str = INSIDE_KEY) -> Any:
        """A boto3 client of `service` that talks to this embedded AWS; one a service, region and key, thread-safe.

        Args:
            service: boto3's name.
            region: of AWS.
            key: the access key of whoever's rights it has; by default those of the embedded AWS itself.
        """
        with self._lock:
            if (service, region, key) not in self._clients:
                session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=SECRET_KEY, region_name=region)
                client = self._clients[service, region, key] = session.client(
                    service,
                    endpoint_url=self.config.endpoint,
                    config=BotoConfig(
                        retries={"max_attempts": 2},
                        max_pool_connections=30,
                        read_timeout=600,
                        user_agent_extra=INSIDE,
                        proxies={},  # a proxy of the shell does not know this machine's loopback
                    ),
                )
                client.meta.events.register("before-call", changes.mark)
            return self._clients[service, region, key]

    def look(self, service: str, operation: str, region: str = REGION, **arguments: Any) -> dict[str, Any]:
        """What `operation`, a boto3 method that reads, answers: all pages of it. Loops ask so, as often as they like.

        The answer may be one of before, if nobody may have changed anything since; it is not to be changed.

        Raises:
            botocore.exceptions.ClientError: the service refused.
        """

        def ask() -> dict[str, Any]:
            return changes.whole(self.client(service, region), operation, arguments)

        answer: dict[str, Any] = self.changes.kept(changes.key(service, region, operation, arguments), ask)
        return answer

    @property
    def docker(self) -> docker.DockerClient:
        """The Docker engine of this machine."""
        with self._lock:
            if self._docker is None:
                self._docker = docker.from_env(timeout=120)
            return self._docker

    @property
    def labels(self) -> dict[str, str]:
        """Labels for every container, volume and network that a part makes: `down` removes what bears them."""
        return {LABEL: self.config.name}

    def log(self, part: str) -> logging.Logger:
        """The log of a part; it ends up in `<state>/log`."""
        return logging.getLogger(f"local_aws.{part}")

    def publish(self, name: str, addresses: list[str]) -> None:
        """Let `name` resolve to `addresses` on the hosts and in their containers; none withdraws it."""
        with self._lock:
            if self.names.get(name, []) == addresses:
                return
            if addresses:
                self.names[name] = addresses
            else:
                self.names.pop(name, None)
            changed = self.names_changed
        if changed:
            changed()

    def keep_private(self, zones: list[str]) -> None:
        """Let the names below these domains be only those in `names`, on the hosts and in their containers."""
        with self._lock:
            if self.private_zones == zones:
                return
            self.private_zones = zones
            changed = self.names_changed
        if changed:
            changed()

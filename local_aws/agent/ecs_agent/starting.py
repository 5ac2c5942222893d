"""How a task is brought up: its volumes, images and secrets, then each container when its turn has come."""

from __future__ import annotations

import contextlib
import logging
import secrets as random
import time
from collections.abc import Callable

import docker

from . import containers, dependencies, secrets
from .aws import Credentials, Json
from .images import ImageError, response
from .observation import take
from .ports import PortError
from .task import Container, Task
from .task_host import Host
from .volumes import VolumeError

log = logging.getLogger("ecs-agent")
TERMINATED = 143
"""Exit code that is reported for a container that could never start; Docker's for one that SIGTERM ended."""


class TaskError(Exception):
    """The task cannot be brought up; the message is its own reason."""


class ContainerError(Exception):
    """A container cannot be brought up; the message is its reason, and the task has none.

    Args:
        container: its name.
        reason: see above.
        exit_code: what is reported for it, None for nothing.
        ends_task: whether the task ends with it, essential or not.
    """

    def __init__(self, container: str, reason: str, exit_code: int | None = None, ends_task: bool = False) -> None:
        super().__init__(reason)
        self.container = container
        self.exit_code = exit_code
        self.ends_task = ends_task


class Start:
    """The start of one task.

    Args:
        host, task: which one, and where.
        report: tells the control plane what it does not know yet; raises OSError if that cannot be delivered.
    """

    def __init__(self, host: Host, task: Task, report: Callable[[], None]) -> None:
        self.host = host
        self.task = task
        self._report = report
        self._secrets: dict[str, dict[str, str]] | None = None  # never saved

    def advance(self, closed: Callable[[], bool]) -> None:
        """Provide what the task needs once, then bring up every container whose dependencies are met.

        A container's image is pulled only when its turn has come, unless ECS_PULL_DEPENDENT_CONTAINERS_UPFRONT.

        Args:
            closed: whether to leave off; the agent is being stopped.
        Raises:
            TaskError: the task cannot be brought up.
            ContainerError: a container cannot.
        """
        if not self.task.provided:
            self._provide()
        for name, container in self.task.containers.items():
            if self.task.desired == "STOPPED" or closed():
                return
            if container.status not in ("NONE", "CREATED") or container.started is not None:
                continue
            if not container.pulled and (self.host.configuration.pull_dependants_upfront or self._ready(name)):
                self._pull(name, container)
            if container.pulled and self._ready(name):
                if not container.id:
                    self._create(name, container)
                self._begin(name, container)

    def _save(self) -> None:
        self.host.save(self.task)

    def _provide(self) -> None:
        """Make the volumes, look up all images' manifests and read the secrets."""
        task = self.task
        uri = ""
        if task.payload.get("roleCredentials"):
            uri = f"/v2/credentials/{task.payload['roleCredentials']['credentialsId']}"
        for volume in task.payload.get("volumes", []):
            try:
                source = self.host.volumes.provide(volume, task.family, uri, task.volumes)
            except VolumeError as error:
                before = "" if error.initialized else f"resource cannot be initialized for task {task.arn}: "
                raise TaskError(f"{before}{error}") from error
            task.sources[volume["name"]] = source
        self._save()
        for name, container in task.containers.items():
            try:
                container.digest = self.host.images.digest(task.definition(name), self._execution())
            except ImageError as error:
                self._cannot_pull(name, container, error)
        with contextlib.suppress(OSError):  # the digests; they are told again with whatever comes next
            self._report()
        self._read_secrets()
        task.provided = True
        self._save()

    def _execution(self) -> Credentials | None:
        found = self.task.payload.get("executionRoleCredentials")
        return credentials(found) if found else None

    def _cannot_pull(self, name: str, container: Container, error: ImageError) -> None:
        """Note the first error of an image; where the pull behaviour is strict the task ends with it."""
        container.reason = container.reason or str(error)
        if not self.host.images.run_anyway:
            raise ContainerError(name, str(error), ends_task=True) from error
        log.warning("task %s: %s: %s; will try to run anyway", self.task.id, name, error)

    def _read_secrets(self) -> dict[str, dict[str, str]]:
        """The secrets of all containers; read once, and again after a restart of the agent."""
        if self._secrets is None:
            keys = credentials(self.task.payload.get("executionRoleCredentials"))
            try:
                self._secrets = secrets.values(self.task.payload["containers"], self.host.region, keys)
            except secrets.SecretError as error:
                raise TaskError(str(error)) from error
        return self._secrets

    def _pull(self, name: str, container: Container) -> None:
        self.task.pull_started = self.task.pull_started or time.time()
        try:
            self.host.images.pull(self.task.definition(name), container.digest, self._execution())
        except ImageError as error:
            self._cannot_pull(name, container, error)
        container.pulled = True
        self.task.pull_stopped = time.time()
        self._save()

    def _ready(self, name: str) -> bool:
        """Whether what `name` waits for has come."""
        try:
            return dependencies.resolved(self.task, name)
        except dependencies.DependencyError as error:
            raise ContainerError(name, f"CannotStartContainerError: {error}", TERMINATED) from error

    def _create(self, name: str, container: Container) -> None:
        # As the agent names them: family, revision, container, and 20 random hexadecimal digits.
        title = f"ecs-{self.task.family}-{name}-{random.token_hex(10)}"
        own_secrets = self._read_secrets().get(name, {})
        try:
            image = self.host.client.images.get(self.task.definition(name)["image"])
            variables = image.attrs["Config"].get("Env") or []
            config = containers.configuration(self.host, self.task, name, own_secrets, variables)
            made = self.host.client.api.create_container_from_config(config, title)
        except docker.errors.APIError as error:
            raise ContainerError(name, f"CannotCreateContainerError: {response(error)}") from error
        except PortError as error:
            raise ContainerError(name, f"CannotCreateContainerError: {error}") from error
        container.id, container.name, container.status, container.image = made["Id"], title, "CREATED", image.id
        self._save()

    def _begin(self, name: str, container: Container) -> None:
        try:
            self.host.client.api.start(container.id)
        except docker.errors.APIError as error:
            raise ContainerError(name, f"CannotStartContainerError: {response(error)}") from error
        container.started = time.time()
        log.info("task %s: started %s as %s", self.task.id, name, container.name or container.id[:12])
        take(container, self.task.definition(name), self.host.client.api.inspect_container(container.id))
        self._save()


def credentials(found: Json | None) -> Credentials:
    """The keys of a payload's role credentials; placeholders if there are none."""
    if not found:
        return Credentials()
    return Credentials(found["accessKeyId"], found["secretAccessKey"], found.get("sessionToken", ""))

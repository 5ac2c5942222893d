"""All tasks of this host."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from .aws import Credentials, Json
from .configuration import Configuration
from .images import Images
from .managed_task import ManagedTask
from .store import Store
from .task import Task
from .task_host import Host

log = logging.getLogger("ecs-agent")


class Engine:
    """Starts, stops and remembers tasks.

    Args:
        client, configuration, region: see `task_host.Host`.
        store: what the agent remembers.
        submit: see `task_host.Host`.
        credentials: see `images.Images`.
    """

    def __init__(
        self,
        client: Any,
        configuration: Configuration,
        region: str,
        store: Store,
        submit: Callable[[str, Json], None],
        credentials: Callable[[], Credentials],
    ) -> None:
        self.client = client
        self.configuration = configuration
        self._store = store
        self._lock = threading.Lock()
        self._images = Images(client, configuration, store, credentials)
        self._host = Host(client, configuration, self._images, region, store.cluster, submit, store.put, self._forget)
        self._tasks: dict[str, ManagedTask] = {}

    def adopt(self) -> None:
        """Take up the tasks of the agent's former run; their containers have lived on."""
        for task in list(self._store.tasks.values()):
            for container in task.containers.values():
                container.looked = False
            self._tasks[task.arn] = ManagedTask(self._host, task)
            self._tasks[task.arn].start()
            log.info("task %s: taken up again, it was %s", task.id, task.status)

    def handle(self, payload: Json) -> None:
        """A task of a PayloadMessage: new, or known and to be changed."""
        with self._lock:
            known = self._tasks.get(payload["arn"])
            if known:
                known.update(payload)
                return
            task = Task.sent(payload)
            managed = self._tasks[task.arn] = ManagedTask(self._host, task)
            self._store.put(task)
        log.info("task %s: %s, wanted %s", task.id, task.family, payload["desiredStatus"])
        managed.start()

    def stop(self, arn: str) -> None:
        """Stop a task that the control plane does not know any more."""
        if managed := self._tasks.get(arn):
            log.info("task %s: does not belong here any more", managed.task.id)
            managed.stop()

    def renew(self, message: Json) -> None:
        """An IAMRoleCredentialsMessage."""
        managed = self._tasks.get(message.get("taskArn", ""))
        if managed:
            managed.renew(message.get("roleType", "TaskApplication"), message["roleCredentials"])

    def tasks(self) -> list[Task]:
        """All tasks that the agent remembers, stopped ones included."""
        with self._lock:
            return [managed.task for managed in self._tasks.values()]

    def role_credentials(self, identity: str) -> Json | None:
        """The role credentials with this id, as the SDKs want them from the credentials endpoint."""
        for task in self.tasks():
            for key in ("roleCredentials", "executionRoleCredentials"):
                found = task.payload.get(key)
                if found and found["credentialsId"] == identity:
                    return {
                        "RoleArn": found["roleArn"],
                        "AccessKeyId": found["accessKeyId"],
                        "SecretAccessKey": found["secretAccessKey"],
                        "Token": found["sessionToken"],
                        "Expiration": found["expiration"],
                    }
        return None

    def close(self) -> None:
        """End the threads; containers go on."""
        with self._lock:
            every = list(self._tasks.values())
        for managed in every:
            managed.close()

    def clean_images(self) -> None:
        """Remove images that no task needs any more (see `images.Images.clean`)."""
        self._images.clean({each["image"] for task in self.tasks() for each in task.payload["containers"]})

    def _forget(self, arn: str) -> None:
        with self._lock:
            self._tasks.pop(arn, None)
        self._store.forget(arn)

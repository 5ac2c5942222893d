"""All tasks of this host."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from .aws import Credentials, Json
from .configuration import Configuration
from .images import Images
from .store import Store
from .task import Host, Task

log = logging.getLogger("ecs-agent")


class Engine:
    """Starts, stops and remembers tasks.

    Args:
        client, configuration, region: see `task.Host`.
        store: what the agent remembers.
        submit: see `task.Host`.
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
        self._tasks: dict[str, Task] = {}

    def adopt(self) -> None:
        """Take up the tasks of the agent's former run; their containers have lived on."""
        for record in list(self._store.tasks.values()):
            task = Task(self._host, record["payload"], record)
            for state in task.containers.values():
                state["looked"] = False
            self._tasks[task.arn] = task
            task.start()
            log.info("task %s: taken up again, it was %s", task.id, record["status"])

    def handle(self, payload: Json) -> None:
        """A task of a PayloadMessage: new, or known and to be changed."""
        with self._lock:
            known = self._tasks.get(payload["arn"])
            if known:
                known.update(payload)
                return
            task = Task(self._host, payload)
            self._tasks[task.arn] = task
            self._store.put(task.arn, task.record)
        log.info("task %s: %s, wanted %s", task.id, task.family, payload["desiredStatus"])
        task.start()

    def stop(self, arn: str) -> None:
        """Stop a task that the control plane does not know any more."""
        if task := self._tasks.get(arn):
            log.info("task %s: does not belong here any more", task.id)
            task.stop()

    def renew(self, message: Json) -> None:
        """An IAMRoleCredentialsMessage."""
        task = self._tasks.get(message.get("taskArn", ""))
        if task:
            task.renew(message.get("roleType", "TaskApplication"), message["roleCredentials"])

    def tasks(self) -> list[Task]:
        """All tasks that the agent remembers, stopped ones included."""
        with self._lock:
            return list(self._tasks.values())

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
        for task in self.tasks():
            task.close()

    def clean_images(self) -> None:
        """Remove images that no task needs any more (see `images.Images.clean`)."""
        self._images.clean({each["image"] for task in self.tasks() for each in task.payload["containers"]})

    def _forget(self, arn: str) -> None:
        with self._lock:
            self._tasks.pop(arn, None)
        self._store.forget(arn)

"""All tasks of this host."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import docker

from .configuration import Configuration
from .store import Store
from .task import Host, Json, Task

log = logging.getLogger("ecs-agent")


class Engine:
    """Starts, stops and remembers tasks.

    Args:
        client, configuration, region: see `task.Host`.
        store: what the agent remembers.
        submit: see `task.Host`.
    """

    def __init__(
        self, client: Any, configuration: Configuration, region: str, store: Store, submit: Callable[[str, Json], None]
    ) -> None:
        self.client = client
        self.configuration = configuration
        self._store = store
        self._lock = threading.Lock()
        self.health_changed = threading.Event()
        self._host = Host(
            client, configuration, region, store.cluster, submit, store.put, self._forget, self.health_changed.set
        )
        self._tasks: dict[str, Task] = {}
        self._images_used: dict[str, float] = {}

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
        """Remove images that tasks of this agent used and none has used for `image_minimum_age`, a few a cycle."""
        now = time.time()
        in_use = set()
        for task in self.tasks():
            for container in task.payload["containers"]:
                in_use.add(container["image"])
                self._images_used[container["image"]] = now
        idle = sorted(
            (since, image)
            for image, since in self._images_used.items()
            if image not in in_use and now - since > self.configuration.image_minimum_age
        )
        for _, image in idle[: self.configuration.images_per_cycle]:
            try:
                self.client.images.remove(image)
                log.info("removed image %s", image)
            except docker.errors.APIError as error:
                log.info("image %s stays: %s", image, error)
            del self._images_used[image]

    def _forget(self, arn: str) -> None:
        with self._lock:
            self._tasks.pop(arn, None)
        self._store.forget(arn)

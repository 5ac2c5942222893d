"""What survives a restart of the agent: which instance it is, its tasks and images. One JSON file in ECS_DATADIR."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from .aws import Json
from .task import Task


class Store:
    """The saved state, which the agent reads and changes; `save` writes it.

    Attributes:
        cluster, container_instance, ec2_instance: who the host is; empty before its first registration.
        manifest: sequence number of the last TaskManifestMessage.
        tasks: by ARN.
        images: image → when it was `pulled` (if it was) and last `used`, seconds since the epoch.
    """

    def __init__(self, directory: str) -> None:
        self._path = Path(directory) / "agent.json"
        self._lock = threading.RLock()
        self.cluster = ""
        self.container_instance = ""
        self.ec2_instance = ""
        self.manifest = 0
        self.tasks: dict[str, Task] = {}
        self.images: dict[str, Json] = {}
        if self._path.exists():
            saved = json.loads(self._path.read_text())
            self.cluster = saved["cluster"]
            self.container_instance = saved["containerInstanceArn"]
            self.ec2_instance = saved["ec2InstanceId"]
            self.manifest = saved["manifest"]
            self.tasks = {arn: Task.saved(record) for arn, record in saved["tasks"].items()}
            self.images = saved["images"]

    def save(self) -> None:
        """Write the state, whole or not at all. It holds credentials: only the owner may read it."""
        with self._lock:
            data = {
                "cluster": self.cluster,
                "containerInstanceArn": self.container_instance,
                "ec2InstanceId": self.ec2_instance,
                "manifest": self.manifest,
                "tasks": {arn: task.record() for arn, task in self.tasks.items()},
                "images": self.images,
            }
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._path.with_suffix(".new")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                json.dump(data, stream)
            draft.replace(self._path)

    def put(self, task: Task) -> None:
        """Remember a task."""
        with self._lock:
            self.tasks[task.arn] = task
            self.save()

    def forget(self, arn: str) -> None:
        """Forget a task."""
        with self._lock:
            self.tasks.pop(arn, None)
            self.save()

"""What goes out on the telemetry socket (TCS): health and statistics of containers, and the host's own health."""

from __future__ import annotations

import time
import uuid

import docker

from .aws import Json
from .configuration import Configuration
from .engine import Engine
from .task import Task

TASKS_A_MESSAGE = 10
"""The protocol's limit."""


class Messages:
    """The messages of one connection.

    Args:
        configuration: the agent's.
        instance: ARN of the container instance.
        engine: whose tasks are told of.
    """

    def __init__(self, configuration: Configuration, instance: str, engine: Engine) -> None:
        self._configuration = configuration
        self._instance = instance
        self._engine = engine
        self._runtime = ("", 0.0)
        self._told = ""

    def due(self) -> list[Json]:
        """What is to be sent now: health always, statistics unless they are off, the host's health if it changed."""
        messages = self._pages("PublishHealthRequest", "tasks", self.health())
        if not self._configuration.disable_metrics:
            messages += self._pages("PublishMetricsRequest", "taskMetrics", self.metrics())
        status = self.instance_status()
        if status["statuses"][0]["status"] != self._told:
            self._told = status["statuses"][0]["status"]
            messages.append({"type": "PublishInstanceStatusRequest", "message": status})
        return messages

    def _pages(self, kind: str, key: str, tasks: list[Json]) -> list[Json]:
        pages = [tasks[start : start + TASKS_A_MESSAGE] for start in range(0, len(tasks), TASKS_A_MESSAGE)]
        if kind == "PublishMetricsRequest":
            pages = pages or [[]]  # an idle host says so
        messages = []
        for page in pages:
            metadata: Json = {
                "cluster": self._configuration.cluster,
                "containerInstance": self._instance,
                "messageId": str(uuid.uuid4()),
                "fin": page is pages[-1],
            }
            if kind == "PublishMetricsRequest":
                metadata["idle"] = not tasks
            message = {"metadata": metadata, key: page, "timestamp": int(time.time())}
            messages.append({"type": kind, "message": message})
        return messages

    def health(self) -> list[Json]:
        """Health of the running containers that have a health check, by task."""
        tasks = []
        for task in self._engine.tasks():
            checked = [
                {
                    "containerName": name,
                    "healthStatus": state.health,
                    "statusSince": int(state.health_since or time.time()),
                }
                for name, state in task.containers.items()
                if task.definition(name).get("healthCheckType") == "docker" and state.status == "RUNNING"
            ]
            if checked and task.status != "STOPPED":
                tasks.append(about(task, "containers", checked))
        return tasks

    def metrics(self) -> list[Json]:
        """CPU and memory of the running containers, by task."""
        tasks = []
        for task in self._engine.tasks():
            measured = []
            for name, state in task.containers.items():
                if state.status != "RUNNING":
                    continue
                try:
                    found = self._engine.client.api.stats(state.id, stream=False)
                except (OSError, docker.errors.APIError):  # it has just ended
                    continue
                cpu, memory = usage(found)
                measured.append(
                    {"containerName": name, "cpuStatsSet": statistics(cpu), "memoryStatsSet": statistics(memory)}
                )
            if measured:
                tasks.append(about(task, "containerMetrics", measured))
        return tasks

    def instance_status(self) -> Json:
        """Whether Docker answers, as the agent's only check of its host has it."""
        try:
            self._engine.client.ping()
            status = "OK"
        except (OSError, docker.errors.DockerException):
            status = "IMPAIRED"
        now = time.time()
        if status != self._runtime[0]:
            self._runtime = (status, now)
        check = {"type": "ContainerRuntime", "status": status, "lastUpdated": int(now),
                 "lastStatusChange": int(self._runtime[1])}  # fmt: skip
        metadata = {"cluster": self._configuration.cluster, "containerInstance": self._instance,
                    "requestId": str(uuid.uuid4())}  # fmt: skip
        return {"metadata": metadata, "statuses": [check], "timestamp": int(now)}


def about(task: Task, key: str, values: list[Json]) -> Json:
    """A task's part of a message."""
    return {
        "taskArn": task.arn,
        "clusterArn": task.payload["taskClusterArn"],
        "taskDefinitionFamily": task.payload["family"],
        "taskDefinitionVersion": task.payload["version"],
        key: values,
    }


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

"""Containers' statistics as CloudWatch metrics: AWS/ECS CPUUtilization and MemoryUtilization.

By service: used over reserved by its tasks; by cluster: used over registered by its instances (ECS developer guide,
"Amazon ECS CloudWatch metrics").
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from local_aws.ecs.state import Json, Region, State

SECONDS = 60.0
"""How often metrics are written."""


def _mean(statistics: Json | None) -> float:
    count = (statistics or {}).get("sampleCount") or 0
    return float((statistics or {})["sum"]) / count if count else 0.0


class Metrics:
    """The last statistics of each container of a region."""

    def __init__(self, state: State, region: Region) -> None:
        self._state = state
        self._region = region
        self._used: dict[tuple[str, str], tuple[float, float]] = {}

    def received(self, message: Json) -> None:
        """Take in a PublishMetricsRequest: CPU in percent of the instance, memory in MiB."""
        with self._state.lock:
            for each in message.get("taskMetrics") or []:
                for container in each.get("containerMetrics") or []:
                    key = (each.get("taskArn", ""), container.get("containerName", ""))
                    self._used[key] = (_mean(container.get("cpuStatsSet")), _mean(container.get("memoryStatsSet")))

    def data(self) -> list[dict[str, Any]]:
        """What to put into namespace AWS/ECS now."""
        with self._state.lock:
            region = self._region
            self._used = {key: used for key, used in self._used.items() if _active(region, key[0])}
            cpu: dict[tuple[str, str], float] = defaultdict(float)
            memory: dict[tuple[str, str], float] = defaultdict(float)
            tasks_with: dict[tuple[str, str], set[str]] = defaultdict(set)
            for (arn, _), (percent, mebibytes) in self._used.items():
                task = region.tasks[arn]
                units = percent / 100 * region.instances[task.instance].total.get("CPU", 0)
                for key in ((task.cluster, ""), (task.cluster, task.service.rpartition("/")[2])):
                    cpu[key] += units
                    memory[key] += mebibytes
                    tasks_with[key].add(arn)
                    if not task.service:
                        break
            answer = []
            for cluster, service in cpu:
                tasks = [task for task in region.tasks_of(cluster=cluster) if task.active]
                if service:
                    mine = [task for task in tasks if task.service.endswith(f"/{service}")]
                    reserved = sum(task.cpu for task in mine), sum(task.memory for task in mine)
                else:
                    hosts = region.instances_of(cluster)
                    reserved = sum(h.total.get("CPU", 0) for h in hosts), sum(h.total.get("MEMORY", 0) for h in hosts)
                dimensions = [{"Name": "ClusterName", "Value": cluster}]
                dimensions += [{"Name": "ServiceName", "Value": service}] if service else []
                for name, used, all_of_it in (
                    ("CPUUtilization", cpu[cluster, service], reserved[0]),
                    ("MemoryUtilization", memory[cluster, service], reserved[1]),
                ):
                    if all_of_it:
                        sampled = _samples(100 * used / all_of_it, len(tasks_with[cluster, service]))
                        answer.append({"MetricName": name, "Dimensions": dimensions, "Unit": "Percent"} | sampled)
            return answer


def _samples(value: float, tasks: int) -> Json:
    """A value as ECS sends it: a sample for each task, so that counting them counts the tasks that run.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cloudwatch-metrics.html ("Service RUNNING task count")
    """
    return {"StatisticValues": {"SampleCount": tasks, "Sum": value * tasks, "Minimum": value, "Maximum": value}}


def _active(region: Region, arn: str) -> bool:
    task = region.tasks.get(arn)
    host = region.instances.get(task.instance) if task is not None and task.active else None
    return host is not None and host.channel is not None  # what an agent that is not connected says, nobody hears

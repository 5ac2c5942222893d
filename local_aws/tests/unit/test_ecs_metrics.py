"""What ECS sends CloudWatch of its tasks, as their agents say it."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.ecs.metrics import Metrics
from local_aws.tests.ecs_support import Agent, World


@pytest.fixture
def world() -> World:
    return World()


def said(world: World) -> Metrics:
    """Each task's container has said that it uses 100 of its 200 MiB and a tenth of the host."""
    metrics = Metrics(world.state, world.region)
    used = {"cpuStatsSet": {"sum": 10.0, "sampleCount": 1}, "memoryStatsSet": {"sum": 100.0, "sampleCount": 1}}
    metrics.received(
        {
            "taskMetrics": [
                {"taskArn": task.arn, "containerMetrics": [{"containerName": "web", **used}]} for task in world.tasks()
            ]
        }
    )
    return metrics


def memory_of_service(metrics: Metrics) -> Any:
    """Statistics of the service's memory; None if nothing is sent."""
    found = [each for each in metrics.data() if each["MetricName"] == "MemoryUtilization"]
    return next((each["StatisticValues"] for each in found if len(each["Dimensions"]) == 2), None)


def started(world: World) -> Agent:
    agent = world.agent()
    world.create(world.define(), 2)
    world.tick()
    return agent


def test_a_service_has_a_sample_for_each_task_that_runs(world: World) -> None:
    agent = started(world)
    metrics = said(world)
    assert memory_of_service(metrics) == {"SampleCount": 2, "Sum": 100.0, "Minimum": 50.0, "Maximum": 50.0}
    agent.end(world.tasks()[0].arn, 1)
    assert memory_of_service(metrics)["SampleCount"] == 1


def test_an_agent_that_is_not_connected_sends_nothing(world: World) -> None:
    agent = started(world)
    metrics = said(world)
    world.dispatcher.disconnected(agent.arn, agent)
    assert memory_of_service(metrics) is None

"""A service of somebody else that takes what the hosts have left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local_aws.cloud import Cloud
from local_aws.tests.until import until
from plugins.plugin_utils.ecs_placement import remaining
from tests.e2e.test_site import SITE, service

SQUATTER = "squatter"


@contextmanager
def squatted(cloud: Cloud, left: int) -> Iterator[None]:
    """A service of somebody else has a task on each host while the block runs.

    Args:
        left: MiB of the host that has most that are left for others.
    """
    ecs: Any = cloud.client("ecs")
    definition = ecs.describe_task_definition(taskDefinition=service(cloud)["taskDefinition"])["taskDefinition"]
    image = next(each["image"] for each in definition["containerDefinitions"] if each["name"] == "nginx")
    hosts = ecs.list_container_instances(cluster=SITE)["containerInstanceArns"]
    described = ecs.describe_container_instances(cluster=SITE, containerInstances=hosts)["containerInstances"]
    container = {
        "name": SQUATTER,
        "image": image,
        "command": ["sleep", "3600"],
        "memory": max(map(remaining, described)) - left,
        "stopTimeout": 2,
    }
    registered = ecs.register_task_definition(family=SQUATTER, containerDefinitions=[container])["taskDefinition"]
    ecs.create_service(
        cluster=SITE,
        serviceName=SQUATTER,
        taskDefinition=registered["taskDefinitionArn"],
        desiredCount=len(hosts),
        launchType="EC2",
        placementConstraints=[{"type": "distinctInstance"}],
    )

    def running() -> bool:
        (found,) = ecs.describe_services(cluster=SITE, services=[SQUATTER])["services"]
        return bool(found["runningCount"] == len(hosts))

    try:
        until(running, "the other service runs", 60)
        yield
    finally:
        ecs.delete_service(cluster=SITE, service=SQUATTER, force=True)
        ecs.deregister_task_definition(taskDefinition=registered["taskDefinitionArn"])
        empty = {"cluster": SITE, "serviceName": SQUATTER}
        until(lambda: not ecs.list_tasks(**empty)["taskArns"], "the other service is gone", 60)

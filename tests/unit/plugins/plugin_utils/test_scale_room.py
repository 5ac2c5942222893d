"""How many more tasks the hosts hold, with the numbers that say so."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.ecs_placement import Needs
from plugins.plugin_utils.scale_room import coming, counted, room


def host(name: str, memory: int, cpu: int = 1024, *, agent: bool = True, of: int = 950) -> dict[str, Any]:
    """A container instance that has so much left."""

    def amounts(memory: int, cpu: int) -> list[dict[str, Any]]:
        return [{"name": "MEMORY", "integerValue": memory}, {"name": "CPU", "integerValue": cpu}]

    return {
        "ec2InstanceId": name, "status": "ACTIVE", "agentConnected": agent, "attributes": [],
        "capacityProviderName": "hosts",
        "registeredResources": amounts(of, 1024), "remainingResources": amounts(memory, cpu),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("needs", "hosts", "more", "tasks"),
    [
        (Needs(320, 0), [host("i-1", 639)], 0, 1),
        (Needs(320, 0), [host("i-1", 640)], 0, 2),
        (Needs(320, 0), [host("i-1", 319), host("i-2", 319)], 0, 0),
        (Needs(320, 0), [host("i-1", 640), host("i-2", 320)], 0, 3),
        (Needs(320, 512), [host("i-1", 950, 600)], 0, 1),
        (Needs(320, 0), [host("i-1", 640, agent=False)], 0, 0),
        (Needs(320, 0, frozenset({"driver"})), [host("i-1", 640)], 0, 0),
        (Needs(320, 0), [host("i-1", 0)], 2, 4),
        (Needs(320, 0), [], 2, 0),
    ],
)
def test_each_host_is_counted_for_itself(needs: Needs, hosts: list[dict[str, Any]], more: int, tasks: int) -> None:
    assert counted(needs, hosts, more).tasks == tasks


def test_the_numbers_are_told() -> None:
    found = counted(Needs(320, 0), [host("i-1", 310), host("i-2", 400)], 1).arithmetic
    assert found == (
        "a task takes 320 MiB; i-2 registered 950 MiB and has 400 MiB left; "
        "i-1 registered 950 MiB and has 310 MiB left; 1 more may come, with room for 2 each"
    )
    assert "i-1 registered 950 MiB and 1024 CPU units" in counted(Needs(320, 64), [host("i-1", 310)], 0).arithmetic
    assert counted(Needs(1, 0), [], 0).arithmetic == "a task takes 1 MiB; no host takes tasks now"


@pytest.mark.parametrize(("managed", "tasks"), [("ENABLED", 5), ("DISABLED", 1)])
def test_hosts_come_only_where_the_group_adds_them(managed: str, tasks: int) -> None:
    group = {"autoScalingGroupArn": "arn:x:autoScalingGroupName/asg", "managedScaling": {"status": managed}}

    class Fake:
        def describe_task_definition(self, taskDefinition: str) -> Any:
            assert taskDefinition == "web:1"
            return {"taskDefinition": {"containerDefinitions": [{"memory": 320}]}}

        def describe_capacity_providers(self, capacityProviders: list[str]) -> Any:
            assert capacityProviders == ["hosts"]
            return {"capacityProviders": [{"autoScalingGroupProvider": group}]}

        def describe_auto_scaling_groups(self, AutoScalingGroupNames: list[str]) -> Any:
            assert AutoScalingGroupNames == ["asg"]
            return {"AutoScalingGroups": [{"MaxSize": 3, "DesiredCapacity": 1}]}

        def get_paginator(self, _name: str) -> Any:
            return self

        def paginate(self, **_given: Any) -> Any:
            return [{"containerInstanceArns": ["a", "b"]}]

        def describe_container_instances(self, **_given: Any) -> Any:
            return {"containerInstances": [host("i-1", 320), {**host("i-2", 950), "capacityProviderName": "others"}]}

    service = {"taskDefinition": "web:1", "capacityProviderStrategy": [{"capacityProvider": "hosts"}]}
    assert room(lambda _: Fake(), "shop-prod", service).tasks == tasks
    there = [{"capacityProviderName": "hosts"}]
    assert coming(lambda _: Fake(), there) == (2 if managed == "ENABLED" else 0)
    assert coming(lambda _: Fake(), there * 4) == 0
    assert coming(lambda _: Fake(), [{}]) == 0, "of no provider"

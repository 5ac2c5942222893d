"""Draining a host and letting it take tasks again, against the embedded ECS and its scheduler."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.ecs.errors import EcsError
from local_aws.tests.ecs_support import World
from plugins.action import ecs_container_instance
from plugins.plugin_utils import aws_action
from tests.unit.plugin_support import run_action


class Client:
    """boto3's ECS client, in front of a `World`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.calls: list[str] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        action = "".join(word.capitalize() for word in operation.split("_"))

        def call(**arguments: Any) -> Any:
            self.calls.append(operation)
            try:
                return self._world.call(action, **arguments)
            except EcsError as error:
                raise ClientError({"Error": {"Code": error.kind, "Message": str(error)}}, action) from error

        return call

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **arguments: [getattr(self, operation)(**arguments)])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty cluster; waiting lets its time pass."""
    made = World()

    def sleep(seconds: float) -> None:
        made.tick(2, seconds / 2)

    def wait(seconds: float, say: Any, name: str) -> aws_action.Wait:
        return aws_action.Wait(seconds, say, name, lambda: made.now, sleep)

    monkeypatch.setattr(ecs_container_instance, "Wait", wait)
    return made


def turn(world: World, state: str, check: bool = False, host: str = "i-1", **more: Any) -> tuple[dict[str, Any], str]:
    """Set a host to a state; the result, and what was shown."""
    shown: list[str] = []
    result = run_action(
        ecs_container_instance,
        {"cluster": "demo", "instance_id": host, "state": state, "timeout": 120, **more},
        check,
        client=lambda _service, _region=None: Client(world),
        say=lambda name, text, _color=None: shown.append(f"{name}: {text}"),
    )
    return result, "\n".join(shown)


def status(world: World, host: str = "i-1") -> str:
    return next(each.status for each in world.region.instances.values() if each.ec2_id == host)


def where(world: World) -> list[str]:
    """The hosts of the running tasks."""
    return sorted(world.region.instances[task.instance].ec2_id for task in world.tasks())


def served(world: World, *hosts: str, desired: int = 1, memory: int = 1000, **configuration: int) -> None:
    """Hosts, and a service that runs on them."""
    for host in hosts:
        world.agent(host, memory)
    more = {"deploymentConfiguration": configuration} if configuration else {}
    world.create(world.define(), desired, **more)
    world.tick(12)


def test_tasks_move_before_the_host_is_drained_and_it_comes_back(world: World) -> None:
    served(world, "i-1", "i-2", desired=2)
    assert where(world) == ["i-1", "i-2"]
    result, shown = turn(world, "DRAINING")
    assert not result.get("failed"), result
    assert (result["changed"], result["before"], result["stopped"]) == (True, "ACTIVE", [])
    assert where(world) == ["i-2", "i-2"]
    assert "i-1: still runs task" in shown
    assert "i-1: drained" in shown
    again, quiet = turn(world, "DRAINING")
    assert (again["changed"], again["before"], quiet) == (False, "DRAINING", "")
    back, _ = turn(world, "ACTIVE")
    assert (back["changed"], back["before"], status(world)) == (True, "DRAINING", "ACTIVE")
    assert not turn(world, "ACTIVE")[0]["changed"]


@pytest.mark.parametrize("beside", [[], ["i-0"]], ids=["the only host", "one that is full"])
def test_where_hosts_come_for_tasks_the_drain_waits_for_one(
    world: World, monkeypatch: pytest.MonkeyPatch, beside: list[str]
) -> None:
    """The replacement of its task has no place, and waits for a host that comes."""
    group = "arn:aws:autoscaling:us-east-1:1:autoScalingGroup:u:autoScalingGroupName/asg"
    strategy = [{"capacityProvider": "hosts", "weight": 1}]
    world.call(
        "CreateCapacityProvider", name="hosts",
        autoScalingGroupProvider={"autoScalingGroupArn": group, "managedScaling": {"status": "ENABLED"}},
    )  # fmt: skip
    world.call(
        "PutClusterCapacityProviders", cluster="demo", capacityProviders=["hosts"],
        defaultCapacityProviderStrategy=strategy,
    )  # fmt: skip
    world.elsewhere.groups |= dict.fromkeys(["i-1", "i-2", *beside], "asg")
    world.agent("i-1")
    for name in beside:
        world.agent(name, 100)
    world.create(world.define(), launchType="", capacityProviderStrategy=strategy)
    world.tick(12)
    tick, more = world.tick, 1

    def joining(rounds: int = 6, seconds: float = 0.5) -> None:
        nonlocal more
        tick(rounds, seconds)
        if more and any(task.provisioning for task in world.tasks()):
            world.agent("i-2")
            more = 0

    monkeypatch.setattr(ecs_container_instance, "coming", lambda _client, _hosts: more)
    monkeypatch.setattr(world, "tick", joining)
    result, shown = turn(world, "DRAINING")
    assert not result.get("failed"), result
    assert "i-1: drained" in shown
    assert where(world) == ["i-2"]
    refused, _ = turn(world, "DRAINING", host="i-2")
    assert f"no other host {'has room for it' if beside else 'of the cluster takes tasks'}" in refused["msg"]


@pytest.mark.parametrize(
    ("hosts", "memory", "configuration", "why"),
    [
        (["i-1"], 1000, {}, "no other host of the cluster takes tasks"),
        (["i-1", "i-2"], 300, {}, "no other host has room for it"),
        (
            ["i-1", "i-2"],
            1000,
            {"minimumHealthyPercent": 100, "maximumPercent": 100},
            "minimumHealthyPercent and maximumPercent of their service allow neither a stop nor a start",
        ),
    ],
)
def test_what_would_drain_for_ever_is_refused_untouched_or_stopped(
    world: World, hosts: list[str], memory: int, configuration: dict[str, int], why: str
) -> None:
    served(world, *hosts, desired=len(hosts), memory=memory, **configuration)
    before = where(world)
    result, _ = turn(world, "DRAINING")
    assert result["failed"]
    assert result["reason"] == "no place"
    assert "i-1 was not drained: ECS would never stop task" in result["msg"]
    assert f"of web, because {why}." in result["msg"]
    assert (status(world), where(world)) == ("ACTIVE", before)
    planned, _ = turn(world, "DRAINING", check=True)
    assert why in planned["warnings"][0]
    assert (planned["changed"], status(world)) == (True, "ACTIVE")
    stopped, shown = turn(world, "DRAINING", stop_tasks=True)
    assert not stopped.get("failed"), stopped
    assert len(stopped["stopped"]) == 1
    assert f"because {why}" in shown
    assert "i-1" not in where(world)


def test_a_host_takes_tasks_again_once_services_are_whole(world: World) -> None:
    served(world, "i-1")
    turn(world, "DRAINING", stop_tasks=True)
    world.tick()
    assert where(world) == []
    result, shown = turn(world, "ACTIVE")
    assert not result.get("failed"), result
    assert "0 of 1 tasks of web running" in shown
    assert where(world) == ["i-1"]


def test_a_service_that_cannot_come_back_is_told_with_its_events(world: World) -> None:
    served(world, "i-1")
    turn(world, "DRAINING", stop_tasks=True)
    world.region.instances[next(iter(world.region.instances))].total["MEMORY"] = 10
    result, _ = turn(world, "ACTIVE")
    assert "not all tasks are back: 0 of 1 tasks of web running, after 120 s." in result["msg"]
    assert "unable to place a task" in result["msg"]
    assert status(world) == "ACTIVE"


def test_a_service_that_may_lose_its_task_needs_no_place(world: World) -> None:
    served(world, "i-1", minimumHealthyPercent=0, maximumPercent=100)
    result, _ = turn(world, "DRAINING")
    assert not result.get("failed"), result
    assert (result["stopped"], where(world)) == ([], [])


def test_a_drain_that_was_begun_is_gone_on_with_although_the_replacements_hold_the_room(world: World) -> None:
    served(world, "i-1", "i-2", memory=300)
    (host,) = where(world)
    instance = next(each for each in world.region.instances.values() if each.ec2_id == host)
    instance.status = "DRAINING"
    world.scheduler.round()
    assert len(where(world)) == 2
    result, _ = turn(world, "DRAINING", host=host)
    assert not result.get("failed"), result
    assert result["before"] == "DRAINING"
    assert host not in where(world)


def test_a_one_off_task_is_waited_for_and_never_stopped(world: World) -> None:
    agent = world.agent()
    definition = world.define(family="once")
    (task,) = world.call("RunTask", cluster="demo", taskDefinition=definition, launchType="EC2")["tasks"]
    world.tick()
    result, _ = turn(world, "DRAINING", stop_tasks=True)
    assert "still runs task" in result["msg"]
    assert "No service keeps task" in result["msg"]
    assert status(world) == "DRAINING"
    assert task["taskArn"] in agent.running
    agent.end(task["taskArn"], 0)
    assert not turn(world, "DRAINING")[0].get("failed")


def test_an_agent_that_is_gone_is_the_reason_in_both_directions(world: World) -> None:
    served(world, "i-1", "i-2")
    (host,) = where(world)
    instance = next(each for each in world.region.instances.values() if each.ec2_id == host)
    instance.channel = None
    result, _ = turn(world, "DRAINING", host=host)
    assert "Its agent is not connected, so nothing can tell its tasks to stop" in result["msg"]
    back, _ = turn(world, "ACTIVE", host=host)
    assert f"{host}: its agent is not connected, after 120 s." in back["msg"]
    assert "/var/log/ecs/ecs-agent.log" in back["msg"]


def test_a_bare_host_counts_as_drained_and_is_waited_for(world: World) -> None:
    result, _ = turn(world, "DRAINING")
    assert (result["changed"], result["before"], result["arn"]) == (False, "", "")
    assert not turn(world, "ACTIVE", check=True)[0]["changed"]
    missing, _ = turn(world, "ACTIVE")
    assert "i-1: its agent has not registered with the cluster demo, after 120 s." in missing["msg"]
    world.agent()
    assert not turn(world, "ACTIVE")[0].get("failed")


def test_a_cluster_that_is_not_there_has_no_hosts(world: World) -> None:
    assert not turn(world, "DRAINING", cluster="none")[0].get("failed")
    assert "has not registered" in turn(world, "ACTIVE", cluster="none")[0]["msg"]


def test_check_mode_tells_a_host_that_was_left_draining(world: World) -> None:
    served(world, "i-1")
    turn(world, "DRAINING", stop_tasks=True)
    result, _ = turn(world, "ACTIVE", check=True)
    assert (result["changed"], result["before"], status(world)) == (True, "DRAINING", "DRAINING")

"""Room for a new task beside the old ones."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.tests.ecs_support import World
from plugins.plugin_utils.ecs_placement import Needs
from plugins.plugin_utils.verify.finding import OK, WRONG
from plugins.plugin_utils.verify.room import judge, leaving
from tests.unit.plugins.plugin_utils.verify.support import task
from tests.unit.service_support import Clients


def host(memory: int, cpu: int = 1024, **more: Any) -> dict[str, Any]:
    left = [{"name": "MEMORY", "integerValue": memory}, {"name": "CPU", "integerValue": cpu}]
    return {
        "containerInstanceArn": "ci/1", "ec2InstanceId": "i-1", "status": "ACTIVE", "agentConnected": True,
        "registeredResources": [{"name": "MEMORY", "integerValue": 900}], "remainingResources": left, **more,
    }  # fmt: skip


@pytest.mark.parametrize(("memory", "state"), [(100, OK), (99, WRONG)])
def test_it_fits_what_a_host_has_left_or_the_arithmetic_is_told(memory: int, state: str) -> None:
    found = judge(task(), [host(10), host(memory)])
    assert found.state == state
    if state == WRONG:
        assert "a task takes 100 MiB; i-1 registered 900 MiB for tasks and has 99 MiB left" in found.reason


def test_cpu_counts_too() -> None:
    wanted = task(needs=Needs(100, 200))
    assert judge(wanted, [host(500, cpu=200)]).state == OK
    assert judge(wanted, [host(500, cpu=199)]).state == WRONG


def test_hosts_that_take_nothing_now_have_no_room() -> None:
    assert judge(task(), []).state == WRONG
    found = judge(task(), [host(500, status="DRAINING"), host(500, agentConnected=False)])
    assert (found.state, "i-1, i-1" in found.reason) == (WRONG, True)


@pytest.mark.parametrize(
    ("stop_first", "own", "needs", "state"),
    [
        (True, {"ci/1"}, 100, OK),
        (True, {"ci/1"}, 111, WRONG),  # grown by more than is left
        (True, {"ci/2"}, 100, WRONG),
        (False, {"ci/1"}, 100, WRONG),
    ],
)
def test_what_stops_first_takes_the_place_of_the_old(stop_first: bool, own: set[str], needs: int, state: str) -> None:
    wanted = task(stop_first=stop_first, needs=Needs(needs, 0))
    assert judge(wanted, [host(10)], own).state == state


@pytest.mark.parametrize(
    ("coming", "needs", "state"),
    [(0, Needs(100, 0), WRONG), (1, Needs(100, 0), OK), (1, Needs(901, 0), WRONG), (1, Needs(100, 1), WRONG)],
    ids=["nobody comes", "one comes", "too large", "no host has CPU"],
)
def test_a_host_that_comes_has_room(coming: int, needs: Needs, state: str) -> None:
    found = judge(task(needs=needs), [host(10)], coming=coming)
    assert found.state == state
    if state == OK:
        assert found.reason == "100 MiB; no host has them left, and one more host comes if tasks need it"
        assert "2 more hosts come" in judge(task(needs=needs), [host(10)], coming=2).reason


@pytest.mark.parametrize(("host_of", "memory", "state"), [("ci/1", 90, OK), ("ci/1", 89, WRONG), ("ci/2", 90, WRONG)])
def test_what_is_on_its_way_out_makes_room(host_of: str, memory: int, state: str) -> None:
    found = judge(task(), [host(10)], leaving={host_of: Needs(memory, 0)})
    assert found.state == state
    if state == OK:
        assert found.reason == "100 MiB; i-1 has them once tasks that are on their way out have ended"


def test_former_deployments_one_offs_and_what_is_told_to_stop_are_on_their_way_out() -> None:
    world = World()
    world.agent(memory=2000)
    ecs = Clients(world)("ecs")

    def on_their_way_out() -> list[int]:
        services = ecs.describe_services(cluster="demo", services=["web"])["services"]
        return [each.memory for each in leaving(ecs, "demo", services).values()]

    world.create(world.define("web:1"))
    world.tick()
    assert on_their_way_out() == []
    world.call("RunTask", cluster="demo", taskDefinition=world.define(family="job"))
    assert on_their_way_out() == [200]
    world.update(taskDefinition=world.define("web:2"))
    world.tick(1)
    assert len(world.tasks()) == 3, "the old task, the new one beside it, and the job"
    assert on_their_way_out() == [400]
    assert leaving(ecs, "demo", []).popitem()[1].memory == 200, "of a service of somebody else nobody knows"


def test_a_service_without_tasks_needs_no_room() -> None:
    assert judge(task(replicas=0), []).state == OK

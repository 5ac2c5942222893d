"""Starts that start nothing: on an ECS in memory, whose agent does as the real one."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.ecs.state import Json
from local_aws.tests.ecs_support import Agent, World
from plugins.plugin_utils.aws_action import Wait
from plugins.plugin_utils.verify.starts import ENTRY, GOOD, Outcome, Start, Starts, read, request
from plugins.plugin_utils.verify.subjects import Secret, Task
from tests.unit.plugins.plugin_utils.verify.support import ROLES, SECRET, VOLUME, task
from tests.unit.service_support import Clients

NOT_THERE = (
    "CannotStartContainerError: Error response from daemon: failed to create task for container: failed to create shim "
    f'task: OCI runtime create failed: runc create failed: unable to start container process: exec: "{ENTRY}": stat '
    f"{ENTRY}: no such file or directory: unknown"
)


class Host(Agent):
    """An agent that comes to the entry point, which is not there."""

    def _start(self, task: Json) -> None:
        (container,) = task["containers"]
        special = container["image"] in self.fails or container["image"] in self.slow
        if special or container.get("entryPoint") != [ENTRY]:
            super()._start(task)
            return
        stopped = {"containerName": container["name"], "status": "STOPPED", "reason": NOT_THERE}
        self._submit(task, "STOPPED", [stopped], reason="")


class Logs(Clients):
    """Clients that note which streams are deleted."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.deleted: list[dict[str, str]] = []

    def _delete_log_stream(self, **stream: str) -> None:
        self.deleted.append(stream)
        raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DeleteLogStream")


@pytest.fixture
def world() -> World:
    return World()


def begun(world: World, seconds: float = 60) -> tuple[Starts, Logs]:
    clients = Logs(world)

    def wait() -> Wait:
        def say(name: str, text: str, color: str | None = None) -> None: ...

        return Wait(seconds, say, "verify", lambda: world.now, lambda pause: world.tick(2, pause / 2))

    return Starts(clients, "demo", "us-east-1", wait), clients


def plain(**more: Any) -> Task:
    return task(definition={}, volumes={"data": {"name": "data", "host": {}}}, **more)


def left(world: World) -> list[str]:
    found: list[str] = world.call("ListTaskDefinitions", familyPrefix="demo-verify")["taskDefinitionArns"]
    return found


def test_a_start_asks_for_all_that_the_site_has_and_for_an_entry_point_that_is_not_there() -> None:
    start = Start(task(), "reg/shop-app:1", (Secret("KEY", f"{SECRET}:key::"),), ("data",))
    made = request(start, "shop-verify", "us-east-1")
    (container,) = made["containerDefinitions"]
    assert container["entryPoint"] == [ENTRY]
    assert container["secrets"] == [{"name": "KEY", "valueFrom": f"{SECRET}:key::"}]
    assert container["mountPoints"] == [{"sourceVolume": "data", "containerPath": "/berth-verify-0", "readOnly": True}]
    assert container["logConfiguration"]["options"]["awslogs-group"] == "/shop/unit/service/web"
    assert made["volumes"] == [VOLUME]
    assert {name: made[name] for name in ROLES} == ROLES
    assert "command" not in container


def test_what_comes_to_the_entry_point_is_good_and_leaves_nothing(world: World) -> None:
    Host(world, "i-1", 1000)
    starts, clients = begun(world)
    assert starts.outcomes([Start(plain(), "reg/a:1"), Start(plain(), "reg/b:1", (), ("data",))]) == [GOOD, GOOD]
    assert left(world) == []
    assert world.tasks() == []
    assert [each["logGroupName"] for each in clients.deleted] == ["/shop/unit/service/web"] * 2
    assert all(each["logStreamName"].startswith("verify/verify/") for each in clients.deleted)


def test_what_does_not_come_so_far_is_bad_with_the_agents_reason(world: World) -> None:
    host = Host(world, "i-1", 1000)
    host.fails.add("reg/b:1")
    starts, _ = begun(world)
    good, bad = starts.outcomes([Start(plain(), "reg/a:1"), Start(plain(), "reg/b:1")])
    assert (good, bad.state) == (GOOD, "bad")
    assert "CannotPullImageManifestError: Error response from daemon: manifest for reg/b:1 not found" in bad.reason
    assert left(world) == []


def test_one_that_does_not_end_is_stopped_and_says_nothing(world: World) -> None:
    host = Host(world, "i-1", 1000)
    host.slow.add("reg/big:1")
    starts, _ = begun(world, seconds=10)
    (outcome,) = starts.outcomes([Start(plain(), "reg/big:1")])
    assert (outcome.state, "still under way after 10 s" in outcome.reason) == ("unknown", True)
    assert {each.desired for each in world.tasks()} <= {"STOPPED"}


def test_one_that_ecs_does_not_know_has_its_time_from_its_own_start(world: World) -> None:
    """DescribeTasks is eventually consistent; the last of many starts may begin after minutes."""
    starts, _ = begun(world)
    ecs = SimpleNamespace(describe_tasks=lambda **_: {"tasks": []})
    running, seen, found = {"arn:late": 0}, {"arn:late": 80.0}, dict[int, Outcome]()
    starts._look(ecs, running, found, seen, 90)
    assert (running, found) == ({"arn:late": 0}, {})
    starts._look(ecs, running, found, seen, 141)
    assert (running, found) == ({}, {0: Outcome("unknown", "ECS does not know its task")})


def test_no_room_says_nothing_about_the_site(world: World) -> None:
    Host(world, "i-1", 4)
    starts, _ = begun(world)
    (outcome,) = starts.outcomes([Start(plain(), "reg/a:1")])
    assert (outcome.state, "RESOURCE:MEMORY" in outcome.reason) == ("unknown", True)
    assert left(world) == []


def test_what_has_no_room_beside_the_others_comes_after_them(world: World) -> None:
    Host(world, "i-1", 20)  # two starts
    starts, clients = begun(world)
    assert starts.outcomes([Start(plain(), f"reg/{name}:1") for name in "abcde"]) == [GOOD] * 5
    assert clients.calls.count("register_task_definition") == 5
    assert left(world) == []


@pytest.mark.parametrize("operation", ["register_task_definition", "run_task"])
def test_a_right_that_is_missing_says_nothing_about_the_site_either(world: World, operation: str) -> None:
    Host(world, "i-1", 1000)
    starts, clients = begun(world)
    clients.refused.add(operation)
    (outcome,) = starts.outcomes([Start(plain(), "reg/a:1")])
    assert (outcome.state, outcome.reason) == ("unknown", f"{operation}: not authorized")
    clients.refused.clear()
    assert left(world) == []


def test_what_ecs_refuses_is_bad(world: World) -> None:
    Host(world, "i-1", 1000)
    starts, _ = begun(world)
    (outcome,) = starts.outcomes([Start(plain(), "reg/a:1", (Secret("KEY", ""),))])
    assert outcome.state == "bad"


def test_no_start_asks_nothing(world: World) -> None:
    starts, clients = begun(world)
    assert starts.outcomes([]) == []
    assert clients.calls == []


def test_what_a_killed_run_has_left_goes_with_the_next(world: World) -> None:
    Host(world, "i-1", 1000)
    starts, _ = begun(world)
    old = world.call("RegisterTaskDefinition", **request(Start(plain(), "reg/a:1"), "demo-verify", "us-east-1"))
    old["taskDefinition"]["registeredAt"] = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert len(left(world)) == 1
    starts.outcomes([Start(plain(), "reg/a:1")])
    assert left(world) == []


def stopped(reason: str, **more: Any) -> dict[str, Any]:
    return {"stoppedReason": "", "containers": [{"name": "verify", "reason": reason}], **more}


def test_only_the_missing_entry_point_is_good() -> None:
    assert read(stopped(NOT_THERE)) == GOOD
    driver = "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: x"
    assert read(stopped(driver)).state == "bad"
    assert read(stopped("", stoppedReason="secret x: operation error")).reason == "secret x: operation error"
    assert read(stopped("", stoppedReason="Host EC2 (instance i-1) terminated.")).state == "unknown"
    assert read({"stoppedReason": "gone"}).state == "bad"

"""One start is one task, although ECS shows it late and runs are repeated."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.ecs.control_plane import of
from local_aws.ecs.errors import EcsError
from local_aws.tests.ecs_support import World
from local_aws.tests.late_support import LateAws
from local_aws.tests.until import until
from plugins.action import ecs_run_task
from plugins.plugin_utils.aws_action import Wait
from tests.unit.plugin_support import run_action
from tests.unit.plugins.action.test_modules_ecs import ONE_OFF, TASK, Fake, a_task, no_real_waits, one_off, run

__all__ = ["no_real_waits"]  # waits pass in no time here, too, but for those of the embedded ECS

REVISION = "arn:aws:ecs:us-east-1:123456789012:task-definition/legacy-unit:3"
MISSING: dict[str, Any] = {"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]}


# Fakes


def running(**more: Any) -> dict[str, Any]:
    return a_task("RUNNING", taskDefinitionArn=REVISION, desiredStatus="RUNNING", **more)


def described(clients: dict[str, Fake], *answers: dict[str, Any]) -> dict[str, Fake]:
    clients["ecs"].answers["describe_tasks"] = list(answers)
    return clients


def test_a_task_that_ecs_does_not_show_yet_is_waited_for() -> None:
    clients = described(
        one_off(), *[MISSING] * 20, {"tasks": [a_task("RUNNING")]}, MISSING, {"tasks": [a_task("STOPPED", 0)]}
    )
    result, _ = run(ecs_run_task, clients, **ONE_OFF)
    assert not result.get("failed"), result
    assert result["exit_codes"] == {"django": 0}


def test_a_task_that_stays_unknown_is_said_and_not_taken_for_ended() -> None:
    result, _ = run(ecs_run_task, described(one_off(), MISSING), **ONE_OFF)
    assert result["failed"]
    assert "has not known" in result["msg"]
    assert result["task_arn"] == TASK


OVERRIDES = {"django": {"command": ["migrate"], "environment": {"A": "1", "B": "2"}}}
SAME = {
    "containerOverrides": [
        {"name": "nginx"},
        {
            "name": "django",
            "command": ["migrate"],
            "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
        },
    ]
}


def test_what_runs_already_is_joined() -> None:
    clients = described(one_off(), {"tasks": [running(overrides=SAME)]}, {"tasks": [a_task("STOPPED", 0)]})
    clients["ecs"].answers["list_tasks"] = {"taskArns": [TASK]}
    result, shown = run(ecs_run_task, clients, **ONE_OFF, overrides=OVERRIDES, started_by="site")
    assert not result.get("failed"), result
    assert not clients["ecs"].given("run_task")
    assert clients["ecs"].given("list_tasks") == [{"cluster": "legacy-unit", "startedBy": "site"}]
    assert "does this already" in shown
    assert result["task_arn"] == TASK


@pytest.mark.parametrize(
    "other",
    [
        running(overrides=SAME) | {"taskDefinitionArn": REVISION[:-1] + "2"},
        running(overrides=SAME) | {"desiredStatus": "STOPPED"},
        running(overrides={"containerOverrides": [{"name": "django", "command": ["flush"]}]}),
        running(),
    ],
)
def test_another_task_of_the_same_starter_is_not(other: dict[str, Any]) -> None:
    clients = described(one_off(), {"tasks": [other]}, {"tasks": [a_task("STOPPED", 0)]})
    clients["ecs"].answers["list_tasks"] = {"taskArns": [TASK]}
    run(ecs_run_task, clients, **ONE_OFF, overrides=OVERRIDES, started_by="site")
    assert len(clients["ecs"].given("run_task")) == 1


@pytest.mark.parametrize(
    ("name", "refused"), [("a/b_c-1", False), ("a" * 128, False), ("a" * 129, True), ("a b", True)]
)
def test_started_by_is_checked_before_anything_runs(name: str, refused: bool) -> None:
    clients = one_off(a_task("STOPPED", 0))
    result, _ = run(ecs_run_task, clients, **ONE_OFF, started_by=name)
    assert bool(result.get("failed")) == refused
    assert bool(clients["ecs"].given("run_task")) != refused


# The embedded ECS


def test_a_client_token_starts_one_task() -> None:
    world = World()
    world.agent()
    request = {"cluster": "demo", "taskDefinition": world.define(), "clientToken": "t-1"}
    first = world.call("RunTask", **request)
    again = world.call("RunTask", **request)
    assert [task["taskArn"] for task in again["tasks"]] == [task["taskArn"] for task in first["tasks"]]
    with pytest.raises(EcsError, match="already in use"):
        world.call("RunTask", **request | {"startedBy": "other"})
    other = world.call("RunTask", **request | {"clientToken": "t-2"})
    assert other["tasks"][0]["taskArn"] != first["tasks"][0]["taskArn"]


@pytest.fixture
def one_host(aws: Cloud, late_aws: Callable[..., LateAws]) -> tuple[LateAws, str]:
    """A late ECS with one host, and a definition that fits on it; what runs there goes on until `end`."""
    late = late_aws(seed=3, stale=1, stale_seconds=3, faults=0.1, lost=1, lag=0.3, short=1)
    api = of(aws).regional("us-east-1").api
    api.call("CreateCluster", {"clusterName": "legacy-unit"})
    resources = [{"name": name, "type": "INTEGER", "integerValue": 2048} for name in ("CPU", "MEMORY")]
    ports = {"name": "PORTS", "type": "STRINGSET", "stringSetValue": []}
    document = {"instanceId": "i-1", "region": "us-east-1", "availabilityZone": "us-east-1a"}
    capability = {"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}
    host = {
        "cluster": "legacy-unit",
        "instanceIdentityDocument": json.dumps(document),
        "totalResources": [*resources, ports],
        "attributes": [capability],
    }
    api.call("RegisterContainerInstance", host)
    for instance in of(aws).state.region("us-east-1").instances.values():
        instance.channel = Silent()
    container = {"name": "django", "image": "django:1", "memory": 100}
    made = api.call("RegisterTaskDefinition", {"family": "legacy-unit", "containerDefinitions": [container]})
    return late, made["taskDefinition"]["taskDefinitionArn"]


class Silent:
    """An agent's connection that nobody listens at."""

    def send(self, kind: str, message: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


def end(aws: Cloud, arn: str) -> None:
    """The agent says that the task ended well."""
    of(aws).regional("us-east-1").api.call(
        "SubmitTaskStateChange",
        {
            "cluster": "legacy-unit",
            "task": arn,
            "status": "STOPPED",
            "containers": [{"containerName": "django", "status": "STOPPED", "exitCode": 0}],
        },
    )


def test_two_runs_of_one_job_are_one_task_in_a_late_ecs(
    aws: Cloud, one_host: tuple[LateAws, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    late, definition = one_host
    monkeypatch.setattr(ecs_run_task, "Wait", Wait)
    results: list[dict[str, Any]] = []

    def migrate() -> None:
        arguments = {"cluster": "legacy-unit", "task_definition": definition, "started_by": "site", "timeout": 60}
        clients = {name: late.client(name, attempts=5) for name in ("ecs", "logs")}
        results.append(run_action(ecs_run_task, arguments, client=lambda service, _region=None: clients[service]))

    def tasks() -> list[str]:
        found = of(aws).regional("us-east-1").api.call("ListTasks", {"cluster": "legacy-unit"})
        return list(found["taskArns"])

    runs = [threading.Thread(target=migrate) for _ in range(2)]
    runs[0].start()
    until(tasks, "a task", 20, lambda: str(results))
    time.sleep(4)  # a person who repeats the command is not faster than ECS shows what was started
    runs[1].start()
    time.sleep(4)
    (task,) = tasks()
    end(aws, task)
    for each in runs:
        each.join(30)
    assert [result.get("failed") for result in results] == [None, None], results
    assert {result["task_arn"] for result in results} == {task}

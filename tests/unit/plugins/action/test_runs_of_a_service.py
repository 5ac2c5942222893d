"""The definition for a command beside a service, the revision of a release, and a task that is stopped by hand."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail

from local_aws.tests.clock import Clock
from local_aws.tests.ecs_support import World
from plugins.action import ecs_container_alone, ecs_run_task, ecs_task_revision, ecs_task_stop
from plugins.plugin_utils import aws_action
from plugins.plugin_utils.revisions import MOST
from tests.unit.fake_cloudformation import error
from tests.unit.plugin_support import run_action
from tests.unit.plugins.action.test_modules_ecs import ONE_OFF, TASK, Fake, a_task, no_real_waits, one_off, run

__all__ = ["no_real_waits"]  # waits pass in no time here, too


class Ecs:
    """boto3's client of an ECS in memory."""

    def __init__(self, world: World) -> None:
        self.world, self.called = world, list[str]()

    def __getattr__(self, operation: str) -> Any:
        name = "".join(word.capitalize() for word in operation.split("_"))

        def call(**arguments: Any) -> Any:
            self.called.append(name)
            return self.world.call(name, **arguments)

        return call

    def get_paginator(self, operation: str) -> Any:
        class Pages:
            paginate = staticmethod(lambda **arguments: [getattr(self, operation)(**arguments)])

        return Pages


def act(plugin: Any, ecs: Any, check: bool = False, **arguments: Any) -> tuple[dict[str, Any], str]:
    return run(plugin, {"ecs": ecs}, check, **arguments)


@pytest.fixture
def ecs() -> Ecs:
    return Ecs(World())


def define(ecs: Ecs, family: str, release: str, **more: Any) -> str:
    """Register a revision of one container, and say its ARN."""
    labels = {"berth.image": "shop/web", "berth.release": release}
    container = {"name": "app", "image": f"registry/web:{release}", "memory": 100, "dockerLabels": labels, **more}
    made = ecs.world.call("RegisterTaskDefinition", family=family, containerDefinitions=[container])
    return str(made["taskDefinition"]["taskDefinitionArn"])


# The revision of a release


def test_the_newest_revision_of_a_release_is_found(ecs: Ecs) -> None:
    define(ecs, "shop-web", "1")
    second, again = define(ecs, "shop-web", "2"), define(ecs, "shop-web", "2", memory=120)
    define(ecs, "shop-web", "3")
    define(ecs, "shop-web-2", "2")
    found, _ = act(ecs_task_revision, ecs, family="shop-web", release="2")
    assert found["task_definition"] == again != second
    assert found["release"] == "2"
    assert not found["changed"]


def test_a_release_that_no_revision_carries_is_refused_with_the_nearest(ecs: Ecs) -> None:
    for release in ("2026.11.1", "2026.11.2", "spring"):
        define(ecs, "shop-web", release)
    found, _ = act(ecs_task_revision, ecs, family="shop-web", release="sprnig")
    assert found["msg"] == (
        "No revision of shop-web is of the release sprnig (spring, 2026.11.2, 2026.11.1). Type for example: "
        "-e release=spring"
    )
    ecs.world.call(
        "RegisterTaskDefinition", family="bare", containerDefinitions=[{"name": "a", "image": "a", "memory": 9}]
    )
    found, _ = act(ecs_task_revision, ecs, family="bare", release="1")
    assert found["msg"] == "No revision of bare is of the release 1 (none of its revisions says one)."


def test_a_revision_that_was_given_up_is_none(ecs: Ecs) -> None:
    gone = define(ecs, "shop-web", "1")
    define(ecs, "shop-web", "2")
    ecs.world.call("DeregisterTaskDefinition", taskDefinition=gone)
    found, _ = act(ecs_task_revision, ecs, family="shop-web", release="1")
    assert found["failed"]


def test_a_family_without_a_revision_says_what_to_type(ecs: Ecs) -> None:
    found, _ = act(ecs_task_revision, ecs, family="shop-web", release="1")
    assert found["msg"].startswith("There is no task definition shop-web yet. Type: ansible-playbook")


def test_what_runs_the_live_images_is_found_before_what_is_newer(ecs: Ecs) -> None:
    live = define(ecs, "shop-job", "1")
    newest = define(ecs, "shop-job", "2")
    found, shown = act(ecs_task_revision, ecs, family="shop-job", images={"shop/web": "registry/web:1"})
    assert (found["task_definition"], shown) == (live, "")
    found, shown = act(ecs_task_revision, ecs, family="shop-job", images={"shop/web": "registry/web:9"})
    assert found["task_definition"] == newest
    assert "no revision runs the images that are live" in shown
    found, shown = act(ecs_task_revision, ecs, family="shop-job", images={"shop/other": "registry/other:1"})
    assert (found["task_definition"], shown) == (newest, "")


def test_not_all_revisions_of_years_are_looked_at(ecs: Ecs) -> None:
    for number in range(MOST + 5):
        define(ecs, "shop-web", str(number))
    found, _ = act(ecs_task_revision, ecs, family="shop-web", release="0")
    assert found["failed"]
    assert ecs.called.count("DescribeTaskDefinition") == MOST


# One container of a service


ALONE: dict[str, Any] = {"container": "app", "family": "shop-run-web"}


def test_it_is_registered_once_for_a_revision_of_the_service(ecs: Ecs) -> None:
    service = define(ecs, "shop-web", "1", memory=64)
    first, _ = act(ecs_container_alone, ecs, task_definition=service, **ALONE, tags={"Site": "shop"})
    again, _ = act(ecs_container_alone, ecs, task_definition=service, **ALONE)
    assert first["changed"]
    assert not again["changed"]
    assert first["task_definition"] == again["task_definition"]
    assert first["task_definition"].endswith("task-definition/shop-run-web:1")
    assert (first["containers"], first["memory"]) == (["app"], 64)
    made = ecs.world.call("DescribeTaskDefinition", taskDefinition=first["task_definition"], include=["TAGS"])
    assert made["tags"] == [{"key": "Site", "value": "shop"}]
    newer, _ = act(ecs_container_alone, ecs, task_definition=define(ecs, "shop-web", "2"), **ALONE)
    assert newer["task_definition"].endswith(":2")


def test_a_check_run_registers_nothing(ecs: Ecs) -> None:
    service = define(ecs, "shop-web", "1")
    found, _ = act(ecs_container_alone, ecs, True, task_definition=service, **ALONE)
    assert (found["changed"], found["task_definition"]) == (True, service)
    assert "RegisterTaskDefinition" not in ecs.called


def test_a_container_that_the_revision_has_not_is_refused(ecs: Ecs) -> None:
    service = define(ecs, "shop-web", "1")
    found, _ = act(ecs_container_alone, ecs, task_definition=service, container="ap", family="x")
    assert found["msg"] == "shop-web:1 has no container ap (app). Type: -e container=app"


def test_a_secret_is_not_given_otherwise_and_what_looks_like_one_is_warned_of(ecs: Ecs) -> None:
    secret = {"name": "DB_PASSWORD", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:db"}
    request = {"name": "app", "image": "a", "memory": 64, "secrets": [secret]}
    made = ecs.world.call(
        "RegisterTaskDefinition", family="shop-web", containerDefinitions=[request],
        executionRoleArn="arn:aws:iam::123456789012:role/start",
    )  # fmt: skip
    service = made["taskDefinition"]["taskDefinitionArn"]
    found, _ = act(ecs_container_alone, ecs, task_definition=service, **ALONE, environment=["DB_PASSWORD", "LEVEL"])
    assert found["msg"] == "DB_PASSWORD of app is a secret already: leave it out of env."
    found, shown = act(ecs_container_alone, ecs, task_definition=service, **ALONE, environment=["LEVEL", "KEYBOARD"])
    assert (found.get("failed"), shown) == (None, "")
    for name in ("API_TOKEN", "smtp_password", "APIKEY"):
        found, shown = act(ecs_container_alone, ecs, task_definition=service, **ALONE, environment=[name])
        assert not found.get("failed")
        assert f"{name} looks like a secret" in shown


# The task of a command


NEW = datetime.datetime(2026, 11, 27, 9, 0, 5, tzinfo=datetime.UTC)
REVISION = "arn:aws:ecs:us-east-1:123456789012:task-definition/legacy-unit"
OTHER = "arn:aws:ecs:us-east-1:123456789012:task/legacy-unit/def"


def at_work(arn: str = OTHER, **more: Any) -> dict[str, Any]:
    made = {"taskArn": arn, "taskDefinitionArn": f"{REVISION}:2", "createdAt": NEW, "desiredStatus": "RUNNING"}
    return a_task("RUNNING", startedBy="site") | made | more


def family_has(*others: dict[str, Any], after: tuple[dict[str, Any], ...] | None = None) -> dict[str, Fake]:
    """ECS with these tasks in the family, and those of `after` once a task was started."""
    clients = one_off()
    ecs = clients["ecs"]
    ecs.answers["describe_task_definition"]["taskDefinition"]["family"] = "legacy-unit"

    def there() -> tuple[dict[str, Any], ...]:
        return others if after is None or not ecs.given("run_task") else after

    def list_tasks(desiredStatus: str = "RUNNING", **_asked: Any) -> dict[str, Any]:  # as ECS calls it
        return {"taskArns": [each["taskArn"] for each in there() if each["desiredStatus"] == desiredStatus]}

    def describe_tasks(tasks: list[str], **_asked: Any) -> dict[str, Any]:
        ended = a_task("STOPPED", 0)
        return {"tasks": [next((each for each in there() if each["taskArn"] == arn), ended) for arn in tasks]}

    ecs.answers |= {"list_tasks": list_tasks, "describe_tasks": describe_tasks}
    ecs.answers["run_task"] = {"tasks": [a_task("PENDING", createdAt=NEW)], "failures": []}
    return clients


@pytest.mark.parametrize("check", [False, True])
def test_another_task_of_the_family_is_said_and_none_is_started(check: bool) -> None:
    clients = family_has(at_work())
    result, _ = run(ecs_run_task, clients, check, **ONE_OFF, started_by="migrate", alone=True)
    assert result["msg"].startswith(
        "A task of legacy-unit runs already: def started by site since 2026-11-27 09:00:05Z, RUNNING. Two of them"
    )
    assert result["msg"].endswith("-e stop=def")
    assert not clients["ecs"].given("run_task")


def test_one_that_was_told_to_end_and_has_not_counts() -> None:
    result, _ = run(ecs_run_task, family_has(at_work(desiredStatus="STOPPED")), **ONE_OFF, alone=True)
    assert "runs already" in result["msg"]


def test_without_others_or_without_alone_it_runs() -> None:
    for clients, alone in ((family_has(), True), (family_has(at_work()), False)):
        result, _ = run(ecs_run_task, clients, **ONE_OFF, alone=alone)
        assert not result.get("failed"), result
        assert len(clients["ecs"].given("run_task")) == 1


def test_of_two_at_the_same_moment_the_later_ends() -> None:
    earlier = at_work(createdAt=NEW - datetime.timedelta(seconds=1))
    own = at_work(TASK)
    clients = family_has(after=(own, earlier))
    result, _ = run(ecs_run_task, clients, **ONE_OFF, alone=True)
    assert "runs already: def" in result["msg"]
    assert result["changed"]
    assert [each["task"] for each in clients["ecs"].given("stop_task")] == [TASK]
    clients = family_has(after=(own, at_work(createdAt=NEW + datetime.timedelta(seconds=1)), a_task("STOPPED", 0)))
    clients["ecs"].answers["describe_tasks"] = [
        {"tasks": [own, at_work(createdAt=NEW + datetime.timedelta(seconds=1))]},
        {"tasks": [a_task("STOPPED", 0)]},
    ]
    clients["ecs"].answers["list_tasks"] = [
        {"taskArns": []},
        {"taskArns": []},
        {"taskArns": [TASK, OTHER]},
        {"taskArns": []},
    ]
    result, _ = run(ecs_run_task, clients, **ONE_OFF, alone=True)
    assert not result.get("failed"), result
    assert not clients["ecs"].given("stop_task")


def test_an_own_run_that_was_ended_is_joined_unless_that_is_not_wanted() -> None:
    own = at_work(startedBy="run", taskDefinitionArn=f"{REVISION}:3")
    clients = family_has(own)
    clients["ecs"].answers["describe_tasks"] = [{"tasks": [own]}] * 3 + [{"tasks": [a_task("STOPPED", 0)]}]
    result, shown = run(ecs_run_task, clients, **ONE_OFF, started_by="run", alone=True)
    assert not result.get("failed"), result
    assert "def does this already" in shown
    result, _ = run(ecs_run_task, family_has(own), **ONE_OFF, started_by="run", alone=True, join=False)
    assert "runs already: def started by run" in result["msg"]


def test_how_long_it_ran_is_said_by_ecs_s_own_clock() -> None:
    times = {"startedAt": NEW, "stoppedAt": NEW + datetime.timedelta(seconds=83.4)}
    result, shown = run(ecs_run_task, one_off(a_task("STOPPED", 0, **times)), **ONE_OFF)
    assert result["seconds"] == 83
    assert "ended with exit code 0 after 83 s" in shown
    assert "abc started; it goes on if this run is ended, until: ansible-playbook" in shown
    assert result["task_definition"].endswith(":3")


@pytest.mark.parametrize(
    ("ended", "hinted"),
    [
        (a_task("STOPPED", 127), True),
        (a_task("STOPPED", 126), True),
        (a_task("STOPPED", 3), False),
        (
            a_task("STOPPED") | {"containers": [{"name": "app", "reason": 'CannotStartContainerError: exec: "nope": '
             "executable file not found in $PATH"}]},
            True,
        ),
    ],
)  # fmt: skip
def test_a_command_that_the_image_has_not_is_told(ended: dict[str, Any], hinted: bool) -> None:
    result, _ = run(ecs_run_task, one_off(ended), **ONE_OFF)
    assert result["failed"]
    assert ("seems to have no such command" in result["msg"]) == hinted


def test_a_detached_one_is_not_waited_for() -> None:
    clients = one_off(a_task("RUNNING"))
    result, _ = run(ecs_run_task, clients, **ONE_OFF, detach=True)
    assert not result.get("failed"), result
    assert result["task_arn"] == TASK
    assert not clients["ecs"].given("describe_tasks")


# Stopped by hand


@pytest.fixture
def no_wait(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    real = aws_action.Wait
    monkeypatch.setattr(ecs_task_stop, "Wait", lambda seconds, say, name: real(seconds, say, name, clock, clock.sleep))
    return clock


def stop(*states: dict[str, Any], check: bool = False, **answers: Any) -> tuple[dict[str, Any], str, Fake]:
    ecs = Fake(**{"describe_tasks": [{"tasks": [state]} for state in states], **answers})
    result, shown = run(ecs_task_stop, {"ecs": ecs}, check, cluster="legacy-unit", task=TASK)
    return result, shown, ecs


@pytest.mark.usefixtures("no_wait")
def test_a_task_is_stopped_and_its_end_waited_for() -> None:
    result, shown, ecs = stop(
        a_task("RUNNING"), a_task("RUNNING"), a_task("STOPPED", 137, stoppedReason="stopped by hand")
    )
    assert result["changed"]
    assert result["exit_codes"] == {"django": 137}
    assert "abc has ended: stopped by hand (django ended with exit code 137)" in shown
    assert len(ecs.given("stop_task")) == 1


@pytest.mark.usefixtures("no_wait")
def test_a_task_that_does_not_end_is_said() -> None:
    result, _, _ = stop(a_task("RUNNING"))
    assert result["msg"] == "abc was told to end and is still RUNNING after 300 s."


def test_one_that_has_ended_is_left_alone_and_a_check_run_stops_nothing() -> None:
    result, _, ecs = stop(a_task("STOPPED", 0))
    assert (result["changed"], result["exit_codes"]) == (False, {"django": 0})
    assert not ecs.given("stop_task")
    result, shown, ecs = stop(a_task("RUNNING"), check=True)
    assert result["changed"]
    assert "abc would be stopped; it is RUNNING" in shown
    assert not ecs.given("stop_task")


def test_a_service_s_task_is_refused() -> None:
    result, _, ecs = stop(a_task("RUNNING", group="service:web"))
    assert result["msg"].startswith("abc is a task of the service web, which would start another. To replace it: ")
    assert not ecs.given("stop_task")


def test_an_unknown_one_is_refused_with_those_that_run() -> None:
    ecs = Fake(
        list_tasks={"taskArns": [TASK, OTHER]},
        describe_tasks=[{"tasks": []}, {"tasks": [a_task("RUNNING", group="service:web"), at_work(group="family:x")]}],
    )
    result, _ = run(ecs_task_stop, {"ecs": ecs}, cluster="legacy-unit", task="0a1b")
    assert result["msg"] == "There is no one-off task 0a1b in the cluster legacy-unit any more; these run: def."

    def refused(**_asked: Any) -> Any:
        raise error("taskId length should be one of [32,36]", "DescribeTasks", "InvalidParameterException")

    ecs = Fake(describe_tasks=refused, list_tasks={"taskArns": []})
    result, _ = run(ecs_task_stop, {"ecs": ecs}, cluster="legacy-unit", task="x")
    assert result["msg"].endswith("any more; none runs.")


def test_it_is_an_action_of_ansible() -> None:
    """The arguments are those that its documentation has."""
    for plugin in (ecs_task_stop, ecs_task_revision, ecs_container_alone):
        with pytest.raises(AnsibleActionFail, match="missing required arguments"):
            run_action(plugin, {})

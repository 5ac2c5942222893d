"""Services: counts, deployments, targets, tasks that ended, and tasks without a place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.plugins.plugin_utils.status.status_support import (
    BALANCED,
    Account,
    a_host,
    a_service,
    a_task,
    ago,
    said,
    status,
)

NO_PLACE = "(service web-1) was unable to place a task because no container instance met all of its requirements."
SETTLED = "(service web-1) has reached a steady state."


def web(running: int = 1, desired: int = 1, deployment: Any = None, **more: Any) -> Account:
    """The account with another service `web`."""

    def described(services: list[str], **_: Any) -> dict[str, Any]:
        found = [a_service(name, running, desired, **more) if name == "web" else a_service(name) for name in services]
        found[0]["deployments"][0].update(deployment or {})
        return {"services": found}

    return Account(describe_services=described)


def told(*messages: str) -> list[dict[str, Any]]:
    return [{"id": str(n), "message": message, "createdAt": ago(minutes=n)} for n, message in enumerate(messages)]


@pytest.mark.parametrize(
    ("account", "what"),
    [
        (web(0, 1), "0 of 1 task running, 0 starting"),
        (web(1, 2, pendingCount=1), "1 of 2 tasks running, 1 starting"),
        (
            web(deployment={"rolloutState": "FAILED", "rolloutStateReason": "circuit breaker"}),
            "3 failed: circuit breaker",
        ),
    ],
)
def test_a_service_that_does_not_run_as_it_should_is_not_well(account: Account, what: str) -> None:
    model = status(account)
    assert any(what in each for each in said(model)["service.web"]), said(model)
    assert model["wrong"][0]["type"].endswith("-e service=web")


@pytest.mark.parametrize("account", [web(), web(2, 2), web(3, 2), web(0, 0)])
def test_a_service_that_runs_as_often_as_it_should_is_well(account: Account) -> None:
    assert status(account)["well"]


def test_what_runs_is_told() -> None:
    (found, *_) = status(Account())["services"]
    assert (found["release"], found["revision"]) == ("2026.11.3", "shop-prod-service-web:3")
    assert [found[key] for key in ("running", "desired", "pending")] == [1, 1, 0]
    assert found["deployments"][0]["rollout"] == "COMPLETED"
    assert found["targets"][0]["state"] == "healthy"


def test_a_deployment_under_way_is_worth_knowing() -> None:
    model = status(web(deployment={"rolloutState": "IN_PROGRESS", "failedTasks": 2}))
    assert said(model, "notes")["service.web"] == ["is being deployed: 1 of 1 task running, 2 tasks failed"]
    assert model["well"]


# Targets


@pytest.mark.parametrize(
    ("state", "wrong"),
    [
        ("unhealthy", ["its target i-0aaaaaaaaaaaaaaa1:32768 (app:8000) is unhealthy: GET /healthz: codes: [500]"]),
        ("healthy", []),
        ("initial", []),
        ("draining", ["the load balancer has no target for app:8000"]),
    ],
)
def test_targets_are_judged_by_what_the_load_balancer_says(state: str, wrong: list[str]) -> None:
    account = Account()
    target = account.answers["describe_target_health"]["TargetHealthDescriptions"][0]
    target["TargetHealth"] = {"State": state, "Description": "codes: [500]"}
    model = status(account)
    assert said(model).get("service.web", []) == wrong
    assert ("no target of app:8000 is healthy yet" in str(model["notes"])) is (state == "initial")


def test_a_service_that_is_switched_off_needs_no_target() -> None:
    account = web(0, 0, loadBalancers=BALANCED)
    account.answers["describe_target_health"]["TargetHealthDescriptions"] = []
    assert status(account)["well"]


# Tasks that ended


def ended(*tasks: dict[str, Any]) -> Account:
    lines = [{"message": "one\ntwo"}, {"message": "thr\x1b[31mee"}, {"message": "x" * 400}]
    return Account(
        list_tasks=lambda serviceName="", **_: {"taskArns": ["one"] if serviceName == "web-1" else []},
        describe_tasks={"tasks": list(tasks)},
        get_log_events={"events": lines},
    )


def test_the_last_five_that_ended_are_told_with_their_reasons_codes_and_logs() -> None:
    model = status(ended(*(a_task(number) for number in (4, 1, 6, 3, 5, 2))))
    found = model["services"][0]["stopped"]
    assert [each["age_seconds"] // 60 for each in found] == [13, 14, 15, 16, 17]
    assert found[0]["reason"] == "Essential container in task exited (app ended with exit code 3)"
    assert found[0]["containers"] == [
        {"name": "app", "exit_code": 3, "reason": "", "log": ["two", "three", "x" * 300]},
    ]
    assert said(model, "notes")["service.web"] == [
        f"5 tasks ended by themselves, the last 13 minutes ago: {found[0]['reason']}"
    ]
    assert model["well"]


@pytest.mark.parametrize(
    ("task", "failed"),
    [
        (a_task(), True),
        (a_task(code=None, stopCode="TaskFailedToStart", stoppedReason="CannotPullContainerError"), True),
        (a_task(code=0), False),
        (a_task(code=137, stopCode="ServiceSchedulerInitiated"), False),
        (a_task(code=143, stopCode="UserInitiated"), False),
    ],
)
def test_an_end_that_somebody_wanted_is_no_failure(task: dict[str, Any], failed: bool) -> None:
    model = status(ended(task))
    assert model["services"][0]["stopped"][0]["failed"] is failed
    assert ("service.web" in said(model, "notes")) is failed


def test_an_end_of_long_ago_is_told_and_not_called_for() -> None:
    model = status(ended(a_task(stoppedAt=ago(hours=2))))
    assert len(model["services"][0]["stopped"]) == 1
    assert said(model, "notes") == {}


# Tasks without a place


def full(running: int = 0, events: list[dict[str, Any]] | None = None, left: int = 64) -> Account:
    account = web(running, 1, events=told(NO_PLACE) if events is None else events)
    account.answers["describe_container_instances"] = {"containerInstances": [a_host(left=left)]}
    return account


def test_a_task_without_a_place_is_told_with_the_arithmetic() -> None:
    (what,) = said(status(full()))["service.web"]
    assert what.startswith(
        "a task has no place: a task takes 256 MiB; i-0aaaaaaaaaaaaaaa1 registered 704 MiB for tasks and has 64 MiB "
        "left."
    )


@pytest.mark.parametrize("account", [full(1), full(0, told(SETTLED, NO_PLACE)), full(0, [])])
def test_a_place_is_lacking_only_while_a_task_waits_for_one(account: Account) -> None:
    assert status(account)["services"][0]["no_place"] == ""


def test_where_the_numbers_would_do_ecs_has_the_word() -> None:
    found = status(full(left=512))["services"][0]["no_place"]
    assert found.startswith("was unable to place a task because no container instance")

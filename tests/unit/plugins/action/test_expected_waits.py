"""Waits for services, hosts and one-off tasks say how long they will take, and write down how long they took."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import pytest

from plugins.action import ecs_hosts_wait, ecs_run_task, ecs_service_wait
from plugins.plugin_utils import expected
from tests.unit.plugins.action.test_modules_ecs import (
    ONE_OFF,
    REVISION,
    Fake,
    a_service,
    a_task,
    an_instance,
    no_real_waits,
    one_off,
    run,
)

__all__ = ["no_real_waits"]

FAMILY = "legacy-unit"


class Remembered:
    """What the ledger knows of earlier runs, and what is written into it."""

    def __init__(self) -> None:
        self.known: dict[str, float] = {}
        self.asked = 0
        self.written: dict[str, float] = {}

    def learned(self, _client: Any, prefix: str) -> dict[str, float]:
        assert prefix == "legacy-unit"
        self.asked += 1
        return self.known

    def remember(self, _client: Any, prefix: str, durations: Mapping[str, float]) -> None:
        assert prefix == "legacy-unit"
        self.written |= durations


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Remembered:
    made = Remembered()
    monkeypatch.setattr(expected, "learned", made.learned)
    monkeypatch.setattr(expected, "remember", made.remember)
    return made


def deployed(rounds: int, **arguments: Any) -> tuple[dict[str, Any], str]:
    """A service that is through after so many looks."""
    found = [*[a_service(2, "IN_PROGRESS", 0)] * rounds, a_service(2, "COMPLETED")]
    for each in found:
        each["services"][0]["deployments"][0]["id"] = "ecs-svc/1"
    ecs = Fake(
        describe_services=found,
        list_tasks={"taskArns": []},
        describe_task_definition={"taskDefinition": {"containerDefinitions": []}},
    )
    given = {"cluster": "arn:aws:ecs:us-east-1:1:cluster/legacy-unit", "service": "site"} | arguments
    return run(ecs_service_wait, {"ecs": ecs}, **given)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({}, "service"),
        ({"task_definition": REVISION.format(2), "proven": True}, "proof"),
        ({"deployment": "ecs-svc/1"}, "restart"),
    ],
)
def test_a_service_is_waited_for_as_long_as_in_the_runs_before(
    ledger: Remembered, arguments: dict[str, Any], kind: str
) -> None:
    ledger.known = {f"{kind}.{FAMILY}": 131.0, "service.other": 20.0}
    result, shown = deployed(60, **arguments)
    assert not result.get("failed"), result
    assert shown.count("site: takes about 2:10, as in the runs before") == 1
    assert "s of at most" not in shown
    assert "of about 2:10, at most 15:00)" in shown
    assert ledger.asked == 1
    assert list(ledger.written) == [f"{kind}.{FAMILY}"]
    assert ledger.written[f"{kind}.{FAMILY}"] > 60


def test_what_is_there_at_once_is_neither_asked_for_nor_written_down(ledger: Remembered) -> None:
    ledger.known = {f"service.{FAMILY}": 131.0}
    _, shown = deployed(1)
    assert (ledger.asked, ledger.written) == (0, {})
    assert "about" not in shown


def test_where_nobody_knows_only_the_deadline_is_said(ledger: Remembered) -> None:
    _, shown = deployed(60)
    assert ledger.asked == 1
    assert "about" not in shown
    assert " s of at most 900 s)" in shown


def test_what_takes_longer_than_ever_says_so_without_a_promise(ledger: Remembered) -> None:
    ledger.known = {f"service.{FAMILY}": 5.1}
    _, shown = deployed(60)
    assert "takes about" not in shown, "when it was asked for, that time was over"
    assert " of about 0:05, at most 15:00)" in shown


def test_a_failure_is_no_duration(ledger: Remembered) -> None:
    result, _ = deployed(900, timeout=60)
    assert result["failed"]
    assert ledger.written == {}


def test_hosts_are_waited_for_as_long_as_in_the_runs_before(ledger: Remembered) -> None:
    ledger.known = {"hosts": 90.0}
    late = {"containerInstances": [an_instance("i-1", agentConnected=False)]}
    ecs = Fake(
        list_container_instances={"containerInstanceArns": ["arn"]},
        describe_container_instances=[*[late] * 40, {"containerInstances": [an_instance("i-1")]}],
    )
    result, shown = run(ecs_hosts_wait, {"ecs": ecs, "ec2": Fake()}, cluster="legacy-unit", count=1)
    assert not result.get("failed"), result
    assert "hosts: takes about 1:30, as in the runs before" in shown
    assert ledger.written["hosts"] > 60


BEGUN = datetime.datetime(2026, 11, 3, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize("command", [False, True], ids=["as it is", "another command"])
def test_a_task_takes_as_long_as_in_the_runs_before(ledger: Remembered, command: bool) -> None:
    ledger.known = {f"task.{FAMILY}": 240.0}
    ended = a_task("STOPPED", 0, createdAt=BEGUN, stoppedAt=BEGUN + datetime.timedelta(seconds=200))
    clients = one_off(*[a_task("RUNNING")] * 60, ended)
    more: dict[str, Any] = {"overrides": {"django": {"command": ["shell"]}}} if command else {}
    result, shown = run(ecs_run_task, clients, **ONE_OFF, **more)
    assert not result.get("failed"), result
    assert ("task: takes about 4:00, as in the runs before" in shown) is not command
    assert ledger.written == ({} if command else {f"task.{FAMILY}": 200.0}), "one is not like the other"

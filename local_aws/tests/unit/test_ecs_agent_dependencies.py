"""What a container of a task waits for: when it may start, and when it never will."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.agent.ecs_agent import dependencies
from local_aws.agent.ecs_agent.dependencies import DependencyError


def state(status: str, **more: Any) -> Any:
    began = None if status == "PENDING" else 1.0
    return SimpleNamespace(**{"status": status, "started": began, "health": "UNKNOWN", "exit_code": None, **more})


def task(condition: str, before: Any, **definition: Any) -> Any:
    """`web` waits for `before`."""
    definitions: dict[str, dict[str, Any]] = {
        "web": {"image": "web:1", "dependsOn": [{"containerName": "before", "condition": condition}]},
        "before": {"image": "before:1", **definition},
    }
    containers = {"web": state("PENDING"), "before": before}
    return SimpleNamespace(definition=definitions.__getitem__, containers=containers, desired="RUNNING")


@pytest.mark.parametrize(
    ("condition", "before", "starts"),
    [
        ("START", state("PENDING"), False),
        ("START", state("RUNNING"), True),
        ("START", state("STOPPED", exit_code=1), True),
        ("HEALTHY", state("RUNNING"), False),
        ("HEALTHY", state("RUNNING", health="HEALTHY"), True),
        ("HEALTHY", state("STOPPED", health="HEALTHY", exit_code=0), False),
        ("COMPLETE", state("RUNNING", exit_code=0), False),
        ("COMPLETE", state("STOPPED", exit_code=1), True),
        ("SUCCESS", state("RUNNING", exit_code=0), False),
        ("SUCCESS", state("STOPPED", exit_code=0), True),
    ],
)
def test_a_container_starts_when_what_it_waits_for_has_come(condition: str, before: Any, starts: bool) -> None:
    assert dependencies.resolved(task(condition, before), "web") is starts


@pytest.mark.parametrize("code", [1, 137, None])
def test_what_waits_for_success_never_starts_after_another_exit_code(code: int | None) -> None:
    with pytest.raises(DependencyError) as caught:
        dependencies.resolved(task("SUCCESS", state("STOPPED", exit_code=code)), "web")
    ended = "" if code is None else f" - Exit: {code}"
    assert f"[before(before:1) (STOPPED->RUNNING){ended}] for target [web(web:1) (PENDING->RUNNING)] " in str(
        caught.value
    )
    assert str(caught.value).endswith("did not exit successfully.")


@pytest.mark.parametrize("condition", ["START", "HEALTHY", "COMPLETE"])
def test_what_waits_for_a_container_that_could_not_start_never_does(condition: str) -> None:
    with pytest.raises(DependencyError, match="because dependency will never start"):
        dependencies.resolved(task(condition, state("STOPPED", started=None, exit_code=143)), "web")
    assert dependencies.resolved(task(condition, state("PENDING")), "web") is False


@pytest.mark.parametrize(
    ("condition", "before", "seconds", "late"),
    [
        ("HEALTHY", "RUNNING", 31, True),
        ("COMPLETE", "RUNNING", 31, True),
        ("HEALTHY", "RUNNING", 30, False),
        ("START", "RUNNING", 31, False),
        ("COMPLETE", "STOPPED", 31, False),
        ("HEALTHY", "PENDING", None, False),
    ],
)
def test_a_start_timeout_is_how_long_others_wait(
    condition: str, before: str, seconds: float | None, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    started = None if seconds is None else 1000.0 - seconds
    waits = task(condition, state(before, started=started, exit_code=0), startTimeout=30)
    if late:
        with pytest.raises(DependencyError, match=r"dependency \[before\(before:1\).* has timed out\."):
            dependencies.resolved(waits, "web")
    else:
        dependencies.resolved(waits, "web")
    waits.definition("before").pop("startTimeout")
    dependencies.resolved(waits, "web")


def test_dependencies_are_named_or_follow_from_links_and_volumes() -> None:
    definition = {
        "dependsOn": [{"containerName": "a", "condition": "HEALTHY"}],
        "links": ["a", "b:alias"],
        "volumesFrom": [{"sourceContainer": "c"}],
    }
    assert dependencies.of(definition) == [("a", "HEALTHY"), ("b", "START"), ("c", "START")]
    assert dependencies.of({}) == []


def test_all_dependencies_have_to_be_there() -> None:
    both = task("START", state("RUNNING"))
    both.definition("web")["links"] = ["other"]
    both.definition = {
        **{name: both.definition(name) for name in ("web", "before")},
        "other": {"image": "o"},
    }.__getitem__
    for status, starts in (("PENDING", False), ("RUNNING", True)):
        both.containers["other"] = state(status)
        assert dependencies.resolved(both, "web") is starts

"""Autoscaling takes no task away while a run goes on, and does again after it, however that ended."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plugins.action import scale_in
from plugins.plugin_utils import scaling
from tests.unit.noun_support import TASKS, Deployed, made
from tests.unit.plugin_support import run_action
from tests.unit.plugins.action.test_noun_service_stacks import TASK, site

__all__ = ["site"]  # the fixture
ENTRIES: dict[str, Any] = {
    "service": {
        "web": TASK,
        "api": {**TASK, "scale": {"min": 1, "max": 3, "cpu": 60}},
        "mail": {**TASK, "scale": {"min": 1, "max": 3, "cpu": 60}},
    }
}


@pytest.fixture(scope="module")
def layers() -> dict[str, dict[str, Any]]:
    return made(ENTRIES, TASKS)


@pytest.fixture
def up(site: Deployed, layers: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Deployed:
    for name, layer in layers.items():
        site.create(name, layer)
    monkeypatch.setenv("BERTH_RUN", "r1")
    return site


def asked(state: str, check: bool = False, cluster: str = "shop-unit") -> tuple[list[str], list[str]]:
    """The services of which something was changed, as the inventory calls them, and what was shown."""
    shown: list[str] = []
    say = lambda _name, text, _color=None: shown.append(text)  # noqa: E731 (what replaces a method)
    result = run_action(scale_in, {"cluster": cluster, "state": state}, check, say=say)
    assert not result["changed"], result
    return sorted(name for name in ENTRIES["service"] for each in result["services"] if f"-{name}-" in each), shown


def found(up: Deployed) -> dict[str, scaling.Target]:
    """Service of the inventory → its autoscaling."""
    told = list(scaling.Scaling(up.aws.client, "shop-unit").targets())
    return {name: each for name in ENTRIES["service"] for each in told if f"-{name}-" in each.service}


def state(up: Deployed) -> dict[str, tuple[bool, str | None]]:
    """Whether it scales in, and the run that holds it."""
    return {name: (each.scales_in, each.held) for name, each in found(up).items()}


FREE = {"api": (True, None), "mail": (True, None)}


def test_it_is_held_and_let_go(up: Deployed) -> None:
    assert state(up) == FREE
    names, (said,) = asked("held")
    assert names == ["api", "mail"], "the others do not scale"
    assert said.startswith("takes no task away until this is through: ")
    assert state(up) == {"api": (False, "r1"), "mail": (False, "r1")}
    assert asked("held") == ([], [])
    for each in found(up).values():
        assert each.suspended == dict(zip(scaling.STATES, (True, False, False), strict=True)), "it scales out"
    names, (said,) = asked("resumed")
    assert names == ["api", "mail"]
    assert said.startswith("takes tasks away again: ")
    assert state(up) == FREE
    assert asked("resumed") == ([], [])


def test_a_check_run_says_and_changes_nothing(up: Deployed) -> None:
    names, (said,) = asked("held", check=True)
    assert (names, said.startswith("would take no task away")) == (["api", "mail"], True)
    assert state(up) == FREE
    asked("held")
    assert asked("resumed", check=True)[0] == ["api", "mail"]
    assert state(up)["api"] == (False, "r1")


def test_what_a_killed_run_has_held_is_let_go_by_the_next(up: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    asked("held")
    monkeypatch.setenv("BERTH_RUN", "r2")
    assert asked("held") == ([], []), "it is held already"
    assert asked("resumed")[0] == ["api", "mail"]
    assert state(up) == FREE


@pytest.mark.parametrize("call", ["tag_resource", "register_scalable_target", "untag_resource"])
def test_a_run_that_is_killed_between_two_calls_leaves_nothing_for_ever(
    up: Deployed, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    client = up.aws.client("application-autoscaling")

    def killed(**_: Any) -> None:
        raise KeyboardInterrupt

    held = scaling.Scaling(lambda _: client, "shop-unit")
    if call == "untag_resource":
        held.hold(found(up)["api"], "r1")
    api = found(up)["api"]
    with monkeypatch.context() as patched:
        patched.setattr(client, call, killed)
        with pytest.raises(KeyboardInterrupt):
            held.let_go(api) if call == "untag_resource" else held.hold(api, "r1")
    asked("resumed")
    assert state(up) == FREE


def test_what_somebody_else_has_suspended_stays_so(up: Deployed) -> None:
    client = up.aws.client("application-autoscaling")
    api = found(up)["api"]
    client.register_scalable_target(
        ServiceNamespace="ecs", ScalableDimension=scaling.DIMENSION, ResourceId=api.resource,
        SuspendedState={"DynamicScalingInSuspended": True, "ScheduledScalingSuspended": True},
    )  # fmt: skip
    assert asked("held")[0] == ["mail"]
    assert asked("resumed")[0] == ["mail"]
    assert found(up)["api"].suspended == dict(zip(scaling.STATES, (True, False, True), strict=True))


def test_what_was_suspended_beside_it_stays_so(up: Deployed) -> None:
    client = up.aws.client("application-autoscaling")
    client.register_scalable_target(
        ServiceNamespace="ecs", ScalableDimension=scaling.DIMENSION, ResourceId=found(up)["api"].resource,
        SuspendedState={"ScheduledScalingSuspended": True},
    )  # fmt: skip
    asked("held")
    assert found(up)["api"].suspended == dict(zip(scaling.STATES, (True, False, True), strict=True))
    asked("resumed")
    assert found(up)["api"].suspended == dict(zip(scaling.STATES, (False, False, True), strict=True))


@pytest.mark.parametrize("operation", ["describe_scalable_targets", "tag_resource"])
@pytest.mark.parametrize("refused", [True, False], ids=["no right", "another reason"])
def test_who_has_no_right_to_hold_it_releases_all_the_same(
    up: Deployed, monkeypatch: pytest.MonkeyPatch, operation: str, refused: bool
) -> None:
    client = up.aws.client("application-autoscaling")

    def denied(**_: Any) -> None:
        code = "AccessDeniedException" if refused else "InternalServiceException"
        raise ClientError({"Error": {"Code": code, "Message": "not today"}}, "TagResource")

    monkeypatch.setattr(client, operation, denied)
    if operation.startswith("describe"):
        monkeypatch.setattr(client, "get_paginator", lambda _: SimpleNamespace(paginate=denied))
    shown: list[str] = []
    say = lambda _name, text, _color=None: shown.append(text)  # noqa: E731 (what replaces a method)
    given = {"cluster": "shop-unit", "state": "held"}
    result = run_action(scale_in, given, say=say, client=lambda _name, _region=None: client)
    assert bool(result.get("failed")) is not refused
    assert shown == ["is left alone, as who types this has no right to hold it (TagResource: not today)"] * refused


def test_another_site_of_the_account_is_left_alone(up: Deployed) -> None:
    assert asked("held", cluster="shop") == ([], [])
    assert asked("held", cluster="shop-unit-2") == ([], [])
    assert state(up) == FREE


def test_a_deployment_with_other_limits_lets_go_of_nothing(up: Deployed, layers: dict[str, dict[str, Any]]) -> None:
    asked("held")
    layer = layers["service.api"]
    up.create("service.api", {**layer, "parameters": {**layer["parameters"], "ServiceScaleMaximum": 4}})
    assert state(up)["api"] == (False, "r1")
    asked("resumed")
    assert state(up) == FREE

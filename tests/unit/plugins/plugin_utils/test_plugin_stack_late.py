"""Answers of AWS that are late: an operation is over when an event of its own says so, and never before."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.aws_action import POLL_SECONDS, POLL_VARIABLE, Failed, Wait
from plugins.plugin_utils.stack import RACES
from tests.unit.fake_cloudformation import NO_UPDATES, FakeCloudFormation, a_stack, error
from tests.unit.plugins.plugin_utils.test_plugin_stack_states import SCRIPTS


def showing(host: str) -> dict[str, Any]:
    """What DescribeStacks shows besides the state."""
    return {"Outputs": [{"OutputKey": "DatabaseHost", "OutputValue": host}]}


@pytest.mark.parametrize("before", ["UPDATE_COMPLETE", "CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
@pytest.mark.parametrize(("late", "late_events"), [(1, 0), (4, 0), (0, 4), (5, 3)])
@pytest.mark.parametrize("shuffled", [False, True])
def test_an_update_is_not_over_because_the_one_before_was(
    before: str, late: int, late_events: int, shuffled: bool
) -> None:
    client = FakeCloudFormation(
        [before],
        SCRIPTS,
        emits={
            "update_stack": [("UPDATE_IN_PROGRESS", f"R{number}", "AWS::Logs::LogGroup", "") for number in range(5)]
        },
        becomes={"update_stack": showing("new")},
        description=showing("old"),
        late=late,
        late_events=late_events,
        shuffled=shuffled,
    )
    client.own_event("UPDATE_IN_PROGRESS")
    client.own_event(before)
    client.description |= {"LastUpdatedTime": client.events[1]["Timestamp"]}
    outcome = a_stack(client).deploy({})
    assert outcome.outputs == {"DatabaseHost": "new"}
    assert client.operations == ["update_stack"]


@pytest.mark.parametrize(("late", "late_events"), [(1, 0), (4, 0), (0, 4), (5, 3)])
def test_a_stack_that_is_not_shown_yet_is_waited_for_and_then_updated(late: int, late_events: int) -> None:
    client = FakeCloudFormation([None], SCRIPTS, becomes={"update_stack": showing("new")}, late=late)
    client.late_events = late_events
    outcome = a_stack(client, first={"Size": "0"}).deploy({})
    assert client.operations == ["create_stack", "update_stack"]
    assert outcome.outputs == {"DatabaseHost": "new"}


def test_a_failure_is_not_hidden_by_the_success_of_before() -> None:
    client = FakeCloudFormation(
        ["UPDATE_COMPLETE"],
        {"update_stack": ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]},
        {"update_stack": [("UPDATE_FAILED", "Log", "AWS::Logs::LogGroup", "no such key")]},
        late=3,
    )
    client.own_event("UPDATE_COMPLETE")
    with pytest.raises(Failed, match="no such key"):
        a_stack(client).deploy({})


@pytest.mark.parametrize(
    ("state", "operations"),
    [
        ("UPDATE_ROLLBACK_FAILED", ["continue_update_rollback", "update_stack"]),
        ("UPDATE_FAILED", ["rollback_stack", "update_stack"]),
        ("ROLLBACK_COMPLETE", ["delete_stack", "create_stack"]),
    ],
)
def test_a_recovery_is_not_over_or_failed_by_what_was_before(state: str, operations: list[str]) -> None:
    client = FakeCloudFormation([state], SCRIPTS, late=2, late_events=2)
    client.own_event(state)
    a_stack(client).deploy({})
    assert client.operations == operations


@pytest.mark.parametrize("late_events", [0, 2])
def test_what_others_do_is_over_when_events_and_description_agree(late_events: int) -> None:
    client = FakeCloudFormation(
        ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"], SCRIPTS, refusal=NO_UPDATES
    )
    client.own_event("UPDATE_COMPLETE")  # of the update before
    client.own_event("UPDATE_IN_PROGRESS")
    client.description = {"LastUpdatedTime": client.events[0]["Timestamp"]}
    client._events_before = late_events, client.events[1:]
    lines: list[str] = []
    a_stack(client, lines).deploy({})
    assert client.states == ["UPDATE_COMPLETE"]
    assert not [line for line in lines if "another run" in line]


def test_what_others_have_made_is_described_when_it_is_shown() -> None:
    client = FakeCloudFormation(["UPDATE_COMPLETE"], refusal=NO_UPDATES, description=showing("new"))
    client.own_event("UPDATE_IN_PROGRESS")
    client.description |= {"LastUpdatedTime": client.events[0]["Timestamp"]}
    client.own_event("UPDATE_COMPLETE")
    client._before = 3, ["UPDATE_IN_PROGRESS"], client.description | showing("old")
    assert a_stack(client).deploy({}).outputs == {"DatabaseHost": "new"}


def test_a_deletion_by_others_is_not_over_because_the_update_before_it_is() -> None:
    client = FakeCloudFormation(["DELETE_IN_PROGRESS", "DELETE_IN_PROGRESS", None], SCRIPTS)
    client.own_event("UPDATE_IN_PROGRESS")
    client.description = {"LastUpdatedTime": client.events[0]["Timestamp"]}
    client.own_event("UPDATE_COMPLETE")
    client.own_event("DELETE_IN_PROGRESS")
    a_stack(client).deploy({})
    assert client.operations == ["create_stack"]


def test_a_deletion_that_others_have_begun_already_is_over_when_the_stack_is_gone() -> None:
    """DeleteStack does nothing then, so that no event ever carries its token."""
    client = FakeCloudFormation(["DELETE_IN_PROGRESS", None])
    client._before = 1, ["CREATE_COMPLETE"], {}
    assert a_stack(client, timeout=60.0).delete().changed
    assert client.operations == ["delete_stack"]


def test_a_stack_without_updates_is_described_as_new_as_its_events() -> None:
    """Another run has just updated it: its new outputs count, though DescribeStacks shows the old ones first."""
    client = FakeCloudFormation(["UPDATE_COMPLETE"], refusal=NO_UPDATES, description=showing("old"))
    client.own_event("CREATE_COMPLETE")
    client.description |= {"LastUpdatedTime": client.events[0]["Timestamp"]}
    client._before = 2, ["UPDATE_COMPLETE"], client.description
    client.own_event("UPDATE_IN_PROGRESS")
    client.description = showing("new") | {"LastUpdatedTime": client.events[0]["Timestamp"]}
    client.own_event("UPDATE_COMPLETE")
    outcome = a_stack(client).deploy({})
    assert outcome.outputs == {"DatabaseHost": "new"}
    assert not outcome.changed


def test_a_stack_that_another_run_has_begun_to_update_is_waited_for() -> None:
    client = FakeCloudFormation(["UPDATE_COMPLETE"], refusal=NO_UPDATES, description=showing("old"))
    client.own_event("UPDATE_IN_PROGRESS")
    with pytest.raises(Failed, match="being changed by another run all the time"):
        a_stack(client).deploy({})
    assert client.operations == ["update_stack"] * RACES
    client.own_event("UPDATE_COMPLETE")
    assert a_stack(client).deploy({}).outputs == {"DatabaseHost": "old"}


EXISTS = error("Stack [legacy-test-data] already exists", "CreateStack", "AlreadyExistsException")
GONE = error("Stack [legacy-test-data] does not exist", "UpdateStack")


def test_create_finds_a_stack_that_was_not_shown() -> None:
    client = FakeCloudFormation(["UPDATE_COMPLETE"], SCRIPTS, races={"create_stack": (EXISTS, ["UPDATE_COMPLETE"])})
    client._before = 1, [None], {}
    looked: list[list[str]] = []
    assert a_stack(client).deploy({}, lambda: looked.append(client.operations)).changed
    assert client.operations == ["create_stack", "update_stack"]
    assert looked == [["create_stack"]], "nobody has looked at it before"
    a_stack(client).deploy({}, lambda: looked.append([]))
    assert len(looked) == 1, "one that was shown has been looked at"


def test_one_that_shows_between_the_look_and_the_change_is_looked_at_too() -> None:
    client = FakeCloudFormation(["UPDATE_COMPLETE"], SCRIPTS)
    client._before = 1, [None], {}
    looked: list[list[str]] = []
    stack = a_stack(client)
    stack.read()
    stack.deploy({}, lambda: looked.append(client.operations))
    assert (looked, client.operations) == ([[]], ["update_stack"])


def test_one_that_was_not_shown_is_left_alone_if_it_is_as_it_should_be_or_would_lose_something() -> None:
    for refuse in (False, True):
        given: dict[str, Any] = {} if refuse else {"refusal": NO_UPDATES}
        client = FakeCloudFormation(
            ["UPDATE_COMPLETE"], SCRIPTS, races={"create_stack": (EXISTS, ["UPDATE_COMPLETE"])}, **given
        )
        client._before = 1, [None], {}

        def look(refused: bool = refuse) -> None:
            if refused:
                raise Failed("Nothing was changed")

        stack = a_stack(client)
        if refuse:
            with pytest.raises(Failed, match="Nothing was changed"):
                stack.deploy({}, look)
        else:
            stack.deploy({}, look)
        assert not stack.outcome.changed
        assert client.operations == ["create_stack"] + ["update_stack"] * (not refuse)


def test_update_misses_a_stack_that_was_still_shown() -> None:
    client = FakeCloudFormation([None], SCRIPTS, races={"update_stack": (GONE, [None])})
    client._before = 1, ["UPDATE_COMPLETE"], {}
    a_stack(client).deploy({})
    assert client.operations == ["update_stack", "create_stack"]


def test_each_request_has_a_token_of_its_own() -> None:
    client = FakeCloudFormation(["UPDATE_ROLLBACK_FAILED"], SCRIPTS)
    a_stack(client).deploy({})
    client.states = ["CREATE_COMPLETE"]
    a_stack(client).delete()
    tokens = [arguments["ClientRequestToken"] for _, arguments in client.calls]
    assert client.operations == ["continue_update_rollback", "update_stack", "delete_stack"]
    assert len(set(tokens)) == 3


def test_a_round_is_one_call_and_the_stack_is_described_at_its_ends_only() -> None:
    client = FakeCloudFormation(
        ["UPDATE_COMPLETE"], {"update_stack": [*["UPDATE_IN_PROGRESS"] * 20, "UPDATE_COMPLETE"]}
    )
    a_stack(client).deploy({})
    assert client.read["describe_stack_events"] == 20
    assert client.read["describe_stacks"] == 2


def pauses(monkeypatch: pytest.MonkeyPatch, given: str, beside: int = 1) -> list[float]:
    monkeypatch.setenv(POLL_VARIABLE, given)
    now, slept = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    wait = Wait(300, lambda *_: None, "x", lambda: now[0], sleep, lambda: beside)
    while wait.pause("it"):
        pass
    return slept


def test_the_pauses_of_a_wait_fit_the_rate_of_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = pauses(monkeypatch, "")
    assert slept[0] == POLL_SECONDS
    assert 1 <= POLL_SECONDS <= 2
    assert max(slept) == 5
    assert sum(slept) == pytest.approx(300)
    assert pauses(monkeypatch, "0.1")[0] == 0.1
    with pytest.raises(Failed, match="BERTH_POLL_SECONDS is 'soon'"):
        pauses(monkeypatch, "soon")


@pytest.mark.parametrize(
    ("beside", "first"),
    [(0, POLL_SECONDS), (4, POLL_SECONDS), (12, 4.0), (40, 5.0)],
    ids=["none", "few", "many", "most"],
)
def test_waits_beside_each_other_share_the_rate_of_an_account(
    beside: int, first: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = pauses(monkeypatch, "", beside)
    assert slept[0] == first
    assert max(slept) == 5
    assert pauses(monkeypatch, "0.1", beside)[0] == 0.1, "an AWS whose rate is nobody else's"

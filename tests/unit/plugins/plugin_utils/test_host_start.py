"""Why a group could not launch a host."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

from plugins.plugin_utils.host_start import failed_launches

BEGUN = datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)


def activity(status: str, minutes: int, message: str = "no capacity") -> dict[str, Any]:
    return {
        "StatusCode": status, "StatusMessage": message, "StartTime": BEGUN + datetime.timedelta(minutes=minutes),
    }  # fmt: skip


def told(*activities: dict[str, Any]) -> list[str]:
    answer = {"Activities": list(activities)}
    return failed_launches(SimpleNamespace(describe_scaling_activities=lambda **_: answer), "hosts", BEGUN)


def test_what_failed_since_then_is_told_once() -> None:
    assert told(activity("Failed", 1), activity("Cancelled", 2)) == ["hosts: no capacity"]
    assert told(activity("Failed", 0)) == ["hosts: no capacity"], "at the very moment counts"


def test_what_went_well_and_what_was_before_is_not() -> None:
    assert told(activity("Successful", 1), activity("InProgress", 1), activity("Failed", -1)) == []


def test_without_a_message_the_state_is_told() -> None:
    assert told(activity("Cancelled", 1, "")) == ["hosts: Cancelled"]

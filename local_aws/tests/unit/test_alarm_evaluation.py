"""What state data give an alarm, by the rows of AWS's tables; which data those are; which rules mute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_aws.alarms.evaluation import Rule, judge
from local_aws.alarms.mutes import MuteError, read

NOW = datetime(2026, 11, 27, 12, 0, 30, tzinfo=UTC)
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
MUTE: dict[str, object] = {
    "Name": "shop", "Expression": "at(2026-11-27T12:00)", "Duration": "PT6M", "AlarmNames": ["a"],
}  # fmt: skip


def values(points: str) -> list[float | None]:
    """`0` is well, `X` breaches, `-` is missing; the newest stands last, as in AWS's tables."""
    return [{"0": 0.0, "X": 2.0, "-": None}[each] for each in reversed(points)]


@pytest.mark.parametrize(
    ("points", "of_three", "states"),
    [
        ("0-X-X", 3, "OK OK OK OK"),
        ("0----", 3, "OK OK OK OK"),
        ("-----", 3, "INSUFFICIENT_DATA before ALARM OK"),
        ("0XX-X", 3, "ALARM ALARM ALARM ALARM"),
        ("--X--", 3, "ALARM before ALARM OK"),
        ("0-X-X", 2, "ALARM ALARM ALARM ALARM"),
        ("00X0X", 2, "ALARM ALARM ALARM ALARM"),
        ("----0", 2, "OK before ALARM OK"),
        ("---X-", 2, "ALARM before ALARM OK"),
        ("-----", 2, "INSUFFICIENT_DATA before ALARM OK"),
    ],
)
def test_missing_points_count_as_in_the_tables_of_aws(points: str, of_three: int, states: str) -> None:
    for missing, state in zip(TREATMENTS, states.split(), strict=True):
        rule = Rule("GreaterThanThreshold", 1.0, 3, of_three, missing)
        assert judge(values(points), rule, "before") == state, missing


@pytest.mark.parametrize(
    ("comparison", "ringing"),
    [
        ("GreaterThanThreshold", [2.0]),
        ("GreaterThanOrEqualToThreshold", [1.0, 2.0]),
        ("LessThanThreshold", [0.0]),
        ("LessThanOrEqualToThreshold", [0.0, 1.0]),
    ],
)
def test_a_value_is_compared_as_the_alarm_says(comparison: str, ringing: list[float]) -> None:
    rule = Rule(comparison, 1.0, 1, 1, "missing")
    assert [value for value in (0.0, 1.0, 2.0) if judge([value], rule, "OK") == "ALARM"] == ringing


def test_a_rule_mutes_in_its_window_only() -> None:
    rule = read(MUTE, NOW)
    assert rule.status(NOW) == "ACTIVE", "also where the minute has begun already"
    assert rule.status(NOW - timedelta(minutes=1)) == "SCHEDULED"
    assert [rule.status(NOW + timedelta(minutes=minutes)) for minutes in (5, 6)] == ["ACTIVE", "EXPIRED"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"Expression": "cron(* * * * *)"}, "has no mute rule but at"),
        ({"Duration": "6 minutes"}, "from PT1M to P15D"),
        ({"Duration": "PT0M"}, "from PT1M to P15D"),
        ({"Duration": "P16D"}, "from PT1M to P15D"),
        ({"Timezone": "Europe/Zurich"}, "no Timezone"),
        ({"ExpireDate": NOW}, "no ExpireDate"),
        ({"AlarmNames": [str(number) for number in range(101)]}, "at most 100 alarms"),
    ],
)
def test_a_rule_that_aws_or_this_one_refuses(given: dict[str, Any], said: str) -> None:
    with pytest.raises(MuteError, match=said.replace("(", r"\(")):
        read(MUTE | given, NOW)

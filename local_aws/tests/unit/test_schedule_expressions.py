"""When AWS's schedule expressions are due: its documented examples, its calendar words, and what daylight saving does.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local_aws.schedules.expressions import ExpressionError, parse, time_zone

BEGAN = "2026-01-01T00:00:30"


def times(expression: str, count: int = 3, *, zone: str = "UTC", after: str = BEGAN, began: str = BEGAN) -> list[str]:
    """The next times of an expression, as clocks in `zone` show them."""
    found: list[str] = []
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    where, anchor = time_zone(zone), datetime.fromisoformat(began).replace(tzinfo=UTC)
    while len(found) < count and (due := parse(expression).next(moment, where, anchor)):
        found.append(due.astimezone(where).strftime("%Y-%m-%d %a %H:%M"))
        moment = due
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # The examples of AWS's two pages.
        ("cron(0 10 * * ? *)", ["2026-01-01 Thu 10:00", "2026-01-02 Fri 10:00", "2026-01-03 Sat 10:00"]),
        ("cron(15 12 * * ? *)", ["2026-01-01 Thu 12:15", "2026-01-02 Fri 12:15", "2026-01-03 Sat 12:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-01 Thu 18:00", "2026-01-02 Fri 18:00", "2026-01-05 Mon 18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-01-01 Thu 08:00", "2026-02-01 Sun 08:00", "2026-03-01 Sun 08:00"]),
        ("cron(0/15 * * * ? *)", ["2026-01-01 Thu 00:15", "2026-01-01 Thu 00:30", "2026-01-01 Thu 00:45"]),
        ("cron(0/10 * ? * MON-FRI *)", ["2026-01-01 Thu 00:10", "2026-01-01 Thu 00:20", "2026-01-01 Thu 00:30"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", ["2026-01-01 Thu 08:00", "2026-01-01 Thu 08:05", "2026-01-01 Thu 08:10"]),
        ("cron(0 9 ? * 2#1 *)", ["2026-01-05 Mon 09:00", "2026-02-02 Mon 09:00", "2026-03-02 Mon 09:00"]),
        ("cron(15 10 ? * 6L 2026-2027)", ["2026-01-30 Fri 10:15", "2026-02-27 Fri 10:15", "2026-03-27 Fri 10:15"]),
        ("cron(15 10 ? * 6L 2019-2022)", []),
        # Each of their wildcards.
        ("cron(1/10 * * * ? *)", ["2026-01-01 Thu 00:01", "2026-01-01 Thu 00:11", "2026-01-01 Thu 00:21"]),
        ("cron(5,35 14 * * ? *)", ["2026-01-01 Thu 14:05", "2026-01-01 Thu 14:35", "2026-01-02 Fri 14:05"]),
        ("cron(0 0 1 JAN,FEB,MAR ? *)", ["2026-02-01 Sun 00:00", "2026-03-01 Sun 00:00", "2027-01-01 Fri 00:00"]),
        ("cron(0 10 ? * TUE,sat *)", ["2026-01-03 Sat 10:00", "2026-01-06 Tue 10:00", "2026-01-10 Sat 10:00"]),
        ("cron(0 0 1-15/7 * ? *)", ["2026-01-08 Thu 00:00", "2026-01-15 Thu 00:00", "2026-02-01 Sun 00:00"]),
        ("cron(0 0 L * ? *)", ["2026-01-31 Sat 00:00", "2026-02-28 Sat 00:00", "2026-03-31 Tue 00:00"]),
        ("cron(0 0 L-30 * ? *)", ["2026-03-01 Sun 00:00", "2026-05-01 Fri 00:00", "2026-07-01 Wed 00:00"]),
        ("cron(0 0 ? * L *)", ["2026-01-03 Sat 00:00", "2026-01-10 Sat 00:00", "2026-01-17 Sat 00:00"]),
        ("cron(0 9 3W * ? *)", ["2026-01-02 Fri 09:00", "2026-02-03 Tue 09:00", "2026-03-03 Tue 09:00"]),
        ("cron(0 9 1W 8,11 ? *)", ["2026-08-03 Mon 09:00", "2026-11-02 Mon 09:00", "2027-08-02 Mon 09:00"]),
        ("cron(0 9 31W 1-5 ? *)", ["2026-01-30 Fri 09:00", "2026-03-31 Tue 09:00", "2026-05-29 Fri 09:00"]),
        ("cron(0 9 LW * ? *)", ["2026-01-30 Fri 09:00", "2026-02-27 Fri 09:00", "2026-03-31 Tue 09:00"]),
        ("cron(0 9 ? * FRI#5 *)", ["2026-01-30 Fri 09:00", "2026-05-29 Fri 09:00", "2026-07-31 Fri 09:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 Tue 00:00", "2032-02-29 Sun 00:00", "2036-02-29 Fri 00:00"]),
        ("cron(0 0 30 2 ? *)", []),
        ("rate(5 minutes)", ["2026-01-01 Thu 00:05", "2026-01-01 Thu 00:10", "2026-01-01 Thu 00:15"]),
        ("rate(1 hour)", ["2026-01-01 Thu 01:00", "2026-01-01 Thu 02:00", "2026-01-01 Thu 03:00"]),
        ("rate(7 days)", ["2026-01-08 Thu 00:00", "2026-01-15 Thu 00:00", "2026-01-22 Thu 00:00"]),
        ("at(2026-11-20T13:00:00)", ["2026-11-20 Fri 13:00"]),
        ("at(2025-11-20T13:00:00)", []),
    ],
)
def test_times(expression: str, expected: list[str]) -> None:
    assert times(expression) == expected


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("cron(0 3 * * *)", "it has 5 fields; AWS's have six"),
        ("cron(0 3 * * * *)", "exactly one of day-of-month and day-of-week must be ?"),
        ("cron(0 3 ? * ? *)", "exactly one of day-of-month and day-of-week must be ?"),
        ("cron(0 3 1 * 2 *)", "exactly one of day-of-month and day-of-week must be ?"),
        ("cron(60 3 * * ? *)", "minutes cannot be '60': it is 0 to 59"),
        ("cron(0 24 * * ? *)", "hours cannot be '24'"),
        ("cron(0 3 ? * 0 *)", "day-of-week cannot be '0': it is 1 to 7"),
        ("cron(0 3 ? * 3#1,6#3 *)", "day-of-week cannot be '3#1'"),
        ("cron(0 3 ? * MON#6 *)", "day-of-week cannot be '6': it is 1 to 5"),
        ("cron(0 3 L-31 * ? *)", "day-of-month cannot be 'L-31'"),
        ("cron(0 3 * FOO ? *)", "month cannot be 'FOO'"),
        ("cron(0 3 * * ? 1969)", "year cannot be '1969'"),
        ("cron(0/0 3 * * ? *)", "minutes cannot go in steps of 0"),
        ("cron(30-10 3 * * ? *)", "minutes cannot run from 30 to 10"),
        ("cron(? 3 * * ? *)", "minutes cannot be '?'"),
        ("rate(0 minutes)", "rate(number unit)"),
        ("rate(5 seconds)", "rate(number unit)"),
        ("rate(5)", "rate(number unit)"),
        ("at(2026-02-30T13:00:00)", "day"),
        ("at(2026-11-20 13:00)", "at(yyyy-mm-ddThh:mm:ss)"),
        ("0 3 * * ? *", "it is cron(six fields)"),
        ("cron(0 3 * * ? *) ", "it is cron(six fields)"),
    ],
)
def test_what_aws_refuses(expression: str, why: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(expression)
    text = str(caught.value)
    assert text.startswith(f"Invalid Schedule Expression {expression}."), text
    assert why in text


def test_a_time_that_the_clock_skips_is_skipped() -> None:
    assert times("cron(30 2 * * ? *)", zone="Europe/Zurich", after="2026-03-27T12:00:00") == [
        "2026-03-28 Sat 02:30",
        "2026-03-30 Mon 02:30",  # on the 29th there is no 02:30
        "2026-03-31 Tue 02:30",
    ]
    assert times("at(2026-03-29T02:30:00)", zone="Europe/Zurich") == []


def test_a_time_that_the_clock_shows_twice_comes_once() -> None:
    zone = time_zone("Europe/Zurich")
    due, found = datetime(2026, 10, 24, 23, 0, tzinfo=UTC), []
    for _ in range(5):  # 02:00 to 02:59 of the 25th come twice, at 00:00 and 01:00 UTC
        due = parse("cron(30 * * * ? *)").next(due, zone, due)  # type: ignore[assignment]  # it always comes
        found.append(due.strftime("%d %H:%M"))
    assert found == ["24 23:30", "25 00:30", "25 02:30", "25 03:30", "25 04:30"]
    between = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # the clocks show 02:10 for the second time
    assert parse("cron(30 2 * * ? *)").next(between, zone, between) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_a_zone_s_time_follows_its_clock() -> None:
    found = [
        parse("cron(0 3 * * ? *)").next(
            datetime(2026, month, 1, tzinfo=UTC), time_zone("Europe/Zurich"), datetime.now(UTC)
        )
        for month in (1, 7)
    ]
    assert [due and due.strftime("%H:%M") for due in found] == ["02:00", "01:00"]


def test_a_rate_s_day_has_24_hours_and_begins_at_once() -> None:
    zone, began = time_zone("Europe/Zurich"), datetime(2026, 3, 28, 11, 0, tzinfo=UTC)
    rate = parse("rate(1 day)")
    first = rate.next(began - timedelta(microseconds=1), zone, began)
    assert first == began
    assert rate.next(began, zone, began) == datetime(2026, 3, 29, 11, 0, tzinfo=UTC)  # 13:00 there, after 12:00


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe", "europe/zurich"])
def test_an_unknown_zone(name: str) -> None:
    with pytest.raises(ExpressionError, match=f"^Invalid ScheduleExpressionTimezone {name}"):
        time_zone(name)
    assert time_zone("America/New_York")

"""Schedules: what a line of cron means is what AWS is told, by lines at random; and what is wrong says what to type."""

from __future__ import annotations

import random
import re
import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest

from local_aws.schedules import expressions
from plugins.plugin_utils.site.cron import DAYS, FIELDS, LONGEST, MONTHS, WORDS, Field, NoSchedule, schedule
from plugins.plugin_utils.site.cron_times import Times

LINES = 300
"""How many lines a property is tried with. The seed is the test's, so a failure is seen again."""
MINUTE = timedelta(minutes=1)
ZONES = ("UTC", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


# Lines at random


def a_part(chance: random.Random, field: Field) -> str:
    low, high = field.low, min(field.high, 7)  # small numbers, so that times come soon
    first, last = sorted(chance.choices(range(low, (field.high if chance.random() < 0.3 else high) + 1), k=2))
    step = f"/{chance.randint(1, 9)}"
    named = bool(field.names) and last - field.low < len(field.names)
    shown = [field.names[each - field.low] if named and chance.random() < 0.5 else str(each) for each in (first, last)]
    return chance.choice(
        [shown[0], f"{shown[0]}-{shown[1]}", f"{shown[0]}-{shown[1]}{step}", f"*{step}", f"{shown[0]}{step}"]
    )


def a_line(chance: random.Random) -> str:
    """A line of cron, one of its days at least a star."""
    fields = [
        "*" if chance.random() < 0.3 else ",".join(a_part(chance, field) for _ in range(chance.randint(1, 3)))
        for field in FIELDS
    ]
    fields[chance.choice([2, 4])] = "*"
    return " ".join(fields)


def lines(seed: str) -> list[str]:
    """Many of them, without the few that never come."""
    chance = random.Random(seed)
    found = (a_line(chance) for _ in range(LINES))
    return [line for line in found if not never(line)]


def never(line: str) -> bool:
    _, _, day, month, _ = line.split()
    return min(meant(day, FIELDS[2])) > max(LONGEST.get(each, 31) for each in meant(month, FIELDS[3]))


def meant(text: str, field: Field) -> set[int]:
    """The numbers of a field, as crontab(5) tells it; written apart from what is tested."""
    found: set[int] = set()
    for part in text.lower().split(","):
        for place, name in enumerate(field.names, field.low):
            part = part.replace(name, str(place))
        match = re.fullmatch(r"(\*|\d+)(?:-(\d+))?(?:/(\d+))?", part)
        assert match, part
        begin, end, step = match.groups()
        first = field.low if begin == "*" else int(begin)
        last = int(end) if end else field.high if begin == "*" or step else first
        found |= {number for number in range(first, last + 1) if (number - first) % int(step or 1) == 0}
    return {number % 7 for number in found} if field.names is DAYS else found


def comes(line: str, at: datetime) -> bool:
    """Whether cron would run it in this minute."""
    minute, hour, day, month, weekday = (meant(text, field) for text, field in zip(line.split(), FIELDS, strict=True))
    return (
        at.minute in minute and at.hour in hour and at.day in day and at.month in month
        and at.isoweekday() % 7 in weekday
    )  # fmt: skip


# What AWS is told


def test_aws_takes_each_line_and_runs_it_when_cron_would() -> None:
    chance = random.Random("when")
    for line in lines("when"):
        expression = expressions.parse(schedule(line))
        moment = datetime(2026, 1, 1, tzinfo=UTC) + chance.randrange(1200 * 1440) * MINUTE
        for _ in range(3):
            due = expression.next(moment, UTC, moment)
            assert due, line
            assert comes(line, due), (line, due)
            between = chance.choices(range(int((due - moment) / MINUTE)), k=100) if due - moment > MINUTE else []
            skipped = [moment + place * MINUTE for place in between if moment + place * MINUTE > moment]
            assert not any(comes(line, at) for at in skipped), (line, moment, due)
            moment = due


@pytest.mark.parametrize(
    "line", ["1-59 1-23 1-30 * *", "0-58 0-22 * 1-11 1-6", "*/2 */2 */2 */2 *", "0,1,3,4,6-58 1-23 2-31 1,3,5-12 *"]
)
def test_no_expression_is_longer_than_aws_takes(line: str) -> None:
    expression = schedule(line)
    assert len(expression) <= 256
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(9):
        due = expressions.parse(expression).next(moment, UTC, moment)
        assert due
        assert comes(line, due)
        assert Times.of(expression, "UTC").due(due) == due
        moment = due


def test_one_of_the_two_days_is_always_a_question_mark_and_days_have_names() -> None:
    for line in lines("days"):
        minute, hour, day, month, weekday, year = schedule(line)[len("cron(") : -1].split()
        assert (day == "?") != (weekday == "?"), line
        assert "?" not in minute + hour + month + year
        assert year == "*"
        if weekday != "?":
            assert {DAYS.index(each.lower()) for each in weekday.split(",")} == meant(line.split()[4], FIELDS[4]), line


@pytest.mark.parametrize("number", range(8))
def test_a_day_of_the_week_is_the_same_by_number_and_by_name(number: int) -> None:
    name = DAYS[number % 7]
    assert schedule(f"0 0 * * {number}") == schedule(f"0 0 * * {name.title()}") == f"cron(0 0 ? * {name.upper()} *)"
    due = expressions.parse(schedule(f"0 0 * * {number}")).next(
        datetime(2026, 11, 1, tzinfo=UTC), UTC, datetime.now(UTC)
    )
    assert due
    assert due.strftime("%a").lower() == name


@pytest.mark.parametrize("word", sorted(WORDS))
def test_a_word_is_its_line(word: str) -> None:
    assert schedule(word) == schedule(WORDS[word])


# When it is due


def test_what_is_due_is_what_scheduler_ran_last_in_every_zone() -> None:
    chance = random.Random("due")
    for line in lines("due"):
        zone, expression = chance.choice(ZONES), schedule(line)
        start = datetime(2026, 1, 1, tzinfo=UTC) + chance.randrange(1200 * 1440) * MINUTE
        where = expressions.time_zone(zone)
        ran = expressions.parse(expression).next(start, where, start)
        after = ran and expressions.parse(expression).next(ran, where, start)
        assert ran, line
        times = Times.of(expression, zone)
        assert times.due(ran) == ran, (line, zone)
        assert after is None or times.due(after - MINUTE / 2) == ran, (line, zone)
        before = times.due(ran - MINUTE / 2)
        assert before is None or before <= start, (line, zone)


def test_a_line_that_never_comes_again_was_due_and_a_rate_within_its_time() -> None:
    leap = Times.of(schedule("0 0 29 2 *"), "UTC")
    assert leap.due(datetime(2027, 11, 1, tzinfo=UTC)) == datetime(2024, 2, 29, tzinfo=UTC)
    now = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
    assert Times.of("rate(5 minutes)", "UTC").due(now) == now - 5 * MINUTE


def test_what_a_clock_skips_is_not_due_and_what_it_shows_twice_is_due_once() -> None:
    half_past_two = Times.of(schedule("30 2 * * *"), "Europe/Zurich")
    zone = zoneinfo.ZoneInfo("Europe/Zurich")
    spring, autumn = datetime(2026, 3, 29, 12, tzinfo=zone), datetime(2026, 10, 25, 12, tzinfo=zone)
    assert half_past_two.due(spring) == datetime(2026, 3, 28, 1, 30, tzinfo=UTC)
    assert half_past_two.due(autumn) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "minutes"),
    [
        ("* * * * *", 1), ("*/15 * * * *", 15), ("0,50 * * * *", 10), ("0 3 * * *", 1440), ("0 3,22 * * *", 5 * 60),
        ("0 0 * * 0", 7 * 1440), ("0 0,23 * * 1,3", 23 * 60), ("0 0,23 * * 1,2", 60), ("0 0 1 * *", 28 * 1440),
        ("0 0 28,1 * *", 1440), ("0 0 31 12 *", 365 * 1440), ("rate(5 minutes)", 5), ("rate(2 days)", 2880),
    ],
)  # fmt: skip
def test_the_shortest_time_between_two_runs(line: str, minutes: int) -> None:
    assert Times.of(schedule(line), "UTC").gap() == minutes * MINUTE


# What is wrong


@pytest.mark.parametrize(
    ("line", "right", "says"),
    [
        ("@dayly", "@daily", "Did you mean @daily?"),
        ("@Weekly", "@weekly", "Did you mean @weekly?"),
        ("@annualy", "@annually", "Did you mean @annually?"),
        (
            "0 0 * * mond",
            "0 0 * * mon",
            "its day of the week is 'mond'; it may be 0 to 7 or sun to sat. Did you mean mon?",
        ),
        ("0 0 * * Tuesday", "0 0 * * tue", "Did you mean tue?"),
        ("0 0 1 janu *", "0 0 1 jan *", "it may be 1 to 12 or jan to dec. Did you mean jan?"),
        ("0 3 * * ? *", "0 3 * * *", "one is too many: it knows neither seconds nor years"),
        ("0 3 * *", "0 3 * * *", "one is missing"),
        ("0 3 ? * 1", "0 3 * * 1", "That is AWS's; a line of cron has * there."),
        ("0 3 L * *", "0 3 28 * *", "name a day that every month has, such as 28"),
        ("3", "0 3 * * *", "is no line of cron: minute, hour, day of the month, month, day of the week. Write"),
    ],
)
def test_a_wrong_line_says_what_to_type(line: str, right: str, says: str) -> None:
    with pytest.raises(NoSchedule, match=re.escape(says)):
        schedule(line)
    assert schedule(right)


def test_nothing_but_a_line_is_taken_and_nothing_else_is_raised() -> None:
    chance = random.Random("wrong")
    taken = 0
    for _ in range(3000):
        fields = chance.choices([*"***5?Lé٣", "99", "mon", "jan", "1-", "-1", "*/0", "3/2", "2,,3", "5-2"],
                                k=chance.choice([4, 5, 5, 5, 6]))  # fmt: skip
        try:
            expressions.parse(schedule(" ".join(fields)))
        except NoSchedule:
            continue
        taken += 1
        assert not {*"?Lé٣"} & {*"".join(fields)}
    assert taken


def test_the_names_are_those_of_the_calendar() -> None:
    assert tuple(datetime(2026, month, 1, tzinfo=UTC).strftime("%b").lower() for month in range(1, 13)) == MONTHS
    assert tuple(datetime(2026, 11, day, tzinfo=UTC).strftime("%a").lower() for day in range(1, 8)) == DAYS

"""AWS's cron expressions, by the calendar alone: time zones are `expressions`' matter.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based

Our own: of what PyPI has, croniter knows neither `W` nor AWS's six fields, and aws-croniter 2.1.1 raises ValueError for
`LW` and never finds the `L` of a week.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

MONTHS = {"JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6, "JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10,
          "NOV": 11, "DEC": 12}  # fmt: skip
DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
STEP = re.compile(r"(?P<range>\*|[^/]+)/(?P<step>\d+)")

DaysOf = Callable[[int, int], set[int]]
"""The days of a year's month."""


class CronError(ValueError):
    """The expression is none of AWS's; the text says which field and why."""


@dataclass(frozen=True)
class Cron:
    """The times that an expression means.

    Attributes:
        minutes, hours, months, years: which, in ascending order.
        days: the days of a month that both day fields leave.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DaysOf
    months: tuple[int, ...]
    years: tuple[int, ...]

    def after(self, moment: datetime) -> datetime | None:
        """The first time later than `moment`, both without a zone; None if there is none up to the year 2199."""
        for year in self.years:
            for month in self.months:
                if (year, month) < (moment.year, moment.month):
                    continue
                for day in sorted(self.days(year, month)):
                    if found := self._on(date(year, month, day), moment):
                        return found
        return None

    def _on(self, day: date, moment: datetime) -> datetime | None:
        if day < moment.date():
            return None
        times = (datetime(day.year, day.month, day.day, hour, minute) for hour in self.hours for minute in self.minutes)
        return next((time for time in times if time > moment), None)


def parse(text: str) -> Cron:
    """What is between the brackets of `cron(…)`.

    Raises:
        CronError: AWS refuses it.
    """
    fields = text.split()
    if len(fields) != 6:
        raise CronError(
            f"it has {len(fields)} fields; AWS's have six: minutes hours day-of-month month day-of-week year"
        )
    minutes, hours, of_month, months, of_week, years = fields
    if [of_month, of_week].count("?") != 1:
        raise CronError("exactly one of day-of-month and day-of-week must be ?")
    return Cron(
        _values("minutes", minutes, 0, 59),
        _values("hours", hours, 0, 23),
        _days_of_month(of_month) if of_week == "?" else _days_of_week(of_week),
        _values("month", months, 1, 12, MONTHS),
        _values("year", years, 1970, 2199),
    )


def _number(field: str, text: str, low: int, high: int, names: dict[str, int]) -> int:
    number = names.get(text.upper(), int(text) if text.isascii() and text.isdigit() else None)
    if number is None or not low <= number <= high:
        raise CronError(f"{field} cannot be {text!r}: it is {low} to {high}")
    return number


def _values(field: str, text: str, low: int, high: int, names: dict[str, int] | None = None) -> tuple[int, ...]:
    """The numbers of a field: values, ranges and steps, with commas between them."""
    found: set[int] = set()
    for item in text.split(","):
        stepped = STEP.fullmatch(item)
        span, step = (stepped["range"], int(stepped["step"])) if stepped else (item, 1)
        if not 1 <= step <= high:
            raise CronError(f"{field} cannot go in steps of {step}")
        if span == "*":
            first, last = low, high
        elif "-" in span:
            first, last = (_number(field, each, low, high, names or {}) for each in span.split("-", 1))
            if first > last:
                raise CronError(f"{field} cannot run from {first} to {last}")
        else:
            first = _number(field, span, low, high, names or {})
            last = high if stepped else first
        found.update(range(first, last + 1, step))
    return tuple(sorted(found))


def _last(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _weekday(year: int, month: int, day: int) -> int:
    """1 (Sunday) to 7 (Saturday)."""
    return date(year, month, day).isoweekday() % 7 + 1


def _nearest_weekday(year: int, month: int, day: int) -> set[int]:
    """Monday to Friday nearest to `day` within its month; nothing where the month has no such day."""
    last = _last(year, month)
    if day > last:
        return set()
    weekday = _weekday(year, month, day)
    if weekday == DAYS["SAT"]:
        return {day - 1 if day > 1 else day + 2}
    if weekday == DAYS["SUN"]:
        return {day + 1 if day < last else day - 2}
    return {day}


def _days_of_month(text: str) -> DaysOf:
    word = text.upper()
    if word == "LW":
        return lambda year, month: _nearest_weekday(year, month, _last(year, month))
    if ending := re.fullmatch(r"L(?:-(\d{1,2}))?", word):
        before = int(ending[1] or 0)
        if before > 30:
            raise CronError(f"day-of-month cannot be {text!r}: no month has so many days before its last one")
        return lambda year, month: {day for day in (_last(year, month) - before,) if day > 0}
    if nearest := re.fullmatch(r"(\d{1,2})W", word):
        day = _number("day-of-month", nearest[1], 1, 31, {})
        return lambda year, month: _nearest_weekday(year, month, day)
    days = _values("day-of-month", text, 1, 31)
    return lambda year, month: {day for day in days if day <= _last(year, month)}


def _days_of_week(text: str) -> DaysOf:
    if text.upper() == "L":
        text = "SAT"
    if last := re.fullmatch(r"(\w+?)L", text, re.IGNORECASE):
        return _nth(_number("day-of-week", last[1], 1, 7, DAYS), -1)
    if nth := re.fullmatch(r"(\w+)#(\d)", text):
        return _nth(_number("day-of-week", nth[1], 1, 7, DAYS), _number("day-of-week", nth[2], 1, 5, {}))
    weekdays = _values("day-of-week", text, 1, 7, DAYS)
    return lambda year, month: {
        day for day in range(1, _last(year, month) + 1) if _weekday(year, month, day) in weekdays
    }


def _nth(weekday: int, nth: int) -> DaysOf:
    """The nth such day of a month, from its end if negative."""

    def days(year: int, month: int) -> set[int]:
        found = [day for day in range(1, _last(year, month) + 1) if _weekday(year, month, day) == weekday]
        return {found[nth - 1 if nth > 0 else nth]} if nth <= len(found) else set()

    return days

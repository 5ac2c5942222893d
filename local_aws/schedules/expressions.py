"""Schedule expressions in a time zone: `cron(…)`, `rate(…)` and `at(…)`.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from local_aws.schedules import cron

FORM = re.compile(r"(cron|rate|at)\((.+)\)")
RATE = re.compile(r"([1-9]\d{0,9}) (minute|hour|day)s?")
AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


class ExpressionError(ValueError):
    """AWS refuses the expression; the text is AWS's, and why."""


class Expression(Protocol):
    """When a schedule is due."""

    recurring: bool
    """False for `at`, which no StartDate or EndDate bounds."""

    def next(self, after: datetime, zone: tzinfo, anchor: datetime) -> datetime | None:
        """The first time later than `after`; None if there is none.

        Args:
            after, anchor: in UTC; `anchor` is when the schedule began, from where a rate is counted.
            zone: the schedule's time zone.
        """


@dataclass(frozen=True)
class Recurring:
    """`cron(…)`. What the clock skips is skipped, what it shows twice is run once, the first time."""

    times: cron.Cron
    recurring = True

    def next(self, after: datetime, zone: tzinfo, anchor: datetime) -> datetime | None:  # noqa: ARG002 (see Expression)
        """See `Expression`."""
        shown = self.times.after(after.astimezone(zone).replace(tzinfo=None, fold=0))
        while shown:
            moment = instant(shown, zone)
            if moment and moment > after:
                return moment
            shown = self.times.after(shown)
        return None


@dataclass(frozen=True)
class Rate:
    """`rate(…)`: at once when the schedule begins, then every so often; a day is 24 hours whatever the clock does."""

    every: timedelta
    recurring = True

    def next(self, after: datetime, zone: tzinfo, anchor: datetime) -> datetime | None:  # noqa: ARG002 (see Expression)
        """See `Expression`."""
        if after < anchor:
            return anchor
        return anchor + self.every * ((after - anchor) // self.every + 1)


@dataclass(frozen=True)
class Once:
    """`at(…)`. AWS does not say what becomes of a time that the clock skips, or one past: here it never comes."""

    shown: datetime
    recurring = False

    def next(self, after: datetime, zone: tzinfo, anchor: datetime) -> datetime | None:  # noqa: ARG002 (see Expression)
        """See `Expression`."""
        moment = instant(self.shown, zone)
        return moment if moment and moment > after else None


def instant(shown: datetime, zone: tzinfo) -> datetime | None:
    """When clocks of `zone` show that time (first), in UTC; None if they never do."""
    moment = shown.replace(tzinfo=zone).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None, fold=0) == shown else None


def parse(text: str) -> Expression:
    """Read an expression.

    Raises:
        ExpressionError: AWS refuses it.
    """
    form = FORM.fullmatch(text)
    try:
        if form and form[1] == "cron":
            return Recurring(cron.parse(form[2]))
        if form and form[1] == "rate" and (rate := RATE.fullmatch(form[2])):
            return Rate(timedelta(**{f"{rate[2]}s": int(rate[1])}))
        if form and form[1] == "at" and AT.fullmatch(form[2]):
            return Once(datetime.fromisoformat(form[2]))
        why = "it is cron(six fields), rate(number unit) or at(yyyy-mm-ddThh:mm:ss)"
    except (ValueError, OverflowError) as error:
        why = str(error)
    raise ExpressionError(f"Invalid Schedule Expression {text}. ({why})")


def time_zone(name: str) -> tzinfo:
    """A time zone by its name.

    Raises:
        ExpressionError: there is none.
    """
    if name == "UTC":
        return UTC
    if name not in zoneinfo.available_timezones():
        raise ExpressionError(f"Invalid ScheduleExpressionTimezone {name}.")
    return zoneinfo.ZoneInfo(name)

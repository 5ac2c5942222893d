"""When a schedule is due: of the expressions that `cron.schedule` writes, in a time zone.

What the clock skips is skipped, and what it shows twice is run once, as EventBridge Scheduler does it.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import datetime
import itertools
import re
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass

from plugins.plugin_utils.site.cron import DAYS

LONGEST_DAYS = 8 * 366
"""How far two times can lie apart: the 29th of February comes every four years, and once in a century after eight."""
YEARS = 4 * 366
"""Days that show every gap between days that there is, but for that century."""
ONE = datetime.timedelta(days=1)
RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


@dataclass(frozen=True)
class Times:
    """The times of a schedule.

    Attributes:
        clock: hours and minutes of a day, in ascending order; empty for a rate.
        days, months, weekdays: which (a Monday is 0); None for every one.
        every: of a rate.
        zone: whose clocks are meant.
    """

    clock: tuple[tuple[int, int], ...]
    days: frozenset[int] | None
    months: frozenset[int] | None
    weekdays: frozenset[int] | None
    every: datetime.timedelta | None
    zone: datetime.tzinfo

    @classmethod
    def of(cls, expression: str, zone: str) -> Times:
        """Read an expression.

        Args:
            expression: as `cron.schedule` writes it, `cron(0 3 * * ? *)` or `rate(5 minutes)`.
            zone: name of a time zone.
        """
        where = datetime.UTC if zone == "UTC" else zoneinfo.ZoneInfo(zone)
        if rate := RATE.fullmatch(expression):
            every = datetime.timedelta(**{f"{rate[2]}s": int(rate[1])})
            return cls((), None, None, None, every, where)
        minute, hour, day, month, weekday, _ = expression.removeprefix("cron(").removesuffix(")").split()
        hours, minutes = _numbers(hour) or range(24), _numbers(minute) or range(60)
        names = (
            None if weekday in "?*" else frozenset((DAYS.index(each.lower()) - 1) % 7 for each in weekday.split(","))
        )
        clock = tuple((each, other) for each in sorted(hours) for other in sorted(minutes))
        return cls(clock, _numbers(day), _numbers(month), names, None, where)

    def due(self, moment: datetime.datetime) -> datetime.datetime | None:
        """Since when a run must have begun: the newest time up to `moment`, in UTC; None where there is none.

        Of a rate, whose beginning nobody knows but Scheduler, the time in which one falls in any case.
        """
        if self.every:
            return moment - self.every
        date = moment.astimezone(self.zone).date()
        for _ in range(LONGEST_DAYS):
            for at in reversed(list(self._on(date))):
                if at <= moment:
                    return at
            date -= ONE
        return None

    def gap(self) -> datetime.timedelta:
        """The shortest time between two runs, as clocks show it that are not changed meanwhile."""
        if self.every:
            return self.every
        minutes = [hour * 60 + minute for hour, minute in self.clock]
        gaps = [later - earlier for earlier, later in itertools.pairwise(minutes)]
        dates = [date for date in map(_FIRST.__add__, map(datetime.timedelta, range(YEARS))) if self._comes(date)]
        apart = min(((later - earlier).days for earlier, later in itertools.pairwise(dates)), default=YEARS)
        return datetime.timedelta(minutes=min([*gaps, apart * 1440 + minutes[0] - minutes[-1]]))

    def _comes(self, date: datetime.date) -> bool:
        wanted = ((self.months, date.month), (self.days, date.day), (self.weekdays, date.weekday()))
        return all(values is None or value in values for values, value in wanted)

    def _on(self, date: datetime.date) -> Iterator[datetime.datetime]:
        """The times of a day, in UTC."""
        if self._comes(date):
            for hour, minute in self.clock:
                shown = datetime.datetime.combine(date, datetime.time(hour, minute), self.zone)
                at = shown.astimezone(datetime.UTC)
                if at.astimezone(self.zone).replace(tzinfo=None, fold=0) == shown.replace(tzinfo=None):
                    yield at


_FIRST = datetime.date(2028, 1, 1)
"""Of a year with a 29th of February."""


def _numbers(text: str) -> frozenset[int] | None:
    if text in "?*":
        return None
    spans = [each.partition("-") for each in text.split(",")]
    return frozenset(number for first, _, last in spans for number in range(int(first), int(last or first) + 1))

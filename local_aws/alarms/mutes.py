"""Mute rules: for how long an alarm's actions are silent.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules.html
Of their schedules only `at(…)` in UTC is here, which is what a rule of one time needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d)\)")
DURATION = re.compile(r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?")
LEAST, MOST = timedelta(minutes=1), timedelta(days=15)
MOST_ALARMS = 100


class MuteError(ValueError):
    """A rule that AWS or the embedded AWS refuses."""


@dataclass(frozen=True)
class Mute:
    """A mute rule.

    Attributes:
        name: of the rule.
        alarms: names of those that it mutes.
        begin, end: of its window, in UTC.
        given: the request, as it came.
        updated: when.
    """

    name: str
    alarms: frozenset[str]
    begin: datetime
    end: datetime
    given: dict[str, object]
    updated: datetime

    def status(self, now: datetime) -> str:
        """As GetAlarmMuteRule says it."""
        return "SCHEDULED" if now < self.begin else "ACTIVE" if now < self.end else "EXPIRED"


def read(given: dict[str, object], now: datetime) -> Mute:
    """A rule by the request that makes it.

    Raises:
        MuteError: what is wrong with it.
    """
    name, alarms = str(given["Name"]), given.get("AlarmNames") or []
    assert isinstance(alarms, list)
    if len(alarms) > MOST_ALARMS:
        raise MuteError(f"A mute rule targets at most {MOST_ALARMS} alarms, not {len(alarms)}.")
    if given.get("Timezone") not in (None, "", "UTC") or given.get("StartDate") or given.get("ExpireDate"):
        raise MuteError("The embedded AWS has no Timezone but UTC, no StartDate and no ExpireDate of a mute rule.")
    at, span = AT.fullmatch(str(given["Expression"])), DURATION.fullmatch(str(given["Duration"]))
    if not at:
        raise MuteError(f"The embedded AWS has no mute rule but at(yyyy-MM-ddThh:mm), not {given['Expression']}.")
    length = timedelta(**{unit: int(number) for unit, number in span.groupdict().items() if number}) if span else None
    if length is None or not LEAST <= length <= MOST:
        raise MuteError(f"A Duration is from PT1M to P15D, not {given['Duration']}.")
    begin = datetime.fromisoformat(at[1]).replace(tzinfo=UTC)
    return Mute(name, frozenset(map(str, alarms)), begin, begin + length, given, now)

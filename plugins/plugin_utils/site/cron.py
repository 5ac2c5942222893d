"""Schedules: the five fields of cron, or a rate, as EventBridge Scheduler writes them.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
"""Days of the months that have not 31."""
WORDS = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
OF_OTHERS = {
    "?": " That is AWS's; a line of cron has * there.",
    "L": " A line of cron knows no last day: name a day that every month has, such as 28.",
}
"""What stands in lines of others → what to write."""
NUMBER_OF_FIELDS = {3: "two are missing", 4: "one is missing", 6: "one is too many: it knows neither seconds nor years"}
EXPRESSION_MOST = 256
"""https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html"""
RATE = re.compile(r"rate\(([1-9][0-9]{0,4}) (minute|hour|day)(s?)\)")


class NoSchedule(ValueError):
    """A text that is no schedule; its message says why, and what to write."""


@dataclass(frozen=True)
class Field:
    """One field of a line of cron."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def values(self, text: str) -> set[int] | None:
        """The numbers that it means; None for every one.

        Raises:
            NoSchedule: it means none.
        """
        if text == "*":
            return None
        found: set[int] = set()
        for part in text.split(","):
            found |= self._part(part)
        return None if found >= set(range(self.low, min(self.high, 6 if self.names is DAYS else 59) + 1)) else found

    def _part(self, text: str) -> set[int]:
        span, slash, step = text.partition("/")
        if slash and not re.fullmatch(r"[1-9][0-9]{0,2}", step):
            raise NoSchedule(f"its {self.name} is {text!r}; behind the slash stands a number of 1 or more.")
        if span == "*":
            first, last = self.low, self.high
        else:
            begin, dash, end = span.partition("-")
            first = self._number(begin)
            last = self._number(end) if dash else self.high if slash else first
        if last < first:
            raise NoSchedule(f"its {self.name} is {text!r}, which ends before it begins.")
        return set(range(first, last + 1, int(step or 1)))

    def _number(self, text: str) -> int:
        if text.lower() in self.names:
            return self.names.index(text.lower()) + self.low
        if not re.fullmatch(r"[0-9]{1,4}", text) or not self.low <= int(text) <= self.high:
            named = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
            meant = _near(text.lower()[:3], self.names) if text[:1].isalpha() else ""
            advice = f" Did you mean {meant}?" if meant else OF_OTHERS.get(text[:1].upper(), "")
            raise NoSchedule(f"its {self.name} is {text!r}; it may be {self.low} to {self.high}{named}.{advice}")
        return int(text)


def _near(text: str, known: Iterable[str]) -> str:
    """What of `known` is meant; empty if nothing looks like it."""
    return next(iter(difflib.get_close_matches(text, list(known), 1, 0.5)), "")


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 7, DAYS),
)


def schedule(text: str) -> str:
    """The schedule expression of a line of cron (`0 3 * * *`), of one of its words (`@daily`), or of a rate.

    In AWS's form days of the week count from 1, so they are written by name; one of the two days is always `?`; and
    there is a year. https://man7.org/linux/man-pages/man5/crontab.5.html

    Raises:
        NoSchedule: the text is no schedule, or AWS has none like it.
    """
    text = " ".join(text.split())
    if text.startswith("rate("):
        return _rate(text)
    if text.startswith(("cron(", "at(")):
        raise NoSchedule('is written in AWS\'s form. Write the five fields of cron, for example "0 3 * * *".')
    if text.startswith("@") and text not in WORDS:
        raise NoSchedule(_no_word(text))
    fields = WORDS.get(text, text).split(" ")
    if len(fields) != len(FIELDS):
        wrong = NUMBER_OF_FIELDS.get(len(fields), "")
        raise NoSchedule(
            "is no line of cron: minute, hour, day of the month, month, day of the week"
            f'{f"; {wrong}" if wrong else ""}. Write for example "0 3 * * *".'
        )
    minute, hour, day, month, weekday = (field.values(given) for field, given in zip(FIELDS, fields, strict=True))
    if day is not None and weekday is not None:
        raise NoSchedule(
            "names days of the month and of the week; cron runs on both, and AWS takes one of them. Make two jobs."
        )
    if day is not None and min(day) > max(LONGEST.get(each, 31) for each in (month or {1})):
        raise NoSchedule("names a day that none of its months has, so it would never run.")
    names = [DAYS[each].upper() for each in sorted({each % 7 for each in weekday or ()})]
    made = ""
    for write in (_written, _in_ranges):
        days = "?" if weekday is not None else write(day)
        made = f"cron({write(minute)} {write(hour)} {days} {write(month)} {','.join(names) or '?'} *)"
        if len(made) <= EXPRESSION_MOST:
            break
    return made


def _no_word(text: str) -> str:
    if text == "@reboot":
        return 'is no time: AWS knows no moment at which a host starts. Write for example "0 3 * * *".'
    meant = _near(text.lower(), WORDS)
    return f"is no word of cron ({', '.join(WORDS)}).{f' Did you mean {meant}?' if meant else ''}"


def _written(numbers: set[int] | None) -> str:
    return "*" if numbers is None else ",".join(map(str, sorted(numbers)))


def _in_ranges(numbers: set[int] | None) -> str:
    """The same, shorter: `0-2,5` for 0, 1, 2 and 5. Whatever five fields name is then short enough."""
    if numbers is None:
        return "*"
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _rate(text: str) -> str:
    found = RATE.fullmatch(text)
    if not found:
        raise NoSchedule("is no rate. Write for example rate(5 minutes), rate(1 hour) or rate(1 day).")
    if (found[1] == "1") == bool(found[3]):
        unit = found[2] if found[1] == "1" else f"{found[2]}s"
        raise NoSchedule(f"is no rate to AWS. Write rate({found[1]} {unit}).")
    return text

"""`site_backups`: how often there has to be a backup of the site, who begins it, and how many are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils import spans
from plugins.plugin_utils.site.kinds import Text, Whole
from plugins.plugin_utils.site.place import Place, shown
from plugins.plugin_utils.site.schema import Key, Schema

LEAST, MOST = 3_600, 90 * 86_400
KEPT_MOST = 90
"""Fewer than the 100 snapshots by hand that RDS allows an account in a region.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
"""
DAY = 86_400
PLANNED = (*(hours * 3_600 for hours in (1, 2, 3, 4, 6, 8, 12)), DAY, 7 * DAY)
"""How often AWS Backup can begin one: a cron expression begins anew each day, so hours have to divide it."""
TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
CLOSED_UNTIL = "03:30"
"""From midnight until then AWS Backup may begin none of a database: RDS copies by itself from 01:00 to 02:00 and
maintains on Sundays from 02:30 to 03:30 (cloudformation/database.yml), and nothing is begun then, nor an hour before.

https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html
"""
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[1-9]")


def every(value: Any, at: Place) -> int | None:
    """How far two backups may lie apart, `1d`; in seconds."""
    seconds = spans.seconds(value) if isinstance(value, str) else None
    if seconds is None or not LEAST <= seconds <= MOST:
        at.wrong(f"is {shown(value)}, must be how far two backups may lie apart, 1h to 90d: 1d, or 12h.")
        return None
    return seconds


def time_of_day(value: Any, at: Place) -> str | None:
    """When AWS Backup begins, `04:00`, in UTC."""
    if isinstance(value, str) and TIME.fullmatch(value):
        return value
    # YAML reads 12:30 without quotes as a number to the base of 60.
    at.wrong(f'is {shown(value)}, must be a time of day in UTC, in quotes: "04:00".')
    return None


SCHEMA = Schema(
    "site_backups",
    {
        "every": Key(every),
        "keep": Key(Whole(1, KEPT_MOST, "backups")),
        "at": Key(time_of_day),
        "copy_to": Key(Text("a region of AWS", "eu-west-1", REGION.pattern)),
    },
    {
        "schedule": 'write when AWS Backup begins one, in UTC, and how often: {every: 1d, at: "04:00"}.',
        "keep_days": "write keep: 14, a number of backups.",
        "retention": "write keep: 14, a number of backups.",
        "of": "a backup holds all databases, volumes and versioned buckets of the site. Take it out.",
        "drill": "a backup is drilled when drill.yml is typed, never by itself. Take it out.",
    },
)


@dataclass(frozen=True)
class Backups:
    """What `site_backups` says.

    Attributes:
        wanted: whether it says anything.
        every: seconds by which two backups may lie apart; None where nobody waits for one.
        keep: how many good ones are kept; None for all.
        at: time of day in UTC at which AWS Backup begins one by itself; empty where it does not.
        copy_to: the other region that it copies them to; empty for none.
        runs: the times of a day at which it begins, `04:00`.
        cron: AWS's expression of them.
        days: after how many AWS Backup deletes what it has made; 0 for never.
    """

    wanted: bool = False
    every: int | None = None
    keep: int | None = None
    at: str = ""
    copy_to: str = ""
    runs: tuple[str, ...] = ()
    cron: str = ""
    days: int = 0


def read(variables: Mapping[str, Any], at: Place) -> Backups:
    """The backups that an inventory wants.

    Args:
        variables: of the inventory.
        at: the place of `site_backups`.
    """
    value = variables.get("site_backups")
    if value is None or value == {}:
        return Backups()
    keys = SCHEMA.read(value, at)
    often, keep, when, to = keys["every"], keys["keep"], keys["at"] or "", keys["copy_to"] or ""
    if when and not (at / "every").is_wrong and often not in PLANNED:
        at.wrong(
            "says with `at` that AWS Backup begins the backups, which it can once in 1h, 2h, 3h, 4h, 6h, 8h, 12h, 1d "
            "or 7d. Write every: 1d."
        )
        return Backups(True, often, keep)
    if to and not when:
        at.wrong(
            'names a region in `copy_to`; what AWS Backup begins by itself is copied there. Write at: "04:00" too.'
        )
    if not when or often is None:
        return Backups(True, often, keep)
    runs = times(when, often)
    days = -(-keep * often // DAY) if keep else 0
    return Backups(True, often, keep, when, to, runs, expression(runs, often), days)


def times(at: str, often: int) -> tuple[str, ...]:
    """The times of a day at which a backup is begun, the earliest first.

    Args:
        at: one of them.
        often: seconds between two.
    """
    hour, minute = at.split(":")
    step = max(1, min(often, DAY) // 3_600)
    return tuple(f"{each:02}:{minute}" for each in sorted((int(hour) + step * n) % 24 for n in range(24 // step)))


def expression(runs: tuple[str, ...], often: int) -> str:
    """AWS's cron expression of these times: each day, or on Sundays where they lie a week apart.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/creating-a-backup-plan.html
    """
    hours = ",".join(str(int(each[:2])) for each in runs)
    days = "* * ? *" if often <= DAY else "? * SUN *"
    return f"cron({int(runs[0][3:])} {hours} {days})"


def check(wanted: Backups, databases: bool, region: str, at: Place) -> None:
    """Complain about a time or a region that does not fit the site.

    Args:
        wanted: what `site_backups` says.
        databases: whether the site has some of Berth's.
        region: of the site; empty where that is not known.
        at: the place of `site_backups`.
    """
    if databases and (early := [each for each in wanted.runs if each < CLOSED_UNTIL]):
        longer = "" if len(wanted.runs) < 5 else " and every: 6h, or longer"
        (at / "at").wrong(
            f"begins a backup at {', '.join(early)} UTC, and from 00:00 to {CLOSED_UNTIL} AWS Backup may begin none of "
            f'a database: RDS copies and maintains it then by itself. Write at: "04:00"{longer}.'
        )
    if region and wanted.copy_to == region:
        (at / "copy_to").wrong(f"is {region}, where the site is. Write another region, or take the line out.")

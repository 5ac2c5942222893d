"""`site_backups`: how often there has to be a backup of the site, and how many are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils import spans
from plugins.plugin_utils.site.kinds import Whole
from plugins.plugin_utils.site.place import Place, shown
from plugins.plugin_utils.site.schema import Key, Schema

LEAST, MOST = 3_600, 90 * 86_400
KEPT_MOST = 90
"""Fewer than the 100 snapshots by hand that RDS allows an account in a region.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
"""


def every(value: Any, at: Place) -> int | None:
    """How far two backups may lie apart, `1d`; in seconds."""
    seconds = spans.seconds(value) if isinstance(value, str) else None
    if seconds is None or not LEAST <= seconds <= MOST:
        at.wrong(f"is {shown(value)}, must be how far two backups may lie apart, 1h to 90d: 1d, or 12h.")
        return None
    return seconds


SCHEMA = Schema(
    "site_backups",
    {"every": Key(every), "keep": Key(Whole(1, KEPT_MOST, "backups"))},
    {
        "schedule": "Berth starts no backup by itself yet. Have cron or a pipeline type backup.yml; write every: 1d.",
        "keep_days": "write keep: 14, a number of backups.",
        "retention": "write keep: 14, a number of backups.",
        "of": "a backup holds all databases, volumes and versioned buckets of the site. Take it out.",
        "drill": "there is no drill yet. Take it out.",
    },
)


@dataclass(frozen=True)
class Backups:
    """What `site_backups` says.

    Attributes:
        wanted: whether it says anything.
        every: seconds by which two backups may lie apart; None where nobody waits for one.
        keep: how many good ones are kept; None for all.
    """

    wanted: bool = False
    every: int | None = None
    keep: int | None = None


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
    return Backups(True, keys["every"], keys["keep"])

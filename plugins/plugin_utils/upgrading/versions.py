"""Which version of PostgreSQL a database is upgraded to, of those that RDS offers for the one that it has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.aws_action import Failed


@dataclass(frozen=True)
class Way:
    """From one version to another.

    Attributes:
        now: what runs, in full (`15.12`).
        target: what is to run; `now` where there is nothing to do.
    """

    now: str
    target: str

    @property
    def is_major(self) -> bool:
        """Whether the major version is another."""
        return major(self.now) != major(self.target)

    @property
    def is_needless(self) -> bool:
        """Whether it runs already."""
        return self.now == self.target

    @property
    def called(self) -> str:
        """The target as part of a name of RDS."""
        return re.sub("[^0-9a-z]+", "-", self.target.lower())


def major(version: str) -> str:
    """`15` of `15.12`."""
    return version.partition(".")[0]


def order(version: str) -> list[int]:
    """By which versions are older or newer; RDS counts its own builds behind a hyphen (`11.22-rds.20240418`)."""
    return [int(part) for part in re.findall("[0-9]+", version)]


def is_of(version: str, wanted: str) -> bool:
    """Whether a version is the one that is wanted, or one of that major version."""
    return version == wanted or version.startswith(f"{wanted}.")


def chosen(name: str, now: str, offered: Sequence[Mapping[str, Any]], wanted: str, typed: str) -> Way:
    """The way to the version that is wanted; of a major version alone to its newest minor one.

    Args:
        name: of the database in the inventory.
        now: what runs.
        offered: `ValidUpgradeTarget` of DescribeDBEngineVersions for that.
        wanted: the version, in full or the major one.
        typed: the command, without the version.

    Raises:
        Failed: it is older, or RDS knows no way there.
    """
    targets = sorted((str(each["EngineVersion"]) for each in offered), key=order)
    found = [each for each in targets if is_of(each, wanted)]
    if now == wanted or (is_of(now, wanted) and not found):
        return Way(now, now)
    if found:
        return Way(now, found[-1])
    if order(wanted) < order(now):
        raise Failed(
            f"The database {name} runs PostgreSQL {now}, and {wanted} is older: RDS takes no version back. Nothing was "
            f"changed. Write a version of its own or a newer one into site_databases.{name}, for example "
            f'version: "{major(now)}".'
        )
    newest = {major(each): each for each in targets}
    listed = ", ".join(newest.values()) or "none at all"
    example = f" Type for example: {typed} -e version={targets[-1]}" if targets else ""
    raise Failed(
        f"RDS does not upgrade PostgreSQL {now}, which the database {name} runs, to {wanted}. It offers (the newest of "
        f"each major version): {listed}. Nothing was changed.{example}"
    )

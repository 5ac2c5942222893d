"""What two databases have that should be the same, as a person reads where it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from plugins.plugin_utils.ecs import some

LISTED = 5
"""How many tables a message names."""


def listed(wrong: Sequence[str]) -> str:
    """The first of some tables, and how many more there are."""
    return some(wrong, LISTED, "; ")


def differing(rows: Mapping[str, int], counts: Mapping[str, int]) -> list[str]:
    """Tables that have other numbers of rows than the dump."""
    return [
        f"{table} has {counts.get(table, 0):,} rows, the dump {rows[table]:,}"
        for table in sorted(rows)
        if counts.get(table) != rows[table]
    ]


def unlike(found: Mapping[str, str], wanted: Mapping[str, str], whose: str) -> list[str]:
    """Tables and sequences of which two databases do not say the same.

    Args:
        found: of `Server.contents`.
        wanted: the same of the other one.
        whose: what leads over to the other one in the sentence, such as `the backup`.
    """
    return [
        f"{each} has {found.get(each, 'nothing')}, {whose} {wanted.get(each, 'nothing')}"
        for each in sorted(found.keys() | wanted.keys())
        if found.get(each) != wanted.get(each)
    ]


def rows(contents: Mapping[str, str]) -> int:
    """How many rows tables have together.

    Args:
        contents: of `Server.contents`, which says of a sequence where it is `at`.
    """
    return sum(int(each.split(" ", 1)[0]) for each in contents.values() if not each.startswith("at "))

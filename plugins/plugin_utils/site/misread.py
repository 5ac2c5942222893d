"""Whole numbers that YAML has made of what was written otherwise, where the letters were meant.

Ansible reads YAML 1.1, in which 0755 is octal, 12:30:45 counts in sixties, and 0x1F and 1_000 are numbers too: a
container would be given 493, 45045, 31 and 1000. https://yaml.org/type/int.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from plugins.plugin_utils.site.place import Place


class Misread(int):
    """A whole number with what stands in the file for it."""

    written: str


def as_written(number: int, written: str) -> int:
    """The number, a `Misread` if its digits are not what is written."""
    if str(int(number)) == written:
        return number
    made = Misread(number)
    made.written = written
    return made


def misread(value: Any, at: Place) -> bool:
    """Whether what is to be a text is such a number, which is complained about."""
    if not isinstance(value, Misread):
        return False
    at.wrong(f'is {value.written}, which YAML reads as {int(value)}. Write "{value.written}", in quotes.')
    return True


def any_misread(items: Iterable[Any], at: Place) -> bool:
    """The same for the words of a list, each of which is told."""
    return sum(misread(item, at / place) for place, item in enumerate(items)) > 0

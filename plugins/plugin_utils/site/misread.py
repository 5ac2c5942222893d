"""Numbers and flags that YAML has made of what was written otherwise, where the letters were meant.

Ansible reads YAML 1.1, in which 0755 is octal, 12:30:45 counts in sixties, and 0x1F and 1_000 are numbers too: a
container would be given 493, 45045, 31 and 1000. https://yaml.org/type/int.html
And yes, no, on, off are flags there: a country's NO would come as false. https://yaml.org/type/bool.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from plugins.plugin_utils.site.place import Place


class Misread(int):
    """A number or a flag with what stands in the file for it.

    Attributes:
        written: what stands there.
        read: what YAML makes of it.
    """

    written: str
    read: str

    def __repr__(self) -> str:
        return self.written


class Spelt(dict[Any, Any]):
    """A mapping that knows what stands in the file for its flags: a flag itself has no room for it.

    Attributes:
        flags: key → what stands there for its value, where that is neither true nor false.
    """

    def __init__(self, items: Mapping[Any, Any], flags: Mapping[Any, str]) -> None:
        super().__init__(items)
        self.flags = dict(flags)


def as_written(number: int, written: str) -> int:
    """The number, a `Misread` if its digits are not what is written."""
    return number if str(int(number)) == written else _misread(int(number), written, str(int(number)))


def letters(given: Mapping[Any, Any], key: Any) -> Any:
    """The value of a key for who wants its letters: a flag is a `Misread` if it is written otherwise."""
    value = given.get(key)
    if isinstance(given, Spelt) and isinstance(value, bool) and key in given.flags:
        return _misread(value, given.flags[key], str(value).lower())
    return value


def _misread(value: int, written: str, read: str) -> Misread:
    made = Misread(value)
    made.written, made.read = written, read
    return made


def misread(value: Any, at: Place) -> bool:
    """Whether what is to be a text is such a number or flag, which is complained about."""
    if not isinstance(value, Misread):
        return False
    at.wrong(f'is {value.written}, which YAML reads as {value.read}. Write "{value.written}", in quotes.')
    return True


def not_decimal(value: Any, at: Place) -> bool:
    """Whether what is to be a number was written as another one, 01000 or 1:30, which is complained about."""
    if not isinstance(value, Misread) or value.written.replace("_", "").lstrip("+") == value.read:
        return False
    if value.written.lower().lstrip("+-").startswith(("0x", "0b")):
        return False  # who writes a number so means it
    at.wrong(
        f"is {value.written}, which YAML reads as {value.read}. Write a plain number, without a nought before it and "
        "without colons."
    )
    return True


def any_misread(items: Iterable[Any], at: Place) -> bool:
    """The same for the words of a list, each of which is told."""
    return sum(misread(item, at / place) for place, item in enumerate(items)) > 0

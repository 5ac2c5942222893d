"""Kinds of values: each takes what an inventory gave and makes of it what the site is built from, or complains.

A kind is called with the value and its place. What it cannot take it complains about there and answers None, so that
whoever reads goes on and everything wrong is told at once. None of them raises, whatever it is given.
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plugins.filter.durations import go_seconds
from plugins.plugin_utils.site.misread import any_misread, letters, misread, not_decimal
from plugins.plugin_utils.site.place import Place, hidden, listed, near, shown

Kind = Callable[[Any, Place], Any]
MIB = 1024 * 1024
UNITS = {"b": 1, "k": 1024, "m": MIB, "g": 1024 * MIB}
SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(b|k|m|g|kb|mb|gb)", re.IGNORECASE)
"""https://github.com/compose-spec/compose-spec/blob/main/11-extension.md#specifying-byte-values"""


def is_text(value: object) -> bool:
    """Whether a value is a text or a whole number, which both mean their letters."""
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def is_list(value: object) -> bool:
    """Whether a value is a list; a text is none."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))


def whole(value: object) -> int | None:
    """A whole number given as one or as its digits, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    if isinstance(value, int):
        return int(value)
    return int(value) if re.fullmatch(r"-?[0-9]{1,18}", value) else None


@dataclass(frozen=True)
class Text:
    """A text.

    Attributes:
        what: what it is, for the sentence.
        example: a right one.
        pattern: that all of it must match.
    """

    what: str = "a text"
    example: str = ""
    pattern: str = ""

    def __call__(self, value: Any, at: Place) -> str | None:
        """The text."""
        if misread(value, at):
            return None
        text = str(value) if is_text(value) else ""
        if not text or (self.pattern and not re.fullmatch(self.pattern, text)):
            at.wrong(
                f"is {shown(value)}, must be {self.what}{f', for example {self.example}' if self.example else ''}."
            )
            return None
        return text


@dataclass(frozen=True)
class Flag:
    """true or false. The texts are none: in most languages "false" counts as true."""

    def __call__(self, value: Any, at: Place) -> bool | None:
        """The flag."""
        if isinstance(value, bool):
            return value
        at.wrong(f"is {shown(value)}, must be true or false, without quotes.")
        return None


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`, of a unit."""

    low: int = 0
    high: int = 2**31 - 1
    unit: str = ""

    def __call__(self, value: Any, at: Place) -> int | None:
        """The number."""
        if not_decimal(value, at):
            return None
        number = whole(value)
        if number is None or not self.low <= number <= self.high:
            at.wrong(
                f"is {shown(value)}, must be a whole number{f' of {self.unit}' if self.unit else ''} "
                f"from {self.low} to {self.high}."
            )
            return None
        return number


@dataclass(frozen=True)
class Choice:
    """One of some words.

    Attributes:
        words: to choose from.
        instead: other words that people write, each with what to say of it.
    """

    words: tuple[str, ...]
    instead: Mapping[str, str] | None = None

    def __call__(self, value: Any, at: Place) -> str | None:
        """The word."""
        if isinstance(value, str) and value in self.words:
            return str(value)
        if isinstance(value, str) and self.instead and value in self.instead:
            at.wrong(f"is {value}: {self.instead[value]}")
        else:
            close = near(value, self.words)
            at.wrong(f"is {shown(value)}, must be one of {listed(self.words)}.{close}")
        return None


@dataclass(frozen=True)
class Size:
    """An amount of memory in Compose's spelling (`256m`), told in MiB, which is what `who` counts in."""

    low: int = 1
    high: int = 24 * 1024 * 1024
    who: str = "ECS"

    def __call__(self, value: Any, at: Place) -> int | None:
        """MiB."""
        number = whole(value)
        if number is not None:
            better = f"{number}m" if number < 1024 * 1024 else f"{number // MIB}m"
            better = better if number > 0 else "256m"  # Compose's -1 for no limit at all
            at.wrong(f"is {shown(value)}, which are bytes, as in Compose. Write it with a unit, for example {better}.")
            return None
        found = SIZE.fullmatch(value) if isinstance(value, str) else None
        if not found:
            at.wrong(f"is {shown(value)}, must be an amount of memory: a number with k, m or g, for example 256m.")
            return None
        mebibytes = float(found[1]) * UNITS[found[2][0].lower()] / MIB
        if mebibytes != mebibytes // 1:
            at.wrong(
                f"is {value}, which is no whole number of MiB, and {self.who} counts in these. Write for example 256m."
            )
            return None
        if not self.low <= mebibytes <= self.high:
            at.wrong(
                f"is {value}; {self.who} takes {self.low}m or more."
                if mebibytes < self.low
                else f"is {value}: too much."
            )
            return None
        return int(mebibytes)


@dataclass(frozen=True)
class Seconds:
    """A duration in Compose's spelling (`1m30s`), told in whole seconds, which is what `who` counts in."""

    low: int = 0
    high: int = 3600
    who: str = "ECS"

    def __call__(self, value: Any, at: Place) -> int | None:
        """Seconds."""
        number = whole(value)
        if number is not None:
            at.wrong(f"is {shown(value)}, without a unit. Write {abs(number) % 10**9}s.")
            return None
        seconds = go_seconds(value) if isinstance(value, str) and len(value) <= SHORT else -1.0
        if seconds < 0:
            at.wrong(f"is {shown(value)}, must be a duration: numbers with s, m or h, for example 30s.")
            return None
        if seconds != seconds // 1:
            at.wrong(f"is {value}, and {self.who} counts whole seconds. Write for example 2s.")
            return None
        if not self.low <= seconds <= self.high:
            at.wrong(f"is {value}; {self.who} takes {self.low}s to {self.high}s.")
            return None
        return int(seconds)


SHORT = 40
"""Characters of the longest text that can be a duration or a schedule."""


@dataclass(frozen=True)
class Words:
    """A command: a list of words, or one text, which is cut as a shell does (and as Compose does)."""

    example: str = '["gunicorn", "shop.wsgi"]'

    def __call__(self, value: Any, at: Place) -> tuple[str, ...] | None:
        """The words."""
        if isinstance(value, str):
            try:
                words = tuple(shlex.split(value))
            except ValueError as error:
                at.wrong(f"is {shown(value)}, which a shell could not read ({error}). Write a list: {self.example}.")
                return None
            if words:
                return words
        elif is_list(value) and value:
            if any_misread(value, at):
                return None
            wrong = [each for each in value if not is_text(each)]
            if not wrong:
                return tuple(str(each) for each in value)
            at.wrong(f"has {shown(wrong[0])}, which is no text. Put each word in quotes.")
            return None
        at.wrong(f"is {shown(value)}, must be a command: {self.example}.")
        return None


@dataclass(frozen=True)
class Listed:
    """A list, each item of one kind.

    Attributes:
        kind: of an item.
        example: an item.
        single: whether one item may stand for a list of it.
        least: items at least.
    """

    kind: Kind
    example: str
    single: bool = False
    least: int = 0

    def __call__(self, value: Any, at: Place) -> tuple[Any, ...] | None:
        """The items that are right."""
        if self.single and isinstance(value, str):
            item = self.kind(value, at)
            return None if item is None else (item,)
        if not is_list(value) or len(value) < self.least:
            at.wrong(f"is {shown(value)}, must be a list, for example [{self.example}].")
            return None
        items = [self.kind(item, at / place) for place, item in enumerate(value)]
        return tuple(item for item in items if item is not None)


@dataclass(frozen=True)
class Pairs:
    """Names with values: a mapping, or Compose's list of `name=value`.

    Attributes:
        kind: of a value.
        example: a pair, `NAME: value`.
        name: pattern that a name must match.
        separators: between name and value in a list.
    """

    kind: Kind
    example: str
    name: str = r"[^\s=]+"
    separators: str = "="

    def __call__(self, value: Any, at: Place) -> dict[str, Any] | None:
        """Name to value, those that are right."""
        pairs = self._pairs(value, at)
        if pairs is None:
            return None
        found: dict[str, Any] = {}
        for key, item, place in pairs:
            if not re.fullmatch(self.name, key):
                place.wrong(f"is no name that can stand here. Write for example {self.example}.")
            elif key in found:
                place.wrong(f"stands here twice ({key}). Leave it once.")
            elif (read := self.kind(item, place)) is not None:
                found[key] = read
        return found

    def _pairs(self, value: Any, at: Place) -> list[tuple[str, Any, Place]] | None:
        if isinstance(value, Mapping):
            for key in value:
                if isinstance(key, bool):
                    (at / key).wrong("is no name: YAML reads yes, no, on and off as flags. Put it in quotes.")
            return [(str(key), letters(value, key), at / key) for key in value if not isinstance(key, bool)]
        if not is_list(value):
            # A text may be `PASSWORD=…`: it is not shown, as little as what stands in a list for a pair.
            what = "is a text" if isinstance(value, str) else f"is {shown(value)}"
            at.wrong(f"{what}, must be a mapping, for example {{{self.example}}}.")
            return None
        pairs = []
        for place, item in enumerate(value):
            cut = re.fullmatch(rf"([^{self.separators}]+)[{self.separators}](.*)", item, re.DOTALL) if isinstance(
                item, str) else None  # fmt: skip
            if cut:
                pairs.append((cut[1].strip(), cut[2], at / place))
            else:
                # A text without a sign, or `- PASSWORD: …`, may have a value that was meant to be secret.
                what = "has no value" if isinstance(item, str) else f"is {hidden(item)}"
                (at / place).wrong(f"{what}. Write the mapping {{{self.example}}}.")
        return pairs


def plain(value: Any, at: Place) -> str | None:
    """The value of a label or a sysctl: a text, a number or a flag, as a text."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    if misread(value, at):
        return None
    if is_text(value):
        return str(value)
    at.wrong(f"is {shown(value)}, must be a text; put it in quotes.")
    return None


def network(value: Any, at: Place) -> str | None:
    """An IPv4 network (`203.0.113.7/32`)."""
    try:
        if isinstance(value, str) and "/" in value:
            return str(ipaddress.IPv4Network(value))
    except ValueError:
        pass
    at.wrong(f"is {shown(value)}, must be an IPv4 network; a single address is written with /32: 203.0.113.7/32.")
    return None


def address(value: Any, at: Place) -> str | None:
    """An IP address."""
    try:
        if isinstance(value, str):
            return str(ipaddress.ip_address(value))
    except ValueError:
        pass
    at.wrong(f"is {shown(value)}, must be an IP address, for example 10.20.0.5.")
    return None


def clean(path: str) -> str:
    """A path from the root as Docker reads it: `/srv/media/` is `/srv/media`."""
    return posixpath.normpath(f"/{path.lstrip('/')}")


def folder(value: Any, at: Place) -> str | None:
    """A path in a container at which something can be mounted: not the root itself, which Docker refuses."""
    found = absolute(value, at)
    if found is None or clean(found) != "/":
        return found
    at.wrong(f"is {found}, in whose place stands the image. Write a path below it, for example /srv/data.")
    return None


def absolute(value: Any, at: Place) -> str | None:
    """A path in a container, from the root."""
    if isinstance(value, str) and re.fullmatch(r"/[^\0:]*", value):
        return str(value)
    better = (
        f"/{value.lstrip('./')}" if isinstance(value, str) and value.strip("./") and ":" not in value else "/srv/data"
    )
    at.wrong(f"is {shown(value)}, must be a path from the root, for example {better}.")
    return None

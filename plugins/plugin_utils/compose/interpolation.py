"""Variables in a Compose file, `${NAME:-default}`: filled in as Compose does, remembering what was filled in.

https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PATTERN = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<named>[A-Za-z_]\w*)"
    r"|\{(?P<braced>[A-Za-z_]\w*)(?:(?P<how>:?[-?+])(?P<word>(?:[^{}]|\{[^{}]*\})*))?\})"
)
UNSET = "unset"
"""Stands in a text for a variable that nothing sets, where it matters that there will be something."""


class Filled(str):
    """A text whose variables were filled in.

    Attributes:
        values: name of each variable in it → what it was filled in with.
        missing: those that nothing sets and that have no default; they are empty, as in Compose.
        probe: the same text with `UNSET` for each of those.
    """

    values: Mapping[str, str]
    missing: tuple[str, ...]
    probe: str

    @classmethod
    def of(cls, text: str, values: Mapping[str, str], missing: tuple[str, ...], probe: str) -> Filled:
        """Make one."""
        made = cls(text)
        made.values, made.missing, made.probe = values, missing, probe
        return made

    def piece(self, text: str) -> Filled:
        """A piece of it, with the variables whose values are in that."""
        within = {name: value for name, value in self.values.items() if value and value in text}
        return Filled.of(text, within, (), text)


def filled(text: str, known: Mapping[str, str]) -> str:
    """A text with its variables filled in.

    Args:
        text: as written; `$$` is a dollar sign.
        known: what the variables are.

    Returns:
        The text itself where it has no variable, else a `Filled`.
    """
    values: dict[str, str] = {}
    missing: list[str] = []

    def value(found: re.Match[str], unset: str) -> str:
        if found["escaped"]:
            return "$"
        name, how, word = found["named"] or found["braced"], found["how"] or "", found["word"] or ""
        given = known.get(name)
        there = given is not None and (given != "" or not how.startswith(":"))
        if how.endswith("+"):
            made = _inner(word, unset) if there else ""
        elif there:
            made = str(given)
        elif how.endswith("-"):
            made = _inner(word, unset)
        else:
            missing.append(name)
            made = unset
        values.setdefault(name, made)
        return made

    def _inner(word: str, unset: str) -> str:
        return PATTERN.sub(lambda found: value(found, unset), word)

    made = _inner(text, "")
    if not values:
        return made
    return Filled.of(made, values, tuple(dict.fromkeys(missing)), probe=_inner(text, UNSET))


def fill(value: Any, known: Mapping[str, str]) -> Any:
    """A tree with the variables of its texts filled in; keys are left as they are, as Compose does."""
    if isinstance(value, str):
        return filled(value, known)
    if isinstance(value, Mapping):
        return {key: fill(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, known) for item in value]
    return value


def names_of(value: Any) -> tuple[str, ...]:
    """The variables that a text was made of."""
    return tuple(value.values) if isinstance(value, Filled) else ()


def missing_of(value: Any) -> tuple[str, ...]:
    """The variables in a text that nothing sets."""
    return value.missing if isinstance(value, Filled) else ()


def probe_of(value: Any) -> Any:
    """The value to judge: with something in the place of each variable that nothing sets."""
    return value.probe if isinstance(value, Filled) else value

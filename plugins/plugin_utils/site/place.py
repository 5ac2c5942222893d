"""Where something stands in a site's description, and what is wrong there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.layers import suggestion

Step = str | int
SHOWN = 60
"""Characters of a wrong value that are shown."""
LONGEST = 600
"""Characters of a sentence; only names of absurd length make one longer."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        path: from the variable down to the key (or the place in a list) that is wrong; where a key is missing, to what
            should have it.
        sentence: what is wrong and what to type, without a subject.
    """

    path: tuple[Step, ...]
    sentence: str

    @property
    def subject(self) -> str:
        """The path as a person writes it: `site_services.web.routes[0].path`."""
        first, *rest = self.path
        return str(first) + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in rest)

    def __str__(self) -> str:
        return f"{self.subject}: {self.sentence}"


class Place:
    """A place in the description, to go down from and to complain about.

    Args:
        path: of the place.
        problems: where complaints go; shared by all places of a description.
    """

    def __init__(self, path: tuple[Step, ...], problems: list[Problem]) -> None:
        self.path, self._problems = path, problems

    def __truediv__(self, step: object) -> Place:
        number = isinstance(step, int) and not isinstance(step, bool)
        return Place((*self.path, step if number else str(step)), self._problems)  # type: ignore[arg-type]  # narrowed

    def wrong(self, sentence: str) -> None:
        """Complain about this place."""
        problem = Problem(self.path, sentence if len(sentence) <= LONGEST else f"{sentence[: LONGEST - 1]}…")
        if problem not in self._problems:
            self._problems.append(problem)

    @property
    def name(self) -> str:
        """The last step, which is what the thing here is called."""
        return str(self.path[-1])

    @property
    def is_wrong(self) -> bool:
        """Whether something here or below was complained about."""
        return any(problem.path[: len(self.path)] == self.path for problem in self._problems)


def shown(value: Any) -> str:
    """A wrong value as a sentence shows it: as Python writes it, cut where it is long."""
    try:
        written = repr(value)
    except (RecursionError, ValueError):  # a number of more digits than Python turns into text
        written = f"a {type(value).__name__}"
    return written if len(written) <= SHOWN else f"{written[: SHOWN - 1]}…"


def hidden(value: Any) -> str:
    """A wrong value in whose place a secret may stand, by what it is."""
    if value is None:
        return "empty"
    kinds = ((Mapping, "a mapping"), ((list, tuple), "a list"), (str, "a text"), (bool, "a flag"))
    return next((what for kind, what in kinds if isinstance(value, kind)), "a number or a date")


def listed(words: Iterable[object]) -> str:
    """`a, b, c` for a sentence."""
    return ", ".join(map(str, words))


def near(word: object, known: Iterable[object]) -> str:
    """` Did you mean …?` where something in `known` looks like a word, else nothing."""
    return suggestion(word, known) if isinstance(word, str) and len(word) <= SHOWN else ""


def unknown(word: object, known: Iterable[object], what: str) -> str:
    """`is no …` with the nearest name, and with all of them where none is near."""
    names = [str(each) for each in known]
    return f"is no {what}.{near(str(word), names) or (f' There are {listed(names)}.' if names else '')}"

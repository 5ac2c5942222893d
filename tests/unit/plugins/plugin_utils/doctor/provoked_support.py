"""Failures that are brought about for real, each by a function that is called after what it provokes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.doctor.judging import recognised, told_by
from plugins.plugin_utils.doctor.signature import Evidence

Provokes = Callable[[Any], Iterable[Evidence]]


@dataclass
class Provoked:
    """The functions of a test's file, by what they provoke."""

    by: dict[str, Provokes] = field(default_factory=dict)

    def __call__(self, name: str) -> Callable[[Provokes], Provokes]:
        """Decorator: the function gives lines of which one tells of this failure."""

        def known(function: Provokes) -> Provokes:
            assert name not in self.by, name
            self.by[name] = function
            return function

        return known

    def prove(self, name: str, world: Any) -> None:
        """Provoke a failure, and see that it is recognised, with evidence, cause and command.

        Args:
            name: of it.
            world: what the function is given.
        """
        lines = list(self.by[name](world))
        telling = [each for each in lines if (found := told_by(each)) and found.name == name]
        assert telling, f"{name} is not recognised in {[(each.kind, each.text) for each in lines]}"
        (finding,) = recognised(telling)
        assert finding.signature == name
        assert finding.evidence[0].text == telling[0].text
        assert finding.cause.endswith(".")
        assert finding.types

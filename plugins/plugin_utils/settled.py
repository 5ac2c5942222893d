"""Variables that many templates read, rendered once.

Ansible compiles and renders a variable anew wherever another one reads it, and what that is made of anew with it: the
name of a site a hundred times for its layers. Here each becomes a value first, which the others then read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleError

from plugins.plugin_utils.site.reading import ALSO_READ, VARIABLES

JINJA = re.compile(r"\{[{%]")
NAME = re.compile(r"(?<![\w.])[^\W\d]\w*")
"""Behind a dot it is an attribute."""
SITE = re.compile(r"\blookup\(\s*'site'")
"""Reads those variables of the site, whatever else is named beside it."""
UNNAMED = frozenset({"extends", "hostvars", "import", "include", "lookup", "q", "query", "varnames", "vars"})
"""What may read variables that are not named beside it."""
MISSING = object()


@dataclass(frozen=True)
class _Value:
    """What a variable comes to.

    Attributes:
        read: the variables that it is made of, itself among them, as they are written; `MISSING` for one that is not
            there. Kept so that no other comes to have the identity of one.
        value: None where it cannot be rendered.
    """

    read: Mapping[str, Any]
    value: Any

    def holds(self, variables: Mapping[str, Any]) -> bool:
        """Whether these variables give the same value: all that it is made of is the same object."""
        return all(variables.get(name, MISSING) is written for name, written in self.read.items())


class Settled:
    """Variables as values, kept for those who see the same variables.

    Args:
        render: gives what a variable comes to with the others; raises AnsibleError.
    """

    def __init__(self, render: Callable[[Any, dict[str, Any]], Any]) -> None:
        self._render = render
        self._values: dict[int, _Value] = {}
        self._names: dict[int, tuple[Any, frozenset[str] | None]] = {}

    def behind(self, written: Any, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The variables, of which those are values that `written` is made of.

        One that cannot be rendered stays as it is written: if it is needed after all, that says what is wrong.
        """
        known = dict(variables)
        for name in self._named_in(written) or ():
            self._settle(name, variables, known, frozenset())
        return known

    def _settle(
        self, name: str, variables: Mapping[str, Any], known: dict[str, Any], above: frozenset[str]
    ) -> Mapping[str, Any] | None:
        """Make a variable a value in `known`; give what it is made of, None where that cannot be told by names."""
        written = variables.get(name, MISSING)
        names = self._named_in(written)
        if names is None or name in above:
            return None
        if not names:
            return {name: written}
        kept = self._values.get(id(written))
        if kept is None or not kept.holds(variables):
            read = {name: written}
            for each in names:
                if (more := self._settle(each, variables, known, above | {name})) is None:
                    return None
                read |= more
            kept = self._values[id(written)] = _Value(read, self._rendered(written, known))
        if kept.value is not None:
            known[name] = kept.value
        return kept.read

    def _rendered(self, written: Any, known: dict[str, Any]) -> Any:
        try:
            return self._render(written, known)
        except AnsibleError:
            return None

    def _named_in(self, written: Any) -> frozenset[str] | None:
        """The words of a value's templates, some of which are variables; None where it may read others too."""
        if id(written) not in self._names:
            found: set[str] = set()
            for text in _templates(written):
                if SITE.search(text):
                    found |= {*VARIABLES, *ALSO_READ}
                found |= set(NAME.findall(SITE.sub("", text)))
            self._names[id(written)] = written, None if found & UNNAMED else frozenset(found)
        return self._names[id(written)][1]


def _templates(written: Any) -> Iterator[str]:
    if isinstance(written, str):
        if JINJA.search(written):
            yield written
    elif isinstance(written, Mapping):
        for value in written.values():
            yield from _templates(value)
    elif isinstance(written, (list, tuple)):
        for value in written:
            yield from _templates(value)

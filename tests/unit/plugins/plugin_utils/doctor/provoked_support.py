"""Failures that are brought about for real, each by a function that is called after what it provokes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from plugins.plugin_utils.doctor.judging import recognised, told_by
from plugins.plugin_utils.doctor.signature import Evidence

Provokes = Callable[[Any], Iterable[Evidence]]
TESTS = Path(__file__).resolve().parents[4]
FILES = "test_provoked_*.py"
LIST = Path(__file__).with_name("not_provoked.yml")


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


def brought_about(tests: Path = TESTS) -> dict[str, list[str]]:
    """Name of each failure that a test brings about → the files that do, of unit and integration tests.

    The files are read, not run: some of them want Docker.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(tests.rglob(FILES)):
        for name in _names(ast.parse(path.read_text())):
            found.setdefault(name, []).append(path.name)
    return found


def _names(tree: ast.Module) -> Iterator[str]:
    """What decorates a function with its name (`@provoked("memory")`), and what stands in `Provoked({"memory": …})`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for each in node.decorator_list:
                if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and len(each.args) == 1:
                    yield from _texts(each.args)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == Provoked.__name__:
            for table in node.args:
                yield from _texts(table.keys if isinstance(table, ast.Dict) else [])


def _texts(nodes: Iterable[ast.expr | None]) -> Iterator[str]:
    return (each.value for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str))


def listed() -> tuple[dict[str, str], dict[str, str]]:
    """Of not_provoked.yml: name → the end-to-end test that brings it about, and name → why nothing here does."""
    read = yaml.safe_load(LIST.read_text())
    return read["by_a_site"], read["by_none"]

"""The embedded AWS is a package of its own: it needs nothing of the project that lies around it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from local_aws.scaffold import FOLDER

OUTSIDE = {"__main__.py": {"plugins.plugin_utils.troubleshooting"}}
"""Module → what it takes from outside: where a person finds more about a refusal."""


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def taken_from(around: set[str], folder: Path) -> dict[str, set[str]]:
    """Module → what it imports of the folders around the package."""
    found = {}
    for path in folder.rglob("*.py"):
        if taken := {name for name in imported(path) if name.partition(".")[0] in around}:
            found[str(path.relative_to(folder))] = taken
    return found


def test_nothing_is_imported_from_around_it() -> None:
    around = {path.name for path in FOLDER.parent.iterdir() if path.is_dir()} - {FOLDER.name}
    assert {"plugins", "scripts", "tests"} <= around
    assert taken_from(around, FOLDER) == OUTSIDE


def test_an_import_from_around_it_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_text("import json\n\n\ndef test():\n    from plugins import filter\n")
    assert taken_from({"plugins"}, tmp_path) == {"tests/test_a.py": {"plugins"}}

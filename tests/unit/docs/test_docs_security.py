"""docs/security.md: each guard names a test that is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.render_support import PROJECT

PAGE = PROJECT / "docs/security.md"
PROOF = re.compile(r"\[`(\w+)`\]\(([^)#\s]+\.py)\)")
ROW = re.compile(r"^\| (?!threat |---)(.+) \| (.+) \| (.+) \|$", re.MULTILINE)


def missing(page: Path) -> Iterator[str]:
    """Tests that a page names and that are not in their file, and guards without any."""
    text = page.read_text()
    for name, link in PROOF.findall(text):
        path = (page.parent / link).resolve()
        tests = ast.walk(ast.parse(path.read_text())) if path.exists() else ()
        if name not in {each.name for each in tests if isinstance(each, ast.FunctionDef)}:
            yield f"{link}: {name}"
    for threat, _guard, proof in ROW.findall(text):
        if not PROOF.search(proof):
            yield f"no test: {threat}"


def test_each_guard_is_proven_by_a_test_that_is_there() -> None:
    assert list(missing(PAGE)) == []
    assert len(ROW.findall(PAGE.read_text())) >= 20


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("| it asks | no | [`test_it`](test_a.py) |", []),
        ("| it asks | no | [`test_other`](test_a.py) |", ["test_a.py: test_other"]),
        ("| it asks | no | [`test_it`](test_b.py) |", ["test_b.py: test_it"]),
        ("| it asks | no | by looking |", ["no test: it asks"]),
    ],
)
def test_one_that_is_not_there_is_found(row: str, found: list[str], tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def test_it() -> None: ...\n")
    (tmp_path / "page.md").write_text(f"| threat | guard | proven by |\n|---|---|---|\n{row}\n")
    assert list(missing(tmp_path / "page.md")) == found

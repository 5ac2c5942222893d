"""A number counts as misread only where what stands in its file says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError

from plugins.plugin_utils.misreadings import with_misread
from plugins.plugin_utils.site.misread import Misread
from tests.unit.variables_support import LOADER


def gone(_: str) -> str:
    raise AnsibleError("It is gone.")


def numbers(value: Any, text_of: Callable[[str], str]) -> list[tuple[int, bool]]:
    """What the numbers of `{a: …, b: [c: …]}` are, and whether each is misread."""
    found = with_misread(value, text_of)
    return [(int(each), isinstance(each, Misread)) for each in (found["a"], found["b"][0]["c"])]


@pytest.mark.parametrize(
    ("text_of", "misread"),
    [
        (lambda path: Path(path).read_text(), True),
        (lambda _: "a: 493\nb: [{c: 31}]\n", False),
        (lambda _: "a: {{ x }}\nb: [{c: {{ x }}}]\n", False),
        (lambda _: "", False),
        (gone, False),
    ],
    ids=["as read", "changed meanwhile", "a template now", "shorter now", "gone"],
)
def test_a_number_is_misread_where_its_file_says_so(
    tmp_path: Path, text_of: Callable[[str], str], misread: bool
) -> None:
    (tmp_path / "site.yml").write_text("a: 0755\nb: [{c: 0x1F}]\n")
    given = LOADER.load_from_file(str(tmp_path / "site.yml"), cache="none")
    assert numbers(given, text_of) == [(493, misread), (31, misread)]


def test_a_number_that_was_read_nowhere_and_a_flag_stay_as_they_are() -> None:
    assert numbers({"a": 755, "b": [{"c": True}]}, lambda _: "0755") == [(755, False), (1, False)]


def test_what_is_no_whole_number_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("a: 1e3\nb: [{c: 12.50}]\n")
    given = LOADER.load_from_file(str(tmp_path / "site.yml"), cache="none")
    assert with_misread(given, lambda path: Path(path).read_text()) == {"a": "1e3", "b": [{"c": 12.5}]}

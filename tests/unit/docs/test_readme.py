"""README, CONTRIBUTING and the other pages name what is there, and nothing that is not read any more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.rules_support import PROJECT, role_variables

PAGES = [
    *PROJECT.glob("*.md"),
    *(
        path
        for top in ("docs", "examples", "inventories", "molecule", "roles")
        for path in (PROJECT / top).rglob("*.md")
    ),
]
TEXTS = [
    *(path for path in PAGES if path.name != "CHANGELOG.md"),
    *(path for top in ("group_vars", "inventories", "molecule") for path in (PROJECT / top).rglob("*.yml")),
]


def name(path: Path) -> str:
    return str(path.relative_to(PROJECT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_that_a_page_leads_to_is_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_no_page_and_no_default_names_what_is_not_read_any_more() -> None:
    """A variable that is refused with what to write instead is told nobody before."""
    removed = re.compile(rf"\b({'|'.join(role_variables()['preflight_removed'])})\b")
    found = [f"{name(path)}: {each}" for path in TEXTS for each in removed.findall(path.read_text())]
    assert found == []

"""Each failure is brought about by a test, or stands on the list of those that are not, with the reason."""

from __future__ import annotations

import re
from pathlib import Path

from plugins.plugin_utils.doctor.signatures import SIGNATURES
from scripts.pages.provoked import provoked
from tests.unit.plugins.plugin_utils.doctor.provoked_support import TESTS, brought_about, listed
from tests.unit.variables_support import PROJECT

NAMES = [each.name for each in SIGNATURES]
BY_A_SITE, BY_NONE = listed()


def test_each_failure_is_brought_about_or_on_the_list_and_none_is_both() -> None:
    """Who brings one about takes it off not_provoked.yml; who adds one that no test can brings it there."""
    found = {*brought_about(), *BY_A_SITE}
    assert [name for name in BY_NONE if name in found] == []
    assert sorted({*found, *BY_NONE}) == sorted(NAMES)


def test_a_failure_is_found_wherever_a_file_has_it(tmp_path: Path) -> None:
    (tmp_path / "test_provoked_by_x.py").write_text(
        'of_x = Provoked({"one": look})\n'
        '@of_x("two")\ndef _two(world): ...\n'
        'def test_three():\n    @Provoked()("three")\n    def _no(_): ...\n    @of_x("four")\n    def _four(_): ...\n'
        '@pytest.mark.parametrize("name", of_x.by)\ndef test_five(name): said("six")\n'
    )
    assert sorted(brought_about(tmp_path)) == ["four", "one", "two"]


def test_the_reasons_are_sentences() -> None:
    assert [name for name, why in BY_NONE.items() if not re.fullmatch(r"[A-Z].{20,}\.", why)] == []


def test_what_a_site_brings_about_is_asked_for_by_its_test() -> None:
    """End-to-end tests want Docker and a site, so that here only their text is looked at."""
    for name, place in BY_A_SITE.items():
        assert f'found["{name}"]' in (TESTS / place).read_text(), f"{place} does not look for {name}"


def test_the_page_tells_both_numbers_and_the_reasons() -> None:
    said = provoked(PROJECT)
    assert f"Of these {len(NAMES)} failures {len(NAMES) - len(BY_NONE)} are brought about in tests." in said
    assert [name for name in BY_NONE if f"| `{name}` |" not in said] == []

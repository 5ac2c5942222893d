"""Each failure is brought about by a test, or stands on the list of those that are not, with the reason."""

from __future__ import annotations

import re

from plugins.plugin_utils.doctor.signatures import SIGNATURES
from tests.unit.plugins.plugin_utils.doctor.provoked_support import TESTS, brought_about, listed

NAMES = [each.name for each in SIGNATURES]
BY_A_SITE, BY_NONE = listed()


def test_each_failure_is_brought_about_or_on_the_list_and_none_is_both() -> None:
    """Who brings one about takes it off not_provoked.yml; who adds one that no test can brings it there."""
    places = sorted([*brought_about(), *BY_A_SITE, *BY_NONE])
    assert places == sorted(NAMES)


def test_the_reasons_are_sentences() -> None:
    assert [name for name, why in BY_NONE.items() if not re.fullmatch(r"[A-Z].{20,}\.", why)] == []


def test_what_a_site_brings_about_is_asked_for_by_its_test() -> None:
    """End-to-end tests want Docker and a site, so that here only their text is looked at."""
    for name, place in BY_A_SITE.items():
        assert f'found["{name}"]' in (TESTS / place).read_text(), f"{place} does not look for {name}"

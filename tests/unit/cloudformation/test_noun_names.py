"""Names that the model judges are those that the templates make."""

from __future__ import annotations

import re

import pytest
import yaml

from plugins.plugin_utils.site.names import MOST
from plugins.plugin_utils.site.nouns import NOUNS
from plugins.plugin_utils.site.reading import read_site
from tests.unit.render_support import PROJECT

WRITTEN = {
    ("service", "log group"): r'LogGroupName: !Sub "(.+)"',
    ("job", "log group"): r'LogGroupName: !Sub "(.+)"',
    ("secret", "secret"): r'Name: !Sub\n +- "(.+)"',
    ("database", "secret"): r'  Name: !Sub "(.+/login)"',
    ("volume", "file system's Name tag"): r'\{Key: Name, Value: !Sub "(.+)"\}',
}
"""Noun and name → how its template has it."""
PARTS = {
    "site": "${SiteName}",
    "environment": "${EnvironmentName}",
    "prefix": "${SiteName}-${EnvironmentName}",
    "entry": "${EntryName}",
}


@pytest.mark.parametrize(("noun", "what"), WRITTEN)
def test_a_name_is_judged_as_it_is_made(noun: str, what: str) -> None:
    (form,) = (name.form for name in NOUNS[noun].names if name.what == what)
    found = re.search(WRITTEN[noun, what], (PROJECT / f"cloudformation/{noun}.yml").read_text())
    assert found
    made = found[1].replace("${StackDigits}", "01234567")
    assert form.format(**PARTS, noun=noun) == made


@pytest.mark.parametrize("noun", NOUNS)
def test_an_entry_s_name_is_as_long_as_its_template_takes(noun: str) -> None:
    template = (PROJECT / f"cloudformation/{noun}.yml").read_text()
    declared = re.search(r"\n  EntryName:\n(?:    .*\n)*?    AllowedPattern: (.+)\n", template)
    if declared:  # a bucket's stack has no use for it
        pattern = re.compile(str(yaml.safe_load(declared[1])))
        assert pattern.fullmatch("a" * MOST)
        assert not pattern.fullmatch("a" * (MOST + 1))
    variable = NOUNS[noun].variable
    identity = {"site_name": "s", "environment_name": "e"}
    said = [
        [str(each) for each in read_site({**identity, variable: {name: {}}}).problems if "at most" in str(each)]
        for name in ("a" * MOST, "a" * (MOST + 1))
    ]
    assert said[0] == []
    assert [each for each in said[1] if each.startswith(f"{variable}.{'a' * (MOST + 1)}: is {MOST + 1} characters")]


def test_a_stack_s_name_that_is_too_long_with_the_site_s_is_told_how_short_it_must_be() -> None:
    def said(entry: str) -> list[str]:
        given = {"site_name": "s" * 60, "environment_name": "e" * 20, "site_volumes": {entry: {}}}
        return [str(each) for each in read_site(given).problems if "stack" in str(each)]

    assert said("a" * 39) == []
    (sentence,) = said("a" * 40)
    assert "makes the name of its stack 129 characters long, and AWS takes 128. Shorten it to 39" in sentence

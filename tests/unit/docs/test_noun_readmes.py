"""The READMEs of the nouns' roles: every key of an entry is named there, in words that the model takes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from plugins.plugin_utils.site.container import CONTAINER
from plugins.plugin_utils.site.nouns import NOUNS
from plugins.plugin_utils.site.nouns.job import UNPLACED
from plugins.plugin_utils.site.reading import read_site
from tests.unit.render_support import PROJECT
from tests.unit.roles.test_role_readmes import BLOCK

WHOSE = {"site_name": "shop", "environment_name": "prod", "domain_name": "www.acme.io"}


def readme(noun: str) -> str:
    return (PROJECT / f"roles/{noun}/README.md").read_text()


def described(noun: str) -> dict[str, Any]:
    """Entry → what a README shows of it, before its example."""
    found: dict[str, Any] = {}
    for block in BLOCK.finditer(readme(noun).partition("\n## Example\n")[0]):
        shown = yaml.safe_load(block["yaml"])
        assert set(shown) == {NOUNS[noun].variable}
        found |= shown[NOUNS[noun].variable]
    return found


def test_what_the_readmes_describe_is_one_right_site() -> None:
    given: dict[str, Any] = WHOSE | {each.variable: described(noun) for noun, each in NOUNS.items()}
    site = read_site(given)
    assert [str(problem) for problem in site.problems] == []
    given["site_volumes"]["media"]["uidd"] = 7
    assert read_site(given).problems, "and one with another key is not"


@pytest.mark.parametrize("noun", NOUNS)
def test_every_key_of_an_entry_is_described_and_read(noun: str) -> None:
    shown = {key for entry in described(noun).values() for key in entry}
    wanted = set(NOUNS[noun].schema.keys)
    if noun == "job":
        wanted -= set(CONTAINER.keys) - {"like", "command"}
        for key in UNPLACED:
            assert f"`{key}`" in readme(noun), "it says which keys of a container a job has not"
        assert "../service/README.md" in readme(noun), "it says where the others are described"
    assert wanted <= shown, "its README says nothing about a key"


def test_every_key_of_a_container_is_described() -> None:
    shown = {key for entry in described("service").values() for each in entry["containers"].values() for key in each}
    assert shown == set(CONTAINER.keys)

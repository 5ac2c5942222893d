"""What a firewall does with a request, as its template reads it."""

from __future__ import annotations

from typing import Any

from plugins.plugin_utils.site.waf import USUAL, capacities, described
from plugins.plugin_utils.site.waf_groups import GROUPS
from tests.unit.plugins.plugin_utils.site.support import read, small
from tests.unit.plugins.plugin_utils.site.wrong_in_waf import COMMON, SQL


def waf(text: str) -> dict[str, Any]:
    site = read(small(f"site_waf: {{{text}}}"))
    assert site.problems == []
    return described(site.waf)


def test_a_site_without_one_has_nothing_of_it() -> None:
    for text in ("", "site_waf: {}"):
        site = read(small(text))
        assert site.waf is None
        assert described(site.waf) == {}


def test_one_that_says_next_to_nothing_counts_by_the_usual_groups_and_keeps_no_log() -> None:
    made = waf("mode: count")
    assert [each["name"] for each in made["groups"]] == list(USUAL)
    assert {each["mode"] for each in made["groups"]} == {"count"}
    assert (made["sets"], made["rate"], made["log_days"], made["blocks"]) == ([], 0, 0, False)


def test_a_group_that_blocks_lets_uploads_pass_until_it_is_told_otherwise() -> None:
    (group,) = waf(f"mode: block, groups: [{COMMON}]")["groups"]
    assert (group["mode"], group["count"]) == ("block", ["SizeRestrictions_BODY"])
    (group,) = waf(f"mode: block, groups: [{COMMON}], uploads: false")["groups"]
    assert group["count"] == []
    (group,) = waf(f"mode: block, groups: [{COMMON}], count: [CrossSiteScripting_BODY]")["groups"]
    assert group["count"] == ["SizeRestrictions_BODY", "CrossSiteScripting_BODY"], "what is added takes nothing away"


def test_each_rule_may_have_its_own_mode() -> None:
    made = waf(f"rate: 2000, block: [198.51.100.7/32], groups: [{COMMON}, {SQL}], modes: {{rate: block, {SQL}: block}}")
    assert {each["name"]: each["mode"] for each in made["groups"]} == {COMMON: "count", SQL: "block"}
    assert (made["rate"], made["rate_mode"], made["blocks"]) == (2000, "block", True)
    assert [each["mode"] for each in made["sets"]] == ["count"]


def test_networks_are_in_sets_by_their_version_those_that_are_let_in_first() -> None:
    made = waf("mode: block, block: ['2001:db8::/32', 198.51.100.7/32], allow: [203.0.113.0/24, 192.0.2.0/24]")
    assert [(each["name"], each["version"], each["mode"]) for each in made["sets"]] == [
        ("allow", 4, "allow"),
        ("block", 4, "block"),
        ("block", 6, "block"),
    ]
    assert made["sets"][0]["networks"] == ["192.0.2.0/24", "203.0.113.0/24"]


def test_the_capacity_is_that_of_what_there_is() -> None:
    site = read(small(f"site_waf: {{rate: 2000, allow: [192.0.2.0/24, '2001:db8::/32'], groups: [{SQL}]}}"))
    assert site.waf is not None
    assert capacities(site.waf) == {SQL: 200, "allow": 2, "rate": 2}


def test_no_two_groups_have_a_rule_of_the_same_name() -> None:
    """Else one name under `count` would be two rules."""
    rules = [rule for group in GROUPS.values() for rule in group.rules]
    assert len(rules) == len(set(rules))

"""What status says of a maintenance page: since when, who is let through, and whether it is meant to be there."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from plugins.plugin_utils.status import maintenance, page, terminal
from plugins.plugin_utils.status.ledger import NONE
from plugins.plugin_utils.status.part import Part
from tests.unit.plugins.action.test_alb_maintenance import Site, cookie
from tests.unit.plugins.action.test_alb_maintenance import site as alb_site
from tests.unit.plugins.plugin_utils.status.status_support import NOW, Account, a_rule, said, status
from tests.unit.plugins.plugin_utils.status.test_status_parts import HELD, ledger

__all__ = ["alb_site"]  # the fixture
COOKIE = "0123456789abcdef0123456789abcdef"
SINCE = {"Berth::MaintenanceSince": "2026-11-27T08:30Z"}
MINE = {"Berth::Maintenance": "open", "Berth::MaintenanceBy": "maintenance", **SINCE}
LEFT = {**MINE, "Berth::MaintenanceBy": "release r1"}
LOCKED = "a lock that may not be read"


def closed(tags: dict[str, str], account: Account | None = None, addresses: tuple[str, ...] = ()) -> Account:
    """An account whose load balancer answers with the page."""
    header = {"HttpHeaderName": "Cookie", "Values": [f"*berth-maintenance={COOKIE}*"]}
    rules = [a_rule(1), a_rule(21, HttpHeaderConfig=header), a_rule(98), a_rule(99), a_rule(500)]
    if addresses:
        rules.insert(2, a_rule(22, SourceIpConfig={"Values": list(addresses)}))
    told = [{"Key": key, "Value": value} for key, value in tags.items()]
    account = account or Account()
    account.answers["describe_rules"] = {"Rules": rules}
    account.answers["describe_tags"] = lambda ResourceArns: {
        "TagDescriptions": [{"ResourceArn": arn, "Tags": told} for arn in ResourceArns if arn != "arn:rule/1"]
    }
    return account


def test_a_site_that_visitors_see_is_in_no_maintenance() -> None:
    model = status(Account())
    assert model["maintenance"]["on"] is False
    assert "Maintenance" not in [text for text, _ in terminal.rendered(model)]
    assert "Maintenance page" not in page.rendered(model)


def test_a_page_of_a_person_is_worth_knowing_and_no_reason_not_to_be_well() -> None:
    model = status(closed(MINE, addresses=("203.0.113.0/24",)))
    assert model["well"], said(model)
    assert said(model, "notes") == {"maintenance": ["is on for 1 hour: visitors are answered 503, and not by the site"]}
    assert model["notes"][0]["type"].endswith(" -e maintenance=off")
    expected = {"on": True, "since": "2026-11-27T08:30:00Z", "until": "", "cookie": True, "verb": ""}
    assert {name: model["maintenance"][name] for name in expected} == expected
    assert model["maintenance"]["addresses"] == ["203.0.113.0/24"]
    texts = [text for text, _ in terminal.rendered(model)]
    line = texts[texts.index("Maintenance") + 1]
    assert line == (
        "  is on since 2026-11-27 08:30 UTC: visitors are answered 503, but for who has the cookie, 203.0.113.0/24"
    )
    html = page.rendered(model)
    assert "<dt>Let through</dt><dd>who has the cookie, 203.0.113.0/24</dd>" in html
    assert "<dt>Since</dt><dd>2026-11-27 08:30 UTC, 1 hour ago</dd>" in html


def test_the_cookie_is_shown_nowhere() -> None:
    model = status(closed(MINE))
    shown = [json.dumps(model), page.rendered(model), *(text for text, _ in terminal.rendered(model))]
    assert not [each for each in shown if COOKIE in each]


@pytest.mark.parametrize(
    ("until", "over"), [("2026-11-27T09:00Z", True), ("2026-11-27T10:00Z", False)], ids=["over", "not yet"]
)
def test_a_time_that_is_over_is_said(until: str, over: bool) -> None:
    model = status(closed({**MINE, "Berth::Maintenance": until}))
    assert model["well"]
    assert model["maintenance"]["over"] is over
    text = "\n".join(text for text, _ in terminal.rendered(model))
    assert (f"announced until 2026-11-27 {until[11:16]} UTC{', which is over' * over}:") in text


@pytest.mark.parametrize(
    ("lock", "well"), [({**HELD, "run": "r1"}, True), ({**HELD, "run": "r2"}, False), (None, False)],
    ids=["it runs", "another runs", "nobody runs"],
)  # fmt: skip
def test_a_page_that_a_run_has_left_is_not_well(lock: dict[str, Any] | None, well: bool) -> None:
    model = status(closed(LEFT, ledger(lock)))
    assert model["well"] is well
    if well:
        assert model["notes"][0]["type"] == "", "it takes it away itself"
    else:
        assert said(model)["maintenance"][0].startswith("is on, left by release, which runs no more")
        assert model["wrong"][0]["type"].endswith(" -e maintenance=off")


@pytest.mark.parametrize("why", ["no ledger", LOCKED])
def test_whether_it_runs_is_not_guessed(why: str) -> None:
    part = maintenance.look(closed(LEFT), "arn:listener", NOW)
    kept = Part(dict(NONE) | {"there": why == LOCKED})
    kept.unasked = [{"about": "lock", "action": "s3:GetObject", "why": "no"}] if why == LOCKED else []
    maintenance.judge(part, kept)
    assert (part.wrong, len(part.notes)) == ([], 1)


def test_what_is_left_of_it_is_told() -> None:
    account = closed(MINE)
    account.answers["describe_rules"]["Rules"].pop(3)
    model = status(account)
    assert said(model, "notes") == {"maintenance": ["is off, and 2 of its rules are left"]}
    assert model["maintenance"]["on"] is False


def test_it_is_read_as_the_verb_has_made_it(alb_site: Site) -> None:
    now = datetime.datetime.now(datetime.UTC)
    arguments = (alb_site.aws.client, alb_site.listener, now)
    assert maintenance.look(*arguments).facts["on"] is False
    alb_site.typed("on", for_time="2h", allowed_cidrs=["203.0.113.9/32"])
    part = maintenance.look(*arguments)
    assert part.unasked == []
    facts = part.facts
    assert (facts["on"], facts["cookie"], facts["addresses"]) == (True, True, ["203.0.113.9/32"])
    assert (facts["over"], facts["verb"]) == (False, "")
    assert facts["age_seconds"] < 180
    assert cookie(alb_site).partition("=")[2] not in json.dumps(facts)

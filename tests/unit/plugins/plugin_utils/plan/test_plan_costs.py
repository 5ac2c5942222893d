"""What a plan says of a month's costs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.plugin_utils.plan import as_json, costs, markdown, terminal
from plugins.plugin_utils.plan.billed import Quantities
from plugins.plugin_utils.plan.model import SitePlan, StackChange

PRICES: dict[str, Any] = {
    "region": "us-east-1",
    "read": "2026-11-26",
    "hours": 730,
    "prices": {
        "t3.micro": {"what": "host, `t3.micro`", "usd": 0.0104, "per": "hour"},
        "ebs": {"what": "disk of a host, EBS gp3", "usd": 0.08, "per": "GB-month"},
        "secret": {"what": "secret, Secrets Manager", "usd": 0.4, "per": "month"},
    },
}
ONE = {"t3.micro": 1, "ebs": 30, "secret": 2}
SOURCE = "at list prices of us-east-1, read on 2026-11-26 (docs/prices.yml)"
LEAST = f"hosts at their least number; not in it: {costs.NOT_IN}"


def cost(before: Quantities, after: Quantities, region: str = "us-east-1") -> dict[str, Any]:
    return costs.difference(before, after, region, PRICES)


@pytest.mark.parametrize(
    ("before", "after", "sums"),
    [
        (ONE, ONE, ("10.79", "10.79", "+$0.00")),
        (ONE, ONE | {"t3.micro": 2, "ebs": 60}, ("10.79", "20.78", "+$9.99")),
        (ONE | {"secret": 4}, ONE, ("11.59", "10.79", "-$0.80")),
        ({}, ONE, ("0.00", "10.79", "+$10.79")),
        (ONE, {}, ("10.79", "0.00", "-$10.79")),
    ],
    ids=["the same", "one more host", "fewer secrets", "from nothing", "to nothing"],
)
def test_the_difference_is_what_is_up_from_what_would_be(
    before: Quantities, after: Quantities, sums: tuple[str, str, str]
) -> None:
    found = cost(before, after)
    assert (found["before"], found["after"], found["change"]) == sums


def test_each_line_that_changes_is_told_with_its_count() -> None:
    found = cost(ONE, ONE | {"t3.micro": 2, "ebs": 60})
    assert costs.heading(found) == f"A month: $10.79 → $20.78 (+$9.99), {SOURCE}"
    assert list(costs.lines(found)) == [
        "host, t3.micro: 1 → 2, +$7.59",
        "disk of a host, EBS gp3: 30 → 60 GB, +$2.40",
        LEAST,
    ]


def test_from_nothing_a_terminal_has_the_sum_and_the_others_the_lines() -> None:
    plan = SitePlan("shop", "live", [], cost=cost({}, ONE))
    said = [text for text, _ in terminal.lines(plan)]
    assert said[-2:] == ["  docs/costs.md says what that is made of", f"  {LEAST}"]
    assert "- host, t3.micro: 0 → 1, +$7.59\n" in markdown.text(plan, "plan.yml")
    plan.cost = cost({"m5.large": 1}, ONE)
    assert "  host, t3.micro: 0 → 1, +$7.59" in [text for text, _ in terminal.lines(plan)]


def test_what_stays_is_a_sum() -> None:
    found = cost(ONE, ONE)
    assert costs.heading(found) == f"A month: $10.79 as it is, {SOURCE}"
    assert list(costs.lines(found)) == [LEAST]


def test_what_changes_and_comes_to_the_same_is_told() -> None:
    found = cost(ONE, {"t3.micro": 1, "ebs": 35, "secret": 1})
    assert found["change"] == "+$0.00"
    assert len(list(costs.lines(found))) == 3


def test_what_has_no_price_is_named_also_where_it_goes() -> None:
    found = cost(
        ONE | {"m5.large": 1, "network load balancer": 1}, ONE | {"network load balancer": 1, "db.r5.large": 2}
    )
    (said,) = [line for line in costs.lines(found) if "no price" in line]
    assert said == "no price is known of db.r5.large (0 → 2), m5.large (1 → 0), network load balancer (1)"
    assert found["change"] == "+$0.00"


def test_another_region_has_other_prices() -> None:
    assert costs.heading(cost(ONE, ONE, "eu-central-1")).endswith("; the site's region has others")


def test_every_way_of_showing_a_plan_has_it() -> None:
    plan = SitePlan("shop", "live", [StackChange("network", "x")])
    assert json.loads(as_json.text(plan))["cost"] is None
    assert "A month" not in markdown.text(plan, "plan.yml")
    plan.cost = cost(ONE, ONE | {"t3.micro": 2})
    assert json.loads(as_json.text(plan))["cost"] == plan.cost
    said = [text for text, _ in terminal.lines(plan)]
    assert said[-3:] == [f"{costs.heading(plan.cost)}:", "  host, t3.micro: 1 → 2, +$7.59", f"  {LEAST}"]
    written = markdown.text(plan, "plan.yml")
    assert "#### A month: $10.79 → $18.38 \\(+" not in written, "a bracket is no markup by itself"
    assert "#### A month: $10.79 → $18.38 (+$7.59), at list prices of us-east-1" in written
    assert "- host, t3.micro: 1 → 2, +$7.59\n" in written
    assert not plan.changes, "that alone is no change"

"""The estimate of a month: what there is, at the prices that are known; what has none is said."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.status.costs import amount, estimate, known, quantities
from tests.unit.plugins.plugin_utils.status.status_support import SETTINGS, Account, site, status

PRICES: dict[str, Any] = {
    "region": "us-east-1", "read": "2026-11-26", "hours": 730,
    "prices": {
        "t3.micro": {"what": "host, `t3.micro`", "usd": 0.0104, "per": "hour"},
        "ebs": {"what": "disk", "usd": 0.08, "per": "GB-month"},
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "quantity", "usd"), [("t3.micro", 1, "7.59"), ("t3.micro", 2, "15.18"), ("ebs", 30, "2.40")]
)
def test_a_price_is_taken_as_often_as_there_is_something(name: str, quantity: float, usd: str) -> None:
    assert str(amount(PRICES, name, quantity)) == usd


def test_the_sum_is_that_of_its_lines_and_what_has_no_price_is_said() -> None:
    made = estimate({"t3.micro": 1, "ebs": 30, "m9.huge": 1}, "eu-central-1", PRICES)
    assert made["usd"] == "9.99"
    assert [each["usd"] for each in made["lines"]] == ["7.59", "2.40"]
    assert made["without_price"] == ["m9.huge"]
    assert (made["dated"], made["prices_of"], made["same_region"]) == ("2026-11-26", "us-east-1", False)
    assert estimate({}, "us-east-1", PRICES)["same_region"]


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (SETTINGS, {"ipv4": 3, "zone": 1}),
        (SETTINGS | {"nat": True, "zones": 0}, {"ipv4": 3, "nat": 1}),
    ],
)
def test_a_site_is_counted_as_it_is(settings: dict[str, Any], found: dict[str, float]) -> None:
    facts = {
        "hosts": [{"type": "t3.micro"}],
        "databases": [{"class": "db.t3.micro", "storage_gb": 20, "multi_az": True}],
        "volumes": [{"size_gb": 1.5}],
    }
    assert quantities(site(), facts, settings) == found | {
        "t3.micro": 1, "ebs": 30, "alb": 1, "db.t3.micro": 2, "rds_storage": 40, "efs": 1.5, "secret": 2,
    }  # fmt: skip


def test_the_models_estimate_is_of_the_checked_in_prices() -> None:
    cost = status(Account())["cost"]
    assert cost["dated"] == str(known()["read"])
    assert cost["without_price"] == []
    assert float(cost["usd"]) == pytest.approx(sum(float(each["usd"]) for each in cost["lines"]))

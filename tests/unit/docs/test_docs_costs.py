"""docs/costs.md: its sums are those of docs/prices.yml, whose lines are those of the inventories."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from plugins.plugin_utils.site.reading import read_site
from scripts.docs_pages import PROJECT, filled
from scripts.pages.markdown import LINK, section
from tests.unit.rules_support import of_inventory

SOURCE = (PROJECT / "docs/costs.md").read_text()
PAGE = filled(SOURCE, "docs/costs.md")
KNOWN = yaml.safe_load((PROJECT / "docs/prices.yml").read_text())
SITES = list(KNOWN["sites"])
BALANCER_ADDRESSES = 2
"""One a zone: cloudformation/cluster.yml gives the load balancer two subnets."""


def defaults() -> dict[str, Any]:
    """What holds where an inventory says nothing."""
    files = (PROJECT / "group_vars/all").glob("*.yml")
    return {name: value for file in files for name, value in yaml.safe_load(file.read_text()).items()}


def fixed(given: dict[str, Any]) -> dict[str, int]:
    """What a site has whoever visits it, by the prices' names, from its variables."""
    site = read_site(given | {"site_name": "shop", "environment_name": "live"})
    assert [str(problem) for problem in site.problems] == []
    databases = [each for each in site.entries["database"].values() if not each.endpoint]
    hosts = site.hosts.min
    found = {
        given["host_instance_type"]: hosts,
        "ebs": hosts * given["host_volume_gb"],
        "ipv4": BALANCER_ADDRESSES + (hosts if given["network_nat"] == "none" else 1),
        "alb": 1,
        "rds_storage": sum(each.storage_gb * (1 + each.multi_az) for each in databases),
        "secret": 2 * len(databases) + sum(bool(each.generate) for each in site.entries["secret"].values()),
        "zone": 1,
    }
    for each in databases:
        found[each.class_] = found.get(each.class_, 0) + 1 + each.multi_az
    return found | ({"nat": 1} if given["network_nat"] == "gateway" else {})


def rows(part: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    lines = [line.strip("| ").split(" | ") for line in section(PAGE, part)[1].splitlines() if line.startswith("|")]
    return lines[2:]


@pytest.mark.parametrize("name", SITES)
def test_a_site_has_what_its_inventory_chooses(name: str) -> None:
    assert fixed(defaults() | of_inventory(name)) == KNOWN["sites"][name]["fixed"]


@pytest.mark.parametrize(
    "change",
    [
        {"host_instance_type": "t3.small"},
        {"host_volume_gb": 40},
        {"site_hosts": {"min": 2}},
        {"network_nat": "gateway"},
        {"site_databases": {"main": {"class": "db.t4g.micro"}}},
        {"site_databases": {"main": {"multi_az": True}}},
        {"site_databases": {"main": {"storage_gb": 30}}},
    ],
    ids=str,
)
def test_another_choice_of_an_inventory_would_be_noticed(change: dict[str, Any]) -> None:
    assert fixed(defaults() | of_inventory("new") | change) != KNOWN["sites"]["new"]["fixed"]


@pytest.mark.parametrize("name", SITES)
def test_the_sum_is_that_of_the_lines_and_each_line_its_price_as_often(name: str) -> None:
    *lines, (together, total) = [[row[0], row[-1].strip("*")] for row in rows(f"inventories{name}")]
    quantities = KNOWN["sites"][name]["fixed"] | KNOWN["sites"][name]["used"]
    assert together == "**together**"
    assert len(lines) == len(quantities)
    assert float(total) == pytest.approx(sum(float(amount) for _, amount in lines))
    for (what, amount), (price, quantity) in zip(lines, quantities.items(), strict=True):
        told = KNOWN["prices"][price]
        times = 730 if told["per"] == "hour" else 1
        assert what.startswith(told["what"])
        assert float(amount) == pytest.approx(told["usd"] * quantity * times, abs=0.0051)


def test_what_another_choice_adds_is_the_sum_of_its_lines() -> None:
    told = {row[0]: float(row[-1]) for row in rows("what-another-choice-adds")}
    assert told.keys() == KNOWN["choices"].keys()
    assert told["`network_nat: gateway`"] == pytest.approx(730 * 0.045 + 5 * 0.045, abs=0.01)


def test_every_price_is_used_and_says_where_it_is_from() -> None:
    lines = [*KNOWN["choices"].values(), *(part for site in KNOWN["sites"].values() for part in site.values())]
    assert {name for line in lines for name in line} == KNOWN["prices"].keys()
    for price in KNOWN["prices"].values():
        assert price["aws"].startswith("https://aws.amazon.com/")
        assert ("doubt" in price) != {"read_at", "dated"}.issubset(price), price
    table = section(PAGE, "where-the-prices-are-from")[1]
    assert [target for _, target, _ in LINK.findall(table)] == [price["aws"] for price in KNOWN["prices"].values()]
    assert str(KNOWN["read"]) in table


def test_a_price_stands_in_the_file_alone() -> None:
    assert not re.search(r"\d\.\d", SOURCE), "or it has to be changed twice"

"""What a site comes to in a month: what it has now, at the list prices of docs/prices.yml.

An estimate of what is billed by its size; what depends on visitors is not in it, and what has no price there is named.
Asks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import yaml

from plugins.plugin_utils.places import PROJECT
from plugins.plugin_utils.site.model import Site

FILE = "docs/prices.yml"
CENT = Decimal("0.01")
BALANCER_ADDRESSES = 2
"""One a zone: cloudformation/cluster.yml gives the load balancer two subnets."""
NOT_IN = "visitors' traffic, logs, images, backups, tables, buckets, functions and tax"


def known(project: Path = PROJECT) -> dict[str, Any]:
    """The prices, see the file."""
    prices: dict[str, Any] = yaml.safe_load((project / FILE).read_text())
    return prices


def amount(prices: Mapping[str, Any], name: str, quantity: float) -> Decimal:
    """What so much of a price comes to in a month, in dollars and whole cents.

    Args:
        prices: of `known`.
        name: of the price.
        quantity: in the price's unit, less the hours: one host is 1.

    Raises:
        KeyError: there is no such price.
    """
    price = prices["prices"][name]
    times = prices["hours"] if price["per"] == "hour" else 1
    return (Decimal(str(price["usd"])) * Decimal(str(quantity)) * times).quantize(CENT, ROUND_HALF_UP)


def quantities(site: Site, facts: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, float]:
    """Price → how much of it a site has now.

    Args:
        site: as the inventory describes it.
        facts: `hosts`, `databases`, `volumes` and `alarms` as they were found.
        settings: `volume_gb` of a host, `nat` (whether there is a gateway), `zones` (hosted zones).
    """
    found: dict[str, float] = {}

    def add(name: str, quantity: float) -> None:
        found[name] = found.get(name, 0) + quantity

    for host in facts["hosts"]:
        add(host["type"] or "host", 1)
        add("ebs", float(settings["volume_gb"]))
    add("ipv4", BALANCER_ADDRESSES + (1 if settings["nat"] else len(facts["hosts"])))
    add("alb", 1)
    for database in facts["databases"]:
        copies = 1 + database["multi_az"]
        add(database["class"], copies)
        add("rds_storage", database["storage_gb"] * copies)
    for volume in facts["volumes"]:
        add("efs", volume["size_gb"])
    if metrics := sum(alarm["metrics"] for alarm in facts.get("alarms", ())):
        add("alarm", metrics)
    if secrets := len(facts["databases"]) + sum(bool(each.generate) for each in site.secrets.values()):
        add("secret", secrets)
    if settings["zones"]:
        add("zone", settings["zones"])
    if settings["nat"]:
        add("nat", 1)
    return found


def estimate(amounts: Mapping[str, float], region: str, prices: Mapping[str, Any]) -> dict[str, Any]:
    """The estimate, with its lines.

    Args:
        amounts: of `quantities`.
        region: of the site; the prices are of one, which is said.
        prices: of `known`.
    """
    priced = {name: each for name, each in amounts.items() if name in prices["prices"]}
    lines = [
        {
            "what": prices["prices"][name]["what"].replace("`", ""),
            "quantity": quantity,
            "unit": "GB" if prices["prices"][name]["per"].startswith("GB") else "",
            "usd": str(amount(prices, name, quantity)),
        }
        for name, quantity in priced.items()
    ]
    return {
        "usd": str(sum((amount(prices, name, quantity) for name, quantity in priced.items()), Decimal("0.00"))),
        "lines": lines,
        "without_price": sorted(set(amounts) - set(priced)),
        "not_in": NOT_IN,
        "dated": str(prices["read"]),
        "prices_of": prices["region"],
        "same_region": region == prices["region"],
        "file": FILE,
    }

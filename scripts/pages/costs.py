"""What a site costs a month: the lines of docs/prices.yml with their amounts and sums, and the prices' sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import yaml

from scripts.pages.markdown import plain, table

CENT = Decimal("0.01")


def costs(project: Path) -> str:
    """A table with its sum for each site, and one of what other choices add."""
    known = _known(project)
    return "\n".join([*(_site(known, name) for name in known["sites"]), _choices(known)])


def prices(project: Path) -> str:
    """Each price, the page of AWS that holds, and where it was read."""
    known = _known(project)
    head = ["what", "dollars", "to be checked at", "read at"]
    rows = ([each["what"], _price(each), f"[AWS]({each['aws']})", _read_at(each)] for each in known["prices"].values())
    said = f"{known['region']}, read on {known['read']}; a price per hour is paid {known['hours']} times."
    return f"{said}\n\n{table(head, rows)}"


def amount(known: Mapping[str, Any], name: str, quantity: float) -> Decimal:
    """What so much of a price comes to in a month, in dollars and whole cents.

    Args:
        known: the content of docs/prices.yml.
        name: of the price.
        quantity: in the price's unit, less the hours: one host is 1.
    """
    price = known["prices"][name]
    times = known["hours"] if price["per"] == "hour" else 1
    return (Decimal(str(price["usd"])) * Decimal(str(quantity)) * times).quantize(CENT, ROUND_HALF_UP)


def _known(project: Path) -> dict[str, Any]:
    known: dict[str, Any] = yaml.safe_load((project / "docs/prices.yml").read_text())
    return known


def _site(known: Mapping[str, Any], name: str) -> str:
    site = known["sites"][name]
    rows = [*_rows(known, site["fixed"], ""), *_rows(known, site["used"], ", assumed")]
    total = ["**together**", "", "", f"**{_sum(known, site['fixed'] | site['used'])}**"]
    return f"## inventories/{name}\n\n{table(['what', 'how much', 'price', 'a month'], [*rows, total])}"


def _rows(known: Mapping[str, Any], lines: Mapping[str, float], how: str) -> Iterator[list[str]]:
    for name, quantity in lines.items():
        price = known["prices"][name]
        yield [f"{price['what']}{how}", _much(price, quantity), _price(price), str(amount(known, name, quantity))]


def _choices(known: Mapping[str, Any]) -> str:
    rows = []
    for choice, lines in known["choices"].items():
        parts = (_part(known["prices"][name], quantity) for name, quantity in lines.items())
        rows.append([choice, "; ".join(parts), str(_sum(known, lines))])
    return f"## What another choice adds\n\n{table(['choice', 'adds', 'a month'], rows)}"


def _sum(known: Mapping[str, Any], lines: Mapping[str, float]) -> Decimal:
    """Of the amounts as they are shown, so that whoever adds them up comes to it."""
    return sum((amount(known, name, quantity) for name, quantity in lines.items()), Decimal())


def _much(price: Mapping[str, Any], quantity: float) -> str:
    return f"{quantity} GB" if price["per"].startswith("GB") else str(quantity)


def _part(price: Mapping[str, Any], quantity: float) -> str:
    return f"{price['what']} ({_much(price, quantity)})"


def _price(price: Mapping[str, Any]) -> str:
    return f"{price['usd']} per {price['per']}"


def _read_at(price: Mapping[str, Any]) -> str:
    return f"<{price['read_at']}>, {price['dated']}" if "read_at" in price else plain(price["doubt"])

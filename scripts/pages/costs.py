"""What a site costs a month: the lines of docs/prices.yml with their amounts and sums, and the prices' sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from plugins.plugin_utils.status.costs import amount, known
from scripts.pages.markdown import plain, table


def costs(project: Path) -> str:
    """A table with its sum for each site, and one of what other choices add."""
    listed = known(project)
    return "\n".join([*(_site(listed, name) for name in listed["sites"]), _choices(listed)])


def prices(project: Path) -> str:
    """Each price, the page of AWS that holds, and where it was read."""
    listed = known(project)
    head = ["what", "dollars", "to be checked at", "read at"]
    rows = ([each["what"], _price(each), f"[AWS]({each['aws']})", _read_at(each)] for each in listed["prices"].values())
    said = f"{listed['region']}, read on {listed['read']}; a price per hour is paid {listed['hours']} times."
    return f"{said}\n\n{table(head, rows)}"


def _site(listed: Mapping[str, Any], name: str) -> str:
    site = listed["sites"][name]
    rows = [*_rows(listed, site["fixed"], ""), *_rows(listed, site["used"], ", assumed")]
    total = ["**together**", "", "", f"**{_sum(listed, site['fixed'] | site['used'])}**"]
    return f"## inventories/{name}\n\n{table(['what', 'how much', 'price', 'a month'], [*rows, total])}"


def _rows(listed: Mapping[str, Any], lines: Mapping[str, float], how: str) -> Iterator[list[str]]:
    for name, quantity in lines.items():
        price = listed["prices"][name]
        yield [f"{price['what']}{how}", _much(price, quantity), _price(price), str(amount(listed, name, quantity))]


def _choices(listed: Mapping[str, Any]) -> str:
    rows = []
    for choice, lines in listed["choices"].items():
        parts = (_part(listed["prices"][name], quantity) for name, quantity in lines.items())
        rows.append([choice, "; ".join(parts), str(_sum(listed, lines))])
    return f"## What another choice adds\n\n{table(['choice', 'adds', 'a month'], rows)}"


def _sum(listed: Mapping[str, Any], lines: Mapping[str, float]) -> Decimal:
    """Of the amounts as they are shown, so that whoever adds them up comes to it."""
    return sum((amount(listed, name, quantity) for name, quantity in lines.items()), Decimal())


def _much(price: Mapping[str, Any], quantity: float) -> str:
    return f"{quantity} GB" if price["per"].startswith("GB") else str(quantity)


def _part(price: Mapping[str, Any], quantity: float) -> str:
    return f"{price['what']} ({_much(price, quantity)})"


def _price(price: Mapping[str, Any]) -> str:
    return f"{price['usd']} per {price['per']}"


def _read_at(price: Mapping[str, Any]) -> str:
    return f"<{price['read_at']}>, {price['dated']}" if "read_at" in price else plain(price["doubt"])

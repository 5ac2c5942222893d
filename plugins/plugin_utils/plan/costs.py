"""What a plan would change of a month's costs, at the list prices of docs/prices.yml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from plugins.plugin_utils.plan.billed import Quantities
from plugins.plugin_utils.status import costs

NOT_IN = f"what lies in volumes, {costs.NOT_IN}"


def difference(before: Quantities, after: Quantities, region: str, prices: Mapping[str, Any]) -> dict[str, Any]:
    """The costs of a month as they are and as they would be.

    Args:
        before: of what is up; hosts at their least number.
        after: of what the inventory says.
        region: of the site; the prices are of one, which is said.
        prices: of `status.costs.known`.
    """
    names = list(dict.fromkeys([*before, *after]))
    priced = [name for name in names if name in prices["prices"]]
    was, would_be = (_sum(each, priced, prices) for each in (before, after))
    return {
        "before": str(was),
        "after": str(would_be),
        "change": _signed(would_be - was),
        "lines": [
            {
                "what": prices["prices"][name]["what"].replace("`", ""),
                "unit": "GB" if prices["prices"][name]["per"].startswith("GB") else "",
                "before": before.get(name, 0),
                "after": after.get(name, 0),
                "usd": _signed(_sum(after, [name], prices) - _sum(before, [name], prices)),
            }
            for name in priced
            if before.get(name, 0) != after.get(name, 0)
        ],
        "without_price": [
            {"what": name, "before": before.get(name, 0), "after": after.get(name, 0)}
            for name in sorted(set(names) - set(priced))
        ],
        "not_in": NOT_IN,
        "dated": str(prices["read"]),
        "prices_of": prices["region"],
        "same_region": region == prices["region"],
        "file": costs.FILE,
    }


def heading(cost: Mapping[str, Any]) -> str:
    """The difference in one line, and whose prices it is made of."""
    sums = (
        f"${cost['before']} → ${cost['after']} ({cost['change']})" if _changes(cost) else f"${cost['after']} as it is"
    )
    elsewhere = "" if cost["same_region"] else "; the site's region has others"
    return (
        f"A month: {sums}, at list prices of {cost['prices_of']}, read on {cost['dated']} ({cost['file']}){elsewhere}"
    )


def lines(cost: Mapping[str, Any], bare: bool = True) -> Iterator[str]:
    """What the difference is made of, and what is not in it; a sentence each.

    Args:
        cost: of `difference`.
        bare: whether all of it is told where nothing is up yet.
    """
    if cost["lines"] and not bare and not any(each["before"] for each in cost["lines"] + cost["without_price"]):
        yield "docs/costs.md says what that is made of"
    else:
        yield from (_line(each) for each in cost["lines"])
    if unknown := [f"{each['what']} ({_counted(each)})" for each in cost["without_price"]]:
        yield f"no price is known of {', '.join(unknown)}"
    yield f"hosts at their least number; not in it: {cost['not_in']}"


def _line(each: Mapping[str, Any]) -> str:
    unit = f" {each['unit']}" if each["unit"] else ""
    return f"{each['what']}: {_counted(each)}{unit}, {each['usd']}"


def _changes(cost: Mapping[str, Any]) -> bool:
    return bool(cost["before"] != cost["after"])


def _counted(each: Mapping[str, Any]) -> str:
    before, after = (f"{each[when]:g}" for when in ("before", "after"))
    return after if before == after else f"{before} → {after}"


def _sum(quantities: Quantities, names: list[str], prices: Mapping[str, Any]) -> Decimal:
    each = (costs.amount(prices, name, quantities[name]) for name in names if name in quantities)
    return sum(each, Decimal("0.00"))


def _signed(amount: Decimal) -> str:
    return f"{'-' if amount < 0 else '+'}${abs(amount)}"

"""The firewall for web applications of a site, `site_waf`: what is looked at in each request, and what comes of it.

Each rule counts or blocks. One that counts lets requests pass and says how many it would have blocked, so that a site
finds out before it shuts anybody out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.site.kinds import Choice, Flag, Listed, Pairs, Whole, whole
from plugins.plugin_utils.site.place import Place, listed, near, shown
from plugins.plugin_utils.site.schema import Key, Schema
from plugins.plugin_utils.site.waf_groups import BODY_SIZE, COMMON, GROUPS, PAID, groups_of

COUNT, BLOCK = "count", "block"
RATE_RULE, BLOCK_RULE, ALLOW_RULE = "rate", "block", "allow"
"""Rules that are not a group, as `modes` and metrics call them."""
CAPACITY_MOST = 1500
"""Web ACL capacity units that the price includes; up to 5,000 are to be had, for more.

https://docs.aws.amazon.com/waf/latest/developerguide/aws-waf-capacity-units.html
"""
RATE_CAPACITY, SET_CAPACITY = 2, 1
ADDRESSES_MOST = 10_000
"""Of a set; https://docs.aws.amazon.com/waf/latest/developerguide/limits.html"""
RATE_LEAST, RATE_MOST = 10, 2_000_000_000
"""https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html"""
LOG_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""
USUAL = (COMMON, "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesAmazonIpReputationList")


def group(value: Any, at: Place) -> str | None:
    """The name of a managed group."""
    if isinstance(value, str) and value in GROUPS:
        return str(value)
    if isinstance(value, str) and value in PAID:
        at.wrong(f"is {value}, which costs a fee of its own and has to be told about the site's pages. Take it out.")
        return None
    at.wrong(f"is {shown(value)}, which is no managed group of AWS.{_group_near(value)}")
    return None


def _group_near(value: Any) -> str:
    """The group that was perhaps meant, also where `common` or `CommonRuleSet` was written."""
    if isinstance(value, str) and value:
        letters = value.lower().replace("_", "")
        if within := [name for name in GROUPS if letters in name.lower()]:
            return f" Did you mean {within[0]}?"
    return near(value, GROUPS) or f" There are {listed(GROUPS)}."


def rule(value: Any, at: Place) -> str | None:
    """The name of a rule of a managed group."""
    if isinstance(value, str) and groups_of(value):
        return str(value)
    known = [name for each in GROUPS.values() for name in each.rules]
    at.wrong(
        f"is {shown(value)}, which is no rule of a managed group; WAF would take it and do nothing."
        f"{near(value, known) or f' Write for example {BODY_SIZE}.'}"
    )
    return None


def addresses(value: Any, at: Place) -> str | None:
    """A network, of version 4 or 6; WAF takes no network of everybody."""
    try:
        if isinstance(value, str) and "/" in value:
            found = ipaddress.ip_network(value)
            if found.prefixlen:
                return str(found)
            at.wrong(f"is {value}, which is everybody. Take it out.")
            return None
    except ValueError:
        pass
    at.wrong(
        f"is {shown(value)}, must be a network without bits behind its prefix; a single address is written with /32 "
        "or /128: 203.0.113.7/32."
    )
    return None


def days(value: Any, at: Place) -> int | None:
    """For how many days CloudWatch Logs keeps the log."""
    number = whole(value)
    if number in LOG_DAYS:
        return number
    at.wrong(f"is {shown(value)}, which CloudWatch Logs does not offer. Write one of {listed(LOG_DAYS)}.")
    return None


_MODE = Choice((COUNT, BLOCK), {"on": "write block.", "off": "take site_waf out.", "allow": "write count."})
SCHEMA = Schema(
    "site_waf",
    {
        "mode": Key(_MODE, COUNT),
        "groups": Key(Listed(group, COMMON), USUAL),
        "count": Key(Listed(rule, "CrossSiteScripting_BODY"), ()),
        "uploads": Key(Flag(), True),
        "rate": Key(Whole(RATE_LEAST, RATE_MOST, "requests in five minutes"), None),
        "allow": Key(Listed(addresses, "203.0.113.0/24"), ()),
        "block": Key(Listed(addresses, "198.51.100.7/32"), ()),
        "modes": Key(Pairs(_MODE, f"{RATE_RULE}: block"), {}),
        "log_days": Key(days, None),
    },
    {
        "rate_per_5_minutes": "write rate: 2000.",
        "limit": "write rate: 2000.",
        "scope": "it stands where visitors come in, at the CDN or at the load balancer, by itself. Take it out.",
        "rules": f"write groups: [{COMMON}]; rules of your own are for a layer of your own.",
        "exclude": "write count: [CrossSiteScripting_BODY].",
        "action": "write mode: block.",
        "redacted": "authorization and cookie are never in the log. Take it out.",
    },
)  # fmt: skip


@dataclass(frozen=True)
class Waf:
    """What `site_waf` says.

    Attributes:
        mode: `count` or `block`: of each rule that `modes` says nothing of.
        groups: managed groups, in the order in which they are asked.
        count: rules of groups that count whatever their group does.
        uploads: whether the rule about the size of a body counts whatever its group does.
        rate: requests that an address may make in five minutes; None for no limit.
        allow: networks that nothing else is asked about.
        block: networks that are let in nowhere.
        modes: a group, `rate` or `block` → its own mode.
        log_days: for how long the log is kept; None for no log.
    """

    mode: str
    groups: tuple[str, ...]
    count: tuple[str, ...]
    uploads: bool
    rate: int | None
    allow: tuple[str, ...]
    block: tuple[str, ...]
    modes: dict[str, str]
    log_days: int | None

    def of(self, name: str) -> str:
        """The mode of a group, of `rate` or of `block`."""
        return self.modes.get(name, self.mode)


def read(value: Any, at: Place) -> Waf | None:
    """The firewall; None where there is none, or where it is wrong, which is complained about.

    Args:
        value: of `site_waf`.
        at: its place.
    """
    if value is None or value == {}:
        return None
    keys = SCHEMA.read(value, at)
    if at.is_wrong:
        return None
    waf = Waf(**keys)
    _check(waf, at)
    return None if at.is_wrong else waf


def _check(waf: Waf, at: Place) -> None:
    named = [*waf.groups, *([RATE_RULE] if waf.rate else []), *([BLOCK_RULE] if waf.block else [])]
    if not named:
        at.wrong(f"has no rule that counts or blocks. Write groups: [{COMMON}], rate: 2000 or block: […].")
    for name in waf.modes:
        if name not in named:
            (at / "modes" / name).wrong(
                f"is the mode of a rule that there is none of.{near(name, named)} There is {listed(named)}."
            )
    for place, name in enumerate(waf.count):
        if not set(groups_of(name)) & set(waf.groups):
            (at / "count" / place).wrong(
                f"is a rule of {listed(groups_of(name))}, which groups does not name. Take it out."
            )
    for key, given in (("groups", waf.groups), ("allow", waf.allow), ("block", waf.block)):
        twice = [each for each in dict.fromkeys(given) if given.count(each) > 1]
        if twice:
            (at / key).wrong(f"has {twice[0]} twice. Leave it once.")
    for key, networks in (("allow", waf.allow), ("block", waf.block)):
        if len(networks) > ADDRESSES_MOST:
            (at / key).wrong(f"has {len(networks):,} networks; a set takes {ADDRESSES_MOST:,}.")
    taken = capacities(waf)
    if sum(taken.values()) > CAPACITY_MOST:
        (at / "groups").wrong(
            f"takes {sum(taken.values()):,} of {CAPACITY_MOST:,} units of capacity: "
            f"{listed(f'{name} {units}' for name, units in taken.items())}. Take one out."
        )


def capacities(waf: Waf) -> dict[str, int]:
    """A rule → what it takes of a web ACL's capacity."""
    taken = {name: GROUPS[name].capacity for name in waf.groups}
    for name, networks in ((ALLOW_RULE, waf.allow), (BLOCK_RULE, waf.block)):
        if versions := by_version(networks):
            taken[name] = SET_CAPACITY * len(versions)
    return taken | ({RATE_RULE: RATE_CAPACITY} if waf.rate else {})


def by_version(networks: tuple[str, ...]) -> dict[int, list[str]]:
    """Networks by the version of their addresses, as a set has those of one; in one order."""
    found: dict[int, list[str]] = {}
    for each in sorted(networks):
        found.setdefault(ipaddress.ip_network(each).version, []).append(each)
    return dict(sorted(found.items()))


def described(waf: Waf | None) -> dict[str, Any]:
    """What templates read of it; nothing where there is none.

    `groups` are those that are asked, with their mode and the rules that count in one that blocks. `sets` are `allow`
    and `block` by the version of addresses, in the order in which they are asked.
    """
    if waf is None:
        return {}
    counted = [*waf.count, *([BODY_SIZE] if waf.uploads else [])]
    return {
        "groups": [
            {
                "name": name,
                "mode": waf.of(name),
                "count": [each for each in GROUPS[name].rules if each in counted] if waf.of(name) == BLOCK else [],
            }
            for name in waf.groups
        ],
        "sets": [
            {"name": name, "version": version, "mode": mode, "networks": networks}
            for name, given, mode in ((ALLOW_RULE, waf.allow, ALLOW_RULE), (BLOCK_RULE, waf.block, waf.of(BLOCK_RULE)))
            for version, networks in by_version(given).items()
        ],
        "rate": waf.rate or 0,
        "rate_mode": waf.of(RATE_RULE),
        "log_days": waf.log_days or 0,
        "blocks": BLOCK in _modes(waf).values(),
    }


def _modes(waf: Waf) -> Mapping[str, str]:
    """What of it there is → its mode."""
    names = [*waf.groups, *([RATE_RULE] if waf.rate else []), *([BLOCK_RULE] if waf.block else [])]
    return {name: waf.of(name) for name in names}

"""Whether visitors see the site, or its maintenance page.

Asks DescribeRules and DescribeTags of the load balancer. What is kept secret, the cookie, is in no fact.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.maintenance import Rules
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.words import age, iso, seconds_since, shown

ABOUT = "maintenance"


def look(client: Client, listener: str, now: datetime.datetime) -> Part:
    """Ask for the rules.

    Args:
        client: gives a boto3 client.
        listener: ARN of the site's HTTPS listener.
        now: with its time zone.
    """
    part = Part()
    rules = part.ask(ABOUT, "elbv2", Rules, client("elbv2"), listener)
    if rules is None:
        return part
    since = datetime.datetime.fromisoformat(rules.since) if rules.since else None
    until = datetime.datetime.fromisoformat(rules.until) if rules.until else None
    part.facts = {
        "on": rules.on,
        "since": iso(since) if since else "",
        "age_seconds": seconds_since(since, now) if since else None,
        "until": iso(until) if until else "",
        "over": bool(until and until < now),
        "verb": rules.verb,
        "run": rules.run,
        "cookie": bool(rules.token),
        "addresses": rules.cidrs if rules.on else [],
        "rules": len(rules.ours),
    }
    return part


def judge(part: Part, ledger: Part) -> None:
    """Judge it: a page that a person shows is meant so, one that a run has left behind is not.

    Args:
        part: of `look`.
        ledger: of ledger.py, which knows what runs.
    """
    facts, off = part.facts, f"{verb('maintenance.yml')} -e maintenance=off"
    if not facts:
        return
    if not facts["on"]:
        if facts["rules"]:
            part.note(ABOUT, f"is off, and {facts['rules']} of its rules are left", off)
        return
    lock = ledger.facts["lock"]
    runs = bool(lock) and lock["run"] == facts["run"]
    known = ledger.facts["there"] and not any(each["about"] == "lock" for each in ledger.unasked)
    if facts["verb"] and known and not runs:
        part.is_wrong(ABOUT, f"is on, left by {facts['verb']}, which runs no more: visitors are answered 503", off)
        return
    since = f" for {age(facts['age_seconds'])}" if facts["since"] else ""
    part.note(ABOUT, f"is on{since}: visitors are answered 503, and not by the site", "" if runs else off)


def said(facts: Mapping[str, Any]) -> str:
    """Who sees what, in a sentence."""
    since = f" since {shown(facts['since'])}" if facts["since"] else ""
    until = f", announced until {shown(facts['until'])}" if facts["until"] else ""
    late = ", which is over" if facts["over"] else ""
    by = f", as long as {facts['verb']} runs" if facts["verb"] else ""
    return f"is on{since}{until}{late}{by}: visitors are answered 503, but for {through(facts)}"


def through(facts: Mapping[str, Any]) -> str:
    """Who is let through."""
    some = ["who has the cookie"] if facts["cookie"] else []
    return ", ".join([*some, *facts["addresses"]]) or "nobody"

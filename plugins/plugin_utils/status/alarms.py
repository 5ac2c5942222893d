"""The alarms: which ring, and whether those who are to be told are told.

Asks ListSubscriptionsByTopic, DescribeAlarms, and of a budget DescribeBudget and DescribeNotificationsForBudget, which
AWS has in one place for all regions. A subscriber that has not confirmed is told nothing, and after two days
SNS forgets it, without a word: https://docs.aws.amazon.com/sns/latest/dg/sns-create-subscribe-endpoint-to-topic.html
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.words import age, iso, seconds_since

PENDING = "PendingConfirmation"
"""What SNS says in the place of an ARN, as long as nobody has confirmed."""
CONFIRMED, WAITING, ABSENT = "confirmed", "has not confirmed", "is not subscribed"
RUNBOOK = re.compile(r" ?Type: .*?(?:\((?P<page>docs/alarms\.md#[\w-]+)\))?$", re.DOTALL)
"""What the description of an alarm ends with (cloudformation/): what to type, and its entry of the page."""


def look(
    client: Client,
    topic: str,
    wanted: Collection[str],
    prefix: str,
    stacks: Mapping[str, str],
    now: datetime.datetime,
    budget: str = "",
) -> Part:
    """Ask for who is told, and for the alarms, and judge.

    Args:
        client: gives a boto3 client.
        topic: its ARN; empty if there is none.
        wanted: who is to be told, as the inventory has them.
        prefix: of the site.
        stacks: layer → name of its stack: the alarms' names begin with it.
        now: with its time zone.
        budget: its name; empty if the site has none.
    """
    part = Part({"topic": topic, "subscribers": [], "alarms": [], "budget": None})
    if not topic:
        part.is_wrong("alarms", f"tell nobody yet: {', '.join(wanted)} must be subscribed", verb("site.yml"))
        return part
    told = part.ask("alarms", "sns", subscriptions, client("sns"), topic)
    if told is not None:
        states = {name: told.get(name, ABSENT) for name in wanted} | told
        part.facts["subscribers"] = [{"endpoint": name, "state": state} for name, state in states.items()]
        _judge_subscribers(part, wanted)
    found = part.ask("alarms", "cloudwatch", lambda: [*alarms(client("cloudwatch"), prefix, stacks)])
    for layer, each in found or []:
        part.facts["alarms"].append(_facts(layer, stacks[layer], each, now))
    _judge_alarms(part)
    if budget:
        part.facts["budget"] = part.ask(
            "alarms", "budgets", lambda: _budget(client("budgets"), topic.split(":")[4], budget)
        )
        _judge_budget(part)
    return part


def subscriptions(sns: Any, topic: str) -> dict[str, str]:
    """Endpoint → whether it has confirmed, of a topic."""
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    return {
        each["Endpoint"]: WAITING if each["SubscriptionArn"] == PENDING else CONFIRMED
        for page in pages
        for each in page["Subscriptions"]
    }


def alarms(cloudwatch: Any, prefix: str, stacks: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Layer and alarm, of DescribeAlarms, of the alarms that are in one of these stacks.

    Args:
        cloudwatch: client.
        prefix: of the site.
        stacks: layer → name of its stack. One may begin as another does, and the longer one's alarms are its own.
    """
    longest = sorted(stacks.items(), key=lambda item: -len(item[1]))
    for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{prefix}-"):
        for each in page["MetricAlarms"]:
            for layer, stack in longest:
                if str(each["AlarmName"]).startswith(f"{stack}-"):
                    yield layer, each
                    break


def called(name: str, stack: str) -> str:
    """The logical id of an alarm, by the name that CloudFormation has made: `<stack>-<logical id>-<random>`."""
    return name.removeprefix(f"{stack}-").rpartition("-")[0] or name


def _facts(layer: str, stack: str, alarm: Mapping[str, Any], now: datetime.datetime) -> dict[str, Any]:
    said = str(alarm.get("AlarmDescription", ""))
    runbook = RUNBOOK.search(said)
    at = alarm["StateUpdatedTimestamp"]
    return {
        "name": alarm["AlarmName"],
        "layer": layer,
        "called": called(str(alarm["AlarmName"]), stack),
        "state": alarm["StateValue"],
        "since": iso(at),
        "age_seconds": seconds_since(at, now),
        "reason": alarm.get("StateReason", ""),
        "says": said[: runbook.start()] if runbook else said,
        "page": (runbook["page"] or "") if runbook else "",
        "tells": bool(alarm.get("ActionsEnabled", True)),
        "metrics": sum("MetricStat" in each for each in alarm.get("Metrics") or []) or 1,
    }


def _budget(budgets: Any, account: str, name: str) -> dict[str, Any]:
    """A budget as facts: amounts as AWS writes them, `None` where it has not counted yet."""
    told = budgets.describe_budget(AccountId=account, BudgetName=name)["Budget"]
    pages = budgets.get_paginator("describe_notifications_for_budget").paginate(AccountId=account, BudgetName=name)
    rings = [each for page in pages for each in page["Notifications"] if each.get("NotificationState") == "ALARM"]
    counted = told.get("CalculatedSpend", {})
    return {
        "name": name,
        "limit": told["BudgetLimit"]["Amount"],
        "unit": told["BudgetLimit"]["Unit"],
        "spent": counted.get("ActualSpend", {}).get("Amount"),
        "foreseen": counted.get("ForecastedSpend", {}).get("Amount"),
        "by_tag": bool(told.get("CostFilters")),
        "rings": sorted(each["NotificationType"] for each in rings),
    }


def cost(budget: Mapping[str, Any]) -> str:
    """What a month has cost, in a sentence: 12.50 of 40.00 USD this month, 38.00 foreseen."""
    limit, spent, foreseen = (money(budget[each]) for each in ("limit", "spent", "foreseen"))
    said = f"{spent or 'nothing counted yet'} of {limit} {budget['unit']} this month"
    return f"{said}, {foreseen} foreseen" if foreseen and float(foreseen) else said


def money(amount: str | None) -> str:
    """An amount of AWS with two digits; empty if there is none."""
    return f"{float(amount):.2f}" if amount is not None else ""


def _judge_budget(part: Part) -> None:
    budget = part.facts["budget"]
    if budget is None:
        return
    if budget["rings"]:
        part.is_wrong("alarms", f"ring for what the site costs: {cost(budget)} (docs/alarms.md#cost)", verb("plan.yml"))
    elif budget["by_tag"] and not float(budget["spent"] or 0):
        part.note(
            "alarms",
            "count no cost of the site this month: is the tag Site activated for costs? (docs/alarms.md#cost)",
            "aws ce update-cost-allocation-tags-status --cost-allocation-tags-status TagKey=Site,Status=Active",
        )


def _judge_subscribers(part: Part, wanted: Collection[str]) -> None:
    for each in part.facts["subscribers"]:
        name, state = each["endpoint"], each["state"]
        if name not in wanted:
            if state != CONFIRMED:
                part.note("alarms", f"{name}, whom the inventory does not name, {state}")
        elif state == WAITING:
            how = "an e-mail of AWS has the link" if "@" in name.partition("/")[0] else "it was sent a SubscribeURL"
            part.is_wrong("alarms", f"{name} {state} and is told nothing: {how} (docs/alarms.md#who-is-not-told)")
        elif state == ABSENT:
            how = "take it out of alarms_subscribers, and put it in again after a run (docs/alarms.md#who-is-not-told)"
            part.is_wrong("alarms", f"{name} {state} and is told nothing: {how}", verb("site.yml"))


def _judge_alarms(part: Part) -> None:
    for each in part.facts["alarms"]:
        if each["state"] == "ALARM":
            page = f" ({each['page']})" if each["page"] else ""
            since = age(each["age_seconds"])
            part.is_wrong(each["layer"], f"rings {each['called']} for {since}: {each['says']}{page}")
        if not each["tells"]:
            typed = f"aws cloudwatch enable-alarm-actions --alarm-names {each['name']}"
            part.note(each["layer"], f"{each['called']} is muted, and tells nobody", typed)


def summed(facts: Mapping[str, Any]) -> str:
    """How many alarms there are and ring, in a sentence."""
    states = [each["state"] for each in facts["alarms"]]
    ringing, silent = states.count("ALARM"), states.count("INSUFFICIENT_DATA")
    parts = [f"{ringing} of {len(states)} ring", f"{silent} without data" if silent else ""]
    return ", ".join(filter(None, parts))

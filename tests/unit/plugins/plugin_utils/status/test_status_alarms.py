"""What status says of alarms: which ring, and who is not told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.patches import budgets
from plugins.plugin_utils.status import alarms, page, terminal
from plugins.plugin_utils.status.model import gather
from tests.unit.plugins.plugin_utils.status.status_support import (
    NOW,
    SETTINGS,
    STACKS,
    WORDS,
    Account,
    a_stack,
    ago,
    said,
    site,
)

TOPIC = "arn:aws:sns:us-east-1:123456789012:shop-prod-alarms-Topic-0A1B"
MAIL, HOOK = "ops@shop.test", "https://ops.example.net/hook"
PENDING = "PendingConfirmation"
WITH_TOPIC = [*STACKS, a_stack("alarms", outputs={"AlarmTopicArn": TOPIC})]


def an_alarm(name: str, state: str = "OK", **more: Any) -> dict[str, Any]:
    """An alarm of DescribeAlarms."""
    return {
        "AlarmName": name, "StateValue": state, "StateUpdatedTimestamp": ago(minutes=5), "ActionsEnabled": True,
        "StateReason": "Threshold Crossed: 1 datapoint was less than the threshold (1.0).",
        "AlarmDescription": "It is broken. Type: ansible-playbook status.yml -i x (docs/alarms.md#no-healthy-target)",
    } | more  # fmt: skip


def asked(
    subscribed: dict[str, str],
    *found: dict[str, Any],
    wanted: tuple[str, ...] = (MAIL,),
    stacks: Any = WITH_TOPIC,
    **more: Any,
) -> dict[str, Any]:
    """The model of a site with alarms.

    Args:
        subscribed: endpoint → what SNS says in the place of its subscription's ARN.
        found: alarms.
        wanted: `alarms_subscribers`.
        stacks: that there are.
        more: further calls and their answers.
    """
    listed = [
        {"Endpoint": endpoint, "SubscriptionArn": arn, "Protocol": "email", "TopicArn": TOPIC}
        for endpoint, arn in subscribed.items()
    ]
    account = Account(
        describe_stacks={"Stacks": stacks},
        list_subscriptions_by_topic={"Subscriptions": listed},
        describe_alarms={"MetricAlarms": list(found)},
        **more,
    )
    settings = {**SETTINGS, "subscribers": list(wanted)}
    return gather(account, site(), {*WORDS, "alarms"}, "us-east-1", settings, NOW)


def test_a_site_that_tells_nobody_is_asked_nothing() -> None:
    account = Account()
    model = gather(account, site(), WORDS, "us-east-1", SETTINGS, NOW)
    assert model["alarms"] is None
    assert not {"describe_alarms", "list_subscriptions_by_topic"} & set(account.asked)
    assert "Alarms" not in [text for text, _ in terminal.rendered(model)]
    assert "<h3>Alarms" not in page.rendered(model)


def test_a_site_whose_alarms_are_heard_is_well() -> None:
    math = [{"Id": "share"}, {"Id": "bad", "MetricStat": {}}, {"Id": "all", "MetricStat": {}}]
    model = asked(
        {MAIL: f"{TOPIC}:1"},
        an_alarm("shop-prod-service-web-Slow3-XY"),
        an_alarm("shop-prod-service-web-ServerErrors3-XY", "INSUFFICIENT_DATA", Metrics=math),
        an_alarm("shop-prod-2-service-web-Slow-XY", "ALARM"),
    )
    assert model["well"], said(model)
    assert [each["called"] for each in model["alarms"]["alarms"]] == ["Slow3", "ServerErrors3"], "others are not ours"
    lines = [text for text, _ in terminal.rendered(model)]
    at = lines.index("Alarms")
    assert lines[at + 1 : at + 3] == ["  0 of 2 ring, 1 without data", f"    {MAIL}: confirmed"]
    (line,) = (each for each in model["cost"]["lines"] if each["what"].startswith("alarm"))
    assert (line["quantity"], line["usd"]) == (3, "0.30")


def test_an_alarm_that_rings_is_not_well() -> None:
    model = asked({MAIL: f"{TOPIC}:1"}, an_alarm("shop-prod-service-web-NoHealthyTarget3-XY", "ALARM"))
    assert said(model) == {
        "service.web": ["rings NoHealthyTarget3 for 5 minutes: It is broken. (docs/alarms.md#no-healthy-target)"]
    }
    text = "\n".join(text for text, _ in terminal.rendered(model))
    assert "  1 of 1 ring\n    service.web NoHealthyTarget3 5 minutes ago: Threshold Crossed" in text
    assert "Threshold Crossed" in page.rendered(model)


@pytest.mark.parametrize(
    ("subscribed", "words", "typed"),
    [
        ({MAIL: PENDING}, f"{MAIL} has not confirmed and is told nothing: an e-mail of AWS has the link", ""),
        ({}, f"{MAIL} is not subscribed and is told nothing: take it out of alarms_subscribers", "site.yml"),
    ],
    ids=["pending", "absent"],
)
def test_who_is_not_told_makes_a_site_not_well(subscribed: dict[str, str], words: str, typed: str) -> None:
    model = asked(subscribed)
    ((sentence,),) = said(model).values()
    assert sentence.startswith(words)
    assert sentence.endswith("(docs/alarms.md#who-is-not-told)")
    assert typed in model["wrong"][0]["type"]
    assert bool(model["wrong"][0]["type"]) == bool(typed)
    assert MAIL in page.rendered(model)


def test_an_address_is_told_to_follow_what_it_was_sent() -> None:
    model = asked({HOOK: PENDING}, wanted=(HOOK,))
    assert "it was sent a SubscribeURL" in model["wrong"][0]["what"]


def test_who_subscribed_by_hand_is_worth_knowing_until_it_has_confirmed() -> None:
    model = asked({MAIL: f"{TOPIC}:1", "else@shop.test": PENDING, "other@shop.test": f"{TOPIC}:2"})
    assert model["well"]
    assert said(model, "notes") == {"alarms": ["else@shop.test, whom the inventory does not name, has not confirmed"]}


def test_a_topic_that_is_not_there_yet_tells_nobody() -> None:
    model = asked({}, stacks=STACKS)
    assert said(model) == {"alarms": [f"tell nobody yet: {MAIL} must be subscribed"]}
    assert "site.yml" in model["wrong"][0]["type"]


def test_an_alarm_that_is_muted_is_worth_knowing() -> None:
    model = asked({MAIL: f"{TOPIC}:1"}, an_alarm("shop-prod-service-web-Slow3-XY", ActionsEnabled=False))
    assert said(model, "notes") == {"service.web": ["Slow3 is muted, and tells nobody"]}


def with_budget(spent: str, foreseen: str, *ringing: str, **budget: Any) -> dict[str, Any]:
    """The model of a site with a budget, of whose notifications these ring."""
    output = {"OutputKey": "BudgetName", "OutputValue": "shop-prod-monthly"}
    stacks = [
        {**each, "Outputs": [*each["Outputs"], output]} if each["StackName"] == "shop-prod-alarms" else each
        for each in WITH_TOPIC
    ]
    states = [
        {"NotificationType": kind, "NotificationState": "ALARM" if kind in ringing else "OK"}
        for kind in ("ACTUAL", "FORECASTED")
    ]
    counted = {"ActualSpend": {"Amount": spent}, "ForecastedSpend": {"Amount": foreseen}} if spent else {}
    told = {"BudgetLimit": {"Amount": "40", "Unit": "USD"}, "CalculatedSpend": counted, **budget}
    return asked(
        {MAIL: f"{TOPIC}:1"},
        stacks=stacks,
        describe_budget={"Budget": told},
        describe_notifications_for_budget={"Notifications": states},
    )


def test_what_the_month_has_cost_is_shown() -> None:
    model = with_budget("12.5", "38.004")
    assert model["well"], said(model)
    lines = [text for text, _ in terminal.rendered(model)]
    assert "    budget: 12.50 of 40.00 USD this month, 38.00 foreseen" in lines
    assert "12.50 of 40.00 USD" in page.rendered(model)
    assert said(model, "notes") == {}
    assert "foreseen" not in "".join(text for text, _ in terminal.rendered(with_budget("12.5", "0")))


def test_a_month_that_costs_too_much_is_not_well() -> None:
    for ringing in ("ACTUAL", "FORECASTED"):
        model = with_budget("33", "50", ringing)
        words = "ring for what the site costs: 33.00 of 40.00 USD this month, 50.00 foreseen (docs/alarms.md#cost)"
        assert said(model) == {"alarms": [words]}


@pytest.mark.parametrize("spent", ["0", ""])
def test_a_budget_that_counts_nothing_is_worth_knowing(spent: str) -> None:
    model = with_budget(spent, "0", CostFilters={"TagKeyValue": ["user:Site$shop"]})
    assert model["well"], said(model)
    assert "is the tag Site activated" in said(model, "notes")["alarms"][0]
    assert said(with_budget(spent, "0"), "notes") == {}, "an account that has cost nothing yet"


def test_the_embedded_aws_answers_it(aws: Cloud) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="shop-prod-alarms-Topic")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=MAIL)
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName="shop-prod-database-main-DatabaseFull-0A", Namespace="AWS/RDS", MetricName="FreeStorageSpace",
        Statistic="Minimum", Period=300, EvaluationPeriods=3, ComparisonOperator="LessThanThreshold", Threshold=1,
        AlarmDescription="Full.", AlarmActions=[topic],
    )  # fmt: skip
    names = {"database.main": "shop-prod-database-main", "database.main-2": "shop-prod-database-main-2"}
    part = alarms.look(aws.client, topic, [MAIL], "shop-prod", names, NOW)
    assert part.unasked == []
    assert part.facts["subscribers"] == [{"endpoint": MAIL, "state": "has not confirmed"}]
    (alarm,) = part.facts["alarms"]
    assert (alarm["called"], alarm["layer"], alarm["says"]) == ("DatabaseFull", "database.main", "Full.")
    json.dumps(part.facts)


def test_the_embedded_aws_answers_for_a_budget(aws: Cloud) -> None:
    topic = aws.client("sns").create_topic(Name="shop-prod-alarms-Topic")["TopicArn"]
    account = topic.split(":")[4]
    limit = {"Amount": "40", "Unit": "USD"}
    named = {"BudgetName": "shop-prod-monthly", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit}
    rings = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80}
    aws.client("budgets").create_budget(
        AccountId=account,
        Budget=named,
        NotificationsWithSubscribers=[
            {"Notification": rings, "Subscribers": [{"SubscriptionType": "SNS", "Address": topic}]}
        ],
    )
    part = alarms.look(aws.client, topic, [], "shop-prod", {}, NOW, "shop-prod-monthly")
    assert part.unasked == []
    assert part.wrong == []
    budgets.spend("shop-prod-monthly", "33", "50")
    part = alarms.look(aws.client, topic, [], "shop-prod", {}, NOW, "shop-prod-monthly")
    assert part.facts["budget"] == {
        "name": "shop-prod-monthly", "limit": "40", "unit": "USD", "spent": "33", "foreseen": "50", "by_tag": False,
        "rings": ["ACTUAL"],
    }  # fmt: skip
    json.dumps(part.facts)

"""AWS Budgets: what moto lacks of its API, and what is told when a spend goes over a threshold.

Nothing costs anything here, so a spend is what somebody says it is: `spend`, or `POST /_local_aws/spend`. Who is told
is judged by the topic's policy, as on AWS, where a topic that does not let Budgets in stays silent.
https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
"""

from __future__ import annotations

import contextlib
import json
import operator
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from moto.budgets.models import BudgetsBackend, budgets_backends
from moto.budgets.responses import BudgetsResponse
from moto.sns.exceptions import TopicNotFound
from moto.sns.models import sns_backends

from local_aws.config import ACCOUNT_ID
from local_aws.iam.evaluate import Policy, Principal, Request, Unevaluable, decide
from local_aws.patches._moto import AwsError, Method, around, missing

PARTITION = "aws"
SERVICE = "budgets.amazonaws.com"
COMPARISONS = {"GREATER_THAN": operator.gt, "LESS_THAN": operator.lt, "EQUAL_TO": operator.eq}
KINDS = {"ACTUAL": "ActualSpend", "FORECASTED": "ForecastedSpend"}
"""What a notification looks at → how the budget calls it."""


def spend(name: str, actual: str, forecast: str) -> None:
    """Let a budget have counted so much this month, and tell of what goes over a threshold by that.

    Args:
        name: of the budget.
        actual: what it is until now, in the budget's currency.
        forecast: what it will be at the end of the month.

    Raises:
        LookupError: there is no such budget.
        ValueError: an amount is none.
    """
    backend = budgets_backends[ACCOUNT_ID][PARTITION]
    budget = backend.budgets[ACCOUNT_ID].get(name)
    if budget is None:
        raise LookupError(f"There is no budget {name}, but {', '.join(backend.budgets[ACCOUNT_ID]) or 'none'}.")
    unit = budget.budget["BudgetLimit"]["Unit"]
    try:
        amounts = {"ActualSpend": Decimal(actual), "ForecastedSpend": Decimal(forecast)}
    except InvalidOperation:
        raise ValueError(f"{actual} and {forecast} must be amounts, 12.50 for example.") from None
    budget.budget["CalculatedSpend"] = {kind: {"Amount": str(amount), "Unit": unit} for kind, amount in amounts.items()}
    for notification in budget.notifications:
        _look(budget, notification, amounts)


def _look(budget: Any, notification: Any, amounts: Mapping[str, Decimal]) -> None:
    """Give a notification its state, and tell where it begins to ring."""
    details = notification.details
    limit, threshold = Decimal(budget.budget["BudgetLimit"]["Amount"]), Decimal(str(details["Threshold"]))
    if details.get("ThresholdType", "PERCENTAGE") == "PERCENTAGE":
        threshold = limit * threshold / 100
    amount = amounts[KINDS[details["NotificationType"]]]
    before = details.get("NotificationState", "OK")
    rings = COMPARISONS[details["ComparisonOperator"]](amount, threshold)
    details["NotificationState"] = "ALARM" if rings else "OK"
    if rings and before == "OK":
        for each in notification.subscribers:
            if each["SubscriptionType"] == "SNS":
                _tell(budget.budget, each["Address"], details["NotificationType"], amount, threshold)


def _tell(budget: Mapping[str, Any], topic: str, kind: str, amount: Decimal, threshold: Decimal) -> None:
    """A message with the lines of AWS's; a topic that has gone, or is closed, costs nothing but the message."""
    name, unit = budget["BudgetName"], budget["BudgetLimit"]["Unit"]
    said = [
        f"AWS Budget Notification {datetime.now(UTC):%B %d, %Y}",
        f"AWS Account {ACCOUNT_ID}",
        "",
        f"Budget Name: {name}",
        "Budget Type: Cost",
        f"Budgeted Amount: {Decimal(budget['BudgetLimit']['Amount']):.2f} {unit}",
        f"Alert Type: {kind}",
        f"Alert Threshold: > {threshold:.2f} {unit}",
        f"{kind} Amount: {amount:.2f} {unit}",
    ]
    account, region = topic.split(":")[4], topic.split(":")[3]
    backend = sns_backends[account][region]
    with contextlib.suppress(TopicNotFound):
        if _may_tell(backend.get_topic(topic), str(name)):
            subject = f"AWS Budgets: {name} has exceeded your alert threshold"
            backend.publish("\n".join(said), arn=topic, subject=subject[:100])


def _may_tell(topic: Any, budget: str) -> bool:
    source = f"arn:{PARTITION}:budgets::{ACCOUNT_ID}:budget/{budget}"
    context = {"aws:SourceAccount": ACCOUNT_ID, "aws:SourceArn": source, "aws:SecureTransport": "true"}
    request = Request(Principal.service(SERVICE), "sns:Publish", topic.arn, context)
    try:
        return decide(request, (), Policy("of the topic", json.loads(topic.policy))).allowed
    except Unevaluable:
        return False


@around(BudgetsBackend, "create_budget")
def _create_budget(
    original: Method, self: Any, account_id: str, budget: dict[str, Any], notifications: list[dict[str, Any]]
) -> None:
    limit = budget.get("BudgetLimit")
    if limit is not None and Decimal(limit["Amount"]) <= 0:
        raise AwsError("InvalidParameterException", "The limit amount must be greater than 0.")
    for each in notifications:
        each["Notification"].setdefault("NotificationState", "OK")
    original(self, account_id=account_id, budget=budget, notifications=notifications)


@missing(BudgetsResponse, "update_budget")
def _update_budget(self: Any) -> str:
    account, new = self._get_param("AccountId"), self._get_param("NewBudget")
    self.backend.describe_budget(account_id=account, budget_name=new["BudgetName"])  # refuses what is not there
    known = self.backend.budgets[account][new["BudgetName"]]
    kept = {name: value for name, value in known.budget.items() if name in ("TimePeriod", "CalculatedSpend")}
    known.budget = {**kept, **new}
    return "{}"


def _tags(given: Any) -> dict[str, str]:
    """Key → value of the tags of a budget, by its ARN."""
    backend, name = given.backend, str(given._get_param("ResourceARN")).rpartition("/")[2]
    backend.describe_budget(account_id=ACCOUNT_ID, budget_name=name)
    found: dict[str, str] = vars(backend.budgets[ACCOUNT_ID][name]).setdefault("tags", {})
    return found


def _pairs(tags: Any) -> Iterator[tuple[str, str]]:
    yield from ((each["Key"], each["Value"]) for each in tags or [])


@around(BudgetsResponse, "create_budget")
def _create(original: Method, self: Any) -> str:
    answer: str = original(self)
    budget = self.backend.budgets[self._get_param("AccountId")][self._get_param("Budget")["BudgetName"]]
    budget.tags = dict(_pairs(self._get_param("ResourceTags")))
    return answer


@missing(BudgetsResponse, "tag_resource")
def _tag_resource(self: Any) -> str:
    _tags(self).update(_pairs(self._get_param("ResourceTags")))
    return "{}"


@missing(BudgetsResponse, "untag_resource")
def _untag_resource(self: Any) -> str:
    for key in self._get_param("ResourceTagKeys"):
        _tags(self).pop(key, None)
    return "{}"


@missing(BudgetsResponse, "list_tags_for_resource")
def _list_tags(self: Any) -> str:
    return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in _tags(self).items()]})

"""A budget of a stack, and what is told when a spend goes over its thresholds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID, REGION
from local_aws.patches import budgets
from local_aws.tests.stack_support import Stacks, refused

ARN = f"arn:aws:budgets::{ACCOUNT_ID}:budget/shop-monthly"
TEMPLATE = """
Parameters: {Amount: {Type: String, Default: "40"}, Tag: {Type: String, Default: one}, In: {Type: String}}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: !Ref In}
            Action: sns:Publish
            Resource: !Ref Topic
            Condition: {StringEquals: {"aws:SourceAccount": !Ref AWS::AccountId}}
  Budget:
    Type: AWS::Budgets::Budget
    DependsOn: TopicPolicy
    Properties:
      Budget:
        BudgetName: shop-monthly
        BudgetType: COST
        TimeUnit: MONTHLY
        BudgetLimit: {Amount: !Ref Amount, Unit: USD}
        CostFilters: {TagKeyValue: ["user:Site$shop"]}
      NotificationsWithSubscribers:
        - Notification: {NotificationType: ACTUAL, ComparisonOperator: GREATER_THAN, Threshold: 80}
          Subscribers: [{SubscriptionType: SNS, Address: !Ref Topic}]
        - Notification: {NotificationType: FORECASTED, ComparisonOperator: GREATER_THAN, Threshold: 100}
          Subscribers: [{SubscriptionType: SNS, Address: !Ref Topic}]
      ResourceTags: [{Key: Tag, Value: !Ref Tag}]
Outputs:
  Topic: {Value: !Ref Topic}
  Name: {Value: !Ref Budget}
"""
LETS_IN = {"In": "budgets.amazonaws.com"}


@pytest.fixture
def heard(aws: Cloud, stacks: Stacks) -> Callable[..., list[str]]:
    """The texts that have come since it was asked last, of a budget whose topic lets somebody in."""
    queue = aws.client("sqs").create_queue(QueueName="ear")["QueueUrl"]

    def made(**given: str) -> None:
        stacks.made("shop", TEMPLATE, LETS_IN | given)
        topic, ear = stacks.outputs("shop")["Topic"], f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:ear"
        aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=ear)

    def messages(**given: str) -> list[str]:
        if not aws.client("cloudformation").list_stacks()["StackSummaries"]:
            made(**given)
        got = aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for each in got:
            aws.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
        return [json.loads(each["Body"])["Message"] for each in got]

    return messages


def described(aws: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("budgets").describe_budget(AccountId=ACCOUNT_ID, BudgetName="shop-monthly")
    return dict(found["Budget"])


def tags(aws: Cloud) -> list[dict[str, str]]:
    found = aws.client("budgets").list_tags_for_resource(ResourceARN=ARN)["ResourceTags"]
    return [each for each in found if each["Key"] == "Tag"]


def test_it_is_made_changed_and_deleted_with_its_stack(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("shop", TEMPLATE, LETS_IN)
    assert stacks.outputs("shop")["Name"] == "shop-monthly"
    budget = described(aws)
    assert float(budget["BudgetLimit"]["Amount"]) == 40
    assert budget["CostFilters"] == {"TagKeyValue": ["user:Site$shop"]}
    assert tags(aws) == [{"Key": "Tag", "Value": "one"}]
    assert stacks.update("shop", TEMPLATE, LETS_IN | {"Amount": "50", "Tag": "two"})["StackStatus"] == "UPDATE_COMPLETE"
    assert float(described(aws)["BudgetLimit"]["Amount"]) == 50
    assert tags(aws) == [{"Key": "Tag", "Value": "two"}]
    assert stacks.delete("shop")["StackStatus"] == "DELETE_COMPLETE"
    assert aws.client("budgets").describe_budgets(AccountId=ACCOUNT_ID).get("Budgets", []) == []


def test_it_tells_once_of_each_threshold_that_is_passed(aws: Cloud, heard: Callable[..., list[str]]) -> None:
    assert heard() == []
    budgets.spend("shop-monthly", "32", "40")
    assert heard() == [], "not over 80 %, and not over all of it"
    budgets.spend("shop-monthly", "32.01", "39")
    (told,) = heard()
    assert "Budget Name: shop-monthly" in told
    assert "Alert Type: ACTUAL\nAlert Threshold: > 32.00 USD\nACTUAL Amount: 32.01 USD" in told
    budgets.spend("shop-monthly", "33", "41")
    (told,) = heard()
    assert "Alert Type: FORECASTED" in told
    budgets.spend("shop-monthly", "34", "42")
    assert heard() == []
    budgets.spend("shop-monthly", "0", "0")  # another month
    budgets.spend("shop-monthly", "34", "0")
    assert len(heard()) == 1
    assert described(aws)["CalculatedSpend"]["ActualSpend"] == {"Amount": "34", "Unit": "USD"}
    states = aws.client("budgets").describe_notifications_for_budget(AccountId=ACCOUNT_ID, BudgetName="shop-monthly")
    assert [each["NotificationState"] for each in states["Notifications"]] == ["ALARM", "OK"]


def test_a_topic_that_does_not_let_budgets_in_stays_silent(heard: Callable[..., list[str]]) -> None:
    assert heard(In="cloudwatch.amazonaws.com") == []
    budgets.spend("shop-monthly", "100", "100")
    assert heard() == []


def test_what_is_not_here_is_refused(aws: Cloud, stacks: Stacks) -> None:
    stacks.create("shop", TEMPLATE.replace("TimeUnit: MONTHLY", "TimeUnit: DAILY"), LETS_IN)
    assert "no budget with TimeUnit DAILY, but MONTHLY" in json.dumps(stacks.events("shop"))
    with pytest.raises(LookupError, match="no budget other"):
        budgets.spend("other", "1", "1")
    stacks.made("more", TEMPLATE, LETS_IN)
    with pytest.raises(ValueError, match="must be amounts"):
        budgets.spend("shop-monthly", "much", "1")
    nothing = {"BudgetName": "x", "BudgetType": "COST", "TimeUnit": "MONTHLY"}
    nothing["BudgetLimit"] = {"Amount": "0", "Unit": "USD"}  # type: ignore[assignment]  # a structure of the API's
    with refused("greater than 0", "InvalidParameterException"):
        aws.client("budgets").create_budget(AccountId=ACCOUNT_ID, Budget=nothing)

"""Topics, who is told by them, rules of EventBridge and alarms through CloudFormation; and what an alarm then does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks

BODY = """
Parameters: {Reason: {Type: String, Default: failed}}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: cloudwatch.amazonaws.com}, Action: sns:Publish, Resource: !Ref Topic}
  Queue: {Type: AWS::SQS::Queue}
  Ear:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Queue.Arn}
  Mail:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: email, Endpoint: a@example.org}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Description: !Ref Reason
      EventPattern: {source: [aws.ecs], detail: {eventName: [SERVICE_DEPLOYMENT_FAILED]}}
      Targets:
        - Id: topic
          Arn: !Ref Topic
          InputTransformer: {InputPathsMap: {reason: $.detail.reason}, InputTemplate: '"It failed: <reason>"'}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/SQS
      MetricName: ApproximateNumberOfMessagesVisible
      Statistic: Maximum
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
      Period: 60
      EvaluationPeriods: 1
      TreatMissingData: notBreaching
      AlarmDescription: !Ref Reason
      AlarmActions: [!Ref Topic]
      OKActions: [!Ref Topic]
Outputs: {Rule: {Value: !GetAtt Rule.Arn}}
"""


def alarm(aws: Cloud) -> dict[str, Any]:
    return dict(aws.client("cloudwatch").describe_alarms()["MetricAlarms"][0])


def heard(aws: Cloud, queue: str) -> list[dict[str, Any]]:
    """The messages that have come to the queue, with their subjects."""
    found = aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    bodies = [json.loads(each["Body"]) for each in found]
    return [{"Subject": each["Subject"], **json.loads(each["Message"])} for each in bodies]


def subscriptions(aws: Cloud, topic: str) -> dict[str, str]:
    """Endpoint → what the list says in place of the ARN."""
    found = aws.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return {each["Endpoint"]: each["SubscriptionArn"] for each in found}


def test_a_topic_with_a_policy_subscriptions_and_a_rule_is_made_changed_and_deleted(aws: Cloud, stacks: Stacks) -> None:
    sns, events = aws.client("sns"), aws.client("events")
    ids = stacks.made("ears", BODY, Tags=[{"Key": "Site", "Value": "shop"}])
    topic = ids["Topic"]
    policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    rule = events.describe_rule(Name=ids["Rule"])
    assert (rule["Description"], rule["State"], rule["Arn"]) == ("failed", "ENABLED", stacks.outputs("ears")["Rule"])
    assert json.loads(rule["EventPattern"])["source"] == ["aws.ecs"]
    (target,) = events.list_targets_by_rule(Rule=ids["Rule"])["Targets"]
    assert (target["Arn"], target["InputTransformer"]["InputTemplate"]) == (topic, '"It failed: <reason>"')
    assert {"Key": "Site", "Value": "shop"} in events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]

    other = BODY.replace("a@example.org", "b@example.org").replace("Id: topic", "Id: other")
    other = other.replace("Service: cloudwatch.amazonaws.com", "Service: events.amazonaws.com")
    after = stacks.changed("ears", other, {"Reason": "broke"}, Tags=[{"Key": "Site", "Value": "other"}])
    assert {name for name in ids if ids[name] != after[name]} == {"Mail"}, "only its endpoint is what it is"
    assert events.describe_rule(Name=ids["Rule"])["Description"] == "broke"
    assert [each["Id"] for each in events.list_targets_by_rule(Rule=ids["Rule"])["Targets"]] == ["other"]
    policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "events.amazonaws.com"}
    assert set(subscriptions(aws, topic)) == {"b@example.org", stacks_queue(topic, ids["Queue"])}

    stacks.delete("ears")
    assert sns.list_topics()["Topics"] == []
    assert sns.list_subscriptions()["Subscriptions"] == []
    assert events.list_rules()["Rules"] == []


def stacks_queue(topic: str, url: str) -> str:
    """The ARN of a queue in the topic's place."""
    return f"{topic.rpartition(':')[0]}:{url.rpartition('/')[2]}".replace(":sns:", ":sqs:")


def test_a_topic_whose_policy_goes_has_again_that_of_its_account(aws: Cloud, stacks: Stacks) -> None:
    topic = stacks.made("ears", BODY)["Topic"]
    without = BODY[: BODY.index("  Policy:")] + BODY[BODY.index("  Queue:") :]
    stacks.changed("ears", without)
    policy = json.loads(aws.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    assert [each["Sid"] for each in policy["Statement"]] == ["__default_statement_ID"]


def test_who_is_to_be_told_by_mail_has_to_confirm_it_first(aws: Cloud, stacks: Stacks) -> None:
    sns = aws.client("sns")
    ids = stacks.made("ears", BODY)
    found = subscriptions(aws, ids["Topic"])
    assert found["a@example.org"] == "PendingConfirmation"
    assert found[stacks_queue(ids["Topic"], ids["Queue"])] == ids["Ear"], "a queue of the same account need not"
    again = sns.subscribe(TopicArn=ids["Topic"], Protocol="email", Endpoint="a@example.org")
    assert again["SubscriptionArn"] == "pending confirmation"
    with pytest.raises(ClientError, match="Token"):
        sns.confirm_subscription(TopicArn=ids["Topic"], Token="another")  # noqa: S106 (no secret: one that nobody was given)
    sns.confirm_subscription(TopicArn=ids["Topic"], Token=ids["Mail"].rpartition(":")[2])
    assert subscriptions(aws, ids["Topic"])["a@example.org"] == ids["Mail"]


def test_an_alarm_rings_when_its_state_changes_and_only_then(aws: Cloud, stacks: Stacks) -> None:
    ids = stacks.made("ears", BODY)
    cloudwatch = aws.client("cloudwatch")
    assert alarm(aws)["StateValue"] == "INSUFFICIENT_DATA", "no metric was there yet"
    cloudwatch.set_alarm_state(AlarmName=ids["Alarm"], StateValue="ALARM", StateReason="a test")
    (message,) = heard(aws, ids["Queue"])
    assert message["Subject"].startswith("ALARM: ")
    assert (message["NewStateValue"], message["OldStateValue"]) == ("ALARM", "INSUFFICIENT_DATA")
    assert (message["AlarmName"], message["AlarmDescription"], message["NewStateReason"]) == (
        ids["Alarm"], "failed", "a test",
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName=ids["Alarm"], StateValue="ALARM", StateReason="again")
    assert heard(aws, ids["Queue"]) == [], "it rings already"
    stacks.changed("ears", parameters={"Reason": "changed"})
    assert (alarm(aws)["StateValue"], alarm(aws)["AlarmDescription"]) == ("ALARM", "changed")
    cloudwatch.disable_alarm_actions(AlarmNames=[ids["Alarm"]])
    cloudwatch.set_alarm_state(AlarmName=ids["Alarm"], StateValue="OK", StateReason="well")
    assert heard(aws, ids["Queue"]) == []


def test_a_message_goes_to_an_endpoint_once_it_has_confirmed(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    posted: list[tuple[str, Any]] = []
    statuses = [200]

    def post(url: str, json: dict[str, Any], **_more: Any) -> requests.Response:
        posted.append((url, json["Message"]))
        answer = requests.Response()
        answer.status_code = statuses[-1]
        return answer

    monkeypatch.setattr("requests.post", post)
    sns = aws.client("sns")
    topic = sns.create_topic(Name="shop")["TopicArn"]
    named = {"TopicArn": topic, "Protocol": "https", "Endpoint": "https://ops.example.org/hook"}
    arn = sns.subscribe(**named, ReturnSubscriptionArn=True)["SubscriptionArn"]
    sns.publish(TopicArn=topic, Message="one")
    assert posted == []
    sns.confirm_subscription(TopicArn=topic, Token=arn.rpartition(":")[2])
    sns.publish(TopicArn=topic, Message="two")
    assert posted == [("https://ops.example.org/hook", "two")]
    assert delivered(aws, "shop") == (1, 0)
    statuses.append(503)
    sns.publish(TopicArn=topic, Message="three")
    assert delivered(aws, "shop") == (1, 1), "what was not taken is measured as well"
    assert delivered(aws, "other") == (0, 0)


def delivered(aws: Cloud, topic: str) -> tuple[int, int]:
    """How many messages of a topic CloudWatch says were delivered, and how many not."""
    now, found = datetime.now(UTC), []
    for result in ("Delivered", "Failed"):
        answer = aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SNS", MetricName=f"NumberOfNotifications{result}", StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5), Period=600, Statistics=["Sum"],
            Dimensions=[{"Name": "TopicName", "Value": topic}],
        )  # fmt: skip
        found.append(int(sum(each["Sum"] for each in answer["Datapoints"])))
    return found[0], found[1]


def test_a_rule_that_runs_by_the_clock_is_refused(stacks: Stacks) -> None:
    clock = """
Resources:
  Rule: {Type: AWS::Events::Rule, Properties: {ScheduleExpression: rate(1 hour)}}
"""
    stacks.create("clock", clock)
    reasons = [reason for name, status, reason in stacks.events("clock") if (name, status[-6:]) == ("Rule", "FAILED")]
    assert "ScheduleExpression is not in the embedded AWS" in reasons[0]


def test_a_dashboard_is_made_changed_and_deleted(aws: Cloud, stacks: Stacks) -> None:
    body = """
Parameters: {Text: {Type: String, Default: one}}
Resources:
  Dashboard:
    Type: AWS::CloudWatch::Dashboard
    Properties: {DashboardName: shop-unit, DashboardBody: !Sub '{"widgets": [], "periodOverride": "${Text}"}'}
"""
    api = aws.client("cloudwatch")
    assert stacks.made("eyes", body)["Dashboard"] == "shop-unit"
    assert "one" in api.get_dashboard(DashboardName="shop-unit")["DashboardBody"]
    stacks.changed("eyes", body, {"Text": "two"})
    assert "two" in api.get_dashboard(DashboardName="shop-unit")["DashboardBody"]
    stacks.delete("eyes")
    assert api.list_dashboards()["DashboardEntries"] == []

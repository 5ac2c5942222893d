"""Schedules, their groups and queues for dead letters through CloudFormation."""

from __future__ import annotations

import json
from typing import Any

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks

TEMPLATE = """
Parameters:
  Expression: {Type: String, Default: "cron(0 3 * * ? *)"}
  Seconds: {Type: String, Default: "1209600"}
  Label: {Type: String, Default: one}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: scheduler.amazonaws.com}, Action: sts:AssumeRole}
  Group:
    Type: AWS::Scheduler::ScheduleGroup
    Properties: {Tags: [{Key: Label, Value: !Ref Label}]}
  DeadLetters:
    Type: AWS::SQS::Queue
    Properties:
      MessageRetentionPeriod: !Ref Seconds
      SqsManagedSseEnabled: true
      Tags: [{Key: Label, Value: !Ref Label}]
  Schedule:
    Type: AWS::Scheduler::Schedule
    Properties:
      GroupName: !Ref Group
      ScheduleExpression: !Ref Expression
      ScheduleExpressionTimezone: Europe/Zurich
      StartDate: "2126-01-01T00:00:00Z"
      FlexibleTimeWindow: {Mode: FLEXIBLE, MaximumWindowInMinutes: "15"}
      Target:
        Arn: !Sub arn:aws:ecs:${AWS::Region}:${AWS::AccountId}:cluster/shop
        RoleArn: !GetAtt Role.Arn
        Input: '{"containerOverrides": []}'
        RetryPolicy: {MaximumRetryAttempts: "3", MaximumEventAgeInSeconds: 600}
        DeadLetterConfig: {Arn: !GetAtt DeadLetters.Arn}
        EcsParameters:
          TaskDefinitionArn: job:1
          TaskCount: "1"
          PropagateTags: TASK_DEFINITION
          CapacityProviderStrategy: [{CapacityProvider: hosts, Weight: 1}]
          Tags: [{key: Job, value: nightly}]
Outputs:
  Schedule: {Value: !GetAtt Schedule.Arn}
  Group: {Value: !GetAtt Group.Arn}
  State: {Value: !GetAtt Group.State}
  Queue: {Value: !GetAtt DeadLetters.QueueName}
"""


def schedule(aws: Cloud, made: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("scheduler").get_schedule(Name=made["Schedule"], GroupName=made["Group"])
    return found


def test_a_schedule_reaches_the_api_in_its_words(aws: Cloud, stacks: Stacks) -> None:
    made = stacks.made("jobs", TEMPLATE, Capabilities=["CAPABILITY_IAM"])

    found = schedule(aws, made)
    outputs = stacks.outputs("jobs")
    assert found["Arn"] == outputs["Schedule"]
    assert found["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert found["StartDate"].isoformat() == "2126-01-01T00:00:00+00:00"
    target = found["Target"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 600}
    assert target["EcsParameters"] == {
        "TaskDefinitionArn": "job:1",
        "TaskCount": 1,
        "PropagateTags": "TASK_DEFINITION",
        "CapacityProviderStrategy": [{"capacityProvider": "hosts", "weight": 1}],
        "Tags": [{"key": "Job", "value": "nightly"}],
    }
    assert target["DeadLetterConfig"]["Arn"].endswith(f":{outputs['Queue']}")
    assert outputs["State"] == "ACTIVE"
    tags = aws.client("scheduler").list_tags_for_resource(ResourceArn=outputs["Group"])["Tags"]
    assert {"Key": "Label", "Value": "one"} in tags


def test_a_schedule_and_its_queue_change_in_place_and_go(aws: Cloud, stacks: Stacks) -> None:
    made = stacks.made("jobs", TEMPLATE, Capabilities=["CAPABILITY_IAM"])
    change = {"Expression": "rate(2 hours)", "Seconds": "60", "Label": "two"}
    assert stacks.changed("jobs", None, change, Capabilities=["CAPABILITY_IAM"]) == made

    assert schedule(aws, made)["ScheduleExpression"] == "rate(2 hours)"
    sqs, scheduler = aws.client("sqs"), aws.client("scheduler")
    attributes = sqs.get_queue_attributes(QueueUrl=made["DeadLetters"], AttributeNames=["All"])["Attributes"]
    assert attributes["MessageRetentionPeriod"] == "60"
    assert sqs.list_queue_tags(QueueUrl=made["DeadLetters"])["Tags"]["Label"] == "two"
    group = stacks.outputs("jobs")["Group"]
    assert {"Key": "Label", "Value": "two"} in scheduler.list_tags_for_resource(ResourceArn=group)["Tags"]

    assert stacks.delete("jobs")["StackStatus"] == "DELETE_COMPLETE"
    assert scheduler.list_schedules()["Schedules"] == []
    assert [each["Name"] for each in scheduler.list_schedule_groups()["ScheduleGroups"]] == ["default"]
    assert "QueueUrls" not in sqs.list_queues()


def test_a_schedule_that_is_refused_fails_its_stack_with_the_reason(stacks: Stacks) -> None:
    wrong = {"Expression": "cron(0 3 * * *)"}
    stack = stacks.create("jobs", TEMPLATE, wrong, Capabilities=["CAPABILITY_IAM"])

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    reasons = {logical: reason for logical, status, reason in stacks.events("jobs") if status == "CREATE_FAILED"}
    assert "Invalid Schedule Expression cron(0 3 * * *)." in reasons["Schedule"]


QUEUE = """
Resources:
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      FifoQueue: true
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Dead]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: scheduler.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Dead.Arn
"""


def test_a_queue_and_its_policy(aws: Cloud, stacks: Stacks) -> None:
    made = stacks.made("queues", QUEUE.replace("FifoQueue: true", "DelaySeconds: 5"))

    def attributes(name: str) -> dict[str, str]:
        found = aws.client("sqs").get_queue_attributes(QueueUrl=made[name], AttributeNames=["All"])
        return dict(found["Attributes"])

    assert json.loads(attributes("Queue")["RedrivePolicy"])["maxReceiveCount"] in (3, "3")
    assert attributes("Queue")["DelaySeconds"] == "5"
    assert json.loads(attributes("Dead")["Policy"])["Statement"][0]["Action"] == "sqs:SendMessage"

    without = QUEUE.split("  Policy:")[0].replace("      FifoQueue: true\n      VisibilityTimeout: 60\n", "")
    stacks.changed("queues", without)
    assert attributes("Queue")["DelaySeconds"] == "0"
    assert attributes("Queue")["VisibilityTimeout"] == "30"
    assert not attributes("Dead").get("Policy")


def test_a_fifo_queue_s_name_ends_as_it_must(stacks: Stacks) -> None:
    made = stacks.made("queues", "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}}")
    assert made["Queue"].endswith(".fifo")

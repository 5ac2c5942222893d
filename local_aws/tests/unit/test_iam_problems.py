"""What of a policy has no effect, by the table of actions, resources and condition keys."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.iam import reference
from local_aws.iam.problems import policies_problems

HERE = "111122223333"
INSTANCES = f"arn:aws:ec2:us-east-1:{HERE}:instance/*"
CLUSTER = f"arn:aws:ecs:us-east-1:{HERE}:cluster/shop-*"
TASKS = f"arn:aws:ecs:us-east-1:{HERE}:task/shop-*/*"
BUCKET, FILES = "arn:aws:s3:::shop-*", "arn:aws:s3:::shop-*/*"


def problems(action: Any, resource: Any = "*", **more: Any) -> list[str]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    found = policies_problems({"Version": "2012-10-17", "Statement": [statement]})
    return [each.removeprefix("statement 1: ") for each in found]


def when(operator: str, key: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: "x"}}}


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (problems("ecs:RunTask"), problems("ecs:RunTasks"), "there is no action ecs:RunTasks"),
        (problems("ecs:Describe*"), problems("ecs:Descibe*"), "there is no action ecs:Descibe*"),
        (problems("sqs:SendMessage"), problems("qsq:SendMessage"), "the service qsq is not known"),
        (problems("s3:GetObject", FILES), problems("s3:GetObject", "arn:aws:s3:::shop"),
         "none of its actions takes arn:aws:s3:::shop"),
        (problems("s3:ListBucket", BUCKET), problems(["s3:ListBucket", "s3:GetObject"], "arn:aws:s3:::shop"),
         "s3:GetObject takes none of its resources, but accesspointobject or object"),
        (problems("ecs:StopTask", [TASKS]), problems("ecs:StopTask", [TASKS, CLUSTER]),
         f"none of its actions takes {CLUSTER}"),
        (problems("ec2:DescribeInstances"), problems("ec2:DescribeInstances", INSTANCES),
         "ec2:DescribeInstances takes no resource but *"),
        (problems("ecs:StopTask", **when("ArnEquals", "ecs:cluster")),
         problems("ecs:StopTask", **when("ArnEquals", "ecs:CreateAction")),
         "none of its actions has the condition key ecs:CreateAction"),
        (problems("ecs:StopTask", **when("StringEquals", "aws:RequestedRegion")),
         problems("ecs:StopTask", **when("StringEquals", "aws:RequestRegion")),
         "none of its actions has the condition key aws:RequestRegion"),
        (problems("ecs:RunTask", **when("ForAnyValue:StringEquals", "aws:TagKeys")),
         problems("ecs:RunTask", **when("StringEquals", "aws:TagKeys")), "aws:TagKeys may have several values"),
        (problems("ecs:RunTask", **when("ForAnyValue:StringEquals", "aws:RequestedRegion")),
         problems("ecs:RunTask", **when("ForAllValues:StringEquals", "aws:RequestedRegion")),
         "aws:RequestedRegion has one value"),
        (problems("*"), problems("*", Effect="allow"), "Effect is neither Allow nor Deny"),
    ],
)  # fmt: skip
def test_what_has_no_effect_is_told_and_what_has_is_not(right: list[str], wrong: list[str], said: str) -> None:
    assert right == []
    assert any(said in each for each in wrong), wrong


def test_a_pattern_of_actions_need_not_be_used_whole() -> None:
    assert problems("s3:Get*Configuration", BUCKET) == []


def test_a_variable_stands_for_any_text() -> None:
    assert problems("ssm:TerminateSession", f"arn:aws:ssm:*:{HERE}:session/${{aws:userid}}-*") == []


def test_a_resource_s_own_policy_names_who_and_need_not_name_itself() -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": trust}
    assert policies_problems(document, of_resource=True) == []
    statement = {**trust, "Resource": "*"}
    assert "no place in the policy of an identity" in policies_problems({**document, "Statement": statement})[0]


def test_a_document_that_cannot_be_read_is_one_problem() -> None:
    assert len(policies_problems("{")) == 1


# The table


def test_an_action_is_found_in_any_case_and_written_as_aws_writes_it() -> None:
    found = reference.action("S3:getobject")
    assert found is not None
    assert (found.name, found.takes("arn:aws:s3:::shop/a:b/c")) == ("s3:GetObject", "object")
    assert found.takes(f"arn:aws:sqs:us-east-1:{HERE}:shop/a") is None


@pytest.mark.parametrize(
    ("action", "key", "has"),
    [
        ("ecs:RunTask", "ecs:cluster", True),
        ("ecs:RunTask", "AWS:requesttag/Site", True),
        ("ecs:RunTask", "aws:RequestTag/", False),
        ("ecs:RunTask", "aws:SourceIp", True),
        ("ecs:RunTask", "s3:prefix", False),
        ("s3:GetObject", "s3:ExistingObjectTag/Team", True),
        ("kms:Decrypt", "kms:EncryptionContext:aws:s3:arn", True),
        ("sts:AssumeRoleWithWebIdentity", "gitlab.example.org:sub", True),
        ("sts:AssumeRole", "gitlab.example.org:sub", False),
        ("iam:PassRole", "iam:PassedToService", True),
    ],
)
def test_a_key_belongs_to_actions(action: str, key: str, has: bool) -> None:
    found = reference.action(action)
    assert found is not None
    assert found.may_have(key) is has


def test_every_type_that_an_action_takes_is_described() -> None:
    for service, facts in reference.services().items():
        for name in facts["actions"]:
            found = reference.action(f"{service}:{name}")
            assert found is not None
            assert all(arn.startswith("arn:") for arn in found.arns.values()), found

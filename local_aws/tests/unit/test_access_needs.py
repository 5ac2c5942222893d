"""From a call to the actions that it needs, on what, and in which context."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.access import needs, operator, resources
from local_aws.access.actions import DIFFERENT
from local_aws.access.estate import Estate
from local_aws.access.resources import Asked
from local_aws.cloud import Cloud

HERE = "us-east-1:123456789012"
TAGS = [{"Key": "a", "Value": "b"}]
CASES: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("s3:HeadObject", {"Bucket": "b", "Key": "a/k"}, [("s3:GetObject", "arn:aws:s3:::b/a/k")]),
    ("s3:GetObject", {"Bucket": "b", "Key": "k", "VersionId": "1"}, [("s3:GetObjectVersion", "arn:aws:s3:::b/k")]),
    ("s3:PutObject", {"Bucket": "b", "Key": "k", "Tagging": "a=b"},
     [("s3:PutObject", "arn:aws:s3:::b/k"), ("s3:PutObjectTagging", "arn:aws:s3:::b/k")]),
    ("s3:CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "/from/x"},
     [("s3:GetObject", "arn:aws:s3:::from/x"), ("s3:PutObject", "arn:aws:s3:::b/k")]),
    ("s3:CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "/from/x?versionId=1"},
     [("s3:GetObjectVersion", "arn:aws:s3:::from/x"), ("s3:PutObject", "arn:aws:s3:::b/k")]),
    ("s3:CopyObject", {"Bucket": "b", "Key": "k", "CopySource": {"Bucket": "from", "Key": "x", "VersionId": "1"}},
     [("s3:GetObjectVersion", "arn:aws:s3:::from/x"), ("s3:PutObject", "arn:aws:s3:::b/k")]),
    ("s3:PutBucketCors", {"Bucket": "b"}, [("s3:PutBucketCORS", "arn:aws:s3:::b")]),
    ("ecs:UpdateService", {"cluster": "c", "service": "web", "taskDefinition": "web:1"},
     [("ecs:UpdateService", f"arn:aws:ecs:{HERE}:service/c/web")]),
    ("budgets:CreateBudget", {"AccountId": "123456789012", "Budget": {"BudgetName": "x"}, "ResourceTags": TAGS},
     [("budgets:ModifyBudget", "arn:aws:budgets::123456789012:budget/x"),
      ("budgets:TagResource", "arn:aws:budgets::123456789012:budget/x")]),
    ("budgets:DescribeBudget", {"AccountId": "123456789012", "BudgetName": "x"},
     [("budgets:ViewBudget", "arn:aws:budgets::123456789012:budget/x")]),
    ("cloudfront:CreateDistribution",
     {"DistributionConfig": {"Logging": {"Enabled": True, "Bucket": "logs.s3.amazonaws.com"}}},
     [("cloudfront:CreateDistribution", "*"), ("s3:GetBucketAcl", "arn:aws:s3:::logs"),
      ("s3:PutBucketAcl", "arn:aws:s3:::logs")]),
    ("cloudfront:CreateDistribution", {"DistributionConfig": {"Logging": {"Enabled": False, "Bucket": ""}}},
     [("cloudfront:CreateDistribution", "*")]),
    ("ecs:DescribeTaskDefinition", {"taskDefinition": "web"}, [("ecs:DescribeTaskDefinition", "*")]),
    ("ecs:TagResource", {"resourceArn": f"arn:aws:ecs:{HERE}:service/c/web", "tags": [{"key": "a", "value": "b"}]},
     [("ecs:TagResource", f"arn:aws:ecs:{HERE}:service/c/web")]),
    ("logs:CreateLogStream", {"logGroupName": "/shop/x", "logStreamName": "s"},
     [("logs:CreateLogStream", f"arn:aws:logs:{HERE}:log-group:/shop/x:log-stream:s")]),
    ("cloudformation:CreateStack", {"StackName": "shop-prod-new", "Tags": []},
     [(f"cloudformation:{name}", f"arn:aws:cloudformation:{HERE}:stack/shop-prod-new/*")
      for name in ("CreateStack", "TagResource")]),
    ("rds:CreateDBInstance", {"DBInstanceIdentifier": "d", "DBSubnetGroupName": "s", "Tags": TAGS},
     [("rds:CreateDBInstance", f"arn:aws:rds:{HERE}:db:d"), ("rds:CreateDBInstance", f"arn:aws:rds:{HERE}:subgrp:s"),
      ("rds:AddTagsToResource", f"arn:aws:rds:{HERE}:db:d")]),
    ("rds:RestoreDBInstanceToPointInTime",
     {"SourceDBInstanceIdentifier": "d", "TargetDBInstanceIdentifier": "n", "DBSubnetGroupName": "s"},
     [("rds:RestoreDBInstanceToPointInTime", f"arn:aws:rds:{HERE}:{each}") for each in ("db:d", "db:n", "subgrp:s")]),
    ("sqs:SendMessageBatch", {"QueueUrl": "http://x/1/post"}, [("sqs:SendMessage", f"arn:aws:sqs:{HERE}:post")]),
    ("sns:CreateTopic", {"Name": "t"}, [("sns:CreateTopic", f"arn:aws:sns:{HERE}:t")]),
    ("sns:Subscribe", {"TopicArn": f"arn:aws:sns:{HERE}:t"}, [("sns:Subscribe", f"arn:aws:sns:{HERE}:t")]),
    ("sns:Unsubscribe", {"SubscriptionArn": f"arn:aws:sns:{HERE}:t:1"}, [("sns:Unsubscribe", f"arn:aws:sns:{HERE}:t")]),
    ("cloudwatch:SetAlarmState", {"AlarmName": "a"},
     [("cloudwatch:SetAlarmState", f"arn:aws:cloudwatch:{HERE}:alarm:a")]),
    ("cloudwatch:PutAlarmMuteRule", {"Name": "m", "MuteTargets": {"AlarmNames": ["a"]}},
     [("cloudwatch:PutAlarmMuteRule", f"arn:aws:cloudwatch:{HERE}:alarm:a"),
      ("cloudwatch:PutAlarmMuteRule", f"arn:aws:cloudwatch:{HERE}:alarm-mute-rule:m")]),
    ("cloudwatch:DeleteAlarmMuteRule", {"AlarmMuteRuleName": "m"},
     [("cloudwatch:DeleteAlarmMuteRule", f"arn:aws:cloudwatch:{HERE}:alarm-mute-rule:m")]),
    ("cloudwatch:PutDashboard", {"DashboardName": "d"},
     [("cloudwatch:PutDashboard", "arn:aws:cloudwatch::123456789012:dashboard/d")]),
    ("cloudwatch:DescribeAlarms", {"AlarmNamePrefix": "a"}, [("cloudwatch:DescribeAlarms", "*")]),
    ("events:PutTargets", {"Rule": "r", "Targets": []}, [("events:PutTargets", f"arn:aws:events:{HERE}:rule/r")]),
    ("ssm:GetParameters", {"Names": ["/shop/a", "/aws/service/x"]},
     [("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/shop/a"),
      ("ssm:GetParameters", "arn:aws:ssm:us-east-1::parameter/aws/service/x")]),
    ("lambda:CreateFunction", {"FunctionName": "f", "Role": "arn:aws:iam::123456789012:role/r"},
     [("lambda:CreateFunction", f"arn:aws:lambda:{HERE}:function:f"),
      ("iam:PassRole", "arn:aws:iam::123456789012:role/r")]),
    ("backup:StartRestoreJob", {"RecoveryPointArn": f"arn:aws:backup:{HERE}:recovery-point:1", "Metadata": {},
                                "IamRoleArn": "arn:aws:iam::123456789012:role/r"},
     [("backup:StartRestoreJob", f"arn:aws:backup:{HERE}:recovery-point:1"),
      ("iam:PassRole", "arn:aws:iam::123456789012:role/r")]),
    ("route53:ChangeResourceRecordSets", {"HostedZoneId": "/hostedzone/Z1"},
     [("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1")]),
    ("apigatewayv2:CreateApi", {"Name": "x"}, [("apigateway:POST", "*")]),
    ("ec2:DescribeVpcs", {}, [("ec2:DescribeVpcs", "*")]),
    ("wafv2:CreateWebACL",
     {"Name": "a", "Scope": "CLOUDFRONT", "Rules": [{"Statement": {"IPSetReferenceStatement": {"ARN": "arn:set"}}}]},
     [("wafv2:CreateWebACL", "arn:set"), ("wafv2:CreateWebACL", f"arn:aws:wafv2:{HERE}:global/webacl/a/*")]),
    ("wafv2:UpdateIPSet", {"Name": "s", "Scope": "REGIONAL", "Id": "1"},
     [("wafv2:UpdateIPSet", f"arn:aws:wafv2:{HERE}:regional/ipset/s/1")]),
    ("wafv2:AssociateWebACL",
     {"WebACLArn": f"arn:aws:wafv2:{HERE}:regional/webacl/a/1", "ResourceArn": "arn:x:loadbalancer/app/b/2"},
     [("wafv2:AssociateWebACL", "arn:x:loadbalancer/app/b/2"),
      ("wafv2:AssociateWebACL", f"arn:aws:wafv2:{HERE}:regional/webacl/a/1")]),
    ("wafv2:PutLoggingConfiguration", {"LoggingConfiguration": {"ResourceArn": "arn:acl"}},
     [("wafv2:PutLoggingConfiguration", "arn:acl")]),
    ("wafv2:TagResource", {"ResourceARN": f"arn:aws:wafv2:{HERE}:global/webacl/a/1", "Tags": []},
     [("wafv2:TagResource", f"arn:aws:wafv2:{HERE}:global/webacl/a/1")]),
]  # fmt: skip


@pytest.fixture
def estate(aws: Cloud) -> Estate:
    return Estate(aws)


@pytest.mark.parametrize(("name", "given", "expected"), CASES, ids=[case[0] for case in CASES])
def test_what_a_call_needs(name: str, given: dict[str, Any], expected: list[tuple[str, str]], estate: Estate) -> None:
    service, _, operation = name.partition(":")
    found = needs.of(Asked(service, operation, "us-east-1", given), estate)
    assert [(need.action, need.resource) for need in found] == expected


def test_the_context_says_what_conditions_ask_for(estate: Estate) -> None:
    given = {"cluster": "c", "taskDefinition": "web:1", "tags": [{"key": "Site", "value": "shop"}]}
    run, tag = needs.of(Asked("ecs", "RunTask", "eu-west-1", given), estate)
    assert run.context["aws:RequestedRegion"] == "eu-west-1"
    assert run.context["ecs:cluster"] == "arn:aws:ecs:eu-west-1:123456789012:cluster/c"
    assert (tag.action, tag.resource) == ("ecs:TagResource", "arn:aws:ecs:eu-west-1:123456789012:task/c/*")
    assert tag.context["ecs:CreateAction"] == "RunTask"
    assert tag.context["aws:RequestTag/Site"] == "shop"


def test_what_makes_or_changes_a_role_says_what_bounds_it(aws: Cloud, estate: Estate) -> None:
    bound, other = (f"arn:aws:iam::123456789012:policy/{name}" for name in ("bound", "other"))
    iam = aws.client("iam")
    trust = '{"Version": "2012-10-17", "Statement": []}'
    allowed = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    iam.create_policy(PolicyName="bound", PolicyDocument=allowed)
    iam.create_role(RoleName="bound", AssumeRolePolicyDocument=trust, PermissionsBoundary=bound)
    iam.create_role(RoleName="free", AssumeRolePolicyDocument=trust)

    def said(operation: str, **given: str) -> Any:
        (need,) = needs.of(Asked("iam", operation, "us-east-1", given), estate)
        return need.context.get("iam:PermissionsBoundary")

    assert said("CreateRole", RoleName="new", PermissionsBoundary=bound) == bound
    assert said("CreateRole", RoleName="new") is None
    assert said("PutRolePolicy", RoleName="bound") == bound
    assert said("PutRolePolicy", RoleName="free") is None
    assert said("PutRolePermissionsBoundary", RoleName="bound", PermissionsBoundary=other) == other


def test_an_action_that_iam_does_not_have_is_told(estate: Estate) -> None:
    with pytest.raises(needs.UnknownCall, match=r"which right ecs:Nothing needs: .* no action ecs:Nothing"):
        needs.of(Asked("ecs", "Nothing", "us-east-1"), estate)


def test_every_action_that_is_named_here_is_one_of_iams() -> None:
    named = {action for actions in DIFFERENT.values() for action in actions} | set(needs.TAGGING.values())
    assert not {action for action in named | set(needs.TAGGING_IAM.values()) if not resources.known(action)}


def test_the_operator_has_the_policies_of_docs_for_a_site_or_for_any() -> None:
    shop, every = operator.policies("shop", "eu-west-1"), operator.policies()
    assert set(shop) == set(every) == {f"operator-policy-{trade}" for trade in ("data", "deploy", "operate")}
    text = str(shop)
    assert "arn:aws:ecs:eu-west-1:123456789012:cluster/shop-*" in text
    assert not {word for word in ("SITE", "REGION", "ACCOUNT", "PARTITION") if word in text + str(every)}
    assert "{'StringEquals': {'aws:ResourceTag/Site': 'shop'}}" in text
    assert "{'StringLike': {'aws:ResourceTag/Site': '*'}}" in str(every)

"""Calls to the APIs are judged by IAM: who may goes on, who may not is refused in AWS's words, or written down."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.access import operator
from local_aws.access.denials import Denials
from local_aws.config import Iam
from local_aws.tests.access_support import Guarded

OPERATOR = "arn:aws:iam::123456789012:user/operator"


@contextlib.contextmanager
def denied(code: str, text: str) -> Iterator[None]:
    with pytest.raises(ClientError) as caught:
        yield
    assert caught.value.response["Error"]["Code"] == code
    assert text in caught.value.response["Error"]["Message"]


def allow(*actions: str, on: str = "*", **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on} | (
        {"Condition": condition} if condition else {}
    )


def test_the_operator_may_do_what_its_policies_say_and_no_more(guard: Callable[..., Guarded]) -> None:
    guarded = guard(policies=operator.policies("shop", "us-east-1"))
    ecs = guarded.client("ecs")
    ecs.create_cluster(clusterName="shop-prod")
    assert not guarded.denied
    refusal = (
        f"User: {OPERATOR} is not authorized to perform: ecs:CreateCluster on resource: "
        "arn:aws:ecs:us-east-1:123456789012:cluster/blog-prod because no identity-based policy allows the "
        "ecs:CreateCluster action"
    )
    with denied("AccessDeniedException", refusal):
        ecs.create_cluster(clusterName="blog-prod")
    assert [each["clusterName"] for each in ecs.describe_clusters(clusters=["blog-prod"])["clusters"]] == []
    assert [(each.action, each.call) for each in guarded.denied] == [("ecs:CreateCluster", "ecs:CreateCluster")]


def test_each_protocol_says_it_in_its_own_shape(guard: Callable[..., Guarded]) -> None:
    guarded = guard(policies={})
    no = "because no identity-based policy allows the"
    with denied("AccessDenied", f"cloudformation:ListStacks {no} cloudformation:ListStacks action"):
        guarded.client("cloudformation").list_stacks()
    with denied("UnauthorizedOperation", "You are not authorized to perform this operation. User: "):
        guarded.client("ec2").describe_vpcs()
    with denied("AccessDeniedException", f"{no} elasticfilesystem:DescribeFileSystems action"):
        guarded.client("efs").describe_file_systems()
    with denied("AccessDenied", "s3:ListAllMyBuckets"):
        guarded.client("s3").list_buckets()
    with denied("AccessDenied", "route53:ListHostedZones"):
        guarded.client("route53").list_hosted_zones()
    with denied("403", "Forbidden"):  # HEAD has no body
        guarded.client("s3").head_bucket(Bucket="none")
    assert guarded.client("sts").get_caller_identity()["Account"] == "123456789012", "which nobody can be denied"


def test_a_denial_is_written_down_and_where_it_is_only_recorded_the_call_is_done(
    guard: Callable[..., Guarded], tmp_path: Path
) -> None:
    guarded = guard(Iam.RECORD, {})
    guarded.guard.denied = Denials(tmp_path / "state" / "iam.jsonl")
    guarded.client("sqs").create_queue(QueueName="post")
    (line,) = (tmp_path / "state" / "iam.jsonl").read_text().splitlines()
    written = json.loads(line)
    assert written.pop("time")
    assert "no identity-based policy allows the sqs:CreateQueue action" in written.pop("message")
    assert written == {
        "principal": OPERATOR, "action": "sqs:CreateQueue", "resource": "arn:aws:sqs:us-east-1:123456789012:post",
        "statement": "", "call": "sqs:CreateQueue", "refused": False,
    }  # fmt: skip
    assert "record: 1 denials (sqs:CreateQueue for operator)" in guarded.guard.describe()


def test_an_explicit_deny_names_its_statement(guard: Callable[..., Guarded]) -> None:
    deny = {"Sid": "NoQueues", "Effect": "Deny", "Action": "sqs:*", "Resource": "*"}
    guarded = guard(policies={"own": {"Version": "2012-10-17", "Statement": [allow("sqs:*"), deny]}})
    with denied("AccessDenied", "with an explicit deny in an identity-based policy"):
        guarded.client("sqs").create_queue(QueueName="post")
    assert guarded.denied[0].statement == "own NoQueues"


def test_a_session_has_the_rights_of_its_role(guard: Callable[..., Guarded]) -> None:
    guarded = guard()
    admin = guarded.cloud.client("s3")
    admin.create_bucket(Bucket="shop-photos")
    keys = guarded.assumed("web", allow("s3:PutObject", "s3:GetObject", on="arn:aws:s3:::shop-photos/*"))
    s3 = guarded.client("s3", keys=keys)
    s3.put_object(Bucket="shop-photos", Key="a/b c.png", Body=b"x")
    assert s3.get_object(Bucket="shop-photos", Key="a/b c.png")["Body"].read() == b"x"
    with denied("AccessDenied", "assumed-role/web/session is not authorized to perform: s3:DeleteObject on resource: "):
        s3.delete_object(Bucket="shop-photos", Key="a/b c.png")
    with denied("AccessDenied", "s3:ListBucket on resource: arn:aws:s3:::shop-photos"):
        s3.list_objects_v2(Bucket="shop-photos")
    with denied("AccessDenied", "s3:DeleteObject"):
        s3.delete_objects(Bucket="shop-photos", Delete={"Objects": [{"Key": "a/b c.png"}]})


def test_a_key_that_nobody_has_is_refused(guard: Callable[..., Guarded]) -> None:
    guarded = guard()
    nobody = {"AccessKeyId": "AKIANOBODY", "SecretAccessKey": "x"}
    with denied("InvalidClientTokenId", "The security token included in the request is invalid."):
        guarded.client("iam", keys=nobody).list_roles()
    with denied("UnrecognizedClientException", "invalid"):
        guarded.client("ecs", keys=nobody).list_clusters()


def test_what_no_policy_can_allow_as_nobody_knows_it_is_refused(guard: Callable[..., Guarded]) -> None:
    guarded = guard(policies={"all": {"Version": "2012-10-17", "Statement": [allow("*")]}})
    guarded.client("rds").describe_db_instances()
    with denied("AccessDenied", "does not know which right s3:SelectObjectContent needs"):
        guarded.client("s3").select_object_content(
            Bucket="b", Key="k", Expression="select *", ExpressionType="SQL", InputSerialization={"CSV": {}},
            OutputSerialization={"CSV": {}},
        )  # fmt: skip
    assert guarded.denied[-1].call == ""


def test_a_stack_has_the_rights_of_who_makes_it(guard: Callable[..., Guarded]) -> None:
    guarded = guard(policies=operator.policies("shop", "us-east-1"))
    stacks = guarded.client("cloudformation")

    def made(queue: str) -> dict[str, Any]:
        body = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": queue}}}}
        stacks.create_stack(StackName=f"shop-prod-{queue}", TemplateBody=json.dumps(body))
        with contextlib.suppress(Exception):
            stacks.get_waiter("stack_create_complete").wait(
                StackName=f"shop-prod-{queue}", WaiterConfig={"Delay": 1, "MaxAttempts": 10}
            )
        found: dict[str, Any] = stacks.describe_stacks(StackName=f"shop-prod-{queue}")["Stacks"][0]
        return found

    assert made("shop-prod-post")["StackStatus"] == "CREATE_COMPLETE"
    assert made("post")["StackStatus"] == "ROLLBACK_COMPLETE"
    events = stacks.describe_stack_events(StackName="shop-prod-post")["StackEvents"]
    reasons = [each.get("ResourceStatusReason", "") for each in events]
    assert any(f"User: {OPERATOR} is not authorized to perform: sqs:CreateQueue" in each for each in reasons)

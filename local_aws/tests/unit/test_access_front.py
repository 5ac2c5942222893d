"""Calls to the APIs are judged by IAM: who may goes on, who may not is refused in AWS's words, or written down."""

from __future__ import annotations

import base64
import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from local_aws.access import operator
from local_aws.access.denials import Denials
from local_aws.config import DIRECT, Iam
from local_aws.edge.configuration import signed
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


def test_an_instance_that_is_named_alone_is_its_group_s(guard: Callable[..., Guarded]) -> None:
    guarded = guard(policies=operator.policies("shop", "us-east-1"))
    made = guarded.cloud.client("autoscaling")
    made.create_launch_configuration(LaunchConfigurationName="any", ImageId="ami-12c6146b", InstanceType="t2.micro")
    for name in ("shop-prod-hosts", "blog-prod-hosts"):
        made.create_auto_scaling_group(
            AutoScalingGroupName=name, LaunchConfigurationName="any", AvailabilityZones=["us-east-1a"], MinSize=0,
            MaxSize=1, DesiredCapacity=1,
        )  # fmt: skip
    groups = made.describe_auto_scaling_groups()["AutoScalingGroups"]
    hosts = {each["AutoScalingGroupName"]: each["Instances"][0]["InstanceId"] for each in groups}
    autoscaling = guarded.client("autoscaling")
    with denied("AccessDenied", "autoScalingGroupName/blog-prod-hosts"):
        autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=hosts["blog-prod-hosts"], ShouldDecrementDesiredCapacity=True
        )
    autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=hosts["shop-prod-hosts"], ShouldDecrementDesiredCapacity=True
    )
    assert [(each.action, each.call) for each in guarded.denied] == [
        ("autoscaling:TerminateInstanceInAutoScalingGroup", "autoscaling:TerminateInstanceInAutoScalingGroup")
    ]


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
    assert guarded.client("sts").get_caller_identity()["Arn"] == OPERATOR, "which nobody can be denied"


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


def test_a_policy_that_is_written_anew_counts_from_the_next_call_on(guard: Callable[..., Guarded]) -> None:
    guarded = guard()
    sqs = guarded.client("sqs", keys=guarded.assumed("web", allow("sqs:CreateQueue")))
    sqs.create_queue(QueueName="first")

    def written(*statements: dict[str, Any]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        guarded.cloud.client("iam").put_role_policy(RoleName="web", PolicyName="given", PolicyDocument=document)

    written(allow("sqs:CreateQueue", StringEquals={"aws:RequestTag/Site": "shop"}), allow("sqs:TagQueue"))
    with denied("AccessDenied", "no identity-based policy allows the sqs:CreateQueue action"):
        sqs.create_queue(QueueName="second")
    sqs.create_queue(QueueName="second", tags={"Site": "shop"})
    written(allow("sqs:DeleteQueue"))
    with denied("AccessDenied", "no identity-based policy allows the sqs:CreateQueue action"):
        sqs.create_queue(QueueName="third", tags={"Site": "shop"})
    written(allow("sqs:CreateQueue"))
    sqs.create_queue(QueueName="third")


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


def test_a_stack_s_role_is_passed_on_only_with_the_right_to(guard: Callable[..., Guarded]) -> None:
    """A function's role: iam:PassRole on that role, for that service."""
    passing = allow("iam:PassRole", on="arn:aws:iam::123456789012:role/shop-*", StringEquals={
        "iam:PassedToService": "ecs-tasks.amazonaws.com"})  # fmt: skip
    guarded = guard(policies={"own": {"Version": "2012-10-17", "Statement": [allow("ecs:*", "scheduler:*"), passing]}})
    for name in ("shop-task", "blog-task"):
        guarded.assumed(name)
    arn = "arn:aws:iam::123456789012:role/{}"
    container = [{"name": "web", "image": "x", "memory": 64}]
    ecs = guarded.client("ecs")
    ecs.register_task_definition(family="web", containerDefinitions=container, taskRoleArn=arn.format("shop-task"))
    with denied("AccessDeniedException", f"iam:PassRole on resource: {arn.format('blog-task')} because no identity"):
        ecs.register_task_definition(family="web", containerDefinitions=container, taskRoleArn=arn.format("blog-task"))
    with denied("AccessDeniedException", "iam:PassRole"):
        guarded.client("ecs").run_task(
            cluster="none", taskDefinition="web", overrides={"taskRoleArn": arn.format("blog-task")}
        )
    target = {"Arn": "arn:aws:ecs:us-east-1:123456789012:cluster/x", "RoleArn": arn.format("shop-task")}
    with denied("AccessDeniedException", "iam:PassRole"):
        guarded.client("scheduler").create_schedule(
            Name="nightly", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
        )


def test_a_bucket_s_policy_counts_for_who_has_no_identity_here(guard: Callable[..., Guarded]) -> None:
    guarded = guard()
    admin, where = guarded.cloud.client("s3"), f"{guarded.endpoint}/shop-front/index.html"
    admin.create_bucket(Bucket="shop-front")
    admin.put_object(Bucket="shop-front", Key="index.html", Body=b"<h1>")
    assert asked(where)[0] == 403
    public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop-front/*"}
    admin.put_bucket_policy(Bucket="shop-front", Policy=json.dumps({"Version": "2012-10-17", "Statement": [public]}))
    assert asked(where) == (200, b"<h1>")
    assert asked(f"{guarded.endpoint}/shop-front/index.html", "DELETE")[0] == 403
    before = len(guarded.denied)
    asked(f"{guarded.endpoint}/shop-front/index.html", "OPTIONS")
    assert len(guarded.denied) == before, "a browser's question"


def test_a_signed_address_has_the_rights_of_who_signed_it(guard: Callable[..., Guarded]) -> None:
    guarded = guard()
    admin = guarded.cloud.client("s3")
    admin.create_bucket(Bucket="shop-pictures")
    admin.put_object(Bucket="shop-pictures", Key="a.png", Body=b"x")
    for name, statement, expected in (
        ("reads", allow("s3:GetObject", on="arn:aws:s3:::shop-pictures/*"), 200),
        ("writes", allow("s3:PutObject", on="arn:aws:s3:::shop-pictures/*"), 403),
    ):
        s3 = guarded.client("s3", keys=guarded.assumed(name, statement), signature_version="s3v4")
        address = s3.generate_presigned_url("get_object", {"Bucket": "shop-pictures", "Key": "a.png"})
        assert asked(address)[0] == expected, name
        form = s3.generate_presigned_post("shop-pictures", "b.png")
        assert posted(form) == (403 if name == "reads" else 204), name


def test_a_role_is_assumed_by_a_token_of_whom_it_trusts(guard: Callable[..., Guarded]) -> None:
    guarded = guard()
    provider = "arn:aws:iam::123456789012:oidc-provider/ci.test"
    trust: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    trust["Condition"] = {"StringEquals": {"ci.test:sub": "repo:shop", "ci.test:aud": "sts.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = guarded.cloud.client("iam").create_role(RoleName="deployer", AssumeRolePolicyDocument=document)["Role"][
        "Arn"
    ]
    sts = guarded.client("sts", signature_version=UNSIGNED)

    def assume(subject: str) -> Any:
        token = ".".join(encoded(part) for part in ({"alg": "none"}, claims | {"sub": subject}, {}))
        return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="ci", WebIdentityToken=token)

    claims = {"iss": "https://ci.test", "aud": "sts.amazonaws.com"}
    keys = assume("repo:shop")["Credentials"]
    assert guarded.client("sts", keys=keys).get_caller_identity()["Arn"].endswith("assumed-role/deployer/ci")
    with denied("AccessDenied", "sts:AssumeRoleWithWebIdentity"):
        assume("repo:blog")


def test_what_nobody_signed_is_refused(guard: Callable[..., Guarded]) -> None:
    guarded = guard()
    with denied("AccessDenied", "missing Authentication Token"):
        guarded.client("iam", signature_version=UNSIGNED).list_roles()
    with denied("AccessDeniedException", "missing Authentication Token"):
        guarded.client("ecs", signature_version=UNSIGNED).list_clusters()


def asked(address: str, method: str = "GET") -> tuple[int, bytes]:
    try:
        with DIRECT.open(urllib.request.Request(address, method=method)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def posted(form: dict[str, Any]) -> int:
    lines = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
             for name, value in form["fields"].items()]  # fmt: skip
    lines.append('--x\r\nContent-Disposition: form-data; name="file"; filename="b.png"\r\n\r\nx\r\n--x--\r\n')
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    request = urllib.request.Request(form["url"], "".join(lines).encode(), headers, method="POST")
    try:
        with DIRECT.open(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def encoded(part: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_a_distribution_reads_a_bucket_that_lets_it_in_and_nobody_else_does(guard: Callable[..., Guarded]) -> None:
    """As its nginx asks: by the bucket's own Host, signed as CloudFront does (Origin Access Control)."""
    guarded = guard(policies={})
    admin = guarded.cloud.client("s3")
    admin.create_bucket(Bucket="shop-page")
    admin.put_object(Bucket="shop-page", Key="index.html", Body=b"<p>")
    source = "arn:aws:cloudfront::123456789012:distribution/E1*"
    statement = {
        "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shop-page/*", "Condition": {"ArnLike": {"aws:SourceArn": source}},
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    admin.put_bucket_policy(Bucket="shop-page", Policy=policy)

    def read(**headers: str) -> bytes:
        host = {"Host": "shop-page.s3.us-east-1.amazonaws.com"}
        asked = urllib.request.Request(f"{guarded.endpoint}/index.html", headers=host | headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=10) as answer:
            return bytes(answer.read())

    assert read(Authorization=signed("E1ABC")) == b"<p>"
    assert not guarded.denied
    for other in ({"Authorization": signed("E2ABC")}, {}):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            read(**other)
    assert [each.action for each in guarded.denied] == ["s3:GetObject"] * 2

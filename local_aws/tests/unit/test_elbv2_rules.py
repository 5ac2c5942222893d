"""What AWS refuses of a listener's rule: more values, wildcards or text than it takes, and a number that is taken."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud

ALL = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}


@pytest.fixture
def listener(aws: Cloud) -> tuple[Any, str]:
    """A client, and the ARN of a listener."""
    ec2, elb = aws.client("ec2"), aws.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/20")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    balancer = elb.create_load_balancer(Name="site", Subnets=[each["SubnetId"] for each in subnets])
    made = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"], Protocol="HTTP", Port=80,
        DefaultActions=[fixed("x")],
    )  # fmt: skip
    return elb, str(made["Listeners"][0]["ListenerArn"])


def fixed(body: str) -> dict[str, Any]:
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503", "MessageBody": body}}


def add(listener: tuple[Any, str], *conditions: dict[str, Any], priority: int = 7, body: str = "x") -> str:
    elb, arn = listener
    made = elb.create_rule(
        ListenerArn=arn, Priority=priority, Conditions=list(conditions) or [ALL], Actions=[fixed(body)]
    )
    return str(made["Rules"][0]["RuleArn"])


def paths(*values: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def cookie(*values: str) -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "Cookie", "Values": list(values)}}


def addresses(*values: str) -> dict[str, Any]:
    return {"Field": "source-ip", "SourceIpConfig": {"Values": list(values)}}


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        (
            [paths("/a", "/b"), addresses("10.0.0.0/8", "10.1.0.0/16", "192.0.2.1/32")],
            [paths("/a", "/b", "/c"), addresses("10.0.0.0/8", "10.1.0.0/16", "192.0.2.1/32")],
            "A rule can only have '5' condition values",
        ),
        ([paths("/*/a", "/*/?"), cookie("*x*")], [paths("/*/a", "/*/??"), cookie("*x*")], "'5' wildcards"),
        ([addresses("192.0.2.1/32")], [addresses("192.0.2.1")], "CIDR notation"),
        ([addresses("2001:db8::/32")], [addresses("office/24")], "CIDR notation"),
    ],
)
def test_what_a_rule_holds(
    listener: tuple[Any, str], right: list[dict[str, Any]], wrong: list[dict[str, Any]], says: str
) -> None:
    with pytest.raises(ClientError, match=says) as refused:
        add(listener, *wrong)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    arn = add(listener, *right)
    with pytest.raises(ClientError, match=says):
        listener[0].modify_rule(RuleArn=arn, Conditions=wrong)


def test_a_body_has_1024_bytes_at_most_in_rules_and_in_what_a_listener_does_by_default(
    listener: tuple[Any, str],
) -> None:
    elb, arn = listener
    says = "Member must have length less than or equal to 1024"
    with pytest.raises(ClientError, match=says):
        add(listener, body="x" * 1025)
    rule = add(listener, body="x" * 1024)
    with pytest.raises(ClientError, match=says):
        elb.modify_rule(RuleArn=rule, Actions=[fixed("x" * 1025)])
    with pytest.raises(ClientError, match=says):
        elb.modify_listener(ListenerArn=arn, DefaultActions=[fixed("x" * 1025)])
    elb.modify_rule(RuleArn=rule, Actions=[fixed("y")])


def test_a_number_is_had_once(listener: tuple[Any, str]) -> None:
    add(listener, priority=7)
    with pytest.raises(ClientError, match="PriorityInUse"):
        add(listener, priority=7)
    add(listener, priority=8)


def test_a_load_balancer_has_a_hundred_rules_besides_those_by_default(listener: tuple[Any, str]) -> None:
    for number in range(1, 101):
        add(listener, priority=number)
    with pytest.raises(ClientError, match="TooManyRules"):
        add(listener, priority=101)


def test_a_target_group_is_not_deleted_while_a_rule_leads_to_it(aws: Cloud, listener: tuple[Any, str]) -> None:
    elb, _ = listener
    vpc = aws.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    group = elb.create_target_group(Name="t", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
    rule = add(listener)
    elb.modify_rule(RuleArn=rule, Actions=[{"Type": "forward", "TargetGroupArn": group}])
    with pytest.raises(ClientError, match="ResourceInUse"):
        elb.delete_target_group(TargetGroupArn=group)
    elb.modify_rule(RuleArn=rule, Actions=[fixed("x")])
    elb.delete_target_group(TargetGroupArn=group)

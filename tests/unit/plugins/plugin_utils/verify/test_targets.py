"""Ways in: from a listener to a container's port, and what it answers."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.plugin_utils.verify import targets
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG
from plugins.plugin_utils.verify.subjects import Task
from tests.unit.plugins.plugin_utils.verify.support import only, states, task

GROUP = {"TargetGroupName": "web", "HealthCheckPath": "/healthz"}
SUBJECT = "service.web/app:8000"


@pytest.fixture
def world(aws: Cloud) -> dict[str, str]:
    """A load balancer with a listener, and a target group to which nothing leads."""
    ec2, elbv2 = aws.client("ec2"), aws.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/17")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    balancer = elbv2.create_load_balancer(Name="shop", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    group = elbv2.create_target_group(
        Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="instance", HealthCheckPath="/healthz"
    )["TargetGroups"][0]["TargetGroupArn"]
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
    listener = elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[fixed])
    return {"group": group, "listener": listener["Listeners"][0]["ListenerArn"]}


def service(group: str, port: int = 8000, container: str = "app", desired: int = 1) -> Task:
    balancer = {"targetGroupArn": group, "containerName": container, "containerPort": port}
    return task(service={"loadBalancers": [balancer], "desiredCount": desired})


def lead(aws: Cloud, world: dict[str, str], number: int = 500) -> None:
    aws.client("elbv2").create_rule(
        ListenerArn=world["listener"],
        Priority=number,
        Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": world["group"]}],
    )


def test_a_rule_has_to_lead_to_the_target_group(aws: Cloud, world: dict[str, str]) -> None:
    found = states(targets.check(aws.client, service(world["group"])))
    assert found["way in", SUBJECT, targets.LEADS] == WRONG
    lead(aws, world, number=21)
    found = states(targets.check(aws.client, service(world["group"])))
    assert found["way in", SUBJECT, targets.LEADS] == WRONG, "a rule of maintenance lets few people through"
    lead(aws, world)
    found = states(targets.check(aws.client, service(world["group"])))
    assert found["way in", SUBJECT, targets.LEADS] == OK
    assert found["way in", SUBJECT, targets.ANSWERS] == WRONG, "nothing is registered"


def test_a_target_group_that_is_gone_is_wrong(aws: Cloud, world: dict[str, str]) -> None:
    found = only(targets.check(aws.client, service(world["group"][:-1] + "x")))
    assert (found.state, "its target group is gone" in found.reason) == (WRONG, True)


@pytest.mark.parametrize(
    ("port", "container", "why"),
    [
        (8001, "app", "are port 8001 of app, which has 8000"),
        (8000, "proxy", "are of proxy, and the task has app"),
    ],
)
def test_the_container_has_to_have_the_port(
    aws: Cloud, world: dict[str, str], port: int, container: str, why: str
) -> None:
    found = only(targets.check(aws.client, service(world["group"], port, container)))
    assert (found.state, why in found.reason) == (WRONG, True)


def test_a_service_without_a_way_in_is_not_asked(aws: Cloud) -> None:
    assert list(targets.check(aws.client, task(service={"loadBalancers": [], "desiredCount": 1}))) == []


def health(*found: str) -> list[dict[str, Any]]:
    return [{"TargetHealth": {"State": state}} for state in found]


@pytest.mark.parametrize(
    ("found", "unhealthy", "desired", "state", "why"),
    [
        (("healthy", "draining"), [], 1, OK, "GET /healthz: 1 healthy"),
        (("healthy", "unhealthy"), ["the load balancer's GET"], 1, WRONG, "the load balancer's GET"),
        (("initial",), [], 1, NOT_ASKED, "no target is settled yet (initial)"),
        ((), [], 1, WRONG, "nothing is registered to answer GET /healthz"),
        ((), [], 0, NOT_ASKED, "the service is to run no task"),
        (("unavailable",), [], 1, WRONG, "its targets are unavailable"),
    ],
)
def test_targets_answer_or_not(
    found: tuple[str, ...], unhealthy: list[str], desired: int, state: str, why: str
) -> None:
    made = targets.answering(SUBJECT, GROUP, health(*found), unhealthy, desired)
    assert (made.state, why in made.reason) == (state, True)


def test_a_network_load_balancers_target_is_asked_for_a_connection() -> None:
    made = targets.answering(SUBJECT, {"TargetGroupName": "x"}, health("healthy"), [], 1)
    assert made.reason == "a connection: 1 healthy"

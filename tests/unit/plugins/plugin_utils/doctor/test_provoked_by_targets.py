"""Targets that get no request: what the embedded load balancer tells of them, and ECS of the tasks behind them.

That it measures so what a server answers is shown with HAProxy (local_aws/tests/parts/test_load_balancers.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.load_balancers.health import INITIAL, State, unhealthy
from local_aws.load_balancers.world import World as Balancers
from local_aws.patches import elbv2
from local_aws.tests.ecs_support import World
from plugins.plugin_utils.doctor.evidence import of_status
from plugins.plugin_utils.doctor.judging import recognised
from plugins.plugin_utils.doctor.signature import EVENT, Evidence
from plugins.plugin_utils.ecs_service_watch import event_text
from plugins.plugin_utils.status import targets
from tests.unit.plugins.plugin_utils.doctor.provoked_support import Provoked

provoked, of_tasks = Provoked(), Provoked()
PORT = 32768


class Balanced:
    """A load balancer in two zones, and a group with one target.

    Args:
        aws: the embedded AWS.
        zone: the letter of the target's zone.
    """

    def __init__(self, aws: Cloud, zone: str = "a") -> None:
        self.aws, ec2 = aws, aws.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.79.0.0/17")["Vpc"]["VpcId"]
        subnets = {}
        for number, letter in enumerate("abc"):
            asked = {"VpcId": vpc, "CidrBlock": f"10.79.{number}.0/24", "AvailabilityZone": f"us-east-1{letter}"}
            subnets[letter] = ec2.create_subnet(**asked)["Subnet"]["SubnetId"]
        asked = {"ImageId": "ami-0123456789abcdef0", "MinCount": 1, "MaxCount": 1, "SubnetId": subnets[zone]}
        self.host = ec2.run_instances(**asked)["Instances"][0]["InstanceId"]
        elb = aws.client("elbv2")
        two = [subnets["a"], subnets["b"]]
        self.arn = elb.create_load_balancer(Name="web", Subnets=two)["LoadBalancers"][0]["LoadBalancerArn"]
        asked = {"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": vpc, "HealthCheckPath": "/healthz"}
        self.group = elb.create_target_group(**asked)["TargetGroups"][0]["TargetGroupArn"]
        self.listener = elb.create_listener(
            LoadBalancerArn=self.arn, Protocol="HTTP", Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.group}],
        )["Listeners"][0]["ListenerArn"]  # fmt: skip
        elb.register_targets(TargetGroupArn=self.group, Targets=[{"Id": self.host, "Port": PORT}])

    def told(self, state: State) -> list[Evidence]:
        """What doctor is told of a service with a target of this health."""
        elbv2.target_health[self.group] = {(self.host, PORT): state}
        balancer = {"targetGroupArn": self.group, "containerName": "app", "containerPort": 8000}
        asked = {"loadBalancers": [balancer], "desiredCount": 1}
        service = {
            "name": "web", "running": 1, "desired": 1, "deployments": [], "stopped": [], "revision": "web:1",
            "targets": targets.look(self.aws.client, asked, "service.web").facts,
        }  # fmt: skip
        return list(of_status({"services": [service], "schedules": [], "stacks": [], "unasked": []}))

    def unmeasured(self) -> State:
        """What the part for load balancers says of the target before it has measured it."""
        world = Balancers(self.aws)
        self.served = [each.id for group in world.balancer(self.arn, ()).groups for each in group.targets]
        return world.unmeasured(self.group, self.host)


@pytest.fixture(autouse=True)
def _measured() -> Iterator[None]:
    yield
    elbv2.target_health.clear()


@provoked("check-redirect")
def _redirect(aws: Cloud) -> list[Evidence]:
    return Balanced(aws).told(unhealthy("L7STS", "301"))


@provoked("check-login")
def _login(aws: Cloud) -> list[Evidence]:
    return Balanced(aws).told(unhealthy("L7STS", "401"))


@provoked("check-path")
def _path(aws: Cloud) -> list[Evidence]:
    return Balanced(aws).told(unhealthy("L7STS", "404"))


@provoked("check-error")
def _error(aws: Cloud) -> list[Evidence]:
    return Balanced(aws).told(unhealthy("L7STS", "500"))


@provoked("check-silent")
def _silent(aws: Cloud) -> list[Evidence]:
    return Balanced(aws).told(unhealthy("L7TOUT", ""))


@provoked("check-zone")
def _zone(aws: Cloud) -> list[Evidence]:
    balanced = Balanced(aws, "c")
    lines = balanced.told(balanced.unmeasured())
    assert balanced.served == []
    return lines


@provoked("group-without-balancer")
def _listener(aws: Cloud) -> list[Evidence]:
    """Somebody has taken the listener away."""
    balanced = Balanced(aws)
    aws.client("elbv2").delete_listener(ListenerArn=balanced.listener)
    return balanced.told(balanced.unmeasured())


@pytest.mark.parametrize("name", provoked.by)
def test_what_a_balancer_says_is_recognised(name: str, aws: Cloud) -> None:
    provoked.prove(name, aws)


def test_a_target_in_a_zone_that_is_served_waits_for_its_first_check(aws: Cloud) -> None:
    balanced = Balanced(aws, "b")
    state = balanced.unmeasured()
    assert state == INITIAL
    assert balanced.served == [balanced.host]
    assert balanced.told(state) == []


@of_tasks("check-failed")
def _failed(world: World) -> list[Evidence]:
    """A program that refuses the connection: the load balancer has no more to say than that it did not answer."""
    world.agent()
    world.elsewhere.new_target = "unhealthy"
    world.elsewhere.unhealthy = str(unhealthy("L4CON", "")[2])
    world.balanced(world.define())
    world.tick(40)
    return [Evidence(EVENT, "service.web", event_text(each)) for each in world.messages()]


@pytest.mark.parametrize("name", of_tasks.by)
def test_what_ecs_says_of_a_target_is_recognised(name: str) -> None:
    of_tasks.prove(name, World())


def test_where_ecs_says_why_a_target_is_unhealthy_that_is_told(aws: Cloud) -> None:
    """And not besides that it is."""
    found: list[Any] = recognised([*_failed(World()), *_path(aws)])
    assert [each.signature for each in found] == ["check-path"]

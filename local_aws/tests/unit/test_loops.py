"""What the loops ask of the APIs: once, until something changes; and that they see it at once, whoever changes it."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.ecs.outside import Services
from local_aws.load_balancers.health import INITIAL, State
from local_aws.load_balancers.world import World
from local_aws.parts.databases import Databases
from local_aws.parts.file_systems import FileSystems
from local_aws.parts.instances import Instances
from local_aws.parts.load_balancers import LoadBalancers
from local_aws.parts.private_zones import PrivateZones
from local_aws.patches import autoscaling, elbv2, rds
from local_aws.tests.watched_support import Watched, outside, vpcs

# What changes moto's records without a request


def status(watched: Watched) -> list[str]:
    return [each["DBInstanceStatus"] for each in watched.cloud.look("rds", "describe_db_instances")["DBInstances"]]


def snapshots(watched: Watched) -> dict[str, str]:
    found = watched.cloud.look("rds", "describe_db_snapshots")["DBSnapshots"]
    return {each["DBSnapshotIdentifier"]: each["Status"] for each in found}


def test_the_status_of_a_database_and_of_a_snapshot_is_seen_at_once(watched: Watched) -> None:
    client, cloud = watched.cloud.client("rds"), watched.cloud
    client.create_db_instance(
        DBInstanceIdentifier="db", Engine="postgres", DBInstanceClass="db.t3.micro", AllocatedStorage=20,
        MasterUsername="person", MasterUserPassword="long-enough",
    )  # fmt: skip
    client.create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier="kept")
    assert status(watched) == ["available"]
    rds.set_status(cloud, "db", "failed")
    assert status(watched) == ["failed"]
    assert snapshots(watched)["kept"] == "available"
    rds.set_snapshot_status(cloud, "kept", "creating")
    assert snapshots(watched)["kept"] == "creating"


class OneTargetGroup:
    """As much of a load balancers' world as its health is told of."""

    def __init__(self, arn: str) -> None:
        self.groups: dict[str, Any] = {arn: {}}
        self.targets = {arn: [("i-1", 80)]}

    def unmeasured(self, _arn: str, _identifier: str) -> State:
        return INITIAL


def test_measured_health_is_seen_at_once_and_only_a_new_one_changes_anything(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elbv2, "target_health", {})
    balancers = LoadBalancers(watched.cloud)
    world: Any = OneTargetGroup("arn")
    vpcs(watched)
    balancers._tell_health(world)
    assert elbv2.target_health == {"arn": {("i-1", 80): INITIAL}}
    assert watched.asked(lambda: vpcs(watched)) == 1
    balancers._tell_health(world)
    assert watched.asked(lambda: vpcs(watched)) == 0


def test_a_launch_that_is_tried_again_is_seen_at_once(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    client = watched.cloud.client("autoscaling")
    client.create_launch_configuration(
        LaunchConfigurationName="hosts", ImageId="ami-0123456789abcdef0", InstanceType="t2.micro"
    )
    monkeypatch.setattr(autoscaling, "_launch", refuse)
    client.create_auto_scaling_group(
        AutoScalingGroupName="hosts", LaunchConfigurationName="hosts", MinSize=1, MaxSize=1,
        AvailabilityZones=["us-east-1a"],
    )  # fmt: skip
    monkeypatch.undo()
    assert instances(watched) == []
    autoscaling.retry(watched.cloud.changes.happening)
    assert instances(watched) == ["running"]
    autoscaling.retry(watched.cloud.changes.happening)
    assert watched.asked(lambda: instances(watched)) == 0


def refuse(*_: object) -> None:
    raise LookupError("no room")


def instances(watched: Watched) -> list[str]:
    reservations = watched.cloud.look("ec2", "describe_instances")["Reservations"]
    return [instance["State"]["Name"] for each in reservations for instance in each["Instances"]]


def test_an_instance_that_could_not_be_launched_is_gone_at_once(watched: Watched) -> None:
    ec2 = watched.cloud.client("ec2")
    made = ec2.run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1)["Instances"][0]
    assert instances(watched) == ["running"]
    Instances(watched.cloud)._abandon(made, "no room")
    assert instances(watched) == ["terminated"]


# The loops


def test_a_loop_asks_nothing_while_nothing_changes(watched: Watched) -> None:
    """Each loop's reading half, over one thing of its kind."""
    network = private_network(watched)
    group = balancer(watched, network)
    engine: Any = Engine()
    watched.cloud._docker = engine
    outside_of_ecs = Services(watched.cloud, "us-east-1")
    loops = {
        "instances": Instances(watched.cloud).reconcile,
        "load balancers": lambda: World(watched.cloud).balancer(group[0], ()),
        "private zones": PrivateZones(watched.cloud).reconcile,
        "target health": lambda: outside_of_ecs.target_health(group[1]),
        "delay": lambda: outside_of_ecs.deregistration_delay(group[1]),
        "gone": lambda: outside_of_ecs.instances_gone({"i-1"}),
        "databases": Databases(watched.cloud).reconcile,
        "file systems": FileSystems(watched.cloud)._describe,
    }
    first = {name: watched.asked(loop) for name, loop in loops.items()}
    assert {name: watched.asked(loop) for name, loop in loops.items()} == dict.fromkeys(loops, 0), first
    assert first["target health"] == first["delay"] == 0  # the load balancers have just asked the same
    assert all(asked for name, asked in first.items() if name not in ("target health", "delay"))
    outside(watched, "ec2").create_vpc(CidrBlock="10.80.0.0/17")
    assert {name: watched.asked(loop) for name, loop in loops.items()} == first


class Engine:
    """A Docker engine without containers."""

    def __init__(self) -> None:
        self.api = self

    def containers(self, **_: object) -> list[dict[str, Any]]:
        return []


def private_network(watched: Watched) -> list[str]:
    """A VPC with two subnets, and a private zone in it; the subnets."""
    ec2 = watched.cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/17")["Vpc"]["VpcId"]
    where = {"VPCRegion": "us-east-1", "VPCId": vpc}
    watched.cloud.client("route53").create_hosted_zone(Name="shop.internal", CallerReference="1", VPC=where)
    return [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    ]


def balancer(watched: Watched, subnets: list[str]) -> tuple[str, str]:
    """A load balancer with a listener and a target group; the ARNs of both."""
    client, ec2 = watched.cloud.client("elbv2"), watched.cloud.client("ec2")
    vpc = ec2.describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
    made = client.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    group = client.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]
    actions = [{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}]
    client.create_listener(LoadBalancerArn=made, Protocol="HTTP", Port=80, DefaultActions=actions)
    return made, group["TargetGroupArn"]

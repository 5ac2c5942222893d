"""The hosts' way to a file system."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.plugin_utils.verify import volumes
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding
from tests.unit.plugins.plugin_utils.verify.support import only


@pytest.fixture
def world(aws: Cloud) -> dict[str, Any]:
    """A host, and a file system with a mount target in its zone that lets it in."""
    ec2, efs = aws.client("ec2"), aws.client("efs")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/17")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    own, group = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("host", "efs")
    )
    rule = {"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049, "UserIdGroupPairs": [{"GroupId": own}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    made = ec2.run_instances(
        ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, SubnetId=subnets[0], SecurityGroupIds=[own]
    )
    system = efs.create_file_system(CreationToken="1")["FileSystemId"]
    target = efs.create_mount_target(FileSystemId=system, SubnetId=subnets[0], SecurityGroups=[group])["MountTargetId"]
    point = efs.create_access_point(ClientToken="1", FileSystemId=system)["AccessPointId"]
    return {
        "host": made["Instances"][0]["InstanceId"], "system": system, "target": target, "point": point,
        "group": group, "rule": rule, "other": subnets[1],
    }  # fmt: skip


def found(aws: Cloud, world: dict[str, Any]) -> Finding:
    outputs = {"volume.data.FileSystemId": world["system"], "volume.data.AccessPointId": world["point"]}
    clients = aws.client("efs"), aws.client("ec2")
    return only(volumes.check(*clients, "data", outputs, [world["host"]], "efs"))


def test_a_host_that_is_let_in_in_its_zone_is_well(aws: Cloud, world: dict[str, Any]) -> None:
    right = found(aws, world)
    assert (right.subject, right.state, right.reason) == ("volume.data", OK, f"{world['system']}, 1 mount target")


def test_a_security_group_that_does_not_let_it_in_is_wrong(aws: Cloud, world: dict[str, Any]) -> None:
    aws.client("ec2").revoke_security_group_ingress(GroupId=world["group"], IpPermissions=[world["rule"]])
    wrong = found(aws, world)
    assert (wrong.state, f"{world['group']} does not let {world['host']} in at port 2049" in wrong.reason) == (
        WRONG,
        True,
    )
    wide = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    aws.client("ec2").authorize_security_group_ingress(GroupId=world["group"], IpPermissions=[wide])
    assert found(aws, world).state == OK


def test_everything_that_is_wrong_is_told_at_once(aws: Cloud, world: dict[str, Any]) -> None:
    efs = aws.client("efs")
    efs.delete_access_point(AccessPointId=world["point"])
    efs.delete_mount_target(MountTargetId=world["target"])
    wrong = found(aws, world)
    assert wrong.state == WRONG
    assert f"no mount target lies in us-east-1a, where {world['host']} is" in wrong.reason
    assert f"its access point {world['point']} is gone" in wrong.reason


def test_a_mount_target_that_is_not_there_yet_is_told() -> None:
    host = {"InstanceId": "i-1", "Placement": {"AvailabilityZone": "us-east-1a"}}
    target = {"AvailabilityZoneName": "us-east-1a", "LifeCycleState": "creating"}
    assert list(volumes.unreached([target], [host])) == ["the mount target in us-east-1a, where i-1 is, is creating"]
    assert list(volumes.unreached([{**target, "LifeCycleState": "available"}], [host])) == []


def test_a_file_system_that_is_gone_or_not_there_yet(aws: Cloud) -> None:
    clients = aws.client("efs"), aws.client("ec2")
    outputs = {"volume.data.FileSystemId": "fs-0123456789abcdef0"}
    wrong = only(volumes.check(*clients, "data", outputs, [], "rexray"))
    assert (wrong.state, "there is no file system fs-0123456789abcdef0" in wrong.reason) == (WRONG, True)
    assert only(volumes.check(*clients, "data", {}, [], "efs")).state == NOT_ASKED
    assert list(volumes.check(*clients, "data", {}, [], "task")) == [], "a folder of the task's own"

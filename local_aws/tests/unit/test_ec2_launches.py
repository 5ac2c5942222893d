"""Launches that EC2 refuses, and beside each one that it does not."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.patches import ec2_launches
from local_aws.tests.stack_support import refused

IMAGE, KIND = "ami-0123456789abcdef0", "t3.micro"


def subnet(aws: Cloud, zone: str = "a") -> str:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/17")["Vpc"]["VpcId"]
    asked = {"VpcId": vpc, "CidrBlock": "10.79.0.0/24", "AvailabilityZone": f"us-east-1{zone}"}
    found: str = ec2.create_subnet(**asked)["Subnet"]["SubnetId"]
    return found


def launch(aws: Cloud, kind: str = KIND, **more: Any) -> str:
    asked = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "InstanceType": kind, **more}
    name: str = aws.client("ec2").run_instances(**asked)["Instances"][0]["InstanceId"]
    return name


def test_a_zone_launches_only_the_types_that_it_has(aws: Cloud) -> None:
    there = subnet(aws, "e")
    says = "is not supported in your requested Availability Zone (us-east-1e). Please retry your request by not "
    with refused(says + "specifying an Availability Zone or choosing us-east-1a, us-east-1b", "Unsupported"):
        launch(aws, SubnetId=there)
    launch(aws, "t2.micro", SubnetId=there)
    launch(aws, "nosuch.large", SubnetId=there)  # which no zone has, so none can be named
    launch(aws, SubnetId=subnet(aws))
    launch(aws)


def test_what_is_sold_out_in_a_zone_is_had_in_another(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ec2_launches, "sold_out", {(KIND, "us-east-1a"), ("t3.small", "us-east-1b")})
    with refused("or choosing us-east-1b, us-east-1c", "InsufficientInstanceCapacity"):
        launch(aws, SubnetId=subnet(aws))
    launch(aws, SubnetId=subnet(aws, "b"))


def test_a_quota_is_of_what_runs(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ec2_launches, "vcpu_quota", 5.0)
    first = launch(aws)
    launch(aws)
    with refused("than your current vCPU limit of 5 allows", "VcpuLimitExceeded"):
        launch(aws)
    aws.client("ec2").terminate_instances(InstanceIds=[first])
    launch(aws)


@pytest.mark.parametrize("enforced", ["enabled", "disabled"])
def test_an_account_that_enforces_tokens_launches_nothing_without(aws: Cloud, enforced: str) -> None:
    aws.client("ec2").modify_instance_metadata_defaults(HttpTokens="required", HttpTokensEnforced=enforced)
    launch(aws)
    launch(aws, MetadataOptions={"HttpTokens": "required"})
    if enforced == "enabled":
        with refused("httpTokensEnforced is enabled for this account", "UnsupportedOperation"):
            launch(aws, MetadataOptions={"HttpTokens": "optional"})
    else:
        launch(aws, MetadataOptions={"HttpTokens": "optional"})

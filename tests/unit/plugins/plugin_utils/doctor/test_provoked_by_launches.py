"""Launches that EC2 refuses, as the activities of the group tell them: the embedded AWS's, in AWS's words."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.patches import ec2_launches
from plugins.plugin_utils.doctor.asking import Asking
from plugins.plugin_utils.doctor.signature import Evidence
from tests.unit.plugins.plugin_utils.doctor.provoked_support import Provoked

GROUP, KIND = "shop-prod-hosts", "t3.micro"
provoked = Provoked()


class Hosts:
    """A site whose hosts are of a group of its own, in a subnet of one zone.

    Args:
        aws: the embedded AWS.
        zone: the letter of its zone.
    """

    def __init__(self, aws: Cloud, zone: str = "a") -> None:
        self.aws = aws
        ec2 = aws.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.79.0.0/17")["Vpc"]["VpcId"]
        asked = {"VpcId": vpc, "CidrBlock": "10.79.0.0/24", "AvailabilityZone": f"us-east-1{zone}"}
        self.subnet = ec2.create_subnet(**asked)["Subnet"]["SubnetId"]

    def launch(self, hosts: int = 1, **more: Any) -> None:
        data = {"ImageId": "ami-0123456789abcdef0", "InstanceType": KIND, **more}
        self.aws.client("ec2").create_launch_template(LaunchTemplateName="hosts", LaunchTemplateData=data)
        self.aws.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=GROUP, MinSize=hosts, MaxSize=hosts, VPCZoneIdentifier=self.subnet,
            LaunchTemplate={"LaunchTemplateName": "hosts", "Version": "$Latest"},
        )  # fmt: skip

    def asked(self) -> list[Evidence]:
        """What doctor is told of a site that wants for hosts."""
        model = {
            "site": {"name": "shop", "environment": "prod"},
            "services": [],
            "stacks": [],
            "hosts": [],
            "wrong": [],
        }
        now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1)
        return Asking(self.aws.client, model, {"cluster": {"HostGroupName": GROUP}}, "shop-prod", now).evidence()


@pytest.fixture(autouse=True)
def _plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an account is refused in one test, it is not in the next."""
    monkeypatch.setattr(ec2_launches, "sold_out", set())
    monkeypatch.setattr(ec2_launches, "vcpu_quota", ec2_launches.vcpu_quota)


@provoked("zone-without-type")
def _zone(aws: Cloud) -> list[Evidence]:
    hosts = Hosts(aws, "e")  # which has no t3, to this day
    hosts.launch()
    return hosts.asked()


@provoked("no-capacity")
def _capacity(aws: Cloud) -> list[Evidence]:
    ec2_launches.sold_out.add((KIND, "us-east-1a"))
    hosts = Hosts(aws)
    hosts.launch()
    return hosts.asked()


@provoked("vcpu-quota")
def _vcpus(aws: Cloud) -> list[Evidence]:
    ec2_launches.vcpu_quota = 5.0  # that of a new account: two hosts of two processors
    hosts = Hosts(aws)
    hosts.launch(3)
    return hosts.asked()


@provoked("metadata-tokens")
def _tokens(aws: Cloud) -> list[Evidence]:
    aws.client("ec2").modify_instance_metadata_defaults(HttpTokens="required", HttpTokensEnforced="enabled")
    hosts = Hosts(aws)
    hosts.launch(MetadataOptions={"HttpTokens": "optional"})
    return hosts.asked()


@pytest.mark.parametrize("name", provoked.by)
def test_what_a_group_could_not_launch_is_recognised(name: str, aws: Cloud) -> None:
    provoked.prove(name, aws)

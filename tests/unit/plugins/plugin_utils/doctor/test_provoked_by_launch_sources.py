"""What a host is launched from, and is there no longer: a group that had it tells the embedded AWS's refusal."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.patches import autoscaling
from local_aws.tests.stack_support import Stacks
from plugins.plugin_utils.doctor.asking import Asking
from plugins.plugin_utils.doctor.signature import Evidence
from tests.unit.plugins.plugin_utils.doctor.provoked_support import Provoked

GROUP = "shop-prod-hosts"
provoked, of_old_sources = Provoked(), Provoked()


class Hosts:
    """A site whose group of hosts is empty still.

    Args:
        aws: the embedded AWS.
        data: of the launch template.
    """

    def __init__(self, aws: Cloud, **data: Any) -> None:
        self.aws = aws
        source = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro", **data}
        aws.client("ec2").create_launch_template(LaunchTemplateName="hosts", LaunchTemplateData=source)
        aws.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=GROUP, MinSize=0, MaxSize=2, AvailabilityZones=["us-east-1a"],
            LaunchTemplate={"LaunchTemplateName": "hosts", "Version": "$Latest"},
        )  # fmt: skip

    def asked(self) -> list[Evidence]:
        """What doctor is told of it once it wants a host."""
        self.aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=1)
        site = {"name": "shop", "environment": "prod"}
        model = {"site": site, "services": [], "stacks": [], "hosts": [], "wrong": []}
        now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1)
        return Asking(self.aws.client, model, {"cluster": {"HostGroupName": GROUP}}, "shop-prod", now).evidence()


def image(aws: Cloud) -> str:
    """An AMI of the account's own."""
    ec2 = aws.client("ec2")
    asked = {"ImageId": "ami-0123456789abcdef0", "MinCount": 1, "MaxCount": 1}
    name: str = ec2.run_instances(**asked)["Instances"][0]["InstanceId"]
    return str(ec2.create_image(InstanceId=name, Name="hosts")["ImageId"])


@provoked("key-pair")
def _key(aws: Cloud) -> list[Evidence]:
    ec2 = aws.client("ec2")
    ec2.create_key_pair(KeyName="web")
    hosts = Hosts(aws, KeyName="web")
    ec2.delete_key_pair(KeyName="web")
    return hosts.asked()


@provoked("image-of-hosts")
def _image(aws: Cloud) -> list[Evidence]:
    own = image(aws)
    hosts = Hosts(aws, ImageId=own)
    aws.client("ec2").deregister_image(ImageId=own)
    return hosts.asked()


@provoked("instance-profile")
def _profile(aws: Cloud) -> list[Evidence]:
    iam = aws.client("iam")
    iam.create_instance_profile(InstanceProfileName="shop-prod-host")
    hosts = Hosts(aws, IamInstanceProfile={"Name": "shop-prod-host"})
    iam.delete_instance_profile(InstanceProfileName="shop-prod-host")
    return hosts.asked()


@pytest.mark.parametrize("name", provoked.by)
def test_what_is_there_no_longer_is_recognised(name: str, aws: Cloud) -> None:
    provoked.prove(name, aws)


@pytest.mark.parametrize("kind", ["ARN", "name"])
def test_a_profile_is_named_as_the_launch_names_it(kind: str, aws: Cloud) -> None:
    given = {"ARN": {"Arn": "arn:aws:iam::123456789012:instance-profile/gone"}, "name": {"Name": "gone"}}[kind]
    (line,) = Hosts(aws, IamInstanceProfile=given).asked()
    (value,) = given.values()
    assert line.text == (
        f"Value ({value}) for parameter iamInstanceProfile.{next(iter(given)).lower()} is invalid. "
        f"Invalid IAM Instance Profile {kind}. Launching EC2 instance failed."
    )


def test_from_what_is_there_a_host_is_launched(aws: Cloud) -> None:
    aws.client("ec2").create_key_pair(KeyName="web")
    aws.client("iam").create_instance_profile(InstanceProfileName="shop-prod-host")
    hosts = Hosts(aws, KeyName="web", ImageId=image(aws), IamInstanceProfile={"Name": "shop-prod-host"})
    assert hosts.asked() == []
    (group,) = aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert len(group["Instances"]) == 1


@of_old_sources("launch-configuration")
def _configuration(stacks: Stacks) -> list[Evidence]:
    asked = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "t2.micro"}
    source = {"Type": "AWS::AutoScaling::LaunchConfiguration", "Properties": asked}
    stacks.create("shop-prod-cluster", json.dumps({"Resources": {"LaunchConfiguration": source}}))
    (stack,) = (stacks.describe("shop-prod-cluster"),)
    site = {"name": "shop", "environment": "prod"}
    known = {"name": stack["StackName"], "layer": "cluster", "well": False, "status": stack["StackStatus"]}
    model = {"site": site, "services": [], "stacks": [known], "hosts": [], "wrong": []}
    client: Callable[[str], Any] = {"cloudformation": stacks.api}.__getitem__
    asking = Asking(client, model, {}, "shop-prod", datetime.datetime.now(datetime.UTC))
    return list(asking._stacks())


@pytest.mark.parametrize("name", of_old_sources.by)
def test_what_an_account_of_today_is_refused_is_recognised(
    name: str, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autoscaling, "refuse_launch_configurations", True)
    of_old_sources.prove(name, stacks)

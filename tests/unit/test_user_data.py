"""User data on its way from a template to an instance: encoded once."""

from __future__ import annotations

import base64

from local_aws.cloud import Cloud
from tests.unit.stack_support import Stacks
from tests.unit.test_handlers_cluster import HOSTS


def test_a_launch_configurations_user_data_is_encoded_once(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("userdata", HOSTS, Capabilities=["CAPABILITY_IAM"])
    found = aws.client("autoscaling").describe_launch_configurations()["LaunchConfigurations"]
    texts = [base64.b64decode(each["UserData"]) for each in found]
    assert b"#cloud-config" in texts

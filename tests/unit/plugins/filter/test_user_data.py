"""User data on its way from a template to an instance: encoded once, and whatever its bytes are."""

from __future__ import annotations

import base64
import gzip

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks
from local_aws.tests.unit.test_handlers_cluster import HOSTS
from plugins.filter.user_data import gzip_base64

TEXT = "#cloud-config\nwrite_files: [{path: /etc/größe, content: x}]\n"


def test_a_launch_configurations_user_data_is_encoded_once(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("userdata", HOSTS, Capabilities=["CAPABILITY_IAM"])
    found = aws.client("autoscaling").describe_launch_configurations()["LaunchConfigurations"]
    texts = [base64.b64decode(each["UserData"]) for each in found]
    assert b"#cloud-config" in texts


@pytest.mark.parametrize("source", ["configuration", "template"])
def test_an_instance_has_the_bytes_of_its_launch_source(aws: Cloud, stacks: Stacks, source: str) -> None:
    """Compressed, they are no text."""
    body = HOSTS.replace("{Fn::Base64: !Ref Text}", gzip_base64(TEXT))
    stacks.made("packed", body, {"Source": source}, Capabilities=["CAPABILITY_IAM"])
    ec2 = aws.client("ec2")
    hosts = ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])["Reservations"]
    found = [
        ec2.describe_instance_attribute(InstanceId=each["InstanceId"], Attribute="userData")["UserData"]["Value"]
        for reservation in hosts
        for each in reservation["Instances"]
    ]
    assert [gzip.decompress(base64.b64decode(each)).decode() for each in found] == [TEXT] * 2


def test_equal_texts_are_equal_compressed_and_shorter() -> None:
    long = TEXT * 100
    assert gzip_base64(long) == gzip_base64(str(long))
    header = base64.b64decode(gzip_base64(long))[:10]  # RFC 1952: no name, no time, compressed as well as can be
    assert header == b"\x1f\x8b\x08\x00" + b"\x00" * 4 + b"\x02\xff"
    assert len(gzip_base64(long)) < len(long)
    assert gzip.decompress(base64.b64decode(gzip_base64(""))) == b""

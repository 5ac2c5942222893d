"""EC2's GetConsoleOutput in the embedded AWS: what the host wrote, and only on Nitro the latest of it."""

from __future__ import annotations

import pytest

from local_aws.cloud import Cloud
from local_aws.patches import ec2
from local_aws.tests.stack_support import refused


def launch(aws: Cloud, instance_type: str) -> str:
    launched = aws.client("ec2").run_instances(
        ImageId="ami-0123456789abcdef0", InstanceType=instance_type, MinCount=1, MaxCount=1
    )
    name: str = launched["Instances"][0]["InstanceId"]
    return name


def test_the_console_is_what_the_host_wrote(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    xen, nitro = launch(aws, "t2.micro"), launch(aws, "t3.micro")
    monkeypatch.setattr(ec2, "consoles", [lambda name: f"{name}: größer\n".encode() * 10000])
    client = aws.client("ec2")
    output = client.get_console_output(InstanceId=xen)["Output"]
    assert output.endswith(f"{xen}: größer\n")
    assert len(output.encode()) <= ec2.CONSOLE_BYTES + 2  # a character that was cut in two reads as a longer one
    assert client.get_console_output(InstanceId=nitro, Latest=True)["Output"].endswith(f"{nitro}: größer\n")
    with refused("does not support retrieving the latest console logs", "UnsupportedOperation"):
        client.get_console_output(InstanceId=xen, Latest=True)


def test_nobody_knows_a_console(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ec2, "consoles", [])
    assert aws.client("ec2").get_console_output(InstanceId=launch(aws, "t2.micro")).get("Output", "") == ""

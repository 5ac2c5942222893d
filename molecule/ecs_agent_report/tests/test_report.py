"""What a host's console has of its boots, as EC2 gives it to whoever waits for the host."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3

from plugins.plugin_utils.consoles import SAID, boot_report

KEYS = {"aws_access_key_id": "berth-embedded", "aws_secret_access_key": "not-a-secret-0f3c9d"}


def console() -> str:
    ec2 = boto3.client("ec2", endpoint_url="http://127.0.0.1:4290", region_name="us-east-1", **KEYS)
    found = ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])
    (instance,) = found["Reservations"][0]["Instances"]
    return str(ec2.get_console_output(InstanceId=instance["InstanceId"])["Output"])


def test_after_the_reboot_the_console_names_docker_and_no_secret(host: Any) -> None:
    deadline = time.monotonic() + 60
    # The first boot's report stays the last one until the host speaks again.
    while "not in cluster legacy-molecule" not in "".join(boot_report(output := console())):
        assert time.monotonic() < deadline, output[-3000:]
        time.sleep(1)
    report = "\n".join(boot_report(output))
    assert "docker: failed" in report
    assert "/etc/docker/daemon.json" in report
    assert "failed: docker.service" in report
    with host.sudo():
        role = json.loads(host.file("/var/lib/local-aws/metadata.json").content_string)["role"]
    for secret in ("access_key_id", "secret_access_key", "session_token"):
        assert role[secret] not in output


def test_the_report_did_not_hold_the_boot(host: Any) -> None:
    said = [text for text in SAID.findall(console()) if text.startswith("BEGIN")]
    assert said[0].startswith("BEGIN report: not in cluster not-there after ")
    assert host.check_output("systemctl is-active multi-user.target") == "active"
    # A host that has failed once and joined later is no degraded one for ever.
    assert host.run("systemctl is-failed ecs-boot-report").stdout.strip() != "failed"

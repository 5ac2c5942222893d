"""What a host tells CloudWatch of itself, with the role's defaults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

KEYS = {"aws_access_key_id": "berth-embedded", "aws_secret_access_key": "not-a-secret-0f3c9d"}


def highest(metric: str) -> list[float]:
    """What has been sent within ten minutes."""
    cloudwatch = boto3.client("cloudwatch", endpoint_url="http://127.0.0.1:4280", region_name="us-east-1", **KEYS)
    now = datetime.now(UTC)
    found = cloudwatch.get_metric_statistics(
        Namespace="Berth/Hosts", MetricName=metric, Dimensions=[{"Name": "Cluster", "Value": "legacy-molecule"}],
        StartTime=now - timedelta(minutes=10), EndTime=now + timedelta(minutes=1), Period=600, Statistics=["Maximum"],
    )  # fmt: skip
    return [float(each["Maximum"]) for each in found["Datapoints"]]


def test_memory_and_disk_arrive(host: Any) -> None:
    with host.sudo():
        done = host.run("systemctl start host-metrics.service")
        assert done.rc == 0, host.check_output("journalctl -u host-metrics --no-pager -n 20")
        share = host.check_output("df --output=pcent /").split()[-1]
    assert any(abs(value - float(share.rstrip("%"))) < 3 for value in highest("DiskUsed")), (share, highest("DiskUsed"))
    assert all(1 < value < 100 for value in highest("MemoryUsed"))
    assert highest("MemoryUsed")


def test_the_timer_goes_on_after_a_boot(host: Any) -> None:
    timer = host.service("host-metrics.timer")
    assert timer.is_enabled
    assert timer.is_running


@pytest.mark.parametrize("word", ["AKIA", "ASIA", "Token", "Signature"])
def test_no_credentials_are_in_the_journal(host: Any, word: str) -> None:
    with host.sudo():
        assert word not in host.check_output("journalctl -u host-metrics --no-pager")

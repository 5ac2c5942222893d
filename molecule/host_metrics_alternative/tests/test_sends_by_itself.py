"""A host that booted with the report sends it by itself, under the name that it was given."""

from __future__ import annotations

import time
from typing import Any

import boto3

KEYS = {"aws_access_key_id": "berth-embedded", "aws_secret_access_key": "not-a-secret-0f3c9d"}


def test_it_sends_by_itself_and_by_tokens(host: Any) -> None:
    cloudwatch = boto3.client("cloudwatch", endpoint_url="http://127.0.0.1:4295", region_name="us-east-1", **KEYS)
    deadline = time.monotonic() + 120
    while not (found := cloudwatch.list_metrics(Namespace="Berth/Hosts")["Metrics"]):
        with host.sudo():
            assert time.monotonic() < deadline, host.check_output("journalctl -u host-metrics --no-pager -n 20")
        time.sleep(2)
    assert {each["Dimensions"][0]["Value"] for each in found} == {"shop-other"}
    assert {each["MetricName"] for each in found} == {"MemoryUsed", "DiskUsed"}
    assert "OnUnitActiveUSec=1min" in host.check_output("systemctl show host-metrics.timer --property TimersMonotonic")

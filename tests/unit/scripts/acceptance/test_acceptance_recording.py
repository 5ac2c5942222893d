"""Two recordings of the same verbs are laid side by side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from scripts.acceptance.recording import differences, heard, summary
from tests.unit.variables_support import PROJECT


def line(operation: str = "DescribeServices", **other: Any) -> str:
    call = {"verb": "site.yml", "service": "ecs", "operation": operation, "request": ["cluster: string"], "states": {}}
    return json.dumps({**call, "answer": ["services[].status: string"], **other})


def test_what_all_calls_of_an_operation_had_is_one_entry() -> None:
    made = summary([
        line(states={"services[].status": ["PENDING"]}),
        line(verb="status.yml", states={"services[].status": ["PENDING", "ACTIVE"]}),
        line(answer=[], error="ClusterNotFoundException"),
    ])  # fmt: skip
    assert made == {
        "ecs DescribeServices": {
            "request": ["cluster: string"],
            "answer": ["services[].status: string"],
            "states": {"services[].status": ["PENDING", "ACTIVE"]},
            "errors": ["ClusterNotFoundException"],
            "verbs": ["site.yml", "status.yml"],
        }
    }


def test_the_same_does_not_differ() -> None:
    made = summary([line(states={"services[].status": ["PENDING", "ACTIVE"]})])
    assert list(differences(made, made, "aws", "embedded")) == []


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ([line("ListTasks")], ["ecs DescribeServices: called on aws alone", "ecs ListTasks: called on embedded alone"]),
        ([line(answer=["services[].arn: string"])], [
            "ecs DescribeServices: aws alone answers services[].status: string",
            "ecs DescribeServices: embedded alone answers services[].arn: string",
        ]),
        ([line(request=["cluster: string", "include[]: string"])],
         ["ecs DescribeServices: embedded alone asked with include[]: string"]),
        ([line(), line(error="ThrottlingException")],
         ["ecs DescribeServices: embedded alone refuses with ThrottlingException"]),
    ],
)  # fmt: skip
def test_each_difference_is_a_sentence(seen: list[str], said: list[str]) -> None:
    assert list(differences(summary([line()]), summary(seen), "aws", "embedded")) == said


def test_another_order_of_states_is_told() -> None:
    there = summary([line(states={"s": ["PENDING", "ACTIVE"]})])
    here = summary([line(states={"s": ["ACTIVE"]})])
    assert list(differences(there, here, "aws", "embedded")) == [
        "ecs DescribeServices: s becomes PENDING → ACTIVE on aws, and ACTIVE on embedded"
    ]


def test_a_refusal_is_written_down_and_goes_on(tmp_path: Path) -> None:
    known = boto3.client("ecs", region_name="us-east-1").meta.service_model.operation_model("DescribeServices")

    def refuse() -> Any:
        raise ClientError({"Error": {"Code": "ClusterNotFoundException"}}, "DescribeServices")

    with pytest.raises(ClientError):
        heard(tmp_path / "calls", "site.yml", known, {"services": ["web"]}, refuse)
    assert heard(tmp_path / "calls", "site.yml", known, {"services": ["web"]}, lambda: {"services": []}) == {
        "services": []
    }
    made = summary((tmp_path / "calls").read_text().splitlines())["ecs DescribeServices"]
    assert (made["errors"], made["answer"]) == (["ClusterNotFoundException"], ["services[]: empty"])


def test_each_process_of_a_run_is_heard(aws: Cloud, tmp_path: Path) -> None:
    """Also one whose path has nothing of the project, as that of an Ansible module."""
    program = (
        f"import boto3; client = boto3.client('sqs', endpoint_url={aws.config.endpoint!r}, region_name='us-east-1'); "
        "client.create_queue(QueueName='correct-horse', Attributes={'DelaySeconds': '1'})"
    )
    environment = {
        **os.environ, "PYTHONPATH": str(PROJECT / "tests/recorder"), "BERTH_VERB": "site.yml",
        "BERTH_RECORDING": str(tmp_path / "calls"), "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
    }  # fmt: skip
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, cwd=tmp_path)
    text = (tmp_path / "calls").read_text()
    assert "correct-horse" not in text
    (made,) = summary(text.splitlines()).values()
    assert made["request"] == ["Attributes{}: string", "QueueName: string"]

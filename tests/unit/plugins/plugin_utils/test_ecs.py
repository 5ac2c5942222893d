"""What is said of a task that was stopped."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.ecs import stop_reason, why_stopped

HOST_GONE = "Host EC2 (instance i-1) terminated."


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"stoppedReason": HOST_GONE}, "Host EC2 (instance i-1) terminated"),
        ({"stoppedReason": "Task stopped by user"}, "Task stopped by user"),
        ({}, "stopped"),
        (
            {"stoppedReason": HOST_GONE, "containers": [{"name": "web", "exitCode": 137}]},
            "Host EC2 (instance i-1) terminated (web ended with exit code 137)",
        ),
    ],
    ids=["a full stop", "none", "no reason", "a container"],
)
def test_it_is_one_sentence_without_a_full_stop_as_more_follows(task: dict[str, Any], said: str) -> None:
    assert stop_reason(task) == said
    assert why_stopped([{**task, "taskArn": "arn:aws:ecs:us-east-1:1:task/shop/abc"}]) == [f"task abc: {said}"]

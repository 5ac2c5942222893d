"""What is started on a new host to see that it can start what the site runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from plugins.plugin_utils.aws_action import Wait
from plugins.plugin_utils.refresh import proof

LOG = {"logDriver": "awslogs", "options": {"awslogs-group": "/shop/live/service/web"}}
MEDIA = {"name": "media", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}
DEFINITION = {
    "executionRoleArn": "arn:role",
    "volumes": [MEDIA],
    "containerDefinitions": [
        {"name": "web", "image": "r/web:1", "logConfiguration": LOG, "mountPoints": [{"sourceVolume": "media"}]},
        {"name": "nginx", "image": "r/nginx:1", "logConfiguration": LOG, "mountPoints": []},
        {"name": "silent", "image": "r/silent:1"},
    ],
}
SERVICES = {"service.web": {"definition": DEFINITION}}


class Ecs:
    """Runs tasks that end with the complaint that is wanted, or another."""

    meta = SimpleNamespace(region_name="us-east-1")

    def __init__(self, reason: str) -> None:
        self._reason = reason
        self.registered: list[dict[str, Any]] = []
        self.ran: list[dict[str, Any]] = []

    def register_task_definition(self, **given: Any) -> dict[str, Any]:
        self.registered.append(given)
        return {"taskDefinition": {"taskDefinitionArn": f"arn:verify:{len(self.registered)}"}}

    def run_task(self, **given: Any) -> dict[str, Any]:
        self.ran.append(given)
        return {"tasks": [{"taskArn": f"arn:task/{len(self.ran)}"}], "failures": []}

    def describe_tasks(self, tasks: list[str], **_given: Any) -> dict[str, Any]:
        ended = {"lastStatus": "STOPPED", "containers": [{"name": "verify", "reason": self._reason}]}
        return {"tasks": [{"taskArn": arn, **ended} for arn in tasks]}

    def get_paginator(self, _operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **_given: [{"taskDefinitionArns": []}])

    def __getattr__(self, _operation: str) -> Any:
        return lambda **_given: {}


def unproved(reason: str) -> tuple[list[str], Ecs]:
    ecs = Ecs(reason)
    wait = Wait(60, lambda *_: None, "i-1", sleep=lambda _: None)
    return proof.unproved(lambda _service: ecs, "shop-live", "i-1", SERVICES, wait), ecs


def test_each_container_is_started_on_that_host_alone_with_its_volumes() -> None:
    found, ecs = unproved("CannotStartContainerError: exec: /berth-verify: no such file")
    assert found == []
    assert [each["placementConstraints"] for each in ecs.ran] == [
        [{"type": "memberOf", "expression": "ec2InstanceId == i-1"}]
    ] * 2
    started = [each["containerDefinitions"][0] for each in ecs.registered]
    assert [each["image"] for each in started] == ["r/web:1", "r/nginx:1"], "one without a log group leaves none behind"
    assert [each["volumes"] for each in ecs.registered] == [[MEDIA], []]
    assert [each["secrets"] for each in started] == [[], []]


def test_what_does_not_start_is_told_with_its_reason() -> None:
    found, _ = unproved("CannotCreateContainerError: no such plugin")
    assert len(found) == 2
    assert found[0].startswith("service.web (r/web:1): ")
    assert "no such plugin" in found[0]


def test_a_site_that_runs_nothing_has_nothing_to_prove() -> None:
    ecs = Ecs("")
    wait = Wait(60, lambda *_: None, "i-1")
    assert proof.unproved(lambda _service: ecs, "shop-live", "i-1", {}, wait) == []
    assert ecs.registered == []

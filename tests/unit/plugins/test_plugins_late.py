"""The plugins that ask AWS, against APIs that answer as late as AWS may: they find what there is, and wait for it."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.late_support import LateAws
from plugins.action import cloudformation_stacks, ecs_live_release, service_linked_role
from plugins.modules import leftovers
from plugins.plugin_utils import stack_events
from tests.unit.plugin_support import run_action
from tests.unit.plugins.action.test_plugin_stacks import TEMPLATES, groups

Start = Callable[..., LateAws]
SHORT: dict[str, Any] = {"short": 1, "seed": 5}
ALL: dict[str, Any] = {"stale": 0.6, "lag": 0.2, "faults": 0.05, "lost": 0.15, "short": 0.9, "stale_seconds": 3}
TAGS = {"Site": "legacy", "Environment": "unit"}


# Pages


def test_service_linked_roles_are_found_behind_an_empty_page(late_aws: Start) -> None:
    iam = late_aws(**SHORT).client("iam")
    iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    found = {service_linked_role.find(iam, "ecs.amazonaws.com") for _ in range(15)}
    assert None not in found
    assert len(found) == 1


def test_a_service_linked_role_that_iam_shows_late_is_waited_for(aws: Cloud, late_aws: Start) -> None:
    iam = late_aws(seed=2, **ALL | {"stale": 1}).client("iam", attempts=5)
    assert service_linked_role.find(iam, "rds.amazonaws.com") is None
    name = service_linked_role.create(iam, "rds.amazonaws.com", 30)
    assert aws.client("iam").get_role(RoleName=name)


def test_leftovers_are_all_found_in_short_pages(aws: Cloud, late_aws: Start) -> None:
    """Every kind that is there in threes: one page holds two at most."""
    late = late_aws(**SHORT)
    for number in range(3):
        name = f"legacy-unit-network-{number}"
        aws.client("s3").create_bucket(Bucket=name)
        aws.client("logs").create_log_group(logGroupName=f"/legacy/unit/{number}")
        aws.client("efs").create_file_system(CreationToken=name, Tags=[{"Key": "Name", "Value": name}])
        late.client("ecs").create_cluster(clusterName=name)
        late.client("ecs").create_capacity_provider(name=name, autoScalingGroupProvider=group(aws, name))
    found = leftovers.find(late.client, leftovers.Owner("legacy-unit", TAGS, ["network"]))
    kinds = [each["type"] for each in found]
    for kind in ("S3::Bucket", "Logs::LogGroup", "EFS::FileSystem", "ECS::Cluster", "ECS::CapacityProvider"):
        assert kinds.count(f"AWS::{kind}") == 3, kind
    for number in range(3):
        aws.client("s3").delete_bucket(Bucket=f"legacy-unit-network-{number}")


def group(aws: Cloud, name: str) -> dict[str, Any]:
    """An Auto Scaling group of none, for a capacity provider."""
    ec2, autoscaling = aws.client("ec2"), aws.client("autoscaling")
    image = "ami-061ecaadf85691afe"
    template = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": image})
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=0, MaxSize=1, AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"},
    )  # fmt: skip
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]
    return {"autoScalingGroupArn": found["AutoScalingGroupARN"]}


def test_the_live_release_is_found_behind_an_empty_page(late_aws: Start) -> None:
    ecs = late_aws(**SHORT).client("ecs")
    ecs.create_cluster(clusterName="legacy-unit")
    labels = {"berth.release": "r1", "berth.image": "shop/web"}
    container = {"name": "web", "image": "registry/web:1", "memory": 100, "dockerLabels": labels}
    family = "legacy-unit-service-web"
    ecs.register_task_definition(family=family, containerDefinitions=[container])
    ecs.create_service(
        cluster="legacy-unit", serviceName="web", taskDefinition=family, desiredCount=0, launchType="EC2"
    )
    for _ in range(10):
        found = run_action(ecs_live_release, {"cluster": "legacy-unit"}, client=lambda _service, _region=None: ecs)
        assert found["services"]["web"]["release"] == "r1", found
        assert found["images"] == {"shop/web": "registry/web:1"}


# Stacks


def test_a_stack_is_not_settled_because_its_own_event_is_on_the_second_page() -> None:
    now = {"StackId": "arn:stack", "StackStatus": "UPDATE_COMPLETE"}
    resource = {"ResourceType": "AWS::Logs::LogGroup", "PhysicalResourceId": "log", "ResourceStatus": "UPDATE_COMPLETE"}
    own = {
        "ResourceType": "AWS::CloudFormation::Stack",
        "PhysicalResourceId": "arn:stack",
        "ResourceStatus": "UPDATE_IN_PROGRESS",
        "Timestamp": datetime.datetime.now(datetime.UTC),
    }
    pages = [{"StackEvents": [resource]}, {"StackEvents": [own]}]
    client = SimpleNamespace(
        get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: pages),
        describe_stack_events=lambda **_: pages[0],
    )
    assert stack_events.is_settled(client, now) is None


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
def test_layers_are_made_changed_and_deleted(
    aws: Cloud, late_aws: Start, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTH_POLL_SECONDS", "0.5")
    late = late_aws(seed=seed, **ALL)
    for name, body in TEMPLATES.items():
        (tmp_path / f"{name}.yml").write_text(body)
    stacks: dict[str, Any] = {"task": {}, "data": {}, "network": {"parameters": {"Days": 7}}, "other": {}}
    site = {"prefix": "legacy-unit", "directory": str(tmp_path), "tags": {"Site": "legacy"}, "stacks": stacks}

    def deploy(**options: Any) -> dict[str, Any]:
        result = run_action(
            cloudformation_stacks, {**site, **options}, client=lambda service, _region=None: late.client(service, 8)
        )
        assert not result.get("failed"), result
        return result

    first = deploy()
    assert first["outputs"]["TaskLog"] == "/legacy-unit-network/data/task"
    time.sleep(3)
    assert not deploy()["changed"]
    stacks["data"] = {"parameters": {"Days": 30}}
    again = deploy()
    assert [name for name, one in again["stacks"].items() if one["changed"]] == ["data"]
    assert groups(aws)["/legacy-unit-network/data"] == 30
    assert deploy(state="absent")["changed"]
    assert not groups(aws)

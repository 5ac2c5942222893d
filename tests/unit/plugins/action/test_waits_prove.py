"""A wait ends by something that belongs to its own request, not by a state that may be that of before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.tests.ecs_support import World
from plugins.action import ecs_cluster_empty, ecs_hosts_wait
from plugins.plugin_utils.account import certificates
from plugins.plugin_utils.host_draining import HostDraining
from tests.unit.plugins.action.test_module_container_instance import served, status, turn, world
from tests.unit.plugins.action.test_modules_ecs import EMPTY, Fake, an_instance, no_real_waits, run

__all__ = ["no_real_waits", "world"]


# Hosts


def a_group(wanted: int, *hosts: str) -> dict[str, Any]:
    instances = [{"InstanceId": name, "LifecycleState": "InService"} for name in hosts]
    group = {"AutoScalingGroupName": "asg", "MinSize": wanted, "DesiredCapacity": wanted, "Instances": instances}
    return {"AutoScalingGroups": [group]}


def test_an_old_description_without_instances_is_not_the_end_of_a_group() -> None:
    """Scaled up by a run that was interrupted: the instance shows later than the request for none."""
    shown = [a_group(1), a_group(1), a_group(1), a_group(0, "i-1"), a_group(0, "i-1"), a_group(0)]
    autoscaling = Fake(describe_auto_scaling_groups=shown, describe_lifecycle_hooks={"LifecycleHooks": []})
    ecs = Fake(describe_clusters={"clusters": []})
    result, said = run(ecs_cluster_empty, {"ecs": ecs, "autoscaling": autoscaling}, **EMPTY)
    assert not result.get("failed"), result
    assert "i-1 (InService)" in said
    assert len(shown) == 1


def test_hosts_of_a_cluster_and_a_group_that_do_not_show_yet_are_waited_for() -> None:
    missing = ClientError({"Error": {"Code": "ClusterNotFoundException", "Message": "?"}}, "ListContainerInstances")
    answers: list[Any] = [missing, missing, {"containerInstanceArns": []}, {"containerInstanceArns": ["arn"]}]

    def listed(**_: Any) -> Any:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, ClientError):
            raise answer
        return answer

    ecs = Fake(
        list_container_instances=listed, describe_container_instances={"containerInstances": [an_instance("i-1")]}
    )
    autoscaling = Fake(
        describe_auto_scaling_groups=[{"AutoScalingGroups": []}, a_group(1, "i-1")],
        describe_scaling_activities={"Activities": []},
    )
    clients = {"ecs": ecs, "autoscaling": autoscaling, "ec2": Fake(get_console_output={})}
    arguments: dict[str, Any] = {"cluster": "legacy-unit", "count": 1, "auto_scaling_group": "asg"}
    result, _ = run(ecs_hosts_wait, clients, **arguments)
    assert [host["instance_id"] for host in result["hosts"]] == ["i-1"], result
    answers[:] = [missing]
    result, _ = run(ecs_hosts_wait, clients, **arguments)
    assert result["failed"], "a cluster that never shows is said"
    answers[:] = [{"containerInstanceArns": []}]
    autoscaling.answers["describe_auto_scaling_groups"] = {"AutoScalingGroups": []}
    result, _ = run(ecs_hosts_wait, clients, **arguments)
    assert result["msg"] == "There is no Auto Scaling group asg."


def test_a_host_is_drained_when_its_own_description_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """ListTasks misses what was placed right before the request; the host's count does not."""
    served(world, "i-1", "i-2", desired=2)
    asked: list[int] = []

    def none(*_: Any) -> list[Any]:
        asked.append(1)
        return []

    monkeypatch.setattr(HostDraining, "_tasks", none)
    result, said = turn(world, "DRAINING")
    assert not result.get("failed"), result
    assert "still runs tasks, by the count of ECS" in said
    assert len(asked) > 2
    (mine,) = [each for each in world.region.instances.values() if each.ec2_id == "i-1"]
    assert not [task for task in world.region.tasks_of(instance=mine.arn) if task.active]
    assert status(world) == "DRAINING"


# Certificates


@pytest.mark.parametrize(
    ("ended", "left"), [(["old"], ["arn:old"]), ([], []), (["old", "new"], ["arn:new", "arn:old"])]
)
def test_only_a_certificate_that_cloudformation_gave_up_is_one_that_was_left(ended: list[str], left: list[str]) -> None:
    """The list of resources is empty yet: what has no event of its own deletion stays."""
    kind = {"ResourceType": certificates.TYPE}
    events = [
        kind | {"ResourceStatus": "CREATE_COMPLETE", "PhysicalResourceId": f"arn:{name}"} for name in ("new", "old")
    ]
    events += [kind | {"ResourceStatus": "DELETE_FAILED", "PhysicalResourceId": f"arn:{name}"} for name in ended]
    pages = {"list_stack_resources": {"StackResourceSummaries": []}, "describe_stack_events": {"StackEvents": events}}
    cloudformation = SimpleNamespace(
        describe_stacks=lambda **_: {"Stacks": [{"StackStatus": "UPDATE_COMPLETE", "StackId": "arn:stack"}]},
        get_paginator=lambda operation: SimpleNamespace(paginate=lambda **_: [pages[operation]]),
    )
    assert certificates.replaced(cloudformation, "stack") == left

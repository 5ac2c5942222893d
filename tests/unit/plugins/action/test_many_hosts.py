"""What goes over hosts, with none, one, thirty and a thousand: calls within the APIs' limits, no text that grows."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.tests.clock import Clock
from plugins.action import ecs_cluster_empty, ecs_container_instance, ecs_hosts_wait
from plugins.modules import leftovers
from plugins.plugin_utils import aws_action, host_start
from plugins.plugin_utils.ecs import container_instances, some
from tests.unit.plugin_support import run_action

COUNTS = [0, 1, 30, 1000]
PAGE = 100
"""Of ListContainerInstances, and the most that DescribeContainerInstances takes."""
LINE = 2000
"""Characters that a person still reads."""


@pytest.fixture(autouse=True)
def no_real_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits pass in no time."""
    clock, real = Clock(), aws_action.Wait
    for plugin in (ecs_hosts_wait, ecs_cluster_empty, ecs_container_instance):
        monkeypatch.setattr(plugin, "Wait", lambda seconds, say, name: real(seconds, say, name, clock, clock.sleep))


class Ecs:
    """ECS with so many hosts, and with its limits.

    Args:
        count: how many.
        connected: whether their agents are.
    """

    def __init__(self, count: int, connected: bool = True) -> None:
        self.instances = {f"arn/{at:04}": self._instance(at, connected) for at in range(count)}
        self.calls: list[str] = []

    @staticmethod
    def _instance(at: int, connected: bool) -> dict[str, Any]:
        return {
            "containerInstanceArn": f"arn/{at:04}", "ec2InstanceId": f"i-{at:04}", "status": "ACTIVE",
            "agentConnected": connected, "capacityProviderName": "hosts", "versionInfo": {},
            "runningTasksCount": 0, "pendingTasksCount": 0,
        }  # fmt: skip

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **given: getattr(self, f"pages_of_{operation}")(**given))

    def pages_of_list_container_instances(self, filter: str = "", **_given: Any) -> Any:
        _, _, wanted = filter.partition(" == ")
        arns = [arn for arn, one in self.instances.items() if not wanted or one["ec2InstanceId"] == wanted]
        for start in range(0, max(len(arns), 1), PAGE):
            self.calls.append("list")
            yield {"containerInstanceArns": arns[start : start + PAGE]}

    def pages_of_list_tasks(self, **_given: Any) -> Any:
        yield {"taskArns": []}

    def pages_of_list_services(self, **_given: Any) -> Any:
        yield {"serviceArns": []}

    def describe_container_instances(self, containerInstances: list[str], **_given: Any) -> dict[str, Any]:
        assert 0 < len(containerInstances) <= PAGE
        self.calls.append("describe")
        return {"containerInstances": [self.instances[arn] for arn in containerInstances]}

    def describe_clusters(self, **_given: Any) -> dict[str, Any]:
        return {"clusters": [{"status": "ACTIVE", "runningTasksCount": 0, "pendingTasksCount": 0}]}

    def deregister_container_instance(self, containerInstance: str, **_given: Any) -> None:
        del self.instances[containerInstance]

    def update_container_instances_state(self, containerInstances: list[str], status: str, **_given: Any) -> Any:
        for arn in containerInstances:
            self.instances[arn]["status"] = status
        return {"failures": []}


class AutoScaling:
    """A group whose instances a hook holds back, until they are let go."""

    def __init__(self, count: int) -> None:
        self.held = {f"i-{at:04}" for at in range(count)}
        self.looked_for_hooks = 0
        self.size = 1

    def describe_auto_scaling_groups(self, **_given: Any) -> dict[str, Any]:
        instances = [
            {"InstanceId": name, "LifecycleState": "Terminating:Wait", "ProtectedFromScaleIn": True}
            for name in sorted(self.held)
        ]
        group = {
            "AutoScalingGroupName": "g",
            "MinSize": self.size,
            "DesiredCapacity": self.size,
            "Instances": instances,
        }
        return {"AutoScalingGroups": [group]}

    def describe_scaling_activities(self, **_given: Any) -> dict[str, Any]:
        return {"Activities": []}

    def describe_lifecycle_hooks(self, **_given: Any) -> dict[str, Any]:
        self.looked_for_hooks += 1
        return {"LifecycleHooks": [{"LifecycleHookName": "draining"}]}

    def complete_lifecycle_action(self, InstanceId: str, **_given: Any) -> None:
        self.held.discard(InstanceId)

    def set_instance_protection(self, InstanceIds: list[str], **_given: Any) -> None:
        # https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceProtection.html
        assert len(InstanceIds) <= 50

    def update_auto_scaling_group(self, DesiredCapacity: int, **_given: Any) -> None:
        """It goes to none."""
        self.size = DesiredCapacity


class Ec2:
    """Consoles without a word."""

    def __init__(self) -> None:
        self.consoles = 0

    def get_console_output(self, **_given: Any) -> dict[str, str]:
        self.consoles += 1
        return {}


def run(plugin: Any, clients: dict[str, Any], check: bool = False, **given: Any) -> tuple[dict[str, Any], list[str]]:
    """The result, and the lines that were shown."""
    shown: list[str] = []
    result = run_action(
        plugin, given, check,
        client=lambda service, _region=None: clients[service],
        say=lambda _name, text, _color=None: shown.append(text),
    )  # fmt: skip
    return result, shown


@pytest.mark.parametrize("count", COUNTS)
def test_container_instances_are_described_a_hundred_at_a_time(count: int) -> None:
    ecs = Ecs(count)
    assert len(container_instances(ecs, "c")) == count
    assert ecs.calls.count("describe") == math.ceil(count / PAGE)


@pytest.mark.parametrize("count", COUNTS[1:])
def test_hosts_that_are_there_end_the_wait(count: int) -> None:
    result, _ = run(ecs_hosts_wait, {"ecs": Ecs(count), "autoscaling": AutoScaling(0)}, cluster="c", count=count)
    assert len(result["hosts"]) == count


@pytest.mark.parametrize("count", COUNTS)
def test_hosts_that_do_not_join_are_told_in_a_line_and_not_all_consoles_are_read(count: int) -> None:
    ec2, seconds = Ec2(), 120
    clients = {"ecs": Ecs(count, connected=False), "autoscaling": AutoScaling(count), "ec2": ec2}
    given: dict[str, Any] = {"cluster": "c", "count": count + 1, "auto_scaling_group": "g", "timeout": seconds}
    result, shown = run(ecs_hosts_wait, clients, **given)
    assert result["failed"]
    assert f"0 of {count + 1} hosts ready" in result["msg"]
    assert f"and {count - 10} more" in result["msg"] or count <= 10
    assert max(map(len, [*shown, result["msg"]])) < LINE
    rounds = seconds / host_start.CONSOLE_SECONDS + 3
    assert ec2.consoles <= host_start.CONSOLES * rounds


@pytest.mark.parametrize("state", ["ACTIVE", "DRAINING"])
@pytest.mark.parametrize("count", COUNTS[1:])
def test_a_host_is_found_without_a_look_at_all_others(count: int, state: str) -> None:
    """hosts.yml asks so for each host some times: else the calls would grow with the square of the hosts."""
    ecs = Ecs(count)
    given: dict[str, Any] = {"cluster": "c", "instance_id": f"i-{count - 1:04}", "state": state, "timeout": 60}
    result, _ = run(ecs_container_instance, {"ecs": ecs}, **given)
    assert result["arn"] == f"arn/{count - 1:04}"
    assert len(ecs.calls) == 2 + (state == "DRAINING")  # a drained host is looked at once more


@pytest.mark.parametrize("count", COUNTS)
def test_a_cluster_of_any_size_is_emptied(count: int) -> None:
    autoscaling = AutoScaling(count)
    ecs = Ecs(count)
    given: dict[str, Any] = {"cluster": "c", "auto_scaling_group": "g", "timeout": 60}
    result, shown = run(ecs_cluster_empty, {"ecs": ecs, "autoscaling": autoscaling}, **given)
    assert not result.get("failed"), result
    assert len(result["hosts"]) == count
    assert not autoscaling.held
    assert not ecs.instances
    assert autoscaling.looked_for_hooks <= 1
    assert max(map(len, shown), default=0) < LINE


@pytest.mark.parametrize("count", COUNTS)
def test_what_is_left_of_many_hosts_is_found(count: int) -> None:
    tags = [{"Key": "Site", "Value": "legacy"}, {"Key": "Environment", "Value": "unit"}]
    machines = [{"InstanceId": f"i-{at}", "State": {"Name": "running"}, "Tags": tags} for at in range(count)]
    disks = [{"VolumeId": f"vol-{at}", "State": "in-use", "Tags": tags} for at in range(count)]
    # The first page is an empty one, as EC2's may be.
    pages = {
        "describe_instances": [{"Reservations": []}, {"Reservations": [{"Instances": machines}]}],
        "describe_volumes": [{"Volumes": []}, *({"Volumes": disks[at : at + 500]} for at in range(0, count, 500))],
    }
    ec2 = SimpleNamespace(
        can_paginate=lambda operation: operation != "describe_addresses",
        get_paginator=lambda operation: SimpleNamespace(paginate=lambda: pages.get(operation, [])),
        describe_addresses=lambda: {"Addresses": []},
    )
    owner = leftovers.Owner("legacy-unit", {"Site": "legacy", "Environment": "unit"}, ["network"])
    kinds = [each[0] for each in leftovers.ec2(lambda _service: ec2, owner)]
    assert kinds.count("AWS::EC2::Instance") == kinds.count("AWS::EC2::Volume") == count


def test_capacity_providers_are_found_on_every_page() -> None:
    pages = {None: {"capacityProviders": [1], "nextToken": "2"}, "2": {"capacityProviders": [2]}}
    # botocore has no paginator for them.
    ecs = SimpleNamespace(
        can_paginate=lambda _operation: False, describe_capacity_providers=lambda nextToken=None: pages[nextToken]
    )
    assert list(leftovers.pages(ecs, "describe_capacity_providers", "capacityProviders")) == [1, 2]


def test_a_few_of_many_and_how_many_more() -> None:
    assert some([]) == ""
    assert some("abc") == "a, b, c"
    assert some("abcd", 2, "; ") == "a; b; and 2 more"

"""Managed scaling on an ECS in memory: tasks wait for a host, hosts come for them and go again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.ecs.managed_scaling import ManagedScaling
from local_aws.patches.autoscaling import WAITING
from local_aws.tests.ecs_support import World

ARN = "arn:aws:autoscaling:us-east-1:1:autoScalingGroup:u:autoScalingGroupName/asg"
STRATEGY = [{"capacityProvider": "hosts", "weight": 1}]


class Group:
    """An Auto Scaling group whose hosts join at once; what it lets go it takes from those without protection."""

    def __init__(self, world: World, count: int) -> None:
        self.world, self.min_size, self.max_size, self.desired_capacity = world, 1, 4, 0
        self.instance_states: list[Any] = []
        self.suspended_processes: list[str] = []
        self.want("asg", count)

    def find(self, name: str) -> Any:
        return self if name == "asg" else None

    def want(self, _name: str, count: int) -> None:
        self.desired_capacity = count
        while len(self.instance_states) < count:
            name = f"i-{len(self.world.elsewhere.groups) + 1}"
            self.world.elsewhere.groups[name] = "asg"
            self.world.agent(name)
            self.instance_states.append(
                SimpleNamespace(
                    instance=SimpleNamespace(id=name), lifecycle_state="InService", protected_from_scale_in=True
                )
            )
        for each in [each for each in self.instance_states if not each.protected_from_scale_in][: -count or None]:
            if len(self.instance_states) > count:
                self.instance_states.remove(each)
                self.world.elsewhere.gone.add(each.instance.id)


class Site:
    """A world with a provider that scales, a group of one host, and a service of one task that takes 200 of 1000."""

    def __init__(self, **settings: Any) -> None:
        self.world = World()
        scaling = {"status": "ENABLED", "targetCapacity": 100, **settings}
        self.world.call(
            "CreateCapacityProvider", name="hosts",
            autoScalingGroupProvider={
                "autoScalingGroupArn": ARN, "managedScaling": scaling, "managedTerminationProtection": "ENABLED",
            },
        )  # fmt: skip
        self.world.call(
            "PutClusterCapacityProviders", cluster="demo", capacityProviders=["hosts"],
            defaultCapacityProviderStrategy=STRATEGY,
        )  # fmt: skip
        self.group = Group(self.world, 1)
        self.scaling = ManagedScaling(self.world.state, self.world.region, self.group, lambda: self.world.now)
        breaker = {"enable": True, "rollback": True}
        self.world.call(
            "CreateService", cluster="demo", serviceName="web", taskDefinition=self.world.define(), desiredCount=1,
            capacityProviderStrategy=STRATEGY,
            deploymentConfiguration={
                "minimumHealthyPercent": 100, "maximumPercent": 200, "deploymentCircuitBreaker": breaker,
            },
        )  # fmt: skip

    def minutes(self, number: int = 1) -> list[float]:
        """Let so many minutes go by; the reservation of each."""
        told = []
        for _ in range(number):
            self.world.tick(120)
            told += [each["Value"] for each in self.scaling.round(60.0)]
        self.world.tick(12)
        return told

    def states(self) -> list[str]:
        """Of the tasks."""
        return sorted(task.status for task in self.world.tasks())


@pytest.fixture
def site() -> Site:
    return Site()


def test_tasks_wait_for_a_host_that_comes_and_goes_again(site: Site) -> None:
    assert site.minutes(2) == [100.0, 100.0]
    site.world.update(desiredCount=12)
    site.world.tick()
    assert site.states() == ["PROVISIONING"] * 7 + ["RUNNING"] * 5
    waiting = next(task for task in site.world.tasks() if task.provisioning)
    (shown,) = site.world.call("DescribeTasks", cluster="demo", tasks=[waiting.arn])["tasks"]
    assert shown["lastStatus"] == "PROVISIONING"
    assert not shown.get("containerInstanceArn")
    assert site.world.service()["pendingCount"] == 7
    assert site.minutes() == [300.0]
    assert site.group.desired_capacity == 3
    assert site.states() == ["RUNNING"] * 12
    assert site.world.service()["deployments"][0]["rolloutState"] == "COMPLETED"

    site.world.update(desiredCount=2)
    assert site.minutes(14) == [pytest.approx(66.7, abs=0.1)] * 14
    assert site.group.desired_capacity == 3
    site.minutes(2)
    used = {task.instance for task in site.world.tasks()}
    assert site.group.desired_capacity == len(used) < 3
    assert site.states() == ["RUNNING"] * 2


def test_hosts_with_tasks_are_protected(site: Site) -> None:
    site.group.want("asg", 2)
    site.minutes()
    (task,) = site.world.tasks()
    busy = site.world.region.instances[task.instance].ec2_id
    assert {each.instance.id: each.protected_from_scale_in for each in site.group.instance_states} == {
        name: name == busy for name in ("i-1", "i-2")
    }


def test_no_more_hosts_come_than_the_group_may_have(site: Site) -> None:
    site.world.update(desiredCount=40)
    site.minutes(3)
    assert site.group.desired_capacity == 4
    assert site.states().count("RUNNING") == 20


def test_what_waits_for_too_long_ends(site: Site) -> None:
    site.group.max_size = 1
    site.minutes()
    answer = site.world.call("RunTask", cluster="demo", taskDefinition=site.world.define(memory=900, family="big"))
    (task,) = answer["tasks"]
    assert (task["lastStatus"], answer["failures"]) == ("PROVISIONING", [])
    site.minutes(14)
    assert site.states() == ["PROVISIONING", "RUNNING"]
    site.minutes(2)
    assert site.states() == ["RUNNING"]
    (ended,) = site.world.call("DescribeTasks", cluster="demo", tasks=[task["taskArn"]])["tasks"]
    assert (ended["lastStatus"], ended["stopCode"]) == ("STOPPED", "TaskFailedToStart")


def test_one_that_waits_can_be_stopped(site: Site) -> None:
    site.group.max_size = 1
    site.minutes()
    (task,) = site.world.call("RunTask", cluster="demo", taskDefinition=site.world.define(memory=900, family="big"))[
        "tasks"
    ]
    site.world.call("StopTask", cluster="demo", task=task["taskArn"])
    assert site.states() == ["RUNNING"]


def test_without_managed_scaling_nothing_waits_and_nobody_comes() -> None:
    site = Site(status="ENABLED")
    off = {"managedScaling": {"status": "DISABLED"}, "managedTerminationProtection": "DISABLED"}
    site.world.call("UpdateCapacityProvider", name="hosts", autoScalingGroupProvider=off)
    site.world.update(desiredCount=12)
    assert site.minutes(3) == []
    assert site.states() == ["RUNNING"] * 5
    assert site.group.desired_capacity == 1


def test_a_suspended_group_is_left_as_it_is(site: Site) -> None:
    site.group.suspended_processes = ["AlarmNotification"]
    site.world.update(desiredCount=12)
    assert site.minutes(2) == [300.0, 300.0]
    assert site.group.desired_capacity == 1
    site.group.suspended_processes = []
    site.minutes()
    assert site.group.desired_capacity == 3


def test_a_host_that_leaves_counts_no_more(site: Site) -> None:
    site.group.want("asg", 2)
    site.minutes()
    (busy,) = {site.world.region.instances[task.instance].ec2_id for task in site.world.tasks()}
    for each in site.group.instance_states:
        each.lifecycle_state = "InService" if each.instance.id == busy else WAITING
    assert site.minutes() == [100.0]


def test_a_host_that_is_drained_asks_for_no_other_in_its_place(site: Site) -> None:
    site.group.want("asg", 3)
    site.world.update(desiredCount=12)
    assert site.minutes() == [100.0]
    leaving = site.group.instance_states[0]
    leaving.lifecycle_state = WAITING
    (drained,) = [each for each in site.world.region.instances.values() if each.ec2_id == leaving.instance.id]
    drained.status = "DRAINING"
    assert any(task.instance == drained.arn for task in site.world.tasks())
    site.world.now += 120  # and its tasks are where they were
    assert [each["Value"] for each in site.scaling.round(60.0)] == [100.0]
    assert site.group.desired_capacity == 3


def test_a_group_that_is_gone_is_nobody_s(site: Site) -> None:
    site.world.region.providers["hosts"].group["autoScalingGroupArn"] += "-gone"
    assert site.minutes(2) == []

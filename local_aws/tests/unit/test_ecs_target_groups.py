"""A service behind several load balancers at once: each of its target groups has to have the task, and lets it go."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.ecs.errors import EcsError
from local_aws.ecs.outside import TargetHealth
from local_aws.tests.ecs_support import Elsewhere, World

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup"
SITE, INSIDE = f"{ARN}/site/0123456789abcdef", f"{ARN}/inside/fedcba9876543210"
PORT = 32769


class Balancers(Elsewhere):
    """A target health for each group; `answers` is what a group says of a new target."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: dict[str, dict[tuple[str, int], str]] = {}
        self.answers: dict[str, str] = {}
        self.delays: dict[str, float] = {}

    def target_health(self, target_group: str) -> dict[tuple[str, int], TargetHealth]:
        return {target: TargetHealth(state) for target, state in self.targets.get(target_group, {}).items()}

    def register(self, target_group: str, targets: list[tuple[str, int]]) -> None:
        state = self.answers.get(target_group, "healthy")
        self.targets.setdefault(target_group, {}).update(dict.fromkeys(targets, state))

    def deregister(self, target_group: str, targets: list[tuple[str, int]]) -> None:
        self.targets[target_group].update(dict.fromkeys(targets, "draining"))

    def deregistration_delay(self, target_group: str) -> float:
        return self.delays.get(target_group, 0.0)


@pytest.fixture
def world() -> World:
    made = World(Balancers())
    made.agent()
    return made


def elsewhere(world: World) -> Balancers:
    assert isinstance(world.elsewhere, Balancers)
    return world.elsewhere


def behind(*groups: str) -> list[dict[str, Any]]:
    return [{"targetGroupArn": group, "containerName": "web", "containerPort": 80} for group in groups]


def rollout(world: World) -> str:
    return str(world.service()["deployments"][0]["rolloutState"])


def test_a_task_is_a_target_of_each_group(world: World) -> None:
    world.create(world.define(), loadBalancers=behind(SITE, INSIDE))
    world.tick()
    assert elsewhere(world).targets == {SITE: {("i-1", PORT): "healthy"}, INSIDE: {("i-1", PORT): "healthy"}}
    assert [each["targetGroupArn"] for each in world.service()["loadBalancers"]] == [SITE, INSIDE]
    messages = world.messages()
    assert {f"registered 1 targets in (target-group {group})" for group in (SITE, INSIDE)} <= set(messages)
    assert rollout(world) == "COMPLETED"


@pytest.mark.parametrize("late", [SITE, INSIDE])
def test_a_deployment_waits_for_each_group(world: World, late: str) -> None:
    elsewhere(world).answers[late] = "initial"
    world.create(world.define(), loadBalancers=behind(SITE, INSIDE))
    world.tick()
    assert rollout(world) == "IN_PROGRESS"
    elsewhere(world).targets[late] = {("i-1", PORT): "healthy"}
    world.tick()
    assert rollout(world) == "COMPLETED"


def test_a_task_that_one_group_finds_ill_is_replaced(world: World) -> None:
    world.create(world.define(), loadBalancers=behind(SITE, INSIDE))
    world.tick()
    (task,) = world.tasks()
    elsewhere(world).targets[INSIDE] = {("i-1", PORT): "unhealthy"}
    world.tick()
    assert task.stopped_reason == f"Task failed ELB health checks in (target-group {INSIDE})"


def test_what_is_told_of_a_port_before_the_task_is_registered_is_about_another(world: World) -> None:
    elsewhere(world).targets[SITE] = {("i-1", PORT): "unhealthy"}  # of a task that had the port before
    world.create(world.define(), loadBalancers=behind(SITE))
    world.tick()
    (task,) = world.tasks()
    assert (task.status, task.stopped_reason) == ("RUNNING", "")
    assert elsewhere(world).targets[SITE] == {("i-1", PORT): "healthy"}


def test_a_task_stops_when_the_slowest_group_has_let_it_go(world: World) -> None:
    elsewhere(world).delays = {SITE: 5.0, INSIDE: 60.0}
    world.create(world.define(), loadBalancers=behind(SITE, INSIDE))
    world.tick()
    (old,) = world.tasks()
    world.update(taskDefinition=world.define("web:2"))
    world.tick()
    assert elsewhere(world).targets[SITE]["i-1", PORT] == elsewhere(world).targets[INSIDE]["i-1", PORT] == "draining"
    world.tick(rounds=4, seconds=5)
    assert old.status == "DEACTIVATING"
    world.tick(rounds=4, seconds=20)
    assert old.status == "STOPPED"


def test_a_group_that_is_added_rolls_the_service(world: World) -> None:
    world.create(world.define(), loadBalancers=behind(SITE))
    world.tick()
    world.update(loadBalancers=behind(SITE, INSIDE))
    world.tick(rounds=12)
    (task,) = world.tasks()
    assert {group for group, _, _ in task.targets} == {SITE, INSIDE}
    assert rollout(world) == "COMPLETED"


def test_a_group_without_a_listener_is_refused_also_later(world: World) -> None:
    world.create(world.define(), loadBalancers=behind(SITE))
    elsewhere(world).unattached.add(INSIDE)
    with pytest.raises(EcsError, match="does not have an associated load balancer"):
        world.update(loadBalancers=behind(SITE, INSIDE))
    assert [each["targetGroupArn"] for each in world.service()["loadBalancers"]] == [SITE]


def test_five_groups_are_the_most(world: World) -> None:
    groups = [f"{ARN}/g{number}/0123456789abcde{number}" for number in range(6)]
    definition = world.define()
    with pytest.raises(EcsError, match="at most 5 target groups"):
        world.create(definition, loadBalancers=behind(*groups))
    world.create(definition, loadBalancers=behind(*groups[:5]))
    world.tick()
    assert set(elsewhere(world).targets) == set(groups[:5])

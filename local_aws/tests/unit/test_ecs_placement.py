"""Where a task can go, and what is said when it has no place."""

from __future__ import annotations

import pytest

from local_aws.ecs import placement
from local_aws.ecs.state import Instance, Json, Region, Task


class Connected:
    def send(self, _kind: str, _message: Json) -> None:
        raise AssertionError("placement sends nothing")

    def close(self) -> None:
        raise AssertionError("placement ends nothing")


def definition(**more: object) -> Json:
    container: Json = {"name": "web", "image": "web:1", "memory": 256, "portMappings": [], **more}
    return {"family": "web", "revision": 1, "taskDefinitionArn": "arn", "containerDefinitions": [container]}


def add_instance(region: Region, name: str, memory: int = 700, zone: str = "a", provider: str = "") -> Instance:
    arn = region.arn("container-instance", "demo", name)
    total: Json = {"CPU": 1024, "MEMORY": memory, "PORTS": ["22"], "PORTS_UDP": []}
    instance = Instance(arn, "demo", f"i-{name}", [{"name": "ecs.capability.efs"}], total, {}, [], 0.0, provider)
    instance.zone, instance.channel = zone, Connected()
    region.instances[arn] = instance
    return instance


def add_task(region: Region, instance: Instance, memory: int = 256, group: str = "g", provider: str = "") -> Task:
    task = Task(f"arn/{len(region.tasks)}", "demo", definition(), instance.arn, [], 0.0, group, provider=provider)
    task.memory = memory
    region.tasks[task.arn] = task
    return task


@pytest.fixture
def region() -> Region:
    return Region("us-east-1")


def test_soft_limit_is_what_placement_subtracts() -> None:
    assert placement.needs(definition(memoryReservation=100)).memory == 100
    assert placement.needs(definition()).memory == 256


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"memory": 701}, "RESOURCE:MEMORY"),
        ({"cpu": 1025}, "RESOURCE:CPU"),
        ({"portMappings": [{"containerPort": 22, "hostPort": 22}]}, "RESOURCE:PORTS"),
        ({"portMappings": [{"containerPort": 22, "hostPort": 0}]}, ""),
        ({"memory": 700, "cpu": 1024}, ""),
    ],
)
def test_resources(region: Region, change: Json, code: str) -> None:
    instance = add_instance(region, "1")
    assert placement.refusal(instance, [], placement.needs(definition(**change))) == code


def test_stopped_tasks_hold_nothing_and_stopping_ones_all(region: Region) -> None:
    instance = add_instance(region, "1")
    task = add_task(region, instance, memory=600)
    task.desired, task.status = "STOPPED", "STOPPING"
    assert placement.refusal(instance, [task], placement.needs(definition())) == "RESOURCE:MEMORY"
    task.status = "STOPPED"
    assert placement.refusal(instance, [task], placement.needs(definition())) == ""


def test_attribute_agent_and_draining(region: Region) -> None:
    instance = add_instance(region, "1")
    wants_rexray = {**definition(), "requiresAttributes": [{"name": "ecs.capability.docker-plugin.rexray/efs"}]}
    wants_efs = {**definition(), "requiresAttributes": [{"name": "ecs.capability.efs"}]}
    assert placement.refusal(instance, [], placement.needs(wants_rexray)) == "ATTRIBUTE"
    assert placement.refusal(instance, [], placement.needs(wants_efs)) == ""
    instance.channel = None
    assert placement.refusal(instance, [], placement.needs(wants_efs)) == "AGENT"
    instance.status = "DRAINING"
    assert placement.refusal(instance, [], placement.needs(wants_efs)) == "DRAINING"


def test_strategy_looks_only_at_its_provider(region: Region) -> None:
    add_instance(region, "outside")
    strategy = [{"capacityProvider": "hosts", "weight": 1, "base": 0}]
    found, _, refusals = placement.place(region, "demo", definition(), strategy=strategy)
    assert found is None
    assert refusals == []
    assert "No Container Instances were found in your capacity provider" in placement.event(refusals, by_provider=True)
    inside = add_instance(region, "inside", provider="hosts")
    assert placement.place(region, "demo", definition(), strategy=strategy)[:2] == (inside, "hosts")


def test_base_then_weight(region: Region) -> None:
    first, second = add_instance(region, "1", 2000, provider="a"), add_instance(region, "2", 2000, provider="b")
    strategy = [
        {"capacityProvider": "a", "base": 1, "weight": 1},
        {"capacityProvider": "b", "base": 0, "weight": 3},
    ]
    got = []
    for _ in range(5):
        instance, provider, _ = placement.place(region, "demo", definition(), strategy=strategy, group="g")
        assert instance in (first, second)
        assert instance is not None
        add_task(region, instance, provider=provider)
        got.append(provider)
    assert got[0] == "a"
    assert got.count("b") > got.count("a")


def test_distinct_instance_and_spread(region: Region) -> None:
    first, second = add_instance(region, "1", 2000, "a"), add_instance(region, "2", 1000, "b")
    add_task(region, first)
    spread = [{"type": "spread", "field": "attribute:ecs.availability-zone"}]
    assert placement.place(region, "demo", definition(), placement=spread, group="g")[0] is second
    binpack = [{"type": "binpack", "field": "memory"}]
    assert placement.place(region, "demo", definition(), placement=binpack, group="h")[0] is second
    add_task(region, second)
    distinct = [{"type": "distinctInstance"}]
    found, _, refusals = placement.place(region, "demo", definition(), constraints=distinct, group="g")
    assert found is None
    assert {each.code for each in refusals} == {"distinctInstance"}


def test_event_names_the_instance_that_came_closest(region: Region) -> None:
    far, near = add_instance(region, "far"), add_instance(region, "near")
    refusals = [placement.Refusal("RESOURCE:MEMORY", near), placement.Refusal("ATTRIBUTE", far)]
    text = placement.event(refusals, by_provider=False)
    assert "(container-instance near) has insufficient memory available" in text
    assert text.startswith("was unable to place a task because no container instance met all of its requirements.")

"""Managed draining: a host that its group lets go is drained first."""

from __future__ import annotations

import pytest

from local_aws.ecs.managed_draining import ManagedDraining
from local_aws.tests.ecs_support import World

ARN = "arn:aws:autoscaling:us-east-1:1:autoScalingGroup:u:autoScalingGroupName/asg"


@pytest.fixture
def world() -> World:
    """A host that came by a provider, and one that came before there was any."""
    made = World()
    made.agent("i-before")
    made.call("CreateCapacityProvider", name="legacy", autoScalingGroupProvider={"autoScalingGroupArn": ARN})
    made.call(
        "PutClusterCapacityProviders", cluster="demo", capacityProviders=["legacy"], defaultCapacityProviderStrategy=[]
    )
    made.elsewhere.groups |= {"i-1": "asg", "i-2": "asg"}
    made.agent("i-1")
    return made


def status(world: World, host: str) -> str:
    return next(each.status for each in world.region.instances.values() if each.ec2_id == host)


def test_only_what_joined_by_a_provider_with_managed_draining_is_held(world: World) -> None:
    managed = ManagedDraining(world.state, world.region)
    assert [managed.holds(name) for name in ("i-1", "i-before", "i-unknown")] == [True, False, False]
    world.call("UpdateCapacityProvider", name="legacy", autoScalingGroupProvider={"managedDraining": "DISABLED"})
    assert not managed.holds("i-1")
    assert managed.drained("i-1"), "one that waited goes"
    assert status(world, "i-1") == "ACTIVE"


def test_it_goes_when_its_tasks_have_moved(world: World) -> None:
    managed = ManagedDraining(world.state, world.region)
    world.call("DeregisterContainerInstance", cluster="demo", containerInstance=next(iter(world.region.instances)))
    world.create(world.define())
    world.tick()
    assert not managed.drained("i-1")
    assert status(world, "i-1") == "DRAINING"
    world.tick(12)
    assert not managed.drained("i-1"), "a task that has no place elsewhere holds the host"
    world.agent("i-2")
    world.tick(12)
    assert managed.drained("i-1")
    assert [world.region.instances[task.instance].ec2_id for task in world.tasks()] == ["i-2"]


def test_a_one_off_task_is_waited_for(world: World) -> None:
    managed = ManagedDraining(world.state, world.region)
    world.call("DeregisterContainerInstance", cluster="demo", containerInstance=next(iter(world.region.instances)))
    world.call("RunTask", cluster="demo", taskDefinition=world.define(), launchType="EC2")
    world.tick()
    assert not managed.drained("i-1")
    for task in world.tasks():
        world.call("StopTask", cluster="demo", task=task.arn)
    world.tick()
    assert managed.drained("i-1")

"""Services with agents in the same process: replacement, deployments, circuit breaker, load balancer, draining."""

from __future__ import annotations

import pytest

from local_aws.tests.ecs_support import GROUP, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_new_service_becomes_steady(world: World) -> None:
    world.agent()
    world.create(world.define(), 2)
    world.tick()
    service = world.service()
    assert (service["runningCount"], service["pendingCount"]) == (2, 0)
    assert service["deployments"][0]["rolloutState"] == "COMPLETED"
    assert world.messages()[0].startswith("has started 2 tasks: (task ")
    assert world.messages()[-1] == "has reached a steady state."


def test_without_any_check_a_task_counts_after_forty_seconds(world: World) -> None:
    world.agent()
    world.create(world.define())
    plain = world.call(
        "RegisterTaskDefinition", family="plain", containerDefinitions=[{"name": "a", "image": "a", "memory": 10}]
    )["taskDefinition"]["taskDefinitionArn"]
    world.tick()
    world.update(taskDefinition=plain)
    world.tick()
    assert len(world.tasks()) == 2
    new = next(task for task in world.tasks() if task.definition["family"] == "plain")
    world.now = (new.started_at or 0.0) + 39.9
    world.tick(1, 0.1)
    assert new.healthy_since is None
    world.tick(1)
    assert new.healthy_since == (new.started_at or 0.0) + 40
    world.tick()
    assert [task.definition["family"] for task in world.tasks()] == ["plain"]


def test_a_dead_container_is_replaced(world: World) -> None:
    agent = world.agent()
    world.create(world.define())
    world.tick()
    (first,) = world.tasks()
    agent.end(first.arn, 137)
    world.tick()
    (second,) = world.tasks()
    assert second.arn != first.arn
    assert (first.stop_code, first.stopped_reason) == ("EssentialContainerExited", "Essential container in task exited")
    assert first.containers[0].exit_code == 137


def test_rolling_update_keeps_the_old_task_until_the_new_one_is_healthy(world: World) -> None:
    agent = world.agent()
    world.create(world.define())
    world.tick()
    (old,) = world.tasks()
    agent.health = "UNKNOWN"
    world.update(taskDefinition=world.define("web:2"))
    world.tick()
    assert len(world.tasks()) == 2
    assert old.wanted
    agent.health = "HEALTHY"
    for task in agent.running.values():
        agent.report_health(task)
    world.tick()
    (new,) = world.tasks()
    assert new.definition["revision"] == 2
    assert old.stopped_reason.startswith("Scaling activity initiated by (deployment ecs-svc/")
    assert len(world.service()["deployments"]) == 1


def test_force_new_deployment_replaces_the_same_revision(world: World) -> None:
    world.agent()
    world.create(world.define())
    world.tick()
    (old,) = world.tasks()
    world.update(forceNewDeployment=True)
    world.tick()
    (new,) = world.tasks()
    assert new.arn != old.arn


def test_circuit_breaker_rolls_back_to_the_last_completed_deployment(world: World) -> None:
    agent = world.agent()
    good = world.define()
    world.create(good)
    world.tick()
    first = world.service()["deployments"][0]["id"]
    agent.fails.add("web:broken")
    world.update(taskDefinition=world.define("web:broken"))
    world.tick(20)
    service = world.service()
    assert service["taskDefinition"] == good
    assert [each["rolloutState"] for each in service["deployments"]] == ["COMPLETED"]
    failed = next(task for task in world.tasks(active=False) if task.definition["revision"] == 2)
    assert (failed.stop_code, failed.stopped_reason) == ("TaskFailedToStart", "Task failed to start")
    assert failed.containers[0].reason.startswith("CannotPullImageManifestError: ")
    messages = world.messages()
    assert any("deployment failed: tasks failed to start." in each for each in messages)
    assert f"rolling back to deployment {first}." in messages
    states = world.call("ListServiceDeployments", cluster="demo", service="web")["serviceDeployments"]
    assert [each["status"] for each in states] == ["SUCCESSFUL", "ROLLBACK_SUCCESSFUL"]


def test_circuit_breaker_counts_tasks_that_never_become_healthy(world: World) -> None:
    agent = world.agent()
    good = world.define()
    world.create(good)
    world.tick()
    agent.health = "UNHEALTHY"
    world.update(taskDefinition=world.define("web:sick"))
    world.tick(20)
    reasons = [task.stopped_reason for task in world.tasks(active=False) if task.definition["revision"] == 2]
    assert reasons == ["Task failed container health checks"] * 3
    service = world.service()
    found = [(each["taskDefinition"], each["rolloutState"]) for each in service["deployments"]]
    assert (found, service["runningCount"]) == ([(good, "COMPLETED")], 1)


def test_first_deployment_has_nothing_to_roll_back_to(world: World) -> None:
    agent = world.agent()
    agent.fails.add("web:1")
    world.create(world.define())
    world.tick(20)
    deployment = world.service()["deployments"][0]
    assert (deployment["rolloutState"], deployment["failedTasks"]) == ("FAILED", 3)
    assert deployment["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert world.tasks() == []


def test_balanced_task_is_registered_and_drained_before_it_stops(world: World) -> None:
    world.agent()
    world.balanced(world.define())
    world.tick()
    (old,) = world.tasks()
    assert old.targets == [(GROUP, "i-1", 32769)]
    assert world.elsewhere.health == {("i-1", 32769): "healthy"}
    world.update(taskDefinition=world.define("web:2"))
    world.tick()
    assert (old.status, old.desired) == ("DEACTIVATING", "STOPPED")
    assert world.elsewhere.health[("i-1", 32769)] == "draining"
    world.tick(rounds=3, seconds=world.elsewhere.delay)
    assert old.status == "STOPPED"
    assert f"registered 1 targets in (target-group {GROUP})" in world.messages()
    assert f"deregistered 1 targets in (target-group {GROUP})" in world.messages()


def test_deployment_waits_for_a_healthy_target(world: World) -> None:
    world.agent()
    world.elsewhere.new_target = "initial"
    world.balanced(world.define())
    world.tick()
    assert world.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    world.elsewhere.health = dict.fromkeys(world.elsewhere.health, "healthy")
    world.tick()
    assert world.service()["deployments"][0]["rolloutState"] == "COMPLETED"


def test_unhealthy_target_is_replaced_after_the_grace_period(world: World) -> None:
    world.agent()
    world.elsewhere.new_target = "unhealthy"
    world.balanced(world.define(), healthCheckGracePeriodSeconds=60)
    world.tick(rounds=20, seconds=1)
    (task,) = world.tasks()
    assert task.wanted
    world.now += 60
    world.tick(2)
    assert task.stopped_reason == f"Task failed ELB health checks in (target-group {GROUP})"
    assert (
        f"(instance i-1) (port 32769) is unhealthy in (target-group {GROUP}) due to "
        "(reason Health checks failed with these codes: [400])"
    ) in world.messages()


def test_draining_instance_keeps_its_task_until_there_is_another(world: World) -> None:
    world.agent("i-1")
    world.create(world.define())
    world.tick()
    (old,) = world.tasks()
    first = old.instance
    world.call("UpdateContainerInstancesState", cluster="demo", containerInstances=[first], status="DRAINING")
    world.tick()
    assert world.tasks() == [old]
    assert any("unable to place a task" in each for each in world.messages())
    world.agent("i-2")
    world.tick(12)
    (new,) = world.tasks()
    assert new.instance != first


def test_terminated_host_takes_its_instance_and_tasks_along(world: World) -> None:
    world.agent("i-1")
    world.create(world.define())
    world.tick()
    (old,) = world.tasks()
    world.elsewhere.gone.add("i-1")
    world.agent("i-2")
    world.tick()
    assert (old.status, old.stopped_reason) == ("STOPPED", "Host EC2 (instance i-1) terminated.")
    assert [task.instance for task in world.tasks()] == [
        each.arn for each in world.region.instances.values() if each.ec2_id == "i-2"
    ]
    assert world.service()["deployments"][0]["failedTasks"] == 0


def test_scale_in_and_delete(world: World) -> None:
    world.agent()
    world.create(world.define(), 3)
    world.tick()
    world.update(desiredCount=1)
    world.tick()
    assert len(world.tasks()) == 1
    with pytest.raises(Exception, match="cannot be stopped while it is scaled above 0"):
        world.call("DeleteService", cluster="demo", service="web")
    world.call("DeleteService", cluster="demo", service="web", force=True)
    world.tick()
    assert world.service()["status"] == "INACTIVE"
    assert world.tasks() == []


def test_no_room_is_said_once_a_minute(world: World) -> None:
    world.agent(memory=100)
    world.create(world.define())
    world.tick(30)
    refusals = [each for each in world.messages() if "has insufficient memory available" in each]
    assert len(refusals) == 1
    world.tick(rounds=8, seconds=15)
    assert len([each for each in world.messages() if "has insufficient memory available" in each]) > 1

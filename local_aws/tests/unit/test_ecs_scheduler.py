"""What the scheduler chooses: which task goes first, what a task is given, when it is given up, what is forgotten."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from local_aws.ecs import scheduler
from local_aws.ecs.outside import TargetHealth
from local_aws.ecs.state import Task
from local_aws.tests.ecs_support import GROUP, Agent, Elsewhere, World

HOUR = 3600
STEADY = "has reached a steady state."


def breaker(rollback: bool = True, **more: Any) -> dict[str, Any]:
    return {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": rollback}, **more}}


def bounds(minimum: int, maximum: int, **more: Any) -> dict[str, Any]:
    return breaker(minimumHealthyPercent=minimum, maximumPercent=maximum, **more)


NO_BREAKER: dict[str, Any] = {
    "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
}


@pytest.fixture
def world() -> World:
    return World()


def one_by_one(world: World, count: int) -> list[Task]:
    """A steady service; its tasks, the oldest first."""
    world.create(world.define())
    for number in range(1, count + 1):
        world.update(desiredCount=number)
        world.tick()
    return world.tasks()


def unsure(world: World, agent: Agent, task: Task) -> None:
    """A health check that says nothing any more."""
    agent.health = "UNKNOWN"
    agent.report_health(agent.running[task.arn])
    agent.health = "HEALTHY"
    world.tick(1)


# --- which task goes


def test_the_newest_task_goes_first(world: World) -> None:
    world.agent()
    oldest, middle, newest = one_by_one(world, 3)
    world.update(desiredCount=2)
    world.tick()
    assert world.tasks() == [oldest, middle]
    assert newest.stop_code == "ServiceSchedulerInitiated"
    assert world.messages()[-2].startswith("has stopped 1 running tasks: (task ")


def test_a_task_that_is_not_healthy_goes_before_one_that_is(world: World) -> None:
    agent = world.agent()
    oldest, middle, newest = one_by_one(world, 3)
    unsure(world, agent, oldest)
    world.update(desiredCount=2)
    world.tick()
    assert world.tasks() == [middle, newest]


def test_of_old_tasks_too_the_healthy_ones_stay_longer(world: World) -> None:
    agent = world.agent()
    healthy, ill = one_by_one(world, 2)
    unsure(world, agent, ill)
    world.update(taskDefinition=world.define("web:2"), **bounds(50, 100))
    world.tick(1)
    assert (healthy.wanted, ill.wanted) == (True, False)
    world.tick(20)
    assert [task.definition["revision"] for task in world.tasks()] == [2, 2]
    assert not healthy.active


def test_old_tasks_make_room_down_to_the_lower_bound(world: World) -> None:
    world.agent(memory=450)
    first, second = one_by_one(world, 2)
    world.update(taskDefinition=world.define("web:2"), **bounds(50, 200))
    world.tick(1)
    assert (first.wanted, second.wanted) == (True, True)  # a place for a new one is looked for first
    world.tick(40)
    assert [task.definition["revision"] for task in world.tasks()] == [2, 2]
    assert world.service()["deployments"][0]["rolloutState"] == "COMPLETED"


@pytest.mark.parametrize("seconds", [10.0, 10.5])
def test_what_had_no_place_in_the_last_ten_seconds_has_none_still(world: World, seconds: float) -> None:
    world.agent(memory=450)
    first, second = one_by_one(world, 2)
    world.update(desiredCount=3)
    tried = world.now
    world.tick(1)
    world.update(desiredCount=2)
    world.now = tried + seconds
    world.update(taskDefinition=world.define("web:2"), **bounds(50, 200))
    world.tick(1)
    assert [first.wanted, second.wanted].count(False) == (1 if seconds == 10.0 else 0)


def test_a_service_s_strategy_places_its_tasks(world: World) -> None:
    small = world.agent("i-1").arn
    world.agent("i-2", memory=5000)
    world.create(world.define(), 3, placementStrategy=[{"type": "binpack", "field": "memory"}])
    world.tick()
    assert [task.instance for task in world.tasks()] == [small, small, small]


def test_a_service_s_constraints_place_its_tasks(world: World) -> None:
    hosts = {world.agent("i-1").arn, world.agent("i-2", memory=5000).arn}
    world.create(world.define(), 3, placementConstraints=[{"type": "distinctInstance"}])
    world.tick()
    assert {task.instance for task in world.tasks()} == hosts
    assert len(world.tasks()) == 2
    assert any("does not satisfy the placement constraints" in each for each in world.messages())
    assert world.messages()[1] == f"has started 2 tasks: {' '.join(f'(task {task.id})' for task in world.tasks())}."


def test_a_target_is_registered_once(world: World) -> None:
    world.agent()
    world.balanced(world.define())
    world.tick(20)
    assert world.messages().count(f"registered 1 targets in (target-group {GROUP})") == 1
    world.update(desiredCount=0)
    world.tick(20)
    assert world.messages().count(f"deregistered 1 targets in (target-group {GROUP})") == 1


def test_after_a_try_without_a_place_the_next_is_two_seconds_later(world: World) -> None:
    world.agent(memory=100)
    world.create(world.define())
    world.tick(1)
    world.agent("i-2")
    world.tick(1, 1.4)
    world.tick(1, 0.1)
    assert not world.tasks()
    world.tick(1)
    assert len(world.tasks()) == 1


# --- what a task is given


@pytest.mark.parametrize(("whose", "value"), [("SERVICE", "service"), ("TASK_DEFINITION", "definition"), ("NONE", "")])
def test_tags_come_from_where_the_service_says(world: World, whose: str, value: str) -> None:
    world.agent()
    definition = world.define()
    world.call("TagResource", resourceArn=definition, tags=[{"key": "of", "value": "definition"}])
    world.create(definition, tags=[{"key": "of", "value": "service"}], propagateTags=whose, enableECSManagedTags=False)
    world.tick()
    (task,) = world.tasks()
    assert task.tags == ([{"key": "of", "value": value}] if value else [])
    world.call("TagResource", resourceArn=task.arn, tags=[{"key": "of", "value": "task"}])
    assert world.region.services[task.service].tags == [{"key": "of", "value": "service"}]
    assert world.region.definition_tags[definition] == [{"key": "of", "value": "definition"}]


def test_a_task_says_whose_it_is(world: World) -> None:
    agent = world.agent()
    world.create(world.define(cpu=100), enableExecuteCommand=True)
    world.tick()
    (task,) = world.call("DescribeTasks", cluster="demo", tasks=[world.tasks()[0].arn])["tasks"]
    deployment = world.service()["deployments"][0]
    assert (task["group"], task["startedBy"]) == ("service:web", deployment["id"])
    assert (task["cpu"], task["memory"], task["enableExecuteCommand"]) == ("100", "200", True)
    assert (task["launchType"], task["createdAt"]) == ("EC2", 1_000_000.0)
    assert task["containerInstanceArn"] == agent.arn
    assert world.messages()[0] == f"has started 1 tasks: (task {task['taskArn'].rpartition('/')[2]})."
    world.call("UpdateService", cluster="demo", service="web", enableExecuteCommand=False, desiredCount=2)
    world.tick(20)
    assert {each.exec_enabled for each in world.tasks()} == {False}
    (container,) = task["containers"]
    assert (container["name"], container["image"]) == ("web", "web:1")
    assert container["containerArn"].startswith(f"{task['taskArn'].replace(':task/', ':container/')}/")


def test_nobody_gets_into_a_task_unless_the_service_says_so(world: World) -> None:
    world.agent()
    world.create(world.define())
    world.tick()
    (task,) = world.call("DescribeTasks", cluster="demo", tasks=[world.tasks()[0].arn])["tasks"]
    assert task["enableExecuteCommand"] is False


def test_a_task_takes_cpu_memory_and_ports_from_its_host(world: World) -> None:
    world.agent(memory=500)
    fixed = [{"containerPort": 80, "hostPort": 8080}]
    world.create(world.define(cpu=600, portMappings=fixed))
    world.tick()

    def refused(**more: Any) -> list[str]:
        answer = world.call("RunTask", cluster="demo", taskDefinition=world.define(family="job", **more))
        return [each["reason"] for each in answer["failures"]]

    assert refused(cpu=425) == ["RESOURCE:CPU"]
    assert refused(memory=301) == ["RESOURCE:MEMORY"]
    assert refused(portMappings=fixed) == ["RESOURCE:PORTS"]
    assert refused(cpu=424, memory=300) == []


# --- when a task or a deployment is given up


def test_three_tasks_that_end_fail_a_deployment_and_two_do_not(world: World) -> None:
    agent = world.agent()
    agent.exits["web:1"] = 1
    world.create(world.define())
    failed = []
    while world.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS":
        world.tick(1)
        failed.append(world.service()["deployments"][0]["failedTasks"])
    assert failed[-2:] == [2, 3]
    deployment = world.service()["deployments"][0]
    assert deployment["updatedAt"] > deployment["createdAt"]
    assert f"(deployment {deployment['id']}) deployment failed: tasks failed to start." in world.messages()
    count = len(world.tasks(active=False))
    world.tick(40)
    assert len(world.tasks(active=False)) == count == 3


def test_a_rollback_that_fails_is_not_rolled_back(world: World) -> None:
    agent = world.agent()
    world.create(world.define(), **bounds(0, 100))
    world.tick()
    agent.fails |= {"web:1", "web:2"}
    world.update(taskDefinition=world.define("web:2"))
    world.tick(60)
    service = world.service()
    assert (service["deployments"][0]["rolloutState"], service["deployments"][0]["failedTasks"]) == ("FAILED", 3)
    assert service["taskDefinition"].endswith(":1")
    assert len([each for each in world.messages() if each.startswith("rolling back to deployment")]) == 1
    states = world.call("ListServiceDeployments", cluster="demo", service="web")["serviceDeployments"]
    assert [each["status"] for each in states].count("ROLLBACK_IN_PROGRESS") == 1


@pytest.mark.parametrize("provider", ["", "hosts"])
def test_what_is_gone_by_then_is_rolled_back_to_with_a_deployment_of_its_own(world: World, provider: str) -> None:
    group = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:1:autoScalingGroupName/hosts"
    world.call("CreateCapacityProvider", name="hosts", autoScalingGroupProvider={"autoScalingGroupArn": group})
    strategy = [{"capacityProvider": "hosts", "weight": 1, "base": 0}]
    default = {"capacityProviders": ["hosts"], "defaultCapacityProviderStrategy": []}
    world.call("PutClusterCapacityProviders", cluster="demo", **default)
    world.elsewhere.groups["i-1"] = "hosts"
    agent = world.agent()
    good = world.define()
    world.create(good, **bounds(0, 100))
    world.tick()
    if provider:
        world.update(capacityProviderStrategy=strategy)
        world.tick(20)
    first = world.service()["deployments"][0]
    agent.fails.add("web:2")
    world.update(taskDefinition=world.define("web:2"))
    world.tick(60)
    (back,) = world.service()["deployments"]
    assert back["id"] != first["id"]
    assert (back["taskDefinition"], back["rolloutState"]) == (good, "COMPLETED")
    assert back.get("capacityProviderStrategy", []) == (strategy if provider else [])
    (task,) = world.tasks()
    assert (task.definition["revision"], task.provider) == (1, provider)


def test_a_rollback_keeps_what_works_until_it_is_replaced(world: World) -> None:
    agent = world.agent(memory=2000)
    world.create(world.define(), 4)
    world.tick()
    agent.health = "UNKNOWN"
    world.update(taskDefinition=world.define("web:2"))
    world.tick(2)
    works, undecided, *ending = [task for task in world.tasks() if task.definition["revision"] == 2]
    failed = works.deployment
    agent.health = "HEALTHY"
    agent.report_health(agent.running[works.arn])
    world.tick(1)
    agent.fails.add("web:2")
    for task in ending:
        agent.end(task.arn, 1)
    while not any(each.startswith("rolling back") for each in world.messages()):
        world.tick(1)
        assert works.wanted
    assert (undecided.desired, undecided.stop_code) == ("STOPPED", "ServiceSchedulerInitiated")
    assert undecided.stopped_reason == f"Scaling activity initiated by (deployment {failed})"
    world.tick()
    assert [task.definition["revision"] for task in world.tasks()] == [1, 1, 1, 1]


def test_without_a_rollback_the_failed_deployment_stays(world: World) -> None:
    agent = world.agent()
    world.create(world.define(), **breaker(rollback=False))
    world.tick()
    agent.fails.add("web:2")
    bad = world.define("web:2")
    world.update(taskDefinition=bad)
    world.tick(30)
    new, old = world.service()["deployments"]
    assert (new["taskDefinition"], new["rolloutState"], new["status"]) == (bad, "FAILED", "PRIMARY")
    assert (old["status"], old["desiredCount"], old["runningCount"]) == ("ACTIVE", 0, 1)
    assert not any("rolling back" in each for each in world.messages())


def test_without_a_breaker_it_is_tried_ever_less_often(world: World) -> None:
    agent = world.agent()
    agent.fails.add("web:1")
    world.create(world.define(), **NO_BREAKER)
    while world.service()["deployments"][0]["failedTasks"] < 3:
        assert not any(each.startswith("is unable") for each in world.messages())
        world.tick(1)
    world.tick(60)
    begun = [task.created_at for task in world.tasks(active=False)]
    between = [round(later - earlier, 1) for earlier, later in itertools.pairwise(begun)]
    assert between[:3] == [0.5, 0.5, 0.5]
    assert between[3:6] == [2.5, 4.5, 8.5]
    assert world.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    unable = [each for each in world.messages() if each.startswith("is unable to consistently start tasks")]
    assert len(unable) == 1
    agent.fails.clear()
    world.tick(60)
    assert world.messages()[-1] == STEADY


@pytest.mark.parametrize(
    ("more", "state"),
    [({}, "IN_PROGRESS"), ({"resetOnHealthyTask": True}, "IN_PROGRESS"), ({"resetOnHealthyTask": False}, "FAILED")],
)
def test_a_healthy_task_between_makes_the_count_begin_anew(world: World, more: dict[str, Any], state: str) -> None:
    agent = world.agent()
    agent.fails.add("web:1")
    own = {"enable": True, "rollback": False, **more}
    world.create(world.define(), 2, deploymentConfiguration={"deploymentCircuitBreaker": own})
    world.tick(1)
    agent.fails.clear()
    agent.health = "UNKNOWN"
    world.tick(2)
    healthy, ending = world.tasks()
    agent.health = "HEALTHY"
    agent.report_health(agent.running[healthy.arn])
    world.tick(1)
    agent.end(ending.arn, 1)
    world.tick(1)
    deployment = world.service()["deployments"][0]
    assert (deployment["failedTasks"], deployment["rolloutState"]) == (3, state)


def test_a_task_that_turns_healthy_when_it_is_to_stop_changes_no_count(world: World) -> None:
    agent = world.agent()
    agent.slow.add("web:1")
    agent.health = "UNKNOWN"
    world.create(world.define(), 2, **breaker(rollback=False))
    world.tick(2)
    failing, late = world.tasks()
    agent.end(failing.arn, 1)
    world.tick(1)
    world.call("StopTask", cluster="demo", task=late.arn)
    agent.health = "HEALTHY"
    agent.report_health(agent.running[late.arn])
    agent.health = "UNKNOWN"
    world.tick(1)  # its agent is told after the scheduler has looked
    assert (late.health, late.active, late.healthy_since) == ("HEALTHY", True, None)
    for task in [each for each in world.tasks() if each.wanted]:
        agent.end(task.arn, 1)
    world.tick(1)
    deployment = world.service()["deployments"][0]
    assert (deployment["failedTasks"], deployment["rolloutState"]) == (3, "FAILED")


def test_a_task_that_somebody_stops_is_replaced_and_no_failure(world: World) -> None:
    world.agent()
    world.create(world.define())
    world.tick()
    (first,) = world.tasks()
    world.call("StopTask", cluster="demo", task=first.arn, reason="I said so")
    world.tick()
    (second,) = world.tasks()
    assert (first.stop_code, first.stopped_reason) == ("UserInitiated", "I said so")
    assert second is not first
    assert world.service()["deployments"][0]["failedTasks"] == 0


def test_a_task_that_was_healthy_once_is_no_failure_when_it_ends(world: World) -> None:
    agent = world.agent()
    world.create(world.define())
    world.tick()
    for _ in range(4):
        (task,) = world.tasks()
        agent.end(task.arn, 1)
        world.tick()
    deployment = world.service()["deployments"][0]
    assert (deployment["failedTasks"], deployment["rolloutState"]) == (0, "COMPLETED")
    assert world.messages().count(STEADY) == 5
    assert sum("deployment completed" in each for each in world.messages()) == 1


def test_a_container_has_its_grace_period_too(world: World) -> None:
    agent = world.agent()
    agent.health = "UNHEALTHY"
    world.create(world.define(), healthCheckGracePeriodSeconds=30)
    world.tick(29, 1)
    (task,) = world.tasks()
    assert task.wanted
    world.tick(3, 1)
    assert (task.stopped_reason, task.stop_code) == (
        "Task failed container health checks",
        "ServiceSchedulerInitiated",
    )
    world.tick(3, 1)
    assert world.messages().count(f"(task {task.id}) failed container health checks.") == 1
    assert world.service()["deployments"][0]["failedTasks"] == 1


def test_a_healthy_task_that_falls_ill_is_replaced_and_fails_no_deployment(world: World) -> None:
    agent = world.agent()
    world.create(world.define())
    world.tick()
    (task,) = world.tasks()
    agent.health = "UNHEALTHY"
    agent.report_health(agent.running[task.arn])
    agent.health = "HEALTHY"
    world.tick(8)
    assert [each.wanted for each in world.tasks()] == [True]
    assert not task.active
    assert world.service()["deployments"][0]["failedTasks"] == 0
    assert world.messages()[-1] == STEADY


def test_a_task_is_told_to_stop_once(world: World) -> None:
    world.agent()
    world.create(world.define())
    world.tick()
    (task,) = world.tasks()
    version = task.version
    scheduler.stop_task(task, "first", "UserInitiated", world.now)
    assert (task.version, task.stopping_at, task.status) == (version + 1, world.now, "RUNNING")
    scheduler.stop_task(task, "second", "ServiceSchedulerInitiated", world.now + 1)
    assert (task.version, task.stopped_reason, task.stopping_at) == (version + 1, "first", world.now)
    world.tick()
    assert task.status == "STOPPED"
    ended = task.version
    task.desired = "RUNNING"
    scheduler.stop_task(task, "third", "UserInitiated", world.now)
    assert (task.version, task.desired) == (ended, "RUNNING")


def test_a_task_that_somebody_stops_before_it_is_healthy_is_no_failure_either(world: World) -> None:
    agent = world.agent()
    agent.health = "UNKNOWN"
    world.create(world.define())
    world.tick(2)
    world.call("StopTask", cluster="demo", task=world.tasks()[0].arn)
    world.tick()
    assert world.service()["deployments"][0]["failedTasks"] == 0


# --- what is gone


def test_a_stopped_task_can_be_described_for_an_hour(world: World) -> None:
    agent = world.agent()
    world.create(world.define())
    world.tick()
    (first,) = world.tasks()
    agent.end(first.arn, 0)
    world.tick(1)
    world.now = (first.stopped_at or 0.0) + HOUR
    world.tick(1)
    assert world.call("DescribeTasks", cluster="demo", tasks=[first.arn])["tasks"]
    world.tick(1)
    assert not world.call("DescribeTasks", cluster="demo", tasks=[first.arn])["tasks"]
    assert len(world.tasks()) == 1


def test_a_target_is_let_go_of_however_late(world: World) -> None:
    agent = world.agent()
    world.balanced(world.define())
    world.tick()
    (first,) = world.tasks()
    agent.end(first.arn, 0)
    world.now += 2 * HOUR
    world.tick(1)
    assert world.elsewhere.health["i-1", 32769] == "draining"
    world.tick(3)
    assert first.arn not in world.region.tasks


def test_a_host_that_is_gone_takes_its_tasks_and_nobody_else_s(world: World) -> None:
    gone, stays = world.agent("i-1"), world.agent("i-2")
    spread = [{"type": "spread", "field": "instanceId"}]
    world.create(world.define(), 2, placementStrategy=spread)
    world.tick()
    tasks = {task.instance: task for task in world.tasks()}
    ended = tasks[gone.arn]
    scheduler.stop_task(ended, "Scaled in", "UserInitiated", world.now)
    version = ended.version
    world.elsewhere.gone = {"i-1"}
    world.tick(1)
    assert set(world.region.instances) == {stays.arn}
    assert (ended.status, ended.desired, ended.stopped_at) == ("STOPPED", "STOPPED", world.now - 0.5)
    assert (ended.stopped_reason, ended.stop_code, ended.version) == ("Scaled in", "UserInitiated", version + 1)
    assert ended.containers[0].status == "STOPPED"
    assert tasks[stays.arn].wanted
    world.tick()
    assert [task.instance for task in world.tasks()] == [stays.arn, stays.arn]


def test_what_a_host_took_along_is_no_failure(world: World) -> None:
    agent = world.agent("i-1")
    agent.health = "UNKNOWN"
    world.create(world.define())
    world.tick(2)
    (task,) = world.tasks()
    world.elsewhere.gone = {"i-1"}
    world.tick(2)
    assert (task.stop_code, task.stopped_reason) == ("TerminationNotice", "Host EC2 (instance i-1) terminated.")
    assert world.service()["deployments"][0]["failedTasks"] == 0


class Listening(Elsewhere):
    """Keeps which target groups were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def target_health(self, target_group: str) -> dict[tuple[str, int], TargetHealth]:
        self.asked.append(target_group)
        return super().target_health(target_group)


def test_the_group_of_a_service_that_is_deleted_is_asked_until_its_last_task_is_out(world: World) -> None:
    elsewhere = Listening()
    world = World(elsewhere)
    world.agent()
    world.balanced(world.define())
    world.tick()
    world.call("DeleteService", cluster="demo", service="web", force=True)
    elsewhere.asked.clear()
    world.tick(2)
    assert elsewhere.asked == [GROUP, GROUP]
    assert world.service()["status"] == "DRAINING"
    world.tick(3, seconds=elsewhere.delay)
    service = world.service()
    assert (service["status"], service["deployments"]) == ("INACTIVE", [])
    elsewhere.asked.clear()
    world.tick(2)
    assert elsewhere.asked == []


# --- what is said


def test_a_deployment_has_its_times_and_its_reason(world: World) -> None:
    world.agent()
    world.create(world.define(), 2)
    world.tick(1)
    (deployment,) = world.service()["deployments"]
    assert (deployment["desiredCount"], deployment["rolloutState"]) == (2, "IN_PROGRESS")
    world.tick()
    (deployment,) = world.service()["deployments"]
    assert deployment["rolloutStateReason"] == f"ECS deployment {deployment['id']} completed."
    assert deployment["updatedAt"] > deployment["createdAt"]
    assert world.messages().count(STEADY) == 1
    (first,) = world.call("ListServiceDeployments", cluster="demo", service="web")["serviceDeployments"]
    world.update(taskDefinition=world.define("web:2"))
    world.tick(1)
    new, old = world.service()["deployments"]
    assert (new["desiredCount"], old["desiredCount"]) == (2, 0)
    assert world.messages()[-1].startswith("has started 2 tasks: (task ")
    world.tick()
    assert not any("draining" in each for each in world.messages())  # no load balancer sends them anything
    listed = world.call("ListServiceDeployments", cluster="demo", service="web")["serviceDeployments"]
    assert [each["status"] for each in listed] == ["SUCCESSFUL", "SUCCESSFUL"]
    assert all(each["finishedAt"] > each["createdAt"] for each in listed)
    assert listed[1]["finishedAt"] == first["finishedAt"]  # and not when the next one took its place
    assert world.messages()[-1] == STEADY


def test_a_service_is_steady_when_the_last_old_task_has_ended(world: World) -> None:
    agent = world.agent()
    agent.slow.add("web:1")
    world.create(world.define())
    world.tick()
    (old,) = world.tasks()
    world.update(taskDefinition=world.define("web:2"))
    world.tick(12)
    assert world.messages().count(STEADY) == 1
    agent.end(old.arn, 0)
    world.tick()
    assert world.messages().count(STEADY) == 2


def test_a_task_that_is_drained_is_said_to_be(world: World) -> None:
    world.agent()
    world.balanced(world.define())
    world.tick()
    world.update(desiredCount=0)
    world.tick(1)
    messages = world.messages()
    assert "has begun draining connections on 1 tasks." in messages
    assert any(each.startswith("has stopped 1 running tasks: (task ") for each in messages)
    assert world.service()["deployments"][0]["desiredCount"] == 0

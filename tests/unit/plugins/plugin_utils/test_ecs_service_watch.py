"""Why a service does not come up: a control plane in memory fails in every way that a first release does."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.tests.ecs_support import GROUP, Agent, World
from plugins.action import ecs_service_wait
from plugins.plugin_utils import ecs_placement
from plugins.plugin_utils.aws_action import Wait
from plugins.plugin_utils.ecs_service_watch import LOOK_SECONDS, EcsServiceWatch, event_text
from tests.unit.plugin_support import run_action
from tests.unit.service_support import LOG, Clients, service_layer


class Site:
    """A world with one host, and a watch of its service `web`."""

    def __init__(self, memory: int = 1000) -> None:
        self.world = World()
        self.clients = Clients(self.world)
        self.agent: Agent = self.world.agent(memory=memory)
        self.shown: list[str] = []
        self.watch = self.new_watch()

    def new_watch(self) -> EcsServiceWatch:
        return EcsServiceWatch(
            service_layer(),
            self.clients,
            lambda name, text, _color=None: self.shown.append(f"{name}: {text}"),
            lambda: self.world.now,
        )

    @property
    def arn(self) -> str:
        return str(self.world.service()["serviceArn"])

    def go(self, seconds: float, arn: str | None = None) -> None:
        """Let time pass, with a look each second."""
        for _ in range(int(seconds)):
            self.world.tick(2)
            self.watch.look({"Service": self.arn if arn is None else arn})

    @property
    def screen(self) -> str:
        return "\n".join(self.shown)


@pytest.fixture
def site() -> Site:
    return Site()


def live(site: Site, **more: Any) -> None:
    """A service that has been up for a while, in front of the load balancer."""
    site.world.balanced(site.world.define(logConfiguration=LOG), **more)
    site.world.tick(20)
    site.watch = site.new_watch()
    site.watch.look({"Service": site.arn})
    assert site.shown == [], "what was before the deployment is no news"


def test_a_crash_is_told_when_ecs_knows_it_with_exit_code_and_log(site: Site) -> None:
    live(site)
    site.agent.exits["web:2"] = 127
    site.clients.lines["web"] = [f"line {number}" for number in range(40)]
    site.world.update(taskDefinition=site.world.define("web:2", logConfiguration=LOG))
    site.go(LOOK_SECONDS + 2)
    assert "service: Essential container in task exited (web ended with exit code 127)" in site.shown
    assert site.screen.count("web: line 39") == 1
    assert "web: line 25" in site.screen
    assert "web: line 24" not in site.screen, "the last 15 lines"
    site.go(20)
    assert site.world.service()["deployments"][0]["rolloutState"] == "COMPLETED", "rolled back"
    assert site.screen.count("exit code 127") == 1, "three tasks that ended alike are told once"
    why = site.watch.why()
    assert "Essential container in task exited (web ended with exit code 127), as 3 tasks in all" in why
    assert why.count("\n  web: line 39") == 1
    assert "Scaling activity" not in why


def test_what_is_told_of_a_first_create_outlives_the_service(site: Site) -> None:
    """CloudFormation deletes the service of a create that failed, before anybody can ask."""
    site.agent.exits["web:1"] = 1
    site.clients.lines["web"] = ["Traceback"]
    site.world.create(site.world.define(logConfiguration=LOG))
    site.go(8)
    site.world.call("DeleteService", cluster="demo", service="web", force=True)
    site.go(8)
    assert site.world.service()["status"] == "INACTIVE"
    why = site.watch.why()
    assert "web ended with exit code 1" in why
    assert "  web: Traceback" in why
    assert "has started 1 tasks" in site.screen


def test_a_first_create_that_fails_between_two_looks_is_explained(site: Site) -> None:
    site.watch.look({"Service": ""})
    site.agent.exits["web:1"] = 1
    definition = site.world.define(logConfiguration=LOG)
    name = "demo-service-Service-1"
    site.world.call("CreateService", cluster="demo", serviceName=name, taskDefinition=definition, desiredCount=1,
                    launchType="EC2")  # fmt: skip
    (service,) = site.world.region.services.values()
    for _ in range(6):
        site.world.scheduler.round()
        site.world.dispatcher.deliver()
    service.primary.state = "FAILED"
    site.watch.look({"Service": service.arn})
    assert "web ended with exit code 1" in site.watch.why()


def test_what_came_after_the_last_look_is_asked_for_when_the_service_is_gone(site: Site) -> None:
    site.world.create(site.world.define(logConfiguration=LOG))
    site.go(LOOK_SECONDS + 1)
    (task,) = site.world.tasks()
    site.agent.end(task.arn, 5)
    site.world.call("DeleteService", cluster="demo", service="web", force=True)
    site.world.tick(40)
    assert site.world.service()["status"] == "INACTIVE"
    assert "web ended with exit code 5" in site.watch.why()


def test_the_service_of_a_first_create_is_found_without_its_arn(site: Site) -> None:
    site.clients.lines["web"] = ["Traceback"]
    site.agent.exits["web:1"] = 1
    definition = site.world.define()
    site.go(6, arn="")  # not there yet
    for name in ("demo-service-Other-1", "demo-service-Service-9X"):
        site.world.call("CreateService", cluster="demo", serviceName=name, taskDefinition=definition, desiredCount=1,
                        launchType="EC2")  # fmt: skip
    site.go(LOOK_SECONDS + 2, arn="")
    assert "web ended with exit code 1" in site.screen
    assert len(site.watch._reports) == 1


def test_a_health_check_that_is_answered_400_is_told_with_path_ports_and_code(site: Site) -> None:
    live(site, healthCheckGracePeriodSeconds=30)
    site.world.elsewhere.new_target = "unhealthy"
    site.world.update(taskDefinition=site.world.define("web:2", logConfiguration=LOG))
    site.go(LOOK_SECONDS + 4)
    line = (
        "the load balancer's GET /healthz to container web, port 80 (port 32770 of the host i-1): "
        "Health checks failed with these codes: [400]; it must be 200"
    )
    assert f"service: {line}" in site.shown, "long before ECS gives up the task"
    site.clients.lines["web"] = ["GET /healthz 400"]
    site.go(150)
    why = site.watch.why()
    assert "port 80 (port 3277" in why
    assert "[400]; it must be 200" in why
    assert why.count("to container web") == 1, "one way to fail, though three tasks did"
    assert "Set health of its route (site_services)" in why
    assert "  web: GET /healthz 400" in why
    event = "(instance i-1) (port 32770) is unhealthy in (target-group web) due to (reason Health checks failed with"
    assert event in site.screen


def test_a_target_that_is_given_up_at_once_is_told_by_the_event(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a grace period ECS deregisters an unhealthy target before anybody can have met it."""
    live(site)
    monkeypatch.setattr(site.clients, "_describe_target_health", lambda **_: {"TargetHealthDescriptions": []})
    site.world.elsewhere.new_target, site.world.elsewhere.unhealthy = "unhealthy", "Health checks failed"
    site.world.update(taskDefinition=site.world.define("web:2", logConfiguration=LOG))
    site.go(40)
    line = (
        "the load balancer's GET /healthz to container web, port 80 (port 32770 of the host i-1): Health checks failed"
        "; it must be 200"
    )
    assert f"service: {line}" in site.shown
    assert "Health checks failed; it must be 200" in site.watch.why()
    assert "Does the container listen on port 80" in site.watch.why()


def test_nothing_on_the_port_names_the_port_that_was_asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    live(site)
    refused = {
        "Target": {"Id": "i-1", "Port": 32770},
        "TargetHealth": {
            "State": "unhealthy", "Reason": "Target.FailedHealthChecks", "Description": "Health checks failed",
        },
    }  # fmt: skip
    answer = {"TargetHealthDescriptions": [refused]}
    monkeypatch.setattr(site.clients, "_describe_target_health", lambda **_: answer)
    site.go(LOOK_SECONDS + 1)
    assert "Does the container listen on port 80" in site.watch.why()
    assert "ports of web (site_services) must name the port that it listens on" in site.watch.why()


def test_a_container_health_check_names_the_container(site: Site) -> None:
    live(site)
    site.agent.health = "UNHEALTHY"
    site.clients.lines["web"] = ["curl: not found"]
    site.world.update(taskDefinition=site.world.define("web:sick", logConfiguration=LOG))
    site.go(8)
    assert "Task failed container health checks (web was UNHEALTHY and ended with exit code 137)" in site.screen
    assert "  web: curl: not found" in site.screen


def test_what_one_look_finds_is_told_in_the_order_in_which_it_happened(site: Site) -> None:
    live(site)
    site.agent.exits["web:2"] = 1
    site.clients.lines["web"] = ["Traceback"]
    site.world.update(taskDefinition=site.world.define("web:2", logConfiguration=LOG))
    site.world.tick(30)
    site.go(LOOK_SECONDS + 1)
    told = [site.screen.index(text) for text in ("has started", "exit code 1", "Traceback", "deployment failed")]
    assert told == sorted(told)


def test_a_container_that_wrote_nothing_is_said_to(site: Site) -> None:
    live(site)
    site.agent.exits["web:2"] = 1
    site.world.update(taskDefinition=site.world.define("web:2", logConfiguration=LOG))
    site.go(20)
    assert "  web: (nothing in its log)" in site.watch.why()


def test_a_log_that_comes_late_is_shown_when_it_comes(site: Site) -> None:
    live(site)
    site.agent.exits["web:2"] = 1
    site.world.update(taskDefinition=site.world.define("web:2", logConfiguration=LOG))
    site.go(LOOK_SECONDS + 2)
    assert "exit code 1" in site.screen
    assert "late line" not in site.screen
    site.clients.lines["web"] = ["late line"]
    site.go(LOOK_SECONDS + 1)
    assert "web: late line" in site.screen


def test_what_may_not_be_asked_ends_no_wait(site: Site) -> None:
    live(site)
    site.clients.refused = {"get_log_events", "describe_target_health"}
    site.agent.exits["web:2"] = 1
    site.world.update(taskDefinition=site.world.define("web:2", logConfiguration=LOG))
    site.go(12)
    assert site.screen.count("cannot say more: describe_target_health: not authorized") == 1
    assert site.screen.count("a log cannot be read") == 1
    assert "web ended with exit code 1" in site.watch.why()
    site.clients.refused = {"list_tasks"}
    site.watch, site.shown = site.new_watch(), []
    site.go(6)
    assert site.shown == ["service: cannot say more: list_tasks: not authorized"], "old events are no news"
    site.clients.refused = {"describe_services"}
    site.go(6)
    assert site.screen.count("cannot look at the service") == 1


def test_a_deployment_that_goes_well_is_shown_in_few_words(site: Site) -> None:
    live(site)
    site.world.update(taskDefinition=site.world.define("web:2", logConfiguration=LOG))
    site.go(60)
    assert "has reached a steady state." in site.screen
    assert "exit code" not in site.screen
    assert "arn:" not in site.screen
    assert "registered 1 targets in (target-group web)" in site.screen
    assert "exit code" not in site.watch.why()


def test_looks_are_some_seconds_apart(site: Site) -> None:
    live(site)
    site.clients.calls.clear()
    site.go(40)
    assert site.clients.calls.count("describe_services") <= 40 / LOOK_SECONDS + 1


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("(service web) has reached a steady state.", "has reached a steady state."),
        (f"(service a-b) registered 1 targets in (target-group {GROUP})", "registered 1 targets in (target-group web)"),
        (
            "(service web) was unable to place a task because no container instance met all of its requirements. The "
            "closest matching (container-instance 1) has insufficient memory available. For more information, see the "
            "Troubleshooting section of the Amazon ECS Developer Guide.",
            "was unable to place a task because no container instance met all of its requirements. The closest "
            "matching (container-instance 1) has insufficient memory available.",
        ),
    ],
)
def test_an_event_is_told_without_what_nobody_needs(message: str, text: str) -> None:
    assert event_text(message) == text


# The wait after the stack, which asks the same


def wait_for(site: Site, monkeypatch: pytest.MonkeyPatch, definition: str) -> dict[str, Any]:
    """The result of ecs_service_wait, for which the world goes on while it sleeps."""
    world = site.world

    def wait(seconds: float, say: Any, name: str) -> Wait:
        return Wait(seconds, say, name, lambda: world.now, lambda seconds: world.tick(1, seconds))

    monkeypatch.setattr(ecs_service_wait, "Wait", wait)
    return run_action(
        ecs_service_wait,
        {"cluster": "demo", "service": "web", "task_definition": definition},
        client=site.clients,
        say=lambda name, text, _color=None: site.shown.append(f"{name}: {text}"),
    )


def test_a_rollback_that_was_over_before_anybody_looked_is_explained_too(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(site)
    site.agent.exits["web:2"] = 3
    site.clients.lines["web"] = ["ImportError"]
    definition = site.world.define("web:2", logConfiguration=LOG)
    site.world.update(taskDefinition=definition)
    site.world.tick(40)
    result = wait_for(site, monkeypatch, definition)
    assert "web was rolled back: it runs web:1, not web:2." in result["msg"]
    assert "(web ended with exit code 3), as 3 tasks in all" in result["msg"]
    assert "\n    web: ImportError" in result["msg"]


def test_the_wait_ends_when_no_host_will_take_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    site = crowded()
    started = site.world.now
    result = wait_for(site, monkeypatch, "web:2")
    assert "web cannot be deployed: no host can take another task: a task takes 640 MiB" in result["msg"]
    assert site.world.now - started < 60


def test_what_is_to_be_typed_spreads_two_tasks_over_two_hosts(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    spread = [{"type": "spread", "field": "attribute:ecs.availability-zone"}, {"type": "spread", "field": "instanceId"}]
    definition = site.world.define()
    site.world.create(definition, 2, placementStrategy=spread)
    site.world.tick(20)
    site.world.agent("i-2")
    (warning,) = wait_for(site, monkeypatch, definition)["warnings"]
    assert "both tasks of web are on host i-1, none on i-2: without i-1 the site is away." in warning
    typed = warning.partition("aws ecs stop-task ")[2].split()
    site.world.call(
        "StopTask", **{key.removeprefix("--"): value for key, value in zip(typed[::2], typed[1::2], strict=True)}
    )
    site.world.tick(20)
    assert "warnings" not in wait_for(site, monkeypatch, definition)


# A deployment that finds no place


def crowded(**more: Any) -> Site:
    """A host of 660 MiB whose one task takes 640 of them, as at the edge on a t3.micro; and a new release."""
    site = Site(memory=660)
    strategy = [{"capacityProvider": "hosts", "weight": 1}]
    live_definition = site.world.define(memory=640)
    site.world.create(live_definition, **more)
    site.world.tick(20)
    for instance in site.world.region.instances.values():
        instance.provider = "hosts"
    provider = {"autoScalingGroupArn": "arn:aws:autoscaling:us-east-1:1:autoScalingGroup:1:autoScalingGroupName/asg"}
    site.world.call("CreateCapacityProvider", name="hosts", autoScalingGroupProvider=provider)
    site.world.call(
        "PutClusterCapacityProviders", cluster="demo", capacityProviders=["hosts"],
        defaultCapacityProviderStrategy=strategy,
    )  # fmt: skip
    site.world.update(taskDefinition=site.world.define("web:2", memory=640), capacityProviderStrategy=strategy)
    return site


def test_no_place_is_hopeless_within_a_minute_with_the_arithmetic() -> None:
    site = crowded()
    site.go(10)
    assert "was unable to place a task because no container instance met all of its requirements" in site.screen
    assert site.watch.hopeless() == "", "not at the first look"
    site.go(40)
    hopeless = site.watch.hopeless()
    assert "a task takes 640 MiB; i-1 registered 660 MiB for tasks and has 20 MiB left" in hopeless
    assert "the tasks that run keep theirs until new ones are healthy" in hopeless
    assert "site_hosts" in hopeless
    assert "640 MiB" in site.watch.why()


def test_a_host_that_is_joining_is_waited_for() -> None:
    site = crowded()
    site.clients.desired_hosts = 2
    site.go(90)
    assert site.watch.hopeless() == ""
    site.clients.desired_hosts = 1  # somebody gave up on it
    site.go(40)
    assert "640 MiB" in site.watch.hopeless()
    newcomer = site.world.agent("i-2")
    site.world.region.instances[newcomer.arn].provider = "hosts"
    site.go(20)
    assert site.watch.hopeless() == ""
    assert site.world.service()["deployments"][0]["runningCount"] == 1


def test_a_task_that_waits_for_a_host_is_hopeless_once_no_more_may_come() -> None:
    """With managed scaling ECS says nothing of a task without a place, and lets it wait for a quarter of an hour."""
    site = crowded()
    scaling = {"managedScaling": {"status": "ENABLED"}}
    site.world.call("UpdateCapacityProvider", name="hosts", autoScalingGroupProvider=scaling)
    site.go(90)
    assert [task.status for task in site.world.tasks()] == ["RUNNING", "PROVISIONING"]
    assert site.watch.hopeless() == "", "of two hosts that there may be one is there"
    newcomer = site.world.agent("i-2", memory=100)
    site.world.region.instances[newcomer.arn].provider = "hosts"
    site.go(60)
    assert "a task takes 640 MiB; i-2 registered 100 MiB" in site.watch.hopeless()
    assert "i-1 registered 660 MiB for tasks and has 20 MiB left" in site.watch.hopeless()


@pytest.mark.parametrize("status", ["DRAINING", "disconnected"])
def test_a_host_that_may_come_back_is_waited_for(status: str) -> None:
    site = crowded()
    away = site.world.agent("i-2", memory=100)  # it is too small as well: only that it may change is a hope
    instance = site.world.region.instances[away.arn]
    instance.provider = "hosts"
    if status == "DRAINING":
        instance.status = status
    else:
        instance.channel = None
    site.clients.desired_hosts = 2
    site.go(60)
    assert site.watch.hopeless() == ""


@pytest.mark.parametrize(
    ("minimum", "desired", "old", "new", "pending", "hopeless"),
    [
        (100, 1, 1, 0, 0, True),
        (0, 1, 1, 0, 0, False),  # ECS may stop the only old one first
        (50, 2, 2, 0, 0, False),
        (100, 2, 2, 0, 0, True),
        (100, 2, 2, 0, 1, False),  # one of the new is on its way
        (100, 2, 2, 1, 0, False),  # one of the new runs: when it is healthy an old one goes
    ],
)
def test_an_old_task_that_may_be_stopped_makes_room(
    minimum: int, desired: int, old: int, new: int, pending: int, hopeless: bool
) -> None:
    site = crowded()
    site.world.tick(4)
    service = site.world.service()
    service |= {"desiredCount": desired, "deploymentConfiguration": {"minimumHealthyPercent": minimum}}
    primary, former = service["deployments"]
    primary |= {"desiredCount": desired, "runningCount": new, "pendingCount": pending}
    former["runningCount"] = old
    placement = ecs_placement.Placement(site.clients, "demo", lambda: site.world.now)
    placement.look(service)
    site.world.now += 2 * ecs_placement.LASTING_SECONDS
    assert bool(placement.hopeless()) is hopeless


def test_a_one_off_task_ends_and_makes_room() -> None:
    site = Site(memory=1000)
    site.world.create(site.world.define(memory=400))
    site.world.tick(20)
    job = site.world.define("job:1", family="job", memory=300)
    site.world.call("RunTask", cluster="demo", taskDefinition=job, launchType="EC2")
    site.world.tick()
    site.world.update(taskDefinition=site.world.define("web:2", memory=400))
    site.go(90)
    assert "unable to place" in site.screen
    assert site.watch.hopeless() == ""
    (running,) = [task for task in site.world.tasks() if task.definition["family"] == "job"]
    site.agent.end(running.arn, 0)
    site.go(30)
    assert site.world.service()["deployments"][0]["runningCount"] == 1


def test_what_no_host_can_do_is_named(site: Site) -> None:
    live(site)
    gelf = {"logDriver": "gelf"}
    site.world.update(taskDefinition=site.world.define("web:2", logConfiguration=gelf))
    site.go(60)
    hopeless = site.watch.hopeless()
    assert "i-1 lacks com.amazonaws.ecs.capability.logging-driver.gelf" in hopeless
    assert "site_hosts" not in hopeless


def test_an_attribute_that_no_host_has_is_named() -> None:
    needs = ecs_placement.Needs(10, 0, frozenset({"plugin.rexray"}))
    instance = {"ec2InstanceId": "i-1", "containerInstanceArn": "arn/1", "attributes": [{"name": "other"}]}
    assert ecs_placement.obstacle(instance, needs) == "i-1 lacks plugin.rexray"
    instance["attributes"] = [{"name": "plugin.rexray"}]
    resources = [{"name": "MEMORY", "integerValue": 10}, {"name": "CPU", "integerValue": 0}]
    instance |= {"registeredResources": resources, "remainingResources": resources}
    assert ecs_placement.obstacle(instance, needs) == ""


@pytest.mark.parametrize(
    ("definition", "memory"),
    [
        ({"containerDefinitions": [{"memory": 256}, {"memory": 64}]}, 320),
        ({"containerDefinitions": [{"memory": 256, "memoryReservation": 128}, {"memory": 64}]}, 192),
        ({"memory": "512", "containerDefinitions": [{"memory": 256}]}, 512),
    ],
)
def test_a_task_takes_what_the_scheduler_subtracts(definition: dict[str, Any], memory: int) -> None:
    assert ecs_placement.Needs.of(definition).memory == memory

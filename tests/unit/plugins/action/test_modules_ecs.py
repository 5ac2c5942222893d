"""The plugins that wait for ECS, and the one that pushes images, against scripted answers: no wait is a real one."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.tests.clock import Clock
from plugins.action import ecr_push, ecs_cluster_empty, ecs_hosts_wait, ecs_run_task, ecs_service_wait
from plugins.plugin_utils import aws_action, host_start
from tests.unit.fake_cloudformation import error
from tests.unit.plugin_support import run_action

TASK = "arn:aws:ecs:us-east-1:123456789012:task/legacy-unit/abc"
REVISION = "arn:aws:ecs:us-east-1:123456789012:task-definition/legacy-unit:{}"


@pytest.fixture(autouse=True)
def no_real_waits(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Waits pass in no time, in every plugin."""
    clock = Clock()
    real = aws_action.Wait

    def wait(seconds: float, say: Any, name: str) -> aws_action.Wait:
        return real(seconds, say, name, clock, clock.sleep)

    for plugin in (ecs_run_task, ecs_service_wait, ecs_hosts_wait, ecs_cluster_empty):
        monkeypatch.setattr(plugin, "Wait", wait)
    return clock


class Fake:
    """A client whose operations are functions or fixed answers; an answer that is a list is given item by item."""

    def __init__(self, **answers: Any) -> None:
        self.answers, self.calls = answers, list[tuple[str, dict[str, Any]]]()

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.calls.append((operation, arguments))
            answer = self.answers.get(operation, {})
            if callable(answer):
                return answer(**arguments)
            if isinstance(answer, list):
                return answer.pop(0) if len(answer) > 1 else answer[0]
            return answer

        return call

    def get_paginator(self, operation: str) -> Any:
        """One page."""
        return SimpleNamespace(paginate=lambda **arguments: [getattr(self, operation)(**arguments)])

    def given(self, operation: str) -> list[dict[str, Any]]:
        """The arguments of the calls of an operation."""
        return [arguments for name, arguments in self.calls if name == operation]


def run(plugin: Any, clients: dict[str, Fake], check: bool = False, **arguments: Any) -> tuple[dict[str, Any], str]:
    """The result, and what was shown."""
    shown: list[str] = []
    result = run_action(
        plugin,
        arguments,
        check,
        client=lambda service, _region=None: clients[service],
        say=lambda name, text, _color=None: shown.append(f"{name}: {text}"),
    )
    return result, "\n".join(shown)


# One-off tasks


def a_task(status: str, exit_code: int | None = None, **more: Any) -> dict[str, Any]:
    container = {"name": "django"} | ({} if exit_code is None else {"exitCode": exit_code})
    return {"taskArn": TASK, "lastStatus": status, "containers": [container], **more}


def one_off(*states: dict[str, Any], **answers: Any) -> dict[str, Fake]:
    """ECS and Logs for a task that goes through `states`."""
    log = {"awslogs-group": "/legacy/unit", "awslogs-stream-prefix": "once", "awslogs-region": "us-east-1"}
    container = {"name": "django", "memory": 640, "logConfiguration": {"logDriver": "awslogs", "options": log}}
    definition = {"taskDefinitionArn": REVISION.format(3), "containerDefinitions": [container]}
    ecs = {
        "describe_task_definition": {"taskDefinition": definition},
        "list_tasks": {"taskArns": []},
        "list_container_instances": {"containerInstanceArns": ["arn"]},
        "describe_container_instances": {"containerInstances": [a_host("i-1", 20)]},
        "run_task": {"tasks": [a_task("PROVISIONING")], "failures": []},
        "describe_tasks": [{"tasks": [state]} for state in states],
    }
    events = [{"message": f"line {number}"} for number in range(40)]
    pages = [{"events": events, "nextForwardToken": "f/1"}, {"events": [], "nextForwardToken": "f/1"}]
    return {"ecs": Fake(**ecs | answers), "logs": Fake(get_log_events=pages)}


def an_instance(name: str, **more: Any) -> dict[str, Any]:
    instance = {"ec2InstanceId": name, "containerInstanceArn": f"arn/{name}", "status": "ACTIVE"}
    return {**instance, "agentConnected": True, "capacityProviderName": "hosts", **more}


def a_host(name: str, left: int, **more: Any) -> dict[str, Any]:
    """A container instance of 660 MiB, of which so many are left."""
    resources = {
        f"{word}Resources": [{"name": "MEMORY", "integerValue": amount}, {"name": "CPU", "integerValue": 1024}]
        for word, amount in (("registered", 660), ("remaining", left))
    }
    return an_instance(name, **resources, **more)


ONE_OFF: dict[str, Any] = {"cluster": "legacy-unit", "task_definition": "legacy-unit"}


def test_a_task_that_ends_with_0_is_a_success() -> None:
    clients = one_off(a_task("RUNNING"), a_task("STOPPED", 0))
    overrides = {"django": {"command": ["migrate", 1], "environment": {"SECRET": "geheim"}}}
    result, shown = run(
        ecs_run_task, clients, **ONE_OFF, overrides=overrides, started_by="migrate", capacity_provider="hosts"
    )
    assert not result.get("failed"), result
    assert result["changed"]
    assert result["exit_codes"] == {"django": 0}
    assert result["log"]["django"] == [f"line {number}" for number in range(10, 40)]
    (given,) = clients["ecs"].given("run_task")
    assert given["capacityProviderStrategy"] == [{"capacityProvider": "hosts"}]
    assert "launchType" not in given
    (override,) = given["overrides"]["containerOverrides"]
    assert override["command"] == ["migrate", "1"]
    assert override["environment"] == [{"name": "SECRET", "value": "geheim"}]
    assert "geheim" not in shown + str(result)
    assert shown.count("django: line 7") == 1
    assert clients["logs"].given("get_log_events")[0]["logStreamName"] == "once/django/abc"


@pytest.mark.parametrize(
    ("stopped", "sentence"),
    [
        (a_task("STOPPED", 1, stoppedReason="Essential container in task exited"), "django ended with exit code 1"),
        (
            a_task("STOPPED", None, stoppedReason="Task failed to start")
            | {"containers": [{"name": "django", "reason": "CannotPullImageManifestError: no such image"}]},
            "Task failed to start (django CannotPullImageManifestError: no such image)",
        ),
    ],
)
def test_another_end_is_a_failure_with_reason_and_log(stopped: dict[str, Any], sentence: str) -> None:
    result, _ = run(ecs_run_task, one_off(stopped), **ONE_OFF)
    assert result["failed"]
    assert sentence in result["msg"]
    assert "django: line 39" in result["msg"]
    assert result["task_arn"] == TASK


def test_a_container_that_is_not_essential_may_fail() -> None:
    clients = one_off(a_task("STOPPED", 0))
    definition = clients["ecs"].answers["describe_task_definition"]["taskDefinition"]
    definition["containerDefinitions"].append({"name": "helper", "essential": False})
    clients["ecs"].answers["describe_tasks"][0]["tasks"][0]["containers"].append({"name": "helper", "exitCode": 1})
    result, _ = run(ecs_run_task, clients, **ONE_OFF)
    assert not result.get("failed"), result


def test_a_job_that_is_passed_over_counts_as_run_and_does_not_run() -> None:
    clients = one_off(a_task("STOPPED", 0))
    result, _ = run(ecs_run_task, clients, **ONE_OFF, again=False, passed_over=True)
    assert (result["changed"], result["msg"]) == (False, "legacy-unit:3 is passed over.")
    assert not clients["ecs"].given("run_task")
    (recorded,) = clients["ecs"].given("tag_resource")
    clients["ecs"].answers["describe_task_definition"]["tags"] = recorded["tags"]
    result, _ = run(ecs_run_task, clients, **ONE_OFF, again=False)
    assert result["msg"].startswith("legacy-unit:3 ran well at 20")
    assert not clients["ecs"].given("run_task")


def test_a_job_that_has_ended_well_runs_again_only_when_told_to() -> None:
    clients = one_off(a_task("STOPPED", 0))
    run(ecs_run_task, clients, **ONE_OFF, again=False)
    (recorded,) = clients["ecs"].given("tag_resource")
    assert recorded["resourceArn"] == REVISION.format(3)
    clients["ecs"].answers["describe_task_definition"]["tags"] = recorded["tags"]
    result, _ = run(ecs_run_task, clients, **ONE_OFF, again=False)
    assert not result["changed"]
    assert result["msg"].startswith("legacy-unit:3 ran well at 20")
    assert len(clients["ecs"].given("run_task")) == 1
    result, _ = run(ecs_run_task, clients, **ONE_OFF)
    assert result["changed"]
    assert len(clients["ecs"].given("run_task")) == 2


@pytest.mark.parametrize(
    ("state", "overrides"), [(a_task("STOPPED", 1), {}), (a_task("STOPPED", 0), {"django": {"command": ["true"]}})]
)
def test_neither_a_failure_nor_another_command_is_recorded(state: dict[str, Any], overrides: dict[str, Any]) -> None:
    clients = one_off(state)
    run(ecs_run_task, clients, **ONE_OFF, again=False, overrides=overrides)
    assert clients["ecs"].given("run_task")
    assert not clients["ecs"].given("tag_resource")


def test_a_success_that_cannot_be_recorded_is_one_nevertheless() -> None:
    def refuse(**_: Any) -> None:
        raise error("not authorized", "TagResource", "AccessDeniedException")

    result, shown = run(ecs_run_task, one_off(a_task("STOPPED", 0), tag_resource=refuse), **ONE_OFF)
    assert not result.get("failed"), result
    assert "will run again next time, as its success cannot be recorded: TagResource: not authorized" in shown


def test_a_job_without_a_command_is_said_to_run_the_images_own() -> None:
    clients = one_off(a_task("RUNNING"))
    result, shown = run(ecs_run_task, clients, **ONE_OFF, timeout=60)
    assert "django was given no command: its image's own one runs" in shown
    assert "django was given no command, so its image's own one ran" in result["msg"]
    definition = clients["ecs"].answers["describe_task_definition"]["taskDefinition"]
    definition["containerDefinitions"][0]["command"] = ["migrate"]
    result, shown = run(ecs_run_task, clients, **ONE_OFF, timeout=60)
    assert "no command" not in shown + result["msg"]


FULL = {"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]}
NUMBERS = "a task takes 640 MiB; i-1 registered 660 MiB for tasks and has 20 MiB left"


def test_room_is_waited_for() -> None:
    started = {"tasks": [a_task("PENDING")], "failures": []}
    clients = one_off(a_task("STOPPED", 0), run_task=[FULL, FULL, started])
    result, shown = run(ecs_run_task, clients, **ONE_OFF)
    assert not result.get("failed"), result
    assert shown.count(f"no host has room for it (RESOURCE:MEMORY: {NUMBERS}); trying again") == 1
    tokens = [given["clientToken"] for given in clients["ecs"].given("run_task")]
    assert len(set(tokens)) == 3


@pytest.mark.parametrize(
    ("reason", "sentence", "tried_again"),
    [
        ("RESOURCE:MEMORY", f"RESOURCE:MEMORY, for 60 s: {NUMBERS}. Raise min of site_hosts", True),
        ("MISSING", "cannot be started: MISSING", False),
    ],
)
def test_no_room_has_a_deadline_and_other_reasons_end_at_once(reason: str, sentence: str, tried_again: bool) -> None:
    clients = one_off(run_task={"tasks": [], "failures": [{"reason": reason}]})
    result, _ = run(ecs_run_task, clients, **ONE_OFF, timeout=60)
    assert sentence in result["msg"]
    assert (len(clients["ecs"].given("run_task")) > 1) is tried_again
    assert tried_again or result["msg"].endswith("MISSING"), "nobody asked how much room there is"


@pytest.mark.parametrize(
    ("hosts", "sentence"),
    [
        (
            [a_host("i-1", 20), a_host("i-2", 639), a_host("i-3", 700, status="DRAINING")],
            "a task takes 640 MiB; i-3 is DRAINING; i-2 registered 660 MiB for tasks and has 639 MiB left; i-1 ",
        ),
        ([a_host("i-1", 660, agentConnected=False)], "a task takes 640 MiB; the agent of i-1 is away. Raise"),
        ([a_host(f"i-{number}", number) for number in range(9)], "i-8 registered 660 MiB"),
        ([a_host(f"i-{number}", number) for number in range(9)], "has 6 MiB left; 6 more hosts have less. Raise"),
        ([a_host("i-1", 20), a_host("i-2", 660, capacityProviderName="other")], f"{NUMBERS}. Raise"),
        # What comes free between the refusal and the question, or a port, is no sum to show.
        ([a_host("i-1", 640)], "RESOURCE:MEMORY, for 60 s. Raise"),
        ([], "RESOURCE:MEMORY, for 60 s. Raise"),
    ],
)
def test_the_hosts_without_room_are_named_with_what_they_have_left(hosts: list[dict[str, Any]], sentence: str) -> None:
    clients = one_off(run_task=FULL, describe_container_instances={"containerInstances": hosts})
    result, _ = run(ecs_run_task, clients, **ONE_OFF, timeout=60, capacity_provider="hosts")
    assert sentence in result["msg"]


def test_an_attribute_that_no_host_has_is_named() -> None:
    clients = one_off(run_task={"tasks": [], "failures": [{"reason": "ATTRIBUTE"}]})
    definition = clients["ecs"].answers["describe_task_definition"]["taskDefinition"]
    definition["requiresAttributes"] = [{"name": "plugin.rexray"}]
    result, _ = run(ecs_run_task, clients, **ONE_OFF)
    assert result["msg"] == "The task cannot be started: ATTRIBUTE: a task takes 640 MiB; i-1 lacks plugin.rexray"


def test_hosts_that_cannot_be_asked_do_not_end_the_wait() -> None:
    def refuse(**_: Any) -> None:
        raise error("not authorized", "ListContainerInstances", "AccessDeniedException")

    started = {"tasks": [a_task("PENDING")], "failures": []}
    clients = one_off(a_task("STOPPED", 0), run_task=[FULL, started], list_container_instances=refuse)
    result, shown = run(ecs_run_task, clients, **ONE_OFF)
    assert not result.get("failed"), result
    assert "no host has room for it (RESOURCE:MEMORY); trying again" in shown


def test_a_task_that_does_not_end_is_stopped() -> None:
    clients = one_off(a_task("RUNNING"))
    result, _ = run(ecs_run_task, clients, **ONE_OFF, timeout=60)
    assert "was still RUNNING after 60 s and has been stopped" in result["msg"]
    assert clients["ecs"].given("stop_task")[0]["task"] == TASK


def test_an_override_of_no_container_is_refused_before_anything_runs() -> None:
    clients = one_off()
    result, _ = run(ecs_run_task, clients, **ONE_OFF, overrides={"djagno": {}})
    assert "overrides names the container djagno; the task definition has django" in result["msg"]
    assert not clients["ecs"].given("run_task")


def test_a_task_that_nobody_has_made_yet_is_no_riddle() -> None:
    def none(**_: Any) -> None:
        raise error("Unable to describe task definition.", "DescribeTaskDefinition", "ClientException")

    result, _ = run(ecs_run_task, one_off(describe_task_definition=none), **ONE_OFF)
    assert "There is no task definition legacy-unit yet. Type: ansible-playbook site.yml -i " in result["msg"]

    def denied(**_: Any) -> None:
        raise error("not authorized", "DescribeTaskDefinition", "AccessDeniedException")

    result, _ = run(ecs_run_task, one_off(describe_task_definition=denied), **ONE_OFF)
    assert "not authorized" in result["msg"]


def test_check_mode_runs_nothing() -> None:
    clients = one_off()
    result, _ = run(ecs_run_task, clients, True, **ONE_OFF)
    assert result["changed"]
    assert not clients["ecs"].given("run_task")


# Services


def a_service(revision: int, state: str | None, running: int = 1, **more: Any) -> dict[str, Any]:
    primary = {
        "status": "PRIMARY",
        "taskDefinition": REVISION.format(revision),
        "runningCount": running,
        "desiredCount": 1,
        "createdAt": 1.0,
    }
    service = {
        "serviceName": "site",
        "status": "ACTIVE",
        "runningCount": running,
        "desiredCount": 1,
        "deployments": [primary | ({"rolloutState": state} if state else {}), *more.pop("old", [])],
        "events": [{"id": str(revision), "createdAt": 2.0, "message": f"(service site) revision {revision}"}],
    }
    return {"services": [service | more]}


STOPPED = a_task(
    "STOPPED", 3, stoppedReason="Task failed container health checks", group="service:site",
    taskDefinitionArn=REVISION.format(2),
)  # fmt: skip


def service_wait(*answers: dict[str, Any], **arguments: Any) -> tuple[dict[str, Any], str]:
    ecs = Fake(
        describe_services=list(answers),
        list_tasks={"taskArns": [TASK]},
        describe_tasks={"tasks": [STOPPED]},
        describe_task_definition={"taskDefinition": {"containerDefinitions": [{"name": "django"}]}},
    )
    return run(ecs_service_wait, {"ecs": ecs}, cluster="legacy-unit", service="site", **arguments)


def test_a_completed_deployment_is_a_success() -> None:
    result, shown = service_wait(
        a_service(2, "IN_PROGRESS", 0), a_service(2, "COMPLETED"), task_definition="legacy-unit:2"
    )
    assert not result.get("failed"), result
    assert result["task_definition"] == REVISION.format(2)
    assert "0 of 1 tasks running" in shown


BALANCER = {"targetGroupArn": "arn:group", "containerName": "django", "containerPort": 8000}


def proven(*answers: dict[str, Any], states: list[list[str]] | None = None) -> tuple[dict[str, Any], str]:
    """What a wait for proof says; `states` of the targets, one list a question, the last one for ever."""
    at = {"Id": "i-1", "Port": 32768}
    targets = [
        {"TargetHealthDescriptions": [{"Target": at, "TargetHealth": {"State": state}} for state in each]}
        for each in states or [[]]
    ]
    ecs = Fake(describe_services=list(answers), list_tasks={"taskArns": []}, describe_tasks={"tasks": []})
    elb = Fake(describe_target_health=targets, describe_target_groups={"TargetGroups": [{}]})
    given: dict[str, Any] = {"cluster": "legacy-unit", "service": "site", "timeout": 60}
    given |= {"task_definition": "legacy-unit:2"}
    return run(ecs_service_wait, {"ecs": ecs, "elbv2": elb}, proven=True, **given)


def test_a_proof_waits_for_the_only_deployment() -> None:
    old = {"status": "ACTIVE", "taskDefinition": REVISION.format(1)}
    result, shown = proven(a_service(2, "COMPLETED", old=[old]), a_service(2, "COMPLETED"))
    assert not result.get("failed"), result
    assert "and legacy-unit:1 still runs beside it" in shown
    result, _ = proven(a_service(2, "COMPLETED", old=[old]))
    assert (
        "site is not deployed after 60 s: 1 of 1 tasks running, and legacy-unit:1 still runs beside it" in result["msg"]
    )
    replaced = old | {"status": "INACTIVE"}
    assert not proven(a_service(2, "COMPLETED", old=[replaced]))[0].get("failed")


def test_a_proof_counts_the_tasks() -> None:
    result, _ = proven(a_service(2, "COMPLETED", runningCount=2))
    assert "2 tasks run, 1 are desired" in result["msg"]
    none = a_service(2, "COMPLETED", 0, desiredCount=0)
    none["services"][0]["deployments"][0]["desiredCount"] = 0
    assert proven(none)[0]["running"] == 0


def test_a_proof_wants_all_targets_healthy() -> None:
    balanced = a_service(2, "COMPLETED", loadBalancers=[BALANCER])
    # The events' watcher asks too.
    result, shown = proven(balanced, states=[["initial"], ["initial"], ["healthy", "draining"]])
    assert not result.get("failed"), result
    assert "0 of 1 targets healthy" in shown
    for states in ([], ["healthy", "unhealthy"], ["draining"]):
        assert "targets healthy" in proven(balanced, states=[states])[0]["msg"], states


def test_a_rollback_is_a_failure_although_the_service_is_steady() -> None:
    failed = {"status": "INACTIVE", "taskDefinition": REVISION.format(2), "rolloutStateReason": "circuit breaker"}
    result, _ = service_wait(
        a_service(2, "IN_PROGRESS", 0), a_service(1, "COMPLETED", old=[failed]), task_definition=REVISION.format(2)
    )
    assert result["failed"]
    assert "site was rolled back: it runs legacy-unit:1, not legacy-unit:2 (circuit breaker)" in result["msg"]
    assert "Task failed container health checks (django ended with exit code 3)" in result["msg"]


def test_a_failed_deployment_and_a_slow_one_give_events_and_reasons() -> None:
    result, _ = service_wait(a_service(2, "FAILED", 0))
    assert "The deployment of site failed" in result["msg"]
    slow, _ = service_wait(a_service(2, "IN_PROGRESS", 0), timeout=60)
    assert "site is not deployed after 60 s: 0 of 1 tasks running." in slow["msg"]
    assert "\n  revision 2" in slow["msg"]


def test_what_ecs_shows_late_is_waited_for() -> None:
    """Right after the update DescribeServices may show the deployment of before, complete, or no service at all."""
    before = a_service(1, "COMPLETED")
    late = a_service(2, "COMPLETED", running=0)
    result, _ = service_wait(
        before, {"services": []}, before, late, a_service(2, "COMPLETED"), task_definition=REVISION.format(2)
    )
    assert not result.get("failed"), result
    assert result["running"] == 1


def test_a_failure_of_an_earlier_attempt_is_not_this_ones() -> None:
    failed = {"status": "ACTIVE", "taskDefinition": REVISION.format(2), "rolloutState": "FAILED"}
    result, _ = service_wait(
        a_service(1, "COMPLETED", old=[failed]),
        a_service(2, "IN_PROGRESS", 0),
        a_service(2, "COMPLETED"),
        task_definition=REVISION.format(2),
    )
    assert not result.get("failed"), result


def test_another_revision_that_stays_is_a_rollback_before_the_deadline(no_real_waits: Clock) -> None:
    result, _ = service_wait(a_service(1, "COMPLETED"), task_definition=REVISION.format(2))
    assert "site was rolled back: it runs legacy-unit:1, not legacy-unit:2." in result["msg"]
    assert ecs_service_wait.STALE_SECONDS <= no_real_waits() < 2 * ecs_service_wait.STALE_SECONDS


def two_tasks(*hosts: str, here: int = 2) -> tuple[dict[str, Any], str]:
    """A service of two tasks on these hosts, of as many as are `here`."""
    service = a_service(2, "COMPLETED", running=2)
    service["services"][0]["desiredCount"] = 2
    running = [
        {"taskArn": f"arn/task/{number}", "containerInstanceArn": f"arn/{host}"} for number, host in enumerate(hosts)
    ]
    ecs = Fake(
        describe_services=service,
        list_tasks={"taskArns": [each["taskArn"] for each in running]},
        describe_tasks={"tasks": running},
        list_container_instances={"containerInstanceArns": ["arn"]},
        describe_container_instances={"containerInstances": [an_instance(f"i-{number + 1}") for number in range(here)]},
    )
    return run(ecs_service_wait, {"ecs": ecs}, cluster="legacy-unit", service="site")


@pytest.mark.parametrize(("hosts", "here"), [(("i-1", "i-2"), 2), (("i-1", "i-1"), 1)])
def test_tasks_on_as_many_hosts_as_there_are_need_no_word(hosts: tuple[str, ...], here: int) -> None:
    result, _ = two_tasks(*hosts, here=here)
    assert "warnings" not in result


def test_two_tasks_on_one_of_two_hosts_are_warned_of_and_what_to_type_is_said() -> None:
    result, _ = two_tasks("i-2", "i-2")
    (warning,) = result["warnings"]
    assert "both tasks of site are on host i-2, none on i-1" in warning
    assert "aws ecs stop-task --cluster legacy-unit --task 0" in warning


def test_no_service_says_what_to_type() -> None:
    result, _ = service_wait({"services": []})
    assert "There is no service site in the cluster legacy-unit. Type: ansible-playbook site.yml -i " in result["msg"]


# Hosts


def hosts_wait(*answers: list[dict[str, Any]], **more: Any) -> tuple[dict[str, Any], str]:
    ecs = Fake(
        list_container_instances={"containerInstanceArns": ["arn"]},
        describe_container_instances=[{"containerInstances": each} for each in answers],
    )
    autoscaling = Fake(
        describe_auto_scaling_groups={"AutoScalingGroups": [{"Instances": more.pop("launched", [])}]},
        describe_scaling_activities={"Activities": more.pop("activities", [])},
    )
    ec2 = Fake(get_console_output=more.pop("console", {}))
    clients = {"ecs": ecs, "autoscaling": autoscaling, "ec2": ec2}
    return run(ecs_hosts_wait, clients, cluster="legacy-unit", count=1, auto_scaling_group="asg", **more)


@pytest.mark.parametrize(
    ("lacking", "sentence"),
    [
        ({"agentConnected": False}, "i-1 its agent is not connected"),
        ({"status": "DRAINING"}, "i-1 is DRAINING"),
        ({"capacityProviderName": None}, "i-1 belongs to no capacity provider"),
        ({"capacityProviderName": "other"}, "i-1 belongs to the capacity provider other, not hosts"),
    ],
)
def test_a_host_counts_only_when_it_is_usable(lacking: dict[str, Any], sentence: str) -> None:
    result, _ = hosts_wait([an_instance("i-1", **lacking)], timeout=30, capacity_provider="hosts")
    assert sentence in result["msg"]
    ready, shown = hosts_wait([an_instance("i-1", **lacking)], [an_instance("i-1")], capacity_provider="hosts")
    assert [host["instance_id"] for host in ready["hosts"]] == ["i-1"]
    assert sentence in shown


def with_memory(name: str, memory: int) -> dict[str, Any]:
    return an_instance(name, registeredResources=[{"name": "MEMORY", "integerValue": memory}])


@pytest.mark.parametrize("memory", [640, 660])
def test_hosts_that_registered_room_for_a_task_beside_the_running_one_are_ready(memory: int) -> None:
    result, _ = hosts_wait([with_memory("i-1", memory)], tasks=[320, 320])
    assert not result.get("failed"), result


def test_hosts_that_registered_too_little_are_refused_with_the_numbers() -> None:
    result, _ = hosts_wait([with_memory("i-1", 639), with_memory("i-2", 300)], tasks=[320, 320])
    assert "no room for all tasks that may stand at the same time, 640 MiB in 2 tasks" in result["msg"]
    assert "i-2 registered 300 MiB, i-1 registered 639 MiB; there is no place for one of 320 MiB." in result["msg"]
    assert "more hosts (site_hosts: {min: …})" in result["msg"]
    unasked, _ = hosts_wait([with_memory("i-1", 639)])
    assert not unasked.get("failed"), unasked


@pytest.mark.parametrize(("memory", "missing"), [(500, ""), (499, "no place for one of 100 MiB")])
def test_tasks_of_several_services_are_placed_each_on_one_host(memory: int, missing: str) -> None:
    """The sum of all hosts is no measure: a task is on one of them."""
    result, _ = hosts_wait([with_memory("i-1", memory), with_memory("i-2", 300)], tasks=[400, 300, 100])
    assert missing in result.get("msg", "")
    assert bool(result.get("failed")) == bool(missing)


def test_failed_scaling_activities_are_the_reason() -> None:
    now = datetime.datetime.now(datetime.UTC)
    activities = [
        {
            "StatusCode": "Failed",
            "StartTime": now,
            "StatusMessage": "Launching a new EC2 instance. Status: No t2.micro",
        },
        {"StatusCode": "Failed", "StartTime": now - datetime.timedelta(days=1), "StatusMessage": "long ago"},
    ]
    result, shown = hosts_wait([], activities=activities, timeout=30)
    assert (
        "0 of 1 hosts ready: none is launched yet.\n  asg: Launching a new EC2 instance. Status: No t2.micro"
        in result["msg"]
    )
    assert "long ago" not in result["msg"]
    assert shown.count("No t2.micro") == 1


def test_an_instance_that_has_not_registered_is_named() -> None:
    launched = [{"InstanceId": "i-2", "LifecycleState": "InService"}]
    result, _ = hosts_wait([], launched=launched, timeout=30)
    assert "i-2 is InService, not registered yet" in result["msg"]
    assert "aws ec2 get-console-output --output text --instance-id i-2" in result["msg"]


REPORT = """\
[    4.1] systemd[1]: Started ecs-boot-report.service
[    9.2] ecs-boot-report[77]: joined legacy-unit as arn/before/the/reboot\r
[    9.1] ecs-boot-report[81]: BEGIN report: not in cluster legacy-unit after 5 s\r
[    9.1] kernel: something between
[    9.1] ecs-boot-report[81]: failed: docker.service\r
[    9.2] ecs-boot-report[81]:   invalid character in /etc/docker/daemon.json\r
"""
END = "[    9.3] ecs-boot-report[81]: END report\r\n"


@pytest.mark.parametrize(
    ("console", "lines"),
    [
        ("", []),
        (REPORT, []),  # it is still speaking
        (
            REPORT + END,
            [
                "not in cluster legacy-unit after 5 s",
                "failed: docker.service",
                "  invalid character in /etc/docker/daemon.json",
            ],
        ),
        (REPORT + END + "[ 30.0] ecs-boot-report[90]: joined legacy-unit as arn", []),
    ],
)
def test_a_boot_report_is_what_the_host_said_last(console: str, lines: list[str]) -> None:
    assert host_start.boot_report(console) == lines


def test_a_host_that_says_why_it_did_not_join_is_heard_at_once_and_in_the_end() -> None:
    asked = []

    def console(**arguments: Any) -> dict[str, Any]:
        asked.append(arguments)
        if arguments.get("Latest"):  # a t2 has no latest
            raise error("not supported", code="UnsupportedOperation")
        return {"Output": REPORT + END}

    launched = [{"InstanceId": "i-2", "LifecycleState": "InService"}]
    result, shown = hosts_wait([], launched=launched, timeout=120, console=console)
    sentence = "host i-2 did not join: not in cluster legacy-unit after 5 s\n    failed: docker.service"
    assert sentence in result["msg"]
    assert shown.count("did not join") == 1
    assert [arguments for arguments in asked if "Latest" in arguments] == asked[:1]
    assert len(asked) < 120 / host_start.CONSOLE_SECONDS + 3


def test_a_console_that_may_not_be_read_does_not_end_the_wait() -> None:
    def console(**_: Any) -> None:
        raise error("You are not authorized", code="UnauthorizedOperation")

    launched = [{"InstanceId": "i-2", "LifecycleState": "InService"}]
    result, _ = hosts_wait([], launched=launched, timeout=30, console=console)
    assert "No console has a report of the host" in result["msg"]
    assert "You are not authorized" in result["msg"]
    ready, _ = hosts_wait([], [an_instance("i-2")], launched=launched, console=console)
    assert len(ready["hosts"]) == 1


def test_check_mode_copes_with_what_is_yet_to_be_made() -> None:
    def no_cluster(**_: Any) -> None:
        raise error("Cluster not found.", code="ClusterNotFoundException")

    clients = {"ecs": Fake(describe_services=no_cluster, list_container_instances=no_cluster)}
    hosts, _ = run(ecs_hosts_wait, clients, True, cluster="legacy-unit", count=1)
    assert hosts == {"changed": False, "hosts": []}
    service, _ = run(ecs_service_wait, clients, True, cluster="legacy-unit", service="site")
    assert service == {"changed": False}


# Emptying


class Cluster:
    """A cluster with a task and a host that really go when told to, in the right order only."""

    def __init__(self) -> None:
        self.tasks, self.hosts, self.registered = [TASK], ["i-1"], ["i-1"]
        self.held = True
        self.desired, self.log = 1, list[str]()
        self.ecs = Fake(
            describe_clusters=lambda **_: {"clusters": [self._cluster()]},
            list_tasks=lambda **_: {"taskArns": list(self.tasks)},
            list_services={"serviceArns": ["arn/site"]},
            describe_services=lambda **_: {"services": [{"status": "ACTIVE", "desiredCount": self.desired}]},
            update_service=self._update_service,
            stop_task=self._stop,
            list_container_instances=lambda **_: {"containerInstanceArns": list(self.registered)},
            describe_container_instances=lambda **_: {
                "containerInstances": [an_instance(name) for name in self.registered]
            },
            deregister_container_instance=self._deregister,
        )
        self.autoscaling = Fake(
            describe_auto_scaling_groups=lambda **_: {"AutoScalingGroups": [self._group()]},
            describe_lifecycle_hooks={"LifecycleHooks": [{"LifecycleHookName": "draining"}]},
            update_auto_scaling_group=self._scale,
            complete_lifecycle_action=self._complete,
            set_instance_protection=lambda **_: self.log.append("unprotect"),
        )

    def _cluster(self) -> dict[str, Any]:
        return {"status": "ACTIVE", "runningTasksCount": len(self.tasks), "pendingTasksCount": 0}

    def _group(self) -> dict[str, Any]:
        scaled = "scale" in self.log
        state = "Terminating:Wait" if scaled else "InService"
        instances = [
            {"InstanceId": name, "LifecycleState": state, "ProtectedFromScaleIn": not scaled} for name in self.hosts
        ]
        size = 0 if scaled else 1
        return {"AutoScalingGroupName": "asg", "MinSize": size, "DesiredCapacity": size, "Instances": instances}

    def _update_service(self, **given: Any) -> None:
        self.desired = given["desiredCount"]
        self.log.append("service")

    def _stop(self, **_: Any) -> None:
        assert self.desired == 0, "a service would start another one"
        self.tasks.clear()
        self.log.append("stop")

    def _scale(self, **given: Any) -> None:
        assert not self.tasks, "a host with a task would be drained for ever"
        assert (given["MinSize"], given["DesiredCapacity"]) == (0, 0)
        self.log.append("scale")

    def _complete(self, **_: Any) -> None:
        self.hosts.clear()
        self.log.append("let go")

    def _deregister(self, **_: Any) -> None:
        self.registered.clear()
        self.log.append("deregister")


EMPTY: dict[str, Any] = {"cluster": "legacy-unit", "auto_scaling_group": "asg"}


def test_a_cluster_is_emptied_in_order_and_once() -> None:
    cluster = Cluster()
    clients = {"ecs": cluster.ecs, "autoscaling": cluster.autoscaling}
    planned, _ = run(ecs_cluster_empty, clients, True, **EMPTY)
    assert planned["changed"]
    assert not cluster.log
    result, _ = run(ecs_cluster_empty, clients, **EMPTY)
    assert not result.get("failed"), result
    assert cluster.log == ["service", "stop", "unprotect", "scale", "let go", "deregister"]
    assert result["tasks"] == [TASK]
    assert result["hosts"] == ["i-1"]
    again, _ = run(ecs_cluster_empty, clients, **EMPTY)
    assert not again["changed"]


def test_tasks_that_do_not_end_have_a_deadline() -> None:
    cluster = Cluster()
    cluster.ecs.answers["stop_task"] = {}
    result, _ = run(ecs_cluster_empty, {"ecs": cluster.ecs, "autoscaling": cluster.autoscaling}, **EMPTY, timeout=60)
    assert "1 tasks of legacy-unit have not ended after 60 s" in result["msg"]
    assert "scale" not in cluster.log


def test_no_cluster_and_no_group_are_empty() -> None:
    clients = {
        "ecs": Fake(describe_clusters={"clusters": []}),
        "autoscaling": Fake(describe_auto_scaling_groups={"AutoScalingGroups": []}),
    }
    result, _ = run(ecs_cluster_empty, clients, **EMPTY)
    assert result == {"changed": False, "tasks": [], "hosts": []}


# Images


class Engine:
    """A Docker engine with one image."""

    def __init__(self, platform: str = "amd64", lines: list[dict[str, Any]] | None = None) -> None:
        self.pushed: list[tuple[Any, ...]] = []
        self._platform = platform
        self._lines = lines or [{"status": "Pushed", "id": "1"}, {"aux": {"Digest": "sha256:new"}}]
        self.images = self

    def get(self, name: str) -> Any:
        from docker.errors import ImageNotFound

        if name != "legacy/django:1":
            raise ImageNotFound(name)
        attributes = {"Os": "linux", "Architecture": self._platform}
        return SimpleNamespace(attrs=attributes, tag=lambda *name: self.pushed.append(("tag", *name)))

    def push(self, repository: str, tag: str, **options: Any) -> list[dict[str, Any]]:
        self.pushed.append(("push", repository, tag, options["auth_config"]))
        return self._lines

    def remove(self, name: str, **_: Any) -> None:
        self.pushed.append(("remove", name))


def images(there: bool) -> Fake:
    missing = ClientError({"Error": {"Code": "ImageNotFoundException"}}, "DescribeImages")

    def describe_images(**_: Any) -> dict[str, Any]:
        if not there:
            raise missing
        return {"imageDetails": [{"imageDigest": "sha256:old"}]}

    def describe_repositories(repositoryNames: list[str]) -> dict[str, Any]:
        if repositoryNames == ["none"]:
            raise error("no such repository", code="RepositoryNotFoundException")
        return {"repositories": [{"repositoryUri": f"127.0.0.1:4568/{repositoryNames[0]}"}]}

    token = base64.b64encode(b"AWS:geheim").decode()
    return Fake(
        describe_images=describe_images,
        describe_repositories=describe_repositories,
        get_authorization_token={"authorizationData": [{"authorizationToken": token}]},
    )


def push(ecr: Fake, engine: Engine, *wanted: dict[str, str], check: bool = False) -> tuple[dict[str, Any], str]:
    class Plugin:
        class ActionModule(ecr_push.ActionModule):
            @staticmethod
            def _docker() -> Any:
                return engine

    return run(Plugin, {"ecr": ecr}, check, images=list(wanted))


DJANGO = {"image": "legacy/django:1", "repository": "legacy/django", "tag": "1", "build": "make images"}


def test_an_image_is_pushed_once_and_the_password_is_nowhere() -> None:
    engine = Engine()
    result, shown = push(images(there=False), engine, DJANGO)
    assert not result.get("failed"), result
    assert result["changed"]
    assert result["images"][0]["digest"] == "sha256:new"
    assert result["images"][0]["pinned"] == "127.0.0.1:4568/legacy/django:1@sha256:new"
    repository = "127.0.0.1:4568/legacy/django"
    credentials = {"username": "AWS", "password": "geheim"}
    assert engine.pushed == [
        ("tag", repository, "1"),
        ("push", repository, "1", credentials),
        ("remove", f"{repository}:1"),
    ]
    assert "geheim" not in shown + str(result)


def test_an_image_that_is_there_is_not_pushed_and_needs_no_engine() -> None:
    class NoEngine(Engine):
        def get(self, name: str) -> Any:
            raise AssertionError(name)

    result, _ = push(images(there=True), NoEngine(), DJANGO)
    assert not result["changed"]
    assert result["images"][0] | {"pushed": False, "digest": "sha256:old"} == result["images"][0]
    assert result["images"][0]["pinned"] == "127.0.0.1:4568/legacy/django:1@sha256:old"


def test_a_push_whose_digest_nobody_knows_is_no_success() -> None:
    result, _ = push(images(there=False), Engine(lines=[{"status": "Pushed"}]), DJANGO)
    assert "nor the registry says under which digest. Type" in result["msg"]
    told, _ = push(images(there=False), Engine(), DJANGO)
    assert not told.get("failed")


def test_everything_that_hinders_is_said_before_anything_is_pushed() -> None:
    engine = Engine()
    missing = {**DJANGO, "image": "legacy/nginx:1"}
    nowhere = {**DJANGO, "repository": "none"}
    result, _ = push(images(there=False), engine, DJANGO, missing, nowhere)
    assert result["failed"]
    assert "The image legacy/nginx:1 is not built. Type: make images" in result["msg"]
    assert (
        "There is no ECR repository none. The layer image makes it. Type: ansible-playbook site.yml -i "
        in result["msg"]
    )
    assert not engine.pushed
    foreign, _ = push(images(there=False), Engine("arm64"), DJANGO)
    assert "is built for linux/arm64. Build it with --platform linux/amd64." in foreign["msg"]


def test_a_failed_push_gives_the_registry_s_reason_and_leaves_no_name() -> None:
    engine = Engine(lines=[{"error": "denied: not authorized"}])
    result, _ = push(images(there=False), engine, DJANGO)
    assert "cannot be pushed to 127.0.0.1:4568/legacy/django:1: denied: not authorized" in result["msg"]
    assert engine.pushed[-1] == ("remove", "127.0.0.1:4568/legacy/django:1")


def test_check_mode_needs_no_built_image_and_no_repository() -> None:
    engine = Engine()
    result, _ = push(images(there=False), engine, {**DJANGO, "repository": "none", "image": "x"}, check=True)
    assert result["changed"]
    assert not engine.pushed

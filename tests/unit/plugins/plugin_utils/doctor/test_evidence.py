"""Which lines are looked at: those of what is wrong now, and none of what is past or was meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from plugins.plugin_utils.doctor import evidence
from plugins.plugin_utils.doctor.signature import Evidence
from tests.unit.plugins.plugin_utils.status.status_support import (
    BALANCED,
    STACKS,
    Account,
    a_service,
    a_stack,
    a_task,
    status,
)

HOST = "i-0aaaaaaaaaaaaaaa1"


def texts(lines: Iterable[Evidence], kind: str, about: str = "service.web") -> list[str]:
    return [each.text for each in lines if (each.kind, each.about) == (kind, about)]


def ended(*tasks: dict[str, Any], running: int = 1) -> list[Evidence]:
    """The lines of a site whose service `web` has these stopped tasks."""
    account = Account(
        list_tasks=lambda serviceName="", **_: {
            "taskArns": [one["taskArn"] for one in tasks] if serviceName == "web-1" else []
        },
        describe_tasks={"tasks": list(tasks)},
        get_log_events={
            "events": [{"message": "OSError: [Errno 28] No space left on device"}],
            "nextBackwardToken": "",
        },
        describe_services=lambda services, **_: {
            "services": [a_service(each, running=running if each == "web" else 1) for each in services]
        },
    )
    return list(evidence.of_status(status(account)))


def test_a_task_that_ended_by_itself_is_looked_at_with_its_log() -> None:
    lines = ended(a_task(code=137))
    assert texts(lines, "stopped task") == ["Essential container in task exited (app ended with exit code 137)"]
    assert texts(lines, "log") == ["OSError: [Errno 28] No space left on device"]


def test_one_that_was_told_to_end_is_not() -> None:
    assert (
        texts(ended(a_task(code=137, stopCode="ServiceSchedulerInitiated", stoppedReason="Scaling activity")), "log")
        == []
    )
    failed = a_task(code=137, stopCode="ServiceSchedulerInitiated", stoppedReason="Task failed ELB health checks in x")
    assert texts(ended(failed), "stopped task")[0].startswith("Task failed ELB health checks in x")


@pytest.mark.parametrize(("running", "number"), [(1, 0), (0, 1)])
def test_one_of_an_older_revision_is_past_once_the_service_is_in_order(running: int, number: int) -> None:
    older = a_task(taskDefinitionArn="arn:aws:ecs:us-east-1:123456789012:task-definition/shop-prod-service-web:2")
    assert len(texts(ended(older, running=running), "stopped task")) == number


def test_the_reasons_of_targets_deployments_and_stacks_are_looked_at() -> None:
    service = a_service("web", running=0, loadBalancers=BALANCED)
    service["deployments"][0] |= {"rolloutState": "FAILED", "rolloutStateReason": "ECS deployment circuit breaker: x"}
    health = {"State": "unhealthy", "Description": "Health checks failed with these codes: [400]"}
    broken = a_stack("job.report", "UPDATE_ROLLBACK_FAILED", StackStatusReason="no")
    account = Account(
        describe_services=lambda services, **_: {"services": [service] if "web" in services else []},
        describe_target_health={
            "TargetHealthDescriptions": [{"Target": {"Id": HOST, "Port": 32768}, "TargetHealth": health}]
        },
        describe_stacks={"Stacks": [*(each for each in STACKS if each["StackName"] != broken["StackName"]), broken]},
    )
    lines = list(evidence.of_status(status(account)))
    assert texts(lines, "deployment") == ["ECS deployment circuit breaker: x"]
    assert texts(lines, "target") == ["GET /healthz: Health checks failed with these codes: [400]"]
    assert texts(lines, "stack event", "job.report") == ["UPDATE_ROLLBACK_FAILED: no"]


def test_a_site_in_order_has_no_line() -> None:
    assert list(evidence.of_status(status(Account()))) == []


def test_a_right_that_is_missing_is_named() -> None:
    account = Account()
    account.refused.add("describe_db_instances")
    (line,) = evidence.of_status(status(account))
    assert line.kind == "right"
    assert line.text.endswith("(the right rds:DescribeDBInstances is missing)")


def test_what_verify_found_wrong_is_looked_at_and_of_the_rest_what_it_may_not_ask() -> None:
    def finding(state: str, reason: str) -> dict[str, str]:
        return {"check": "image", "subject": "service.web/app", "what": "is pulled", "state": state, "reason": reason}

    found = [finding("OK", ""), finding("WRONG", "no"), finding("NOT ASKED", "x is not authorized to perform: y:Z")]
    assert [(each.kind, each.text) for each in evidence.of_findings([*found, finding("NOT ASKED", "later")])] == [
        ("verify", "is pulled: no"),
        ("right", "x is not authorized to perform: y:Z"),
    ]


SAID = """== cloud-init
status: error
== disk
 97% /
== docker
timeout: failed to run command 'docker': No such file or directory

== agent
old
"""


def test_a_host_is_heard_in_sections_and_what_it_lacks_is_none() -> None:
    lines = list(evidence.of_host(HOST, {"stdout": SAID}, takes_tasks=False))
    assert [(each.place, each.text) for each in lines] == [
        ("cloud-init", "status: error"),
        ("disk", " 97% /"),
        ("agent", "old"),
    ]
    assert {each.about for each in lines} == {f"host {HOST}"}


def test_of_a_host_that_takes_tasks_what_kept_it_from_joining_is_past() -> None:
    assert [each.text for each in evidence.of_host(HOST, {"stdout": SAID}, takes_tasks=True)] == [" 97% /"]


def test_a_host_that_ssh_does_not_reach_has_what_ssh_says() -> None:
    answer = {
        "unreachable": True,
        "msg": "Failed to connect to the host via ssh:\n connect to host x port 22: Connection refused",
    }
    (line,) = evidence.of_host(HOST, answer, takes_tasks=False)
    assert (line.kind, line.text.split(": ", 1)[1]) == ("ssh", "connect to host x port 22: Connection refused")

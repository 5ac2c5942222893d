"""A service is started on what was restored and asked through a host: a real server, and a real way there."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plugins.action import service_drill
from tests.unit.plugin_support import heard
from tests.unit.postgres_support import reach_by_ssh

HOST = {"name": "i-0a", "address": "10.0.0.5", "user": "ec2-user"}
CLUSTER, ARN = "shop-prod", "arn:aws:ecs:us-east-1:123456789012:task/shop-prod/0a1b"
DEFINITION = {
    "family": "shop-prod-service-web",
    "containerDefinitions": [{"name": "web", "portMappings": [{"containerPort": 8000, "hostPort": 0}]}],
}


class Site:
    """What answers in the task."""

    def __init__(self) -> None:
        self.statuses: dict[str, list[int]] = {}
        self.asked = list[tuple[str, str, str]]()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.path, self.headers["Host"], self.headers["X-Forwarded-Proto"]))
                left = site.statuses.get(self.path, [200])
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Ecs:
    """As much of ECS as is asked."""

    def __init__(self, port: int) -> None:
        self.calls = list[tuple[str, dict[str, Any]]]()
        self.states, self.port = ["PENDING", "RUNNING"], port
        self.failures = list[dict[str, str]]()
        self.running, self.families, self.no_cluster = [ARN], [f"{CLUSTER}-drill-web"], False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def called(**given: Any) -> Any:
            self.calls.append((name, given))
            return getattr(self, f"_{name}", lambda **_: {})(**given)

        return called

    def given(self, name: str) -> list[dict[str, Any]]:
        return [given for called, given in self.calls if called == name]

    def _describe_task_definition(self, **_: Any) -> Any:
        return {"taskDefinition": DEFINITION}

    def _register_task_definition(self, **_: Any) -> Any:
        return {"taskDefinition": {"taskDefinitionArn": "arn:drill:1"}}

    def _run_task(self, **_: Any) -> Any:
        return {"tasks": [], "failures": self.failures} if self.failures else {"tasks": [{"taskArn": ARN}]}

    def _describe_tasks(self, **_: Any) -> Any:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        bound = [{"containerPort": 8000, "hostPort": self.port}] if state == "RUNNING" else []
        task = {
            "taskArn": ARN, "lastStatus": state, "containerInstanceArn": "arn:instance", "stoppedReason": "it ended",
            "containers": [{"name": "web", "networkBindings": bound, "exitCode": 3}],
        }  # fmt: skip
        return {"tasks": [task]}

    def _describe_container_instances(self, **_: Any) -> Any:
        return {"containerInstances": [{"ec2InstanceId": "i-0a"}]}

    def get_paginator(self, name: str) -> Any:
        if name == "list_tasks" and self.no_cluster:
            raise ClientError({"Error": {"Code": "ClusterNotFoundException"}}, "ListTasks")
        found = {
            "list_tasks": {"taskArns": self.running},
            "list_task_definition_families": {"families": self.families},
            "list_task_definitions": {"taskDefinitionArns": [f"{each}:1" for each in self.families]},
        }[name]

        class Pages:
            @staticmethod
            def paginate(**_: Any) -> Any:
                return [found]

        return Pages


class Estate:
    def __init__(self) -> None:
        self.site = Site()
        self.ecs = Ecs(self.site.server.server_port)

    def go(self, check: bool = False, **given: Any) -> tuple[dict[str, Any], str]:
        arguments = {
            "cluster": CLUSTER, "service": "web", "task_definition": "arn:task-definition/shop-prod-service-web:7",
            "container": "web", "port": 8000, "path": "/healthz", "name": "shop.test", "hosts": [HOST],
            "region": "us-east-1", "timeout": 3, **given,
        }  # fmt: skip
        return heard(service_drill, arguments, check, client=lambda *_: self.ecs)


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    reach_by_ssh(tmp_path, monkeypatch)
    made = Estate()
    yield made
    made.site.server.shutdown()


def test_it_is_asked_as_the_load_balancer_would_and_stopped(estate: Estate) -> None:
    estate.site.statuses = {"/healthz": [502, 200], "/": [302]}
    result, shown = estate.go()
    assert result == {"changed": True, "answers": {"/healthz": 200, "/": 302}}, result
    assert "answers on what was restored: /healthz with 200, / with 302" in shown
    assert set(estate.site.asked) == {("/healthz", "shop.test", "https"), ("/", "shop.test", "https")}
    (registered,) = estate.ecs.given("register_task_definition")
    assert registered["family"] == f"{CLUSTER}-drill-web"
    (run,) = estate.ecs.given("run_task")
    assert (run["startedBy"], run["taskDefinition"], run["count"]) == ("drill", "arn:drill:1", 1)
    assert [each["task"] for each in estate.ecs.given("stop_task")] == [ARN]


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        ({"/": [500]}, "/ is answered with status 500 after"),
        ({"/healthz": [302]}, "/healthz is answered with status 302"),
    ],
)
def test_a_site_that_does_not_work_on_it_fails_and_is_stopped(
    estate: Estate, statuses: dict[str, list[int]], said: str
) -> None:
    estate.site.statuses = statuses
    result, _ = estate.go()
    assert f"The service web does not work on what was restored: {said}" in result["msg"]
    assert "-e service=web, in the streams drill/" in result["msg"]
    assert len(estate.ecs.given("stop_task")) == 1


def test_a_task_that_ends_is_told_with_its_reason(estate: Estate) -> None:
    estate.ecs.states = ["PENDING", "STOPPED"]
    result, _ = estate.go()
    assert "The service web does not run on what was restored: task 0a1b: it ended" in result["msg"]


def test_one_without_room_is_told_and_how_to_do_without(estate: Estate) -> None:
    estate.ecs.failures = [{"reason": "RESOURCE:MEMORY"}]
    result, _ = estate.go(timeout=0)
    assert "could not be started on what was restored: RESOURCE:MEMORY, for 0 s" in result["msg"]
    assert "-e answers=false" in result["msg"]
    estate.ecs.failures, estate.ecs.states = [], ["PENDING"]
    assert "it is PENDING after 0 s" in estate.go(timeout=0)[0]["msg"]


def test_a_container_or_a_host_that_is_not_there_is_told(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        "of the backup has no container nginx, to which the routes of web lead now"
        in (estate.go(container="nginx")[0]["msg"])
    )
    assert estate.ecs.given("run_task") == []
    assert "The task runs on i-0a, which was not there" in estate.go(hosts=[HOST | {"name": "i-0b"}])[0]["msg"]
    monkeypatch.setenv("REFUSED", "1")
    assert "The host i-0a does not lead to the task: ssh: connect to host 10.0.0.5" in estate.go()[0]["msg"]
    assert len(estate.ecs.given("stop_task")) == 2


def test_in_check_mode_nothing_is_started(estate: Estate) -> None:
    result, shown = estate.go(check=True)
    assert (result["changed"], estate.ecs.given("register_task_definition")) == (True, [])
    assert "shop-prod-service-web:7 would be started on it, and asked" in shown


def test_what_was_started_is_stopped_and_its_definitions_go(estate: Estate) -> None:
    estate.ecs.states = ["RUNNING", "STOPPED"]
    assert estate.go(state="absent", check=True)[0]["changed"]
    assert estate.ecs.given("stop_task") == []
    assert estate.go(state="absent")[0]["changed"]
    assert [each["task"] for each in estate.ecs.given("stop_task")] == [ARN]
    assert [each["taskDefinition"] for each in estate.ecs.given("deregister_task_definition")] == [
        f"{CLUSTER}-drill-web:1"
    ]
    estate.ecs.running, estate.ecs.families = [], []
    assert not estate.go(state="absent")[0]["changed"]
    estate.ecs.no_cluster = True
    assert not estate.go(state="absent")[0]["changed"]


def test_one_that_does_not_end_is_told(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_drill, "STOP_SECONDS", 0.2)
    estate.ecs.states = ["RUNNING"]
    assert "The tasks of the drill do not end: 0a1b" in estate.go(state="absent")[0]["msg"]

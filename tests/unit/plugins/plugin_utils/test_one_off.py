"""What runs for a command beside a service: the one container, and what it needs."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from local_aws.ecs import task_definitions
from local_aws.ecs.errors import EcsError
from plugins.plugin_utils.one_off import COPIED, NoContainer, alone, at_root, mark_of, needed

LOG = {
    "logDriver": "awslogs",
    "options": {
        "awslogs-group": "/shop/prod/service/web",
        "awslogs-region": "us-east-1",
        "awslogs-stream-prefix": "app",
    },
}


def a_container(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": f"{name}:1", "memory": 64, "essential": True, "cpu": 0, **more}


def a_service(*more: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """A proxy in front of an app that has a cache and waits for a set-up."""
    containers = [
        a_container(
            "proxy", portMappings=[{"containerPort": 80, "hostPort": 80}], links=["app"],
            dependsOn=[{"containerName": "app", "condition": "HEALTHY"}], memory=32,
        ),
        a_container(
            "app", portMappings=[{"containerPort": 8000, "hostPort": 8000}], links=["cache:redis"],
            dependsOn=[{"containerName": "setup", "condition": "SUCCESS"}], logConfiguration=LOG, memory=200,
            healthCheck={"command": ["CMD", "check"]}, dockerLabels={"berth.release": "7"},
            mountPoints=[{"sourceVolume": "files", "containerPath": "/files"}],
            secrets=[{"name": "KEY", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:a"}],
        ),
        a_container("cache", portMappings=[{"containerPort": 6379, "hostPort": 6379}]),
        a_container("setup", essential=False),
        *more,
    ]  # fmt: skip
    return {
        "family": "shop-prod-service-web", "taskDefinitionArn": "arn:aws:ecs:…:task-definition/shop-prod-service-web:4",
        "revision": 4, "status": "ACTIVE", "requiresAttributes": [], "compatibilities": ["EC2"],
        "taskRoleArn": "arn:aws:iam::123456789012:role/task",
        "executionRoleArn": "arn:aws:iam::123456789012:role/start",
        "networkMode": "bridge", "requiresCompatibilities": ["EC2"], "placementConstraints": [],
        "containerDefinitions": containers,
        "volumes": [{"name": "files", "host": {}}, {"name": "pages", "host": {}}], **keys,
    }  # fmt: skip


def made(
    name: str = "app", definition: dict[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The request, and its containers by name."""
    request = alone(definition or a_service(), name, "shop-prod-run-web")
    return request, {each["name"]: each for each in request["containerDefinitions"]}


def test_what_the_container_needs_comes_along_and_nothing_else() -> None:
    request, containers = made()
    assert list(containers) == ["app", "cache", "setup"], "not what waits for it"
    assert request["volumes"] == [{"name": "files", "host": {}}]
    assert request["family"] == "shop-prod-run-web"
    assert set(request) <= {"family", "containerDefinitions", "volumes", *COPIED}
    assert request["taskRoleArn"].endswith("role/task")
    everything = made("proxy")[1]
    assert list(everything) == ["proxy", "app", "cache", "setup"]


def test_volumes_of_another_container_come_with_it() -> None:
    reader = a_container("reader", volumesFrom=[{"sourceContainer": "cache"}])
    assert list(made("reader", a_service(reader))[1]) == ["cache", "reader"]


def test_the_end_of_the_command_is_the_end_of_the_task() -> None:
    _, containers = made()
    assert {name: each["essential"] for name, each in containers.items()} == {
        "app": True,
        "cache": False,
        "setup": False,
    }


def test_no_port_of_the_host_is_taken_twice_and_nobody_asks_whether_it_is_healthy() -> None:
    _, containers = made()
    assert "portMappings" not in containers["app"]
    assert "healthCheck" not in containers["app"]
    assert containers["cache"]["portMappings"] == [{"containerPort": 6379, "hostPort": 0}]
    _, all_of_it = made("proxy")
    assert all_of_it["app"]["healthCheck"], "the proxy waits for it"


def test_secrets_roles_and_log_group_stay_and_the_log_is_known_as_a_run_s() -> None:
    _, containers = made()
    assert containers["app"]["secrets"] == a_service()["containerDefinitions"][1]["secrets"]
    assert containers["app"]["logConfiguration"]["options"] == {**LOG["options"], "awslogs-stream-prefix": "run"}  # type: ignore[dict-item] # a mapping
    assert "logConfiguration" not in containers["cache"]
    assert LOG["options"]["awslogs-stream-prefix"] == "app"  # type: ignore[index] # a mapping


def test_it_is_known_again_by_what_it_is_made_of() -> None:
    first, again = made()[0], made()[0]
    assert mark_of(first) == mark_of(again) != ""
    assert first["containerDefinitions"][0]["dockerLabels"]["berth.release"] == "7"
    other = a_service()
    other["containerDefinitions"][1]["image"] = "app:2"
    assert mark_of(made("app", other)[0]) != mark_of(first)
    assert mark_of(a_service()) == ""
    unlike = a_service()
    unlike["containerDefinitions"][0]["image"] = "proxy:2"
    assert mark_of(made("app", unlike)[0]) == mark_of(first), "the proxy is not part of it"


def test_the_service_s_definition_is_left_as_it_is() -> None:
    definition = a_service()
    before = copy.deepcopy(definition)
    alone(definition, "proxy", "x")
    assert definition == before


def test_a_container_that_is_not_there_is_said() -> None:
    with pytest.raises(NoContainer, match="ap"):
        made("ap")


@pytest.mark.parametrize("name", ["proxy", "app", "cache", "setup"])
def test_ecs_takes_it_as_it_is(name: str) -> None:
    request, _ = made(name)
    task_definitions.validate(request)
    shown = task_definitions.complete(request)
    assert mark_of(alone(shown | {"family": "x"}, name, "y")), "also what ECS has filled in"


def test_ecs_would_not_take_a_task_whose_dependency_is_missing() -> None:
    request, _ = made()
    request["containerDefinitions"] = request["containerDefinitions"][:1]
    with pytest.raises(EcsError):
        task_definitions.validate(request)


def test_needs_that_lead_in_a_circle_end() -> None:
    circle: Any = {"a": {"links": ["b"]}, "b": {"dependsOn": [{"containerName": "a", "condition": "START"}]}}
    assert needed(circle, "a") == {"a", "b"}


def rooted(definition: dict[str, Any] | None = None, name: str = "app") -> dict[str, Any]:
    service = definition or a_service()
    return at_root(service, name, "shop-prod-restore-media", "fs-0123456789abcdef0", ["sh", "-c", "echo"])


def test_the_root_of_a_file_system_is_seen_by_an_image_with_nothing_else_of_its_container() -> None:
    request = rooted(a_service(volumes=[{"name": "files", "host": {}}]))
    task_definitions.validate(request)
    (container,) = request["containerDefinitions"]
    assert {key: value for key, value in container.items() if key not in ("dockerLabels", "logConfiguration")} == {
        "name": "app", "image": "app:1", "memory": 200, "essential": True, "user": "0",
        "entryPoint": ["sh", "-c", "echo"], "mountPoints": [{"sourceVolume": "root", "containerPath": "/file-system"}],
    }  # fmt: skip
    assert container["logConfiguration"]["options"]["awslogs-stream-prefix"] == "run"
    assert request["volumes"] == [
        {
            "name": "root",
            "efsVolumeConfiguration": {
                "fileSystemId": "fs-0123456789abcdef0", "rootDirectory": "/", "transitEncryption": "ENABLED",
            },
        }
    ]  # fmt: skip
    assert "taskRoleArn" not in request, "it may nothing"
    assert request["executionRoleArn"] == a_service()["executionRoleArn"]


def test_another_script_is_another_definition_and_an_unknown_container_is_told() -> None:
    other = at_root(a_service(), "app", "shop-prod-restore-media", "fs-0123456789abcdef0", ["sh"])
    assert mark_of(rooted()) == mark_of(rooted())
    assert mark_of(rooted()) != mark_of(other)
    with pytest.raises(NoContainer):
        rooted(name="web")

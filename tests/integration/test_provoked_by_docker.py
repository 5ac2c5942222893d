"""Failures that a real Docker engine is brought to, told to the embedded ECS by the agent that works with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.ecs_support import World
from plugins.plugin_utils.doctor.judging import recognised
from plugins.plugin_utils.doctor.signature import TASK, Evidence
from plugins.plugin_utils.ecs import stop_reason
from tests.integration.own_docker import IMAGE, Engine, RealAgent, engine, load, registry
from tests.unit.plugins.plugin_utils.doctor.provoked_support import Provoked

pytestmark = pytest.mark.docker

provoked = Provoked()
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DIGEST = "sha256:" + "0" * 64


@dataclass
class Ground:
    """What a failure is brought about on."""

    own: Engine
    aws: Cloud
    folder: Path

    def ended(self, *containers: dict[str, Any]) -> list[Evidence]:
        """Why a task of these containers has stopped, as ECS tells it."""
        world = World()
        agent = RealAgent(world, self.own.client, self.folder)
        definitions = [{"memory": 16, "image": IMAGE, "essential": True, **each} for each in containers]
        asked = {"family": "web", "containerDefinitions": definitions, "networkMode": "none"}
        revision = world.call("RegisterTaskDefinition", **asked)["taskDefinition"]["taskDefinitionArn"]
        arn = world.call("RunTask", cluster="demo", taskDefinition=revision)["tasks"][0]["taskArn"]
        world.tick()
        agent.turn()
        (task,) = world.call("DescribeTasks", cluster="demo", tasks=[arn])["tasks"]
        return [Evidence(TASK, "service.web", stop_reason(task))]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}
    with engine(tmp_path_factory.mktemp("docker"), **keys) as running:
        load(running.client)
        yield running


def of_registry(
    ground: Ground, status: int, headers: dict[str, str], body: Any, where: str = "/manifests/"
) -> list[Evidence]:
    """What is told of an image about which its registry answers so."""
    with registry(ground.own, {where: (status, headers, body)}) as place:
        return ground.ended({"name": "web", "image": f"{place}/shop/web:1"})


@provoked("image-rate")
def _rate(ground: Ground) -> list[Evidence]:
    """As Docker Hub answers: https://docs.docker.com/docker-hub/usage/pulls/."""
    said = "You have reached your pull rate limit. You may increase the limit by authenticating and upgrading."
    return of_registry(ground, 429, {}, {"errors": [{"code": "TOOMANYREQUESTS", "message": said}]})


@provoked("image-login")
def _login(ground: Ground) -> list[Evidence]:
    """As Docker Hub answers who asks for a private image's manifest, which the agent does before it pulls."""
    detail = [{"Type": "repository", "Class": "", "Name": "shop/web", "Action": "pull"}]
    denied = {"code": "DENIED", "message": "requested access to the resource is denied", "detail": detail}
    unknown = {"code": "UNAUTHORIZED", "message": "authentication required", "detail": detail}
    return of_registry(ground, 401, {}, {"errors": [denied, unknown]})


@provoked("image-platform")
def _platform(ground: Ground) -> list[Evidence]:
    elsewhere = {"architecture": "s390x", "os": "linux"}
    one = {"mediaType": LIST.replace(".list", ""), "size": 1, "digest": DIGEST, "platform": elsewhere}
    listed = {"schemaVersion": 2, "mediaType": LIST, "manifests": [one]}
    return of_registry(ground, 200, {"Content-Type": LIST}, listed)


@provoked("log-group-gone")
def _group(ground: Ground) -> list[Evidence]:
    """By Docker's own driver, which asks the embedded CloudWatch Logs."""
    options = {"awslogs-group": "/shop/prod/service/web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"}
    logs = {"logDriver": "awslogs", "options": options}
    with ground.own.leads_to(ground.aws.config.api_port) as port:
        options["awslogs-endpoint"] = f"http://127.0.0.1:{port}"
        return ground.ended({"name": "web", "command": ["/usr/bin/sleep", "60"], "logConfiguration": logs})


@provoked("memory")
def _memory(ground: Ground) -> list[Evidence]:
    """`tail` keeps the line that does not end."""
    return ground.ended({"name": "web", "command": ["/usr/bin/tail", "/dev/zero"]})


@provoked("dependency")
def _dependency(ground: Ground) -> list[Evidence]:
    before = {"name": "migrate", "command": ["/bin/sh", "-c", "exit 3"], "essential": False}
    waits = {"dependsOn": [{"containerName": "migrate", "condition": "SUCCESS"}]}
    return ground.ended(before, {"name": "web", "command": ["/usr/bin/sleep", "60"], **waits})


@pytest.mark.parametrize("name", provoked.by)
def test_what_docker_says_is_recognised(name: str, own: Engine, aws: Cloud, tmp_path: Path) -> None:
    provoked.prove(name, Ground(own, aws, tmp_path))


def test_a_registry_that_lets_nobody_in_is_one_that_wants_a_login(own: Engine, aws: Cloud, tmp_path: Path) -> None:
    """As a company's own, or ECR without a token."""
    ground, wants = Ground(own, aws, tmp_path), {"WWW-Authenticate": 'Basic realm="private"'}
    (line,) = of_registry(ground, 401, wants, {}, "/v2/")
    assert "no basic auth credentials" in line.text
    assert [each.signature for each in recognised([line])] == ["image-login"]


def test_of_a_container_that_ends_well_nothing_of_docker_is_told(own: Engine, aws: Cloud, tmp_path: Path) -> None:
    (line,) = Ground(own, aws, tmp_path).ended({"name": "web", "command": ["/bin/sh", "-c", "exit 0"]})
    assert line.text == "Essential container in task exited (web ended with exit code 0)"

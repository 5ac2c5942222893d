"""A task as the checks are given it."""

from __future__ import annotations

from typing import Any

from plugins.plugin_utils.ecs_placement import Needs
from plugins.plugin_utils.verify.finding import Finding
from plugins.plugin_utils.verify.subjects import Container, Secret, Task

ACCOUNT = "123456789012"
SECRET = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:shop/app-AbCdEf"
ROLES = {
    "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/shop-execution",
    "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/shop-task",
}
VOLUME = {"name": "data", "dockerVolumeConfiguration": {"scope": "shared", "driver": "rexray/efs"}}
DEFINITION: dict[str, Any] = {
    **ROLES,
    "taskDefinitionArn": "arn:aws:ecs:us-east-1:1:task-definition/shop-service-web:3",
    "containerDefinitions": [{"name": "app", "memory": 100, "portMappings": [{"containerPort": 8000}]}],
}


def container(name: str = "app", image: str = "reg/shop-app:1", **more: Any) -> Container:
    """A container with a secret and a volume, unless it is said."""
    parts: dict[str, Any] = {"secrets": (Secret("KEY", f"{SECRET}:key::"),), "volumes": ("data",), **more}
    return Container(name, "shop/app", image, **parts)


def task(*containers: Container, **more: Any) -> Task:
    """The service `web`."""
    given: dict[str, Any] = {
        "volumes": {"data": VOLUME},
        "needs": Needs(100, 0),
        "replicas": 1,
        "definition": DEFINITION,
        **more,
    }
    return Task("service.web", "/shop/unit/service/web", containers or (container(),), **given)


def states(findings: Any) -> dict[tuple[str, str, str], str]:
    """Check, subject and what → state."""
    return {(each.check, each.subject, each.what): each.state for each in findings}


def only(findings: Any) -> Finding:
    """The one finding."""
    (found,) = findings
    assert isinstance(found, Finding)
    return found

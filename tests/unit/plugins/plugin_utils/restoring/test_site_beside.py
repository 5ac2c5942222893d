"""The task by which a site is tried on what was restored: a release's own, with another place of its data."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from plugins.plugin_utils.one_off import NoContainer
from plugins.plugin_utils.restoring.site_beside import Database, tried

LOGIN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-prod/database/main/login-AbCdEf"
MASTER = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-prod/database/main-AbCdEf"
OTHER = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-prod/django-AbCdEf:secret_key::v7"
DATABASE = Database("main.rds.test", "main-drill.rds.test", [LOGIN, MASTER], LOGIN)
FOLDERS = {"media": "fs-1:/berth-restore/beside/a/files"}
LOG = {"logDriver": "awslogs", "options": {"awslogs-group": "/shop", "awslogs-stream-prefix": "web"}}
DEFINITION: dict[str, Any] = {
    "family": "shop-prod-service-web", "revision": 7, "status": "ACTIVE", "networkMode": "bridge",
    "executionRoleArn": "arn:execution", "taskRoleArn": "arn:task", "requiresCompatibilities": ["EC2"],
    "containerDefinitions": [
        {
            "name": "django", "image": "shop/django@sha256:1", "essential": True, "memory": 256, "command": [],
            "environment": [
                {"name": "DATABASE", "value": "postgres://main.rds.test/shop"},
                {"name": "MODE", "value": "production"},
            ],
            "secrets": [
                {"name": "DB_HOST", "valueFrom": f"{LOGIN}:host::"},
                {"name": "DB_PASSWORD", "valueFrom": f"{LOGIN}:password::v3"},
                {"name": "DB_USER", "valueFrom": f"{MASTER}:username::"},
                {"name": "SECRET_KEY", "valueFrom": OTHER},
            ],
            "healthCheck": {"command": ["CMD", "true"]},
            "mountPoints": [{"sourceVolume": "media", "containerPath": "/srv/media"}],
            "logConfiguration": LOG,
        },
        {
            "name": "nginx", "image": "nginx", "essential": True, "links": ["django"],
            "dependsOn": [{"containerName": "django", "condition": "HEALTHY"}],
            "portMappings": [{"containerPort": 80, "hostPort": 8080, "protocol": "tcp"}],
            "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/x"}],
        },
        {
            "name": "worker", "image": "shop/django@sha256:1", "essential": True,
            "mountPoints": [{"sourceVolume": "queue", "containerPath": "/q"}],
        },
    ],
    "volumes": [
        {"name": "media", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "transitEncryption": "ENABLED"}},
        {"name": "scratch"},
        {"name": "queue"},
    ],
}  # fmt: skip


def made(**given: Any) -> dict[str, Any]:
    before = copy.deepcopy(DEFINITION)
    arguments = {"container": "nginx", "databases": [DATABASE], "folders": FOLDERS, **given}
    found = tried(DEFINITION, family="shop-prod-drill-web", **arguments)
    assert before == DEFINITION
    return found


def container(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(dict(each) for each in found["containerDefinitions"] if each["name"] == name)


def test_who_answers_comes_with_what_it_needs_and_a_worker_does_not() -> None:
    found = made()
    assert [each["name"] for each in found["containerDefinitions"]] == ["django", "nginx"]
    assert found["family"] == "shop-prod-drill-web"
    assert (found["executionRoleArn"], found["taskRoleArn"]) == ("arn:execution", "arn:task")
    assert "revision" not in found
    assert container(found, "nginx")["portMappings"] == [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}]
    assert container(found, "django")["healthCheck"] == {"command": ["CMD", "true"]}
    assert container(found, "django")["logConfiguration"]["options"]["awslogs-stream-prefix"] == "drill"
    with pytest.raises(NoContainer):
        made(container="apache")


def test_of_the_site_s_own_database_it_gets_no_address_and_of_its_secrets_no_value() -> None:
    found = made()
    django = container(found, "django")
    assert {each["name"]: each["value"] for each in django["environment"]} == {
        "DATABASE": "postgres://main-drill.rds.test/shop", "MODE": "production", "DB_HOST": "main-drill.rds.test",
    }  # fmt: skip
    assert {each["name"]: each["valueFrom"] for each in django["secrets"]} == {
        "DB_PASSWORD": f"{LOGIN}:password::", "DB_USER": f"{LOGIN}:username::", "SECRET_KEY": OTHER,
    }  # fmt: skip
    assert "main.rds.test" not in str(found)
    assert "environment" not in container(found, "nginx")
    untouched = container(made(databases=[]), "django")
    assert untouched["secrets"] == DEFINITION["containerDefinitions"][0]["secrets"]


def test_a_volume_has_its_files_of_then_and_another_is_as_it_is() -> None:
    mounted = {"fileSystemId": "fs-1", "rootDirectory": "/berth-restore/beside/a/files", "transitEncryption": "ENABLED"}
    assert made()["volumes"] == [{"name": "media", "efsVolumeConfiguration": mounted}, {"name": "scratch"}]
    assert made(folders={})["volumes"] == DEFINITION["volumes"][:2]

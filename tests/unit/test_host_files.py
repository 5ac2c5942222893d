"""What the host roles write: rendered by Ansible's own templating, as a host and as user data get it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).resolve().parents[2] / "roles"
HOST_ROLES = ["docker_engine", "ecs_agent", "rexray_efs"]
SITE = {"site_name": "shop", "environment_name": "prod", "aws_region": "eu-west-1"}


def _trusted(value: Any) -> Any:
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: _trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_trusted(item) for item in value]
    return value


def render(role: str, template: str, **variables: Any) -> str:
    folder = ROLES / role
    scope = {**SITE}
    for file in ("defaults/main.yml", "vars/main.yml"):
        scope |= _trusted(yaml.safe_load((folder / file).read_text()))
    scope |= variables
    templar = Templar(loader=DataLoader(), variables=scope)
    text: str = templar.template(trust_as_template((folder / "templates" / template).read_text()))
    return text


def config(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_agent_config_is_read_without_a_shell_so_nothing_is_quoted() -> None:
    rendered = config(render("ecs_agent", "ecs.config.j2"))
    assert rendered["ECS_CLUSTER"] == "shop-prod"
    assert rendered["ECS_RESERVED_MEMORY"] == "256"
    assert json.loads(rendered["ECS_AVAILABLE_LOGGING_DRIVERS"]) == ["json-file", "awslogs"]
    assert rendered["ECS_IMAGE_PULL_BEHAVIOR"] == "prefer-cached"
    assert not [value for value in rendered.values() if value.startswith(("'", '"'))]


def test_agent_attributes_are_json_and_absent_by_default() -> None:
    assert "ECS_INSTANCE_ATTRIBUTES" not in config(render("ecs_agent", "ecs.config.j2"))
    rendered = config(render("ecs_agent", "ecs.config.j2", ecs_agent_attributes={"tier": "web"}))
    assert json.loads(rendered["ECS_INSTANCE_ATTRIBUTES"]) == {"tier": "web"}


def test_docker_rotates_logs_and_keeps_containers_through_a_restart() -> None:
    daemon = json.loads(render("docker_engine", "daemon.json.j2"))
    assert daemon["live-restore"] is True
    assert daemon["log-opts"] == {"max-size": "10m", "max-file": "3"}
    assert daemon["default-ulimits"]["nofile"] == {"Name": "nofile", "Soft": 32768, "Hard": 65536}


def test_amazon_linux_is_not_given_the_open_files_limit_twice() -> None:
    assert "default-ulimit" not in render("docker_engine", "sysconfig-docker.j2").split("OPTIONS=")[1].splitlines()[0]


def test_plugin_is_installed_by_the_literal_command_under_its_alias() -> None:
    script = render("rexray_efs", "rexray-efs.sh.j2")
    assert "docker plugin install --disable --grant-all-permissions --alias rexray/efs" in script
    assert "readonly reference=rexray/efs:0.11.4" in script
    for setting in ("EFS_TAG=shop-prod", "EFS_REGION=eu-west-1", "LINUX_VOLUME_FILEMODE=0755", "REXRAY_PREEMPT=true"):
        assert f"  {setting}\n" in script
    assert not [line for line in script.splitlines() if "volume" in line and not line.startswith("#")]
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_plugin_comes_before_the_agent() -> None:
    assert "Before=ecs.service" in render("rexray_efs", "rexray-efs.service.j2")
    drop_in = render("rexray_efs", "ecs-rexray-efs.conf.j2")
    assert "Requires=rexray-efs.service" in drop_in
    assert "After=rexray-efs.service" in drop_in


@pytest.mark.parametrize("role", HOST_ROLES)
def test_every_listed_file_has_its_template(role: str) -> None:
    listed = yaml.safe_load((ROLES / role / "vars/main.yml").read_text())[f"{role}_files"]
    assert {item["template"] for item in listed} == {path.name for path in (ROLES / role / "templates").iterdir()}


@pytest.mark.parametrize("role", HOST_ROLES)
def test_templates_use_nothing_that_only_a_host_knows(role: str) -> None:
    """User data is rendered on the control machine: facts and host variables would differ there."""
    for path in (ROLES / role / "templates").iterdir():
        for word in ("ansible_facts", "inventory_hostname", "ansible_managed", "hostvars", "groups["):
            assert word not in path.read_text(), f"{path.name} uses {word}"

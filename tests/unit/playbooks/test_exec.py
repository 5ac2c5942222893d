"""The verb exec on an inventory of several hosts; all are this machine, with a stand-in for Docker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.playbook

PROJECT = Path(__file__).resolve().parents[3]
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
UNREACHABLE = {"ansible_host": "192.0.2.1", "ansible_ssh_common_args": "-o ConnectTimeout=1 -o ProxyCommand=false"}
DOCKER = """#!/bin/sh
echo "$@" >> {log}
case $1 in ps) echo 0123456789ab ;; exec) echo did "$3"; exit {code} ;; esac
"""


CONTAINER = {"image": "shop/web", "mem_limit": "64m"}
SITE = {
    "site_services": {
        "web": {"containers": {"nginx": CONTAINER, "django": CONTAINER}},
        "worker": {"containers": {"celery": CONTAINER, "statsd": CONTAINER}},
        "beat": {"containers": {"statsd": CONTAINER}},
    },
    "site_jobs": {"migrate": {"like": "web.django", "command": ["migrate"], "run": "before_release"}},
}
IDENTITY = "site_name=legacy environment_name=prod aws_region=us-east-1"


def describe(folder: Path) -> None:
    """Say in an inventory what the site is, as inventories do: above the defaults of group_vars/all."""
    (folder / "group_vars").mkdir(exist_ok=True)
    (folder / "group_vars/prod.yml").write_text(yaml.safe_dump(SITE, sort_keys=False))


def execute(folder: Path, hosts: dict[str, Any], code: int = 0, *options: str) -> tuple[int, str, list[str]]:
    """Exit code and output of exec.yml with the command `id`, and what Docker was asked."""
    docker, log = folder / "docker", folder / "log"
    docker.write_text(DOCKER.format(log=log, code=code))
    docker.chmod(0o755)
    log.touch()
    inventory = {"prod": {"hosts": {"localhost": LOCAL}, "children": {"ecs_hosts": {"hosts": hosts}}}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory))
    describe(folder)
    command = ["ansible-playbook", "exec.yml", "-i", str(folder / "hosts.yml"), "-e", IDENTITY]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    run = subprocess.run(
        [*command, "-e", "command=id", *options],
        cwd=PROJECT, env=kept | {"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    return run.returncode, run.stdout + run.stderr, log.read_text().splitlines()


def test_a_command_runs_once_on_the_first_of_many_hosts_one_of_them_away(tmp_path: Path) -> None:
    hosts = {f"i-{at:03}": LOCAL for at in range(29)} | {"i-away": UNREACHABLE}
    code, output, asked = execute(tmp_path, hosts)
    assert code == 0, output
    assert [line for line in asked if line.startswith("exec")] == ["exec 0123456789ab id"]
    assert len(asked) == 30
    labels = "label=com.amazonaws.ecs.task-definition-family=legacy-prod-service-web"
    assert asked[0] == f"ps --quiet --filter={labels} --filter=label=com.amazonaws.ecs.container-name=django"
    assert "did id" in output
    assert "exit code 0" in output


def test_the_exit_code_counts(tmp_path: Path) -> None:
    code, output, asked = execute(tmp_path, {"i-1": LOCAL}, 3, "-e", "container=celery")
    assert code != 0
    assert "id ended with exit code 3 in worker.celery on i-1." in output
    assert "task-definition-family=legacy-prod-service-worker " in asked[0]
    assert asked[0].endswith("container-name=celery")


def test_for_a_shell_it_is_shown_what_to_type(tmp_path: Path) -> None:
    host = LOCAL | {
        "ansible_host": "10.0.0.5",
        "ansible_ssh_common_args": "-o A=b",
        "ansible_ssh_private_key_file": "a b",
    }
    code, output, asked = execute(tmp_path, {"i-1": host}, 0, "-e", "shell=true")
    assert code == 0, output
    said = " ".join(output.split()).replace("''", "'")
    login = "ssh -t -o 'IdentityFile=a b' -o A=b ec2-user@10.0.0.5 docker exec -it 0123456789ab id"
    assert f"To open it, type: {login}" in said
    assert not [line for line in asked if line.startswith("exec")]
    assert "exit code" not in output


def test_a_check_run_runs_nothing(tmp_path: Path) -> None:
    code, output, asked = execute(tmp_path, {"i-1": LOCAL}, 0, "--check")
    assert code == 0, output
    assert "not run in check mode" in output
    assert not [line for line in asked if line.startswith("exec")]


def test_no_host_and_none_that_can_be_reached_are_told_apart(tmp_path: Path) -> None:
    _, none, _ = execute(tmp_path, {})
    assert "No host runs in us-east-1 with the tags Site=legacy and Environment=prod" in none
    code, away, _ = execute(tmp_path, {"i-away": UNREACHABLE})
    assert code != 0
    assert "No host could be reached by ssh." in away

"""Run our action plugins: in this process (fast, results as they are), or by a real ansible-playbook."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from local_aws.cloud import ACCESS_KEY, SECRET_KEY, Cloud

PROJECT = Path(__file__).resolve().parents[2]


def environment(cloud: Cloud) -> dict[str, str]:
    """What the inventory plugin `environment` sets for this embedded AWS."""
    return {
        "AWS_ENDPOINT_URL": cloud.config.endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "BERTH_POLL_SECONDS": "0.1",
    }


def talk_to(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 in this process talk to an embedded AWS."""
    for name, value in environment(cloud).items():
        monkeypatch.setenv(name, value)


def run_action(plugin: Any, arguments: Mapping[str, Any], check: bool = False, **attributes: Any) -> dict[str, Any]:
    """The result of an action plugin's class, run in this process.

    Args:
        plugin: the module that has `ActionModule`.
        arguments: of the task.
        check: check mode.
        attributes: replaced on the action, `client` for example.
    """
    task = SimpleNamespace(args=dict(arguments), check_mode=check, async_val=0, action="test", diff=False)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/nonexistent"))
    action = plugin.ActionModule(task, connection, None, None, None, None)
    for name, value in attributes.items():
        setattr(action, name, value)
    result: dict[str, Any] = action.run(task_vars={})
    return result


def heard(
    plugin: Any, arguments: Mapping[str, Any], check: bool = False, **attributes: Any
) -> tuple[dict[str, Any], str]:
    """As `run_action`: the result, and the lines that were shown of what it is at."""
    shown = list[str]()
    result = run_action(plugin, arguments, check, say=lambda _name, text, _color=None: shown.append(text), **attributes)
    return result, "\n".join(shown)


@dataclass(frozen=True)
class Run:
    """What an ansible-playbook said."""

    code: int
    output: str

    @property
    def recap(self) -> str:
        """The line about localhost."""
        return next(line for line in reversed(self.output.splitlines()) if line.startswith("localhost "))


def playbook(tmp_path: Path, tasks: list[dict[str, Any]], *options: str, **variables: str) -> Run:
    """Run tasks on localhost by a real ansible-playbook with the project's settings.

    Args:
        tmp_path: where the playbook and the inventory are written.
        tasks: of the one play.
        options: of the command.
        variables: of its environment.
    """
    command = written(tmp_path, tasks)
    done = subprocess.run(
        [*command, *options], env=shell(variables), capture_output=True, text=True, timeout=180, check=False
    )
    return Run(done.returncode, done.stdout + done.stderr)


def written(tmp_path: Path, tasks: list[dict[str, Any]]) -> list[str]:
    """The command that runs tasks on localhost, its files being there."""
    play = {"name": "Test", "hosts": "localhost", "gather_facts": False, "tasks": tasks}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"localhost": local}}}))
    program = str(Path(sys.executable).parent / "ansible-playbook")
    return [program, "-i", str(tmp_path / "hosts.yml"), str(tmp_path / "play.yml")]


def shell(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of a run with the project's settings."""
    return {**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", **variables}

"""The verb run: which job, with which command, for how long; and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import context
from ansible.errors import AnsibleError
from ansible.utils.context_objects import CLIArgs

from tests.unit.variables_support import IDENTITY, PROJECT, evaluate, holds, load, tasks_of, variables

TASKS = tasks_of("playbooks/run.yml")
SITE = {
    "site_services": {"web": {"containers": {"django": {"image": "shop/web", "mem_limit": "64m"}}}},
    "site_jobs": {
        "migrate": {"like": "web.django", "command": ["migrate"], "run": "before_release"},
        "report": {"like": "web.django", "command": ["report"], "minutes": 90},
        "clean": {"like": "web.django", "command": ["clean"], "schedule": "0 3 * * *"},
    },
}


def known(site: Mapping[str, Any] = SITE, /, **typed: Any) -> dict[str, Any]:
    (play,) = load("playbooks/run.yml")
    found = variables(**site) | dict(play["vars"]) | {"site_prefix": "shop-prod"}
    return found | typed


def asked(**typed: Any) -> dict[str, Any]:
    task = TASKS["Run the job, and show its log"]["ecs_run_task"]
    return {name: evaluate(value, known(**typed)) for name, value in task.items()}


@pytest.mark.parametrize(("job", "minutes"), [("migrate", 15), ("report", 90), ("clean", 15)])
def test_any_job_runs_as_it_is_written_for_its_minutes(job: str, minutes: int) -> None:
    assert asked(job=job) == {
        "cluster": "shop-prod", "task_definition": f"shop-prod-job-{job}", "overrides": {}, "started_by": "run",
        "again": True, "timeout": minutes * 60,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("command=python manage.py check", ["python", "manage.py", "check"]),
        ("command=sh -c 'echo \"$HOME\"'", ["sh", "-c", 'echo "$HOME"']),
    ],
)
def test_another_command_is_for_this_run(monkeypatch: pytest.MonkeyPatch, argument: str, words: list[str]) -> None:
    monkeypatch.setattr(context, "CLIARGS", CLIArgs({"extra_vars": (argument,)}))
    command = argument.partition("=")[2].split()[0]  # what Ansible makes of it
    assert asked(job="report", command=command)["overrides"] == {"report": {"command": words}}
    given = {"report": {"command": ["a b", "5"]}}
    monkeypatch.setattr(context, "CLIARGS", CLIArgs({"extra_vars": ()}))
    assert asked(job="report", command=["a b", 5])["overrides"] == given


@pytest.mark.parametrize("command", ["", [], {"a": "b"}])
def test_a_command_that_is_none_is_refused(command: Any) -> None:
    that = TASKS["Refuse a command that is none"]["ansible.builtin.assert"]["that"]
    assert not holds(that, known(job="report", command=command))
    assert holds(that, known(job="report", command="id"))
    assert holds(that, known(job="report"))


def test_a_quote_that_is_not_closed_is_said() -> None:
    with pytest.raises(AnsibleError, match="Close the quote"):
        evaluate("{{ 'echo \"a' | words }}", known())


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "Name the job to run (migrate, report, clean)"),
        ({"job": "migrat"}, "The site has no job migrat (migrate, report, clean)"),
    ],
)
def test_another_job_is_refused_with_those_there_are(typed: dict[str, str], sentence: str) -> None:
    check = TASKS["Refuse a run without a job, or of one that the site has not"]["ansible.builtin.assert"]
    assert not holds(check["that"], known(**typed))
    assert evaluate(check["fail_msg"], known(**typed)).startswith(f"{sentence}: ansible-playbook ")
    assert evaluate(check["fail_msg"], known(**typed)).endswith("-e job=migrate")
    assert holds(check["that"], known(job="clean"))
    none = known({"site_services": SITE["site_services"]})
    assert "(site_jobs has none)" in evaluate(check["fail_msg"], none)


@pytest.mark.playbook
def test_it_is_typed_like_the_other_verbs(tmp_path: Path) -> None:
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = {"prod": {"hosts": {"localhost": local}}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory))
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/prod.yml").write_text(yaml.safe_dump(SITE, sort_keys=False))
    identity = " ".join(f"{name}={value}" for name, value in IDENTITY.items())
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    command = ["ansible-playbook", "run.yml", "-i", str(tmp_path / "hosts.yml"), "-e", identity]
    done = subprocess.run(
        [*command, "-e", "job=backup"], cwd=PROJECT, env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    said = " ".join(done.stdout.split())
    assert f"no job backup (migrate, report, clean): ansible-playbook run.yml -i {tmp_path}/hosts.yml" in said

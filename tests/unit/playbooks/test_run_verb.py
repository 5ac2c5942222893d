"""The verb run: which job, or which command in which container, for how long; and what is refused."""

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

from tests.unit.variables_support import IDENTITY, PROJECT, evaluate, holds, tasks_of, variables

TASKS = {
    name: task
    for path in ("playbooks/run.yml", "playbooks/tasks/run_job.yml", "playbooks/tasks/run_command.yml")
    for name, task in tasks_of(path).items()
}
SITE = {
    "site_services": {"web": {"containers": {"django": {"image": "shop/web", "mem_limit": "64m"}}}},
    "site_jobs": {
        "migrate": {"like": "web.django", "command": ["migrate"], "run": "before_release"},
        "report": {"like": "web.django", "command": ["report"], "minutes": 90},
        "clean": {"like": "web.django", "command": ["clean"], "schedule": "0 3 * * *"},
        "poll": {"like": "web.django", "command": ["poll"], "schedule": "@hourly", "overlap": "allowed"},
    },
}


def known(site: Mapping[str, Any] = SITE, /, **typed: Any) -> dict[str, Any]:
    return variables("playbooks/vars/run.yml", **site) | {"site_prefix": "shop-prod"} | typed


def asked(**typed: Any) -> dict[str, Any]:
    task = TASKS["Run the job, and show its log"]
    there = known(**typed)
    return {name: evaluate(value, there | task["vars"]) for name, value in task["ecs_run_task"].items()}


@pytest.mark.parametrize(("job", "minutes"), [("migrate", 15), ("report", 90), ("clean", 15), ("poll", 15)])
def test_any_job_runs_as_it_is_written_for_its_minutes(job: str, minutes: int) -> None:
    assert asked(job=job) == {
        "cluster": "shop-prod", "task_definition": f"shop-prod-job-{job}", "overrides": {}, "started_by": "run",
        "alone": job in ("migrate", "clean"), "detach": False, "again": True, "timeout": minutes * 60,
    }  # fmt: skip


def test_a_job_of_a_release_with_another_environment_for_other_minutes() -> None:
    found = asked(
        job="report", env={"LEVEL": "debug", "N": 5}, minutes="7", detach="true",
        run_revision={"task_definition": "shop-prod-job-report:4"},
    )  # fmt: skip
    assert found["task_definition"] == "shop-prod-job-report:4"
    assert found["overrides"] == {"report": {"environment": {"LEVEL": "debug", "N": "5"}}}
    assert (found["timeout"], found["detach"]) == (420, True)
    revision = TASKS["Find the job's revision of the release"]
    there = known(job="report", release="9")
    assert {name: evaluate(value, there) for name, value in revision["ecs_task_revision"].items()} == {
        "family": "shop-prod-job-report", "release": "9",
    }  # fmt: skip
    assert holds(revision["when"], there)
    assert not holds(revision["when"], known(job="report"))


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
        ({}, "Name the job to run (migrate, report, clean, poll)"),
        ({"job": "migrat"}, "The site has no job migrat (migrate, report, clean, poll)"),
    ],
)
def test_another_job_is_refused_with_those_there_are(typed: dict[str, str], sentence: str) -> None:
    check = TASKS["Refuse a run without a job, or of one that the site has not"]["ansible.builtin.assert"]
    assert not holds(check["that"], known(**typed))
    said = f"{sentence} or a command" if not typed else sentence
    assert evaluate(check["fail_msg"], known(**typed)).startswith(f"{said}: ansible-playbook ")
    assert evaluate(check["fail_msg"], known(**typed)).endswith("-e job=migrate")
    assert holds(check["that"], known(job="clean"))
    none = known({"site_services": SITE["site_services"]})
    said = evaluate(check["fail_msg"], none)
    assert "(site_jobs has none) or a command: ansible-playbook " in said
    assert said.endswith("-e command='python manage.py check'")


# What is meant


@pytest.mark.parametrize(
    ("typed", "what"),
    [
        ({}, "job"),
        ({"job": "report"}, "job"),
        ({"job": "report", "command": "id"}, "job"),
        ({"command": "id"}, "command"),
        ({"command": ""}, "command"),
        ({"stop": "0a1b"}, "stop"),
        ({"stop": "", "job": "report"}, "job"),
    ],
)
def test_a_job_a_command_and_a_stop_are_told_apart(typed: dict[str, str], what: str) -> None:
    assert evaluate("{{ run_what }}", known(**typed)) == what
    for name, meant in (("Run the job", "job"), ("Run the command", "command"), ("Stop what was started", "stop")):
        assert holds(TASKS[name]["when"], known(**typed)) == (meant == what)
    check = TASKS["Refuse a run without a job, or of one that the site has not"]["ansible.builtin.assert"]
    assert holds(check["that"], known(**typed)) == (typed != {})


@pytest.mark.parametrize("minutes", ["0", "-1", "1.5", "x", "", "5 "])
def test_minutes_are_whole(minutes: str) -> None:
    check = TASKS["Refuse minutes that are none"]["ansible.builtin.assert"]
    assert not holds(check["that"], known(job="report", minutes=minutes))
    assert f"minutes is {minutes};" in evaluate(check["fail_msg"], known(minutes=minutes))
    for right in ("5", 5, "600"):
        assert holds(check["that"], known(job="report", minutes=right))
    assert holds(check["that"], known(job="report"))


# A command beside a service

TWO = {
    "site_services": {
        "web": {"containers": {name: {"image": "shop/web", "mem_limit": "64m"} for name in ("proxy", "app")}},
        "worker": {"containers": {name: {"image": "shop/web", "mem_limit": "64m"} for name in ("proxy", "work")}},
    },
    "site_jobs": {"report": {"like": "worker.work", "command": ["report"]}},
}
WHERE = TASKS["Refuse a command in a container that the site has not"]["ansible.builtin.assert"]


@pytest.mark.parametrize(
    ("typed", "service", "container"),
    [
        ({}, "worker", "work"),
        ({"container": "app"}, "web", "app"),
        ({"container": "web.proxy"}, "web", "proxy"),
        ({"service": "web", "container": "proxy"}, "web", "proxy"),
        ({"service": "worker"}, "worker", "work"),
    ],
)
def test_the_container_is_the_one_that_is_named_or_obvious(typed: dict[str, str], service: str, container: str) -> None:
    there = known(TWO, command="id", **typed)
    assert holds(WHERE["that"], there)
    assert evaluate("{{ run_service }}.{{ run_container }}", there) == f"{service}.{container}"


@pytest.mark.parametrize(
    ("typed", "said", "example"),
    [
        ({"service": "web"}, "Say in which container the command is to run (web.proxy, web.app): ", "web.proxy"),
        ({"container": "ap"}, "(web.proxy, web.app, worker.proxy, worker.work): ", "web.app"),
        ({"container": "proxy"}, "; several are called proxy): ", "web.proxy"),
        ({"service": "web", "container": "work"}, "(web.proxy, web.app): ", ""),
    ],
)
def test_one_that_is_not_meant_or_not_there_is_refused(typed: dict[str, str], said: str, example: str) -> None:
    there = known(TWO, command="id", **typed)
    assert not holds(WHERE["that"], there)
    assert said in evaluate(WHERE["fail_msg"], there)
    assert evaluate(WHERE["fail_msg"], there).rpartition("-e container=")[2].startswith(example or "web.")


def test_a_service_that_the_site_has_not_is_refused() -> None:
    check = TASKS["Refuse a service that the site has not"]["ansible.builtin.assert"]
    there = known(TWO, command="id", service="wbe")
    assert not holds(check["that"], there)
    for right in ({"service": "web"}, {"service": ""}, {}):
        assert holds(check["that"], known(TWO, command="id", **right))
    said = evaluate(check["fail_msg"], there)
    assert said.startswith("The site has no service wbe (web, worker): ansible-playbook ")
    assert said.endswith("-e service=web")


def test_a_service_that_is_not_up_is_refused_unless_a_release_is_named() -> None:
    check = TASKS["Refuse a command beside a service that is not up"]["ansible.builtin.assert"]
    there = known(command="id")
    assert not holds(check["that"], there | {"run_live": {"services": {}}})
    assert "no service web in the cluster shop-prod" in evaluate(check["fail_msg"], there)
    assert holds(check["that"], there | {"run_live": {"services": {"web": {}}}})
    assert holds(check["that"], there | {"run_live": {"skipped": True}})


def test_the_task_is_the_live_revision_s_or_the_release_s() -> None:
    task = TASKS["Make a task of the container alone"]["ecs_container_alone"]
    live = {"run_live": {"services": {"web": {"task_definition": "arn/web:7"}}}}
    there = known(command="id", env='{"A": "b"}', site_tags={"Site": "shop"}) | live
    assert {name: evaluate(value, there | {"run_revision": {"skipped": True}}) for name, value in task.items()} == {
        "task_definition": "arn/web:7", "container": "django", "family": "shop-prod-run-web", "environment": ["A"],
        "tags": {"Site": "shop"},
    }  # fmt: skip
    older = {"run_live": {"skipped": True}, "run_revision": {"task_definition": "arn/web:3"}}
    assert evaluate(task["task_definition"], known(command="id", release="3") | older) == "arn/web:3"


def test_the_command_is_what_runs_in_it() -> None:
    task = TASKS["Run the command, and show its log"]["ecs_run_task"]
    there = known(command="sh -c 'a b'", env={"A": True}) | {"run_alone": {"task_definition": "arn/run:1"}}
    assert {name: evaluate(value, there) for name, value in task.items()} == {
        "cluster": "shop-prod", "task_definition": "arn/run:1", "started_by": "run", "detach": False, "again": True,
        "overrides": {"django": {"command": ["sh", "-c", "a b"], "environment": {"A": "true"}}}, "timeout": 3600,
    }  # fmt: skip


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
    assert f"no job backup (migrate, report, clean, poll): ansible-playbook run.yml -i {tmp_path}/hosts.yml" in said

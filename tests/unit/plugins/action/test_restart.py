"""The verb restart: new tasks of the same revision, one service after the other, and a rollback that is told as one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.tests.ecs_support import Agent, World
from plugins.action import ecs_service_restart, ecs_service_wait
from plugins.plugin_utils import aws_action
from tests.unit.playbooks.test_run_verb import SITE
from tests.unit.plugin_support import run_action
from tests.unit.plugins.action.test_modules_ecs import REVISION, Fake, a_service
from tests.unit.service_support import Clients
from tests.unit.variables_support import IDENTITY, PROJECT, evaluate, holds, load, tasks_of, variables

SERVICE: dict[str, Any] = {"cluster": "demo", "service": "web"}


class Up(World):
    """A cluster with one host and one service that is up."""

    host: Agent


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Up:
    """Waiting lets its time pass."""
    made = Up()

    def wait(seconds: float, say: Any, name: str) -> aws_action.Wait:
        return aws_action.Wait(seconds, say, name, lambda: made.now, lambda pause: made.tick(2, pause / 2))

    for plugin in (ecs_service_restart, ecs_service_wait):
        monkeypatch.setattr(plugin, "Wait", wait)
    made.host = made.agent()
    made.create(made.define())
    made.tick()
    return made


def act(plugin: Any, clients: Any, check: bool = False, **arguments: Any) -> tuple[dict[str, Any], str]:
    """The result, and what was shown."""
    shown: list[str] = []

    def say(name: str, text: str, _color: str | None = None) -> None:
        shown.append(f"{name}: {text}")

    return run_action(plugin, SERVICE | arguments, check, client=clients, say=say), "\n".join(shown)


def restarted(world: Up) -> tuple[dict[str, Any], dict[str, Any], str]:
    """What beginning and waiting gave, and what was shown."""
    begun, shown = act(ecs_service_restart, Clients(world))
    waited, more = act(ecs_service_wait, Clients(world), deployment=begun["deployment"])
    return begun, waited, f"{shown}\n{more}"


def test_all_tasks_are_new_and_of_the_same_revision(world: Up) -> None:
    (old,) = world.tasks()
    begun, waited, shown = restarted(world)
    assert begun["changed"]
    assert not waited.get("failed"), waited
    (new,) = world.tasks()
    assert new.arn != old.arn
    assert new.definition == old.definition
    assert waited["task_definition"] == begun["task_definition"]
    assert "web: web:1: all its tasks are replaced" in shown
    assert "web: web:1: 1 of 1 tasks running" in shown


def test_check_mode_says_what_would_be_restarted_and_does_nothing(world: Up) -> None:
    clients = Clients(world)
    result, shown = act(ecs_service_restart, clients, check=True)
    assert result["changed"]
    assert shown == "web: web:1 would be restarted, 1 of 1 tasks running"
    assert "update_service" not in clients.calls


def test_a_deployment_that_is_rolled_back_is_a_failure_although_the_revision_is_the_same(world: Up) -> None:
    (old,) = world.tasks()
    world.host.fails.add("web:1")
    begun, waited, _ = restarted(world)
    assert waited["failed"]
    first, *why = waited["msg"].splitlines()
    assert first.startswith("web was rolled back: it runs web:1 by ecs-svc/")
    assert first.endswith(f", not {begun['deployment']}.")
    assert any("deployment failed: tasks failed to start." in line for line in why)
    assert any("CannotPullImageManifestError" in line for line in why)
    assert [task.arn for task in world.tasks()] == [old.arn]


def test_a_deployment_that_goes_on_ends_first(world: Up) -> None:
    world.update(taskDefinition=world.define("web:2"))
    (old,) = world.tasks()
    begun, waited, shown = restarted(world)
    assert "is being deployed, which has to end first (0 of 1 tasks running)" in shown
    assert not waited.get("failed"), waited
    assert begun["task_definition"].endswith("web:2")
    every = [task for task in world.tasks(active=False) if task.arn != old.arn]
    assert len(every) == 2, "one of the deployment, one of the restart"


def test_one_that_never_ends_is_not_waited_for_longer_than_said(world: Up) -> None:
    world.host.health = "UNKNOWN"
    world.update(taskDefinition=world.define("web:2"))
    clients = Clients(world)
    result, _ = act(ecs_service_restart, clients, timeout=60)
    assert result["msg"].startswith("web was not restarted: it is still being deployed after 60 s (")
    assert "update_service" not in clients.calls


def test_a_service_that_is_not_there_says_what_to_type(world: Up) -> None:
    for check in (False, True):
        result, _ = act(ecs_service_restart, Clients(world), check, service="worker")
        assert result["msg"].startswith("There is no service worker in the cluster demo. Type: ansible-playbook site")
        result, _ = act(ecs_service_restart, Clients(world), check, cluster="gone")
        assert "There is no service web in the cluster gone." in result["msg"]


# The wait for one deployment


def shown_by(*ids: str) -> list[dict[str, Any]]:
    """What ECS shows, one after the other: the same revision by these deployments."""
    found = [a_service(2, "COMPLETED") for _ in ids]
    for service, identity in zip(found, ids, strict=True):
        service["services"][0]["deployments"][0]["id"] = identity
    return found


@pytest.mark.usefixtures("world")
def test_the_deployment_of_before_is_no_end_of_the_new_one() -> None:
    answers = shown_by("ecs-svc/1", "ecs-svc/1", "ecs-svc/2")
    ecs = Fake(describe_services=answers, list_tasks={"taskArns": []}, describe_tasks={"tasks": []})
    result, _ = act(ecs_service_wait, lambda *_: ecs, deployment="ecs-svc/2")
    assert not result.get("failed"), result
    assert len(answers) == 1, "the last one was asked for"


def test_the_deployment_of_before_that_stays_is_a_rollback(world: Up) -> None:
    ecs = Fake(describe_services=shown_by("ecs-svc/1"), list_tasks={"taskArns": []}, describe_tasks={"tasks": []})
    began = world.now
    result, _ = act(ecs_service_wait, lambda *_: ecs, deployment="ecs-svc/2")
    assert result["msg"].startswith("site was rolled back: it runs legacy-unit:2 by ecs-svc/1, not ecs-svc/2.")
    assert ecs_service_wait.STALE_SECONDS <= world.now - began < 2 * ecs_service_wait.STALE_SECONDS


def test_what_ecs_said_of_a_failure_is_remembered_when_it_shows_it_no_longer(world: Up) -> None:
    answers = shown_by("ecs-svc/1", "ecs-svc/1")
    failed = {"id": "ecs-svc/2", "status": "ACTIVE", "rolloutState": "FAILED", "rolloutStateReason": "circuit breaker"}
    answers[0]["services"][0]["deployments"].append(failed | {"taskDefinition": REVISION.format(2)})
    ecs = Fake(describe_services=answers, list_tasks={"taskArns": []}, describe_tasks={"tasks": []})
    began = world.now
    result, _ = act(ecs_service_wait, lambda *_: ecs, deployment="ecs-svc/2")
    assert "it runs legacy-unit:2 by ecs-svc/1, not ecs-svc/2 (circuit breaker)." in result["msg"]
    assert world.now - began < 2 * ecs_service_wait.SURE_SECONDS


@pytest.mark.usefixtures("world")
def test_a_failure_that_was_shown_before_the_deployment_itself_is_none_of_it() -> None:
    answers = shown_by("ecs-svc/1", "ecs-svc/2", *["ecs-svc/1"] * 12, "ecs-svc/2")
    failed = {"id": "ecs-svc/2", "status": "ACTIVE", "rolloutState": "FAILED", "taskDefinition": REVISION.format(2)}
    answers[0]["services"][0]["deployments"].append(failed)
    answers[1]["services"][0]["deployments"][0]["rolloutState"] = "IN_PROGRESS"
    ecs = Fake(describe_services=answers, list_tasks={"taskArns": []}, describe_tasks={"tasks": []})
    result, _ = act(ecs_service_wait, lambda *_: ecs, deployment="ecs-svc/2")
    assert not result.get("failed"), result


@pytest.mark.usefixtures("world")
def test_a_deployment_of_another_revision_is_another() -> None:
    ecs = Fake(describe_services=shown_by("ecs-svc/2"), list_tasks={"taskArns": []}, describe_tasks={"tasks": []})
    revision = REVISION.format(3)
    result, _ = act(ecs_service_wait, lambda *_: ecs, deployment="ecs-svc/2", task_definition=revision)
    assert result["msg"].startswith("site was rolled back: it runs legacy-unit:2, not legacy-unit:3.")


# The playbook

TASKS = tasks_of("playbooks/restart.yml")
TWO: dict[str, Any] = {
    "site_services": {
        "worker": {"containers": {"celery": {"image": "shop/web", "mem_limit": "64m"}}},
        "beat": {"containers": {"beat": {"image": "shop/web", "mem_limit": "64m"}}},
    }
}


def known(site: dict[str, Any], /, **typed: Any) -> dict[str, Any]:
    (play,) = load("playbooks/restart.yml")
    return variables(**site) | dict(play["vars"]) | {"site_prefix": "shop-prod"} | typed


@pytest.mark.parametrize(
    ("typed", "services"),
    [({}, ["worker", "beat"]), ({"service": ""}, ["worker", "beat"]), ({"service": "beat"}, ["beat"])],
)
def test_one_service_or_all_in_the_order_of_the_inventory(typed: dict[str, str], services: list[str]) -> None:
    assert evaluate(TASKS["Restart one after the other"]["loop"], known(TWO, **typed)) == services


@pytest.mark.parametrize(("service", "meant"), [("baet", "beat"), ("web", "worker")])
def test_another_service_is_refused_with_those_there_are(service: str, meant: str) -> None:
    check = TASKS["Refuse a service that the site has not"]["ansible.builtin.assert"]
    assert not holds(check["that"], known(TWO, service=service))
    said = evaluate(check["fail_msg"], known(TWO, service=service))
    assert said.startswith(f"The site has no service {service} (worker, beat): ansible-playbook restart.yml -i ")
    assert said.endswith(f" -e service={meant}")
    assert holds(check["that"], known(TWO, service="beat"))
    assert holds(check["that"], known(TWO))
    evaluate(check["fail_msg"], known(TWO))  # Ansible makes it also where nothing fails, and nothing is typed


def test_a_service_that_is_not_up_is_refused_before_any_is_restarted() -> None:
    check = TASKS["Refuse services that are not up"]["ansible.builtin.assert"]
    found = {"services": {"worker": {"service": "arn"}}}
    assert not holds(check["that"], known(TWO, restart_live=found))
    said = evaluate(check["fail_msg"], known(TWO, restart_live=found))
    assert said.startswith("There is no service beat in the cluster shop-prod. Type: ansible-playbook site.yml")
    assert holds(check["that"], known(TWO, restart_live=found, service="worker"))


def test_what_is_waited_for_is_the_deployment_that_was_begun() -> None:
    tasks = tasks_of("playbooks/tasks/restart.yml")
    found = known(TWO) | {
        "restart_service": "beat",
        "restart_live": {"services": {"beat": {"service": "arn/beat"}}},
        "restart_begun": {"deployment": "ecs-svc/2"},
        "service_wait_minutes": 2,
    }
    (begin, wait) = tasks.values()
    expected = {"cluster": "shop-prod", "service": "arn/beat", "timeout": 120}
    assert {name: evaluate(value, found) for name, value in begin["ecs_service_restart"].items()} == expected
    asked = {name: evaluate(value, found) for name, value in wait["ecs_service_wait"].items()}
    assert asked == expected | {"deployment": "ecs-svc/2"}
    assert holds(wait["when"], found | {"ansible_check_mode": False})
    assert not holds(wait["when"], found | {"ansible_check_mode": True})


@pytest.mark.playbook
def test_it_is_typed_like_the_other_verbs(tmp_path: Path) -> None:
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"prod": {"hosts": {"localhost": local}}}))
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/prod.yml").write_text(yaml.safe_dump(SITE, sort_keys=False))
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    command = ["ansible-playbook", "restart.yml", "-i", str(tmp_path / "hosts.yml"), "-e", json.dumps(IDENTITY)]
    done = subprocess.run(
        [*command, "-e", "service=wbe"], cwd=PROJECT, env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    said = " ".join(done.stdout.split())
    assert f"no service wbe (web): ansible-playbook restart.yml -i {tmp_path}/hosts.yml -e service=web" in said
    assert "docs/troubleshooting.md#give-a-command" in said

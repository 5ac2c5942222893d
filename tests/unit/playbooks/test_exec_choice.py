"""Which container exec runs in: all that somebody may type, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.playbooks.test_exec import CONTAINER, SITE
from tests.unit.variables_support import evaluate, holds, load, tasks_of, variables

REFUSAL = tasks_of("playbooks/exec.yml")["Refuse a run without a command, or in a container that the site has not"]


def chosen(site: Mapping[str, Any] = SITE, /, **typed: str) -> tuple[bool, str, str]:
    """Whether it is taken, the container, and what would be said else."""
    known = variables("playbooks/vars/exec.yml", **site, **{"command": "id", **typed})
    known["ansible_version"] = {}
    taken = holds(REFUSAL["ansible.builtin.assert"]["that"], known)
    return (
        taken,
        evaluate("{{ exec_container }}", known),
        evaluate(REFUSAL["ansible.builtin.assert"]["fail_msg"], known),
    )


@pytest.mark.parametrize(
    ("typed", "container"),
    [
        ({}, "web.django"),
        ({"container": "web.nginx"}, "web.nginx"),
        ({"container": "nginx"}, "web.nginx"),
        ({"container": "celery"}, "worker.celery"),
        ({"container": "beat.statsd"}, "beat.statsd"),
    ],
    ids=["that jobs are like", "by its whole name", "by its own name", "of another service", "one of two"],
)
def test_a_container_that_is_the_only_one_meant_is_taken(typed: dict[str, str], container: str) -> None:
    assert chosen(**typed)[:2] == (True, container)


def test_without_a_job_that_is_like_one_it_has_to_be_named() -> None:
    services = SITE["site_services"]
    own = {"report": {**CONTAINER, "command": ["report"], "run": "by_hand"}}
    for jobs in ({}, own):
        taken, _, said = chosen({"site_services": services, "site_jobs": jobs})
        assert not taken
        assert said.startswith("Give a command, and the container (web.nginx, web.django, worker.celery, ")
        assert said.endswith("-e command='python manage.py check' -e container=web.nginx")
    later = {**own, "ask": {"like": "worker.celery", "command": ["ask"]}}
    assert chosen({"site_services": services, "site_jobs": later})[:2] == (True, "worker.celery")
    one = {"web": {"containers": {"app": CONTAINER}}}
    assert chosen({"site_services": one})[:2] == (True, "web.app"), "it has no other"


def test_for_a_shell_no_command_is_needed() -> None:
    assert chosen(command="", shell="true")[:2] == (True, "web.django")
    assert not chosen(command="", shell="false")[0]
    assert not chosen(command="", shell="true", container="postgres")[0]


@pytest.mark.parametrize("container", ["postgres", "web.celery", "web", "django.web", "jango", ""])
def test_one_that_the_site_has_not_is_refused_with_those_there_are(container: str) -> None:
    taken, _, said = chosen(container=container)
    assert not taken
    assert "(web.nginx, web.django, worker.celery, worker.statsd, beat.statsd)" in said
    assert "-e container=web.django" in said


def test_a_name_that_two_services_have_is_refused_and_both_are_said() -> None:
    taken, _, said = chosen(container="statsd")
    assert not taken
    assert "several are called statsd" in said
    assert "-e container=worker.statsd" in said


@pytest.mark.parametrize("count", [0, 1, 30, 1000])
def test_one_host_is_chosen_of_any_number(count: int) -> None:
    """The first by its id that runs the container; who could not be asked is none."""
    play = next(each for each in load("playbooks/exec.yml") if each["name"] == "Find a running container of the site")
    names = [f"i-{at:04}" for at in range(count)]
    found: list[dict[str, Any]] = [
        {"inventory_hostname": "i-away"},
        {"inventory_hostname": "i-0000-idle", "exec_found": {"stdout": ""}},
    ]
    found += [{"inventory_hostname": name, "exec_found": {"stdout": "0123456789ab"}} for name in reversed(names)]
    known = variables("playbooks/vars/exec.yml", **SITE) | {
        "ansible_play_hosts_all": [each["inventory_hostname"] for each in found],
        "hostvars": {each["inventory_hostname"]: each for each in found},
    }
    assert evaluate("{{ exec_running }}", known | play["vars"]) == names
    assert len(evaluate("{{ exec_hosts }}", known | play["vars"])) == count + 1

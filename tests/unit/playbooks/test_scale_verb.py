"""The verb scale: of which service, and what the inventory says of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.variables_support import evaluate, holds, load, tasks_of, variables

TASKS = tasks_of("playbooks/scale.yml")
SERVICES = {
    "web": {"containers": {"web": {"image": "shop/web", "mem_limit": "64m"}}, "deploy": {"replicas": 2}},
    "api": {"containers": {"api": {"image": "shop/api", "mem_limit": "64m"}}, "scale": {"min": 1, "max": 4, "cpu": 60}},
}


def known(**typed: Any) -> dict[str, Any]:
    (play,) = load("playbooks/scale.yml")
    return variables(**{"site_prefix": "shop-prod", "site_services": SERVICES} | play["vars"] | typed)


def asked(**typed: Any) -> dict[str, Any]:
    task = TASKS["Set the number, if there is room"]["service_scale"]
    found = {name: evaluate(value, known(**typed)) for name, value in task.items()}
    return {name: found[name] for name in ("service", "replicas", "min", "max", "inventory")}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (
            {"service": "web", "replicas": "3"},
            {"service": "web", "replicas": "3", "min": "", "max": "", "inventory": "2"},
        ),
        (
            {"service": "api", "min": "2", "max": "6"},
            {"service": "api", "replicas": "", "min": "2", "max": "6", "inventory": "1-4"},
        ),
    ],
)
def test_what_is_typed_stands_beside_what_the_inventory_says(typed: dict[str, str], expected: dict[str, str]) -> None:
    assert asked(**typed) == expected


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({}, "Name a service of the site (web, api): ansible-playbook scale.yml "),
        ({"service": "wbe"}, "Name a service of the site (web, api), which has no wbe: ansible-playbook scale.yml "),
    ],
)
def test_another_service_is_refused_with_those_there_are(typed: dict[str, str], says: str) -> None:
    check = TASKS["Refuse a service that the site has not"]["ansible.builtin.assert"]
    assert not holds(check["that"], known(**typed))
    said = evaluate(check["fail_msg"], known(**typed))
    assert said.startswith(says)
    assert said.endswith(" -e service=web -e replicas=2")
    assert holds(check["that"], known(service="api"))
    evaluate(check["fail_msg"], known(service="api"))


def test_only_what_was_changed_is_waited_for() -> None:
    when = TASKS["Wait for its tasks"]["when"]
    assert when == "scale_done is changed and not ansible_check_mode"
    given = evaluate(TASKS["Wait for its tasks"]["ecs_service_wait"], known(scale_done={"service": "web-1"}))
    assert (given["cluster"], given["service"]) == ("shop-prod", "web-1")

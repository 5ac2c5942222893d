"""Between the hosts and the first that logs in, `site` makes the logins that are missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader

from tests.unit.variables_support import PROJECT, evaluate, holds, load, variables

LOOK, MAKE = load("playbooks/tasks/logins.yml")
MADE = load("playbooks/tasks/logins_made.yml")
FILES = ("playbooks/vars/layers.yml", "playbooks/vars/tunnel.yml", "playbooks/vars/logins.yml")
CONTAINER: dict[str, Any] = {"image": "shop/web", "mem_limit": "64m"}
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"
SITE: dict[str, Any] = {
    "site_services": {"web": {"containers": {"app": CONTAINER}}},
    "site_databases": {
        "main": {"name": "goods", "username": "clerk"},
        "more": {},
        "old": {"endpoint": "db.example.net", "secret_arn": ARN},
    },
}
HOST = {"inventory_hostname": "i-0a", "ansible_host": "203.0.113.7"}


def known(described: dict[str, Any] = SITE, **more: Any) -> dict[str, Any]:
    there = {"site_prefix": "shop-prod", "groups": {"ecs_hosts": []}, "preflight_asked": {}, "site": {"stacks": {}}}
    return variables(*FILES, **described) | there | more


def test_the_logins_come_when_there_are_hosts_and_before_anything_logs_in() -> None:
    plays = [each["ansible.builtin.import_playbook"] for each in load("playbooks/site.yml")]
    assert plays.index("hosts_wait.yml") < plays.index("services.yml")
    first = load("playbooks/tasks/services.yml")[0]
    assert first["ansible.builtin.include_tasks"] == "logins.yml"
    assert holds(first["when"], known())
    assert not holds(first["when"], known(SITE | {"site_databases": {"old": SITE["site_databases"]["old"]}}))


def test_each_database_of_berth_has_one_and_nobody_else_s() -> None:
    asked = {key: evaluate(value, known()) for key, value in LOOK["database_login"].items()}
    assert asked == {
        "databases": {
            "main": {"stack": "shop-prod-database-main", "dbname": "goods", "username": "clerk"},
            "more": {"stack": "shop-prod-database-more", "dbname": "site", "username": "site"},
        },
        "hosts": [],
        "region": "us-east-1",
    }


@pytest.mark.parametrize("missing", [["main"], []])
def test_they_are_made_where_one_is_missing(missing: list[str]) -> None:
    assert MAKE["ansible.builtin.include_tasks"] == "logins_made.yml"
    assert holds(MAKE["when"], known(logins_found={"missing": missing})) is bool(missing)
    refresh, hosts, login = MADE
    assert refresh["ansible.builtin.meta"] == "refresh_inventory"
    assert hosts["ansible.builtin.import_tasks"] == "hosts_there.yml"
    there = known(groups={"ecs_hosts": ["i-0a"]}, hostvars={"i-0a": HOST}, host_access_session_manager=True)
    given = {key: evaluate(value, there) for key, value in login["database_login"].items()}
    assert [each["address"] for each in given.pop("hosts")] == ["203.0.113.7"]
    assert given == {
        "databases": evaluate(LOOK["database_login"]["databases"], there), "session_manager": True,
        "region": "us-east-1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "stacks", "due"),
    [
        ({}, {}, False),
        ({"login_due": False}, {"database.main": {"changed": False}}, False),
        ({"login_due": True}, {}, True),
        ({"login_due": False}, {"database.main": {"changed": True}}, True),
        ({}, {"cluster": {"changed": True}}, False),
    ],
    ids=["not asked", "nothing to do", "a run that was interrupted", "this run", "another layer"],
)
def test_a_database_that_was_replaced_has_them_made_also_where_nothing_else_is_to_be_done(
    asked: dict[str, bool], stacks: dict[str, Any], due: bool
) -> None:
    there = known(preflight_asked={"databases": {"main": asked}}, site={"stacks": stacks, "complete": True})
    assert evaluate("{{ logins_due | bool }}", there) is due


@pytest.mark.parametrize("anew", [True, False])
def test_an_inventory_that_is_read_anew_looks_for_hosts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, anew: bool
) -> None:
    """A first `site` has none when it begins, and no other use for them."""
    looked = list[dict[str, str]]()
    inventory_loader.add_directory(str(PROJECT / "plugins/inventory"))
    plugin = inventory_loader.get("environment")
    own, module = type(plugin), sys.modules[type(plugin).__module__]
    monkeypatch.setattr(module, "concerns_hosts", lambda _: False)
    monkeypatch.setattr(module, "refusal_of_typed", lambda *_: "")
    monkeypatch.setattr(own, "_set_variables", lambda *_: None)
    monkeypatch.setattr(own, "_typed", lambda _: {})
    monkeypatch.setattr(own, "_find_hosts", lambda _, identity: looked.append(identity))
    path = tmp_path / "environment.yml"
    path.write_text("plugin: environment\nsite_name: shop\naws_region: us-east-1\n")
    plugin.parse(InventoryData(), DataLoader(), str(path), cache=not anew)
    assert bool(looked) is anew


@pytest.mark.parametrize(
    ("outputs", "parameters", "attached"),
    [
        ({}, {}, []),
        ({"LoginArn": "arn:1"}, {"DatabaseName": "goods"}, ["main"]),
        ({"LoginArn": "arn:1"}, {"DatabaseLoginAttached": "true"}, ["main"]),
        ({"LoginArn": "arn:1"}, {"DatabaseLoginAttached": "false"}, []),
        ({"SecretArn": "arn:1"}, {"DatabaseName": "goods"}, []),
    ],
    ids=["new", "before", "before, since", "now", "before there was a login"],
)
def test_a_stack_that_has_written_the_login_keeps_that(
    outputs: dict[str, str], parameters: dict[str, str], attached: list[str]
) -> None:
    stacks = {"shop-prod-database-main": {"outputs": outputs, "parameters": parameters}} if outputs else {}
    asked = {"databases": {"main": {"allocated": 20}, "more": {}}, "stacks": stacks}
    assert evaluate("{{ database_login_attached }}", known(preflight_asked=asked)) == attached
    assert evaluate("{{ database_login_attached }}", known()) == []

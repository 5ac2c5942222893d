"""The verb upgrade_database: what is refused first, what is asked for, and what it says at its end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.variables_support import evaluate, holds, load, refusal, tasks_of, variables

TASKS = tasks_of("playbooks/upgrade_database.yml")
DONE: dict[str, Any] = {
    "before": "15.12", "after": "16.4", "major": True, "upgraded": False, "allocated": 34, "snapshot": "",
}  # fmt: skip
CONTAINER = {"image": "shop/web", "mem_limit": "64m", "ports": ["8000"]}
SITE: dict[str, Any] = {
    "site_services": {"web": {"containers": {"app": CONTAINER}, "routes": [{"to": "app", "health": "/"}]}},
    "site_databases": {
        "main": {"name": "shop", "version": "15"},
        "old": {"endpoint": "db.example.org", "secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:old"},
    },
}


def known(**typed: Any) -> dict[str, Any]:
    files = ("playbooks/vars/tunnel.yml", "playbooks/vars/upgrade_database.yml")
    return variables(*files, **SITE) | {"site_prefix": "shop-prod", "ansible_check_mode": False} | typed


def refused(task: str, **typed: Any) -> str:
    """What an assert says; empty where it holds."""
    return refusal(TASKS[task], known(**typed))


def test_the_only_database_of_berth_s_is_meant() -> None:
    task = "Refuse a database that Berth has not made"
    assert refused(task) == refused(task, database="main") == ""
    assert refused(task, database="mian").endswith("upgrade_database.yml -i <inventory> -e database=main")
    assert refused(task, database="old").startswith("Berth makes no database old of this site (main): ansible-playbook")
    both = {"site_databases": {**SITE["site_databases"], "more": {}}}
    assert refused(task, **both).startswith("Name the database of this site (main, more): ansible-playbook upgrade_dat")
    assert "of this site (it makes none)" in refused(task, site_databases={"old": SITE["site_databases"]["old"]})


@pytest.mark.parametrize(
    ("version", "right"), [("16", 1), ("16.4", 1), ("", 1), ("16.4.1", 0), ("latest", 0), ("9", 0)]
)
def test_a_version_is_as_rds_counts_them(version: str, right: bool) -> None:
    said = refused("Refuse what is no version", version=version)
    assert (said == "") == bool(right)
    assert right or said.startswith(f"{version} is no version of PostgreSQL as RDS counts them. Type for example: ")


def test_the_word_is_the_environment_s() -> None:
    task = "Refuse a word that is not the environment's"
    assert refused(task) == refused(task, confirm="prod") == ""
    said = refused(task, confirm="prd", version="16")
    assert said.startswith("prd is not the environment. To say that the site's own database is to be upgraded, type: ")
    assert said.endswith("upgrade_database.yml -i <inventory> -e version=16 -e confirm=prod")


def test_hosts_that_let_no_port_through_are_told() -> None:
    task = "Refuse hosts that let no port through"
    assert "host_access_forwarding is none" in refused(task, host_access_forwarding="none")
    assert refused(task, host_access_forwarding="none", host_access_session_manager=True) == ""
    assert refused(task) == ""


def test_only_the_site_s_own_needs_a_closed_site() -> None:
    task = "Refuse to cut off visitors unannounced"
    assert refused(task, upgrade_page={"skipped": True}) == ""
    assert refused(task, confirm="prod", upgrade_page={"on": True}) == ""
    assert refused(task, confirm="prod", in_use="false", upgrade_page={"skipped": True}) == ""
    assert refused(task, confirm="prod", upgrade_page={"on": False}, ansible_check_mode=True) == ""
    said = refused(task, confirm="prod", version="16", upgrade_page={"on": False})
    assert "maintenance.yml -i <inventory> -e maintenance=on" in said
    assert said.endswith("-e version=16 -e confirm=prod -e in_use=false")


@pytest.mark.parametrize(("typed", "version"), [({}, "15"), ({"version": "16"}, "16"), ({"version": 16.4}, "16.4")])
def test_a_database_is_asked_for_as_the_inventory_has_it(typed: dict[str, Any], version: str) -> None:
    task = TASKS["Upgrade a copy, compare, and where that is said the site's own"]
    patch = {"Database.DBParameterGroupName": "mine16"}
    there = known(confirm="prod", backup_wait_minutes=5, site_tags={"Site": "shop"}, **typed)
    there["site_databases"] = {"main": SITE["site_databases"]["main"] | {"patch": patch}}
    there |= {"groups": {"ecs_hosts": ["i-0a"]}, "hostvars": {"i-0a": {"inventory_hostname": "i-0a"}}}
    there |= {"site": {"outputs": {"database.main.InstanceId": "db-1"}}}
    assert {name: evaluate(value, there) for name, value in task["database_upgrade"].items()} == {
        "database": "main", "version": version, "written": "15", "instance": "db-1", "prefix": "shop-prod",
        "confirm": "prod", "wanted": "prod", "parameter_group": "mine16", "stack": "shop-prod-database-main",
        "dbname": "shop", "session_manager": False, "region": "us-east-1", "tags": {"Site": "shop"}, "timeout": 300,
        "hosts": [{"name": "i-0a", "address": "i-0a", "user": "ec2-user", "key_file": "", "options": ""}],
    }  # fmt: skip


def test_the_stack_is_told_only_where_the_site_s_own_was_meant_and_keeps_what_has_grown() -> None:
    task = TASKS["Leave the layer as a run of site has it"]
    conditions = task["when"]
    for typed, told in (
        ({}, False),
        ({"confirm": "prod"}, True),
        ({"confirm": "prod", "ansible_check_mode": True}, False),
    ):
        assert holds(conditions, known(**typed)) == told, typed
    there = known(upgrade_done=DONE)
    assert evaluate(task["vars"]["database_allocated_gb"], there) == {"main": 34}
    assert evaluate(task["cloudformation_stacks"]["only"], there) == ["database.main"]


@pytest.mark.parametrize(
    ("typed", "done", "says"),
    [
        (
            {"version": "16"},
            {},
            'write version: "16" into site_databases.main, then ansible-playbook upgrade_database.yml',
        ),
        (
            {},
            {"major": False, "after": "15.13"},
            "The site is as it was. To upgrade its own database: ansible-playbook",
        ),
        ({}, {"after": "15.12"}, "Nothing was to be upgraded: database.main runs PostgreSQL 15.12."),
        ({}, {"upgraded": True, "snapshot": "one"}, "As it was before it is in the snapshot one"),
        ({"ansible_check_mode": True}, {}, "In check mode nothing was changed."),
    ],
)
def test_it_says_how_to_go_on(typed: dict[str, Any], done: dict[str, Any], says: str) -> None:
    there = known(upgrade_done=DONE | done, **typed)
    said = " ".join(str(evaluate(TASKS["Say how to go on"]["ansible.builtin.debug"]["msg"], there)).split())
    assert says in said, said
    facts = TASKS["Write into the ledger what was upgraded"]["ledger_entry"]["facts"]["upgraded"]
    assert evaluate(facts, there)["database.main"].keys() == {"before", "after", "upgraded", "snapshot"}


def test_its_arguments_are_told() -> None:
    told = load("playbooks/vars/arguments.yml")["verb_arguments"]["upgrade_database"]
    assert set(told) == {"database", "version", "confirm", "in_use", "lock_wait"}

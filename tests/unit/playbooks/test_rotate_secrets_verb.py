"""The verb rotate_secrets: what is refused before anything is done, and in which order it goes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.variables_support import evaluate, holds, load, refusal, tasks_of, variables

TASKS = tasks_of("playbooks/rotate_secrets.yml")
REFUSALS = tasks_of("playbooks/tasks/rotate_refusals.yml")
SECRETS = {"PASSWORD": "database.main.password", "USER": "database.main.username"}
CONTAINER: dict[str, Any] = {"image": "shop/web", "mem_limit": "64m", "ports": ["8000"]}
SITE: dict[str, Any] = {
    "site_services": {"web": {"containers": {"app": CONTAINER | {"secrets": SECRETS}}}},
    "site_databases": {"main": {"name": "goods"}},
    "site_secrets": {"key": {"generate": ["word"], "length": 40}, "mail": {"parameter": "/shop/mail"}},
}
NONE: dict[str, Any] = {"site_services": {"web": {"containers": {"app": CONTAINER}}}}
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"
KEY: dict[str, Any] = {"secret": "key"}
MAIL: dict[str, Any] = {"secret": "mail"}
OUTSIDE = SITE | {"site_databases": {"main": {"endpoint": "db.example.net", "secret_arn": ARN}}}


def known(site: dict[str, Any] = SITE, **typed: Any) -> dict[str, Any]:
    files = ("playbooks/vars/tunnel.yml", "playbooks/vars/rotate_secrets.yml")
    return variables(*files, **site) | {"site_prefix": "shop-prod", "ansible_check_mode": False} | typed


def refused(task: str, site: dict[str, Any] = SITE, **typed: Any) -> str:
    """What an assert says; empty where it holds."""
    return refusal(REFUSALS[task], known(site, **typed))


@pytest.mark.parametrize(
    ("site", "typed", "said"),
    [
        (NONE, {}, "This site has no database: site_databases is empty."),
        (
            SITE | {"site_databases": {"main": {}, "more": {}}}, {},
            "Name the database (main, more): ansible-playbook rotate_secrets.yml",
        ),
        (SITE, {"database": "mian"}, "The site has no database mian (main): ansible-playbook rotate_secrets.yml"),
    ],
)  # fmt: skip
def test_a_database_that_is_not_meant_is_refused(site: dict[str, Any], typed: dict[str, str], said: str) -> None:
    task = "Refuse a database that the site has not"
    assert refused(task, site, **typed).startswith(said)
    assert refused(task) == refused(task, database="main") == ""


def test_a_database_of_somebody_else_is_theirs_to_rotate() -> None:
    task = "Refuse a database outside of Berth"
    said = refused(task, OUTSIDE)
    assert said.startswith("database.main has an endpoint, so it is another's, and so are its users.")
    assert f"writes it into {ARN}; then ansible-playbook restart.yml" in said
    assert refused(task) == ""


def test_hosts_that_let_no_port_through_are_told() -> None:
    task = "Refuse hosts that let no port through"
    assert "host_access_forwarding is none" in refused(task, host_access_forwarding="none")
    assert refused(task, host_access_forwarding="none", host_access_session_manager=True) == ""
    assert refused(task) == ""


def test_the_database_is_meant_as_the_inventory_has_it_in_both_steps() -> None:
    host = {"inventory_hostname": "i-0a", "ansible_host": "203.0.113.7"}
    there = known() | {"groups": {"ecs_hosts": ["i-0a"]}, "hostvars": {"i-0a": host}, "service_wait_minutes": 20}
    one, two = (
        {key: evaluate(value, there) for key, value in TASKS[task]["database_rotate"].items()}
        for task in ("Let tasks that start log in as the other user", "Retire the user of before")
    )
    assert (one.pop("state"), two.pop("state")) == ("switched", "retired")
    assert one == two
    assert (one["cluster"], one["database"], one["dbname"]) == ("shop-prod", "main", "goods")
    assert (one["stack"], one["timeout"]) == ("shop-prod-database-main", 1200)
    assert one["hosts"][0]["address"] == "203.0.113.7"


def test_the_one_of_before_goes_when_every_service_that_has_it_has_started_anew() -> None:
    names = list(TASKS)
    order = [
        "Let tasks that start log in as the other user", "Let tasks that start have another value",
        "Write into the ledger which version of the secret tasks read now",
        "Let the tasks of each service start anew", "Retire the user of before",
        "See that no task has the value of before", "Write into the ledger that what was before is gone",
    ]  # fmt: skip
    assert names[-len(order) :] == order
    assert TASKS["Let the tasks of each service start anew"]["loop"] == "{{ rotate_switched.services }}"
    restart = tasks_of("playbooks/tasks/rotate_service.yml")
    wait = restart["Wait until all its tasks are new and healthy"]["ecs_service_wait"]
    assert wait["proven"] is True
    assert wait["deployment"] == "{{ rotate_begun.deployment }}"


def test_the_ledger_has_the_versions_and_no_value() -> None:
    switched = {"secret": ARN, "version": "2", "previous": "1", "services": ["web"], "changed": True}
    there = known() | {"rotate_login_switched": switched, "rotate_value_switched": {"skipped": True}}
    kept = [evaluate(TASKS[name]["ledger_entry"]["facts"], there) for name in TASKS if "ledger_entry" in TASKS[name]]
    rotation = {"of": "database.main", "secret": ARN, "version": "2", "previous": "1"}
    assert kept == [{"rotation": rotation}, {"rotation": rotation | {"retired": True}}]


def test_a_secret_is_given_another_value_only_if_it_is_generated_and_that_is_meant() -> None:
    task = "Refuse a secret that Berth does not generate"
    said = refused(task, **MAIL)
    assert said.startswith(
        "There is no secret mail in site_secrets that is generated (key): ansible-playbook rotate_se"
    )
    assert said.endswith("-e secret=key")
    assert refused(task, NONE, **KEY) == "No secret of this site is generated."
    assert refused(task, **KEY) == refused(task) == ""
    task = "Refuse to give up what was signed or encrypted, unasked"
    assert refused(task, **KEY, confirm="main").endswith("-e secret=key -e confirm=key")
    assert refused(task, **KEY, confirm="key") == refused(task) == ""
    assert refused(task, **KEY, ansible_check_mode=True) == "", "a check run gives nothing up"
    task = "Refuse two things at once"
    assert refused(task, **KEY, database="main").startswith("Name one of them: ansible-playbook rotate_secrets")
    assert refused(task, **KEY) == refused(task, database="main") == ""


def test_a_secret_needs_neither_a_database_nor_hosts() -> None:
    there = {**NONE, "site_secrets": SITE["site_secrets"]}
    for name in REFUSALS:
        assert refused(name, there, **KEY, confirm="key", host_access_forwarding="none") == "", name
    told = known(there, **KEY) | {"service_wait_minutes": 20}
    one, two = (
        {key: evaluate(value, told) for key, value in TASKS[task]["secret_rotate"].items()}
        for task in ("Let tasks that start have another value", "See that no task has the value of before")
    )
    assert one | {"state": "retired"} == two
    assert (one["stack"], one["value_of"], one["length"]) == ("shop-prod-secret-key", "word", 40)
    for name, each in TASKS.items():
        if "database_rotate" in each:
            assert not holds(each["when"], told), name
            assert holds(each["when"], known())
        if "secret_rotate" in each:
            assert holds(each["when"], told), name
            assert not holds(each["when"], known())
    assert evaluate(load("playbooks/vars/rotate_secrets.yml")["rotate_facts"]["rotation"]["of"], told) == "secret.key"


def test_the_verb_is_told_what_it_is_about() -> None:
    told = load("playbooks/vars/arguments.yml")["verb_arguments"]["rotate_secrets"]
    assert set(told) == {"database", "secret", "confirm", "lock_wait"}

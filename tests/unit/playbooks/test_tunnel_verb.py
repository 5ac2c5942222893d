"""The verb tunnel: which database, through which hosts; and what is refused before anything is opened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.variables_support import IDENTITY, PROJECT, evaluate, holds, tasks_of, variables

TASKS = tasks_of("playbooks/tunnel.yml")
SITE: dict[str, Any] = {
    "site_services": {"web": {"containers": {"app": {"image": "shop/web", "mem_limit": "64m"}}}},
    "site_databases": {"main": {"name": "shop", "username": "clerk"}},
}
OUTSIDE = {
    "endpoint": "db.example.net", "port": 6432, "name": "reports",
    "secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:reports-AbCdEf",
}  # fmt: skip
TWO = SITE | {"site_databases": {"main-db": {}, "reports": OUTSIDE}}
NAMED = TASKS["Refuse a database that the site has not"]["ansible.builtin.assert"]
HOSTS = {
    "i-0b": {"ansible_host": "10.0.0.6", "ansible_user": "ec2-user", "ansible_ssh_common_args": "-o A=b"},
    "i-0a": {"ansible_host": "10.0.0.5", "ansible_user": "ec2-user", "ansible_ssh_private_key_file": "~/k"},
}


def known(site: dict[str, Any] = SITE, **typed: Any) -> dict[str, Any]:
    there = {name: {"inventory_hostname": name, **given} for name, given in HOSTS.items()}
    found = variables("playbooks/vars/tunnel.yml", **site) | {"groups": {"ecs_hosts": [*HOSTS]}, "hostvars": there}
    return found | {"site_prefix": "shop-prod"} | typed


def asked(site: dict[str, Any] = SITE, **typed: Any) -> dict[str, Any]:
    task = TASKS["Lead the port there"]["database_tunnel"]
    # This process does not find Ansible's own lookup `vars`; the run below does.
    return {name: evaluate(value, known(site, **typed)) for name, value in task.items() if name != "open_for"}


def test_the_only_database_is_meant_and_the_hosts_are_those_of_ansible() -> None:
    assert asked() == {
        "database": "main", "stack": "shop-prod-database-main", "address": "", "to_port": 5432, "secret": "",
        "dbname": "shop", "username": "clerk", "session_manager": False, "port": "15432",
        "region": "us-east-1",
        "hosts": [
            {"name": "i-0a", "address": "10.0.0.5", "user": "ec2-user", "key_file": "~/k", "options": ""},
            {"name": "i-0b", "address": "10.0.0.6", "user": "ec2-user", "key_file": "", "options": "-o A=b"},
        ],
    }  # fmt: skip


def test_another_port_and_another_way() -> None:
    found = asked(local_port=5433, host_access_session_manager=True)
    assert (found["port"], found["session_manager"]) == ("5433", True)


def test_one_of_several_is_named_also_one_outside_of_berth() -> None:
    assert asked(TWO, database="main-db")["stack"] == "shop-prod-database-main-db"
    found = asked(TWO, database="reports")
    assert (found["stack"], found["address"], found["to_port"]) == ("", "db.example.net", 6432)
    assert (found["secret"], found["dbname"], found["username"]) == (OUTSIDE["secret_arn"], "reports", "")


@pytest.mark.parametrize(
    ("site", "typed", "said"),
    [
        (SITE | {"site_databases": {}}, {}, "This site has no database: site_databases is empty."),
        (TWO, {}, "Name the database (main-db, reports): ansible-playbook tunnel.yml"),
        (SITE, {"database": "mian"}, "The site has no database mian (main): ansible-playbook tunnel.yml"),
    ],
)
def test_a_database_that_is_not_meant_is_refused(site: dict[str, Any], typed: dict[str, str], said: str) -> None:
    there = known(site, **typed)
    assert not holds(NAMED["that"], there)
    assert evaluate(NAMED["fail_msg"], there).startswith(said)
    assert holds(NAMED["that"], known())
    evaluate(NAMED["fail_msg"], known())


def test_hosts_that_let_nothing_through_are_told() -> None:
    check = TASKS["Refuse hosts that let no port through"]["ansible.builtin.assert"]
    assert not holds(check["that"], known(host_access_forwarding="none"))
    assert "host_access_forwarding is none" in evaluate(check["fail_msg"], known())
    assert holds(check["that"], known())
    assert holds(check["that"], known(host_access_forwarding="none", host_access_session_manager=True))


@pytest.mark.playbook
def test_it_is_typed_like_the_other_verbs(tmp_path: Path) -> None:
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = {"hosts": {"localhost": local}, "children": {"ecs_hosts": {"hosts": HOSTS}}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"prod": hosts}))
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/prod.yml").write_text(yaml.safe_dump(SITE, sort_keys=False))
    identity = " ".join(f"{name}={value}" for name, value in IDENTITY.items())
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    command = ["ansible-playbook", "tunnel.yml", "-i", str(tmp_path / "hosts.yml"), "-e", identity]
    for typed, sentence in (
        ("local_port=80", "local_port is '80'; write a port of this machine from 1024 to 65535"),
        ("for=soon", "for is 'soon'; write a time as 30s, 15m, 2h or 3d"),
    ):
        done = subprocess.run(
            [*command, "-e", typed], cwd=PROJECT, env=kept, capture_output=True, text=True, check=False
        )
        said = " ".join((done.stdout + done.stderr).split())
        assert done.returncode != 0
        assert f"{sentence}: ansible-playbook tunnel.yml -i {tmp_path}/hosts.yml -e " in said
        assert "reserved name" not in said

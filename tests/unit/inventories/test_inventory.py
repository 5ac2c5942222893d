"""The inventories: what differs from one environment to the next, and nothing else."""

from __future__ import annotations

import ipaddress
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from local_aws.config import CONFIGS
from plugins.plugin_utils.site.reading import VARIABLES
from tests.unit.rules_support import of_inventory

pytestmark = pytest.mark.playbook

PROJECT = Path(__file__).resolve().parents[3]
ENVIRONMENTS = ("local", "test", "prod")
EMBEDDED = ("local", "test")
VERBS = ("site", "preflight", "publish", "run", "move_volume", "teardown", "ssh_config", "exec")


def load(environment: str, name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((PROJECT / "inventories" / environment / name).read_text())
    return content


def own(environment: str) -> dict[str, Any]:
    return of_inventory(environment)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_is_a_name_that_can_be_typed(environment: str) -> None:
    assert (PROJECT / environment).resolve() == PROJECT / "inventories" / environment
    assert "environment_name" not in load(environment, "environment.yml")


def test_an_inventory_is_which_site_it_is_what_is_its_own_what_runs_and_how_its_hosts_are_reached() -> None:
    for environment in (*ENVIRONMENTS, "new"):
        folder = PROJECT / "inventories" / environment
        files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {"README.md"}
        own = {"group_vars/site/main.yml", "group_vars/site/description.yml"}
        assert files == {"environment.yml", "group_vars/ecs_hosts.yml"} | own
        nouns = yaml.safe_load((folder / "group_vars/site/description.yml").read_text())
        assert set(nouns) <= set(VARIABLES), "what runs stands in one file, and nothing else does"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_founding_site_runs_in_three_environments_from_one_description(environment: str) -> None:
    described = yaml.safe_load((PROJECT / "examples/legacy_site/site.yml").read_text())
    mine = own(environment)
    assert {name: mine[name] for name in described if name != "site_volumes"} == {
        name: value for name, value in described.items() if name != "site_volumes"
    }
    assert mine["site_volumes"]["media"] == {**described["site_volumes"]["media"], "driver": "rexray"}


@pytest.mark.parametrize("environment", EMBEDDED)
def test_an_embedded_inventory_points_at_its_own_embedded_aws(environment: str) -> None:
    config, mine = CONFIGS[environment], own(environment)
    run = load(environment, "environment.yml")
    assert run["set"]["AWS_ENDPOINT_URL"] == config.endpoint
    assert {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"} <= set(run["unset"])
    assert ipaddress.IPv4Network(mine["network_cidr"]).subnet_of(config.vpc_range)
    assert mine["docker_engine_registry_mirrors"] == [f"http://127.0.0.1:{config.registry_port}"]
    assert mine["site_url_port"] == config.https_port


@pytest.mark.parametrize("environment", EMBEDDED)
def test_the_dummy_secret_occurs_in_nothing_that_ansible_could_mask(environment: str) -> None:
    secret = load(environment, "environment.yml")["set"]["AWS_SECRET_ACCESS_KEY"]
    texts = [json.dumps(own(environment)), (PROJECT / "group_vars/all/site.yml").read_text()]
    assert len(secret) >= 16
    assert not [text for text in texts if secret in text]


def test_prod_sets_no_endpoint_and_no_keys() -> None:
    assert set(load("prod", "environment.yml")) == {"plugin", "site_name", "aws_region"}


def test_local_and_test_make_the_same_choices_as_prod() -> None:
    choices = ("host_launch_source", "host_instance_type", "host_imds_tokens", "site_volumes")
    assert {name: own("local")[name] for name in choices} == {name: own("prod")[name] for name in choices}
    assert {name: own("test")[name] for name in choices} == {name: own("prod")[name] for name in choices}


def test_the_two_embedded_ones_share_no_address() -> None:
    local, test = own("local"), own("test")
    for name in ("network_cidr", "domain_name", "site_url_port"):
        assert local[name] != test[name]


@pytest.mark.parametrize("on", [True, False])
def test_ansible_goes_through_session_manager_where_that_is_the_way(on: bool) -> None:
    """Words of a command line, as the ssh connection splits them."""
    site = yaml.safe_load((PROJECT / "group_vars/all/site.yml").read_text())
    scope = {
        "host_ssh_session_manager": trust_as_template(site["host_ssh_session_manager"]), "aws_region": "eu-west-1",
        "aws_instance_id": "i-0a", "host_access_session_manager": on,
    }  # fmt: skip
    arguments = load("prod", "group_vars/ecs_hosts.yml")["ansible_ssh_common_args"]
    words = shlex.split(Templar(loader=DataLoader(), variables=scope).template(trust_as_template(arguments)))
    assert "HostKeyAlias=i-0a" in words
    proxies = [word for word in words if word.startswith("ProxyCommand=")]
    assert (
        proxies
        == [
            "ProxyCommand=aws ssm start-session --region eu-west-1 --document-name AWS-StartSSHSession"
            " --parameters portNumber=%p --target i-0a"
        ]
        * on
    )


HOST_FILES = sorted(PROJECT.glob("inventories/*/group_vars/ecs_hosts.yml"))
HOST_FILES += sorted(PROJECT.glob("examples/*/local/group_vars/ecs_hosts.yml"))


@pytest.mark.parametrize("file", HOST_FILES, ids=lambda path: path.parts[-3])
def test_a_hosts_key_is_kept_by_its_id_also_in_a_task_that_is_delegated_to_it(file: Path, tmp_path: Path) -> None:
    """An address is used again by another host, with another key; and `localhost` would be one for all of them."""
    reached = {"ansible_host": "127.0.0.1", "ansible_port": 1, "aws_instance_id": "i-0a", "ansible_ssh_retries": 0}
    local = {"localhost": {"ansible_connection": "local"}}
    given = {"host_access_session_manager": True, "host_ssh_session_manager": "echo"}
    hosts = {"all": {"hosts": local, "vars": given, "children": {"ecs_hosts": {"hosts": {"i-0a": reached}}}}}
    (tmp_path / "hosts.yml").write_text(json.dumps(hosts))
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/ecs_hosts.yml").write_text(file.read_text())
    task = {"ansible.builtin.raw": "true", "ignore_unreachable": True}
    plays = [{"hosts": "localhost", "gather_facts": False, "tasks": [task | {"delegate_to": "i-0a"}]}]
    plays += [{"hosts": "ecs_hosts", "gather_facts": False, "tasks": [task]}]
    (tmp_path / "play.yml").write_text(json.dumps(plays))
    done = subprocess.run(
        ["ansible-playbook", "-i", "hosts.yml", "play.yml", "-vvv"], cwd=tmp_path, text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    commands = [line for line in done.stdout.splitlines() if "SSH: EXEC" in line]
    assert len(commands) == 2, done.stdout
    for command in commands:
        assert "HostKeyAlias=i-0a" in command
        assert ("ProxyCommand" in command) <= ("--target i-0a" in command)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_understood_by_ansible(verb: str) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    run = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "--syntax-check", f"{verb}.yml"],
        cwd=PROJECT, env=kept, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_without_an_environment_says_what_to_type(verb: str) -> None:
    done = subprocess.run(["ansible-playbook", f"{verb}.yml"], cwd=PROJECT, text=True, capture_output=True, check=False)
    assert done.returncode != 0
    assert done.stderr.startswith("[ERROR]: No environment was named. There are local, ")
    assert f"type for example: ansible-playbook {verb}.yml -i local" in done.stderr

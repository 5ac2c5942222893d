"""Ways of typing a verb: what works from anywhere, and what is refused with the command to type."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants

from local_aws.cloud import Cloud
from plugins.plugin_utils.ways import concerns_aws, refusal
from tests.unit.plugin_support import PROJECT, environment

pytestmark = pytest.mark.playbook

PROD = str(PROJECT / "prod")


def refused(verb: str, *inventories: str, **options: Any) -> str:
    """What is said about a verb typed in the checkout."""
    sources = inventories or constants.DEFAULT_HOST_LIST
    given = {"args": (str(PROJECT / verb),), "inventory": tuple(sources), "tags": ("all",), **options}
    return refusal(given, [str(PROJECT / "roles")])


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)


WORKS: list[tuple[str, dict[str, Any]]] = [
    ("site.yml", {}),
    ("site.yml", {"subset": "localhost"}),
    ("site.yml", {"subset": "all"}),
    ("hosts.yml", {"subset": "localhost,i-0a"}),
    ("hosts.yml", {"subset": "localhost:i-0*:!i-0b"}),
    ("exec.yml", {"subset": "localhost,i-0a"}),
    ("site.yml", {"tags": ("network",), "listtasks": True}),
    ("playbooks/site.yml", {}),
]


@pytest.mark.parametrize(("verb", "options"), WORKS)
def test_what_works_is_not_refused(verb: str, options: dict[str, Any]) -> None:
    assert refused(verb, PROD, **options) == ""
    assert refused(verb, str(PROJECT / "inventories/prod"), **options) == ""


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("site.yml", {"tags": ("network",)}, "--tags network", "site.yml -i prod"),
    ("site.yml", {"tags": ("all", "always")}, "--tags always", "site.yml -i prod"),
    ("site.yml", {"skip_tags": ("always",)}, "--skip-tags always", "site.yml -i prod"),
    ("hosts.yml", {"start_at_task": "Run a role"}, "--start-at-task 'Run a role'", "hosts.yml -i prod"),
    ("site.yml", {"subset": "ecs_hosts"}, "--limit ecs_hosts: site.yml runs on localhost", "site.yml -i prod"),
    ("hosts.yml", {"subset": "i-0a"}, "--limit i-0a leaves out localhost", "hosts.yml -i prod --limit localhost,i-0a"),
    ("exec.yml", {"subset": "localhost"}, "--limit localhost names no host", "exec.yml -i prod"),
    ("hosts.yml", {"subset": "localhost,!i-0a"}, "names no host", "hosts.yml -i prod"),
]


@pytest.mark.parametrize(("verb", "options", "says", "command"), REFUSED)
def test_half_a_verb_is_refused(verb: str, options: dict[str, Any], says: str, command: str) -> None:
    sentence = refused(verb, PROD, **options)
    assert says in sentence
    assert sentence.endswith(f"Type: ansible-playbook {command}")


def test_the_verb_without_an_inventory_knows_its_arguments_too() -> None:
    assert "Did you mean compose?" in refused("init.yml", extra_vars=("compsoe=x", "inventory=y"))
    assert refused("init.yml", extra_vars=("compose=x", "inventory=y")) == ""
    assert refused("init.yml", extra_vars=("compsoe=x",), listtasks=True) == ""


@pytest.mark.parametrize(
    ("inventories", "says", "command"),
    [
        ((), "No environment was named. There are local, prod, test; ", "-i local"),
        (("localhost,",), "names hosts", "-i local"),
        (("a,b",), "names hosts", "-i local"),
        (("prod,test",), "names 2 inventories", "-i prod"),
        ((PROD, str(PROJECT / "test")), "names 2 inventories", "-i prod"),
        ((str(PROJECT / "prdo"),), "There is no inventory prdo.", "-i prod"),
        ((str(PROJECT / "inventories/test/environment.yml"),), "is one file of an inventory", "-i inventories/test"),
    ],
)
def test_one_inventory_is_named(inventories: tuple[str, ...], says: str, command: str) -> None:
    sentence = refused("site.yml", *inventories)
    assert says in sentence
    assert re.search(rf"[Tt]ype(?: for example)?: ansible-playbook site.yml {command}$", sentence), sentence


@pytest.mark.parametrize(
    ("verbs", "typed", "asks"),
    [
        (["compose_file.yml"], {}, False),
        (["preflight.yml"], {"preflight_account": "false"}, False),
        (["playbooks/preflight.yml"], {"preflight_account": False}, False),
        (["preflight.yml"], {"preflight_account": "No"}, False),
        (["preflight.yml"], {}, True),
        (["preflight.yml"], {"preflight_account": "true"}, True),
        (["preflight.yml"], {"preflight_account": "{{ asked }}"}, True),
        (["preflight.yml"], {"preflight_delegation": "false"}, True),
        (["site.yml"], {"preflight_account": "false"}, True),
        (["preflight.yml", "site.yml"], {"preflight_account": "false"}, True),
        (["tests/preflight.yml"], {"preflight_account": "false"}, True),
    ],
)
def test_what_asks_no_aws_is_known(verbs: list[str], typed: dict[str, Any], asks: bool) -> None:
    assert concerns_aws({"args": tuple(str(PROJECT / verb) for verb in verbs)}, typed) is asks


def test_what_is_no_verb_is_not_judged(tmp_path: Path) -> None:
    assert refusal({"args": (str(tmp_path / "site.yml"),), "inventory": ("a,b",)}, []) == ""
    assert refusal({"args": "localhost", "inventory": ("a,b",)}, []) == ""


def typed(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Type `ansible-playbook …` in a folder."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    return subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", *command],
        cwd=folder, env=kept | {"ANSIBLE_NOCOLOR": "1", **variables}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


@pytest.fixture
def inventory(tmp_path: Path, aws: Cloud) -> Path:
    """An inventory outside the checkout, on an embedded AWS."""
    folder = tmp_path / "my shop"
    (folder / "group_vars").mkdir(parents=True)
    identity = {"site_name": "shop", "environment_name": "shop", "aws_region": "us-east-1"}
    plugin = {"plugin": "environment", "set": environment(aws)}
    (folder / "environment.yml").write_text(yaml.safe_dump(plugin | identity))
    container = {"image": "shop/web", "mem_limit": "64m"}
    services = {"web": {"containers": {"web": container}}}
    given = {"domain_name": "shop.acme.io", "preflight_account": False, "site_services": services}
    (folder / "group_vars/site.yml").write_text(yaml.safe_dump(given))
    return folder


def test_from_another_folder_it_works_with_the_settings_and_is_refused_without(inventory: Path) -> None:
    command = [str(PROJECT / "preflight.yml"), "-i", str(inventory)]
    done = typed(command, inventory.parent)
    assert done.returncode != 0
    assert done.stderr.splitlines() == [
        "[ERROR]: The settings of Berth were not read: Ansible looks for ansible.cfg in the folder where you stand. "
        f"Type: export ANSIBLE_CONFIG={PROJECT}/ansible.cfg, then the same command again.",
        "See docs/troubleshooting.md#the-settings-of-berth-were-not-read",
    ]
    assert "PLAY" not in done.stdout
    done = typed(command, inventory.parent, ANSIBLE_CONFIG=str(PROJECT / "ansible.cfg"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_message_names_the_playbook_and_the_inventory_of_this_run(inventory: Path) -> None:
    shown = {PROJECT: f"site.yml -i '{inventory}'", inventory.parent: f"{PROJECT}/site.yml -i 'my shop'"}
    for folder, where in shown.items():
        done = typed(
            [str(PROJECT / "ssh_config.yml"), "-i", os.path.relpath(inventory, folder)], folder,
            ANSIBLE_CONFIG=str(PROJECT / "ansible.cfg"),
        )  # fmt: skip
        assert done.returncode != 0
        assert f"Is the site up? Type: ansible-playbook {where}" in " ".join(done.stdout.split())


@pytest.mark.parametrize("options", [["-i", "prod,test"], ["-i", "prod", "--tags", "network"]])
def test_a_refusal_is_one_sentence_before_anything_is_read(options: list[str]) -> None:
    done = typed(["site.yml", *options], PROJECT)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 2
    assert done.stderr.splitlines()[1].startswith("See docs/troubleshooting.md#a-")


THEIRS = "Passing `disable_lookups` to `template` is deprecated."
"""amazon.aws 10.1.2 does, for `filters` and `regions` of its inventory plugin, and no setting keeps it from it. Mended
in https://github.com/ansible-collections/amazon.aws/pull/2864; PyPI has no `ansible` with it for Python 3.11."""


def test_no_deprecation_warning_is_ours(inventory: Path) -> None:
    done = typed(["preflight.yml", "-i", str(inventory)], PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[DEPRECATION WARNING]" not in done.stderr
    done = typed(["ssh_config.yml", "-i", str(inventory)], PROJECT)  # which looks for the hosts
    assert "No host runs" in done.stdout
    warnings = [line for line in done.stderr.splitlines() if line.startswith("[DEPRECATION WARNING]")]
    assert [line for line in warnings if THEIRS not in line] == []


SENTENCES = re.compile(r"ansible-playbook\s+\S+\.yml\s+-i\s+(?!<)|-i \{\{|-i ' ~")
"""A command with an inventory written out: it may be another site's. `verb` knows the run's."""


def test_no_sentence_names_an_inventory_of_its_own() -> None:
    folders = ("roles", "playbooks", "plugins/action", "plugins/modules", "plugins/filter", "plugins/plugin_utils")
    found = [
        f"{path.relative_to(PROJECT)}: {match.group()}"
        for folder in folders
        for path in sorted((PROJECT / folder).rglob("*"))
        if path.suffix in (".yml", ".py", ".j2", ".sh")
        for match in SENTENCES.finditer(path.read_text())
    ]
    assert found == []

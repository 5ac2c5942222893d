"""What real runs end with: the address of the entry that explains the message, as the last line of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from plugins.plugin_utils.troubleshooting import ADDRESS
from tests.unit.plugin_support import PROJECT, environment, playbook, shell, written

pytestmark = pytest.mark.playbook


def addresses(output: str) -> list[str]:
    """The anchors that a run shows, each on a line of its own."""
    return re.findall(rf"^See {re.escape(ADDRESS)}#([\w-]+)$", output, re.MULTILINE)


def last(output: str) -> str:
    """The line before the recap: the last of the message."""
    return [line for line in output.partition("\nPLAY RECAP")[0].splitlines() if line.strip()][-1]


def rescued(name: str, task: dict[str, Any]) -> dict[str, Any]:
    """A task that fails, and a run that goes on."""
    goes_on = {"name": "Go on", "ansible.builtin.meta": "noop"}
    return {"name": name, "block": [{"name": name, **task}], "rescue": [goes_on]}


def inventory(tmp_path: Path, aws: Cloud, **given: Any) -> Path:
    """An inventory of the environment `shop` on an embedded AWS."""
    folder = tmp_path / "shop"
    (folder / "group_vars").mkdir(parents=True)
    identity = {"site_name": "shop", "environment_name": "shop", "aws_region": "us-east-1"}
    region = {"aws_region": given.pop("aws_region", "us-east-1")}
    set_by = {name: value for name, value in environment(aws).items() if "REGION" not in name}
    plugin = {"plugin": "environment", "set": set_by}
    (folder / "environment.yml").write_text(yaml.safe_dump(plugin | identity | region))
    services = {"web": {"containers": {"web": {"image": "shop/web", "mem_limit": "64m"}}}}
    site = {"domain_name": "shop.acme.io", "site_services": services}
    (folder / "group_vars/site.yml").write_text(yaml.safe_dump(site | given))
    return folder


def preflight(folder: Path) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "preflight.yml", "-i", str(folder)]
    return subprocess.run(
        command, cwd=PROJECT, env=kept | {"ANSIBLE_NOCOLOR": "1"}, capture_output=True, text=True, timeout=180,
        check=False,
    )  # fmt: skip


def test_one_wrong_line_leads_to_its_own_entry_and_several_to_that_of_all(tmp_path: Path, aws: Cloud) -> None:
    one = preflight(inventory(tmp_path / "one", aws, doman_name="shop.acme.io"))
    assert one.returncode != 0
    assert last(one.stdout) == f"See {ADDRESS}#is-not-a-variable-of-this-project", one.stdout
    two = preflight(inventory(tmp_path / "two", aws, doman_name="x", domain_name="www.example.org"))
    assert "2 things are wrong with this inventory" in two.stdout
    assert last(two.stdout) == f"See {ADDRESS}#what-is-wrong-with-this-inventory", two.stdout
    assert len(addresses(two.stdout)) == 1


def test_what_the_account_refuses_leads_to_its_entry(tmp_path: Path, aws: Cloud) -> None:
    done = preflight(inventory(tmp_path, aws, aws_region="me-south-1"))
    assert "me-south-1 is not enabled for this account." in done.stdout
    assert last(done.stdout) == f"See {ADDRESS}#is-not-enabled-for-this-account", done.stdout
    done = preflight(inventory(tmp_path / "key", aws, host_key_name="nobodys"))
    assert last(done.stdout) == f"See {ADDRESS}#has-no-key-pair-of-this-name", done.stdout


def test_a_reason_that_nobody_knows_leads_to_the_entry_of_its_kind(tmp_path: Path, aws: Cloud) -> None:
    (tmp_path / "one.yml").write_text(
        "Resources:\n  Log:\n    Type: AWS::Logs::LogGroup\n    Properties: {LogGroupName: /shop/unit/taken}\n"
    )
    aws.client("logs").create_log_group(logGroupName="/shop/unit/taken")
    layers = {"prefix": "shop-unit", "stacks": {"one": {}}, "directory": str(tmp_path)}
    task = {"name": "Make it", "cloudformation_stacks": layers}
    run = playbook(tmp_path, [task], **environment(aws))
    assert run.code != 0
    assert "(AWS::Logs::LogGroup): " in run.output
    assert last(run.output) == f"See {ADDRESS}#a-layer-cannot-be-made-aws", run.output


def test_every_way_in_which_a_task_fails_has_an_address(tmp_path: Path) -> None:
    command = {"ansible.builtin.command": {"cmd": "sh -c 'echo \"$0: Rate exceeded\" >&2; exit 3'"}}
    loop = {"ansible.builtin.fail": {"msg": "{{ item }}"}, "loop": ["is no plain file", "is no plain file either"]}
    tasks: dict[str, dict[str, Any]] = {
        "by our own": {"ecs_run_task": {"cluster": "x", "task_definition": "x", "started_by": "no blanks"}},
        "by fail": {"ansible.builtin.fail": {"msg": "The site has no job x (nightly): run.yml"}},
        "by assert": {"ansible.builtin.assert": {"that": "1 == 2", "fail_msg": "This is left and should not be: x"}},
        "by a module": command,
        "by a filter": {"ansible.builtin.debug": {"msg": '{{ "don\'t" | words }}'}},
        "by items": loop,
        "by what nobody knows": {"ansible.builtin.fail": {"msg": "The quick brown fox."}},
    }
    run = playbook(tmp_path, [rescued(name, task) for name, task in tasks.items()])
    assert run.code == 0, run.output
    assert addresses(run.output) == [
        "the-layers-cannot-be-deployed-as-given",
        "give-a-command",
        "this-is-left-and-should-not-be",
        "rate-exceeded",
        "give-a-command",
        "is-no-plain-file",
        "another-message",
    ]


def test_what_a_program_reads_is_left_as_it_is(tmp_path: Path) -> None:
    command = written(tmp_path, [{"name": "Fail", "ansible.builtin.fail": {"msg": "The quick brown fox."}}])
    variables = shell({"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"})
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert json.loads(done.stdout)["stats"]["localhost"]["failures"] == 1
    assert addresses(done.stderr) == ["another-message"]


def test_what_is_no_end_has_no_address(tmp_path: Path) -> None:
    ignored: dict[str, Any] = {"name": "Be ignored", "ansible.builtin.fail": {"msg": "no"}, "ignore_errors": True}
    away = {"name": "Be away", "ansible.builtin.ping": {}, "ignore_unreachable": True, "vars": AWAY}
    accepted = {"name": "Accept", "ansible.builtin.command": {"cmd": "false"}, "failed_when": False}
    run = playbook(tmp_path, [ignored, away, accepted])
    assert run.code == 0, run.output
    assert addresses(run.output) == []


AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}


def test_a_host_that_cannot_be_reached_has_an_address(tmp_path: Path) -> None:
    run = playbook(tmp_path, [{"name": "Be away", "ansible.builtin.ping": {}, "vars": AWAY}])
    assert run.code != 0
    assert last(run.output) == f"See {ADDRESS}#could-be-reached-by-ssh", run.output


@pytest.mark.parametrize("folder", [PROJECT, Path("/")])
def test_a_refusal_before_anything_is_read_ends_with_the_address(folder: Path) -> None:
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(PROJECT / "site.yml")]
    done = subprocess.run(command, cwd=folder, env=shell({}), capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.splitlines()[-1] == f"See {ADDRESS}#no-environment-was-named", done.stderr


def test_make_setup_ends_with_the_address() -> None:
    script = ["bash", "scripts/setup.sh", "nothing"]
    done = subprocess.run(script, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "setup: there is no step nothing. Use packages, venv or engine.",
        f"See {ADDRESS}#setting-up-this-machine",
    ]

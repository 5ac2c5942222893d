"""The examples in the READMEs of the nouns' roles, run as they stand: one playbook of all their plays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from local_aws.cloud import Cloud
from plugins.plugin_utils.layers import OPTIONS
from tests.unit.noun_support import NETWORK, TASKS
from tests.unit.plugin_support import environment
from tests.unit.render_support import PROJECT
from tests.unit.stack_support import Stacks
from tests.unit.test_noun_service_stacks import CLUSTER
from tests.unit.test_role_readmes import BLOCK

pytestmark = pytest.mark.playbook

STACKS = {
    "volume": "volume-media",
    "bucket": "bucket-uploads",
    "secret": "secret-django",
    "image": "image-django",
    "database": "database-main",
    "expose": "expose",
    "job": "job-hello",
    "service_entry": "service-redis",
}
"""Role → stack that its example makes."""


def test_every_example_brings_up_what_it_shows(aws: Cloud, stacks: Stacks, tmp_path: Path) -> None:
    stacks.made("shop-unit-network", NETWORK)
    subnets = stacks.outputs("shop-unit-network")["PrivateSubnetIds"]
    stacks.made("shop-unit-cluster", CLUSTER, {"SubnetIds": subnets})
    # A job needs the plugin's word `takes`. A service is watched by the plugin while it is made, and moto's ECS, which
    # is all there is without hosts, tells no times.
    run_here = {
        role: stack for role, stack in STACKS.items() if role not in TASKS or (role == "job" and "takes" in OPTIONS)
    }
    plays = []
    for role in run_here:
        example = (PROJECT / f"roles/{role}/README.md").read_text().partition("\n## Example\n")[2]
        plays += yaml.safe_load(next(BLOCK.finditer(example))["yaml"])
    (tmp_path / "play.yml").write_text(
        yaml.safe_dump([{"name": f"Play {at}", **play} for at, play in enumerate(plays)])
    )
    given = {
        "site_name": "shop",
        "environment_name": "unit",
        "site_prefix": "shop-unit",
        "site_tags": {"Site": "shop", "Environment": "unit"},
        "log_retention_days": 30,
        "ansible_python_interpreter": sys.executable,
    }
    (tmp_path / "given.yml").write_text(yaml.safe_dump(given))
    command = ["ansible-playbook", "play.yml", "-i", "localhost,", "-c", "local", "-e", "@given.yml"]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    settings = {
        **environment(aws),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "ANSIBLE_INVENTORY_ENABLED": "host_list",
    }
    run = subprocess.run(command, cwd=tmp_path, env=kept | settings, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    for stack in run_here.values():
        assert stacks.describe(f"shop-unit-{stack}")["StackStatus"].endswith("_COMPLETE")


@pytest.mark.parametrize("role", [role for role in STACKS if role != "expose"])
def test_every_key_of_an_entry_is_described_and_read(role: str) -> None:
    noun = role.removesuffix("_entry")
    keys = yaml.safe_load((PROJECT / f"roles/{role}/defaults/main.yml").read_text())[f"{noun}_defaults"]
    shown = next(BLOCK.finditer((PROJECT / f"roles/{role}/README.md").read_text()))["yaml"]
    entries = next(iter(yaml.safe_load(shown).values())).values()
    described = {key for entry in entries if isinstance(entry, dict) for key in entry}
    assert keys.keys() <= described, "its README says nothing about a key"
    read = "".join(
        (PROJECT / path).read_text() for path in (f"roles/{role}/vars/main.yml", f"cloudformation/{role}.yml")
    )
    assert not [key for key in keys if f"{noun}_entry.{key}" not in read and f"{noun}_entry['{key}']" not in read]

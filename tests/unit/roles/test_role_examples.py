"""The example in a layer's README runs as it stands, against the embedded APIs, and plans the layer's stack."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from local_aws.cloud import Cloud
from plugins.plugin_utils.site.nouns import NOUNS
from tests.unit.plugin_support import PROJECT, environment
from tests.unit.render_support import LAYERS
from tests.unit.roles.test_role_readmes import BLOCK

pytestmark = pytest.mark.playbook

OF_IMAGE = "image-shop-web"
"""The stack of the layer image, whose entries are made of what containers name."""


def example(layer: str, heading: str) -> str:
    readme = (PROJECT / "roles" / layer / "README.md").read_text()
    return next(BLOCK.finditer(readme.partition(f"\n## {heading}\n")[2]))["yaml"]


def stack(layer: str, heading: str) -> str:
    """The stack that an example plans: the layer's, or that of the one entry that the example gives it."""
    (play,) = yaml.safe_load(example(layer, heading))
    entries = play["roles"][0].get("vars", {}).get(NOUNS[layer].variable) if layer in NOUNS else None
    return OF_IMAGE if layer == "image" else "-".join([layer.replace("_", "-"), *(entries or [])])


@pytest.mark.parametrize(
    ("layer", "heading"), [*((layer, "Example") for layer in LAYERS), ("network", "A VPC that exists")]
)
def test_the_example_of_a_layer_plans_its_stack(layer: str, heading: str, aws: Cloud, tmp_path: Path) -> None:
    play = tmp_path / "play.yml"
    play.write_text(example(layer, heading))
    (tmp_path / "group_vars").symlink_to(PROJECT / "group_vars")
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    known = {
        "site_name": "legacy", "environment_name": "prod", "aws_region": "us-east-1", "domain_name": "www.shop.test",
    }  # fmt: skip
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"prod": {"hosts": {"localhost": local}, "vars": known}}))
    run = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), str(play), "-i", str(inventory), "--check", "--diff"],
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", **environment(aws)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    planned = re.findall(r"\+ stack (legacy-prod-\S+)", run.stdout)
    assert planned == [f"legacy-prod-{stack(layer, heading)}"], run.stdout
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    assert stacks == [], "a check run changes nothing"

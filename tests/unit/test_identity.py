"""One site, told by several files of an inventory: they are compared offline, and one that agrees finds its hosts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from local_aws.cloud import Cloud
from tests.unit.plugin_support import PROJECT, environment

pytestmark = pytest.mark.playbook

README = {"site_name": "shop", "domain_name": "shop.acme.io", "hosted_zone_id": "Z0123456789ABC"}
"""What step 3 of the README says is the least."""
DISCOVERY = {"  tag:Site: legacy\n": "  tag:Site: shop\n"}
IMAGE = "ami-12c6146b"


class Inventory:
    """A copy of inventories/prod that talks to an embedded AWS, outside of the checkout."""

    def __init__(self, folder: Path, cloud: Cloud) -> None:
        self.folder = folder / "shop"
        shutil.copytree(PROJECT / "inventories/prod", self.folder)
        own = self.folder / "00_environment.yml"
        told = "".join(f"  {name}: {value}\n" for name, value in environment(cloud).items() if "REGION" not in name)
        own.write_text(own.read_text().replace("set:\n", f"set:\n{told}"))

    def change(self, name: str, changes: dict[str, str]) -> None:
        """Replace text in a file, each exactly once."""
        text = (self.folder / name).read_text()
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (self.folder / name).write_text(text)

    def set(self, **variables: str) -> None:
        """Give variables other values."""
        path = self.folder / "group_vars/prod.yml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | variables, sort_keys=False))

    def run(self, verb: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Type a verb on it, in the checkout."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
        return subprocess.run(
            [Path(sys.executable).parent / "ansible-playbook", f"{verb}.yml", "-i", self.folder, *options],
            cwd=PROJECT, env=kept | {"ANSIBLE_NOCOLOR": "1"}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip


@pytest.fixture
def inventory(aws: Cloud, tmp_path: Path) -> Inventory:
    made = Inventory(tmp_path, aws)
    made.set(**README)
    return made


def launch(aws: Cloud, site: str, region: str = "us-east-1") -> str:
    """A running host of a site; its id."""
    tags = [{"Key": "Site", "Value": site}, {"Key": "Environment", "Value": "prod"}]
    run = aws.client("ec2", region).run_instances(
        ImageId=IMAGE, MinCount=1, MaxCount=1, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}]
    )
    return str(run["Instances"][0]["InstanceId"])


OFFLINE = ("-e", "preflight_account=false")


def test_what_the_readme_says_is_the_least_is_refused_while_the_hosts_are_looked_for_elsewhere(
    inventory: Inventory,
) -> None:
    done = inventory.run("preflight", *OFFLINE)
    assert done.returncode != 0
    assert "1 thing is wrong with this inventory; nothing was done." in done.stdout
    line = next(line for line in done.stdout.splitlines() if "tag:Site" in line)
    assert line.strip() == (
        f"{inventory.folder}/aws_ec2.yml:9: tag:Site: is legacy, but site_name is shop, so the site's hosts would not"
        " be found. Write tag:Site: shop, or set site_name: legacy."
    )


def test_with_all_of_it_edited_it_passes_and_finds_its_hosts(inventory: Inventory, aws: Cloud) -> None:
    inventory.change("aws_ec2.yml", DISCOVERY)
    done = inventory.run("preflight", *OFFLINE)
    assert done.returncode == 0, done.stdout + done.stderr
    launch(aws, "another")
    mine = launch(aws, "shop")
    done = inventory.run("ssh_config", "-e", f"ssh_config_folder={inventory.folder.parent}")
    assert done.returncode == 0, done.stdout + done.stderr
    written = (inventory.folder.parent / "ssh.prod.cfg").read_text()
    assert [line.split()[-1] for line in written.splitlines() if line.startswith("Host ")] == [mine]


def test_a_region_stands_in_three_files(inventory: Inventory, aws: Cloud) -> None:
    inventory.change("aws_ec2.yml", DISCOVERY)
    inventory.set(aws_region="eu-west-1")
    text = inventory.run("preflight", *OFFLINE).stdout
    for place in (
        "00_environment.yml:8: AWS_REGION: is us-east-1, but aws_region is eu-west-1, so",
        "00_environment.yml:9: AWS_DEFAULT_REGION: is us-east-1, but aws_region is eu-west-1, so",
        "aws_ec2.yml:3: regions: is us-east-1, but aws_region is eu-west-1, so the site's hosts would be looked for"
        " there. Write regions: [eu-west-1], or set aws_region: us-east-1.",
    ):
        assert place in text, text
    assert "3 things are wrong" in text
    inventory.change("00_environment.yml", {"  AWS_REGION: us-east-1": "  AWS_REGION: eu-west-1"})
    inventory.change("00_environment.yml", {"  AWS_DEFAULT_REGION: us-east-1": "  AWS_DEFAULT_REGION: eu-west-1"})
    inventory.change("aws_ec2.yml", {"[us-east-1]": "[eu-west-1]"})
    launch(aws, "shop", "eu-west-1")
    done = inventory.run("ssh_config", "-e", f"ssh_config_folder={inventory.folder.parent}")
    assert done.returncode == 0, done.stdout + done.stderr
    done = inventory.run("preflight", *OFFLINE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_filter_that_is_not_there_would_find_the_hosts_of_others(inventory: Inventory) -> None:
    inventory.change("aws_ec2.yml", {"  tag:Site: legacy\n": "", "  tag:Environment: prod": "  tag:Environment: test"})
    text = inventory.run("preflight", *OFFLINE).stdout
    cure = "so hosts of others would be taken for the site's. Write tag:Site: shop."
    assert f"aws_ec2.yml: tag:Site: is not there, {cure}" in text
    assert "aws_ec2.yml:8: tag:Environment: is test, but environment_name is prod" in text


@pytest.mark.parametrize("verb", ["ssh_config", "exec"])
def test_a_verb_that_looks_for_other_hosts_says_by_what_and_does_not_send_round(
    inventory: Inventory, aws: Cloud, verb: str
) -> None:
    launch(aws, "shop")
    done = inventory.run(verb, "-e", "command=date")
    assert done.returncode != 0
    assert "aws_ec2.yml:9: tag:Site: is legacy, but site_name is shop" in done.stdout
    assert "Is the site up?" not in done.stdout


def test_a_site_that_is_not_up_is_told_how_it_was_looked_for(inventory: Inventory) -> None:
    inventory.change("aws_ec2.yml", DISCOVERY)
    done = inventory.run("ssh_config")
    assert done.returncode != 0
    text = " ".join(done.stdout.split())
    file = f"{inventory.folder}/aws_ec2.yml"
    assert f"{file} looks in us-east-1 for running hosts with Environment=prod and Site=shop." in text
    assert f"Is the site up? Type: ansible-playbook site.yml -i {inventory.folder}" in text


def test_a_limit_that_names_no_host_is_refused(inventory: Inventory, aws: Cloud) -> None:
    inventory.change("aws_ec2.yml", DISCOVERY)
    mine = launch(aws, "shop")
    done = inventory.run("exec", "-e", "command=date", "--limit", "localhost,i-0zzz")
    assert done.returncode != 0
    text = " ".join(done.stdout.split())
    assert "--limit localhost,i-0zzz names no host of the site, so nothing would be done." in text
    assert f"Its hosts are {mine}." in text

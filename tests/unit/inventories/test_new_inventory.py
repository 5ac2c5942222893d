"""A new environment is made as inventories/new/README.md says, on a copy of the project, and is found right."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import ACCESS_KEY, SECRET_KEY, Cloud
from plugins.plugin_utils.site.reading import read_site
from tests.unit.rules_support import of_inventory

pytestmark = pytest.mark.playbook

PROJECT = Path(__file__).resolve().parents[3]
PARTS = ("ansible.cfg", "cloudformation", "group_vars", "inventories", "playbooks", "plugins", "preflight.yml", "roles")
REGION = "eu-central-1"
EXAMPLES = sorted(path.parent.name for path in (PROJECT / "examples").glob("*/site.yml"))


def variables(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def commands() -> list[str]:
    """What the page says to type."""
    return re.findall(r"^\$ (.+)$", (PROJECT / "inventories/new/README.md").read_text(), re.MULTILINE)


def edit(project: Path, name: str, *changes: tuple[str, str]) -> None:
    """Replace what stands in a file of the copy; each must stand there as often as the page counts."""
    path = project / "inventories/live" / name
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, f"{name}: {old}"
        text = text.replace(old, new)
    path.write_text(text)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project with an environment `live` of the site `shop`, made and edited as the page says."""
    copy = tmp_path / "berth"
    copy.mkdir()
    for part in PARTS:
        source = PROJECT / part
        if source.is_dir():
            shutil.copytree(source, copy / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / part)
    for command in commands():
        subprocess.run(command.split(), cwd=copy, check=True)
    edit(copy, "environment.yml", ("us-east-1", REGION), ("example", "shop"))
    edit(copy, "group_vars/site/main.yml", ("www.example.org", "shop.test"))
    return copy


def environment(project: Path, aws: Cloud) -> dict[str, str]:
    """A person's shell; the profile leads to the embedded APIs, as a variable would be refused as a stray one."""
    (project / "aws").write_text(f"[default]\nendpoint_url = {aws.config.endpoint}\n")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(project / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "AWS_CONFIG_FILE": str(project / "aws"),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }


def run(project: Path, aws: Cloud, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=project, env=environment(project, aws), capture_output=True, text=True, timeout=120, check=False
    )


def preflight(project: Path, aws: Cloud, inventory: str, *options: str) -> subprocess.CompletedProcess[str]:
    """The real preflight, without what it asks the account."""
    return run(
        project, aws, "ansible-playbook", "preflight.yml", "-i", inventory, "-e", "preflight_account=false", *options
    )


def test_what_the_page_says_makes_an_inventory_that_preflight_finds_right(project: Path, aws: Cloud) -> None:
    for typed in ("inventories/live", str(project / "inventories/live")):
        done = preflight(project, aws, typed)
        assert done.returncode == 0, done.stdout + done.stderr
    (project / "live").symlink_to("inventories/live")
    done = preflight(project, aws, "live")
    assert done.returncode == 0, done.stdout + done.stderr


def offline(project: Path, home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What the account is not asked for, on a machine that knows no account and reaches none."""
    shell = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "ANSIBLE_NOCOLOR": "1",
        "https_proxy": "http://127.0.0.1:9",
    }
    command = ["ansible-playbook", "preflight.yml", "-i", "inventories/live", *options]
    return subprocess.run(command, cwd=project, env=shell, capture_output=True, text=True, timeout=120, check=False)


def test_without_an_account_an_inventory_is_judged_as_well(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = offline(project, home, "-e", "preflight_account=false")
    assert done.returncode == 0, done.stdout + done.stderr
    edit(project, "environment.yml", ("site_name: shop", "site_name: Shop!"))
    edit(project, "group_vars/site/main.yml", ("host_instance_type: t3.micro", "host_instance_typ: t3.micro"))
    done = offline(project, home, "-e", "preflight_account=false")
    assert done.returncode != 0
    for sentence in (
        "things are wrong with this inventory; nothing was done.",
        "inventories/live/environment.yml:5: site_name: becomes part of names of buckets",
        "host_instance_typ: is not a variable of this project. Did you mean host_instance_type?",
    ):
        assert sentence in done.stdout, done.stdout + done.stderr
    # What would be asked needs somebody who asks: that is said before anything is judged.
    done = offline(project, home)
    assert done.returncode != 0
    assert "No AWS credentials were found." in done.stderr


def test_its_hosts_are_found_and_those_of_others_are_not(project: Path, aws: Cloud) -> None:
    def launch(site: str, name: str, region: str = REGION) -> str:
        ec2 = aws.client("ec2", region)
        image = ec2.describe_images()["Images"][0]["ImageId"]
        tags = [{"Key": "Site", "Value": site}, {"Key": "Environment", "Value": name}]
        started = ec2.run_instances(
            ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}]
        )
        return str(started["Instances"][0]["InstanceId"])

    ours = launch("shop", "live")
    launch("legacy", "live")
    launch("shop", "prod")
    launch("shop", "live", "us-east-1")
    done = run(
        project,
        aws,
        "ansible",
        "ecs_hosts",
        "-i",
        "inventories/live",
        "-m",
        "ansible.builtin.debug",
        "-a",
        "var=site_prefix",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"^(i-\w+) \|", done.stdout, re.MULTILINE) == [ours]
    assert "site_prefix: shop-live" in done.stdout


def test_every_line_that_shows_a_default_shows_the_default(project: Path, aws: Cloud) -> None:
    path = project / "inventories/live/group_vars/site/main.yml"
    text = path.read_text()
    shown = re.findall(r"^# ([a-z_]+: .*)$", text, re.MULTILINE)
    assert len(shown) >= 10
    defaults: dict[str, Any] = {}
    for each in (PROJECT / "group_vars/all").glob("*.yml"):
        defaults |= variables(each)
    for name, value in (pair for line in shown for pair in yaml.safe_load(line).items()):
        assert defaults[name] == value, name
    path.write_text(re.sub(r"^# ([a-z_]+: )", r"\1", text, flags=re.MULTILINE))
    done = preflight(project, aws, "inventories/live")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_safe_choices_are_those_of_group_vars() -> None:
    new, cluster = of_inventory("new"), variables(PROJECT / "group_vars/all/cluster.yml")
    for name in ("host_launch_source", "host_instance_type", "host_imds_tokens"):
        assert new[name] == cluster[name]
    site = read_site(new)
    assert [str(problem) for problem in site.problems] == []
    assert {volume.driver for volume in site.entries["volume"].values()} == {"efs"}


def test_what_is_copied_from_is_refused_itself(project: Path, aws: Cloud) -> None:
    done = preflight(project, aws, "inventories/new")
    assert done.returncode != 0
    assert "environment_name: is what new environments are copied from, and none itself." in done.stdout
    assert "Type: cp -r inventories/new inventories/<name>" in done.stdout
    for placeholder in ("site_name", "domain_name"):
        assert f"{placeholder}: is the placeholder that came with the inventory." in done.stdout


def test_prod_says_for_each_choice_of_the_founding_site_which_line_replaces_it() -> None:
    """And the lines are those of inventories/new."""
    text = (PROJECT / "inventories/prod/group_vars/site/main.yml").read_text()
    prod, new = yaml.safe_load(text), of_inventory("new")
    replaced = dict(
        pair for line in re.findall(r"# → (.+)$", text, re.MULTILINE) for pair in yaml.safe_load(line).items()
    )
    assert replaced.pop("driver") == "efs"
    assert prod.pop("site_volumes")["media"]["driver"] == "rexray"
    choices = {"host_launch_source", "host_instance_type", "host_imds_tokens"}
    assert replaced == {name: new[name] for name in choices}
    assert {name for name in prod if prod[name] != replaced.get(name, prod[name])} == choices


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_becomes_an_inventory_as_its_page_says(name: str, project: Path, aws: Cloud) -> None:
    page = (PROJECT / "examples/README.md").read_text()
    made, taken = (command.replace("django_rds", name) for command in re.findall(r"^\$ (cp .+)$", page, re.MULTILINE))
    assert made.replace("shop", "live") == commands()[0], "what the fixture has typed already"
    shutil.copytree(PROJECT / "examples" / name, project / "examples" / name)
    subprocess.run(taken.replace("inventories/shop", "inventories/live").split(), cwd=project, check=True)
    done = preflight(project, aws, "inventories/live")
    assert done.returncode == 0, done.stdout + done.stderr

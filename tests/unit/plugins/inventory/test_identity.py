"""Which site a run is about stands in one file; what is made of it is right, and what contradicts it is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.cloud import Cloud
from tests.unit.plugin_support import PROJECT, environment

pytestmark = pytest.mark.playbook

IMAGE = "ami-12c6146b"
REGION = "eu-west-1"
OFFLINE = ("-e", "preflight_account=false")


class Inventory:
    """A copy of inventories/prod for the site `shop` that talks to an embedded AWS, outside of the checkout."""

    def __init__(self, folder: Path, cloud: Cloud) -> None:
        self.folder = folder / "live"
        shutil.copytree(PROJECT / "inventories/prod", self.folder)
        told = "".join(f"  {name}: {value}\n" for name, value in environment(cloud).items() if "REGION" not in name)
        own = self.folder / "environment.yml"
        own.write_text(f"plugin: environment\nsite_name: shop\naws_region: {REGION}\nset:\n{told}")
        site = self.folder / "group_vars/site/main.yml"
        site.write_text(site.read_text().replace("www.example.org", "shop.acme.io"))

    def append(self, name: str, text: str) -> None:
        """Write more at the end of a file."""
        with (self.folder / name).open("a") as file:
            file.write(text)

    def run(self, *command: str, folder: Path = PROJECT) -> subprocess.CompletedProcess[str]:
        """Type a command, `-i` and the inventory put behind its first two words."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
        settings = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")}
        program, first, *rest = command
        return subprocess.run(
            [Path(sys.executable).parent / program, first, "-i", str(self.folder), *rest],
            cwd=folder, env=kept | settings, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip


@pytest.fixture
def inventory(aws: Cloud, tmp_path: Path) -> Inventory:
    return Inventory(tmp_path, aws)


def launch(aws: Cloud, site: str, name: str = "live", region: str = REGION, count: int = 1) -> str:
    """Running hosts of a site; the id of the first."""
    tags = [{"Key": "Site", "Value": site}, {"Key": "Environment", "Value": name}]
    run = aws.client("ec2", region).run_instances(
        ImageId=IMAGE, MinCount=count, MaxCount=count, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}]
    )
    return str(run["Instances"][0]["InstanceId"])


def test_hosts_calls_and_names_are_made_of_it(inventory: Inventory, aws: Cloud, tmp_path: Path) -> None:
    mine = launch(aws, "shop")
    launch(aws, "another")
    launch(aws, "shop", "prod")
    launch(aws, "shop", region="us-east-1")
    shown = inventory.run(
        "ansible", "all", "-m", "ansible.builtin.debug",
        "-a", "msg={{ site_prefix }}|{{ aws_region }}|{{ lookup('ansible.builtin.env', 'AWS_REGION') }}",
    )  # fmt: skip
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.count(f"msg: shop-live|{REGION}|{REGION}") == 2  # localhost and the host
    done = inventory.run("ansible-playbook", "ssh_config.yml", "-e", f"ssh_config_folder={tmp_path}")
    assert done.returncode == 0, done.stdout + done.stderr
    written = (tmp_path / "ssh.live.cfg").read_text()
    assert [line.split()[-1] for line in written.splitlines() if line.startswith("Host ")] == [mine]


@pytest.mark.parametrize("count", [0, 30, pytest.param(1000, marks=pytest.mark.long)])
def test_any_number_of_hosts_is_found(inventory: Inventory, aws: Cloud, tmp_path: Path, count: int) -> None:
    """By the search of the account, not from a list; names are given in ssh_config.yml's own tests."""
    if count:
        launch(aws, "shop", count=count)
    launch(aws, "another", count=30)
    done = inventory.run("ansible-playbook", "ssh_config.yml", "-e", f"ssh_config_folder={tmp_path}")
    if not count:
        assert done.returncode != 0
        assert f"No host runs in {REGION} with the tags Site=shop" in " ".join(done.stdout.split())
        return
    assert done.returncode == 0, done.stdout + done.stderr
    names = [
        line.split()[1] for line in (tmp_path / "ssh.live.cfg").read_text().splitlines() if line.startswith("Host ")
    ]
    assert len(set(names)) == count


def test_the_environment_may_have_another_name_than_its_folder(inventory: Inventory) -> None:
    inventory.append("environment.yml", "environment_name: blue\n")
    shown = inventory.run("ansible", "localhost", "-m", "ansible.builtin.debug", "-a", "var=site_prefix")
    assert "site_prefix: shop-blue" in shown.stdout, shown.stdout + shown.stderr


def test_a_preview_environment_has_names_and_hosts_of_its_own(inventory: Inventory, aws: Cloud, tmp_path: Path) -> None:
    launch(aws, "shop")
    mine = launch(aws, "shop", "pr7")
    inventory.append("environment.yml", "preview_environments: true\n")
    inventory.append("group_vars/site/main.yml", "ledger_bucket: shop-live-ledger-history-1a2b\n")
    for typed in ("environment=pr7", '{"environment": "pr7"}'):
        shown = inventory.run(
            "ansible", "all", "-e", typed, "-m", "ansible.builtin.debug",
            "-a", "msg={{ site_prefix }}|{{ preview_of }}|{{ domain_name }}|{{ ledger_bucket }}|",
        )  # fmt: skip
        assert shown.stdout.count("msg: shop-pr7|live|pr7.shop.acme.io||") == 2, shown.stdout + shown.stderr
        assert mine in shown.stdout
        assert "reserved name" not in shown.stdout + shown.stderr
    written = ("-e", f"ssh_config_folder={tmp_path}")
    done = inventory.run("ansible-playbook", "ssh_config.yml", "-e", "environment=pr7", *written)
    assert done.returncode == 0, done.stdout + done.stderr
    assert mine in (tmp_path / "ssh.pr7.cfg").read_text()
    done = inventory.run("ansible-playbook", "ssh_config.yml", "-e", "environment=pr8", *written)
    assert f"Type: ansible-playbook site.yml -i {inventory.folder} -e environment=pr8" in " ".join(done.stdout.split())
    shown = inventory.run(
        "ansible", "localhost", "-e", "environment=live", "-m", "ansible.builtin.debug",
        "-a", "msg={{ site_prefix }}|{{ preview_of }}|{{ domain_name }}|",
    )  # fmt: skip
    assert "msg: shop-live||shop.acme.io|" in shown.stdout, "the inventory's own name says nothing new"


@pytest.mark.parametrize(
    ("typed", "more", "says"),
    [
        ("environment=pr7", "", "is of the environment live alone. If it may bring up others beside live"),
        ("environment=", "preview_environments: true", "is no name of an environment"),
        ("environment=PR-7", "preview_environments: true", "Type for example -e environment=pr7"),
        ("environment=blue", "preview_environments: true", "blue has an inventory of its own"),
    ],
)
def test_what_is_no_preview_environment_of_an_inventory_ends_the_run_before_anything_is_read(
    inventory: Inventory, typed: str, more: str, says: str
) -> None:
    shutil.copytree(inventory.folder, inventory.folder.with_name("blue"))
    inventory.append("environment.yml", f"{more}\n")
    done = inventory.run("ansible-playbook", "teardown.yml", "-e", typed, "-e", "confirm=x")
    assert (done.returncode, done.stdout) == (1, "")
    sentence, see = done.stderr.splitlines()
    assert says in sentence
    assert see.startswith("See docs/troubleshooting.md#")
    assert "another-message" not in see


def test_a_preview_environment_is_judged_under_its_own_name(inventory: Inventory) -> None:
    inventory.append("environment.yml", "preview_environments: true\n")
    done = inventory.run("ansible-playbook", "preflight.yml", *OFFLINE, "-e", "environment=pr7")
    assert done.returncode == 0, done.stdout + done.stderr
    done = inventory.run("ansible-playbook", "preflight.yml", *OFFLINE, "-e", "environment=volume")
    assert "could not be told apart" in done.stdout
    done = inventory.run("ansible-playbook", "preflight.yml", *OFFLINE, "-e", "preview_of=live")
    assert "-e preview_of: preflight.yml takes no such argument" in done.stderr


@pytest.mark.long
def test_only_verbs_that_have_to_do_with_hosts_look_for_them(inventory: Inventory, tmp_path: Path) -> None:
    """Those are the playbooks that name the group; the others end at their first check, the region not being one.

    A Compose file needs no region, and in a region without a site nobody holds a lock, is in maintenance or backed up.
    """
    written = f"compose_file_start={tmp_path}/compose"
    own = inventory.folder / "environment.yml"
    own.write_text(own.read_text().replace(f"aws_region: {REGION}", "aws_region: nowhere-1"))
    verbs = "doctor drill exec hosts import_data release restore rollback rotate_secrets ssh_config tunnel verify"
    seeing = {f"{verb}.yml" for verb in (*verbs.split(), "upgrade_database")}
    for verb in sorted(path.name for path in PROJECT.glob("*.yml") if path.name != "requirements.yml"):
        typed = {"exec.yml": ("-e", "command=date"), "compose_file.yml": ("-e", written)}.get(verb, ())
        done = inventory.run("ansible-playbook", verb, *typed)
        well = verb in ("backups.yml", "compose_file.yml", "maintenance.yml", "unlock.yml")
        assert bool(done.returncode) != well, f"{verb}: {done.stdout}{done.stderr}"
        looked = "The site's hosts cannot be looked for" in done.stderr
        assert looked == (verb in seeing), f"{verb}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("migrate.yml", "-e", "job=migrate"), "-e job: migrate.yml takes no such argument"),
        (("release.yml", "-e", "release=a b"), "Behind -e release= stand several words"),
        (("init.yml", "-e", "compsoe=x"), "Did you mean compose?"),
    ],
)
def test_what_a_verb_does_not_know_ends_it_before_anything_is_read(
    inventory: Inventory, typed: tuple[str, ...], says: str
) -> None:
    done = inventory.run("ansible-playbook", *typed)
    assert (done.returncode, done.stdout) == (1, "")
    sentence, see = done.stderr.splitlines()
    assert says in sentence
    assert see.startswith("See docs/troubleshooting.md#")


def test_what_comes_of_a_vaulted_file_is_known_too(inventory: Inventory, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret")
    for name, said in (("own", "-e own: compose_file.yml takes no such argument"), ("_own", "")):
        (tmp_path / "mine.yml").write_text(f"{name}: 1\ncompose_file_start: {tmp_path}/compose\n")
        vault = [
            str(Path(sys.executable).parent / "ansible-vault"),
            "encrypt",
            "mine.yml",
            "--vault-password-file=password",
        ]
        subprocess.run(vault, cwd=tmp_path, check=True, capture_output=True)
        password = f"--vault-password-file={tmp_path}/password"
        done = inventory.run("ansible-playbook", "compose_file.yml", password, "-e", f"@{tmp_path}/mine.yml")
        assert bool(done.returncode) == bool(said), done.stdout + done.stderr
        assert said in done.stderr


def test_an_inventory_may_lie_anywhere_and_be_typed_from_anywhere(inventory: Inventory, tmp_path: Path) -> None:
    done = inventory.run("ansible-playbook", str(PROJECT / "preflight.yml"), *OFFLINE, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "other"), [("site_name", "other"), ("environment_name", "other"), ("aws_region", "eu-west-3")]
)
def test_what_says_it_once_more_is_refused(inventory: Inventory, name: str, other: str) -> None:
    inventory.append("group_vars/site/main.yml", f"{name}: {other}\n")
    done = inventory.run("ansible-playbook", "preflight.yml", *OFFLINE, "-e", f"{name}={other}")
    assert done.returncode != 0
    file, own = inventory.folder / "group_vars/site/main.yml", inventory.folder / "environment.yml"
    line = file.read_text().count("\n")
    assert f"{file}:{line}: {name}: is said by {own} alone. Take this line out, or change it there." in done.stdout
    assert f"-e: {name}: is said by {own}, by which the hosts were looked for. Change it there." in done.stdout
    assert "2 things are wrong" in done.stdout


def test_what_is_wrong_with_it_is_shown_at_its_line(inventory: Inventory) -> None:
    own = inventory.folder / "environment.yml"
    own.write_text(own.read_text().replace("site_name: shop", "site_name: Shop"))
    done = inventory.run("ansible-playbook", "preflight.yml", *OFFLINE)
    assert f"{own}:2: site_name: " in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "site_name: shop",
            "site-name: shop",
            "environment.yml:2: site-name is no key of this file. Did you mean site_name?",
        ),
        ("plugin: environment", "plugin: environment\nhost_adress: private", "Did you mean host_address?"),
        ("site_name: shop", "site_name:", "site_name is missing. It is: Name of the site. Write site_name: …"),
        (f"aws_region: {REGION}", "", "aws_region is missing."),
    ],
)
def test_a_file_that_does_not_say_it_ends_the_run_with_one_sentence(
    inventory: Inventory, old: str, new: str, sentence: str
) -> None:
    own = inventory.folder / "environment.yml"
    own.write_text(own.read_text().replace(old, new))
    done = inventory.run("ansible-playbook", "preflight.yml", *OFFLINE)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "environment.yml" in done.stderr
    assert done.stderr.count("[ERROR]") == 1, done.stderr


def test_a_site_that_is_not_up_is_told_how_it_was_looked_for(inventory: Inventory, aws: Cloud) -> None:
    launch(aws, "another")
    done = inventory.run("ansible-playbook", "ssh_config.yml")
    assert done.returncode != 0
    text = " ".join(done.stdout.split())
    assert f"No host runs in {REGION} with the tags Site=shop and Environment=live" in text
    assert f"Is the site up? Type: ansible-playbook site.yml -i {inventory.folder}" in text


def test_a_limit_that_names_no_host_is_refused(inventory: Inventory, aws: Cloud) -> None:
    mine = launch(aws, "shop")
    done = inventory.run("ansible-playbook", "exec.yml", "-e", "command=date", "--limit", "localhost,i-0zzz")
    assert done.returncode != 0
    text = " ".join(done.stdout.split())
    assert "--limit localhost,i-0zzz names no host of the site, so nothing would be done." in text
    assert f"Its hosts are {mine}." in text

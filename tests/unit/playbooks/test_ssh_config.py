"""The verb ssh_config on an inventory as AWS would fill it, read back by ssh itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.playbook

PROJECT = Path(__file__).resolve().parents[3]
OLDER, NEWER = "i-0bbbbbbbbbbbbbbbb", "i-0aaaaaaaaaaaaaaaa"


def host(address: str, launched: str) -> dict[str, Any]:
    return {
        "ansible_host": address, "ansible_user": "ec2-user", "aws_launch_time": launched,
        "aws_instance_type": "t3.micro", "aws_placement": {"availability_zone": "us-east-1a"},
    }  # fmt: skip


HOSTS = {NEWER: host("192.0.2.2", "2026-11-20 10:00:00+00:00"), OLDER: host("192.0.2.1", "2026-11-19 10:00:00+00:00")}


def many(count: int) -> dict[str, Any]:
    """Hosts that were launched one after the other, the oldest with the largest id."""
    return {
        f"i-{0xfff - at:017x}": host(f"10.0.{at // 256}.{at % 256}", f"2026-11-{1 + at // 1440:02}"
        f" {at // 60 % 24:02}:{at % 60:02}:00+00:00")
        for at in range(count)
    }  # fmt: skip


def written(
    folder: Path, hosts: dict[str, Any], home: Path | None = None, **variables: Any
) -> subprocess.CompletedProcess[str]:
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    given = {"site_name": "legacy", "environment_name": "prod", "aws_region": "us-east-1"}
    given |= {"ssh_config_folder": str(folder), **variables}
    inventory = {"prod": {"hosts": {"localhost": local}, "children": {"ecs_hosts": {"hosts": hosts}}}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory))
    (folder / "given.yml").write_text(yaml.safe_dump(given))
    command = ["ansible-playbook", "ssh_config.yml", "-i", str(folder / "hosts.yml"), "-e", f"@{folder / 'given.yml'}"]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    if home:
        kept |= {"HOME": str(home)}
    return subprocess.run(command, cwd=PROJECT, env=kept, capture_output=True, text=True, check=False, timeout=120)


def understood(folder: Path, name: str) -> dict[str, str]:
    """What ssh would do to reach the host of this name."""
    command = ["ssh", "-F", str(folder / "ssh.prod.cfg"), "-G", name]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(line.split(" ", 1) for line in shown.splitlines() if " " in line)


def test_hosts_are_named_by_their_launch_and_known_by_their_id(tmp_path: Path) -> None:
    run = written(tmp_path, HOSTS)
    assert run.returncode == 0, run.stdout
    assert "On AWS nobody gets in" in run.stdout
    for name, instance, address in (("host-a", OLDER, "192.0.2.1"), ("prod-host-b", NEWER, "192.0.2.2")):
        found = understood(tmp_path, name)
        assert (found["hostname"], found["hostkeyalias"], found["user"]) == (address, instance, "ec2-user")
        assert "proxycommand" not in found


def test_session_manager_leads_to_the_instance_without_an_address(tmp_path: Path) -> None:
    run = written(tmp_path, HOSTS, host_access_session_manager=True)
    assert "session-manager-plugin" in run.stdout
    found = understood(tmp_path, "prod-host-a")
    assert found["hostname"] == OLDER
    assert found["proxycommand"] == (
        "aws ssm start-session --region us-east-1 --document-name AWS-StartSSHSession"
        " --parameters portNumber=%p --target %h"
    )


@pytest.mark.parametrize("name", ["my key", "100% mine", 'a "b"'])
def test_the_key_pair_is_named_whatever_it_is_called(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where Ansible looks for the file; ssh asks the password database
    key = tmp_path / ".ssh" / f"{name}.pem"
    key.parent.mkdir()
    key.touch()
    run = written(tmp_path, HOSTS, host_key_name=name)
    assert run.returncode == 0, run.stdout
    shown = understood(tmp_path, "host-a")["identityfile"]
    assert shown.replace("%%", "%") == str(Path("~/.ssh") / key.name)


def test_an_open_port_is_nothing_to_warn_of(tmp_path: Path) -> None:
    assert "nobody gets in" not in written(tmp_path, HOSTS, host_admin_cidrs=["192.0.2.0/24"]).stdout


def test_a_site_without_hosts_is_told_as_such(tmp_path: Path) -> None:
    run = written(tmp_path, {})
    assert run.returncode != 0
    assert f"ansible-playbook site.yml -i {tmp_path / 'hosts.yml'}" in " ".join(run.stdout.split())
    assert not (tmp_path / "ssh.prod.cfg").exists()


def names(folder: Path) -> dict[str, str]:
    """Host → short name, as the file has them."""
    lines = (folder / "ssh.prod.cfg").read_text().splitlines()
    return {words[3]: words[1] for line in lines if (words := line.split())[:1] == ["Host"]}


@pytest.mark.parametrize("count", [1, 30, pytest.param(1000, marks=pytest.mark.long)])
def test_any_number_of_hosts_has_names(tmp_path: Path, count: int) -> None:
    hosts = many(count)
    run = written(tmp_path, hosts)
    assert run.returncode == 0, run.stdout
    given = list(names(tmp_path).values())
    assert names(tmp_path).keys() == hosts.keys()
    assert len(set(given)) == count
    assert given[0] == "host-a"
    assert given[-1] == {1: "host-a", 30: "host-ad", 1000: "host-all"}[count]
    assert understood(tmp_path, given[-1])["hostkeyalias"] == list(hosts)[-1]
    assert len(run.stdout) < 10_000


def test_a_host_keeps_its_name_when_another_leaves_or_comes(tmp_path: Path) -> None:
    hosts = many(4)
    first, second, third, fourth = hosts
    written(tmp_path, {name: hosts[name] for name in (first, second, third)})
    assert names(tmp_path) == {first: "host-a", second: "host-b", third: "host-c"}
    for _ in range(2):
        written(tmp_path, {name: hosts[name] for name in (second, third, fourth)})
        assert names(tmp_path) == {second: "host-b", third: "host-c", fourth: "host-a"}


def test_the_key_of_a_key_pair_with_a_blank_and_a_percent_sign_is_found(tmp_path: Path) -> None:
    """EC2 allows both in a name, and ssh would take the second for a token."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "my key 100%d.pem").touch()
    run = written(tmp_path, HOSTS, home=tmp_path, host_key_name="my key 100%d")
    assert run.returncode == 0, run.stdout
    assert understood(tmp_path, "host-a")["identityfile"] == "~/.ssh/my key 100%%d.pem"

"""What the host roles write: rendered by Ansible's own templating, as a host and as user data get it."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from tests.unit.room_support import host_roles

ROLES = Path(__file__).resolve().parents[3] / "roles"
HOST_ROLES = host_roles(ROLES.parent)
SITE = {"site_name": "shop", "environment_name": "prod", "aws_region": "eu-west-1"}


def _trusted(value: Any) -> Any:
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: _trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_trusted(item) for item in value]
    return value


def render(role: str, template: str, **variables: Any) -> str:
    folder = ROLES / role
    scope = {**SITE}
    for file in ("defaults/main.yml", "vars/main.yml"):
        scope |= _trusted(yaml.safe_load((folder / file).read_text()))
    scope |= variables
    templar = Templar(loader=DataLoader(), variables=scope)
    text: str = templar.template(trust_as_template((folder / "templates" / template).read_text()))
    return text


def config(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_agent_config_is_read_without_a_shell_so_nothing_is_quoted() -> None:
    rendered = config(render("ecs_agent", "ecs.config.j2"))
    assert rendered["ECS_CLUSTER"] == "shop-prod"
    assert rendered["ECS_RESERVED_MEMORY"] == "256"
    assert json.loads(rendered["ECS_AVAILABLE_LOGGING_DRIVERS"]) == ["json-file", "awslogs"]
    assert rendered["ECS_IMAGE_PULL_BEHAVIOR"] == "once"
    assert not [value for value in rendered.values() if value.startswith(("'", '"'))]


def test_agent_attributes_are_json_and_absent_by_default() -> None:
    assert "ECS_INSTANCE_ATTRIBUTES" not in config(render("ecs_agent", "ecs.config.j2"))
    rendered = config(render("ecs_agent", "ecs.config.j2", ecs_agent_attributes={"tier": "web"}))
    assert json.loads(rendered["ECS_INSTANCE_ATTRIBUTES"]) == {"tier": "web"}


def test_docker_rotates_logs_and_keeps_containers_through_a_restart() -> None:
    daemon = json.loads(render("docker_engine", "daemon.json.j2"))
    assert daemon["live-restore"] is True
    assert daemon["log-opts"] == {"max-size": "10m", "max-file": "3"}
    assert daemon["default-ulimits"]["nofile"] == {"Name": "nofile", "Soft": 32768, "Hard": 65536}


def test_limits_of_containers_and_address_pools_are_written_as_docker_reads_them() -> None:
    pools = [{"base": "10.200.0.0/16", "size": "24"}]
    limits = {"core": "0:0", "memlock": "-1:-1"}
    rendered = render(
        "docker_engine", "daemon.json.j2", docker_engine_address_pools=pools, docker_engine_ulimits=limits
    )
    daemon = json.loads(rendered)
    assert daemon["default-address-pools"] == [{"base": "10.200.0.0/16", "size": 24}]
    assert daemon["default-ulimits"] == {
        "core": {"Name": "core", "Soft": 0, "Hard": 0},
        "memlock": {"Name": "memlock", "Soft": -1, "Hard": -1},
    }
    assert "default-address-pools" not in json.loads(render("docker_engine", "daemon.json.j2"))


def test_what_the_engine_has_read_is_kept_at_its_start_and_at_a_reload() -> None:
    lines = render("docker_engine", "docker-berth.conf.j2").splitlines()
    kept = {(line.split("=")[0], line.rpartition("/")[2]) for line in lines if "/bin/cp" in line}
    assert kept == {("ExecStartPost", "started.json"), ("ExecStartPost", "loaded.json"), ("ExecReload", "loaded.json")}


@pytest.mark.parametrize(("block", "before", "after"), [(True, 0, 1), (True, 1, 1), (False, 0, 0), (False, 2, 0)])
def test_the_rule_about_the_metadata_service_is_there_once_or_not_at_all(
    tmp_path: Path, block: bool, before: int, after: int
) -> None:
    """The unit's command itself, with a file in place of the kernel."""
    rules, fake = tmp_path / "rules", tmp_path / "iptables"
    rules.write_text("DOCKER-USER --destination 169.254.169.254/32 --jump DROP\n" * before)
    fake.write_text(
        f'#!/bin/bash\n[ "$1" = --wait ] || exit 2\naction=$2; shift 2\n'
        f'case $action in --check) grep -qx -- "$*" {rules} ;; --insert) echo "$*" >> {rules} ;;\n'
        f'--delete) grep -qx -- "$*" {rules} && sed -i 1d {rules} ;; *) exit 2 ;; esac\n'
    )
    fake.chmod(0o755)
    unit = render("docker_engine", "metadata-guard.service.j2", docker_engine_block_metadata=block)
    commands = {line.partition("=")[2] for line in unit.splitlines() if line.startswith(("ExecStart=", "ExecReload="))}
    (command,) = commands
    for _ in range(2):
        subprocess.run(shlex.split(command), env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)
    assert len(rules.read_text().splitlines()) == after


def test_the_metadata_guard_follows_docker_and_comes_before_the_agent() -> None:
    unit = render("docker_engine", "metadata-guard.service.j2").splitlines()
    for line in ("Requires=docker.service", "After=docker.service", "Before=ecs.service", "RequiredBy=ecs.service"):
        assert line in unit


@pytest.mark.parametrize(("mb", "size"), [(64, 64), (0, None)])
def test_swap_file_is_made_resized_and_removed(tmp_path: Path, mb: int, size: int | None) -> None:
    """The script itself, with a record in place of the kernel."""
    file, record = tmp_path / "swapfile", tmp_path / "record"
    file.write_bytes(b"of another size")
    record.touch()
    commands = {
        "swapon": f'case $1 in --show*) cat {record} ;; *) echo "$1" > {record} ;; esac',
        "swapoff": f": > {record}",
    }
    for name, body in commands.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    script = render("host_limits", "host-swap.sh.j2", host_limits_swap_mb=mb, host_limits_swap_file=str(file))
    for _ in range(2):
        path = f"{tmp_path}:/usr/sbin:/usr/bin:/bin"
        subprocess.run(["bash", "-c", script], env={"PATH": path}, check=True)
    assert record.read_text().split() == ([str(file)] if size else [])
    assert file.exists() == bool(size)
    if size:
        found = file.stat()
        assert (found.st_size, found.st_mode & 0o777) == (size * 2**20, 0o600)
        assert found.st_blocks * 512 >= found.st_size, "the kernel takes no swap file with holes"


def test_swap_file_that_would_fill_the_disk_is_refused(tmp_path: Path) -> None:
    script = render(
        "host_limits", "host-swap.sh.j2", host_limits_swap_mb=10**9, host_limits_swap_file=f"{tmp_path}/swap"
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "leave less than 1 GiB" in done.stderr
    assert not list(tmp_path.iterdir())


def test_amazon_linux_is_not_given_the_open_files_limit_twice() -> None:
    assert "default-ulimit" not in render("docker_engine", "sysconfig-docker.j2").split("OPTIONS=")[1].splitlines()[0]


def test_plugin_is_installed_by_the_literal_command_under_its_alias() -> None:
    script = render("rexray_efs", "rexray-efs.sh.j2")
    assert "docker plugin install --disable --grant-all-permissions --alias rexray/efs" in script
    assert "readonly reference=rexray/efs:0.11.4" in script
    for setting in ("EFS_TAG=shop-prod", "EFS_REGION=eu-west-1", "LINUX_VOLUME_FILEMODE=0755", "REXRAY_PREEMPT=true"):
        assert f"  {setting}\n" in script
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize(
    ("repository", "canonical"),
    [
        ("rexray/efs", "docker.io/rexray/efs:0.11.4"),
        ("registry.example.org/rexray/efs", "registry.example.org/rexray/efs:0.11.4"),
        ("127.0.0.1:4247/rexray/efs", "127.0.0.1:4247/rexray/efs:0.11.4"),
        ("localhost/efs", "localhost/efs:0.11.4"),
    ],
)
def test_the_plugin_comes_from_any_repository_and_is_known_by_it(
    tmp_path: Path, repository: str, canonical: str
) -> None:
    """A plugin of the same name from elsewhere is another one."""
    script = render("rexray_efs", "rexray-efs.sh.j2", rexray_efs_repository=repository, rexray_efs_settings={})
    assert f"readonly reference={repository}:0.11.4" in script
    (tmp_path / "curl").write_text("#!/bin/sh\necho 200\n")
    (tmp_path / "curl").chmod(0o755)
    for installed, said in ((canonical, ""), ("elsewhere.example.org/rexray/efs:0.11.4", "upgrade to ")):
        (tmp_path / "docker").write_text(
            f"#!/bin/sh\ncase \"$*\" in *PluginReference*) printf '%s\\n' {installed} true;; esac\n"
        )
        (tmp_path / "docker").chmod(0o755)
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        command = ["bash", "-s", "--", "--check"]
        ran = subprocess.run(command, input=script, text=True, capture_output=True, env=environment, check=False)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.partition(repository)[0] == said


def test_a_registry_has_ten_minutes_and_what_does_not_come_by_then_is_an_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands = {
        "docker": 'case "$*" in "plugin install"*) echo toomanyrequests >&2; exit 1;; "plugin inspect"*) exit 1;; esac',
        "sleep": f"echo $1 >> {log}",
        "curl": "echo 200",
    }
    for name, text in commands.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    script = render("rexray_efs", "rexray-efs.sh.j2", rexray_efs_settings={})
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    ran = subprocess.run(["bash"], input=script, text=True, capture_output=True, env=environment, check=False)
    assert ran.returncode != 0
    assert ran.stdout.splitlines()[-1] == "attempt 13 failed: install"
    waited = sum(map(int, log.read_text().split()))
    assert 540 <= waited <= 900
    unit = render("rexray_efs", "rexray-efs.service.j2")
    limit = int(unit.partition("TimeoutStartSec=")[2].split()[0])
    assert limit > waited + 600, "what it waits and what it does must have their time"


def test_a_setting_with_spaces_stays_one_word() -> None:
    script = render("rexray_efs", "rexray-efs.sh.j2", rexray_efs_security_groups=["sg-1", "sg-2"])
    assert "  'EFS_SECURITYGROUPS=sg-1 sg-2'\n" in script


def test_every_setting_is_one_that_the_plugin_has_and_none_is_left_to_chance() -> None:
    """`docker plugin set` refuses unknown names; CSI is another interface, which DOCKER_LEGACY keeps away."""
    plugin = json.loads((ROLES.parent / "local_aws/images/rexray_efs/config.json").read_text())
    settable = {entry["name"] for entry in plugin["env"] if entry["settable"]}
    listed = yaml.safe_load((ROLES / "rexray_efs/vars/main.yml").read_text())["rexray_efs_settings"]
    assert set(listed) == settable - {"CSI_ENDPOINT", "X_CSI_DRIVER", "X_CSI_NATIVE"}


def test_the_plugin_is_never_told_to_remove_a_volume() -> None:
    """It would delete the file system. The one command named is for a person, and takes local volumes only."""
    script = render("rexray_efs", "rexray-efs.sh.j2")
    used = [line.strip() for line in script.splitlines() if "docker volume" in line and not line.startswith("#")]
    assert used == [
        "local=$(docker volume ls --quiet --filter driver=local)",
        '"docker volume ls -qf driver=local -f name=^$volume\\$ | xargs -r docker volume rm"',
    ]


def test_a_plugin_that_docker_enabled_in_the_meantime_is_taken(tmp_path: Path) -> None:
    """Docker enables what was enabled before its restart, and then refuses to do it again."""
    fake = tmp_path / "docker"
    fake.write_text(
        'case "$*" in *PluginReference*) printf "%s\\n" docker.io/rexray/efs:0.11.4 false;; *Enabled*) echo true;;'
        ' "plugin enable"*) exit 1;; esac\n'
    )
    (tmp_path / "curl").write_text("echo 200\n")
    for file in tmp_path.iterdir():
        file.write_text(f"#!/bin/sh\n{file.read_text()}")
        file.chmod(0o755)
    script = render("rexray_efs", "rexray-efs.sh.j2", rexray_efs_settings={})
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    ran = subprocess.run(
        ["bash"], input=script, text=True, capture_output=True, env=environment, timeout=20, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "enable\n"), ran.stderr


def test_plugin_comes_before_the_agent() -> None:
    assert "Before=ecs.service" in render("rexray_efs", "rexray-efs.service.j2")
    drop_in = render("rexray_efs", "ecs-rexray-efs.conf.j2")
    assert "Requires=rexray-efs.service" in drop_in
    assert "After=rexray-efs.service" in drop_in


def test_people_are_listed_by_name_and_those_kept_out_apart() -> None:
    people = [
        {"name": "ada", "keys": ["ssh-ed25519 AAAAada ada@laptop", "ssh-rsa AAAAold"]},
        {"name": "bob", "keys": ["ssh-ed25519 AAAAbob"], "state": "absent"},
        {"name": "eve", "state": "absent"},
    ]
    opening = render("host_access", "authorized_keys.j2", host_access_people=people).splitlines()[1:]
    assert opening == ["ssh-ed25519 AAAAada ada", "ssh-rsa AAAAold ada"]
    revoked = render("host_access", "revoked_keys.j2", host_access_people=people).splitlines()[1:]
    assert revoked == ["ssh-ed25519 AAAAbob bob"]


def test_what_sshd_needs_is_written_before_its_settings_name_it() -> None:
    """User data is written by path, a converge in the list's order."""
    paths = [
        item["path"] for item in yaml.safe_load((ROLES / "host_access/vars/main.yml").read_text())["host_access_files"]
    ]
    assert paths == sorted(paths)
    settings = render("host_access", "sshd.conf.j2")
    assert "RevokedKeys /etc/ssh/revoked_keys" in settings
    assert paths.index("/etc/ssh/revoked_keys") < paths.index("/etc/ssh/sshd_config.d/00-berth.conf")


def test_keys_in_home_folders_count_unless_switched_off() -> None:
    assert "\nAuthorizedKeysFile .ssh/authorized_keys /etc" in render("host_access", "sshd.conf.j2")
    assert "\nAuthorizedKeysFile /etc" in render("host_access", "sshd.conf.j2", host_access_home_keys=False)


@pytest.mark.parametrize("role", HOST_ROLES)
def test_every_listed_file_has_its_template(role: str) -> None:
    listed = yaml.safe_load((ROLES / role / "vars/main.yml").read_text())[f"{role}_files"]
    assert {item["template"] for item in listed} == {path.name for path in (ROLES / role / "templates").iterdir()}


@pytest.mark.parametrize("role", HOST_ROLES)
def test_templates_use_nothing_that_only_a_host_knows(role: str) -> None:
    """User data is rendered on the control machine: facts and host variables would differ there."""
    for path in (ROLES / role / "templates").iterdir():
        for word in ("ansible_facts", "inventory_hostname", "ansible_managed", "hostvars", "groups["):
            assert word not in path.read_text(), f"{path.name} uses {word}"

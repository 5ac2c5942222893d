"""Wrong inventories: each is refused before the first API call, with a sentence that names the variable.

All cases are hosts of one inventory, so that one run of the role `preflight` judges them all; the API endpoint of that
run is a socket that counts who calls.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.playbook

PROJECT = Path(__file__).resolve().parents[2]
CONTAINERS = yaml.safe_load((PROJECT / "roles/task/defaults/main.yml").read_text())["site_containers"]

# Nothing that could be compressed away: EC2's limit is that of the compressed user data.
LONG = [f"http://{hashlib.sha256(bytes([n % 256, n // 256])).hexdigest()}" for n in range(600)]


def containers(**changes: dict[str, Any]) -> dict[str, Any]:
    """`site_containers` of the defaults with some keys of some containers changed."""
    return {name: {**given, **changes.get(name, {})} for name, given in CONTAINERS.items()}


@dataclass(frozen=True)
class Case:
    """One wrong inventory: what differs from a right one, the variable to be named, and a part of the sentence."""

    variable: str
    given: dict[str, Any] = field(hash=False)
    says: str

    @property
    def host(self) -> str:
        """A host name of its own, readable in test reports."""
        words = "".join(c if c.isalnum() else "-" for c in f"{self.says}-{self.given.get(self.variable)}"[:60])
        return f"{self.variable}-{words}".rstrip("-")


def one(variable: str, value: Any, says: str, **more: Any) -> Case:
    """A case in which `variable` itself has a wrong value."""
    return Case(variable, {variable: value, **more}, says)


WRONG = [
    one("site_name", "Shop_1", "small letters"),
    one("site_name", "a-name-that-is-much-too-long", "at most 20"),
    one("site_name", "awsome", "may not begin with aws"),
    one("environment_name", "prod", "inventory group"),
    one("aws_region", "frankfurt", "is no region"),
    one("network_cidr", "10.20.0.0", "no IPv4 network"),
    one("network_cidr", "10.20.0.1/16", "no IPv4 network"),
    one("network_cidr", "10.0.0.0/8", "prefix length"),
    one("network_cidr", "10.20.0.0/24", "prefix length"),
    one("network_cidr", "8.8.0.0/16", "private ranges"),
    one("network_cidr", "172.17.0.0/20", "Docker uses"),
    one("docker_engine_address_pools", [{"base": "10.0.0.0/8", "size": 24}], "overlaps network_cidr"),
    one("network_nat", "gatway", "Did you mean gateway"),
    one("network_availability_zones", ["us-east-1a"], "two different zones"),
    one("network_availability_zones", ["eu-west-1a", "eu-west-1b"], "outside aws_region"),
    one("host_admin_cidrs", ["0.0.0.0/0"], "ssh to the world"),
    one("host_admin_cidrs", ["192.0.2.10"], "/32"),
    one("database_admin_cidrs", ["0.0.0.0/0"], "database to the world"),
    one("cdn_prefix_list_id", "", "describe-managed-prefix-lists", cdn_enabled=True),
    one("cdn_enabled", True, "close the site to everybody", cdn_prefix_list_id="pl-3b927c52"),
    one("domain_name", "https://shop.test/", "no domain name"),
    one("domain_name", "www.example.org", "placeholder"),
    one("domain_name", "a" * 60 + ".test.org", "64 characters"),
    one("domain_name", "", "is missing"),
    one("hosted_zone_id", "/hostedzone/Z123", "no hosted zone"),
    one("database_class", "db.t2.micro", "does not run PostgreSQL 15"),
    one("database_class", "t3.micro", "no instance class"),
    one("database_engine_version", "9.6", "no version of PostgreSQL"),
    one("database_name", "postgres", "names that RDS keeps"),
    one("database_username", "admin", "keeps for itself"),
    one("database_username", "pg_site", "keeps for itself"),
    one("database_storage_gb", 5, "20 to 65,536"),
    one("database_storage_max_gb", 21, "a tenth above"),
    one("database_backup_days", 0, "1 to 35 days"),
    one("media_volume_driver", "rexray", "version 1", host_imds_tokens="required"),
    one("media_volume_driver", "rexray", "x86_64 only", host_instance_type="t4g.micro"),
    one("media_volume_driver", "nfs", "must be one of rexray, efs"),
    one("media_volume_name", "Media Files", "small letters"),
    one("media_file_system_id", "media", "no file system"),
    one("media_permissions", 755, "in quotes"),
    one("rexray_efs_tag", "website", "site_name-environment_name"),
    one("host_instance_type", "micro", "no instance type"),
    one("host_instance_type", "m7i.large", "launch configurations know no type"),
    one("host_ami_family", "amazon-linux-2", "host_ami_allow_eol"),
    one("host_ami_id", "al2023", "no image"),
    one("host_volume_gb", 8, "30 GiB"),
    one("host_count", 0, "needs a host"),
    one("host_count_max", 1, "less than host_count", host_count=2),
    one("host_count", "two", "must be of type int"),
    one("health_path", "healthz", "begins with a slash"),
    one("deregistration_delay_seconds", 4000, "0 to 3600"),
    one("log_retention_days", 31, "CloudWatch Logs offers"),
    one("site_containers", {}, "no containers"),
    one("site_containers", containers(django={"memory": 500}), "the new task beside the old"),
    one("site_containers", containers(django={"memory": 2}), "6 MiB or more"),
    one("site_containers", containers(nginx={"port": None}), "exactly one container needs a port"),
    one("site_containers", containers(nginx={"depends_on": {"djnago": "START"}}), "depends on djnago"),
    one("site_containers", containers(django={"health": None}), "has no health check"),
    one("site_containers", containers(django={"depends_on": {"nginx": "START"}}), "in a circle"),
    one("site_containers", containers(django={"secrets": {"DB_HOST": "db.host"}}), "no key of a secret"),
    one("site_containers", containers(django={"volumes": {"files": "/srv"}}), "only volume is media"),
    one("site_containers", containers(nginx={"memroy": 64}), "memroy, which is not known"),
    one("site_containers", {**containers(), "redis": {"memory": 32}}, "no image repository"),
    one("site_once", {"container": "web"}, "names no container"),
    one("site_once", {"container": "django", "memory": 600}, "no place"),
    one("site_images", {"django": "legacy-site/django"}, "no image for one"),
    one("service_desired_count", 0, "cannot be verified"),
    Case("site_containers", {"service_desired_count": 5}, "a deployment needs 6"),
    one("site_url_port", 70000, "is no port"),
    one("log_buffer_size", "25M", "for example 25m"),
    one("log_mode", "non_blocking", "non-blocking"),
    one("docker_engine_registry_mirrors", LONG, "too long"),
    one("docker_engine_log_max_size", "10", "for example 10m"),
    one("rexray_efs_status_timeout", "two minutes", "durations as Go does"),
    one("rexray_efs_repository", "https://registry.example.org/rexray/efs", "without scheme and tag"),
    one("host_limits_swap_mb", 8, "0 for none or 16 to 32768"),
    one("host_access_people", [{"name": "ada", "keys": ["ssh-dss AAAA"]}], "host_access_people: "),
    one("ecs_agent_attributes", {"rack": 7}, "numbers in quotes"),
]  # fmt: skip


class Listener:
    """A socket that counts connections and answers none."""

    def __init__(self) -> None:
        self.calls = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def environment(port: int) -> dict[str, str]:
    """The shell of a run: our settings, an endpoint that counts, keys that are nobody's."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "berth-embedded",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret-0f3c9d",
        "AWS_MAX_ATTEMPTS": "1",
    }


@dataclass
class Verdicts:
    """What one run said: host → message of its failure, none where it passed; and how often the API was called."""

    messages: dict[str, str]
    calls: int


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """One run of the role over all cases and, as a control, a right inventory."""
    folder = tmp_path_factory.mktemp("wrong")
    hosts = {case.host: case.given for case in WRONG} | {"right": {"preflight_account": False}}
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (folder / "hosts.yml").write_text(
        yaml.safe_dump({"local": {"hosts": {name: local | given for name, given in hosts.items()}}})
    )
    play = [{"name": "Judge", "hosts": "local", "gather_facts": False, "strategy": "free", "roles": ["preflight"]}]
    playbook = folder / "judge.yml"
    playbook.write_text(yaml.safe_dump(play))
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all").symlink_to(PROJECT / "group_vars/all")
    (folder / "group_vars/local.yml").symlink_to(PROJECT / "inventories/local/group_vars/local.yml")
    listener = Listener()
    result = subprocess.run(
        ["ansible-playbook", str(playbook), "-i", str(folder / "hosts.yml"), "--forks", "4"],
        cwd=PROJECT, env=environment(listener.port) | {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    listener.close()
    output = json.loads(result.stdout[result.stdout.index("{") :])
    messages: dict[str, str] = {}
    for run in output["plays"]:
        for task in run["tasks"]:
            for host, answer in task["hosts"].items():
                if answer.get("failed"):
                    messages[host] = answer["msg"]
    assert set(output["stats"]) == set(hosts), "every case was judged"
    return Verdicts(messages, listener.calls)


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.host)
def test_a_wrong_inventory_is_refused_by_a_sentence_that_names_the_variable(case: Case, verdicts: Verdicts) -> None:
    message = verdicts.messages.get(case.host)
    assert message, f"{case.variable}={case.given} was accepted"
    line = next((line for line in message.splitlines() if case.variable in line and case.says in line), None)
    assert line, f"no line names {case.variable} and says {case.says!r}:\n{message}"


def test_no_api_was_called_for_any_of_them(verdicts: Verdicts) -> None:
    assert verdicts.calls == 0


def test_a_right_inventory_passes(verdicts: Verdicts) -> None:
    assert "right" not in verdicts.messages


def test_there_are_many_cases_and_each_is_one_of_its_own() -> None:
    assert len(WRONG) >= 30
    assert len({case.host for case in WRONG}) == len(WRONG)

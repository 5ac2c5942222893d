"""Right inventories pass; wrong ones are refused before the first API call, with a sentence that names the variable.

All cases are hosts of one inventory, so that one run of the role `preflight` judges them all; the API endpoint of that
run is a socket that counts who calls. Every variable is given a right value that is not its default, and every rule has
refused something: two tests count.
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

from tests.unit import rules_support
from tests.unit.render_support import LAYERS

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
    one("site_name", "example", "placeholder that came with the inventory"),
    one("site_name", "awsome", "may not begin with aws"),
    one("environment_name", "new", "what new environments are copied from"),
    one("environment_name", "Local-1", "small letters and digits"),
    one("aws_region", "frankfurt", "is no region"),
    one("aws_region", "cn-north-1", "is a region of China"),
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
    one("host_admin_cidrs", "203.0.113.7/32", "Write host_admin_cidrs: [203.0.113.7/32]."),
    one("docker_engine_ulimits", "nofile=1024:2048", "must be of type dict"),
    one("host_admin_cidrs", ["192.0.2.10"], "/32"),
    one("host_admin_cidrs", ["203.0.113.7/32", "2001:db8::/32"], "no IPv4 network"),
    one("database_admin_cidrs", ["0.0.0.0/0"], "database to the world"),
    one("database_admin_cidrs", ["10.8.0.1/16"], "no IPv4 network"),
    one("cdn_prefix_list_id", "", "describe-managed-prefix-lists", cdn_enabled=True),
    one("cdn_enabled", True, "close the site to everybody", cdn_prefix_list_id="pl-3b927c52"),
    one("domain_name", "https://shop.test/", "Set for example shop.test."),
    one("domain_name", "bücher.acme.de", "Set for example xn--bcher-kva.acme.de."),
    one("domain_name", "WWW.Acme.io", "Set for example www.acme.io."),
    one("domain_name", "shop", "Set for example www.example.org."),
    one("domain_name", 12, "no domain name"),
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
    one("database_username", "my-site", "letters, digits and underscores"),
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
    one("host_ami_family", "amazon-linux-2", "x86_64 only", host_ami_allow_eol=True, host_instance_type="t4g.micro"),
    one("host_key_name", " ada", "no name of a key pair"),
    one("host_key_name", "ada.pem", "Leave .pem out: ada."),
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
    one("site_containers", containers(django={"memory": 256.9}), "a whole number of MiB"),
    one("site_containers", containers(nginx={"links": "django"}), "links: [django]"),
    one("site_containers", containers(nginx={"port": None}), "exactly one container needs a port"),
    one("site_containers", containers(nginx={"depends_on": {"djnago": "START"}}), "depends on djnago"),
    one("site_containers", containers(django={"health": None}), "has no health check"),
    one("site_containers", containers(django={"depends_on": {"nginx": "START"}}), "in a circle"),
    one("site_containers", containers(django={"secrets": {"DB_HOST": "db.host"}}), "no key of a secret"),
    one("site_containers", containers(django={"volumes": {"files": "/srv"}}), "only volume is media"),
    one("site_containers", containers(nginx={"memroy": 64}), "memroy, which is not known"),
    one("site_containers", {**containers(), "redis": {"memory": 32}}, "no image repository"),
    one("site_once", {"container": "web"}, "names no container"),
    one("site_once", {"container": "django", "memory": 600}, "takes 600 MiB beside a task of the site"),
    # Without a memory of its own it takes that of its container.
    Case("site_once", {"site_once": {"container": "django"}, "site_containers": containers(django={"memory": 330})},
         "takes 330 MiB beside"),
    one("site_once", {"container": "django", "memory": 256.9}, "a whole number of MiB"),
    one("site_images", {"django": "legacy-site/django"}, "no image for one"),
    one("service_desired_count", 0, "cannot be verified"),
    Case("site_containers", {"service_desired_count": 5}, "a deployment needs 6"),
    one("service_grace_seconds", -1, "no number of seconds"),
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


# What only a host role reads, it checks by itself: role → values that its tasks/preflight.yml refuses.
HOST_WRONG: dict[str, list[Case]] = {
    "docker_engine": [
        one("docker_engine_log_max_files", 0, "1 file or more"),
        one("docker_engine_ulimits", {"nofile": "2048:1024"}, "soft not above hard"),
        one("docker_engine_registry_mirrors", ["mirror.example.org"], "write a URL"),
        one("docker_engine_max_concurrent_downloads", 0, "write 1 or more"),
        one("docker_engine_address_pools", [{"base": "10.200.0.0/16", "size": 8}], "the longer prefix"),
    ],
    "ecs_agent": [
        one("ecs_agent_cluster", '"prod"', "without quotes"),
        one("ecs_agent_image_pull_timeout", "2 hours", "write a duration as Go does"),
        one("ecs_agent_image_pull_behavior", "prefer-cached", "would never remove an image"),
        one("ecs_agent_images_deleted_per_cycle", 0, "write a whole number from"),
        one("ecs_agent_attributes", {"rack": 7}, "numbers in quotes"),
        one("ecs_agent_tags", {"aws:x": "y"}, "none beginning with aws:"),
        one("ecs_agent_reserved_ports", [70000], "write ports from 1 to 65535"),
        one("ecs_agent_dynamic_host_port_range", "50000-40000", "with a hyphen between them"),
        one("ecs_agent_untracked_images_kept", ["a,b"], "write each as name:tag"),
    ],
    "host_access": [
        one("host_access_people", [{"name": "ada", "keys": ["ssh-dss AAAA"]}], "host_access_people: "),
        one("host_access_ciphers", ["3des-cbc"], "choose from"),
        one("host_access_alive_count", 0, "write a whole number, 1 or more"),
        one("host_access_other_users", ["root"], "and not root"),
        one("host_access_home_keys", False, "no key would open a host"),
    ],
    "host_limits": [
        one("host_limits_swap_file", "swap", "an absolute path without spaces"),
        one("host_limits_sysctls", {"swappiness": 10}, "write name and value as sysctl does"),
        one("host_limits_journal_memory_mb", 8, "write 16 or more"),
    ],
    "rexray_efs": [
        one("rexray_efs_version", "0.11.4@sha256", "write a tag of rexray/efs"),
        one("rexray_efs_repository", "https://registry.example.org/rexray/efs", "without scheme and tag"),
        one("rexray_efs_file_mode", 493, "in quotes"),
        one("rexray_efs_region", "cn-north-1", "does not work in cn-*"),
        one("rexray_efs_tag", "my site", "without spaces"),
        one("rexray_efs_volumes", ["my media"], "names of the volumes"),
        one("rexray_efs_security_groups", ["default"], "write ids"),
        one("rexray_efs_status_timeout", "two minutes", "durations as Go does"),
    ],
}

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPc2eprhuiu0rGnWGMIOTSeYPYcUAKtLOEHQ5SHA0BOx ada@example.org"

TOPICS: dict[str, dict[str, Any]] = {
    "network": {
        "site_name": "shop", "aws_region": "eusc-de-east-1", "network_cidr": "10.30.0.0/20", "network_nat": "gateway",
        "network_availability_zones": ["eusc-de-east-1a", "eusc-de-east-1b"], "cdn_prefix_list_id": "pl-3b927c52",
        "host_admin_cidrs": ["203.0.113.7/32"], "database_admin_cidrs": ["10.8.0.0/16"],
        "hosted_zone_id": "Z0123456789ABC", "dns_switch": True, "certificate_wait_minutes": 30,
        "rexray_efs_region": "eu-central-1", "domain_name": "xn--bcher-kva.acme.de",
    },
    "several-networks": {
        "aws_region": "us-gov-west-1", "host_admin_cidrs": ["203.0.113.7/32", "198.51.0.0/16"],
        "database_admin_cidrs": ["10.8.0.0/16", "192.168.4.0/24"], "hosted_zone_id": "",
    },
    "new-hosts": {
        "host_launch_source": "launch_template", "host_instance_type": "m7i.large", "host_imds_tokens": "required",
        "media_volume_driver": "efs", "host_roles": ["host_limits", "docker_engine", "ecs_agent"],
        "host_ami_id": "ami-0123456789abcdef0", "host_volume_gb": 50, "host_wait_minutes": 30,
    },
    "arm-hosts": {
        "host_launch_source": "launch_template", "host_instance_type": "t4g.small", "media_volume_driver": "efs",
        "database_class": "db.t4g.micro",
    },
    "old-hosts": {"host_ami_family": "amazon-linux-2", "host_ami_allow_eol": True, "host_key_name": "my key"},
    "several-hosts": {"host_count": 2, "host_count_max": 3, "service_desired_count": 3},
    "balancer": {"health_path": "/health?full=1", "deregistration_delay_seconds": 0, "log_retention_days": 3653},
    "database": {
        "database_class": "db.m6g.large", "database_engine_version": "18.1", "database_name": "Shop_1",
        "database_username": "shop_owner", "database_storage_gb": 100, "database_storage_max_gb": 110,
        "database_backup_days": 35, "database_multi_az": True, "database_deletion_protection": False,
    },
    "media": {
        "media_volume_name": "uploads", "media_owner_uid": 2000, "media_owner_gid": 2001, "media_permissions": "0775",
        "media_file_system_id": "fs-0123456789abcdef0", "site_remove": ["fs-0fedcba9876543210"],
        "site_containers": containers(
            django={"volumes": {"uploads": "/srv"}}, nginx={"volumes": {"uploads": {"path": "/srv", "read_only": True}}}
        ),
    },
    "containers": {
        # ECS sets aside the soft limit; the hard ones would not fit twice.
        "site_containers": containers(
            django={"memory": 700, "memory_reservation": 200, "stop_seconds": 60, "environment": {"DEBUG": "0"}}
        ),
        "site_once": {"container": "django", "memory": 700, "command": ["python", "manage.py", "check"]},
        "site_once_minutes": 30, "site_images": {"django": "shop/django:1.2", "nginx": "shop/nginx"},
        "publish_select": "local", "service_grace_seconds": 0, "service_wait_minutes": 30,
        "log_mode": "blocking", "log_buffer_size": "1m",
    },
    "docker-engine": {
        "docker_engine_log_max_size": "1g", "docker_engine_log_max_files": 1, "docker_engine_live_restore": False,
        "docker_engine_ulimits": {"nofile": "1024:-1", "core": "0:0"},
        "docker_engine_registry_mirrors": ["https://mirror.example.org", "http://10.0.0.5:5000"],
        "docker_engine_max_concurrent_downloads": 10, "docker_engine_block_metadata": False,
        "docker_engine_address_pools": [{"base": "10.200.0.0/16", "size": 24}],
    },
    "ecs-agent": {
        "ecs_agent_cluster": "another_1", "ecs_agent_attributes": {"tier": "web", "rack": "7"},
        "ecs_agent_tags": {"Team": "web shop"}, "ecs_agent_propagate_tags_from": "none",
        "ecs_agent_reserved_memory": 200, "ecs_agent_reserved_ports": [22, 8080],
        "ecs_agent_reserved_ports_udp": [53], "ecs_agent_dynamic_host_port_range": "40000-50000",
        "ecs_agent_task_pids_limit": 500, "ecs_agent_logging_drivers": ["awslogs", "gelf"],
        "ecs_agent_awslogs_execution_role": False, "ecs_agent_log_level": "debug",
        "ecs_agent_image_pull_behavior": "always", "ecs_agent_image_pull_timeout": "30m",
        "ecs_agent_image_pull_inactivity_timeout": "2m", "ecs_agent_manifest_pull_timeout": "30s",
        "ecs_agent_pull_dependent_containers_upfront": True, "ecs_agent_disable_image_cleanup": True,
        "ecs_agent_image_cleanup_interval": "10m", "ecs_agent_image_minimum_cleanup_age": "2h",
        "ecs_agent_images_deleted_per_cycle": 10, "ecs_agent_untracked_image_cleanup": True,
        "ecs_agent_untracked_image_minimum_cleanup_age": "1h30m", "ecs_agent_untracked_images_kept": ["alpine:3.20"],
        "ecs_agent_task_cleanup_wait": "1m", "ecs_agent_task_cleanup_wait_jitter": "30s",
        "ecs_agent_container_create_timeout": "1m", "ecs_agent_container_start_timeout": "45s",
        "ecs_agent_container_stop_timeout": "2m", "ecs_agent_disable_privileged": False,
        "ecs_agent_task_iam_role": False, "ecs_agent_disable_metrics": True, "ecs_agent_poll_metrics": True,
        "ecs_agent_polling_metrics_wait": "20s", "ecs_agent_spot_instance_draining": True,
        "ecs_agent_warm_pools_check": True, "ecs_agent_join_timeout": 300,
    },
    "host-access": {
        "host_access_people": [{"name": "ada", "keys": [PUBLIC_KEY]}], "host_access_other_users": ["backup"],
        "host_access_home_keys": False, "host_access_session_manager": True, "host_access_forwarding": "all",
        "host_access_auth_tries": 6, "host_access_alive_seconds": 30, "host_access_alive_count": 2,
        "host_access_ciphers": ["aes256-gcm@openssh.com"], "host_access_key_exchanges": ["curve25519-sha256"],
        "host_access_macs": ["hmac-sha2-512-etm@openssh.com"],
    },
    "host-limits": {
        "host_limits_swap_mb": 0, "host_limits_swap_file": "/var/swap", "host_limits_core_dumps": True,
        "host_limits_sysctls": {"vm.swappiness": 60, "net.core.somaxconn": 1024}, "host_limits_journal_disk_mb": 500,
        "host_limits_journal_memory_mb": 64,
    },
    "rexray": {
        "rexray_efs_version": "0.11.3", "rexray_efs_log_level": "debug", "rexray_efs_region": "eu-west-1",
        "rexray_efs_tag": "legacy-local", "rexray_efs_volumes": ["media", "other"], "rexray_efs_file_mode": "0777",
        "rexray_efs_security_groups": ["sg-0123456789abcdef0"], "rexray_efs_disable_session_cache": True,
        "rexray_efs_status_max_attempts": 10, "rexray_efs_status_initial_delay": "2s",
        "rexray_efs_status_timeout": "5m", "rexray_efs_repository": "registry.example.org/rexray/efs",
    },
    "verbs": {
        "site_url_port": 8443, "site_connect_address": "127.0.0.1", "site_ca_file": "/etc/ca.pem",
        "verify_path": "/en/", "verify_wait_minutes": 1, "teardown_data": True, "teardown_keep_snapshot": False,
        "teardown_wait_minutes": 30, "confirm": "local", "hosts_downtime": True, "hosts_drain_minutes": 30,
        "move_volume_minutes": 600,
    },
}  # fmt: skip
"""Right values, topic → what differs from the embedded AWS's own inventory."""

RIGHT = {
    " ".join(names): {variable: value for name in names for variable, value in TOPICS[name].items()}
    for names in (
        ("network", "balancer", "database", "containers", "docker-engine", "verbs"),
        ("several-networks", "several-hosts", "media", "ecs-agent"),
        ("arm-hosts", "host-access", "host-limits"),
        ("new-hosts",),
        ("old-hosts", "rexray"),
    )
}
"""Right inventories. A topic that goes with another shares one: each runs the whole role, some sixty tasks."""

IDENTITY = {"site_name": "legacy", "environment_name": "local", "aws_region": "us-east-1"}
"""What inventories/local/environment.yml says."""
HANDED_OVER = {
    "network_zones_offered": ["us-east-1a", "us-east-1b"], "data_allocated_gb": 30, "data_outputs": {"VpcId": "x"},
    "cluster_ami_id": "ami-0123456789abcdef0", "cluster_user_data": "#cloud-config", "cluster_outputs": {"VpcId": "x"},
    "task_images": {"django": "x"}, "task_release": "1", "task_outputs": {"VpcId": "x"}, "service_outputs": {"A": "x"},
    "dns_records": {"own": ["x"], "elsewhere": []}, "dns_stack": {"status": "x", "parameters": {}},
    "dns_balancer_seen": "x", "dns_outputs": {"AlbDnsName": "x"},
}  # fmt: skip
"""What a play gives a layer's role, and no inventory."""

NEVER_SET = {
    "cdn_enabled": "true is refused until there is a layer that makes the CDN",
    "database_allocated_gb": "handed over by a play",
    **{
        f"{noun}_defaults": "no verb deploys the noun yet"
        for noun in ("bucket", "database", "image", "job", "secret", "service", "volume")
    },
}
"""Variables that have one right value, or are not an inventory's."""


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
    """What one run said.

    Attributes:
        messages: host → message of its failure; none where it passed.
        refused_by: host → places of the rules that refused it (of a host role, their names).
        calls: how often the API was called.
    """

    messages: dict[str, str]
    refused_by: dict[str, list[Any]]
    calls: int


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """One run of the role over all cases, wrong and right."""
    folder = tmp_path_factory.mktemp("inventories")
    hosts = {case.host: case.given for case in WRONG}
    hosts |= {name.replace(" ", "-"): {**given, "preflight_account": False} for name, given in RIGHT.items()}
    of_roles = {case.host: {**case.given, "_role": role} for role, cases in HOST_WRONG.items() for case in cases}
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **IDENTITY}
    groups = {"inventories": {"hosts": {name: local | given for name, given in hosts.items()}}}
    groups["of_host_roles"] = {"hosts": {f"role-{name}": local | given for name, given in of_roles.items()}}
    (folder / "hosts.yml").write_text(yaml.safe_dump({"local": {"children": groups}}))
    common = {"gather_facts": False, "strategy": "free"}
    role = {"name": "Judge", "check_rules": {"role": "{{ _role }}"}}
    play = [
        {"name": "Judge inventories", "hosts": "inventories", "roles": ["preflight"], **common},
        {"name": "Judge what host roles read", "hosts": "of_host_roles", "tasks": [role], **common},
    ]
    playbook = folder / "judge.yml"
    playbook.write_text(yaml.safe_dump(play))
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all").symlink_to(PROJECT / "group_vars/all")
    (folder / "group_vars/local.yml").symlink_to(PROJECT / "inventories/local/group_vars/site.yml")
    listener = Listener()
    shell = environment(listener.port) | {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_VERBOSITY": "1"}
    result = subprocess.run(
        ["ansible-playbook", str(playbook), "-i", str(folder / "hosts.yml"), "--forks", "4"],
        cwd=PROJECT, env=shell, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    listener.close()
    output = json.loads(result.stdout[result.stdout.index("{") :])
    messages: dict[str, str] = {}
    refused_by: dict[str, list[Any]] = {}
    for run in output["plays"]:
        for task in run["tasks"]:
            for host, answer in task["hosts"].items():
                refused_by.setdefault(host, []).extend(answer.get("refused_by", ()))
                if answer.get("failed"):
                    messages[host] = answer["msg"]
    judged = {*hosts, *(f"role-{name}" for name in of_roles)}
    assert set(output["stats"]) == judged, "every case was judged"
    return Verdicts(messages, refused_by, listener.calls)


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.host)
def test_a_wrong_inventory_is_refused_by_a_sentence_that_names_the_variable(case: Case, verdicts: Verdicts) -> None:
    message = verdicts.messages.get(case.host)
    assert message, f"{case.variable}={case.given} was accepted"
    assert "A rule of Berth itself is broken" not in message
    line = next((line for line in message.splitlines() if case.variable in line and case.says in line), None)
    assert line, f"no line names {case.variable} and says {case.says!r}:\n{message}"


@pytest.mark.parametrize("case", [case for cases in HOST_WRONG.values() for case in cases], ids=lambda case: case.host)
def test_a_host_role_refuses_by_a_sentence_that_names_the_variable(case: Case, verdicts: Verdicts) -> None:
    message = verdicts.messages.get(f"role-{case.host}", "")
    assert case.variable in message
    assert case.says in message


def test_every_check_of_a_host_role_has_refused_something(verdicts: Verdicts) -> None:
    refused = {name for names in verdicts.refused_by.values() for name in names if isinstance(name, str)}
    checks = {rule["name"] for role in HOST_WRONG for rule in rules_support.beside(role)}
    others = {path.parent.name for path in (PROJECT / "roles").glob("*/rules.yml")} - set(LAYERS)
    assert others == set(HOST_WRONG)
    assert sorted(checks - refused) == []


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_inventory_passes(name: str, verdicts: Verdicts) -> None:
    assert verdicts.messages.get(name.replace(" ", "-")) is None


def test_every_topic_is_judged() -> None:
    assert {topic for names in RIGHT for topic in names.split()} == set(TOPICS)


def test_every_variable_is_given_a_right_value_that_is_not_its_default() -> None:
    base = yaml.safe_load((PROJECT / "inventories/local/group_vars/site.yml").read_text())
    base |= {"preflight_account": False, **IDENTITY}
    assert set(rules_support.unset([base, HANDED_OVER, *RIGHT.values()])) == set(NEVER_SET)


def test_every_rule_has_refused_something(verdicts: Verdicts) -> None:
    refused = {place for places in verdicts.refused_by.values() for place in places}
    assert rules_support.unproven(rules_support.offline_rules(), refused) == []


def test_no_api_was_called_for_any_of_them(verdicts: Verdicts) -> None:
    assert verdicts.calls == 0


def test_there_are_many_cases_and_each_is_one_of_its_own() -> None:
    assert len(WRONG) >= 30
    assert len({case.host for case in WRONG}) == len(WRONG)

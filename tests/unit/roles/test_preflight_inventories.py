"""Right inventories pass; wrong ones are refused before the first API call, with a sentence that names the variable.

All cases are hosts of one inventory, so that one run of the role `preflight` judges them all; the API endpoint of that
run is a socket that counts who calls. Every variable is given a right value that is not its default, and every rule has
refused something: tests count them. So are the keys of the nouns given right values (in sites/every_key.yml); what they
refuse, and what else can be wrong with them, the model says alone (tests/unit/plugins/plugin_utils/site/).
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
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
from tests.unit.plugins.plugin_utils.site.counted import Watch
from tests.unit.plugins.plugin_utils.site.support import SITES
from tests.unit.render_support import LAYERS

pytestmark = pytest.mark.playbook

PROJECT = Path(__file__).resolve().parents[3]
DESCRIPTION: dict[str, Any] = yaml.safe_load((PROJECT / "examples/legacy_site/site.yml").read_text())
REMOVED: dict[str, str] = rules_support.role_variables()["preflight_removed"]

# Nothing that could be compressed away: EC2's limit is that of the compressed user data.
LONG = [f"http://{hashlib.sha256(bytes([n % 256, n // 256])).hexdigest()}" for n in range(600)]


def services(*, of_web: dict[str, Any] | None = None, **changes: dict[str, Any]) -> dict[str, Any]:
    """`site_services` of the example with keys of the service and of its containers changed; None takes one out."""
    made = copy.deepcopy(DESCRIPTION["site_services"])
    for name, change in changes.items():
        container = {**made["web"]["containers"].get(name, {}), **change}
        made["web"]["containers"][name] = {key: value for key, value in container.items() if value is not None}
    made["web"] |= of_web or {}
    return dict(made)


def migrate(**changes: Any) -> dict[str, Any]:
    """`site_jobs` of the example with some keys of its job changed."""
    return {"migrate": {**DESCRIPTION["site_jobs"]["migrate"], **changes}}


def called(**changes: str) -> dict[str, Any]:
    """`site_functions` of one function, some of its keys being others."""
    made = {"code": "roles/function/files/example", "handler": "app.handler", "runtime": "python3.13"}
    return {"hello": {**made, "routes": "$default", **changes}}


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


VPC = "vpc-0123456789abcdef0"
PAIR = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
SUBNETS = {"alb": PAIR, "host": ["subnet-01234567", "subnet-89abcdef"], "private": PAIR}

RELEASES = "repo:acme/shop:environment:prod"

WRONG = [
    one("site_name", "Shop_1", "small letters"),
    one("site_name", "a-name-that-is-much-too-long", "at most 20"),
    one("site_name", "example", "placeholder that came with the inventory"),
    one("site_name", "awsome", "may not begin with aws"),
    one("environment_name", "new", "what new environments are copied from"),
    one("environment_name", "volume", "could not be told apart"),
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
    one("network_vpc_id", "vpc-website", "is no VPC", network_subnets=SUBNETS),
    one("network_vpc_id", "vpc-0123456789", "is no VPC", network_subnets=SUBNETS),
    one("network_vpc_id", "", "is needed with network_subnets", network_subnets=SUBNETS),
    one("network_vpc_id", VPC, "needs network_subnets, as in a VPC that exists"),
    one("network_subnets", {"host": PAIR, "private": PAIR}, "lacks alb: in", network_vpc_id=VPC),
    one("network_subnets", SUBNETS | {"public": PAIR}, "has public. It has alb", network_vpc_id=VPC),
    one("network_subnets", SUBNETS | {"host": PAIR[:1] * 2}, "two different subnets in host, for", network_vpc_id=VPC),
    one("network_subnets", SUBNETS | {"alb": [*PAIR, "subnet-01234567"], "host": "x"}, "exactly two zones",
        network_vpc_id=VPC),
    one("network_subnets", PAIR, "must be of type dict"),
    one("network_cidr", "10.30.0.0/16", "has its own addresses", network_vpc_id=VPC, network_subnets=SUBNETS),
    one("network_nat", "gateway", "has no meaning beside", network_vpc_id=VPC, network_subnets=SUBNETS),
    one("network_availability_zones", ["us-east-1a", "us-east-1b"], "has no meaning beside", network_vpc_id=VPC,
        network_subnets=SUBNETS),
    one("host_admin_cidrs", ["0.0.0.0/0"], "ssh to the world"),
    one("host_admin_cidrs", "203.0.113.7/32", "Write host_admin_cidrs: [203.0.113.7/32]."),
    one("docker_engine_ulimits", "nofile=1024:2048", "must be of type dict"),
    one("host_admin_cidrs", ["192.0.2.10"], "/32"),
    one("host_admin_cidrs", ["203.0.113.7/32", "2001:db8::/32"], "no IPv4 network"),
    one("site_edge", {"default": "wbe"}, "Did you mean web?"),
    one("site_edge", ["web"], "must be of type dict"),
    one("site_waf", {"groups": ["CommonRuleSet"]}, "Did you mean AWSManagedRulesCommonRuleSet?"),
    one("site_waf", ["rate"], "must be of type dict"),
    one("alarms_subscribers", ["ops", "http://ops.example.org"], "names ops, http://ops.example.org, which is neither"),
    one("alarms_subscribers", ["https://ops@example"], "begins with https://"),
    one("alarms_subscribers", ["a@example.org", "a@example.org"], "names somebody twice"),
    one("alarms_subscribers", ["https://hooks.slack.com/services/T0/B0/x"], "a webhook of a chat (hooks.slack.com)"),
    one("alarms_subscribers", ["https://acme.webhook.office.com/webhookb2/x"], "docs/alarms.md#in-a-chat"),
    one("alarms_error_percent", 0, "from 1 to 100"),
    one("alarms_error_percent", 101, "from 1 to 100"),
    one("alarms_latency_seconds", 0, "1 or more"),
    one("alarms_connections", -1, "1 or more"),
    one("alarms_budget", -1, "Set what may be billed a month"),
    one("alarms_budget", 40, "nobody would be told"),
    one("alarms_budget_currency", "EUR", "USD"),
    one("alarms_budget_of", "environment", "account"),
    one("edge_dns_seconds", -1, "from 0 to 3600"),
    one("domain_name", "https://shop.test/", "Set for example shop.test."),
    one("domain_name", "bücher.acme.de", "Set for example xn--bcher-kva.acme.de."),
    one("domain_name", "WWW.Acme.io", "Set for example www.acme.io."),
    one("domain_name", "shop", "Set for example www.example.org."),
    one("domain_name", 12, "no domain name"),
    one("domain_name", "www.example.org", "placeholder"),
    one("domain_name", "a" * 60 + ".test.org", "64 characters"),
    one("domain_name", "", "is missing"),
    one("domain_name", "test.acme.io", "is not a name of local, but of test", preview_of="test"),
    one("domain_aliases", ["local.acme.io", "static.acme.io"], "has static.acme.io, which leads to test, and not to",
        preview_of="test", domain_name="local.berth.localhost"),
    Case("site_buckets.papers.name", {"preview_of": "test", "site_buckets": {"papers": {"name": "acme-papers"}}},
         "names data that test has, and local would write to it as well"),
    one("preview_anonymise_job", "anonymise", "is anonymise, and site_jobs has no such job"),
    one("hosted_zone_id", "/hostedzone/Z123", "no hosted zone"),
    one("rexray_efs_tag", "website", "site_name-environment_name"),
    one("site_volumes", {"media": {"driver": "rexray"}}, "version 1", host_imds_tokens="required"),
    one("site_volumes", {"media": {"driver": "rexray"}}, "x86_64 only", host_instance_type="t4g.micro"),
    one("site_volumes", ["media"], "must be of type dict"),
    one("site_hooks", {"build": ["make", ""]}, "site_hooks.build[1]: is empty"),
    one("site_hooks", {"after": []}, "site_hooks.after: is no moment of a release"),
    one("site_hook_minutes", 0, "from 1 to 1440"),
    one("release_shown_at", {"header": "X-Release"}, "has no path"),
    one("host_instance_type", "micro", "no instance type"),
    one("host_instance_type", "m7i.large", "launch configurations know no type"),
    one("host_ami_family", "amazon-linux-2", "host_ami_allow_eol"),
    one("host_ami_id", "al2023", "no image"),
    one("host_ami_family", "amazon-linux-2", "x86_64 only", host_ami_allow_eol=True, host_instance_type="t4g.micro"),
    one("host_key_name", " ada", "no name of a key pair"),
    one("host_key_name", "ada.pem", "Leave .pem out: ada."),
    one("host_volume_gb", 8, "30 GiB"),
    one("cluster_idle_seconds", 4001, "1 to 4000 seconds"),
    one("site_permissions_boundary", "boundary", "is no ARN of a policy"),
    one("site_permissions_boundary", "arn:aws:iam::123456789012:role/boundary", "is no ARN of a policy"),
    one("maintenance_page", "gone.html", "is neither HTML nor a file"),
    one("maintenance_page", "<p>" + "x" * 1022, "larger than the 1024 bytes"),
    one("maintenance_allowed_cidrs", ["192.0.2.10"], "/32"),
    one("maintenance_allowed_cidrs", ["0.0.0.0/0"], "lets in the world"),
    one(
        "site_volumes", {"media": {"driver": "rexray"}, "films": {"driver": "rexray", "mode": "0700"}},
        "the modes 0700, 0755", site_services=services(nginx={"volumes": ["media:/srv/media:ro", "films:/srv/films"]}),
    ),
    one("site_hosts", 2, "must be of type dict"),
    one("site_backups", {"evry": "1d"}, "Did you mean every?"),
    one("site_backups", "daily", "must be of type dict"),
    one("site_backups", {"every": "1d", "at": "03:00"}, 'from 00:00 to 03:30 AWS Backup may begin none'),
    one("site_backups", {"every": "1d", "at": "04:00", "copy_to": "us-east-1"}, "is us-east-1, where the site is"),
    one("backup_wait_minutes", 0, "from 1 to 10080"),
    one("service_deregistration_seconds", 4000, "0 to 3600"),
    one("log_retention_days", 31, "CloudWatch Logs offers"),
    one("image_keep", 5, "Set 10 or more"),
    one("image_scan_threshold", "hihg", "Did you mean high?"),
    one("release_keep", 0, "Set 1 to 100"),
    one("deployer_subjects", ["repo:acme/*:environment:prod"], "lets in more than one"),
    one("deployer_subjects", ["repo:acme/shop:pull_request"], "lets in more than one"),
    one("deployer_subjects", [RELEASES], "Take it out of deployer_plan_subjects", deployer_plan_subjects=[RELEASES]),
    one("deployer_issuer", "gitlab.com", "is no address of an issuer"),
    one("deployer_audience", "", "made out for anybody"),
    one("deployer_provider_arn", "arn:aws:iam::123456789012:oidc-provider/gitlab.com", "is no provider of the issuer"),
    one("ledger_bucket", "Shop_Ledger", "is no bucket's name"),
    one("job_retries", 200, "takes 0 to 185"),
    one("domain_aliases", "acme.io", "Write domain_aliases: [acme.io]."),
    one("domain_aliases", ["https://acme.io"], "no host name"),
    one("site_functions", called(runtime="nodejs14.x"), "of which Lambda makes no function since"),
    one("site_functions", called(code="functions/none"), "there is no such folder in"),
    one("site_functions", called(handler="main.handler"), "has to have main.py"),
    one("site_static", {"front": {"folder": "front/none"}}, "there is no such folder in"),
    one("site_services", {}, "a site runs something"),
    one("site_services", services(of_web={"deploy": {"replicas": 0}}), "cannot be verified"),
    # What does not fit is said of the whole, once each part of it is right.
    Case("site_hosts", {"site_services": services(django={"mem_limit": "500m"}), "site_hosts": {"max": 1}},
         "a new task of web beside the old takes 564m"),
    Case("site_hosts", {"site_services": services(of_web={"deploy": {"replicas": 5}})}, "that needs 3 hosts"),
    Case("site_hosts", {"site_jobs": migrate(mem_limit="600m"), "site_hosts": {"max": 1}},
         "the job migrate takes 600m"),
    # Without a memory of its own it takes that of the container that it is like.
    Case("site_hosts",
         {"site_jobs": migrate(), "site_hosts": {"max": 1},
          "site_services": services(django={"mem_limit": "600m", "mem_reservation": "330m"},
                                    of_web={"deploy": {"update_config": {"order": "stop-first"}}})},
         "the job migrate takes 330m"),
    one("site_access_logs", 4000, "Set days, from 1 to 3650"),
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
    Case("host_metrics_minutes", {"host_metrics_minutes": 0, "alarms_subscribers": ["ops@acme.io"]}, "write 1 to 5"),
    one("ecs_agent_attributes", {"rack": 7}, "numbers in quotes"),
]  # fmt: skip


TOGETHER: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "containers": (
        {
            "site_services": services(
                django={
                    "mem_limit": "2m", "healthcheck": None, "secrets": {"DB_HOST": "db.host"},
                    "volumes": ["files:/srv"], "environment": {"RELEASE": "1"},
                },
                nginx={"mem_limit": "64.9m", "links": "django", "mem_limt": "64m"},
                redis={"mem_limit": 32},
            ),
            "site_jobs": migrate(like="web.djnago", run="after_release"),
        },
        [
            ("site_services.web.containers.django.mem_limit", "6m or more"),
            ("site_services.web.containers.django.environment.RELEASE", "Take the line out."),
            ("site_services.web.containers.django.secrets.DB_HOST", "must say where the secret lies"),
            ("site_services.web.containers.django.volumes", "mounts files, which is no volume"),
            ("site_services.web.containers.nginx.mem_limit", "which is no whole number of MiB"),
            ("site_services.web.containers.nginx.mem_limt", "Did you mean mem_limit?"),
            ("site_services.web.containers.nginx.links", "must be a list, for example [django]"),
            ("site_services.web.containers.redis", "has no image"),
            ("site_services.web.containers.redis.mem_limit", "which are bytes"),
            ("site_jobs.migrate.like", "Did you mean web.django?"),
            ("site_jobs.migrate.run", "write before_release, or by_hand and run it by run.yml"),
        ],
    ),
    "what-containers-are-to-each-other": (
        {
            "site_services": services(
                django={"healthcheck": None},
                nginx={"ports": None},
                cache={"image": "shop/cache", "mem_limit": "6m", "depends_on": ["djnago"]},
                of_web={"routes": [{"to": "nginx", "health": "healthz"}]},
            )
        },
        [
            ("site_services.web.containers.nginx.depends_on.django", "has no healthcheck"),
            ("site_services.web.containers.cache.depends_on.djnago", "Did you mean django?"),
            ("site_services.web.routes[0].health", "Write for example /healthz."),
            ("site_services.web.routes[0].to", "has no TCP port"),
        ],
    ),
    "a-circle": (
        {"site_services": services(django={"depends_on": ["nginx"]})},
        [("site_services.web.containers", "in a circle (depends_on and links): django → nginx → django")],
    ),
    "database": (
        {
            "site_databases": {
                "main": {"class": "db.t2.micro", "name": "postgres", "username": "admin", "admin_cidrs": ["0.0.0.0/0"]},
                "two": {"class": "t3.micro", "version": "9.6", "username": "my-site", "storage_gb": 5},
                "three": {"username": "pg_site", "storage_max_gb": 21, "admin_cidrs": ["10.8.0.1/16"]},
                "four": {"backup_days": 0},
                "five": {"storage_gb": 100, "storage_max_gb": 105},
            }
        },
        [
            ("site_databases.main.class", "too old for PostgreSQL 15"),
            ("site_databases.main.name", "RDS keeps for itself"),
            ("site_databases.main.username", "keeps for itself"),
            ("site_databases.main.admin_cidrs[0]", "much of the world"),
            ("site_databases.two.class", "an instance class of RDS"),
            ("site_databases.two.version", "a version of PostgreSQL"),
            ("site_databases.two.username", "letters, digits and underscores"),
            ("site_databases.two.storage_gb", "20 to 65536"),
            ("site_databases.three.username", "keeps for itself"),
            ("site_databases.three.storage_max_gb", "from 22 to"),
            ("site_databases.three.admin_cidrs[0]", "must be an IPv4 network"),
            ("site_databases.four.backup_days", "from 1 to 35"),
            ("site_databases.five.storage_max_gb", "a tenth above storage_gb or more: storage_max_gb: 110"),
        ],
    ),
    "volumes-secrets-buckets-hosts": (
        {
            "site_volumes": {
                "media": {"driver": "nfs", "mode": 755},
                "Media Files": {},
                "other": {"file_system_id": "media", "uid": -1, "owner_gid": 33},
            },
            "site_secrets": {
                "django": {"generate": ["secret_key"], "value": "x"},
                "admin": {"generate": ["password"], "values": {"username": "admin", "token": "x"}},
            },
            "site_buckets": {"uploads": {"public": True}},
            "site_tables": {"items": {"hash_key": "id"}},
            "site_hosts": {"min": 0, "count": 2},
        },
        [
            ("site_volumes.media.driver", "must be one of efs, rexray, task"),
            ("site_volumes.media.mode", "in quotes"),
            ("site_volumes.Media Files", "use small letters"),
            ("site_volumes.Media Files", "is mounted by no container"),
            ("site_volumes.other", "is mounted by no container"),
            ("site_volumes.other.file_system_id", "the id of a file system"),
            ("site_volumes.other.uid", "a whole number from 0"),
            ("site_volumes.other.owner_gid", "write gid: 1000"),
            ("site_secrets.django.value", "never stands in an inventory"),
            ("site_secrets.admin.values.token", "is a secret in clear"),
            ("site_buckets.uploads.public", "nobody reads a bucket"),
            ("site_tables.items", "has no partition_key"),
            ("site_tables.items.hash_key", "write partition_key: id"),
            ("site_hosts.min", "a whole number of hosts"),
            ("site_hosts.count", "write min: 2"),
        ],
    ),
    "more-hosts-than-most": ({"site_hosts": {"min": 2, "max": 1}}, [("site_hosts", "below min")]),
    "removed": (
        dict.fromkeys(REMOVED, "as it was"),
        [(name, f"is not read. {instead}") for name, instead in REMOVED.items()],
    ),
}  # fmt: skip
"""Wrong inventories with several things wrong at once, and for each its place and a part of the sentence."""


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
    "host_metrics": [
        one("host_metrics_minutes", 10, "write 1 to 5"),
        one("host_metrics_cluster", "my site", "use letters, digits, hyphens and underscores only"),
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
        "network_availability_zones": ["eusc-de-east-1a", "eusc-de-east-1b"],
        "host_admin_cidrs": ["203.0.113.7/32"],
        "hosted_zone_id": "Z0123456789ABC", "dns_take_over": True, "certificate_wait_minutes": 30,
        "edge_dns_moved": True, "edge_dns_seconds": 300, "site_waf": {"mode": "block", "rate": 2000, "log_days": 30},
        "domain_aliases": ["acme.de", "*.acme.de", {"name": "acme.io", "hosted_zone_id": ""}],
        "ledger_bucket": "shop-live-ledger-history-1a2b3c4d5e6f",
        "site_backups": {"every": "12h", "keep": 14, "at": "04:00", "copy_to": "eu-west-1"}, "backup_wait_minutes": 600,
        "rexray_efs_region": "eu-central-1", "domain_name": "xn--bcher-kva.acme.de",
        "alarms_subscribers": ["ops+shop@acme.co.uk", "https://events.acme.io/integration/0?key=1"],
        "alarms_error_percent": 100, "alarms_latency_seconds": 10, "alarms_connections": 200,
        "alarms_dashboard": True, "site_access_logs": 30,
        "alarms_budget": 40.5, "alarms_budget_currency": "CNY", "alarms_budget_of": "account",
    },
    "given-network": {
        "network_vpc_id": VPC, "network_subnets": SUBNETS, "network_cidr": "10.20.0.0/16",
        # Its addresses are asked for, they are not those of network_cidr.
        "docker_engine_address_pools": [{"base": "10.20.0.0/16", "size": 24}],
    },
    "several-networks": {
        "aws_region": "us-gov-west-1", "host_admin_cidrs": ["203.0.113.7/32", "198.51.0.0/16"],
        "hosted_zone_id": "",
    },
    "new-hosts": {
        "host_launch_source": "launch_template", "host_instance_type": "m7i.large", "host_imds_tokens": "required",
        "site_volumes": {"media": None}, "host_roles": ["host_limits", "docker_engine", "ecs_agent"],
        "host_ami_id": "ami-0123456789abcdef0", "host_volume_gb": 50, "host_wait_minutes": 30,
        "site_permissions_boundary": "arn:aws-us-gov:iam::123456789012:policy/of/the-team",
    },
    "arm-hosts": {
        "host_launch_source": "launch_template", "host_instance_type": "t4g.small",
        "site_volumes": {"media": {"driver": "efs"}}, "site_databases": {"main": {"class": "db.t4g.micro"}},
    },
    "old-hosts": {"host_ami_family": "amazon-linux-2", "host_ami_allow_eol": True, "host_key_name": "my key"},
    "several-hosts": {
        "site_hosts": {"min": 2, "max": 3}, "site_services": services(of_web={"deploy": {"replicas": 3}}),
    },
    "balancer": {
        "site_services": services(of_web={"routes": [{"to": "nginx", "health": "/health?full=1"}]}),
        "service_deregistration_seconds": 0, "log_retention_days": 3653, "cluster_idle_seconds": 4000,
    },
    "database": {
        "site_databases": {
            "main": {
                "class": "db.m6g.large", "version": "18.1", "name": "Shop_1", "username": "shop_owner",
                "storage_gb": 100, "storage_max_gb": 110, "backup_days": 35, "multi_az": True,
                "deletion_protection": False, "admin_cidrs": ["10.8.0.0/16", "192.168.4.0/24"],
                "ca_certificate": "rds-ca-rsa4096-g1",
            }
        },
    },
    "preview": {
        "preview_of": "test", "domain_name": "local.berth.localhost",
        "domain_aliases": ["static-local.berth.localhost", {"name": "local.acme.io", "hosted_zone_id": ""}],
        "site_buckets": {"papers": {}},
    },
    "every-key": yaml.safe_load((SITES / "every_key.yml").read_text()),
    "containers": {
        # ECS sets aside the soft limit; the hard ones would not fit twice.
        "site_services": services(
            django={
                "image": "shop/django:1.2", "mem_limit": "700m", "mem_reservation": "200m", "stop_grace_period": "60s",
                "environment": {"DEBUG": "0"}, "secrets": {"SECRET_KEY": "secret.django.value"},
            }
        ),
        "site_jobs": migrate(command=["python", "manage.py", "check"], minutes=30, run="by_hand"),
        "preview_anonymise_job": "migrate",
        "site_secrets": {
            "django": {"parameter": "/shop/secret_key"}, "admin": DESCRIPTION["site_secrets"]["admin"],
        },
        "site_buckets": {"uploads": None},
        "site_tables": {
            "items": {
                "partition_key": "id", "sort_key": {"name": "at", "type": "number"}, "ttl": "expires",
                "global_secondary_indexes": {"by_owner": {"partition_key": "owner", "projection": ["title"]}},
            }
        },
        "publish_select": "local", "service_grace_seconds": 0, "service_wait_minutes": 30, "image_keep": 10,
        "image_scan_threshold": "high", "release_keep": 100,
        "deployer_subjects": ["project_path:acme/shop:ref_type:branch:ref:main"],
        "deployer_plan_subjects": ["project_path:acme/shop:ref_type:branch:ref:other"],
        "deployer_issuer": "https://gitlab.com", "deployer_audience": "https://gitlab.com",
        "deployer_provider_arn": "arn:aws:iam::123456789012:oidc-provider/gitlab.com",
        "job_retries": 0, "log_mode": "blocking", "log_buffer_size": "1m",
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
    "host-metrics": {
        "alarms_subscribers": ["ops@acme.io"], "host_metrics_minutes": 1, "host_metrics_cluster": "acme",
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
        "answers_path": "/en/", "answers_wait_minutes": 1, "teardown_data": True, "teardown_keep_snapshot": False,
        "teardown_wait_minutes": 30, "confirm": "local", "hosts_downtime": True, "hosts_drain_minutes": 30,
        "move_volume_minutes": 600, "site_remove": ["fs-0fedcba9876543210"],
        "site_hooks": {"build": ["make images"], "after_release": [["python", "tell.py"]]}, "site_hook_minutes": 60,
        "release_shown_at": {"path": "/version"}, "release_verify": False,
        "maintenance_page": "<p>" + "x" * 1021, "maintenance_allowed_cidrs": ["192.0.2.10/32", "10.0.0.0/8"],
    },
}  # fmt: skip
"""Right values, topic → what differs from the embedded AWS's own inventory."""

RIGHT = {
    " ".join(names): {variable: value for name in names for variable, value in TOPICS[name].items()}
    for names in (
        ("network", "database", "containers", "docker-engine", "verbs"),
        ("several-networks", "every-key", "ecs-agent"),
        ("arm-hosts", "balancer", "host-access", "host-limits", "host-metrics"),
        ("new-hosts", "given-network", "preview"),
        ("old-hosts", "several-hosts", "rexray"),
    )
}
"""Right inventories. A topic that goes with another shares one: each runs the whole role, some sixty tasks."""

IDENTITY = {"site_name": "legacy", "environment_name": "local", "preview_of": "", "aws_region": "us-east-1"}
"""What inventories/local/environment.yml says."""
HANDED_OVER = {
    "network_zones_offered": ["us-east-1a", "us-east-1b"], "network_dynamodb_endpoint": True,
    "database_allocated_gb": {"main": 30},
    "database_login_attached": ["main"],
    "cluster_ami_id": "ami-0123456789abcdef0", "cluster_user_data": "#cloud-config", "cluster_ami_newest": True,
    "cluster_hosts_now": 3,
    "service_images": {"shop/django": "x"}, "job_images": {"shop/django": "x"}, "static_images": {"shop/django": "x"},
    "service_running": {"service.web": {}}, "job_running": {"job.migrate": {}}, "publish_services": ["web"],
    "publish_release": "2026.11.3", "publish_again": {"web": {}}, "rollout_verb": "rollback", "rollout_entries": [{}],
    "static_left_too": True, "static_back": {"front": "0f3c9d1e2a4b5c6d"}, "static_good": [{"outcome": "good"}],
    "function_left_too": True, "function_back": {"hello": "0a.zip"}, "function_live": {"hello": {"key": "0a.zip"}},
    "dns_records": {"x": {"own": ["x"], "elsewhere": []}}, "dns_stack": {"status": "x", "parameters": {}},
    "dns_balancer_seen": "x", "dns_edge_name": "x", "dns_tells": False, "network_edge_prefix_list_id": "pl-3b927c52",
    "network_edge_headers": [1], "network_edge_asked": [1], "service_edge_headers": [1],
    "edge_certificate_needless": True, "edge_waf_needless": True, "waf_needless": True, "waf_behind_edge": True,
    "answers_address": "192.0.2.7", "move_volume_to_efs": ["media"],
    **{f"{layer}_outputs": {"VpcId": "x"} for layer in LAYERS},
}  # fmt: skip
"""What a play gives a layer's role, and no inventory."""


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
    hosts |= {f"together-{name}": given for name, (given, _) in TOGETHER.items()}
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
    (folder / "group_vars/local").symlink_to(PROJECT / "inventories/local/group_vars/site")
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


@pytest.mark.parametrize(
    ("name", "place", "says"),
    [(name, place, says) for name, (_, told) in TOGETHER.items() for place, says in told],
    ids=lambda each: each[:40],
)
def test_everything_that_is_wrong_at_once_is_told_in_its_place(
    name: str, place: str, says: str, verdicts: Verdicts
) -> None:
    lines = verdicts.messages.get(f"together-{name}", "").splitlines()
    assert any(f" {place}: " in line and says in line for line in lines), lines


@pytest.mark.parametrize("name", TOGETHER)
def test_nothing_is_told_twice(name: str, verdicts: Verdicts) -> None:
    """Neither by an argument specification and by the model, nor as the consequence of another."""
    first, *told = verdicts.messages[f"together-{name}"].splitlines()
    assert first == f"{len(told)} things are wrong with this inventory; nothing was done." or len(told) == 1
    assert len(told) == len(TOGETHER[name][1]), told


@pytest.mark.parametrize("case", [case for case in WRONG if "must be of type" in case.says], ids=lambda case: case.host)
def test_a_wrong_shape_is_told_once(case: Case, verdicts: Verdicts) -> None:
    """Defaults that are made of it, and the model, say nothing of their own."""
    assert len(verdicts.messages[case.host].splitlines()) == 2, verdicts.messages[case.host]


def test_what_is_removed_is_read_by_no_role() -> None:
    assert set(REMOVED) & set(rules_support.options()) == set()


def test_what_is_to_be_written_instead_is_an_option() -> None:
    told = {name: set(re.findall(r"(?:Write|as|job:) (\w+_\w+):", instead)) for name, instead in REMOVED.items()}
    assert {name: words for name, words in told.items() if words - set(rules_support.options())} == {}
    assert told["idle_timeout"] == {"cluster_idle_seconds"}


@pytest.mark.parametrize("case", [case for cases in HOST_WRONG.values() for case in cases], ids=lambda case: case.host)
def test_a_host_role_refuses_by_a_sentence_that_names_the_variable(case: Case, verdicts: Verdicts) -> None:
    message = verdicts.messages.get(f"role-{case.host}", "")
    assert case.variable in message
    assert case.says in message


def test_every_check_of_a_host_role_has_refused_something(verdicts: Verdicts) -> None:
    refused = {name for names in verdicts.refused_by.values() for name in names if isinstance(name, str)}
    checks = {rule["name"] for role in HOST_WRONG for rule in rules_support.beside(role)}
    others = {path.parent.name for path in (PROJECT / "roles").glob("*/rules.yml")} - set(rules_support.JUDGED)
    assert others == set(HOST_WRONG)
    assert sorted(checks - refused) == []


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_inventory_passes(name: str, verdicts: Verdicts) -> None:
    assert verdicts.messages.get(name.replace(" ", "-")) is None


def test_every_topic_is_judged() -> None:
    assert {topic for names in RIGHT for topic in names.split()} == set(TOPICS)
    for names, given in RIGHT.items():
        assert len(given) == sum(len(TOPICS[topic]) for topic in names.split()), f"{names} share a variable"


def test_every_variable_is_given_a_right_value_that_is_not_its_default() -> None:
    base = rules_support.of_inventory("local")
    base |= {"preflight_account": False, **IDENTITY}
    assert rules_support.unset([base, HANDED_OVER, *RIGHT.values()]) == []


def test_every_key_of_a_noun_is_given_a_right_value_that_is_not_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, base = Watch(monkeypatch), rules_support.of_inventory("local") | IDENTITY
    for given in RIGHT.values():
        assert watch.read({**base, **given}).problems == []
    assert watch.seen.without_right_value() == []


def test_every_rule_has_refused_something(verdicts: Verdicts) -> None:
    refused = {place for places in verdicts.refused_by.values() for place in places}
    assert rules_support.unproven(rules_support.offline_rules(), refused) == []


def test_no_api_was_called_for_any_of_them(verdicts: Verdicts) -> None:
    assert verdicts.calls == 0


def test_there_are_many_cases_and_each_is_one_of_its_own() -> None:
    assert len(WRONG) >= 30
    assert len({case.host for case in WRONG}) == len(WRONG)

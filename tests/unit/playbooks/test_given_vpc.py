"""A site in a VPC that exists: made, made again, taken down, and nothing of what it was given is changed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import ACCESS_KEY, SECRET_KEY, Cloud
from local_aws.patches.route53 import ZONE_ID
from tests.unit.plugins.modules.test_modules_account import ecs_lists_providers
from tests.unit.vpc_support import Landing, landing

pytestmark = [pytest.mark.playbook, pytest.mark.long, pytest.mark.usefixtures("ecs_lists_providers")]
__all__ = ["ecs_lists_providers"]

PROJECT = Path(__file__).resolve().parents[3]
TAGS = {"Site": "shop", "Environment": "live"}
SITE: dict[str, Any] = {
    "domain_name": "shop.berth.localhost",
    "hosted_zone_id": ZONE_ID,
    "preflight_delegation": False,
    "site_services": {
        "web": {
            "containers": {
                "web": {
                    "image": "registry.test/web:1",
                    "mem_limit": "64m",
                    "ports": ["80"],
                    "secrets": {"DB_PASSWORD": "database.main.password"},
                    "volumes": ["media:/srv/media"],
                }
            },
            "routes": [{"to": "web"}],
            "expose": "web",
        }
    },
    "site_volumes": {"media": {}},
    "site_databases": {"main": {}},
}
PARTS = ("ansible.cfg", "cloudformation", "group_vars", "playbooks", "plugins", "roles", "teardown.yml", "site.yml")


class Site:
    """A copy of the project with an environment `live` of the site `shop`, and a verb that ends before the hosts.

    Args:
        folder: an empty folder.
        aws: where its calls go.
    """

    def __init__(self, folder: Path, aws: Cloud) -> None:
        self.folder, self.aws = folder, aws
        for part in PARTS:
            (folder / part).symlink_to(PROJECT / part)
        imports: dict[str, dict[str, str]] = {"preflight": {"lock_verb": "site"}, "layers": {}}
        plays = [
            {"name": f"Import {name}", "ansible.builtin.import_playbook": f"playbooks/{name}.yml", "vars": given}
            for name, given in imports.items()
        ]
        (folder / "ground.yml").write_text(yaml.safe_dump(plays))
        self.inventory = folder / "inventories/live"
        (self.inventory / "group_vars/site").mkdir(parents=True)
        own: dict[str, Any] = {"plugin": "environment", "site_name": "shop", "aws_region": "us-east-1"}
        sets = {"AWS_ENDPOINT_URL": aws.config.endpoint, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "BERTH_POLL_SECONDS": "0.1"}
        own |= {"set": sets | {"AWS_SECRET_ACCESS_KEY": SECRET_KEY}, "unset": ["AWS_PROFILE"]}
        (self.inventory / "environment.yml").write_text(yaml.safe_dump(own))

    def describe(self, **variables: Any) -> None:
        """Write the site's variables, some of them other than `SITE`."""
        (self.inventory / "group_vars/site/main.yml").write_text(yaml.safe_dump(SITE | variables))

    def run(self, verb: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a verb."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
        return subprocess.run(
            [str(Path(sys.executable).parent / "ansible-playbook"), verb, "-i", str(self.inventory), *options],
            cwd=self.folder,
            env=kept | {"ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip

    def does(self, verb: str, *options: str) -> str:
        """Run a verb, which must succeed; what it said."""
        done = self.run(verb, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stacks(self) -> set[str]:
        """Names of the stacks that there are."""
        return {each["StackName"] for each in self.aws.client("cloudformation").describe_stacks()["Stacks"]}

    def resources(self, stack: str) -> dict[str, str]:
        """Logical id → physical id of a stack."""
        found = self.aws.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


@pytest.fixture
def site(tmp_path: Path, aws: Cloud) -> Site:
    return Site(tmp_path, aws)


def network(aws: Cloud) -> Mapping[str, Any]:
    """All VPCs, subnets, routes and gateways of the account, as they are described."""
    ec2 = aws.client("ec2")
    return {
        "vpcs": ec2.describe_vpcs()["Vpcs"],
        "subnets": [
            {key: value for key, value in subnet.items() if key != "AvailableIpAddressCount"}
            for subnet in ec2.describe_subnets()["Subnets"]
        ],
        "routes": ec2.describe_route_tables()["RouteTables"],
        "gateways": ec2.describe_internet_gateways()["InternetGateways"],
        "nats": ec2.describe_nat_gateways()["NatGateways"],
        "endpoints": ec2.describe_vpc_endpoints()["VpcEndpoints"],
    }


def zones_of(aws: Cloud, vpc: str) -> list[str]:
    """Names of the private zones that a VPC sees."""
    found = aws.client("route53").list_hosted_zones_by_vpc(VPCId=vpc, VPCRegion="us-east-1")
    return [each["Name"] for each in found["HostedZoneSummaries"]]


def planned(site: Site) -> set[str]:
    """The stacks that a check run would make."""
    return set(re.findall(r"\+ stack (\S+)", site.does("site.yml", "--check", "--diff")))


def changed(output: str) -> str:
    found = re.search(r"^localhost .* changed=(\d+)", output, re.MULTILINE)
    assert found, output
    return found[1]


def test_a_site_stands_in_a_vpc_that_exists_and_leaves_it_as_it_was(site: Site, aws: Cloud) -> None:
    made = landing(aws, **TAGS)  # tagged as the site: it is not the site's all the same
    before = network(aws)
    site.describe(**made.variables)

    assert "shop-live-network" in planned(site)
    assert site.stacks() == set()

    site.does("ground.yml")
    assert network(aws) == before
    stands_in(site, made)
    assert changed(site.does("ground.yml")) == "0"
    assert planned(site) == {"shop-live-service-web", "shop-live-dns"}, "what comes after the hosts"

    site.describe()
    moved = site.run("ground.yml")
    assert moved.returncode != 0
    assert f"anew. Set it back to {made.vpc}." in moved.stdout
    assert network(aws) == before

    site.describe(**made.variables)
    stays = site.does("teardown.yml", "-e", "confirm=live", "-e", "teardown_data=true")
    assert f"the VPC {made.vpc} and its subnets, which Berth did not make" in stays
    assert site.stacks() == set()
    assert network(aws) == before
    groups = aws.client("ec2").describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [made.vpc]}])
    assert [each["GroupName"] for each in groups["SecurityGroups"]] == ["default"]


def stands_in(site: Site, made: Landing) -> None:
    """Each part of the site is where the inventory said."""
    aws = site.aws
    assert {name for name in site.resources("shop-live-network") if "SecurityGroup" not in name} == set()
    balancers = {each["Type"]: each for each in aws.client("elbv2").describe_load_balancers()["LoadBalancers"]}
    subnets = {kind: {zone["SubnetId"] for zone in each["AvailabilityZones"]} for kind, each in balancers.items()}
    assert subnets == {"application": set(made.public), "network": set(made.private)}
    system = site.resources("shop-live-volume-media")["FileSystem"]
    targets = aws.client("efs").describe_mount_targets(FileSystemId=system)["MountTargets"]
    assert {each["SubnetId"] for each in targets} == set(made.private)
    (group,) = aws.client("rds").describe_db_subnet_groups()["DBSubnetGroups"]
    assert {each["SubnetIdentifier"] for each in group["Subnets"]} == set(made.private)
    (hosts,) = aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert set(hosts["VPCZoneIdentifier"].split(",")) == set(made.private)
    assert zones_of(aws, made.vpc) == ["shop-live.internal."]

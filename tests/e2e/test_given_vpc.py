"""The founding site in a VPC that somebody else has made, from nothing to gone, on real hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.until import until
from tests.e2e.conftest import playbook, succeed
from tests.e2e.test_site import served
from tests.unit.vpc_support import Landing, landing, remove

pytestmark = [pytest.mark.docker, pytest.mark.long, pytest.mark.usefixtures("images")]


@pytest.fixture
def given(cloud: Cloud) -> Iterator[Landing]:
    """A VPC in the network of the embedded AWS, as the addresses of hosts are real ones."""
    found = landing(cloud, "10.78.32")
    yield found
    remove(cloud, found)


def test_a_site_stands_in_a_vpc_that_exists_and_leaves_it_as_it_was(
    cloud: Cloud, given: Landing, tmp_path: Path
) -> None:
    ec2: Any = cloud.client("ec2")
    variables = tmp_path / "vpc.json"
    variables.write_text(json.dumps({**given.variables, "network_cidr": "10.20.0.0/16"}))
    site = ("-e", f"@{variables}")
    groups = {"Filters": [{"Name": "vpc-id", "Values": [given.vpc]}]}
    before = {group["GroupId"] for group in ec2.describe_security_groups(**groups)["SecurityGroups"]}

    succeed(playbook("site.yml", *site))
    until(lambda: served("/healthz"), "the site", 30)
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    hosts = [host for found in ec2.describe_instances(Filters=running)["Reservations"] for host in found["Instances"]]
    assert hosts
    assert {host["SubnetId"] for host in hosts} <= set(given.private)
    assert succeed(playbook("site.yml", *site)).changed == 0

    gone = {"confirm": "test", "teardown_data": True, "teardown_keep_snapshot": False}
    succeed(playbook("teardown.yml", *site, "-e", json.dumps(gone)))
    assert {group["GroupId"] for group in ec2.describe_security_groups(**groups)["SecurityGroups"]} == before
    (vpc,) = ec2.describe_vpcs(VpcIds=[given.vpc])["Vpcs"]
    assert vpc["State"] == "available"

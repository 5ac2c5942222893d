"""Environments beside the one of an inventory, by `-e environment=`: from nothing to nothing, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from tests.unit.playbooks.test_given_vpc import Site, changed
from tests.unit.plugins.modules.test_modules_account import ecs_lists_providers

pytestmark = [pytest.mark.playbook, pytest.mark.long, pytest.mark.usefixtures("ecs_lists_providers")]
__all__ = ["ecs_lists_providers"]

PR7 = ("-e", "environment=pr7")


@pytest.fixture
def site(tmp_path: Path, aws: Cloud) -> Site:
    made = Site(tmp_path, aws)
    own = made.inventory / "environment.yml"
    own.write_text(own.read_text() + "preview_environments: true\n")
    made.describe(site_buckets={"papers": {}}, domain_aliases=["static.shop.berth.localhost"])
    return made


def of(site: Site, prefix: str) -> dict[str, Any]:
    """Stacks of an environment, name → all that AWS says of each."""
    stacks = site.aws.client("cloudformation").describe_stacks()["Stacks"]
    return {each["StackName"]: each for each in stacks if each["StackName"].startswith(f"{prefix}-")}


def test_two_stand_side_by_side_and_a_teardown_takes_one(site: Site, aws: Cloud) -> None:
    site.does("ground.yml")
    before = of(site, "shop-live")
    s3, efs, rds = aws.client("s3"), aws.client("efs"), aws.client("rds")
    (bucket,) = (each["Name"] for each in s3.list_buckets()["Buckets"] if "papers" in each["Name"])
    s3.put_object(Bucket=bucket, Key="one.pdf", Body=b"paper")

    assert "+ stack shop-pr7-network" in site.does("ground.yml", *PR7, "--check", "--diff")
    assert of(site, "shop-pr7") == {}
    said = site.does("ground.yml", *PR7)
    assert "reserved name" not in said
    assert {name.replace("-pr7-", "-live-") for name in of(site, "shop-pr7")} == set(before)
    certificates = {each["DomainName"] for each in aws.client("acm").list_certificates()["CertificateSummaryList"]}
    assert certificates == {"shop.berth.localhost", "pr7.shop.berth.localhost"}
    assert of(site, "shop-live") == before
    assert changed(site.does("ground.yml", *PR7)) == "0"
    assert changed(site.does("ground.yml")) == "0"

    # Another one beside, and each has things of its own.
    assert len(efs.describe_file_systems()["FileSystems"]) == 2
    assert len(rds.describe_db_instances()["DBInstances"]) == 2

    refused = site.run("teardown.yml", *PR7, "-e", "confirm=live")
    assert "the answer was not pr7" in " ".join(refused.stdout.split())
    assert f"teardown.yml -i {site.inventory.relative_to(site.folder)}" in " ".join(refused.stdout.split())
    assert "-e environment=pr7 -e confirm=pr7" in " ".join(refused.stdout.split())
    site.does("teardown.yml", *PR7, "-e", "confirm=pr7")
    assert of(site, "shop-pr7") == {}
    assert of(site, "shop-live") == before
    assert len(efs.describe_file_systems()["FileSystems"]) == 1
    kept = [each["DBInstanceIdentifier"] for each in rds.describe_db_snapshots()["DBSnapshots"]]
    assert [each for each in kept if "-pr7-" in each] == [], "of a throw-away environment nothing is kept"
    assert s3.get_object(Bucket=bucket, Key="one.pdf")["Body"].read() == b"paper"
    assert [each["Name"] for each in s3.list_buckets()["Buckets"] if "-pr7-" in each["Name"]] == []
    assert changed(site.does("teardown.yml", *PR7, "-e", "confirm=pr7")) == "0"
    assert changed(site.does("ground.yml")) == "0"


def test_what_was_not_brought_up_so_is_left_alone(site: Site, tmp_path: Path) -> None:
    """An environment of an inventory that lies elsewhere, which this one has never heard of."""
    elsewhere = tmp_path / "elsewhere"
    site.inventory.rename(elsewhere)
    site.inventory, own = elsewhere, site.inventory
    site.describe()
    named = yaml.safe_load((elsewhere / "environment.yml").read_text()) | {"environment_name": "prod"}
    (elsewhere / "environment.yml").write_text(yaml.safe_dump(named))
    site.does("ground.yml")
    before = of(site, "shop-prod")
    elsewhere.rename(own)
    (own / "environment.yml").write_text(yaml.safe_dump({**named, "environment_name": "live"}))
    site.inventory = own
    for verb in ("teardown.yml", "ground.yml"):
        done = site.run(verb, "-e", "environment=prod", "-e", "confirm=prod")
        assert done.returncode == 2, done.stdout
        assert "shop-prod has an inventory of its own, and was not brought up from that of live" in " ".join(
            done.stdout.split()
        )
    assert of(site, "shop-prod") == before

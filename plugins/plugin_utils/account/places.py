"""Where an account may put a site: the region, and the Availability Zones that offer what it needs."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

HOME_REGIONS = {"us-gov-": "us-gov-west-1", "eusc-": "eusc-de-east-1"}
"""A region of each partition that is always on."""


def region_problem(client: Any, region: str) -> str:
    """Why `region` cannot be used, as a sentence; empty if it can, or if nobody may ask.

    In a region that is not enabled each call fails with a credential error that says nothing of the region.
    https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html

    Args:
        client: gives a boto3 client, `client(service, region)`.
        region: to be looked at.
    """
    home = next((to for prefix, to in HOME_REGIONS.items() if region.startswith(prefix)), "us-east-1")
    try:
        regions = client("ec2", region=home).describe_regions(AllRegions=True)["Regions"]
    except (BotoCoreError, ClientError):
        return ""  # whatever is wrong is said where it matters
    found = {each["RegionName"]: each.get("OptInStatus") for each in regions}
    if region not in found:
        return f"aws_region: {region} is no region of this account. Set one of {', '.join(sorted(found))}."
    if found[region] == "not-opted-in":
        return (
            f"aws_region: {region} is not enabled for this account. Enable it (it takes some minutes): "
            f"aws account enable-region --region-name {region}, or set another aws_region."
        )
    return ""


def available_zones(ec2: Any) -> list[str]:
    """The zones that the account may use, sorted."""
    found = ec2.describe_availability_zones(
        Filters=[{"Name": "state", "Values": ["available"]}, {"Name": "zone-type", "Values": ["availability-zone"]}]
    )
    return sorted(zone["ZoneName"] for zone in found["AvailabilityZones"])


def instance_type_zones(ec2: Any, instance_type: str) -> set[str]:
    """The zones that offer an EC2 instance type."""
    pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [instance_type]}]
    )
    return {offer["Location"] for page in pages for offer in page["InstanceTypeOfferings"]}


def database_class_zones(rds: Any, database_class: str, engine: str, version: str) -> tuple[set[str], list[str]]:
    """The zones that offer an RDS class with a version, and all versions that the class runs, oldest first.

    Args:
        rds: client.
        database_class: RDS's instance class.
        engine: RDS's name of it.
        version: of the engine; its major number will do, empty for any.
    """
    pages = rds.get_paginator("describe_orderable_db_instance_options").paginate(
        Engine=engine, DBInstanceClass=database_class, Vpc=True
    )
    options = [option for page in pages for option in page["OrderableDBInstanceOptions"]]
    zones = {
        zone["Name"]
        for option in options
        if not version or f"{option['EngineVersion']}.".startswith(f"{version}.")
        for zone in option["AvailabilityZones"]
    }
    versions = {option["EngineVersion"] for option in options}
    return zones, sorted(versions, key=lambda text: [int(number) for number in re.findall(r"\d+", text)])


def offering(available: Iterable[str], *offers: Container[str]) -> list[str]:
    """Those of the zones that all of `offers` have, in the order of `available`."""
    return [zone for zone in available if all(zone in zones for zones in offers)]

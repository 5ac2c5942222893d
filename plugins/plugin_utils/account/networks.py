"""What an account says about a VPC that somebody else has made, and in which a site shall stand."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import Any

ANYWHERE = "0.0.0.0/0"
AMAZON = "AmazonProvidedDNS"
"""How DHCP options call the resolver of the VPC."""
TARGETS = (
    "GatewayId", "NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId", "CoreNetworkArn",
    "LocalGatewayId", "CarrierGatewayId",
)  # fmt: skip
"""Where a route may lead: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html"""


def vpc(ec2: Any, identifier: str) -> dict[str, Any]:
    """Owner, IPv4 networks and set of DHCP options of a VPC; `found` is False where the region has none of that id.

    Args:
        ec2: client.
        identifier: vpc-….
    """
    found = _listed(ec2, "describe_vpcs", "Vpcs", "vpc-id", [identifier])
    described = found[0] if found else {}
    blocks = described.get("CidrBlockAssociationSet", [])
    return {
        "id": identifier,
        "found": bool(found),
        "owner": described.get("OwnerId", ""),
        "cidrs": [block["CidrBlock"] for block in blocks if block["CidrBlockState"]["State"] == "associated"],
        "dhcp_options": described.get("DhcpOptionsId", ""),
    }


def subnets(ec2: Any, identifiers: Collection[str]) -> dict[str, dict[str, Any]]:
    """The subnets of these ids that there are: VPC, zone, free addresses, and whether instances get public ones."""
    return {
        subnet["SubnetId"]: {
            "vpc": subnet["VpcId"],
            "zone": subnet["AvailabilityZone"],
            "free": subnet["AvailableIpAddressCount"],
            "public": subnet["MapPublicIpOnLaunch"],
        }
        for subnet in _listed(ec2, "describe_subnets", "Subnets", "subnet-id", sorted(identifiers))
    }


def dns(ec2: Any, identifier: str) -> dict[str, bool]:
    """Whether Amazon's DNS answers in a VPC (`support`), and gives its instances names (`hostnames`).

    A file system's name and those of a private hosted zone need both.
    https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
    """
    asked = {"support": "enableDnsSupport", "hostnames": "enableDnsHostnames"}
    return {
        name: ec2.describe_vpc_attribute(VpcId=identifier, Attribute=attribute)[f"E{attribute[1:]}"]["Value"]
        for name, attribute in asked.items()
    }


def resolvers(ec2: Any, options: str, cidrs: Collection[str]) -> list[str]:
    """The DNS servers that a set of DHCP options names; `AmazonProvidedDNS` also where it is written as an address.

    That address is the second of a network of the VPC, or 169.254.169.253.
    https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html

    Args:
        ec2: client.
        options: dopt-….
        cidrs: the VPC's networks.
    """
    own = {str(ipaddress.ip_network(cidr)[2]) for cidr in cidrs} | {"169.254.169.253"}
    return [
        AMAZON if value["Value"] in own else value["Value"]
        for found in _listed(ec2, "describe_dhcp_options", "DhcpOptions", "dhcp-options-id", [options])
        for each in found["DhcpConfigurations"]
        if each["Key"] == "domain-name-servers"
        for value in each["Values"]
    ]


def ways_out(ec2: Any, identifier: str, of: Collection[str]) -> dict[str, str]:
    """Subnet → where its route to anywhere leads (igw-…, nat-…), empty if it has none.

    A subnet without a route table of its own has the VPC's main one. Of a VPC that another account shares, neither may
    be shown: then the subnet is missing in the answer.

    Args:
        ec2: client.
        identifier: vpc-….
        of: ids of subnets.
    """
    tables = {
        "main" if association.get("Main") else association.get("SubnetId"): _leads(table)
        for table in _listed(ec2, "describe_route_tables", "RouteTables", "vpc-id", [identifier])
        for association in table.get("Associations", [])
    }
    return {subnet: tables.get(subnet, tables.get("main", "")) for subnet in of if {subnet, "main"} & tables.keys()}


def endpoints(ec2: Any, identifier: str) -> list[str]:
    """Services that have an endpoint in a VPC, as the last part of their names (`ecs-agent`, `ecr.dkr`), sorted."""
    found = _listed(ec2, "describe_vpc_endpoints", "VpcEndpoints", "vpc-id", [identifier])
    return sorted({each["ServiceName"].split(".", 3)[-1] for each in found})


def _leads(table: Mapping[str, Any]) -> str:
    """Where a route table sends what goes anywhere; a route whose target has gone (`blackhole`) leads nowhere."""
    routes = (route for route in table["Routes"] if route.get("DestinationCidrBlock") == ANYWHERE)
    live = (route for route in routes if route.get("State") != "blackhole")
    return next((str(route[name]) for route in live for name in TARGETS if route.get(name)), "")


def _listed(ec2: Any, operation: str, key: str, by: str, values: list[str]) -> list[dict[str, Any]]:
    """What a filter finds: asked by id, AWS would fail for the first that is not there, and not name the others."""
    pages = ec2.get_paginator(operation).paginate(Filters=[{"Name": by, "Values": values}])
    return [item for page in pages for item in page[key]]


def prefix_list(ec2: Any, name: str) -> str:
    """Id of a prefix list of AWS's own; empty if the region has none of that name."""
    pages = ec2.get_paginator("describe_managed_prefix_lists").paginate(
        Filters=[{"Name": "prefix-list-name", "Values": [name]}]
    )
    return next((str(each["PrefixListId"]) for page in pages for each in page["PrefixLists"]), "")

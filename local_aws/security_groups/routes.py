"""Which subnets have a way to the internet, and by what.

https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

ANYWHERE = "0.0.0.0/0"
LEADS = ("GatewayId", "NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId", "VpcPeeringConnectionId")


class Way(Enum):
    """What a subnet's default route leads to."""

    NONE = "nothing"
    GATEWAY = "an internet gateway: both ways, for who has a public address"
    OUT = "a NAT gateway or something else that lets answers back in only"


def ways(
    subnets: Iterable[Mapping[str, Any]], tables: Iterable[Mapping[str, Any]], nat_gateways: Iterable[Mapping[str, Any]]
) -> dict[str, Way]:
    """Id of a subnet → its way.

    Args:
        subnets: as DescribeSubnets has them.
        tables: as DescribeRouteTables has them. A subnet without one of its own has its VPC's main one.
        nat_gateways: as DescribeNatGateways has them; a route to one that is gone leads nowhere.
    """
    there = {str(gateway["NatGatewayId"]) for gateway in nat_gateways if gateway["State"] == "available"}
    own: dict[str, Way] = {}
    main: dict[str, Way] = {}
    for table in tables:
        way = _way(table.get("Routes", ()), there)
        for association in table.get("Associations", ()):
            if association.get("SubnetId"):
                own[str(association["SubnetId"])] = way
            elif association.get("Main"):
                main[str(table["VpcId"])] = way
    return {
        str(subnet["SubnetId"]): own.get(subnet["SubnetId"], main.get(subnet["VpcId"], Way.NONE)) for subnet in subnets
    }


def _way(routes: Iterable[Mapping[str, Any]], nat_gateways: set[str]) -> Way:
    for route in routes:
        if route.get("DestinationCidrBlock") != ANYWHERE or route.get("State", "active") != "active":
            continue
        target = next((str(route[name]) for name in LEADS if route.get(name)), "")
        if target.startswith("igw-"):
            return Way.GATEWAY
        if target and (target in nat_gateways or not route.get("NatGatewayId")):
            return Way.OUT
    return Way.NONE

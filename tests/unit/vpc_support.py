"""A VPC that somebody else has made: two public and two private subnets, an internet and a NAT gateway."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from local_aws.cloud import Cloud

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Landing:
    """What a landing zone has made, by id.

    Attributes:
        vpc: its DNS support and DNS hostnames are on.
        public: subnets in us-east-1a and us-east-1b, which lead to the internet gateway and give public addresses.
        private: subnets in the same zones, which lead to the NAT gateway by the VPC's main route table.
        gateway: the internet gateway.
        nat: the NAT gateway.
        table: the public subnets' route table.
    """

    vpc: str
    public: list[str]
    private: list[str]
    gateway: str
    nat: str
    table: str

    @property
    def variables(self) -> dict[str, Any]:
        """What an inventory says to use it."""
        subnets = {"alb": self.public, "host": self.private, "private": self.private}
        return {"network_vpc_id": self.vpc, "network_subnets": subnets}

    @functools.cached_property
    def ids(self) -> set[str]:
        """All there is of it."""
        return {self.vpc, *self.public, *self.private, self.gateway, self.nat, self.table}


def landing(aws: Cloud, network: str = "10.79.32", **tags: str) -> Landing:
    """Make it.

    Args:
        aws: an embedded AWS.
        network: begin of the addresses of its VPC, a /22.
        tags: on all of it.
    """
    ec2, first, last = aws.client("ec2"), *network.rsplit(".", 1)
    vpc = str(ec2.create_vpc(CidrBlock=f"{network}.0/22")["Vpc"]["VpcId"])
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"{first}.{int(last) + number}.0/24", AvailabilityZone=f"us-east-1{'ab'[number % 2]}"
        )["Subnet"]["SubnetId"]
        for number in range(4)
    ]
    public, private = subnets[:2], subnets[2:]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, GatewayId=gateway)
    for subnet in public:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=public[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    ec2.create_route(RouteTableId=main_table(aws, vpc), DestinationCidrBlock=ANYWHERE, NatGatewayId=nat)
    made = Landing(vpc, public, private, gateway, nat, table)
    if tags:
        ec2.create_tags(Resources=sorted(made.ids), Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return made


def main_table(aws: Cloud, vpc: str) -> str:
    """The route table of those subnets that have none of their own."""
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    return str(aws.client("ec2").describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"])


def remove(aws: Cloud, found: Landing) -> None:
    """Take it away again; nothing else may be left in it."""
    ec2 = aws.client("ec2")
    ec2.delete_nat_gateway(NatGatewayId=found.nat)
    for table in ec2.describe_route_tables(RouteTableIds=[found.table])["RouteTables"]:
        for association in table["Associations"]:
            ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    ec2.delete_route_table(RouteTableId=found.table)
    for subnet in (*found.public, *found.private):
        ec2.delete_subnet(SubnetId=subnet)
    ec2.detach_internet_gateway(InternetGatewayId=found.gateway, VpcId=found.vpc)
    ec2.delete_internet_gateway(InternetGatewayId=found.gateway)
    ec2.delete_vpc(VpcId=found.vpc)

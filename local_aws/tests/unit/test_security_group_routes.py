"""Which subnets have a way to the internet."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.security_groups.routes import Way, ways

NAT = [{"NatGatewayId": "nat-1", "State": "available"}, {"NatGatewayId": "nat-2", "State": "deleted"}]
SUBNETS = [{"SubnetId": "own", "VpcId": "vpc-1"}, {"SubnetId": "main", "VpcId": "vpc-1"}]
LOCAL = {"DestinationCidrBlock": "10.79.0.0/20", "GatewayId": "local", "State": "active"}


def route(**target: str) -> dict[str, Any]:
    return {"DestinationCidrBlock": "0.0.0.0/0", "State": "active", **target}


def table(*routes: dict[str, Any], **association: Any) -> dict[str, Any]:
    return {"VpcId": "vpc-1", "Routes": [LOCAL, *routes], "Associations": [association]}


@pytest.mark.parametrize(
    ("routes", "way"),
    [
        ([], Way.NONE),
        ([route(GatewayId="igw-1")], Way.GATEWAY),
        ([route(NatGatewayId="nat-1")], Way.OUT),
        ([route(NatGatewayId="nat-2")], Way.NONE),
        ([route(NatGatewayId="nat-3")], Way.NONE),
        ([route(TransitGatewayId="tgw-1")], Way.OUT),
        ([route(GatewayId="igw-1", State="blackhole")], Way.NONE),
        ([route(GatewayId="igw-1", DestinationCidrBlock="192.0.2.0/24")], Way.NONE),
        ([{"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "active"}], Way.NONE),
    ],
)
def test_what_a_default_route_leads_to(routes: list[dict[str, Any]], way: Way) -> None:
    assert ways(SUBNETS, [table(*routes, SubnetId="own")], NAT) == {"own": way, "main": Way.NONE}


def test_a_subnet_without_a_table_has_the_main_one() -> None:
    tables = [table(SubnetId="own"), table(route(GatewayId="igw-1"), Main=True)]
    assert ways(SUBNETS, tables, NAT) == {"own": Way.NONE, "main": Way.GATEWAY}
    assert ways([{"SubnetId": "other", "VpcId": "vpc-2"}], tables, NAT) == {"other": Way.NONE}


def test_of_a_vpc_that_ec2_describes(aws: Cloud) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/20")["Vpc"]["VpcId"]
    public, private = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{number}.0/24")["Subnet"]["SubnetId"] for number in range(2)
    )

    def led() -> tuple[Way, Way]:
        gateways = ec2.describe_nat_gateways()["NatGateways"]
        found = ways(ec2.describe_subnets()["Subnets"], ec2.describe_route_tables()["RouteTables"], gateways)
        return found[public], found[private]

    assert led() == (Way.NONE, Way.NONE)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    own = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=own, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=own, SubnetId=public)
    assert led() == (Way.GATEWAY, Way.NONE)
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    (main,) = {each["RouteTableId"] for each in tables} - {own}
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
    ec2.create_route(RouteTableId=main, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    assert led() == (Way.GATEWAY, Way.OUT)
    ec2.delete_nat_gateway(NatGatewayId=nat)
    assert led() == (Way.GATEWAY, Way.NONE)

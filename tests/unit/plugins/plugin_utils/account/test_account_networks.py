"""What the account is asked of a VPC that exists, against the embedded APIs; and what a teardown takes for its own."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.modules import leftovers
from plugins.plugin_utils.account import networks, quotas
from tests.unit.plugins.modules.test_modules_account import Refuses, ask
from tests.unit.vpc_support import ANYWHERE, Landing, landing, main_table

TAGS = {"Site": "legacy", "Environment": "unit"}


@pytest.fixture
def made(aws: Cloud) -> Landing:
    """A VPC in order."""
    return landing(aws)


def facts(client: Any, made: Landing, *subnets: str) -> dict[str, Any]:
    """What is known of the VPC and its subnets, and of some others."""
    return ask(client, vpc_id=made.vpc, subnets=[*made.public, *made.private, *subnets])


def test_a_vpc_and_its_subnets(aws: Cloud, made: Landing) -> None:
    aws.client("ec2").associate_vpc_cidr_block(VpcId=made.vpc, CidrBlock="10.80.0.0/24")
    found = facts(aws, made)
    assert found["vpc"] == {
        "id": made.vpc, "found": True, "owner": found["account"], "cidrs": ["10.79.32.0/22", "10.80.0.0/24"],
        "dhcp_options": "default",
    }  # fmt: skip
    assert set(found["subnets"]) == {*made.public, *made.private}
    public, private = found["subnets"][made.public[1]], found["subnets"][made.private[0]]
    assert public["vpc"] == private["vpc"] == made.vpc
    assert (public["zone"], public["public"]) == ("us-east-1b", True)
    assert (private["zone"], private["public"], private["free"]) == ("us-east-1a", False, 251)
    assert found["vpc_dns"] == {"support": True, "hostnames": True}
    assert "vpc_resolvers" not in found, "without a set of DHCP options"
    assert found["vpc_endpoints"] == []
    assert found["unasked"] == {}


def test_what_is_not_there_is_no_error_and_nothing_more_is_asked(aws: Cloud) -> None:
    found = ask(aws, vpc_id="vpc-0123456789abcdef0", subnets=["subnet-0123456789abcdef0"])
    assert found["vpc"] == {"id": "vpc-0123456789abcdef0", "found": False, "owner": "", "cidrs": [], "dhcp_options": ""}
    assert found["subnets"] == found["unasked"] == {}
    assert not {"vpc_dns", "vpc_resolvers", "ways_out", "vpc_endpoints"} & set(found)
    assert not {"vpc", "subnets"} & set(ask(aws))


@pytest.mark.parametrize("name", ["support", "hostnames"])
def test_dns_that_is_off(aws: Cloud, made: Landing, name: str) -> None:
    aws.client("ec2").modify_vpc_attribute(VpcId=made.vpc, **{f"EnableDns{name.title()}": {"Value": False}})
    assert networks.dns(aws.client("ec2"), made.vpc) == {"support": True, "hostnames": True} | {name: False}


def resolve_by(aws: Cloud, made: Landing, *servers: str) -> str:
    """Give the VPC a set of DHCP options with these DNS servers; its id."""
    options = [{"Key": "domain-name", "Values": ["acme.internal"]}]
    options += [{"Key": "domain-name-servers", "Values": list(servers)}] if servers else []
    ec2 = aws.client("ec2")
    made_id = str(ec2.create_dhcp_options(DhcpConfigurations=options)["DhcpOptions"]["DhcpOptionsId"])
    ec2.associate_dhcp_options(DhcpOptionsId=made_id, VpcId=made.vpc)
    return made_id


@pytest.mark.parametrize(
    ("servers", "told"),
    [
        (["AmazonProvidedDNS"], ["AmazonProvidedDNS"]),
        (["10.79.32.2"], ["AmazonProvidedDNS"]),
        (["169.254.169.253", "10.79.33.2"], ["AmazonProvidedDNS", "10.79.33.2"]),
        (["192.0.2.53", "192.0.2.54"], ["192.0.2.53", "192.0.2.54"]),
        ([], []),
    ],
)
def test_the_dns_servers_of_the_dhcp_options(aws: Cloud, made: Landing, servers: list[str], told: list[str]) -> None:
    options = resolve_by(aws, made, *servers)
    found = facts(aws, made)
    assert found["vpc"]["dhcp_options"] == options
    assert found["vpc_resolvers"] == told


def test_a_subnet_leads_where_its_own_route_table_or_the_main_one_does(aws: Cloud, made: Landing) -> None:
    ec2 = aws.client("ec2")
    assert facts(aws, made)["ways_out"] == {
        **dict.fromkeys(made.public, made.gateway),
        **dict.fromkeys(made.private, made.nat),
    }
    ec2.delete_route(RouteTableId=main_table(aws, made.vpc), DestinationCidrBlock=ANYWHERE)
    assert facts(aws, made)["ways_out"][made.private[0]] == ""


class Tables:
    """EC2 that shows these route tables."""

    def __init__(self, *tables: dict[str, Any]) -> None:
        self.tables = tables

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> list[Any]:
        return [{"RouteTables": list(self.tables)}]


def table(subnet: str, **route: str) -> dict[str, Any]:
    return {"Associations": [{"SubnetId": subnet}], "Routes": [{"DestinationCidrBlock": ANYWHERE, **route}]}


def test_a_route_whose_target_has_gone_leads_nowhere_and_what_is_not_shown_is_not_known() -> None:
    gone = table("subnet-a", NatGatewayId="nat-1", State="blackhole")
    through = table("subnet-b", TransitGatewayId="tgw-1", State="active")
    local = {"Associations": [{"SubnetId": "subnet-c"}], "Routes": [{"DestinationCidrBlock": "10.0.0.0/8"}]}
    found = networks.ways_out(Tables(gone, through, local), "vpc-1", [f"subnet-{each}" for each in "abcd"])
    assert found == {"subnet-a": "", "subnet-b": "tgw-1", "subnet-c": ""}


def test_endpoints_are_told_by_what_they_lead_to(aws: Cloud, made: Landing) -> None:
    for service in ("s3", "ecs-agent", "ecr.dkr"):
        aws.client("ec2").create_vpc_endpoint(VpcId=made.vpc, ServiceName=f"com.amazonaws.us-east-1.{service}")
    assert facts(aws, made)["vpc_endpoints"] == ["ecr.dkr", "ecs-agent", "s3"]


class Hides(Refuses):
    """An account without the right to look at routes, at endpoints, at DHCP options and at a VPC's attributes."""

    CALLS = ("describe_vpc_attribute", "describe_dhcp_options", "describe_route_tables", "describe_vpc_endpoints")

    def __getattr__(self, call: str) -> Any:
        return super().__getattr__(call) if call in self.CALLS else getattr(self.aws.client("ec2"), call)

    def get_paginator(self, call: str) -> Any:
        return super().__getattr__(call)() if call in self.CALLS else self.aws.client("ec2").get_paginator(call)


def test_what_may_not_be_asked_of_a_vpc_is_said_and_judged_neither_way(aws: Cloud, made: Landing) -> None:
    resolve_by(aws, made, "192.0.2.53")
    found = facts(Hides(aws, "ec2"), made)
    assert found["vpc"]["found"] is True
    assert set(found["unasked"]) == {"vpc_dns", "vpc_resolvers", "ways_out", "vpc_endpoints"}
    assert not set(found["unasked"]) & set(found)


def test_in_a_vpc_that_exists_no_room_is_needed_for_one(aws: Cloud, made: Landing) -> None:
    asked = ask(aws, vpc_id=made.vpc, subnets=made.public, quotas=True, file_systems={"media": "a/media"})
    missing = set(quotas.USES) - set(asked["quotas"])
    assert {"vpcs", "elastic_ips"} <= missing
    assert not {"vpcs", "elastic_ips"} & (set(quotas.USES) - set(ask(aws, quotas=True)["quotas"]))


def test_a_prefix_list_of_awss_own_is_found_by_its_name(aws: Cloud) -> None:
    found = ask(aws, prefix_list="com.amazonaws.global.cloudfront.origin-facing")["prefix_list"]
    assert found.startswith("pl-")
    assert ask(aws, prefix_list="com.amazonaws.none")["prefix_list"] == ""
    assert "prefix_list" not in ask(aws)


# Teardown


def left(aws: Cloud, vpc: str) -> set[tuple[str, str]]:
    owner = leftovers.Owner("legacy-unit", TAGS, ["network"], vpc)
    return {(kind, identifier) for kind, identifier, *_ in leftovers.ec2(aws.client, owner)}


def test_a_given_vpc_is_not_the_sites_whatever_its_owner_wrote_on_it(aws: Cloud) -> None:
    made = landing(aws, **TAGS)
    ec2 = aws.client("ec2")
    theirs = ec2.create_security_group(GroupName="theirs", Description="x", VpcId=made.vpc)["GroupId"]
    assert {made.vpc, theirs, *made.ids} <= {each for _, each in left(aws, "")}
    assert left(aws, made.vpc) == set()


def test_what_the_site_has_in_a_given_vpc_is_the_sites(aws: Cloud, made: Landing) -> None:
    ec2 = aws.client("ec2")
    group = ec2.create_security_group(GroupName="hosts", Description="x", VpcId=made.vpc)["GroupId"]
    own = ec2.create_vpc(CidrBlock="10.79.64.0/22")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[group, own], Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()])
    assert left(aws, made.vpc) == {("AWS::EC2::SecurityGroup", group), ("AWS::EC2::VPC", own)}

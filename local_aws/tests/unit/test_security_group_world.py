"""Who is in which security group, as the APIs say it, and what that lets through."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.config import CONFIGS
from local_aws.security_groups.rules import Interface
from local_aws.security_groups.world import CLOUDFRONT, Kind, Thing, World, services
from local_aws.tests.packets import comes_in
from local_aws.tests.watched_support import Watched

DOCKERS = IPv4Address("10.79.192.2")
STRANGER = "10.79.192.9"

Group = Callable[[str], str]


@pytest.fixture
def network(aws: Cloud) -> dict[str, str]:
    """A VPC with two subnets."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/20")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{number}.0/24", AvailabilityZone=f"us-east-1{'ab'[number]}")
        for number in range(2)
    ]
    return {"vpc": vpc, "a": subnets[0]["Subnet"]["SubnetId"], "b": subnets[1]["Subnet"]["SubnetId"]}


@pytest.fixture
def group(aws: Cloud, network: dict[str, str]) -> Group:
    def make(name: str) -> str:
        made = aws.client("ec2").create_security_group(GroupName=name, Description=name, VpcId=network["vpc"])
        return str(made["GroupId"])

    return make


def allow(aws: Cloud, group: str, port: int, **source: Any) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}
    aws.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def from_group(group: str) -> dict[str, Any]:
    return {"UserIdGroupPairs": [{"GroupId": group}]}


def host(aws: Cloud, network: dict[str, str], group: str) -> tuple[str, str]:
    """Id and address of an instance."""
    (made,) = aws.client("ec2").run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=network["a"], SecurityGroupIds=[group]
    )["Instances"]
    return made["InstanceId"], made["PrivateIpAddress"]


def only(world: World, kind: Kind, identifier: str) -> Interface:
    (found,) = world.interfaces[Thing(kind, identifier)]
    return found


def test_a_host_is_where_ec2_says_and_this_machine_gets_in_by_ssh(
    aws: Cloud, network: dict[str, str], group: Group
) -> None:
    hosts = group("hosts")
    identifier, address = host(aws, network, hosts)
    assert only(World(aws, {}), Kind.INSTANCE, identifier) == Interface(
        IPv4Address(address), frozenset({hosts}), way_in=(22,), from_internet=False, to_internet=False
    )
    aws.client("ec2").terminate_instances(InstanceIds=[identifier])
    assert World(aws, {}).interfaces == {}


def test_a_database_lets_the_hosts_in_that_are_in_the_group_now(
    aws: Cloud, network: dict[str, str], group: Group
) -> None:
    hosts, mine = group("hosts"), group("database")
    allow(aws, mine, 5432, **from_group(hosts))
    aws.client("rds").create_db_subnet_group(
        DBSubnetGroupName="both", DBSubnetGroupDescription="both", SubnetIds=[network["a"], network["b"]]
    )
    record = aws.client("rds").create_db_instance(
        DBInstanceIdentifier="db", Engine="postgres", DBInstanceClass="db.t3.micro", AllocatedStorage=20,
        MasterUsername="person", MasterUserPassword="long-enough", VpcSecurityGroupIds=[mine], DBSubnetGroupName="both",
    )["DBInstance"]  # fmt: skip
    thing = Thing(Kind.DATABASE, record["DbiResourceId"])
    assert thing not in World(aws, {}).interfaces, "it has no container yet"
    _, first = host(aws, network, hosts)

    def let_in(*addresses: str) -> list[str]:
        world = World(aws, {thing: DOCKERS})
        (found,) = world.interfaces[thing]
        subnets = (IPv4Network("10.79.0.0/24"), IPv4Network("10.79.1.0/24"))
        assert found == Interface(DOCKERS, frozenset({mine}), subnets, from_internet=False)
        return [each for each in addresses if comes_in(world.rules.guard(found), "tcp", 5432, each)]

    assert let_in(first, STRANGER) == [first]
    identifier, second = host(aws, network, hosts)
    assert let_in(first, second, STRANGER) == [first, second]
    aws.client("ec2").terminate_instances(InstanceIds=[identifier])
    assert let_in(first, second) == [first]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, **from_group(hosts)}
    aws.client("ec2").revoke_security_group_ingress(GroupId=mine, IpPermissions=[rule])
    assert let_in(first, second) == []


def lead_to_internet(aws: Cloud, network: dict[str, str]) -> None:
    """Make both subnets public ones."""
    ec2 = aws.client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network["vpc"])
    table = ec2.create_route_table(VpcId=network["vpc"])["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    for zone in "ab":
        ec2.associate_route_table(RouteTableId=table, SubnetId=network[zone])
        ec2.modify_subnet_attribute(SubnetId=network[zone], MapPublicIpOnLaunch={"Value": True})


def test_a_host_with_a_public_address_in_a_public_subnet_is_on_the_internet(
    aws: Cloud, network: dict[str, str], group: Group
) -> None:
    hosts = group("hosts")
    inside, _ = host(aws, network, hosts)
    lead_to_internet(aws, network)
    outside, _ = host(aws, network, hosts)
    world = World(aws, {})
    found = [only(world, Kind.INSTANCE, each) for each in (inside, outside)]
    assert [each.from_internet for each in found] == [False, True], "the first has no public address"
    assert [each.to_internet for each in found] == [False, True]


@pytest.mark.parametrize(
    ("scheme", "led", "public"),
    [("internet-facing", True, True), ("internet-facing", False, False), ("internal", True, False)],
)
def test_which_load_balancer_is_on_the_internet(
    aws: Cloud, network: dict[str, str], group: Group, scheme: str, led: bool, public: bool
) -> None:
    if led:
        lead_to_internet(aws, network)
    thing = balancer(aws, network, "application", group("balancers"), scheme=scheme)
    assert only(World(aws, {thing: DOCKERS}), thing.kind, thing.identifier).from_internet is public


def balancer(aws: Cloud, network: dict[str, str], kind: str, *groups: str, scheme: str = "internet-facing") -> Thing:
    made = aws.client("elbv2").create_load_balancer(
        Name=kind, Type=kind, Subnets=[network["a"], network["b"]], SecurityGroups=list(groups), Scheme=scheme
    )["LoadBalancers"][0]
    return Thing(Kind.LOAD_BALANCER, made["LoadBalancerArn"])


def test_hosts_let_the_load_balancer_in_and_nobody_else(aws: Cloud, network: dict[str, str], group: Group) -> None:
    hosts, balancers = group("hosts"), group("balancers")
    allow(aws, hosts, 40000, **from_group(balancers))
    identifier, _ = host(aws, network, hosts)
    thing = balancer(aws, network, "application", balancers)
    world = World(aws, {thing: DOCKERS})
    found = world.rules.guard(only(world, Kind.INSTANCE, identifier))
    assert comes_in(found, "tcp", 40000, str(DOCKERS))
    assert not comes_in(found, "tcp", 40000, STRANGER)


def test_a_network_load_balancer_without_groups_is_not_filtered(aws: Cloud, network: dict[str, str]) -> None:
    thing = balancer(aws, network, "network")
    assert thing not in World(aws, {thing: DOCKERS}).interfaces


def test_each_mount_target_has_its_own_groups(aws: Cloud, network: dict[str, str], group: Group) -> None:
    efs = aws.client("efs")
    groups = [group("first"), group("second")]
    system = efs.create_file_system(CreationToken="one")["FileSystemId"]
    thing = Thing(Kind.FILE_SYSTEM, system)
    assert World(aws, {}).interfaces[thing] == ()
    targets = [
        efs.create_mount_target(FileSystemId=system, SubnetId=network[zone], SecurityGroups=[each])
        for zone, each in zip("ab", groups, strict=True)
    ]
    assert set(World(aws, {}).interfaces[thing]) == {
        Interface(IPv4Address(target["IpAddress"]), frozenset({each}), from_internet=False)
        for target, each in zip(targets, groups, strict=True)
    }


def prefix_list(aws: Cloud, name: str) -> str:
    found = aws.client("ec2").describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [name]}])
    return str(found["PrefixLists"][0]["PrefixListId"])


def test_cloudfronts_prefix_list_is_where_the_distributions_are(
    aws: Cloud, network: dict[str, str], group: Group
) -> None:
    balancers = group("balancers")
    allow(aws, balancers, 443, PrefixListIds=[{"PrefixListId": prefix_list(aws, CLOUDFRONT)}])
    thing = balancer(aws, network, "application", balancers)
    edge = {Thing(Kind.DISTRIBUTION, "E1"): IPv4Address("10.79.192.7")}
    world = World(aws, {thing: DOCKERS, **edge})
    found = world.rules.guard(only(world, Kind.LOAD_BALANCER, thing.identifier))
    assert comes_in(found, "tcp", 443, "10.79.192.7")
    assert not comes_in(found, "tcp", 443, STRANGER)
    assert found.from_machine == ()


def test_a_prefix_list_of_ones_own_has_its_entries(aws: Cloud, network: dict[str, str], group: Group) -> None:
    ec2, balancers = aws.client("ec2"), group("balancers")
    made = ec2.create_managed_prefix_list(
        PrefixListName="mine", AddressFamily="IPv4", MaxEntries=2, Entries=[{"Cidr": "10.79.128.0/24"}]
    )["PrefixList"]["PrefixListId"]
    allow(aws, balancers, 443, PrefixListIds=[{"PrefixListId": made}])
    thing = balancer(aws, network, "application", balancers)
    world = World(aws, {thing: DOCKERS})
    found = world.rules.guard(only(world, Kind.LOAD_BALANCER, thing.identifier))
    assert comes_in(found, "tcp", 443, "10.79.128.5")
    assert not comes_in(found, "tcp", 443, STRANGER)


def test_what_the_embedded_aws_itself_answers_is_always_open() -> None:
    assert {(each.protocol, str(each.networks[0]), each.first) for each in services(CONFIGS["test"])} == {
        ("tcp", "10.78.0.1/32", 4576),
        ("tcp", "10.78.0.1/32", 4577),
        ("tcp", "10.78.0.2/32", 53),
        ("udp", "10.78.0.2/32", 53),
        ("tcp", "10.78.0.2/32", 80),
        ("tcp", "10.78.0.2/32", 443),
        ("tcp", "10.78.128.10/32", 5000),
    }


def test_nothing_is_asked_again_until_something_changes(
    watched: Watched, aws: Cloud, network: dict[str, str], group: Group
) -> None:
    hosts = group("hosts")
    host(aws, network, hosts)
    assert watched.asked(lambda: World(watched.cloud, {})) > 0
    assert watched.asked(lambda: World(watched.cloud, {})) == 0
    with watched.cloud.changes.happening():
        allow(aws, hosts, 1, **from_group(hosts))
    assert watched.asked(lambda: World(watched.cloud, {})) > 0

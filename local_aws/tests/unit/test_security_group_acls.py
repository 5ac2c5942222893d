"""What the entries of a network ACL say, and whose ACL counts for an interface."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.security_groups.acls import OPEN, Acl, Entry, acl_of
from local_aws.security_groups.openings import ANYWHERE, Opening
from local_aws.security_groups.world import Kind, Thing, World

SUBNET = IPv4Network("10.79.0.0/24")
LAST = {"RuleNumber": 32767, "RuleAction": "deny", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}


def entry(number: int, action: str = "allow", protocol: str = "-1", **more: Any) -> dict[str, Any]:
    found = {"RuleNumber": number, "RuleAction": action, "Protocol": protocol, "CidrBlock": "0.0.0.0/0"}
    return {"Egress": False, **found, **more}


def inward(*entries: dict[str, Any]) -> tuple[Entry, ...]:
    every = [*entries, {**LAST, "Egress": False}, entry(100, Egress=True), {**LAST, "Egress": True}]
    return acl_of({"Entries": every}, SUBNET).inward


def test_the_one_that_a_vpc_begins_with_lets_everything_through() -> None:
    assert acl_of({"Entries": [entry(100), entry(100, Egress=True), LAST | {"Egress": False}]}, SUBNET) == OPEN
    assert acl_of({"Entries": [LAST | {"Egress": False}, LAST | {"Egress": True}]}, SUBNET) != OPEN


def test_entries_count_in_the_order_of_their_numbers() -> None:
    numbers = [
        entry(40000, CidrBlock="10.79.3.0/24"),
        entry(200, CidrBlock="10.79.1.0/24"),
        entry(90, "deny", CidrBlock="10.79.2.0/24"),
    ]
    assert [(each.allows, str(each.what.networks[0])) for each in inward(*numbers)] == [
        (False, "10.79.2.0/24"),
        (True, "10.79.1.0/24"),
        (False, "0.0.0.0/0"),
    ]


@pytest.mark.parametrize(
    ("words", "opening"),
    [
        ({"protocol": "6", "PortRange": {"From": 80, "To": 90}}, Opening("tcp", 80, 90, (ANYWHERE,))),
        ({"protocol": "17", "PortRange": {"From": 53, "To": 53}}, Opening("udp", 53, 53, (ANYWHERE,))),
        ({"protocol": "1", "IcmpTypeCode": {"Type": 8, "Code": -1}}, Opening("icmp", 8, -1, (ANYWHERE,))),
        ({"protocol": "50"}, Opening("50", -1, -1, (ANYWHERE,))),
        ({"protocol": "-1", "CidrBlock": "10.79.1.0/24"}, Opening("all", -1, -1, (IPv4Network("10.79.1.0/24"),))),
    ],
)
def test_what_an_entry_is_for(words: dict[str, Any], opening: Opening) -> None:
    assert inward(entry(1, **words))[0] == Entry(True, opening)


def test_entries_for_ipv6_and_of_the_other_direction_count_for_nothing() -> None:
    other = {key: value for key, value in entry(1, "deny").items() if key != "CidrBlock"}
    assert inward({**other, "Ipv6CidrBlock": "::/0"}, entry(2, "deny", Egress=True), entry(3)) == ()


def test_whose_acl_counts(aws: Cloud) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/20")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{number}.0/24", AvailabilityZone=f"us-east-1{'ab'[number]}")
        for number in range(2)
    ]
    one, two = (subnet["Subnet"]["SubnetId"] for subnet in subnets)
    group = ec2.create_security_group(GroupName="any", Description="any", VpcId=vpc)["GroupId"]
    hosts = [
        ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=each, SecurityGroupIds=[group])
        for each in (one, two)
    ]
    made = aws.client("elbv2").create_load_balancer(Name="web", Subnets=[one, two], SecurityGroups=[group])
    balancer = Thing(Kind.LOAD_BALANCER, made["LoadBalancers"][0]["LoadBalancerArn"])

    def acls() -> list[Acl]:
        world = World(aws, {balancer: IPv4Address("10.79.192.2")})
        things = [*(Thing(Kind.INSTANCE, host["Instances"][0]["InstanceId"]) for host in hosts), balancer]
        return [world.interfaces[thing][0].acl for thing in things]

    assert acls() == [OPEN, OPEN, OPEN]
    tight = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    stopped = Entry(False, Opening("all", -1, -1, (ANYWHERE,)))

    def associate(subnet: str) -> None:
        for described in ec2.describe_network_acls()["NetworkAcls"]:
            for each in described["Associations"]:
                if each["SubnetId"] == subnet and described["NetworkAclId"] != tight:
                    ec2.replace_network_acl_association(
                        AssociationId=each["NetworkAclAssociationId"], NetworkAclId=tight
                    )

    associate(one)
    closed = Acl((stopped,), (stopped,), SUBNET)
    assert acls() == [closed, OPEN, OPEN], "in which of its subnets a load balancer is nobody knows"
    associate(two)
    elsewhere = Acl((stopped,), (stopped,), IPv4Network("10.79.1.0/24"))
    assert acls() == [closed, elsewhere, Acl((stopped,), (stopped,))]

"""What security groups let through: each rule with a packet that passes beside those that do not."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from local_aws.security_groups.acls import Acl, Entry
from local_aws.security_groups.openings import ANYWHERE, Opening, openings
from local_aws.security_groups.rules import Guard, Interface, Rules, merged
from local_aws.tests.packets import Packet, comes_in, passes

HOST, OTHER_HOST, BALANCER, DATABASE = "10.79.1.4", "10.79.1.5", "10.79.192.2", "10.79.192.3"
STRANGER, MACHINE = "10.79.192.9", "10.79.0.1"
EVERYTHING = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def rule(protocol: str = "tcp", ports: tuple[int, int] | None = None, **other: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"IpProtocol": protocol}
    if ports:
        found |= {"FromPort": ports[0], "ToPort": ports[1]}
    if "cidr" in other:
        found["IpRanges"] = [{"CidrIp": other["cidr"]}]
    if "group" in other:
        found["UserIdGroupPairs"] = [{"GroupId": other["group"], "UserId": "123456789012"}]
    if "prefixes" in other:
        found["PrefixListIds"] = [{"PrefixListId": other["prefixes"]}]
    return found


def group(name: str, *inward: dict[str, Any], outward: tuple[dict[str, Any], ...] = (EVERYTHING,)) -> dict[str, Any]:
    return {"GroupId": name, "IpPermissions": list(inward), "IpPermissionsEgress": list(outward)}


def interface(address: str, *groups: str, **more: Any) -> Interface:
    return Interface(IPv4Address(address), frozenset(groups), **more)


def guard(*inward: dict[str, Any], outward: tuple[dict[str, Any], ...] = (EVERYTHING,), **more: Any) -> Guard:
    """Of a database in group `db` with these rules; two hosts are in `hosts`, a load balancer in `balancers`."""
    database = interface(DATABASE, "db", **more)
    hosts = [interface(address, "hosts") for address in (HOST, OTHER_HOST)]
    zone = IPv4Network("10.79.2.0/24")
    balancer = interface(BALANCER, "balancers", subnets=(zone,))
    groups = [group("db", *inward, outward=outward), group("hosts"), group("balancers")]
    prefixes = {"pl-1": [IPv4Network("10.79.128.0/24")]}
    services = (Opening("udp", 53, 53, (IPv4Network("10.79.0.2/32"),)),)
    return Rules(groups, [database, *hosts, balancer], prefixes, services).guard(database)


def test_nothing_comes_in_without_a_rule() -> None:
    assert guard().inward == ()
    assert guard().from_machine == ()


def test_a_rule_that_names_a_group_is_for_its_members_and_its_port() -> None:
    found = guard(rule(ports=(5432, 5432), group="hosts"))
    assert comes_in(found, "tcp", 5432, HOST)
    assert comes_in(found, "tcp", 5432, OTHER_HOST)
    assert not comes_in(found, "tcp", 5432, BALANCER)
    assert not comes_in(found, "tcp", 5432, STRANGER)
    assert not comes_in(found, "tcp", 5433, HOST)
    assert not comes_in(found, "udp", 5432, HOST)
    assert not comes_in(found, "icmp", 8, HOST)


def test_a_group_that_names_itself_is_for_its_own_members() -> None:
    found = guard(rule("-1", group="db"))
    assert comes_in(found, "tcp", 1, DATABASE)
    assert not comes_in(found, "tcp", 1, HOST)


def test_a_group_that_nobody_is_in_or_that_is_gone_lets_nobody_in() -> None:
    assert guard(rule(ports=(5432, 5432), group="gone")).inward == ()


def test_a_network_is_for_who_is_in_it() -> None:
    found = guard(rule(ports=(1000, 2000), cidr="10.79.1.0/29"))
    assert comes_in(found, "tcp", 1000, "10.79.1.7")
    assert comes_in(found, "tcp", 2000, "10.79.1.0")
    assert not comes_in(found, "tcp", 1000, "10.79.1.8")
    assert not comes_in(found, "tcp", 999, HOST)
    assert not comes_in(found, "tcp", 2001, HOST)


def test_what_docker_gave_an_address_is_in_the_networks_of_its_subnets() -> None:
    whole = guard(rule(ports=(80, 80), cidr="10.79.0.0/20"))
    assert comes_in(whole, "tcp", 80, BALANCER)
    assert not comes_in(whole, "tcp", 80, STRANGER)
    assert not comes_in(guard(rule(ports=(80, 80), cidr="10.79.1.0/24")), "tcp", 80, BALANCER)


def test_a_prefix_list_is_for_who_is_in_it() -> None:
    found = guard(rule(ports=(443, 443), prefixes="pl-1"))
    assert comes_in(found, "tcp", 443, "10.79.128.7")
    assert not comes_in(found, "tcp", 443, HOST)
    assert guard(rule(ports=(443, 443), prefixes="pl-2")).inward == ()


@pytest.mark.parametrize(
    ("what", "passing", "stopped"),
    [
        (rule("-1", cidr="0.0.0.0/0"), [("tcp", 1), ("udp", 2), ("icmp", 8), ("50", 0)], []),
        (rule("tcp", cidr="0.0.0.0/0"), [("tcp", 0), ("tcp", 65535)], [("udp", 1)]),
        (rule("6", (7, 7), cidr="0.0.0.0/0"), [("tcp", 7)], [("tcp", 8)]),
        (rule("17", (53, 53), cidr="0.0.0.0/0"), [("udp", 53)], [("tcp", 53), ("udp", 54)]),
        (rule("icmp", (8, -1), cidr="0.0.0.0/0"), [("icmp", 8)], [("icmp", 13), ("tcp", 8)]),
        (rule("1", (-1, -1), cidr="0.0.0.0/0"), [("icmp", 8), ("icmp", 13)], [("udp", 8)]),
        (rule("50", cidr="0.0.0.0/0"), [("50", 0)], [("51", 0), ("tcp", 1)]),
        (rule("icmpv6", (-1, -1), cidr="0.0.0.0/0"), [], [("icmp", 8), ("tcp", 1)]),
    ],
)
def test_protocols(what: dict[str, Any], passing: list[tuple[str, int]], stopped: list[tuple[str, int]]) -> None:
    found = guard(what)
    assert [each for each in passing if not comes_in(found, *each, STRANGER)] == []
    assert [each for each in stopped if comes_in(found, *each, STRANGER)] == []


def test_who_may_reach_nfs_may_reach_what_stands_beside_it() -> None:
    found = guard(rule(ports=(2049, 2049), group="hosts"))
    assert [port for port in (111, 2049, 20048) if comes_in(found, "tcp", port, HOST)] == [111, 2049, 20048]
    assert not comes_in(found, "tcp", 111, STRANGER)
    assert not comes_in(guard(rule(ports=(2048, 2048), group="hosts")), "tcp", 111, HOST)
    assert not comes_in(guard(rule("udp", (2049, 2049), group="hosts")), "tcp", 111, HOST)


def test_all_groups_of_an_interface_count() -> None:
    both = interface(DATABASE, "one", "two", "gone")
    groups = [group("one", rule(ports=(1, 1), cidr="0.0.0.0/0")), group("two", rule(ports=(2, 2), cidr="0.0.0.0/0"))]
    found = Rules(groups, [both], {}).guard(both)
    assert [port for port in (1, 2, 3) if comes_in(found, "tcp", port, HOST)] == [1, 2]


@pytest.mark.parametrize(
    ("cidr", "let_in"),
    [
        ("0.0.0.0/0", True),
        ("203.0.113.7/32", True),
        ("198.51.100.0/24", True),
        ("0.0.0.0/1", True),
        ("10.0.0.0/8", False),
        ("10.79.0.0/16", False),
        ("172.16.0.0/12", False),
        ("192.168.1.0/24", False),
    ],
)
def test_this_machine_is_somewhere_on_the_internet(cidr: str, let_in: bool) -> None:
    found = guard(rule(ports=(5432, 5432), cidr=cidr))
    assert passes(found.from_machine, Packet("tcp", 5432, MACHINE)) is let_in
    assert not passes(found.from_machine, Packet("tcp", 5433, MACHINE))


def test_this_machine_is_in_no_group() -> None:
    assert guard(rule("-1", group="hosts")).from_machine == ()


def test_this_machine_has_a_way_in_that_no_group_takes() -> None:
    found = guard(way_in=(22,))
    assert passes(found.from_machine, Packet("tcp", 22, MACHINE))
    assert not passes(found.from_machine, Packet("tcp", 23, MACHINE))
    assert not comes_in(found, "tcp", 22, HOST)


def test_this_machine_reaches_what_the_internet_does() -> None:
    found = guard(rule(ports=(5432, 5432), cidr="0.0.0.0/0"), from_internet=False, way_in=(22,))
    assert not passes(found.from_machine, Packet("tcp", 5432, MACHINE))
    assert passes(found.from_machine, Packet("tcp", 22, MACHINE))
    assert comes_in(found, "tcp", 5432, HOST)


def test_what_has_no_way_to_the_internet_is_said() -> None:
    assert guard().to_internet
    assert not guard(to_internet=False).to_internet


def test_everything_goes_out_by_default_and_what_the_rules_say_otherwise() -> None:
    assert passes(guard().outward, Packet("tcp", 443, "192.0.2.1"))
    tight = guard(outward=(rule(ports=(443, 443), cidr="0.0.0.0/0"), rule(ports=(5432, 5432), group="hosts")))
    assert passes(tight.outward, Packet("tcp", 443, "192.0.2.1"))
    assert passes(tight.outward, Packet("tcp", 5432, HOST))
    assert not passes(tight.outward, Packet("tcp", 5432, STRANGER))
    assert not passes(tight.outward, Packet("tcp", 80, "192.0.2.1"))


def test_the_resolver_and_the_like_are_reached_whatever_the_rules_say() -> None:
    closed = guard(outward=())
    assert passes(closed.outward, Packet("udp", 53, "10.79.0.2"))
    assert not passes(closed.outward, Packet("udp", 53, "10.79.0.3"))
    assert not passes(closed.outward, Packet("tcp", 53, "10.79.0.2"))


def test_an_acl_means_where_things_are_here() -> None:
    zone, elsewhere = IPv4Network("10.79.2.0/24"), IPv4Network("10.79.1.0/24")
    entries = tuple(Entry(True, Opening("tcp", 1, 1, (each,))) for each in (zone, elsewhere))
    found = guard(acl=Acl(entries, entries)).acl
    assert found.inward == found.outward
    assert [each.what.networks for each in found.inward] == [(zone, IPv4Network(f"{BALANCER}/32")), (elsewhere,)]


def test_what_is_the_same_is_said_once_and_in_one_order() -> None:
    hosts, one = IPv4Network("10.79.1.0/24"), IPv4Network("10.79.1.4/32")
    found = merged([Opening("tcp", 2, 2, (one,)), Opening("tcp", 1, 1, (one,)), Opening("tcp", 2, 2, (hosts, one))])
    assert found == (Opening("tcp", 1, 1, (one,)), Opening("tcp", 2, 2, (hosts,)))


def test_a_network_with_bits_of_a_host_is_the_network() -> None:
    assert comes_in(guard(rule(ports=(1, 1), cidr="10.79.1.9/24")), "tcp", 1, HOST)


def test_a_rule_for_nobody_opens_nothing() -> None:
    assert openings(rule(ports=(1, 1)), []) == []
    assert openings(rule(ports=(1, 1)), [ANYWHERE]) == [Opening("tcp", 1, 1, (ANYWHERE,))]

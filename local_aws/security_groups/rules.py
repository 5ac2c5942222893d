"""Which packets security groups let through to and from an address. No API, no Docker, no state.

https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

ANYWHERE = IPv4Network("0.0.0.0/0")
PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""https://datatracker.ietf.org/doc/html/rfc1918#section-3"""
PORTS = (0, 65535)
ALL = (-1, -1)
PROTOCOLS = {"-1": "all", "6": "tcp", "17": "udp", "1": "icmp"}
WITH_PORTS = ("tcp", "udp")
IPV6_ONLY = ("icmpv6", "58")
NFS = 2049
BESIDE_NFS = (111, 20048)
"""EFS has one port. Its stand-in speaks NFSv3, which asks the port mapper for mountd first
(images/efs_server/ganesha.conf): who may reach the one, may reach these."""


@dataclass(frozen=True, order=True)
class Opening:
    """Packets that may pass.

    Attributes:
        protocol: `all`, `tcp`, `udp`, `icmp` or the number of another one.
        first, last: ports at the receiver's end, of TCP and UDP; type and code of ICMP, -1 for any.
        networks: addresses of the other side, none twice.
    """

    protocol: str
    first: int
    last: int
    networks: tuple[IPv4Network, ...]


@dataclass(frozen=True)
class Interface:
    """A network interface of something in a VPC.

    Attributes:
        address: where it is on the embedded network.
        groups: ids of its security groups.
        subnets: where its address would be on AWS, if `address` is one that Docker chose.
        way_in: TCP ports at which this machine gets in, whatever the groups say.
        from_internet: whether somebody there can reach it, as the groups allow it; this machine is there.
        to_internet: whether it has a way there.
    """

    address: IPv4Address
    groups: frozenset[str]
    subnets: tuple[IPv4Network, ...] = ()
    way_in: tuple[int, ...] = ()
    from_internet: bool = True
    to_internet: bool = True


@dataclass(frozen=True)
class Guard:
    """What may pass an interface. Answers to what passed may pass besides.

    Attributes:
        address: the interface's.
        inward: from anybody but this machine.
        from_machine: from this machine; the networks of these count for nothing.
        outward: to anybody.
        to_internet: whether what is outside of the embedded network is anybody.
    """

    address: IPv4Address
    inward: tuple[Opening, ...]
    from_machine: tuple[Opening, ...]
    outward: tuple[Opening, ...]
    to_internet: bool = True


class Rules:
    """The rules of all security groups, and who is a member of which.

    Args:
        groups: as DescribeSecurityGroups has them.
        interfaces: all there are; a rule that names a group means the addresses of its members.
        prefix_lists: id → addresses.
        services: what everybody may reach whatever the groups say: the embedded AWS itself.
    """

    def __init__(
        self,
        groups: Iterable[Mapping[str, Any]],
        interfaces: Iterable[Interface],
        prefix_lists: Mapping[str, Sequence[IPv4Network]],
        services: Iterable[Opening] = (),
    ) -> None:
        self._groups = {str(group["GroupId"]): group for group in groups}
        self._interfaces = tuple(interfaces)
        self._prefix_lists = prefix_lists
        self._services = tuple(services)

    def guard(self, interface: Interface) -> Guard:
        """What may pass `interface`: whatever one of its groups lets through."""
        known = [self._groups[group] for group in sorted(interface.groups) if group in self._groups]
        inward = [rule for group in known for rule in group.get("IpPermissions", ())]
        outward = [rule for group in known for rule in group.get("IpPermissionsEgress", ())]
        public = self._from_machine(inward) if interface.from_internet else []
        return Guard(
            interface.address,
            merged(self._openings(inward)),
            merged([*public, *(_tcp(port) for port in interface.way_in)]),
            merged([*self._openings(outward), *self._services]),
            interface.to_internet,
        )

    def _openings(self, rules: Iterable[Mapping[str, Any]]) -> list[Opening]:
        return [each for rule in rules for each in openings(rule, self._networks(rule))]

    def _networks(self, rule: Mapping[str, Any]) -> list[IPv4Network]:
        """Where the other side of a rule is on the embedded network."""
        ranges = _ranges(rule)
        lists = [str(each["PrefixListId"]) for each in rule.get("PrefixListIds", ())]
        groups = {str(each.get("GroupId", "")) for each in rule.get("UserIdGroupPairs", ())}
        members = [each.address for each in self._interfaces if groups & each.groups]
        members += [each.address for each in self._interfaces if any(_has(network, each) for network in ranges)]
        networks = [*ranges, *(network for name in lists for network in self._prefix_lists.get(name, ()))]
        return [*networks, *map(IPv4Network, members)]

    def _from_machine(self, rules: Iterable[Mapping[str, Any]]) -> list[Opening]:
        """What this machine may reach: its address counts as one on the internet, and as any that a rule names."""
        return [
            each
            for rule in rules
            if any(_is_public(network) for network in _ranges(rule))
            for each in openings(rule, [ANYWHERE])
        ]


def openings(rule: Mapping[str, Any], networks: Sequence[IPv4Network]) -> list[Opening]:
    """What one rule lets through, an IpPermission of EC2; nothing if the other side is nobody.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    protocol = str(rule["IpProtocol"]).lower()
    protocol = PROTOCOLS.get(protocol, protocol)
    if not networks or protocol in IPV6_ONLY:
        return []
    if protocol not in (*WITH_PORTS, "icmp"):
        return [Opening(protocol, *ALL, tuple(networks))]
    first, last = int(rule.get("FromPort", -1)), int(rule.get("ToPort", -1))
    if protocol in WITH_PORTS and first == -1:
        first, last = PORTS
    opening = Opening(protocol, first, last, tuple(networks))
    if protocol == "tcp" and first <= NFS <= last:
        return [opening, *(_tcp(port, opening.networks) for port in BESIDE_NFS)]
    return [opening]


def merged(openings: Iterable[Opening]) -> tuple[Opening, ...]:
    """The same, one for each protocol and its ports, in a stable order, without networks that another one has."""
    found: dict[tuple[str, int, int], list[IPv4Network]] = {}
    for each in openings:
        found.setdefault((each.protocol, each.first, each.last), []).extend(each.networks)
    return tuple(
        Opening(*what, tuple(ipaddress.collapse_addresses(networks))) for what, networks in sorted(found.items())
    )


def _tcp(port: int, networks: tuple[IPv4Network, ...] = (ANYWHERE,)) -> Opening:
    return Opening("tcp", port, port, networks)


def _ranges(rule: Mapping[str, Any]) -> list[IPv4Network]:
    return [IPv4Network(each["CidrIp"], strict=False) for each in rule.get("IpRanges", ())]


def _is_public(network: IPv4Network) -> bool:
    return not any(network.subnet_of(private) for private in PRIVATE)


def _has(network: IPv4Network, interface: Interface) -> bool:
    """Whether the interface's address would be in `network` on AWS, though it is elsewhere here."""
    return bool(interface.subnets) and all(subnet.subnet_of(network) for subnet in interface.subnets)

"""Which packets security groups let through to and from an address. No API, no Docker, no state.

https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from local_aws.security_groups.acls import OPEN, Acl, Entry
from local_aws.security_groups.openings import ANYWHERE, Opening, openings, tcp

PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""https://datatracker.ietf.org/doc/html/rfc1918#section-3"""


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
        acl: what passes the network ACL of its subnet.
    """

    address: IPv4Address
    groups: frozenset[str]
    subnets: tuple[IPv4Network, ...] = ()
    way_in: tuple[int, ...] = ()
    from_internet: bool = True
    to_internet: bool = True
    acl: Acl = OPEN


@dataclass(frozen=True)
class Guard:
    """What may pass an interface. Answers to what passed may pass besides.

    Attributes:
        address: the interface's.
        inward: from anybody but this machine.
        from_machine: from this machine; the networks of these count for nothing.
        outward: to anybody.
        to_internet: whether what is outside of the embedded network is anybody.
        acl: what passes it at all, in either direction, besides what is `spared`.
        spared: what everybody may reach, with its answers.
        way_in: TCP ports of the interface that this machine may reach, with their answers.
    """

    address: IPv4Address
    inward: tuple[Opening, ...]
    from_machine: tuple[Opening, ...]
    outward: tuple[Opening, ...]
    to_internet: bool = True
    acl: Acl = OPEN
    spared: tuple[Opening, ...] = ()
    way_in: tuple[int, ...] = ()


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
            merged([*public, *(tcp(port) for port in interface.way_in)]),
            merged([*self._openings(outward), *self._services]),
            interface.to_internet,
            self._there(interface.acl),
            self._services,
            interface.way_in,
        )

    def _openings(self, rules: Iterable[Mapping[str, Any]]) -> list[Opening]:
        return [each for rule in rules for each in openings(rule, self._networks(rule))]

    def _networks(self, rule: Mapping[str, Any]) -> list[IPv4Network]:
        """Where the other side of a rule is on the embedded network."""
        ranges = _ranges(rule)
        lists = [str(each["PrefixListId"]) for each in rule.get("PrefixListIds", ())]
        groups = {str(each.get("GroupId", "")) for each in rule.get("UserIdGroupPairs", ())}
        members = [IPv4Network(each.address) for each in self._interfaces if groups & each.groups]
        prefixes = [network for name in lists for network in self._prefix_lists.get(name, ())]
        return [*ranges, *self._chosen(ranges), *prefixes, *members]

    def _chosen(self, networks: Iterable[IPv4Network]) -> list[IPv4Network]:
        """The addresses that Docker chose for what would be in one of these networks on AWS."""
        networks = tuple(networks)
        return [
            IPv4Network(each.address) for each in self._interfaces if any(_has(network, each) for network in networks)
        ]

    def _there(self, acl: Acl) -> Acl:
        """The ACL for where things are on the embedded network."""

        def moved(entry: Entry) -> Entry:
            networks = (*entry.what.networks, *self._chosen(entry.what.networks))
            (what,) = merged([dataclasses.replace(entry.what, networks=networks)])
            return dataclasses.replace(entry, what=what)

        inward, outward = (tuple(moved(entry) for entry in entries) for entries in (acl.inward, acl.outward))
        return dataclasses.replace(acl, inward=inward, outward=outward)

    def _from_machine(self, rules: Iterable[Mapping[str, Any]]) -> list[Opening]:
        """What this machine may reach: its address counts as one on the internet, and as any that a rule names."""
        return [
            each
            for rule in rules
            if any(_is_public(network) for network in _ranges(rule))
            for each in openings(rule, [ANYWHERE])
        ]


def merged(found: Iterable[Opening]) -> tuple[Opening, ...]:
    """The same, one for each protocol and its ports, in a stable order, without networks that another one has."""
    same: dict[tuple[str, int, int], list[IPv4Network]] = {}
    for each in found:
        same.setdefault((each.protocol, each.first, each.last), []).extend(each.networks)
    return tuple(
        Opening(*what, tuple(ipaddress.collapse_addresses(networks))) for what, networks in sorted(same.items())
    )


def _ranges(rule: Mapping[str, Any]) -> list[IPv4Network]:
    return [IPv4Network(each["CidrIp"], strict=False) for each in rule.get("IpRanges", ())]


def _is_public(network: IPv4Network) -> bool:
    return not any(network.subnet_of(private) for private in PRIVATE)


def _has(network: IPv4Network, interface: Interface) -> bool:
    """Whether the interface's address would be in `network` on AWS, though it is elsewhere here."""
    return bool(interface.subnets) and all(subnet.subnet_of(network) for subnet in interface.subnets)

"""Packets that a rule is for, whether of a security group or of a network ACL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

ANYWHERE = IPv4Network("0.0.0.0/0")
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
        return [opening, *(tcp(port, opening.networks) for port in BESIDE_NFS)]
    return [opening]


def tcp(port: int, networks: tuple[IPv4Network, ...] = (ANYWHERE,)) -> Opening:
    """One port of TCP, by default from anywhere."""
    return Opening("tcp", port, port, networks)

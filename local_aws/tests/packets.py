"""Packets, and whether the guard of an interface lets them pass."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from local_aws.security_groups.openings import Opening
from local_aws.security_groups.rules import Guard


@dataclass(frozen=True)
class Packet:
    """The first one of a connection.

    Attributes:
        protocol: as an opening has it.
        port: at the receiver's end; the type of ICMP.
        other: address of the other side.
    """

    protocol: str
    port: int
    other: str


def passes(openings: tuple[Opening, ...], packet: Packet) -> bool:
    """Whether one of them is for it."""
    return any(
        each.protocol in ("all", packet.protocol)
        and (each.first == -1 or each.first <= packet.port <= max(each.first, each.last))
        and any(IPv4Address(packet.other) in network for network in each.networks)
        for each in openings
    )


def comes_in(guard: Guard, protocol: str, port: int, other: str) -> bool:
    """Whether it passes inwards, from another one than this machine."""
    return passes(guard.inward, Packet(protocol, port, other))

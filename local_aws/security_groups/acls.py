"""Which packets a subnet's network ACL lets through. It knows of no connections: answers are asked for as well.

https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from local_aws.security_groups.openings import ALL, ANYWHERE, Opening, openings


@dataclass(frozen=True)
class Entry:
    """One rule of an ACL.

    Attributes:
        allows: whether it lets through what it is for, or stops it.
        what: what it is for.
    """

    allows: bool
    what: Opening


@dataclass(frozen=True)
class Acl:
    """The ACL of the subnet of an interface.

    Attributes:
        inward, outward: entries in the order in which they count, the last one for everything; none at all if all of
            that direction passes.
        within: the subnet itself, whose own traffic passes no ACL; None where that is not known.
    """

    inward: tuple[Entry, ...] = ()
    outward: tuple[Entry, ...] = ()
    within: IPv4Network | None = None


OPEN = Acl()
EVERYTHING = Opening("all", *ALL, (ANYWHERE,))


def acl_of(described: Mapping[str, Any], within: IPv4Network | None) -> Acl:
    """An ACL as DescribeNetworkAcls has it, for an interface in the subnet `within`."""
    inward, outward = (_entries(described["Entries"], egress) for egress in (False, True))
    return Acl(inward, outward, within) if inward or outward else OPEN


def _entries(described: Iterable[Mapping[str, Any]], egress: bool) -> tuple[Entry, ...]:
    found: list[Entry] = []
    for each in sorted(described, key=lambda entry: int(entry["RuleNumber"])):
        if bool(each["Egress"]) is not egress or "CidrBlock" not in each:
            continue
        network, allows = IPv4Network(each["CidrBlock"]), each["RuleAction"] == "allow"
        if each["Protocol"] == "-1" and network == ANYWHERE:  # the others are asked no more
            return (*found, Entry(allows, EVERYTHING)) if found or not allows else ()
        found += [Entry(allows, what) for what in openings(_permission(each), [network])]
    return (*found, Entry(False, EVERYTHING))


def _permission(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The words of an entry as those of a security group's rule."""
    ports, icmp = entry.get("PortRange") or {}, entry.get("IcmpTypeCode") or {}
    first, last = ports.get("From", icmp.get("Type", -1)), ports.get("To", icmp.get("Code", -1))
    return {"IpProtocol": entry["Protocol"], "FromPort": first, "ToPort": last}

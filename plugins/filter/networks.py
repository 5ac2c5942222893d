"""What rules need to look into networks; each answers, none raises on a wrong value."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable


def network(cidr: object) -> ipaddress.IPv4Network | None:
    """`cidr` as a network, or None if it is none (host bits set count as none)."""
    try:
        return ipaddress.IPv4Network(str(cidr)) if "/" in str(cidr) else None
    except ValueError:
        return None


def prefix_length(cidr: object) -> int:
    """The number behind the slash, or 0."""
    found = network(cidr)
    return found.prefixlen if found else 0


def overlaps(cidr: object, other: str) -> bool:
    """Whether two networks share addresses."""
    found = network(cidr)
    return found is not None and found.overlaps(ipaddress.IPv4Network(other))


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"prefix_length": prefix_length, "overlaps": overlaps}

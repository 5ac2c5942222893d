"""Tests for preflight's rules: `network_cidr is ipv4_network`, `cidrs | reject('ipv4_network')`.

`select` and `reject` take the names of tests; a filter of the same purpose would not be found there.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.filter.networks import network

PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""https://www.rfc-editor.org/rfc/rfc1918#section-3"""
SUBNET = re.compile(r"subnet-([0-9a-f]{8}|[0-9a-f]{17})")
"""Ids were short before 2018: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html"""


def ipv4_network(cidr: object) -> bool:
    """Whether `cidr` is an IPv4 network such as 10.20.0.0/16, without host bits."""
    return network(cidr) is not None


def private_network(cidr: object) -> bool:
    """Whether `cidr` lies in the ranges of RFC 1918."""
    found = network(cidr)
    return found is not None and any(found.subnet_of(one) for one in PRIVATE)


def subnet_pair(ids: object) -> bool:
    """Whether `ids` are the ids of two subnets."""
    return isinstance(ids, list) and len({each for each in map(str, ids) if SUBNET.fullmatch(each)}) == len(ids) == 2


class TestModule:
    """What Ansible asks for the tests of this file."""

    def tests(self) -> dict[str, Callable[..., bool]]:
        """Test name → function."""
        return {"ipv4_network": ipv4_network, "private_network": private_network, "subnet_pair": subnet_pair}

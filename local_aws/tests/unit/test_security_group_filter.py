"""nftables' rules of security groups: their text, and packets through them in networks of their own."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from local_aws.config import PROJECT
from local_aws.security_groups.acls import Acl, Entry
from local_aws.security_groups.nftables import render, rules
from local_aws.security_groups.openings import ANYWHERE, Opening
from local_aws.security_groups.rules import Guard

MACHINE, INSIDE = IPv4Address("10.9.0.1"), IPv4Network("10.9.0.0/16")
ONE, TWO = "10.9.1.4", "10.9.1.5"
FRIEND, STRANGER, FAR = "10.9.2.2", "10.9.2.3", "10.8.2.2"
FRIENDS = (IPv4Network(f"{FRIEND}/32"),)
needs_nft = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("nft", "ip", "unshare"))),
    reason="Only root makes networks, with nft, ip and unshare (make setup installs them).",
)


def opening(protocol: str, first: int, last: int | None = None, networks: Any = (ANYWHERE,)) -> Opening:
    return Opening(protocol, first, first if last is None else last, networks)


@pytest.mark.parametrize(
    ("what", "line"),
    [
        (opening("all", -1), "accept"),
        (opening("all", -1, networks=FRIENDS), "ip saddr { 10.9.2.2 } accept"),
        (opening("tcp", 22), "tcp dport 22 accept"),
        (opening("tcp", 0, 65535), "meta l4proto tcp accept"),
        (
            opening("tcp", 32768, 60999, (IPv4Network("10.9.0.0/24"), *FRIENDS)),
            "ip saddr { 10.9.0.0/24, 10.9.2.2 } tcp dport 32768-60999 accept",
        ),
        (opening("udp", 53), "udp dport 53 accept"),
        (opening("icmp", -1), "meta l4proto icmp accept"),
        (opening("icmp", 8, -1), "icmp type 8 accept"),
        (opening("icmp", 3, 4), "icmp type 3 icmp code 4 accept"),
        (opening("50", -1), "meta l4proto 50 accept"),
    ],
)
def test_the_line_of_an_opening(what: Opening, line: str) -> None:
    assert rules([what], "saddr") == [line]


def test_what_is_open_to_nobody_has_no_line() -> None:
    assert rules([opening("tcp", 22, networks=())], "saddr") == []


def tried(guards: list[Guard], *packets: tuple[Any, ...], before: tuple[str, ...] = ()) -> list[bool]:
    """Which packets come through: (protocol, port, from, to[, whether outwards[, where else somebody listens]])."""
    names = ("protocol", "port", "from", "to", "outward", "listens")
    asked = {
        "rules": [*before, render(guards, MACHINE, INSIDE)],
        "filtered": [ONE, TWO],
        "others": [str(MACHINE), FRIEND, STRANGER, FAR],
        "packets": [dict(zip(names, packet, strict=False)) for packet in packets],
    }
    done = subprocess.run(
        ["unshare", "--net", "--mount", sys.executable, "-m", "local_aws.tests.packet_filter"],
        input=json.dumps(asked), text=True, capture_output=True, check=False, cwd=PROJECT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[bool] = json.loads(done.stdout)
    return found


def guard(address: str, inward: tuple[Opening, ...] = (), from_machine: tuple[Opening, ...] = (),
          outward: tuple[Opening, ...] = (opening("all", -1),)) -> Guard:  # fmt: skip
    return Guard(IPv4Address(address), inward, from_machine, outward)


@needs_nft
def test_only_what_is_open_comes_in() -> None:
    open_ = guard(ONE, (opening("tcp", 5432, networks=FRIENDS), opening("udp", 53, networks=FRIENDS)))
    passing = [("tcp", 5432, FRIEND, ONE), ("udp", 53, FRIEND, ONE)]
    stopped = [
        ("tcp", 5432, STRANGER, ONE),
        ("tcp", 5433, FRIEND, ONE),
        ("udp", 53, STRANGER, ONE),
        ("udp", 5432, FRIEND, ONE),
        ("tcp", 5432, str(MACHINE), ONE),
        ("tcp", 5432, FRIEND, TWO),
    ]
    assert tried([open_], *passing, *stopped) == [True, True, *[False] * len(stopped)]


@needs_nft
def test_this_machine_has_rules_of_its_own() -> None:
    open_ = guard(ONE, (opening("tcp", 5432),), (opening("tcp", 22),))
    packets = [("tcp", port, other, ONE) for port in (22, 5432) for other in (str(MACHINE), FRIEND)]
    assert tried([open_], *packets) == [True, False, False, True]


@needs_nft
def test_each_address_has_its_own_rules() -> None:
    both = [guard(ONE, (opening("tcp", 1),)), guard(TWO, (opening("tcp", 2),))]
    packets = [("tcp", port, FRIEND, to) for port in (1, 2) for to in (ONE, TWO)]
    assert tried(both, *packets) == [True, False, False, True]


@needs_nft
def test_only_what_is_open_goes_out_and_its_answer_comes_in() -> None:
    tight = guard(ONE, outward=(opening("tcp", 443, networks=FRIENDS), opening("udp", 53)))
    packets = [
        ("tcp", 443, ONE, FRIEND, True),
        ("udp", 53, ONE, STRANGER, True),
        ("tcp", 443, ONE, STRANGER, True),
        ("tcp", 80, ONE, FRIEND, True),
        ("tcp", 443, TWO, FRIEND, True),
    ]
    assert tried([tight], *packets) == [True, True, False, False, False]


@needs_nft
def test_where_no_route_leads_nothing_goes_but_an_answer() -> None:
    within = dataclasses.replace(guard(ONE, (opening("tcp", 1),)), to_internet=False)
    packets = [("tcp", 443, ONE, FRIEND, True), ("tcp", 443, ONE, FAR, True), ("tcp", 1, FAR, ONE)]
    assert tried([within], *packets) == [True, False, True]
    assert tried([guard(ONE)], *packets[:2]) == [True, True]


@needs_nft
def test_an_answer_goes_out_to_whom_nothing_else_does() -> None:
    open_ = guard(ONE, (opening("tcp", 1), opening("udp", 1)), outward=())
    packets = [("tcp", 1, FRIEND, ONE), ("udp", 1, FRIEND, ONE), ("tcp", 1, ONE, FRIEND, True)]
    assert tried([open_], *packets) == [True, True, False]


@needs_nft
def test_new_rules_take_the_place_of_the_old_and_leave_others_tables_alone() -> None:
    first = render([guard(ONE, (opening("tcp", 1),))], MACHINE, INSIDE)
    somebody = """
table ip docker {
  chain in {
    type filter hook input priority 0
    tcp dport 3 drop
  }
}
"""
    found = tried(
        [guard(ONE, (opening("tcp", 2), opening("tcp", 3)))],
        ("tcp", 1, FRIEND, ONE), ("tcp", 2, FRIEND, ONE), ("tcp", 3, FRIEND, ONE), before=(first, somebody),
    )  # fmt: skip
    assert found == [False, True, False]


@needs_nft
def test_a_host_that_hands_a_port_on_is_asked_for_the_port_that_was_asked_for() -> None:
    on = """
table ip nat {
  chain pre {
    type nat hook prerouting priority -100
    tcp dport { 40000, 40001 } redirect to :8080
  }
}
"""
    packets = [("tcp", port, FRIEND, ONE, False, 8080) for port in (40000, 40001, 8080)]
    assert tried([guard(ONE, (opening("tcp", 40000),))], *packets, before=(on,)) == [True, False, False]


@needs_nft
def test_the_address_that_counts_is_the_one_that_goes_out() -> None:
    as_one = f"""
table ip nat {{
  chain post {{
    type nat hook postrouting priority 100
    ip saddr {TWO} snat to {ONE}
  }}
}}
"""
    packets = [("tcp", 443, TWO, FRIEND, True), ("tcp", 80, TWO, FRIEND, True)]
    assert tried([guard(ONE, outward=(opening("tcp", 443),))], *packets, before=(as_one,)) == [True, False]


ALL_IN_AND_OUT = guard(ONE, (opening("all", -1),), (opening("all", -1),))
EVERYTHING = Entry(True, opening("all", -1))


def with_acl(inward: tuple[Entry, ...] = (), outward: tuple[Entry, ...] = (), **more: Any) -> Guard:
    """Everything is open but for the ACL."""
    within = more.pop("within", None)
    return dataclasses.replace(ALL_IN_AND_OUT, acl=Acl(inward, outward, within), **more)


@needs_nft
def test_the_first_entry_of_an_acl_that_is_for_a_packet_counts() -> None:
    stranger = (IPv4Network(f"{STRANGER}/32"),)
    entries = (Entry(False, opening("tcp", 1, networks=stranger)), Entry(True, opening("tcp", 1, 2)))
    packets = [("tcp", port, other, ONE) for port in (1, 2, 3) for other in (FRIEND, STRANGER)]
    assert tried([with_acl(entries)], *packets) == [True, False, True, True, False, False]


@needs_nft
def test_an_acl_knows_of_no_connections() -> None:
    entries = (Entry(True, opening("tcp", 443)),)
    packets = [("tcp", 443, ONE, FRIEND, True), ("tcp", 80, ONE, FRIEND, True), ("tcp", 80, FRIEND, ONE)]
    assert tried([with_acl(outward=entries)], *packets) == [True, False, False], "the answer to the last is stopped"
    answers = (Entry(True, opening("tcp", 1024, 65535)),)
    assert tried([with_acl(inward=answers)], *packets) == [True, True, False]
    assert tried([with_acl(inward=entries)], *packets) == [False, False, False], "no answer comes in"


@needs_nft
def test_packets_of_the_subnet_itself_pass_no_acl() -> None:
    nothing = (Entry(False, opening("all", -1)),)
    packets = [("tcp", 1, FRIEND, ONE), ("tcp", 1, ONE, FRIEND, True), ("tcp", 1, FAR, ONE), ("tcp", 1, ONE, FAR, True)]
    here = with_acl(nothing, nothing, within=IPv4Network("10.9.2.0/24"))
    assert tried([here], *packets) == [True, True, False, False]


@needs_nft
def test_an_acl_spares_the_embedded_aws_and_the_way_in() -> None:
    nothing = (Entry(False, opening("all", -1)),)
    services = (opening("tcp", 443, networks=FRIENDS), opening("udp", 53, networks=FRIENDS))
    packets = [
        ("tcp", 443, ONE, FRIEND, True),
        ("udp", 53, ONE, FRIEND, True),
        ("tcp", 22, str(MACHINE), ONE),
        ("tcp", 80, ONE, FRIEND, True),
        ("tcp", 443, ONE, STRANGER, True),
        ("tcp", 23, str(MACHINE), ONE),
        ("tcp", 22, FRIEND, ONE),
    ]
    found = tried([with_acl(nothing, nothing, spared=services, way_in=(22,))], *packets)
    assert found == [True, True, True, False, False, False, False]


@needs_nft
def test_what_an_acl_lets_through_the_groups_are_asked_of() -> None:
    closed = Guard(IPv4Address(ONE), (opening("tcp", 1),), (), (), acl=Acl((EVERYTHING,), (EVERYTHING,)))
    assert tried([closed], ("tcp", 1, FRIEND, ONE), ("tcp", 2, FRIEND, ONE)) == [True, False]

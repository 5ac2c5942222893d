"""A CDN's firewall as nginx keeps it: ModSecurity with the core rule set, in the image that a distribution runs in."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from local_aws.tests.parts.test_edge import Edge, edge
from local_aws.waf.firewall import Firewall, Rule
from local_aws.waf.groups import CAPACITIES

pytestmark = pytest.mark.docker
__all__ = ["edge"]

COMMON = "AWSManagedRulesCommonRuleSet"
ATTACKS = (
    "/cart?q=1%27%20OR%20%271%27%3D%271",
    "/cart?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "/cart?q=../../etc/passwd",
    "/cart?q=${jndi:ldap://x}",
    "/sqlmanager",
)
BROWSER = "Mozilla/5.0"
FORM = "--b\r\nContent-Disposition: form-data; name=f; filename=a.jpg\r\nContent-Type: image/jpeg\r\n\r\n"


@pytest.fixture
def asking(edge: Edge) -> Callable[..., Edge]:
    """The CDN once it asks a firewall of these rules."""

    def start(*rules: Rule) -> Edge:
        edge.origins.answers |= {path: (200, {}, "here") for path in ("/cart", *ATTACKS)}
        edge.reload(firewall=Firewall("arn:acl", "shop", rules))
        return edge

    return start


def groups(action: str) -> list[Rule]:
    return [Rule(name, action, group=name, counted=("SizeRestrictions_BODY",)) for name in CAPACITIES]


def test_attacks_are_blocked_before_they_reach_an_origin_and_visitors_pass(asking: Callable[..., Edge]) -> None:
    edge = asking(*groups("block"))
    assert [edge.ask(path, User_Agent=BROWSER)[0] for path in ATTACKS] == [403] * len(ATTACKS)
    assert edge.origins.asked == []
    status, headers, _ = edge.ask(ATTACKS[0], User_Agent=BROWSER)
    assert (status, headers["x-cache"]) == (403, "Error from cloudfront")
    assert [edge.ask("/cart")[0], edge.ask("/cart", User_Agent="nmap")[0]] == [403, 403]
    assert edge.ask("/cart", User_Agent=BROWSER)[0] == 200


def test_the_same_pass_where_they_are_counted(asking: Callable[..., Edge]) -> None:
    edge = asking(*groups("count"))
    assert [edge.ask(path, User_Agent=BROWSER)[0] for path in ATTACKS] == [200] * len(ATTACKS)


def test_an_upload_passes_what_blocks_attacks(asking: Callable[..., Edge]) -> None:
    edge = asking(*groups("block"))
    body = FORM.encode() + os.urandom(5_000_000) + b"\r\n--b--\r\n"
    sent = {"Content-Type": "multipart/form-data; boundary=b", "User-Agent": "Mozilla/5.0"}
    assert edge.post("/cart", body, **sent)[0] == 200
    asked = edge.origins.asked[-1]
    assert (asked[0], asked[2]["content-length"]) == ("POST", str(len(body)))
    edge.reload(firewall=Firewall("arn:acl", "shop", (Rule("common", "block", group=COMMON),)))
    assert edge.post("/cart", body, **sent)[0] == 403, "the rule about the size is there"


def test_a_flood_is_blocked_and_only_counted_where_it_is_to_be(asking: Callable[..., Edge]) -> None:
    edge = asking(Rule("rate", "block", limit=10))
    assert [edge.ask("/cart")[0] for _ in range(14)] == [200] * 10 + [403] * 4
    edge = asking(Rule("rate", "count", limit=10))
    assert [edge.ask("/cart")[0] for _ in range(14)] == [200] * 14
    edge = asking(Rule("allow4", "allow", ("127.0.0.0/8",)), Rule("rate", "block", limit=10), *groups("block"))
    assert [edge.ask("/cart")[0] for _ in range(14)] == [200] * 14
    assert edge.ask(ATTACKS[0])[0] == 200


def test_who_is_blocked_is_let_in_nowhere(asking: Callable[..., Edge]) -> None:
    edge = asking(Rule("block4", "block", ("127.0.0.0/8",)))
    assert edge.ask("/cart")[0] == 403
    assert asking(Rule("block4", "block", ("198.51.100.7/32",))).ask("/cart")[0] == 200

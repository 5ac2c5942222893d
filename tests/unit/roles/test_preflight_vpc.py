"""What preflight says of a VPC that exists (`network_vpc_id`), as the account has answered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.roles.test_preflight_account import (
    EMPTY,
    LIVE,
    SITE,
    STACKS,
    ZONES,
    broken,
    is_about_a_vpc,
    layer,
    questions,
    refused,
    rules,
    said,
)

pytestmark = pytest.mark.playbook

VPC = "vpc-0123456789abcdef0"
GIVEN: dict[str, Any] = {
    "network_vpc_id": VPC,
    "network_subnets": {
        "alb": ["subnet-0000000a", "subnet-0000000b"],
        "host": ["subnet-0000001a", "subnet-0000001b"],
        "private": ["subnet-0000002a", "subnet-0000002b"],
    },
}
WAYS = {"0": "igw-1", "1": "nat-1", "2": ""}
EXPOSED = {"site_services": {"web": SITE["site_services"]["web"] | {"expose": "web"}}}


def vpc(**facts: Any) -> dict[str, Any]:
    """What an account in order says of the VPC, but for some facts."""
    ids = [each for pair in GIVEN["network_subnets"].values() for each in pair]
    return {
        "vpc": {
            "id": VPC, "found": True, "owner": "123456789012", "cidrs": ["10.40.0.0/20"], "dhcp_options": "dopt-0a",
        },
        "subnets": {each: {"vpc": VPC, "zone": f"us-east-1{each[-1]}", "free": 20, "public": False} for each in ids},
        "vpc_dns": {"support": True, "hostnames": True},
        "vpc_resolvers": ["AmazonProvidedDNS"],
        "ways_out": {each: WAYS[each[-2]] for each in ids},
        "vpc_endpoints": [],
    } | facts  # fmt: skip


def owned(**facts: Any) -> dict[str, Any]:
    """What is said of the VPC itself, some of it something else."""
    return {"vpc": vpc()["vpc"] | facts}


def subnet(identifier: str, **facts: Any) -> dict[str, Any]:
    """What is said of the subnets, of one of them something else."""
    known = vpc()["subnets"]
    return {"subnets": known | {f"subnet-000000{identifier}": known[f"subnet-000000{identifier}"] | facts}}


def way(**ways: str) -> dict[str, Any]:
    """Where routes lead, of those named (`s1a`) somewhere else."""
    return {"ways_out": vpc()["ways_out"] | {f"subnet-000000{name[1:]}": leads for name, leads in ways.items()}}


def in_vpc(**parameters: str) -> dict[str, Any]:
    """A live site in a VPC that was given."""
    ids = {
        f"Network{kind.title()}SubnetId{place}": each
        for kind, pair in GIVEN["network_subnets"].items()
        for place, each in zip("AB", pair, strict=True)
    }
    network = layer("VpcId", NetworkVpcId=VPC, **(ids | parameters))
    return LIVE | {"stacks": STACKS | {"legacy-prod-network": network}} | vpc()


def test_a_vpc_in_order_is_not_complained_about() -> None:
    assert refused(EMPTY | vpc(), **GIVEN) == {}
    assert refused(in_vpc(), **GIVEN) == {}
    assert refused(EMPTY | vpc(), **GIVEN, **EXPOSED) == {}
    assert said(in_vpc(), **GIVEN) == ""


ALB, HOST, PRIVATE = (f"network_subnets.{kind}" for kind in ("alb", "host", "private"))
CLASS = "site_databases.main.class"
MAIN = EMPTY["databases"]["main"]
ABSENT = {"found": False, "owner": "", "cidrs": [], "dhcp_options": ""}
REFUSED: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"vpc": ABSENT}, {}, "network_vpc_id", "us-east-1 has no VPC of this id"),
    ({"subnets": {}}, {}, PRIVATE, "subnet-0000002b is no subnet that is there, not of network_vpc_id"),
    (subnet("1a", vpc="vpc-0f"), {}, HOST, "subnet-0000001a is a subnet of vpc-0f, not of network_vpc_id"),
    (subnet("1a", zone="us-east-1b"), {}, HOST, "lies with both in us-east-1b. Write subnets in two zones"),
    (subnet("2a", zone="us-east-1c"), {}, PRIVATE, "lies in us-east-1b and us-east-1c, network_subnets.host"),
    ({"vpc_dns": {"support": False, "hostnames": True}}, {}, "network_vpc_id", "--enable-dns-support"),
    ({"vpc_dns": {"support": True, "hostnames": False}}, {}, "network_vpc_id", "--enable-dns-hostnames"),
    (owned(owner="999999999999"), EXPOSED, "network_vpc_id", "that the account 999999999999 shares"),
    (way(s0b="nat-1"), {}, ALB, "its route to 0.0.0.0/0 leads to nat-1, so nobody on the internet"),
    (way(s0b=""), {}, ALB, "its route to 0.0.0.0/0 is missing, so nobody"),
    (way(s1a=""), {}, HOST, "subnet-0000001a has no route to 0.0.0.0/0, and the VPC no endpoint of ECS"),
    (way(s1a="igw-1"), {}, HOST, "subnet-0000001a leads to an internet gateway and gives instances no public"),
    (subnet("0a", free=7), {}, ALB, "subnet-0000000a has 7 free addresses, and a load balancer"),
    (subnet("2b", free=7), EXPOSED, PRIVATE, "subnet-0000002b has 7 free addresses"),
    (owned(cidrs=["10.40.0.0/20", "172.16.0.0/15"]), {}, "network_vpc_id", "172.16.0.0/15, and 172.17.0.0/16 is"),
    (
        owned(cidrs=["10.40.0.0/20", "10.41.0.0/20"]),
        {"docker_engine_address_pools": [{"base": "10.41.0.0/16", "size": 24}]},
        "docker_engine_address_pools",
        "overlaps 10.41.0.0/20, the addresses of network_vpc_id",
    ),
    (
        {"databases": EMPTY["databases"] | {"main": MAIN | {"zones": ["us-east-1b", "us-east-1d"]}}},
        {},
        CLASS,
        "in both zones of network_subnets.private (us-east-1a, us-east-1b), but in us-east-1b, us-east-1d.",
    ),
    (
        {"availability_zones": EMPTY["availability_zones"] | {"instance_type": ZONES[1:]}},
        {},
        "host_instance_type",
        "is not offered in both zones of the site (us-east-1a, us-east-1b)",
    ),
]


@pytest.mark.parametrize(("asked", "given", "variable", "says"), REFUSED)
def test_a_vpc_that_cannot_hold_the_site_is_refused(
    asked: dict[str, Any], given: dict[str, Any], variable: str, says: str
) -> None:
    found = refused(EMPTY | vpc(**asked), **{**GIVEN, **given})
    assert says in found[variable]


def test_each_thing_wrong_with_a_vpc_is_told_once() -> None:
    nothing = vpc(vpc=ABSENT, subnets={})
    for name in ("vpc_dns", "vpc_resolvers", "ways_out", "vpc_endpoints"):
        del nothing[name]  # not asked of what is not there
    told = [each for rule in broken(EMPTY | nothing, GIVEN).values() for each in rule]
    assert len(told) == 1 + 6
    for wrong in (subnet("1a", zone="us-east-1b"), subnet("1a", vpc="vpc-0f") | way(s1a="")):
        told = [each for rule in broken(EMPTY | vpc(**wrong), GIVEN).values() for each in rule]
        assert [variable for variable, _ in told] == ["network_subnets.host"]


def test_hosts_may_live_in_public_subnets_of_a_vpc_and_share_those_of_the_load_balancer() -> None:
    given = GIVEN | {"network_subnets": GIVEN["network_subnets"] | {"host": GIVEN["network_subnets"]["alb"]}}
    known = {each: facts | {"public": True} for each, facts in vpc()["subnets"].items()}
    assert refused(EMPTY | vpc(subnets=known), **given) == {}
    assert set(refused(EMPTY | vpc(), **given)) == {"network_subnets.host"}


def test_what_cannot_be_told_of_a_vpc_is_said_and_stops_nothing() -> None:
    through = vpc(**way(s1a="tgw-1", s1b="tgw-1"))
    assert refused(EMPTY | through, **GIVEN) == {}
    assert "Hosts in subnet-0000001a leave through tgw-1; whether ECS, ECR and S3" in said(EMPTY | through, **GIVEN)
    inside = vpc(**way(s1a="", s1b=""), vpc_endpoints=["ecr.api", "ecs-agent"])
    assert refused(EMPTY | inside, **GIVEN) == {}
    assert "whether the endpoints of the VPC (ecr.api, ecs-agent) are all that they need" in said(
        EMPTY | inside, **GIVEN
    )
    hidden = vpc(ways_out={})
    assert refused(EMPTY | hidden, **GIVEN) == {}
    assert "The route table of subnet-0000000a is not shown to this account" in said(EMPTY | hidden, **GIVEN)
    why = {"unasked": {"ways_out": "DescribeRouteTables: not authorized"}}
    assert "is not shown" not in said(EMPTY | hidden | why, **GIVEN), "said once, with what follows"
    assert "UnsupportedAvailabilityZone" not in said(EMPTY | vpc() | {"availability_zones": FEW}, **GIVEN)


@pytest.mark.parametrize(
    ("servers", "told"),
    [
        (["192.0.2.53", "192.0.2.54"], "name 192.0.2.53, 192.0.2.54, not AmazonProvidedDNS alone. Unless each of"),
        (["AmazonProvidedDNS", "192.0.2.53"], "name AmazonProvidedDNS, 192.0.2.53, not AmazonProvidedDNS alone."),
        ([], "name no DNS server, not AmazonProvidedDNS alone."),
    ],
)
def test_other_dns_servers_than_amazons_are_said_with_what_to_look_at_and_stop_nothing(
    servers: list[str], told: str
) -> None:
    other = EMPTY | vpc(vpc_resolvers=servers)
    assert refused(other, **GIVEN) == {}
    text = said(other, **GIVEN)
    assert f"The DHCP options of network_vpc_id (dopt-0a) {told}" in text
    assert "whether they forward amazonaws.com and legacy-prod.internal; look: aws ec2 describe-dhcp-options" in text
    assert "describe-dhcp-options --region us-east-1 --dhcp-options-ids dopt-0a" in text
    assert "DHCP" not in said(EMPTY | vpc(), **GIVEN)
    unasked = vpc()
    del unasked["vpc_resolvers"]
    assert "DHCP" not in said(EMPTY | unasked, **GIVEN), "a VPC without a set of DHCP options"


FEW = EMPTY["availability_zones"] | {"available": [*ZONES, "us-east-1e"]}


def test_what_stands_needs_no_free_addresses_and_takes_what_has_left_the_offer() -> None:
    live = in_vpc() | {"subnets": {each: facts | {"free": 0} for each, facts in vpc()["subnets"].items()}}
    assert refused(live, **GIVEN) == {}
    exposed = STACKS | {"legacy-prod-expose": layer("ExposeZoneId")}
    assert set(refused(live, **GIVEN, **EXPOSED)) == {"network_subnets.private"}
    network = {"legacy-prod-network": live["stacks"]["legacy-prod-network"]}
    assert refused(live | {"stacks": exposed | network}, **GIVEN, **EXPOSED) == {}
    main = LIVE["databases"]["main"] | {"zones": ["us-east-1c", "us-east-1d"]}
    assert refused(in_vpc() | {"databases": LIVE["databases"] | {"main": main}}, **GIVEN) == {}


def test_a_live_site_does_not_move_to_another_vpc() -> None:
    from_own = refused(LIVE | vpc(), **GIVEN)
    assert set(from_own) == {"network_vpc_id"}
    assert "Take it out, and network_subnets. For a site in another VPC copy the folder" in from_own["network_vpc_id"]
    to_own = refused(in_vpc())
    assert set(to_own) == {"network_vpc_id"}
    assert f"databases too, would have to be made anew. Set it back to {VPC}." in to_own["network_vpc_id"]
    other = {each: facts | {"vpc": "vpc-0f"} for each, facts in vpc()["subnets"].items()}
    moved = refused(in_vpc() | {"subnets": other}, **GIVEN | {"network_vpc_id": "vpc-0f"})
    assert set(moved) == {"network_vpc_id"}
    failed = in_vpc()["stacks"] | {
        "legacy-prod-network": {"status": "ROLLBACK_COMPLETE", "parameters": {}, "outputs": {}}
    }
    assert refused(LIVE | vpc() | {"stacks": failed}, **GIVEN) == {}, "what failed at its first create may be corrected"


@pytest.mark.parametrize("kind", ["host", "private"])
def test_hosts_and_databases_keep_their_subnets_and_the_load_balancer_may_change_its_own(kind: str) -> None:
    subnets = GIVEN["network_subnets"]
    other = GIVEN | {"network_subnets": subnets | {kind: subnets[kind][::-1]}}
    found = refused(in_vpc(), **other)
    assert set(found) == {f"network_subnets.{kind}"}
    assert f"Set it back: {kind}: [{subnets[kind][0]}, {subnets[kind][1]}]." in found[f"network_subnets.{kind}"]
    assert refused(in_vpc(NetworkAlbSubnetIdA="subnet-0f"), **GIVEN) == {}


def test_of_a_vpc_the_account_is_asked_what_is_named() -> None:
    asked = questions(**GIVEN)
    assert asked["vpc_id"] == VPC
    assert len(asked["subnets"]) == 6
    assert questions()["vpc_id"] == ""


def test_every_rule_about_a_vpc_refuses_something_and_lets_the_right_values_pass() -> None:
    refusals = [(EMPTY | vpc(**asked), GIVEN | given) for asked, given, _, _ in REFUSED]
    refusals.append((in_vpc(NetworkHostSubnetIdA="subnet-0f"), GIVEN))
    refusing = {place for asked, given in refusals for place in broken(asked, given)}
    unproven = [rule for place, rule in enumerate(rules()) if is_about_a_vpc(rule) and place not in refusing]
    assert not [f"{rule['variable']}: {rule['that']}" for rule in unproven]
    pools = {"docker_engine_address_pools": [{"base": "10.200.0.0/16", "size": 24}]}
    assert broken(EMPTY | vpc(), GIVEN | EXPOSED | pools) == {}

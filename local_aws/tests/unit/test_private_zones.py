"""Private hosted zones: who sees which names, and what Route 53 refuses of them.

parts/test_resolver.py has the resolver.
"""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.parts.private_zones import PrivateZones, Zone, answers
from local_aws.parts.resolver import zones_file
from local_aws.tests.stack_support import Stacks, refused

BALANCER = "inside-0123.elb.us-east-1.amazonaws.com"
KNOWN = {BALANCER: ["10.79.192.4"]}


def record(name: str, *values: str, kind: str = "A") -> dict[str, Any]:
    return {"Name": f"{name}.", "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value} for value in values]}


def alias(name: str, target: str = f"{BALANCER}.", kind: str = "A") -> dict[str, Any]:
    return {"Name": f"{name}.", "Type": kind, "AliasTarget": {"DNSName": target, "HostedZoneId": "Z26RNL4JYFTOTI"}}


def zone(name: str, *records: dict[str, Any]) -> Zone:
    return Zone(name, ("vpc-1",), records)


def test_an_alias_has_the_addresses_of_what_it_leads_to() -> None:
    shop = zone(
        "shop.internal",
        alias("cms.shop.internal"),
        alias("again.shop.internal", "CMS.shop.internal"),
        alias("dual.shop.internal", f"dualstack.{BALANCER.upper()}"),
        record("db.shop.internal", f"{BALANCER}.", kind="CNAME"),
        record("plain.shop.internal", "10.0.0.2", "10.0.0.1"),
        alias("later.shop.internal", "not-yet-1.elb.us-east-1.amazonaws.com"),
    )
    names, unanswered = answers([shop], KNOWN)
    assert unanswered == {}
    balancer = KNOWN[BALANCER]
    assert names == {
        "cms.shop.internal": balancer,
        "again.shop.internal": balancer,
        "dual.shop.internal": balancer,
        "db.shop.internal": balancer,
        "plain.shop.internal": ["10.0.0.1", "10.0.0.2"],
    }


def test_a_circle_has_no_address() -> None:
    names, _ = answers([zone("x.test", alias("a.x.test", "b.x.test"), alias("b.x.test", "a.x.test"))], {})
    assert names == {}


def test_the_zone_below_has_its_names() -> None:
    above = zone("x.test", record("a.b.x.test", "10.0.0.1"), record("c.x.test", "10.0.0.2"))
    below = zone("b.x.test", record("d.b.x.test", "10.0.0.3"))
    assert answers([above, below], {})[0] == {"c.x.test": ["10.0.0.2"], "d.b.x.test": ["10.0.0.3"]}
    assert answers([above], {})[0] == {"a.b.x.test": ["10.0.0.1"], "c.x.test": ["10.0.0.2"]}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (record("x.test", "v=spf1", kind="TXT"), "TXT x.test is not answered"),
        (record("\\052.x.test", "10.0.0.1"), "A *.x.test is not answered"),
        (record("out.x.test", "www.example.org", kind="CNAME"), "www.example.org is no name of the embedded AWS"),
    ],
)
def test_what_cannot_be_answered_is_said(given: dict[str, Any], words: str) -> None:
    names, unanswered = answers([zone("x.test", given)], {})
    assert names == {}
    assert words in unanswered["x.test"][0]


def test_a_private_zone_is_asked_nowhere_else() -> None:
    assert zones_file(["b.test", "a.test"]) == "server=/a.test/\nserver=/b.test/\n"


def vpc(aws: Cloud, number: int = 0, **attributes: bool) -> str:
    ec2 = aws.client("ec2")
    made = str(ec2.create_vpc(CidrBlock=f"10.{79 + number}.0.0/17")["Vpc"]["VpcId"])
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=made, **{name: {"Value": attributes.get(name, True)}})
    return made


def private(aws: Cloud, vpc_id: str, name: str = "shop-prod.internal", reference: str = "1") -> str:
    made = aws.client("route53").create_hosted_zone(
        Name=name, CallerReference=reference, VPC={"VPCId": vpc_id, "VPCRegion": "us-east-1"},
        HostedZoneConfig={"PrivateZone": True, "Comment": ""},
    )  # fmt: skip
    return str(made["HostedZone"]["Id"].rpartition("/")[2])


def change(aws: Cloud, zone_id: str, action: str, given: dict[str, Any]) -> None:
    if "AliasTarget" in given:
        given = given | {"AliasTarget": given["AliasTarget"] | {"EvaluateTargetHealth": False}}
    aws.client("route53").change_resource_record_sets(
        HostedZoneId=zone_id, ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": given}]}
    )


@pytest.fixture
def part(aws: Cloud) -> PrivateZones:
    aws.names.clear()
    aws.private_zones = []
    aws.names.update(KNOWN)
    return PrivateZones(aws)


def test_names_come_with_their_records_and_go_with_them(aws: Cloud, part: PrivateZones) -> None:
    zone_id = private(aws, vpc(aws))
    name = alias("cms.shop-prod.internal")
    change(aws, zone_id, "CREATE", name)
    part.reconcile()
    assert aws.names == {**KNOWN, "cms.shop-prod.internal": ["10.79.192.4"]}
    assert aws.private_zones == ["shop-prod.internal"]
    assert [(line.name, line.ok) for line in part.health()] == [("private zone shop-prod.internal", True)]

    aws.names[BALANCER] = ["10.79.192.9"]  # it was made anew
    part.reconcile()
    assert aws.names["cms.shop-prod.internal"] == ["10.79.192.9"]

    change(aws, zone_id, "DELETE", name)
    part.reconcile()
    assert "cms.shop-prod.internal" not in aws.names
    assert aws.private_zones == ["shop-prod.internal"], "its other names are still nobody else's"
    aws.client("route53").delete_hosted_zone(Id=zone_id)
    part.reconcile()
    assert (aws.private_zones, part.health()) == ([], [])


def test_public_names_are_not_answered(aws: Cloud, part: PrivateZones) -> None:
    made = aws.client("route53").create_hosted_zone(Name="public.test", CallerReference="1")["HostedZone"]["Id"]
    change(aws, made, "CREATE", record("www.public.test", "192.0.2.1"))
    part.reconcile()
    assert (aws.names, aws.private_zones) == (KNOWN, [])


@pytest.mark.parametrize("attribute", ["EnableDnsSupport", "EnableDnsHostnames"])
def test_a_vpc_without_dns_sees_no_private_zone(aws: Cloud, part: PrivateZones, attribute: str) -> None:
    zone_id = private(aws, vpc(aws, **{attribute: False}))
    change(aws, zone_id, "CREATE", record("a.shop-prod.internal", "10.0.0.1"))
    part.reconcile()
    assert (aws.names, aws.private_zones) == (KNOWN, [])
    assert f"whose {attribute[0].lower()}{attribute[1:]} is off" in part.health()[0].detail


def test_a_record_that_cannot_be_answered_is_trouble(aws: Cloud, part: PrivateZones) -> None:
    zone_id = private(aws, vpc(aws))
    change(aws, zone_id, "CREATE", record("a.shop-prod.internal", '"x"', kind="TXT"))
    part.reconcile()
    (line,) = part.health()
    assert not line.ok
    assert "TXT a.shop-prod.internal is not answered" in line.detail


def test_a_vpc_sees_one_zone_of_a_name(aws: Cloud) -> None:
    first, second = vpc(aws), vpc(aws, 1)
    zone_id = private(aws, first)
    with refused("has already been associated with the hosted zone", "ConflictingDomainExists"):
        private(aws, first, reference="2")
    other = private(aws, second, reference="3")
    with refused("has already been associated with the hosted zone", "ConflictingDomainExists"):
        aws.client("route53").associate_vpc_with_hosted_zone(
            HostedZoneId=other, VPC={"VPCId": first, "VPCRegion": "us-east-1"}
        )
    with refused("does not exist", "InvalidVPCId"):
        private(aws, "vpc-gone", name="other.internal", reference="4")
    assert aws.client("route53").get_hosted_zone(Id=zone_id)["VPCs"] == [{"VPCId": first, "VPCRegion": "us-east-1"}]


def test_an_alias_names_the_zone_of_its_target(aws: Cloud) -> None:
    zone_id = private(aws, vpc(aws))
    wrong = alias("cms.shop-prod.internal")
    wrong["AliasTarget"]["HostedZoneId"] = "Z35SXDOTRQ7X7K"  # that of application load balancers
    with refused("the alias target name does not lie within the target zone", "InvalidChangeBatch"):
        change(aws, zone_id, "CREATE", wrong)
    change(aws, zone_id, "CREATE", alias("cms.shop-prod.internal"))


ZONE = """
Resources:
  A: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.79.0.0/17}}
  B: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.80.0.0/17}}
  Zone:
    Type: AWS::Route53::HostedZone
    Properties: {Name: shop.internal, VPCs: [{VPCId: !Ref A, VPCRegion: us-east-1}]}
"""


def test_a_template_says_which_vpcs_see_a_zone(aws: Cloud, stacks: Stacks) -> None:
    route53 = aws.client("route53")

    def vpcs(ids: dict[str, str]) -> set[str]:
        return {vpc["VPCId"] for vpc in route53.get_hosted_zone(Id=ids["Zone"])["VPCs"]}

    ids = stacks.made("zone", ZONE)
    assert vpcs(ids) == {ids["A"]}
    both = ZONE.replace("}]}", "}, {VPCId: !Ref B, VPCRegion: us-east-1}]}")
    assert stacks.changed("zone", both) == ids
    assert vpcs(ids) == {ids["A"], ids["B"]}
    assert stacks.changed("zone", ZONE.replace("VPCId: !Ref A", "VPCId: !Ref B")) == ids
    assert vpcs(ids) == {ids["B"]}
    assert stacks.delete("zone")["StackStatus"] == "DELETE_COMPLETE"
    again = stacks.made("two", both)
    assert vpcs(again) == {again["A"], again["B"]}


def test_a_balancers_name_may_have_capitals() -> None:
    """CloudFormation cuts its logical id to a name, and Route 53 keeps the alias as it was written."""
    name = "shop-LoadBalan-aI0r.elb.us-east-1.amazonaws.com"
    names, _ = answers([zone("shop.internal", alias("cms.shop.internal", name))], {name: ["10.0.0.9"]})
    assert names == {"cms.shop.internal": ["10.0.0.9"]}

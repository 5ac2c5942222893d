"""Several names of a site, in the layers that they are made of: from nothing, more, less, turned round, gone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.patches.route53 import ZONE_ID
from plugins.action import cloudformation_stacks, unused_certificates
from tests.unit.noun_support import RolesOf
from tests.unit.plugin_support import run_action, talk_to
from tests.unit.plugins.modules.test_modules_account import ask
from tests.unit.render_support import PROJECT

MAIN, PLAIN, API, ANY = "www.berth.localhost", "berth.localhost", "api.berth.localhost", "*.berth.localhost"
MORE = [f"a{number}.berth.localhost" for number in range(6)]
LAYERS = ("network", "certificate", "cluster", "dns")
STACKS = [f"shop-unit-{layer}" for layer in LAYERS]
WEB = {"containers": {"web": {"image": "shop/web", "mem_limit": "64m", "ports": ["80"]}}}
SITE: dict[str, Any] = {
    "domain_name": MAIN,
    "hosted_zone_id": ZONE_ID,
    "site_tags": {"Site": "shop", "Environment": "unit"},
    "network_zones_offered": ["us-east-1a", "us-east-1b"],
    "cluster_ami_id": "ami-0123456789abcdef0",
    "cluster_user_data": "#cloud-config",
}


class Site:
    """The site on an embedded AWS."""

    def __init__(self, aws: Cloud) -> None:
        self.aws, self.route53, self.main = aws, aws.client("route53"), MAIN

    def run(self, *aliases: Any, check: bool = False, **more: Any) -> dict[str, Any]:
        """Bring the layers up as `site` does, each told what the account says of the names."""
        routes = [{"to": "web"}, *({"to": "web", "host": API} for each in aliases if each == API)]
        given = SITE | {"domain_aliases": list(aliases), "site_services": {"web": {**WEB, "routes": routes}}} | more
        names = [each if isinstance(each, str) else each["name"] for each in (given["domain_name"], *aliases)]
        asked = ask(self.aws, domains=dict.fromkeys(names, ZONE_ID), cluster_stack=STACKS[2], stacks=STACKS)
        given |= {"dns_records": asked["records"]} | (
            {"dns_stack": asked["stacks"]["shop-unit-dns"]} if "shop-unit-dns" in asked["stacks"] else {}
        )
        roles = RolesOf(given)
        layers = {name: layer for noun in LAYERS for name, layer in roles.layers(noun, PROJECT / "cloudformation")}
        result = run_action(cloudformation_stacks, {"prefix": "shop-unit", "stacks": layers}, check)
        assert not result.get("failed"), result["msg"]
        return result

    def redirects(self) -> dict[str, list[str]]:
        """Number of each rule of the HTTPS listener → the names that it leads to the first."""
        found = {}
        for rule in self.aws.client("elbv2").describe_rules(ListenerArn=self.listener)["Rules"][:-1]:
            (action,), (condition,) = rule["Actions"], rule["Conditions"]
            config = {key: action["RedirectConfig"][key] for key in ("Host", "Protocol", "Port", "StatusCode")}
            assert config == {"Host": self.main, "Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
            assert action["RedirectConfig"].get("Path", "/#{path}") == "/#{path}"
            assert action["RedirectConfig"].get("Query", "#{query}") == "#{query}"
            found[rule["Priority"]] = condition["HostHeaderConfig"]["Values"]
        return found

    @property
    def listener(self) -> str:
        stack = self.aws.client("cloudformation").describe_stacks(StackName="shop-unit-cluster")["Stacks"][0]
        return next(str(each["OutputValue"]) for each in stack["Outputs"] if each["OutputKey"] == "HttpsListenerArn")

    def names(self) -> list[str]:
        """Names that have their two records."""
        records = self.route53.list_resource_record_sets(HostedZoneId=ZONE_ID)["ResourceRecordSets"]
        there = [(each["Name"].replace("\\052", "*").rstrip("."), each["Type"]) for each in records]
        assert all((name, "AAAA") in there for name, kind in there if kind == "A")
        return sorted(name for name, kind in there if kind == "A")

    def certificates(self) -> list[set[str]]:
        """The names of each certificate."""
        acm = self.aws.client("acm")
        arns = [each["CertificateArn"] for each in acm.list_certificates()["CertificateSummaryList"]]
        found = [acm.describe_certificate(CertificateArn=arn)["Certificate"] for arn in arns]
        return [set(each["SubjectAlternativeNames"]) for each in found]

    def clear(self) -> list[str]:
        """Let go of certificates as the play does; those that went."""
        clients = self.aws.client("cloudformation"), self.aws.client("acm")
        done = unused_certificates.clear(*clients, "shop-unit-certificate", 0, False)
        assert done["in_use"] == {}
        return list(done["deleted"])


@pytest.fixture
def site(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Site:
    talk_to(aws, monkeypatch)
    return Site(aws)


def changed(result: dict[str, Any]) -> set[str]:
    return {name for name, each in result["stacks"].items() if each["changed"]}


def test_names_come_and_go_on_a_live_site(site: Site) -> None:
    # From nothing
    site.run(PLAIN, API, ANY)
    assert site.certificates() == [{MAIN, PLAIN, API, ANY}]
    assert site.redirects() == {"1": [PLAIN]}, "a route takes one, and a wildcard leads nowhere"
    assert site.names() == sorted([MAIN, PLAIN, API, ANY])
    assert not site.run(PLAIN, API, ANY)["changed"]

    # More, first only shown
    shown = site.run(*MORE, PLAIN, API, ANY, check=True)
    rows = "".join(each["prepared"] for each in shown["diff"])
    replaced = r"~ certificate\.Certificate \(\S+\): .*SubjectAlternativeNames — REPLACED"
    assert re.search(replaced, rows)
    assert "+ cluster.AliasRedirect2 (AWS::ElasticLoadBalancingV2::ListenerRule)" in rows
    assert rows.count("(AWS::Route53::RecordSet)") == 2 * len(MORE), "what is there is not touched"
    assert len(site.names()) == 4
    before = site.aws.client("elbv2").describe_listeners(ListenerArns=[site.listener])["Listeners"]
    assert changed(site.run(*MORE, PLAIN, API, ANY)) == {"certificate", "cluster", "dns"}
    after = site.aws.client("elbv2").describe_listeners(ListenerArns=[site.listener])["Listeners"]
    assert before[0]["Certificates"] != after[0]["Certificates"]
    assert len(site.certificates()) == 2
    assert len(site.clear()) == 1
    assert site.certificates() == [{MAIN, PLAIN, API, ANY, *MORE}]
    assert site.redirects() == {"1": MORE[:5], "2": [MORE[5], PLAIN]}
    assert site.names() == sorted([MAIN, PLAIN, API, ANY, *MORE])
    assert not site.run(ANY, PLAIN, API, *reversed(MORE))["changed"], "their order says nothing"

    # Less
    site.run(PLAIN, API)
    assert len(site.clear()) == 1
    assert site.certificates() == [{MAIN, PLAIN, API}]
    assert site.redirects() == {"1": [PLAIN]}
    assert site.names() == sorted([MAIN, PLAIN, API])
    assert not site.run(PLAIN, API)["changed"]

    # One alone, and gone
    site.run()
    assert (site.redirects(), site.names()) == ({}, [MAIN])
    gone = run_action(
        cloudformation_stacks, {"prefix": "shop-unit", "stacks": dict.fromkeys(LAYERS[::-1]), "state": "absent"}
    )
    assert not gone.get("failed"), gone["msg"]
    assert site.names() == []
    site.clear()


def test_the_first_name_and_another_change_places_without_a_change_of_records(site: Site) -> None:
    site.run(PLAIN)
    site.main = PLAIN
    turned = site.run(MAIN, domain_name=PLAIN)
    assert changed(turned) == {"certificate", "cluster"}
    assert site.redirects() == {"1": [MAIN]}
    assert site.names() == sorted([MAIN, PLAIN])


def test_a_stack_without_a_name_is_left_when_the_last_of_its_own_goes(site: Site) -> None:
    """The first name points at the load balancer already, so the stack makes the other's records alone."""
    site.run()
    balancer = site.aws.client("elbv2").describe_load_balancers()["LoadBalancers"][0]
    target = {"DNSName": balancer["DNSName"], "HostedZoneId": balancer["CanonicalHostedZoneId"]}
    target |= {"EvaluateTargetHealth": False}
    run_action(cloudformation_stacks, {"prefix": "shop-unit", "stacks": {"dns": None}, "state": "absent"})
    record = {"Name": MAIN, "Type": "A", "AliasTarget": target}
    both = [{"Action": "CREATE", "ResourceRecordSet": {**record, "Type": kind}} for kind in ("A", "AAAA")]
    site.route53.change_resource_record_sets(HostedZoneId=ZONE_ID, ChangeBatch={"Changes": both})
    site.run(PLAIN)
    assert site.names() == sorted([MAIN, PLAIN])
    assert changed(site.run()) >= {"dns"}
    assert site.names() == [MAIN]
    assert not site.run()["changed"]

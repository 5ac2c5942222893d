"""A firewall of a live site, by its verbs: at the load balancer, at a CDN that comes and goes, nowhere, down."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from tests.unit.playbooks.test_edge_on_and_off import EDGE, described, distributions, led_to, site
from tests.unit.playbooks.test_given_vpc import Site, changed
from tests.unit.plugins.modules.test_modules_account import ecs_lists_providers

pytestmark = [pytest.mark.playbook, pytest.mark.long, pytest.mark.usefixtures("ecs_lists_providers")]
__all__ = ["ecs_lists_providers", "site"]

REGION = "eu-west-1"
WAF: dict[str, Any] = {"mode": "block", "rate": 2000, "log_days": 14}


@pytest.fixture
def elsewhere(site: Site, aws: Cloud) -> Site:
    """The site in another region than that of a CDN's firewall."""
    own = site.inventory / "environment.yml"
    own.write_text(own.read_text().replace("us-east-1", REGION))
    site.aws = aws
    return site


def at_balancer(aws: Cloud) -> dict[str, str]:
    """Rule → what it does, of the firewall that the load balancer asks; none if it asks none."""
    (balancer,) = aws.client("elbv2", REGION).describe_load_balancers()["LoadBalancers"]
    asked = aws.client("wafv2", REGION).get_web_acl_for_resource(ResourceArn=balancer["LoadBalancerArn"])
    return {
        rule["Name"]: next(iter(rule.get("Action") or rule["OverrideAction"]))
        for rule in asked.get("WebACL", {}).get("Rules", [])
    }


def at_cdn(aws: Cloud) -> str:
    """The ARN of the firewall that the CDN asks; empty if it asks none."""
    (one,) = distributions(aws)
    config = aws.client("cloudfront").get_distribution_config(Id=one["Id"])["DistributionConfig"]
    return str(config.get("WebACLId") or "")


def there(aws: Cloud, scope: str) -> list[str]:
    region = REGION if scope == "REGIONAL" else "us-east-1"
    return [each["Name"] for each in aws.client("wafv2", region).list_web_acls(Scope=scope)["WebACLs"]]


def test_a_firewall_goes_along_with_a_cdn_and_the_site_is_never_without_it(elsewhere: Site, aws: Cloud) -> None:
    site = elsewhere
    described(site, {})
    site.does("edged.yml")
    assert at_balancer(aws) == {}
    described(site, {}, site_waf=WAF)
    site.does("edged.yml")
    assert at_balancer(aws)["rate"] == "Block"
    assert changed(site.does("edged.yml")) == "0"

    # A CDN comes, interrupted before names are led there: visitors may come both ways, with the CDN's addresses too.
    described(site, EDGE, site_waf=WAF)
    site.does("half.yml")
    assert at_balancer(aws)["rate"] == "Count"
    assert at_balancer(aws)["AWSManagedRulesCommonRuleSet"] == "None", "attacks are blocked there still"
    arn = at_cdn(aws)
    assert ":us-east-1:" in arn
    assert ":global/webacl/shop-live-edge-waf/" in arn
    (cdn,) = distributions(aws)
    assert led_to(aws) != {cdn["DomainName"]}
    site.does("edged.yml")
    assert led_to(aws) == {cdn["DomainName"]}
    assert at_balancer(aws) == {}
    assert (there(aws, "REGIONAL"), there(aws, "CLOUDFRONT")) == ([], ["shop-live-edge-waf"])
    assert at_cdn(aws) == arn
    assert changed(site.does("edged.yml")) == "0"

    # Off, and on again, at a CDN that stays.
    described(site, EDGE)
    site.does("edged.yml")
    assert at_cdn(aws) == ""
    assert there(aws, "CLOUDFRONT") == []
    assert changed(site.does("edged.yml")) == "0"
    described(site, EDGE, site_waf=WAF)
    site.does("edged.yml")
    assert at_cdn(aws) != ""

    # The CDN goes, interrupted while names lead there still; then the load balancer's addresses are visitors' again.
    described(site, {}, site_waf=WAF)
    site.does("half.yml")
    assert at_cdn(aws) != ""
    assert at_balancer(aws)["rate"] == "Count"
    site.does("edged.yml")
    assert distributions(aws) == []
    assert at_balancer(aws)["rate"] == "Block"
    assert (there(aws, "REGIONAL"), there(aws, "CLOUDFRONT")) == (["shop-live-waf"], [])
    assert changed(site.does("edged.yml")) == "0"

    # And a teardown takes it along; so does taking it out.
    described(site, {})
    site.does("edged.yml")
    assert at_balancer(aws) == {}
    assert there(aws, "REGIONAL") == []
    described(site, EDGE, site_waf=WAF)
    site.does("edged.yml")
    site.does("teardown.yml", "-e", "confirm=live", "-e", "teardown_data=true")
    assert (there(aws, "REGIONAL"), there(aws, "CLOUDFRONT"), distributions(aws)) == ([], [], [])

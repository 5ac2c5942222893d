"""The firewall as its template is rendered, and as CloudFormation makes it at a load balancer and for a CDN."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode_str

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks
from local_aws.waf.groups import CAPACITIES
from plugins.plugin_utils.layers import Template
from plugins.plugin_utils.plan.billed import billed
from plugins.plugin_utils.site.waf_groups import GROUPS
from tests.unit.noun_support import Deployed, body, made
from tests.unit.plugin_support import talk_to

COMMON, SQL = "AWSManagedRulesCommonRuleSet", "AWSManagedRulesSQLiRuleSet"
ALL = {
    "mode": "block", "groups": [COMMON, SQL], "rate": 2000, "allow": ["192.0.2.0/24", "2001:db8:1::/48"],
    "block": ["198.51.100.7/32", "2001:db8::/48"], "log_days": 30,
}  # fmt: skip
LITTLE = {"groups": [SQL]}
EDGE = {"site_edge": {"default": "some"}, "site_services": {"some": {"containers": {"some": {
    "image": "registry.test/some:1", "mem_limit": "64m", "ports": ["80"]}}, "routes": [{"to": "some"}]}}}  # fmt: skip
BALANCER = """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.79.0.0/17}}
  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.79.0.0/24, AvailabilityZone: us-east-1a}}
  B: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.79.1.0/24, AvailabilityZone: us-east-1b}}
  Alb: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Type: application, Subnets: [!Ref A, !Ref B]}}
Outputs: {AlbArn: {Value: !Ref Alb}}
"""


def layer(waf: dict[str, Any], name: str = "waf", **more: Any) -> dict[str, Any]:
    return made({"site_waf": waf, **more}, (name,))[name]


def template(waf: dict[str, Any]) -> dict[str, Any]:
    found, problems = decode_str(body(layer(waf)))
    assert found is not None, problems
    return dict(found)


def rules(waf: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Name → rule, in the order in which they are asked."""
    found = template(waf)["Resources"]["WebAcl"]["Properties"]["Rules"]
    places = [int(each["Priority"]) for each in found]
    assert places == sorted(set(places))
    return {each["Name"]: each for each in found}


def test_who_is_let_in_is_asked_first_then_who_is_not_the_rate_and_the_groups() -> None:
    found = rules(ALL)
    assert list(found) == ["allow4", "allow6", "block4", "block6", "rate", COMMON, SQL]
    assert found["allow4"]["Action"] == {"Allow": {}}
    assert found["rate"]["Statement"]["RateBasedStatement"] == {
        "AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": "2000",
    }  # fmt: skip


def test_it_counts_unless_it_is_told_to_block() -> None:
    found = rules({**ALL, "mode": "count", "allow": []})
    assert {str(each.get("Action") or each["OverrideAction"]) for each in found.values()} == {"{'Count': {}}"}
    found = rules(ALL)
    assert [found[name]["OverrideAction"] for name in (COMMON, SQL)] == [{"None": {}}] * 2
    for name in ("block4", "rate"):
        # What comes through a CDN has that one's addresses.
        assert found[name]["Action"] == {"Fn::If": ["AddressesAreVisitors", {"Block": {}}, {"Count": {}}]}
    assert rules({**ALL, "modes": {"rate": "count"}})["rate"]["Action"] == {"Count": {}}


def test_uploads_pass_a_firewall_that_blocks() -> None:
    group = rules(ALL)[COMMON]["Statement"]["ManagedRuleGroupStatement"]
    assert group["RuleActionOverrides"] == [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]
    group = rules({**ALL, "uploads": False})[COMMON]["Statement"]["ManagedRuleGroupStatement"]
    assert "RuleActionOverrides" not in group


def test_neither_credentials_nor_cookies_are_in_the_log_which_there_is_where_it_is_asked_for() -> None:
    resources = template(ALL)["Resources"]
    redacted = resources["Log"]["Properties"]["RedactedFields"]
    assert [each["SingleHeader"]["Name"] for each in redacted] == ["authorization", "cookie"]
    assert resources["LogGroup"]["Properties"]["RetentionInDays"] == "30"
    assert resources["LogGroup"]["Properties"]["LogGroupName"]["Fn::Sub"].startswith("aws-waf-logs-")
    assert not {"Log", "LogGroup"} & template(LITTLE)["Resources"].keys()


def test_a_rule_is_found_again_by_its_metric() -> None:
    names = [each["VisibilityConfig"]["MetricName"]["Fn::Sub"] for each in rules(ALL).values()]
    assert names == [f"${{AWS::StackName}}-{name}" for name in rules(ALL)]


@pytest.mark.parametrize(("waf", "name"), [(ALL, "waf"), (LITTLE, "waf"), (ALL, "edge_waf")])
def test_it_is_clean_for_cfn_lint_as_it_is_deployed(waf: dict[str, Any], name: str, tmp_path: Path) -> None:
    path = tmp_path / "waf.yml"
    path.write_text(body(layer(waf, name, **(EDGE if name == "edge_waf" else {}))))
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--regions", "us-east-1", "--", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_stands_before_the_load_balancer_and_goes_without_it(
    aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk_to(aws, monkeypatch)
    stacks.made("shop-unit-cluster", BALANCER)
    site = Deployed(aws, stacks)
    site.outputs |= stacks.outputs("shop-unit-cluster")
    site.create("waf", layer(ALL))
    api = aws.client("wafv2")
    found = api.get_web_acl_for_resource(ResourceArn=site.outputs["AlbArn"])["WebACL"]
    assert (found["Name"], found["Capacity"]) == ("shop-unit-waf", 906)
    (rate,) = [each for each in found["Rules"] if each["Name"] == "rate"]
    assert rate["Action"] == {"Block": {}}
    # While a CDN may come before it, what goes by address counts only.
    result = site.run("waf", layer(ALL, waf_behind_edge=True))
    assert result["changed"], result
    found = api.get_web_acl_for_resource(ResourceArn=site.outputs["AlbArn"])["WebACL"]
    actions = {each["Name"]: each["Action"] for each in found["Rules"] if "Action" in each}
    assert actions["rate"] == actions["block4"] == actions["block6"] == {"Count": {}}
    assert actions["allow4"] == {"Allow": {}}
    assert site.run("waf", layer(ALL, waf_behind_edge=True))["changed"] is False
    site.delete(layer(ALL))
    assert api.list_web_acls(Scope="REGIONAL")["WebACLs"] == []


def test_that_of_a_cdn_lies_in_us_east_1_and_stands_before_no_load_balancer() -> None:
    of_edge = layer(ALL, "edge_waf", **EDGE)
    assert of_edge["region"] == "us-east-1"
    assert of_edge["parameters"] == {"Scope": "CLOUDFRONT", "AlbArn": ""}
    assert made({"site_waf": ALL}, ("edge_waf",)) == {}
    assert made({"site_waf": {}, **EDGE}, ("edge_waf", "waf")) == {}


def test_the_cdn_asks_it_and_asks_none_where_there_is_none() -> None:
    found, _ = decode_str(body(layer(ALL, "edge", **EDGE)))
    config = found["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    assert config["WebACLId"] == {"Fn::If": ["HasFirewall", {"Ref": "WebAclArn"}, {"Ref": "AWS::NoValue"}]}
    assert "WebAclArn" not in layer(ALL, "edge", **EDGE)["parameters"], "it is that of the layer edge_waf"
    assert layer({}, "edge", **EDGE)["parameters"]["WebAclArn"] == ""


def test_it_is_billed_for_itself_and_each_rule() -> None:
    assert billed(Template.read(body(layer(ALL))), {"AlbArn": "arn"}) == {"web_acl": 1, "waf_rule": 7}


def test_the_embedded_aws_counts_the_same_capacities() -> None:
    assert {name: group.capacity for name, group in GROUPS.items()} == dict(CAPACITIES)

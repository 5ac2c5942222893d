"""What a stack is billed for, by its template and parameters."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.plugin_utils.layers import Template
from plugins.plugin_utils.plan.billed import BILLED, UNBILLED, billed, together

PROJECT = Path(__file__).resolve().parents[5]
PRICES = set(yaml.safe_load((PROJECT / "docs/prices.yml").read_text())["prices"])
TYPE = re.compile(r"^    Type: (AWS::\w+::\w+)$", re.MULTILINE)
HOSTS = """
Parameters:
  Kind: {Type: String, Default: t3.micro}
  Least: {Type: Number}
Resources:
  Hosts:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties: {MinSize: !Ref Least, MaxSize: 9, %s}
  Source:
%s
"""
TEMPLATE = """
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData:
        InstanceType: !Ref Kind
        BlockDeviceMappings: [{DeviceName: /dev/xvda, Ebs: {VolumeSize: 30}}]
"""
CONFIGURATION = """
    Type: AWS::AutoScaling::LaunchConfiguration
    Properties:
      InstanceType: !Ref Kind
      BlockDeviceMappings: [{DeviceName: /dev/xvda, Ebs: {VolumeSize: 30}}]
"""
CONDITIONS = """
Parameters:
  Nat: {Type: String, Default: none}
  Other: {Type: String}
Conditions:
  IsNat: !Equals [!Ref Nat, gateway]
  IsNot: !Not [!Condition IsNat]
  Both: !And [!Condition IsNat, !Condition IsNot]
  Either: !Or [!Condition IsNat, !Condition IsNot]
  Unknown: !Equals [!Ref Other, x]
  NotUnknown: !Not [!Condition Unknown]
  NatAndUnknown: !And [!Condition IsNat, !Condition Unknown]
Resources:
  Secret: {Type: AWS::SecretsManager::Secret, Condition: %s}
"""


def of(body: str, **values: str) -> dict[str, float]:
    return billed(Template.read(body), values)


def test_each_type_of_the_templates_is_known_to_be_billed_or_not() -> None:
    files = sorted((PROJECT / "cloudformation").glob("*.yml"))
    found = {kind for file in files for kind in TYPE.findall(file.read_text())}
    found = {kind for kind in found if not kind.endswith(("::Id", "::Name"))}
    assert len(found) > 40
    assert not found - BILLED - UNBILLED, "say in plugins/plugin_utils/plan/billed.py whether these cost something"
    assert not BILLED & UNBILLED
    assert not (BILLED | UNBILLED) - found - {"AWS::EC2::EIP"}, "nobody makes these"


@pytest.mark.parametrize(
    ("source", "reference"),
    [
        (TEMPLATE, "LaunchTemplate: {LaunchTemplateId: !Ref Source, Version: 1}"),
        (CONFIGURATION, "LaunchConfigurationName: !Ref Source"),
    ],
    ids=["template", "configuration"],
)
def test_hosts_are_counted_at_their_least_number(source: str, reference: str) -> None:
    body = HOSTS % (reference, source)
    assert together(of(body, Least="2")) == {"t3.micro": 2, "ebs": 60, "ipv4": 2}
    assert together(of(body, Least="1", Kind="m5.large")) == {"m5.large": 1, "ebs": 30, "ipv4": 1}
    assert together(of(body, Least="0")) == {}
    behind = of("Resources: {Nat: {Type: AWS::EC2::NatGateway}, Address: {Type: AWS::EC2::EIP}}")
    assert together(of(body, Least="2"), behind) == {"t3.micro": 2, "ebs": 60, "nat": 1, "ipv4": 1}


@pytest.mark.parametrize(
    ("resource", "found"),
    [
        ("AWS::RDS::DBInstance, Properties: {DBInstanceClass: db.t3.micro, AllocatedStorage: 20}",
         {"db.t3.micro": 1, "rds_storage": 20}),
        ("AWS::RDS::DBInstance, Properties: {DBInstanceClass: db.t3.micro, AllocatedStorage: '20', MultiAZ: true}",
         {"db.t3.micro": 2, "rds_storage": 40}),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Type: application, Scheme: internet-facing}",
         {"alb": 1, "ipv4": 2}),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Type: network, Scheme: internal}",
         {"network load balancer": 1}),
        ("AWS::EC2::VPCEndpoint, Properties: {VpcEndpointType: Gateway}", {}),
        ("AWS::EC2::VPCEndpoint, Properties: {VpcEndpointType: Interface}", {"interface endpoint": 1}),
        ("AWS::Route53::HostedZone", {"zone": 1}),
        ("AWS::S3::Bucket", {}),
        ("AWS::OpenSearchService::Domain", {"AWS::OpenSearchService::Domain": 1}),
    ],
)  # fmt: skip
def test_a_resource_is_billed_by_what_it_is(resource: str, found: dict[str, float]) -> None:
    assert of(f"Resources: {{It: {{Type: {resource}}}}}") == found


@pytest.mark.parametrize(
    ("condition", "nat", "there"),
    [
        ("IsNat", "gateway", True), ("IsNat", "none", False), ("IsNot", "none", True), ("IsNot", "gateway", False),
        ("Both", "gateway", False), ("Either", "none", True), ("Unknown", "none", True), ("NotUnknown", "none", True),
        ("NatAndUnknown", "none", False), ("NatAndUnknown", "gateway", True),
    ],
)  # fmt: skip
def test_what_a_condition_leaves_out_costs_nothing_and_what_is_not_known_counts(
    condition: str, nat: str, there: bool
) -> None:
    assert of(CONDITIONS % condition, Nat=nat) == ({"secret": 1} if there else {})


def test_a_value_may_hang_on_a_condition() -> None:
    body = """
Conditions: {Never: !Equals [a, b]}
Resources:
  It: {Type: AWS::RDS::DBInstance, Properties: {DBInstanceClass: !If [Never, db.r5.large, db.t3.micro]}}
"""
    assert of(body) == {"db.t3.micro": 1}


def test_the_names_are_those_of_the_prices() -> None:
    assert {"ebs", "ipv4", "alb", "nat", "zone", "secret", "rds_storage"} <= PRICES
    assert not {"network load balancer", "interface endpoint"} & PRICES, "these are named as having none"


def test_two_stacks_are_added_up() -> None:
    one: dict[str, Any] = {"secret": 1, "alb": 1}
    assert together(one, {"secret": 2}, {}) == {"secret": 3, "alb": 1}
    assert one == {"secret": 1, "alb": 1}


def test_an_alarm_is_billed_for_each_metric_that_it_looks_at() -> None:
    body = """
Resources:
  One: {Type: AWS::CloudWatch::Alarm, Properties: {MetricName: CPUUtilization, Namespace: AWS/RDS}}
  Share:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Metrics:
        - {Id: share, Expression: 100 * errors / requests}
        - {Id: errors, ReturnData: false, MetricStat: {Stat: Sum}}
        - {Id: requests, ReturnData: false, MetricStat: {Stat: Sum}}
"""
    assert of(body) == {"alarm": 3}
    assert "alarm" in PRICES


def test_a_metric_that_the_site_sends_itself_is_billed_too() -> None:
    body = """
Resources:
  One: {Type: AWS::CloudWatch::Alarm, Properties: {MetricName: DiskUsed, Namespace: Berth/Hosts}}
"""
    assert of(body) == {"alarm": 1, "metric": 1}
    assert "metric" in PRICES

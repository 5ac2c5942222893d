"""A firewall of a stack: all that a template says of it reaches WAF, which refuses what AWS refuses."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.patches import cloudfront
from local_aws.tests.stack_support import Stacks
from local_aws.waf.groups import CAPACITIES

COMMON = "AWSManagedRulesCommonRuleSet"
SEEN = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "shop"}
FIREWALL = """
Parameters:
  Limit: {Type: Number, Default: 100}
  Tag: {Type: String, Default: one}
  Scope: {Type: String, Default: REGIONAL}
Conditions: {Regional: !Equals [!Ref Scope, REGIONAL]}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.79.0.0/17}}
  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.79.0.0/24, AvailabilityZone: us-east-1a}}
  B: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.79.1.0/24, AvailabilityZone: us-east-1b}}
  Alb: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Type: application, Subnets: [!Ref A, !Ref B]}}
  Blocked:
    Type: AWS::WAFv2::IPSet
    Properties:
      Name: blocked
      Scope: !Ref Scope
      IPAddressVersion: IPV4
      Addresses: [198.51.100.7/32]
      Tags: [{Key: Tag, Value: !Ref Tag}]
  Acl:
    Type: AWS::WAFv2::WebACL
    Properties:
      Name: shop
      Scope: !Ref Scope
      DefaultAction: {Allow: {}}
      VisibilityConfig: {SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: shop}
      Tags: [{Key: Tag, Value: !Ref Tag}]
      Rules:
        - Name: block4
          Priority: 0
          Action: {Block: {}}
          Statement: {IPSetReferenceStatement: {Arn: !GetAtt Blocked.Arn}}
          VisibilityConfig: {SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: shop-block4}
        - Name: rate
          Priority: 1
          Action: {Count: {}}
          Statement: {RateBasedStatement: {AggregateKeyType: IP, EvaluationWindowSec: 300, Limit: !Ref Limit}}
          VisibilityConfig: {SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: shop-rate}
        - Name: common
          Priority: 2
          OverrideAction: {None: {}}
          Statement:
            ManagedRuleGroupStatement:
              VendorName: AWS
              Name: AWSManagedRulesCommonRuleSet
              RuleActionOverrides: [{Name: SizeRestrictions_BODY, ActionToUse: {Count: {}}}]
          VisibilityConfig: {SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: shop-common}
  Association:
    Type: AWS::WAFv2::WebACLAssociation
    Condition: Regional
    Properties: {ResourceArn: !Ref Alb, WebACLArn: !GetAtt Acl.Arn}
  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: aws-waf-logs-shop}}
  Log:
    Type: AWS::WAFv2::LoggingConfiguration
    DependsOn: Group
    Properties:
      ResourceArn: !GetAtt Acl.Arn
      LogDestinationConfigs: [!Sub "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:aws-waf-logs-shop"]
      RedactedFields: [{SingleHeader: {Name: cookie}}]
Outputs:
  Arn: {Value: !GetAtt Acl.Arn}
  Capacity: {Value: !GetAtt Acl.Capacity}
  Set: {Value: !GetAtt Blocked.Arn}
  Alb: {Value: !Ref Alb}
"""


def refused(code: str, words: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"(?s){code}.*{words}")


def rules(aws: Cloud, made: dict[str, str], scope: str = "REGIONAL") -> dict[str, dict[str, Any]]:
    name, identifier, _ = made["Acl"].split("|")
    found = aws.client("wafv2").get_web_acl(Name=name, Id=identifier, Scope=scope)["WebACL"]
    return {each["Name"]: each for each in found["Rules"]}


def test_a_firewall_of_a_load_balancer_is_made_changed_and_deleted_with_its_stack(aws: Cloud, stacks: Stacks) -> None:
    api = aws.client("wafv2")
    made = stacks.made("shop", FIREWALL)
    outputs = stacks.outputs("shop")
    assert outputs["Capacity"] == "703"
    assert api.list_resources_for_web_acl(WebACLArn=outputs["Arn"])["ResourceArns"] == [outputs["Alb"]]
    assert api.get_web_acl_for_resource(ResourceArn=outputs["Alb"])["WebACL"]["ARN"] == outputs["Arn"]
    group = rules(aws, made)["common"]["Statement"]["ManagedRuleGroupStatement"]
    assert group["RuleActionOverrides"] == [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]
    log = api.get_logging_configuration(ResourceArn=outputs["Arn"])["LoggingConfiguration"]
    assert log["RedactedFields"] == [{"SingleHeader": {"Name": "cookie"}}]
    again = stacks.changed("shop", FIREWALL, {"Limit": 200, "Tag": "two"})
    assert again["Acl"] == made["Acl"]
    assert rules(aws, again)["rate"]["Statement"]["RateBasedStatement"]["Limit"] == 200
    for arn in (outputs["Arn"], outputs["Set"]):
        tags = api.list_tags_for_resource(ResourceARN=arn)["TagInfoForResource"]["TagList"]
        assert {"Key": "Tag", "Value": "two"} in tags
    # A log and an association that go leave the web ACL as it is; one without a rule has none.
    plain = FIREWALL.replace("Condition: Regional", "Condition: Never").replace(
        "Conditions: {", "Conditions: {Never: !Equals [a, b], "
    )
    head, _, tail = plain.partition("      Rules:\n")
    stacks.changed("shop", f"{head}{tail[tail.index('  Association:') :]}", {"Limit": 200})
    assert rules(aws, again) == {}
    assert "WebACL" not in api.get_web_acl_for_resource(ResourceArn=outputs["Alb"])
    assert stacks.delete("shop")["StackStatus"] == "DELETE_COMPLETE"
    assert (api.list_web_acls(Scope="REGIONAL")["WebACLs"], api.list_ip_sets(Scope="REGIONAL")["IPSets"]) == ([], [])


def test_one_of_cloudfront_is_told_apart_and_asked_by_a_distribution_until_that_lets_go(
    aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = aws.client("wafv2")
    made = stacks.made("shop", FIREWALL, {"Scope": "CLOUDFRONT"})
    arn = stacks.outputs("shop")["Arn"]
    assert ":us-east-1:" in arn
    assert ":global/webacl/shop/" in arn
    assert rules(aws, made, "CLOUDFRONT").keys() == {"block4", "rate", "common"}
    assert api.list_web_acls(Scope="REGIONAL")["WebACLs"] == []
    with refused("WAFInvalidParameterException", "CLOUDFRONT"):
        aws.client("wafv2", "eu-west-1").list_web_acls(Scope="CLOUDFRONT")
    monkeypatch.setattr(cloudfront, "recorded", True)
    origin = {
        "Id": "one",
        "DomainName": "one.test",
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
    }
    behaviour = {
        "TargetOriginId": "one",
        "ViewerProtocolPolicy": "https-only",
        "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
    }
    config = {
        "CallerReference": "one", "Comment": "", "Enabled": True, "DefaultCacheBehavior": behaviour,
        "Origins": {"Quantity": 1, "Items": [origin]}, "WebACLId": arn,
    }  # fmt: skip
    cdn = aws.client("cloudfront")
    with refused("InvalidWebACLId"):
        cdn.create_distribution(DistributionConfig=config | {"WebACLId": arn.replace(":global/", ":regional/")})
    there = cdn.create_distribution(DistributionConfig=config)
    name, identifier, scope = made["Acl"].split("|")
    token = api.get_web_acl(Name=name, Id=identifier, Scope=scope)["LockToken"]
    with refused("WAFAssociatedItemException"):
        api.delete_web_acl(Name=name, Id=identifier, Scope=scope, LockToken=token)
    free = config | {"WebACLId": "", "Enabled": False}
    given = {"Id": there["Distribution"]["Id"], "DistributionConfig": free}
    let_go = cdn.update_distribution(**given, IfMatch=there["ETag"])
    assert stacks.delete("shop")["StackStatus"] == "DELETE_COMPLETE"
    cdn.delete_distribution(Id=there["Distribution"]["Id"], IfMatch=let_go["ETag"])


def test_what_a_load_balancer_asks_stays_and_it_asks_one_only(aws: Cloud, stacks: Stacks) -> None:
    api = aws.client("wafv2")
    made = stacks.made("shop", FIREWALL)
    outputs = stacks.outputs("shop")
    name, identifier, scope = made["Acl"].split("|")
    found = api.get_web_acl(Name=name, Id=identifier, Scope=scope)
    with refused("WAFAssociatedItemException"):
        api.delete_web_acl(Name=name, Id=identifier, Scope=scope, LockToken=found["LockToken"])
    blocked, of_set, _ = made["Blocked"].split("|")
    token = api.get_ip_set(Name=blocked, Id=of_set, Scope=scope)["LockToken"]
    with refused("WAFAssociatedItemException"):
        api.delete_ip_set(Name=blocked, Id=of_set, Scope=scope, LockToken=token)
    with refused("WAFOptimisticLockException"):
        api.update_web_acl(
            Name=name, Id=identifier, Scope=scope, LockToken="of-another", DefaultAction={"Allow": {}}, Rules=[],
            VisibilityConfig=SEEN,
        )  # fmt: skip
    other = api.create_web_acl(Name="other", Scope=scope, DefaultAction={"Allow": {}}, VisibilityConfig=SEEN)["Summary"]
    api.associate_web_acl(WebACLArn=other["ARN"], ResourceArn=outputs["Alb"])
    assert api.list_resources_for_web_acl(WebACLArn=outputs["Arn"])["ResourceArns"] == []
    with refused("WAFNonexistentItemException"):
        api.associate_web_acl(WebACLArn=other["ARN"], ResourceArn=outputs["Alb"] + "0")
    with refused("WAFInvalidParameterException", "RESOURCE_ARN"):
        api.associate_web_acl(WebACLArn=other["ARN"], ResourceArn="arn:aws:cloudfront::123456789012:distribution/E1")
    api.disassociate_web_acl(ResourceArn=outputs["Alb"])
    api.delete_web_acl(Name="other", Id=other["Id"], Scope=scope, LockToken=other["LockToken"])
    assert stacks.delete("shop")["StackStatus"] == "DELETE_COMPLETE"


def group(name: str, priority: int = 0, **more: Any) -> dict[str, Any]:
    statement = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": name}}
    rule = {"Name": name, "Priority": priority, "OverrideAction": {"Count": {}}, "Statement": statement}
    return rule | {"VisibilityConfig": SEEN} | more


def rate(**given: Any) -> dict[str, Any]:
    statement = {"RateBasedStatement": {"Limit": 10, "AggregateKeyType": "IP"} | given}
    return {"Name": "rate", "Priority": 9, "Action": {"Count": {}}, "Statement": statement, "VisibilityConfig": SEEN}


def test_capacity_is_counted_and_bounded(aws: Cloud) -> None:
    api = aws.client("wafv2")
    every = [group(name, place) for place, name in enumerate(CAPACITIES)]
    assert api.check_capacity(Scope="REGIONAL", Rules=[group(COMMON), rate()])["Capacity"] == 702
    assert api.check_capacity(Scope="CLOUDFRONT", Rules=every)["Capacity"] == sum(CAPACITIES.values())
    listed = api.list_available_managed_rule_groups(Scope="REGIONAL")["ManagedRuleGroups"]
    assert {each["Name"] for each in listed} == CAPACITIES.keys()
    many = [group(COMMON, place, Name=f"common{place}") for place in range(8)]
    with refused("WAFLimitsExceededException"):
        api.create_web_acl(
            Name="many", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=SEEN, Rules=many
        )


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ([group("AWSManagedRulesComonRuleSet")], "WAFNonexistentItemException"),
        ([rate(Limit=9)], "ParamValidation|WAFInvalidParameterException|Limit"),
        ([rate(AggregateKeyType="FORWARDED_IP")], "WAFInvalidOperationException"),
        ([group(COMMON), group("AWSManagedRulesSQLiRuleSet")], "Priority"),
        ([group(COMMON, OverrideAction={}, Action={"Block": {}})], "WAFInvalidParameterException"),
        ([rate() | {"Statement": {"GeoMatchStatement": {"CountryCodes": ["US"]}}}], "GeoMatchStatement is not in"),
    ],
)
def test_rules_that_are_none_are_refused(aws: Cloud, rule: list[dict[str, Any]], code: str) -> None:
    with pytest.raises(Exception, match=code):
        aws.client("wafv2").check_capacity(Scope="REGIONAL", Rules=rule)


@pytest.mark.parametrize("network", ["0.0.0.0/0", "198.51.100.7", "2001:db8::/32", "198.51.100.7/24"])
def test_addresses_that_are_none_are_refused(aws: Cloud, network: str) -> None:
    with refused("WAFInvalidParameterException", "IP_ADDRESS"):
        aws.client("wafv2").create_ip_set(Name="some", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=[network])


def test_the_log_goes_to_a_group_of_such_a_name_that_is_there(aws: Cloud) -> None:
    api, logs = aws.client("wafv2"), aws.client("logs")
    made = api.create_web_acl(Name="logged", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=SEEN)
    arn, group_arn = made["Summary"]["ARN"], "arn:aws:logs:us-east-1:123456789012:log-group:"

    def put(group: str) -> None:
        api.put_logging_configuration(
            LoggingConfiguration={"ResourceArn": arn, "LogDestinationConfigs": [group_arn + group]}
        )

    with refused("WAFLogDestinationPermissionIssueException"):
        put("aws-waf-logs-one")
    logs.create_log_group(logGroupName="aws-waf-logs-one")
    for wrong in ("one", "aws-waf-logs-one:*"):
        with refused("WAFInvalidParameterException", "LOG_DESTINATION"):
            put(wrong)
    put("aws-waf-logs-one")
    token = api.get_web_acl(Name="logged", Id=made["Summary"]["Id"], Scope="REGIONAL")["LockToken"]
    api.delete_web_acl(Name="logged", Id=made["Summary"]["Id"], Scope="REGIONAL", LockToken=token)
    with refused("WAFNonexistentItemException"):
        api.get_logging_configuration(ResourceArn=arn)
    logs.delete_log_group(logGroupName="aws-waf-logs-one")

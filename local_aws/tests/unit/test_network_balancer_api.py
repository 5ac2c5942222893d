"""Network load balancers as the API and CloudFormation have them: what they are, and what AWS refuses of them."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks, refused


@pytest.fixture
def elb(aws: Cloud) -> Any:
    return aws.client("elbv2")


@pytest.fixture
def network(aws: Cloud) -> dict[str, str]:
    """A VPC with two subnets and a security group."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/17")["Vpc"]["VpcId"]
    subnets = {
        zone: ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")[
            "Subnet"
        ]["SubnetId"]
        for number, zone in enumerate("ab")
    }
    group = ec2.create_security_group(GroupName="inside", Description="x", VpcId=vpc)["GroupId"]
    return {"vpc": vpc, "group": group, **subnets}


def balancer(elb: Any, network: dict[str, str], kind: str = "network", **more: Any) -> dict[str, Any]:
    given = {"Name": f"shop-{kind}", "Type": kind, "Scheme": "internal", "Subnets": [network["a"], network["b"]]}
    made: dict[str, Any] = elb.create_load_balancer(**(given | more))["LoadBalancers"][0]
    return made


def group(elb: Any, network: dict[str, str], protocol: str = "TCP", **more: Any) -> str:
    given = {"Name": f"shop-{protocol.lower()}", "Protocol": protocol, "Port": 6379, "VpcId": network["vpc"]}
    return str(elb.create_target_group(**(given | more))["TargetGroups"][0]["TargetGroupArn"])


def listener(elb: Any, arn: str, target: str, port: int = 6379, protocol: str = "TCP", **more: Any) -> str:
    actions = more.pop("actions", [{"Type": "forward", "TargetGroupArn": target}])
    made = elb.create_listener(LoadBalancerArn=arn, Protocol=protocol, Port=port, DefaultActions=actions, **more)
    return str(made["Listeners"][0]["ListenerArn"])


def attributes(elb: Any, arn: str) -> dict[str, str]:
    if ":targetgroup/" in arn:
        found = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    else:
        found = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {item["Key"]: item["Value"] for item in found}


def test_it_has_an_arn_a_name_and_a_zone_of_its_kind(elb: Any, network: dict[str, str]) -> None:
    tags = [{"Key": "Site", "Value": "shop"}]
    made = balancer(elb, network, SecurityGroups=[network["group"]], Tags=tags)
    arn, identity = made["LoadBalancerArn"], made["LoadBalancerArn"].rpartition("/")[2]
    assert f":loadbalancer/net/shop-network/{identity}" in arn
    assert made["DNSName"] == f"shop-network-{identity}.elb.us-east-1.amazonaws.com"
    assert made["CanonicalHostedZoneId"] == "Z26RNL4JYFTOTI"
    assert (made["Type"], made["Scheme"], made["SecurityGroups"]) == ("network", "internal", [network["group"]])
    found = elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert [item["DNSName"] for item in found] == [made["DNSName"]]
    assert elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"] == tags
    web = balancer(elb, network, "application")
    assert ":loadbalancer/app/" in web["LoadBalancerArn"]


def test_security_groups_can_change_but_neither_come_nor_go(elb: Any, network: dict[str, str]) -> None:
    bare = balancer(elb, network, Name="bare")["LoadBalancerArn"]
    with refused("created without any security groups", "InvalidConfigurationRequest"):
        elb.set_security_groups(LoadBalancerArn=bare, SecurityGroups=[network["group"]])
    guarded = balancer(elb, network, SecurityGroups=[network["group"]])["LoadBalancerArn"]
    with refused("cannot remove all security groups", "InvalidConfigurationRequest"):
        elb.set_security_groups(LoadBalancerArn=guarded, SecurityGroups=[])
    elb.set_security_groups(LoadBalancerArn=guarded, SecurityGroups=[network["group"]])
    with refused("sg-gone does not exist", "InvalidSecurityGroup"):
        balancer(elb, network, Name="other", SecurityGroups=["sg-gone"])


def test_attributes_are_those_of_its_type(elb: Any, network: dict[str, str]) -> None:
    arn = balancer(elb, network)["LoadBalancerArn"]
    assert attributes(elb, arn)["load_balancing.cross_zone.enabled"] == "false"
    cross = {"Key": "load_balancing.cross_zone.enabled", "Value": "true"}
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[cross])
    assert attributes(elb, arn)["load_balancing.cross_zone.enabled"] == "true"
    idle = {"Key": "idle_timeout.timeout_seconds", "Value": "90"}
    with refused(
        "Load balancer attribute key 'idle_timeout.timeout_seconds' is not supported on load balancers with type "
        "'network'",
        "InvalidConfigurationRequest",
    ):
        elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[idle])
    web = balancer(elb, network, "application")["LoadBalancerArn"]
    elb.modify_load_balancer_attributes(LoadBalancerArn=web, Attributes=[idle])
    policy = {"Key": "dns_record.client_routing_policy", "Value": "any_availability_zone"}
    with refused("with type 'application'", "InvalidConfigurationRequest"):
        elb.modify_load_balancer_attributes(LoadBalancerArn=web, Attributes=[policy])


def test_a_tcp_group_preserves_the_clients_address_unless_told(elb: Any, network: dict[str, str]) -> None:
    arn = group(elb, network)
    assert attributes(elb, arn)["preserve_client_ip.enabled"] == "true"
    off = {"Key": "preserve_client_ip.enabled", "Value": "false"}
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[off])
    assert attributes(elb, arn)["preserve_client_ip.enabled"] == "false"
    addresses = group(elb, network, Name="addresses", TargetType="ip")
    assert attributes(elb, addresses)["preserve_client_ip.enabled"] == "false"
    web = group(elb, network, "HTTP")
    assert "preserve_client_ip.enabled" not in attributes(elb, web)
    with refused("The provided target group attribute is not supported", "InvalidConfigurationRequest"):
        elb.modify_target_group_attributes(TargetGroupArn=web, Attributes=[off])
    slow = {"Key": "slow_start.duration_seconds", "Value": "30"}
    elb.modify_target_group_attributes(TargetGroupArn=web, Attributes=[slow])
    with refused("The provided target group attribute is not supported", "InvalidConfigurationRequest"):
        elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[slow])


@pytest.mark.parametrize(
    ("key", "value", "fine"),
    [
        ("proxy_protocol_v2.enabled", "true", "false"),
        ("stickiness.enabled", "true", "false"),
        ("target_health_state.unhealthy.connection_termination.enabled", "false", "true"),
    ],
)
def test_what_is_not_emulated_of_a_tcp_group_is_refused(
    elb: Any, network: dict[str, str], key: str, value: str, fine: str
) -> None:
    arn = group(elb, network)
    with refused(f"{key} of {value} is not in the embedded AWS", "NotImplemented"):
        elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": key, "Value": value}])
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": key, "Value": fine}])


def test_health_checks_of_a_tcp_group(elb: Any, network: dict[str, str]) -> None:
    plain = elb.describe_target_groups(TargetGroupArns=[group(elb, network)])["TargetGroups"][0]
    assert (plain["HealthCheckProtocol"], plain["HealthCheckPort"]) == ("TCP", "traffic-port")
    assert "Matcher" not in plain
    asked = group(elb, network, Name="asked", HealthCheckProtocol="HTTP", HealthCheckIntervalSeconds=10)
    found = elb.describe_target_groups(TargetGroupArns=[asked])["TargetGroups"][0]
    assert (found["HealthCheckPath"], found["Matcher"], found["HealthCheckTimeoutSeconds"]) == (
        "/",
        {"HttpCode": "200-399"},
        6,
    )
    elb.modify_target_group(
        TargetGroupArn=asked, HealthCheckPath="/up", Matcher={"HttpCode": "204"}, HealthyThresholdCount=3
    )
    found = elb.describe_target_groups(TargetGroupArns=[asked])["TargetGroups"][0]
    assert (found["HealthCheckPath"], found["Matcher"], found["HealthyThresholdCount"]) == (
        "/up",
        {"HttpCode": "204"},
        3,
    )
    with refused("Health check matchers are not supported for TCP health checks", "InvalidConfigurationRequest"):
        group(elb, network, Name="wrong", Matcher={"HttpCode": "200"})
    with refused("Health check paths are not supported for TCP health checks", "InvalidConfigurationRequest"):
        elb.modify_target_group(TargetGroupArn=plain["TargetGroupArn"], HealthCheckPath="/up")
    with refused("Health check protocol 'TCP' is not supported", "InvalidConfigurationRequest"):
        group(elb, network, "HTTP", HealthCheckProtocol="TCP")


def test_what_a_listener_of_it_may_not_be(elb: Any, network: dict[str, str]) -> None:
    arn = balancer(elb, network)["LoadBalancerArn"]
    tcp, web = group(elb, network), group(elb, network, "HTTP")
    made = listener(elb, arn, tcp)
    with refused("Listener protocol 'HTTP' must be one of", "ValidationError"):
        listener(elb, arn, tcp, 80, "HTTP")
    with refused("for UDP is not in the embedded AWS", "NotImplemented"):
        listener(elb, arn, tcp, 53, "UDP")
    with refused("A listener with the specified port already exists", "DuplicateListener"):
        listener(elb, arn, tcp)
    with refused("is not valid with this protocol", "IncompatibleProtocols"):
        listener(elb, arn, web, 80)
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    with refused("'fixed-response' is not supported", "InvalidLoadBalancerAction"):
        listener(elb, arn, tcp, 81, actions=fixed)
    with refused("'fixed-response' is not supported", "InvalidLoadBalancerAction"):
        elb.modify_listener(ListenerArn=made, DefaultActions=fixed)
    with refused("Listener rules are not supported", "InvalidConfigurationRequest"):
        elb.create_rule(
            ListenerArn=made, Priority=1, Conditions=[{"Field": "path-pattern", "Values": ["/"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": tcp}],
        )  # fmt: skip
    other = balancer(elb, network, Name="other")["LoadBalancerArn"]
    with refused("cannot be associated with more than one load balancer", "TargetGroupAssociationLimit"):
        listener(elb, other, tcp)
    site = balancer(elb, network, "application")["LoadBalancerArn"]
    with refused("is not valid with this protocol", "IncompatibleProtocols"):
        listener(elb, site, tcp, 80, "HTTP")
    assert len(elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]) == 1


def test_a_group_is_free_again_when_its_load_balancer_is_gone(elb: Any, network: dict[str, str]) -> None:
    arn, tcp = balancer(elb, network)["LoadBalancerArn"], group(elb, network)
    listener(elb, arn, tcp)
    assert elb.describe_target_groups(TargetGroupArns=[tcp])["TargetGroups"][0]["LoadBalancerArns"] == [arn]
    elb.delete_load_balancer(LoadBalancerArn=arn)
    assert not elb.describe_target_groups(TargetGroupArns=[tcp])["TargetGroups"][0].get("LoadBalancerArns")
    again = balancer(elb, network)["LoadBalancerArn"]
    listener(elb, again, tcp)


def test_idle_timeout_is_the_listeners(elb: Any, network: dict[str, str]) -> None:
    made = listener(elb, balancer(elb, network)["LoadBalancerArn"], group(elb, network))
    idle = "tcp.idle_timeout.seconds"
    elb.modify_listener_attributes(ListenerArn=made, Attributes=[{"Key": idle, "Value": "6000"}])
    found = elb.describe_listener_attributes(ListenerArn=made)["Attributes"]
    assert {"Key": idle, "Value": "6000"} in found
    with refused("must be between '60-6000' inclusive", "ValidationError"):
        elb.modify_listener_attributes(ListenerArn=made, Attributes=[{"Key": idle, "Value": "59"}])
    site = balancer(elb, network, "application")["LoadBalancerArn"]
    http = listener(elb, site, group(elb, network, "HTTP"), 80, "HTTP")
    with refused("not supported on load balancers with type 'application'", "InvalidConfigurationRequest"):
        elb.modify_listener_attributes(ListenerArn=http, Attributes=[{"Key": idle, "Value": "60"}])


def test_a_priority_is_one_rules_and_rules_can_change_places(elb: Any, network: dict[str, str]) -> None:
    site, web = balancer(elb, network, "application")["LoadBalancerArn"], group(elb, network, "HTTP")
    http = listener(elb, site, web, 80, "HTTP")

    def rule(priority: int) -> str:
        made = elb.create_rule(
            ListenerArn=http, Priority=priority, Conditions=[{"Field": "path-pattern", "Values": [f"/{priority}"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": web}],
        )  # fmt: skip
        return str(made["Rules"][0]["RuleArn"])

    first, second, third = rule(1), rule(2), rule(3)
    with refused("Priority '2' is currently in use", "PriorityInUse"):
        rule(2)
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": first, "Priority": 2}, {"RuleArn": second, "Priority": 1}])
    found = {item["RuleArn"]: item["Priority"] for item in elb.describe_rules(ListenerArn=http)["Rules"]}
    assert (found[first], found[second], found[third]) == ("2", "1", "3")
    with refused("Priority '3' is currently in use", "PriorityInUse"):
        elb.set_rule_priorities(RulePriorities=[{"RuleArn": first, "Priority": 3}])


BALANCER = """
Parameters: {Preserve: {Type: String, Default: "false"}, Interval: {Type: Number, Default: 10}}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.79.0.0/17}}
  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.79.0.0/24, AvailabilityZone: us-east-1a}}
  B: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.79.1.0/24, AvailabilityZone: us-east-1b}}
  Guard: {Type: AWS::EC2::SecurityGroup, Properties: {VpcId: !Ref Vpc, GroupDescription: inside}}
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Type: network
      Scheme: internal
      Subnets: [!Ref A, !Ref B]
      SecurityGroups: [!Ref Guard]
      LoadBalancerAttributes: [{Key: load_balancing.cross_zone.enabled, Value: "true"}]
  Cache:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      VpcId: !Ref Vpc
      TargetType: instance
      Protocol: TCP
      Port: "6379"
      HealthCheckProtocol: TCP
      HealthCheckIntervalSeconds: !Ref Interval
      TargetGroupAttributes: [{Key: preserve_client_ip.enabled, Value: !Ref Preserve}]
  Cms:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      VpcId: !Ref Vpc
      TargetType: instance
      Protocol: TCP
      Port: 1337
      HealthCheckProtocol: HTTP
      HealthCheckPath: /_health
      Matcher: {HttpCode: "204"}
  CacheListener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Protocol: TCP
      Port: 6379
      DefaultActions: [{Type: forward, TargetGroupArn: !Ref Cache}]
      ListenerAttributes: [{Key: tcp.idle_timeout.seconds, Value: "600"}]
  CmsListener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Protocol: TCP
      Port: 1337
      DefaultActions: [{Type: forward, TargetGroupArn: !Ref Cms}]
  Zone:
    Type: AWS::Route53::HostedZone
    Properties: {Name: shop-prod.internal, VPCs: [{VPCId: !Ref Vpc, VPCRegion: us-east-1}]}
  Name:
    Type: AWS::Route53::RecordSet
    Properties:
      HostedZoneId: !Ref Zone
      Name: cms.shop-prod.internal
      Type: A
      AliasTarget: {DNSName: !GetAtt Balancer.DNSName, HostedZoneId: !GetAtt Balancer.CanonicalHostedZoneID}
Outputs:
  Full: {Value: !GetAtt Balancer.LoadBalancerFullName}
  Zone: {Value: !GetAtt Balancer.CanonicalHostedZoneID}
"""


def test_a_template_makes_one_with_names_and_leaves_nothing(stacks: Stacks, elb: Any) -> None:
    ids = stacks.made("expose", BALANCER)
    assert stacks.outputs("expose")["Full"].startswith("net/")
    assert stacks.outputs("expose")["Zone"] == "Z26RNL4JYFTOTI"
    assert attributes(elb, ids["Balancer"])["load_balancing.cross_zone.enabled"] == "true"
    assert attributes(elb, ids["Cache"])["preserve_client_ip.enabled"] == "false"
    found = elb.describe_listener_attributes(ListenerArn=ids["CacheListener"])["Attributes"]
    assert {"Key": "tcp.idle_timeout.seconds", "Value": "600"} in found
    listeners = elb.describe_listeners(LoadBalancerArn=ids["Balancer"])["Listeners"]
    assert {(item["Port"], item["Protocol"], item["DefaultActions"][0]["TargetGroupArn"]) for item in listeners} == {
        (6379, "TCP", ids["Cache"]),
        (1337, "TCP", ids["Cms"]),
    }

    assert stacks.changed("expose", parameters={"Preserve": "true", "Interval": 20}) == ids

    assert attributes(elb, ids["Cache"])["preserve_client_ip.enabled"] == "true"
    assert (
        elb.describe_target_groups(TargetGroupArns=[ids["Cache"]])["TargetGroups"][0]["HealthCheckIntervalSeconds"]
        == 20
    )
    assert stacks.delete("expose")["StackStatus"] == "DELETE_COMPLETE"
    assert elb.describe_load_balancers()["LoadBalancers"] == []
    assert elb.describe_target_groups()["TargetGroups"] == []


def test_a_rule_of_it_fails_its_stack(stacks: Stacks) -> None:
    rule = """
  Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref CmsListener
      Priority: 1
      Conditions: [{Field: path-pattern, Values: [/]}]
      Actions: [{Type: forward, TargetGroupArn: !Ref Cms}]
Outputs:"""
    stacks.api.create_stack(StackName="wrong", TemplateBody=BALANCER.replace("\nOutputs:", rule))
    assert stacks.settled("wrong")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Listener rules are not supported" in str(stacks.events("wrong"))

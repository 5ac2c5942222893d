"""What a stack is billed for by the hour or the month, read from its template and parameters: nothing is asked for it.

What is billed by use (requests, traffic, what lies in a bucket or volume) is not in it. A type of resource is in one of
the two lists below; one that is in neither is named, so that nobody takes it for free.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plugins.plugin_utils.layers import Template, text

BALANCER_ADDRESSES = 2
"""One a zone: cloudformation/cluster.yml gives the load balancer two subnets."""
HOST_ADDRESS = "host address"
"""Stands for the address of a host, which it has only where there is no NAT gateway (`together`)."""
UNBILLED = frozenset(
    {
        "AWS::ApiGatewayV2::Api",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::Stage",
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::AutoScaling::LaunchConfiguration",
        "AWS::Backup::BackupPlan",
        "AWS::Backup::BackupSelection",
        "AWS::Backup::BackupVault",
        "AWS::Budgets::Budget",  # without actions
        "AWS::CertificateManager::Certificate",
        "AWS::CloudFormation::WaitConditionHandle",
        "AWS::CloudFront::CachePolicy",
        "AWS::CloudFront::Distribution",
        "AWS::CloudFront::Function",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::DynamoDB::Table",
        "AWS::EC2::FlowLog",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::LaunchTemplate",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::ECR::Repository",
        "AWS::ECS::CapacityProvider",
        "AWS::ECS::Cluster",
        "AWS::ECS::ClusterCapacityProviderAssociations",
        "AWS::ECS::Service",
        "AWS::ECS::TaskDefinition",
        "AWS::EFS::AccessPoint",
        "AWS::EFS::FileSystem",
        "AWS::EFS::MountTarget",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::Events::Rule",
        "AWS::IAM::InstanceProfile",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::RDS::DBSubnetGroup",
        "AWS::Route53::RecordSet",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::Queue",
        "AWS::Scheduler::Schedule",
        "AWS::SecretsManager::SecretTargetAttachment",
        "AWS::WAFv2::IPSet",
        "AWS::WAFv2::LoggingConfiguration",
        "AWS::WAFv2::WebACLAssociation",
    }
)
"""Types that cost nothing, or by use only."""
BILLED = frozenset(
    {
        "AWS::AutoScaling::AutoScalingGroup",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::EC2::EIP",
        "AWS::EC2::NatGateway",
        "AWS::EC2::VPCEndpoint",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::RDS::DBInstance",
        "AWS::Route53::HostedZone",
        "AWS::SecretsManager::Secret",
        "AWS::WAFv2::WebACL",
    }
)
"""Types that are billed as long as they are there."""

Quantities = Mapping[str, float]
"""Price of docs/prices.yml → how much of it, less the hours: a host is 1. What has no price there has its own name."""


def billed(template: Template, values: Mapping[str, str]) -> dict[str, float]:
    """What a stack is billed for.

    Args:
        template: of the stack.
        values: of its parameters; defaults hold for the others.
    """
    reader = _Reader(template, values)
    found: dict[str, float] = {}
    for resource in template.resources.values():
        if reader.holds(resource.get("Condition")):
            for name, quantity in reader.resource(resource):
                found[name] = found.get(name, 0) + quantity
    return {name: quantity for name, quantity in found.items() if quantity}


def together(*stacks: Quantities) -> dict[str, float]:
    """What the stacks of a site are billed for; hosts behind a NAT gateway have no address of their own."""
    found: dict[str, float] = {}
    for stack in stacks:
        for name, quantity in stack.items():
            found[name] = found.get(name, 0) + quantity
    addresses = found.pop(HOST_ADDRESS, 0)
    if addresses and "nat" not in found:
        found["ipv4"] = found.get("ipv4", 0) + addresses
    return found


class _Reader:
    """Reads resources of one template."""

    def __init__(self, template: Template, values: Mapping[str, str]) -> None:
        defaults = {name: text(each["Default"]) for name, each in template.parameters.items() if "Default" in each}
        self._template, self._values = template, {**defaults, **values}

    def resource(self, resource: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
        """Price and quantity of all that a resource is billed for."""
        kind, given = str(resource.get("Type")), resource.get("Properties") or {}
        if kind == "AWS::AutoScaling::AutoScalingGroup":
            yield from self._hosts(given)
        elif kind == "AWS::RDS::DBInstance":
            copies = 2 if self.value(given.get("MultiAZ")) == "true" else 1
            yield self.value(given.get("DBInstanceClass")) or "database", copies
            yield "rds_storage", copies * self._number(given.get("AllocatedStorage"))
        elif kind == "AWS::ElasticLoadBalancingV2::LoadBalancer":
            application = self.value(given.get("Type")) in ("", "application")
            yield ("alb" if application else f"{self.value(given['Type'])} load balancer"), 1
            if self.value(given.get("Scheme")) != "internal":
                yield "ipv4", BALANCER_ADDRESSES
        elif kind == "AWS::EC2::VPCEndpoint":
            if self.value(given.get("VpcEndpointType")) not in ("", "Gateway"):
                yield "interface endpoint", 1
        elif kind == "AWS::CloudWatch::Alarm":
            # By the metric: one that is computed of several is billed for each.
            yield "alarm", sum("MetricStat" in each for each in given.get("Metrics") or []) or 1
            if given.get("Namespace") and not self.value(given["Namespace"]).startswith("AWS/"):
                yield "metric", 1  # that somebody sends it is for the alarm
        elif kind == "AWS::WAFv2::WebACL":
            yield "web_acl", 1
            yield "waf_rule", len(given.get("Rules") or [])  # a managed group is one
        elif name := {
            "AWS::CloudWatch::Dashboard": "dashboard",
            "AWS::EC2::EIP": "ipv4",
            "AWS::EC2::NatGateway": "nat",
            "AWS::Route53::HostedZone": "zone",
            "AWS::SecretsManager::Secret": "secret",
        }.get(kind):
            yield name, 1
        elif kind not in UNBILLED:
            yield kind, 1

    def _hosts(self, group: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
        """The hosts of a group, at their least number, with a disk and an address each."""
        count = self._number(group.get("MinSize"))
        template = (group.get("LaunchTemplate") or {}).get("LaunchTemplateId")
        source = template or group.get("LaunchConfigurationName")
        name = str(source["Ref"]) if isinstance(source, Mapping) and "Ref" in source else ""
        given = (self._template.resources.get(name) or {}).get("Properties") or {}
        given = given.get("LaunchTemplateData") or given
        yield self.value(given.get("InstanceType")) or "host", count
        for disk in given.get("BlockDeviceMappings") or []:
            yield "ebs", count * self._number((disk.get("Ebs") or {}).get("VolumeSize"))
        yield HOST_ADDRESS, count

    def holds(self, condition: Any) -> bool:
        """Whether a condition of the template holds; one that nobody can tell beforehand does."""
        if not condition:
            return True
        return self._judged(self._template.conditions.get(str(condition))) is not False

    def _judged(self, given: Any) -> bool | None:
        if not isinstance(given, Mapping) or len(given) != 1:
            return None
        ((word, inner),) = given.items()
        if word == "Condition":
            return self._judged(self._template.conditions.get(str(inner)))
        if word == "Fn::Equals":
            one, other = (self._known(each) for each in inner)
            return None if one is None or other is None else one == other
        judged = [self._judged(each) for each in inner] if isinstance(inner, list) else []
        if word == "Fn::Not" and judged[0] is not None:
            return not judged[0]
        if word in ("Fn::And", "Fn::Or"):
            decisive = word == "Fn::Or"
            return decisive if decisive in judged else None if None in judged else not decisive
        return None

    def _known(self, given: Any) -> str | None:
        """A value, if it is a text or a parameter."""
        if not isinstance(given, Mapping):
            return text(given)
        if set(given) == {"Ref"}:
            return self._values.get(str(given["Ref"]))
        if set(given) == {"Fn::If"}:
            name, then, otherwise = given["Fn::If"]
            return self._known(then if self.holds(name) else otherwise)
        return None

    def value(self, given: Any) -> str:
        """A value as text; empty if there is none, or none that is known beforehand."""
        return "" if given is None else self._known(given) or ""

    def _number(self, given: Any) -> float:
        try:
            return float(self.value(given) or 0)
        except ValueError:
            return 0.0

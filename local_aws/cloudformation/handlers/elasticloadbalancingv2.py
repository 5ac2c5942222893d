"""Application load balancers, listeners, rules and target groups."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, call, changed, pick, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


def update_tags(context: Context, arn: str, old: Properties, new: Properties) -> None:
    """Bring the tags of a load balancer's resource up to date."""
    if gone := context.untagged(old, new):
        call(context, "elbv2", "remove_tags", ResourceArns=[arn], TagKeys=gone)
    if tags := context.tag_list(new):
        call(context, "elbv2", "add_tags", ResourceArns=[arn], Tags=tags)


class LoadBalancer(Handler):
    TYPE = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    SECONDS = 600.0

    def create(self, context: Context, properties: Properties) -> str:
        settings = without(properties, "Name", "Tags", "LoadBalancerAttributes")
        tags = context.tag_list(properties) or None
        name = properties.get("Name") or context.name(32)
        answer = call(context, "elbv2", "create_load_balancer", Name=name, Tags=tags, **settings)
        arn = str(answer["LoadBalancers"][0]["LoadBalancerArn"])
        context.created(arn)
        self._set_attributes(context, arn, properties)
        context.wait(lambda: self._find(context, arn)["State"]["Code"] != "provisioning", self.SECONDS, f"{arn}")
        return arn

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "LoadBalancerAttributes"):
            self._set_attributes(context, physical_id, new)
        if changed(old, new, "SecurityGroups"):
            groups = new.get("SecurityGroups") or []
            call(context, "elbv2", "set_security_groups", LoadBalancerArn=physical_id, SecurityGroups=groups)
        if changed(old, new, "Subnets", "SubnetMappings"):
            subnets = pick(new, "Subnets", "SubnetMappings")
            call(context, "elbv2", "set_subnets", LoadBalancerArn=physical_id, **subnets)
        if changed(old, new, "IpAddressType"):
            kind = new.get("IpAddressType", "ipv4")
            call(context, "elbv2", "set_ip_address_type", LoadBalancerArn=physical_id, IpAddressType=kind)
        update_tags(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "elbv2", "delete_load_balancer", LoadBalancerArn=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = self._find(context, physical_id)
        return {
            "LoadBalancerArn": physical_id,
            "LoadBalancerFullName": physical_id.split(":loadbalancer/")[-1],
            "LoadBalancerName": found["LoadBalancerName"],
            "DNSName": found["DNSName"],
            "CanonicalHostedZoneID": found["CanonicalHostedZoneId"],
            "SecurityGroups": found.get("SecurityGroups", []),
        }

    def _find(self, context: Context, arn: str) -> dict[str, Any]:
        answer = call(context, "elbv2", "describe_load_balancers", LoadBalancerArns=[arn])
        found: dict[str, Any] = answer["LoadBalancers"][0]
        return found

    def _set_attributes(self, context: Context, arn: str, properties: Properties) -> None:
        if attributes := properties.get("LoadBalancerAttributes"):
            call(context, "elbv2", "modify_load_balancer_attributes", LoadBalancerArn=arn, Attributes=attributes)


class TargetGroup(Handler):
    TYPE = "AWS::ElasticLoadBalancingV2::TargetGroup"
    HEALTH = (
        "HealthCheckEnabled", "HealthCheckIntervalSeconds", "HealthCheckPath", "HealthCheckPort", "HealthCheckProtocol",
        "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "UnhealthyThresholdCount", "Matcher",
    )  # fmt: skip

    def create(self, context: Context, properties: Properties) -> str:
        settings = without(properties, "Name", "Tags", "TargetGroupAttributes", "Targets")
        tags = context.tag_list(properties) or None
        name = properties.get("Name") or context.name(32)
        answer = call(context, "elbv2", "create_target_group", Name=name, Tags=tags, **settings)
        arn = str(answer["TargetGroups"][0]["TargetGroupArn"])
        context.created(arn)
        self._set_attributes(context, arn, properties)
        self._set_targets(context, arn, {}, properties)
        return arn

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, *self.HEALTH):
            call(context, "elbv2", "modify_target_group", TargetGroupArn=physical_id, **pick(new, *self.HEALTH))
        if changed(old, new, "TargetGroupAttributes"):
            self._set_attributes(context, physical_id, new)
        self._set_targets(context, physical_id, old, new)
        update_tags(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "elbv2", "delete_target_group", TargetGroupArn=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = call(context, "elbv2", "describe_target_groups", TargetGroupArns=[physical_id])["TargetGroups"][0]
        return {
            "TargetGroupArn": physical_id,
            "TargetGroupFullName": physical_id.split(":")[-1],
            "TargetGroupName": found["TargetGroupName"],
            "LoadBalancerArns": found.get("LoadBalancerArns", []),
        }

    def _set_attributes(self, context: Context, arn: str, properties: Properties) -> None:
        if attributes := properties.get("TargetGroupAttributes"):
            call(context, "elbv2", "modify_target_group_attributes", TargetGroupArn=arn, Attributes=attributes)

    def _set_targets(self, context: Context, arn: str, old: Properties, new: Properties) -> None:
        before, after = old.get("Targets") or [], new.get("Targets") or []
        if gone := [target for target in before if target not in after]:
            call(context, "elbv2", "deregister_targets", TargetGroupArn=arn, Targets=gone)
        if added := [target for target in after if target not in before]:
            call(context, "elbv2", "register_targets", TargetGroupArn=arn, Targets=added)


class Listener(Handler):
    TYPE = "AWS::ElasticLoadBalancingV2::Listener"

    def create(self, context: Context, properties: Properties) -> str:
        settings = without(properties, "ListenerAttributes")
        tags = context.tag_list({}) or None
        answer = call(context, "elbv2", "create_listener", Tags=tags, **settings)
        arn = str(answer["Listeners"][0]["ListenerArn"])
        context.created(arn)
        self._set_attributes(context, arn, properties)
        return arn

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        settings = without(new, "LoadBalancerArn", "ListenerAttributes")
        if settings != without(old, "LoadBalancerArn", "ListenerAttributes"):
            call(context, "elbv2", "modify_listener", ListenerArn=physical_id, **settings)
        if changed(old, new, "ListenerAttributes"):
            self._set_attributes(context, physical_id, new)
        update_tags(context, physical_id, {}, {})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "elbv2", "delete_listener", ListenerArn=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"ListenerArn": physical_id}

    def _set_attributes(self, context: Context, arn: str, properties: Properties) -> None:
        if attributes := properties.get("ListenerAttributes"):
            call(context, "elbv2", "modify_listener_attributes", ListenerArn=arn, Attributes=attributes)


class ListenerRule(Handler):
    TYPE = "AWS::ElasticLoadBalancingV2::ListenerRule"

    def create(self, context: Context, properties: Properties) -> str:
        tags = context.tag_list({}) or None
        answer = call(context, "elbv2", "create_rule", Tags=tags, **properties)
        return str(answer["Rules"][0]["RuleArn"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "Actions", "Conditions", "Transforms"):
            settings = pick(new, "Actions", "Conditions", "Transforms")
            call(context, "elbv2", "modify_rule", RuleArn=physical_id, **settings)
        if changed(old, new, "Priority"):
            priorities = [{"RuleArn": physical_id, "Priority": new["Priority"]}]
            call(context, "elbv2", "set_rule_priorities", RulePriorities=priorities)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "elbv2", "delete_rule", RuleArn=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"RuleArn": physical_id, "IsDefault": False}

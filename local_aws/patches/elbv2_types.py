"""What belongs to which type of load balancer: moto takes a network one's attributes, actions and rules for all.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
Codes are AWS's throughout; so are the messages, but for those whose comment says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moto.elbv2.exceptions import DuplicateListenerError, DuplicatePriorityError
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup

from local_aws.patches._moto import AwsError, around, instead

CONFIGURATION = "InvalidConfigurationRequest"
NETWORK_ZONES = {"us-east-1": "Z26RNL4JYFTOTI", "eu-central-1": "Z3F0SRJ5LGBH90", "eu-west-1": "Z2IFOLAFXWLO4F"}
"""Hosted zones of network load balancers' names: https://docs.aws.amazon.com/general/latest/gr/elb.html"""

NETWORK_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "false",
    "secondary_ips.auto_assigned.per_subnet": "0",
    "zonal_shift.config.enabled": "false",
}
ONLY_NETWORK = {"dns_record.client_routing_policy", "secondary_ips.auto_assigned.per_subnet"}

TCP_GROUP_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "deregistration_delay.connection_termination.enabled": "false",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "preserve_client_ip.enabled": "true",
    "proxy_protocol_v2.enabled": "false",
    "stickiness.enabled": "false",
    "stickiness.type": "source_ip",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}
NOT_EMULATED = {
    "proxy_protocol_v2.enabled": "false",
    "stickiness.enabled": "false",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}
"""Attributes of a TCP group of which only this value is emulated."""
ONLY_TCP = {
    name
    for name in TCP_GROUP_ATTRIBUTES
    if name.startswith(("preserve_client_ip", "proxy_protocol", "target_health_state"))
} | {"deregistration_delay.connection_termination.enabled"}


def _refuse(message: str, code: str = CONFIGURATION) -> None:
    raise AwsError(code, message)


# Load balancers


@around(ELBv2Backend, "create_load_balancer")
def _create_load_balancer(create: Any, self: Any, *arguments: Any, **given: Any) -> Any:
    """A network load balancer has an ARN, a name and a hosted zone of its own kind."""
    _check_security_groups(self, given.get("security_groups") or [])
    tags = given.pop("tags", None)
    balancer = create(self, *arguments, tags=None, **given)
    if balancer.type == "network":
        del self.load_balancers[balancer.arn]
        balancer.arn = balancer.arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
        self.load_balancers[balancer.arn] = balancer
        identity = balancer.arn.rpartition("/")[2]
        balancer.dns_name = f"{balancer.name}-{identity}.elb.{self.region_name}.amazonaws.com"
        balancer.canonical_hosted_zone_id = NETWORK_ZONES.get(self.region_name, balancer.canonical_hosted_zone_id)
        balancer.attrs = dict(NETWORK_ATTRIBUTES)
    self.tagging_service.tag_resource(balancer.arn, tags)
    return balancer


def _check_security_groups(backend: Any, groups: Iterable[str]) -> None:
    for group in groups:
        if backend.ec2_backend.get_security_group_from_id(group) is None:
            _refuse(f"Security group {group} does not exist", "InvalidSecurityGroup")


@around(ELBv2Backend, "set_security_groups")
def _set_security_groups(set_groups: Any, self: Any, arn: str, sec_groups: list[str]) -> Any:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html"""
    balancer = self.load_balancers.get(arn)
    if balancer is not None and balancer.type == "network":
        if not balancer.security_groups:
            _refuse(
                "You cannot set security groups on a Network Load Balancer which was created without any security "
                "groups."
            )
        if not sec_groups:  # the sentence is ours
            _refuse("You cannot remove all security groups from a Network Load Balancer.")
    return set_groups(self, arn, sec_groups)


@around(ELBv2Backend, "modify_load_balancer_attributes")
def _modify_load_balancer_attributes(modify: Any, self: Any, arn: str, attrs: dict[str, Any]) -> Any:
    balancer = self.load_balancers.get(arn)
    for key in attrs if balancer is not None else ():
        if (balancer.type == "network" and key not in NETWORK_ATTRIBUTES) or (
            balancer.type == "application" and key in ONLY_NETWORK
        ):
            _refuse(
                f"Load balancer attribute key '{key}' is not supported on load balancers with type '{balancer.type}'"
            )
    return modify(self, arn, attrs)


# Listeners and rules


@around(ELBv2Backend, "create_listener")
def _create_listener(
    create: Any, self: Any, load_balancer_arn: str, protocol: str, port: Any, *arguments: Any, **given: Any
) -> Any:
    balancer = self.load_balancers.get(load_balancer_arn)
    if balancer is not None:
        if any(str(listener.port) == str(port) for listener in balancer.listeners.values()):
            raise DuplicateListenerError
        self._validate_port_and_protocol(balancer.type, port, protocol)
        _check_protocol(balancer, protocol)
        actions = given["actions"] if "actions" in given else arguments[2]
        _check_actions(self, balancer, actions)
    return create(self, load_balancer_arn, protocol, port, *arguments, **given)


@around(ELBv2Backend, "modify_listener")
def _modify_listener(modify: Any, self: Any, arn: str, *arguments: Any, **given: Any) -> Any:
    listener = self.describe_listeners(None, [arn])[0]
    balancer = self.load_balancers[listener.load_balancer_arn]
    names = ("port", "protocol", "ssl_policy", "certificates", "actions")
    given.update(zip(names, arguments, strict=False))
    if given.get("protocol"):
        self._validate_port_and_protocol(balancer.type, given.get("port") or listener.port, given["protocol"])
        _check_protocol(balancer, given["protocol"])
    _check_actions(self, balancer, given.get("actions") or [])
    return modify(self, arn, **given)


@around(ELBv2Backend, "modify_listener_attributes")
def _modify_listener_attributes(modify: Any, self: Any, listener_arn: str, attrs: list[dict[str, str]]) -> Any:
    listener = self.describe_listeners(None, [listener_arn])[0]
    kind = self.load_balancers[listener.load_balancer_arn].type
    for attribute in attrs:  # the sentences are ours
        key, value = attribute["Key"], attribute["Value"]
        if (key == "tcp.idle_timeout.seconds") != (kind == "network"):
            _refuse(f"Listener attribute key '{key}' is not supported on load balancers with type '{kind}'")
        if kind == "network" and not (value.isdigit() and 60 <= int(value) <= 6000):
            _refuse(f"'{key}' value '{value}' must be between '60-6000' inclusive", "ValidationError")
    return modify(self, listener_arn, attrs)


@around(ELBv2Backend, "create_rule")
def _create_rule(create: Any, self: Any, listener_arn: str, *arguments: Any, **given: Any) -> Any:
    listener = self.describe_listeners(None, [listener_arn])[0]
    balancer = self.load_balancers[listener.load_balancer_arn]
    if balancer.type == "network":  # the sentence is ours
        _refuse("Listener rules are not supported on load balancers with type 'network'")
    actions = given["actions"] if "actions" in given else arguments[2]
    _check_actions(self, balancer, actions)
    return create(self, listener_arn, *arguments, **given)


@around(ELBv2Backend, "modify_rule")
def _modify_rule(modify: Any, self: Any, rule_arn: str, conditions: Any, actions: Any) -> Any:
    for rule in self.describe_rules(listener_arn=None, rule_arns=[rule_arn]):
        listener = self.describe_listeners(None, [rule.listener_arn])[0]
        _check_actions(self, self.load_balancers[listener.load_balancer_arn], actions or [])
    return modify(self, rule_arn, conditions, actions)


@instead(ELBv2Backend, "set_rule_priorities")
def _set_rule_priorities(self: Any, rule_priorities: list[dict[str, Any]]) -> list[Any]:
    """All at once, so that two rules can change places; moto calls the place taken that a rule is about to leave."""
    wanted = [int(item["Priority"]) for item in rule_priorities]
    for priority in wanted:
        if wanted.count(priority) > 1:
            raise DuplicatePriorityError(str(priority))
    rules = [self.describe_rules(listener_arn=None, rule_arns=[item["RuleArn"]])[0] for item in rule_priorities]
    for rule, priority in zip(rules, wanted, strict=True):
        listener = self.describe_listeners(None, [rule.listener_arn])[0]
        if any(other.priority == priority for other in listener.rules.values() if other not in rules):
            _refuse(f"Priority '{priority}' is currently in use", "PriorityInUse")
    for rule, priority in zip(rules, wanted, strict=True):
        rule.priority = priority
    return rules


def _check_protocol(balancer: Any, protocol: str) -> None:
    if balancer.type == "network" and protocol != "TCP":
        _refuse(f"A listener of a network load balancer for {protocol} is not in the embedded AWS.", "NotImplemented")


def _check_actions(backend: Any, balancer: Any, actions: list[dict[str, Any]]) -> None:
    """Refuse an action that the type of load balancer has not, and a target group that does not fit it."""
    for action in actions:
        groups = [action] if action.get("TargetGroupArn") else []
        weighted = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
        if balancer.type == "network":
            if action["Type"] != "forward":  # the sentence is ours
                _refuse(
                    f"Action type '{action['Type']}' is not supported on load balancers with type 'network'",
                    "InvalidLoadBalancerAction",
                )
            if len(weighted) > 1:
                _refuse("A network load balancer's weighted forward is not in the embedded AWS.", "NotImplemented")
        for item in [*groups, *weighted]:
            group = backend.target_groups.get(item["TargetGroupArn"])
            if group is not None:
                _check_group(backend, balancer, group)


def _check_group(backend: Any, balancer: Any, group: Any) -> None:
    protocols = ("HTTP", "HTTPS") if balancer.type == "application" else ("TCP", "TLS", "UDP", "TCP_UDP")
    if group.protocol is not None and group.protocol not in protocols:  # the end of the sentence is ours
        _refuse(
            f"The specified configuration is not valid with this protocol: target group '{group.arn}' has protocol "
            f"{group.protocol}, which load balancers with type '{balancer.type}' do not have",
            "IncompatibleProtocols",
        )
    if any(arn != balancer.arn for arn in _used_by(backend, group.arn)):
        _refuse(
            f"The following target groups cannot be associated with more than one load balancer: {group.arn}",
            "TargetGroupAssociationLimit",
        )


# Target groups

MODIFY_TARGET_GROUP = (
    "health_check_proto", "health_check_port", "health_check_path", "health_check_interval", "health_check_timeout",
    "healthy_threshold_count", "unhealthy_threshold_count", "http_codes", "health_check_enabled",
)  # fmt: skip
"""moto's parameters after the ARN, in its order."""


def _used_by(backend: Any, group_arn: str) -> list[str]:
    """The load balancers of which a listener or rule forwards to the group."""
    return [
        balancer.arn
        for balancer in backend.load_balancers.values()
        if any(
            group_arn in backend._get_target_group_arns_from(action_data=action.data)
            for listener in balancer.listeners.values()
            for rule in listener.rules.values()
            for action in rule.actions
        )
    ]


@around(ELBv2Backend, "describe_target_groups")
def _describe_target_groups(describe: Any, self: Any, *arguments: Any, **given: Any) -> Any:
    """moto adds a load balancer to a group and never takes it away."""
    for group in self.target_groups.values():
        group.load_balancer_arns = _used_by(self, group.arn)
    return describe(self, *arguments, **given)


@around(ELBv2Backend, "create_target_group")
def _create_target_group(create: Any, self: Any, name: str, **given: Any) -> Any:
    protocol, check = given.get("protocol"), given.get("healthcheck_protocol")
    if protocol in ("HTTP", "HTTPS") and check and check not in ("HTTP", "HTTPS"):
        _refuse(f"Health check protocol '{check}' is not supported for target groups with the {protocol} protocol")
    if protocol == "TCP":
        _check_health_check(check or "TCP", given.get("healthcheck_path"), given.get("matcher"))
        if check in ("HTTP", "HTTPS"):
            given["healthcheck_path"] = given.get("healthcheck_path") or "/"
            given["healthcheck_timeout_seconds"] = given.get("healthcheck_timeout_seconds") or 6
            given["matcher"] = given.get("matcher") or {"HttpCode": "200-399"}
    group = create(self, name, **given)
    if protocol == "TCP":
        group.attributes = dict(TCP_GROUP_ATTRIBUTES)
        if group.target_type == "ip":
            group.attributes["preserve_client_ip.enabled"] = "false"
    return group


@around(ELBv2Backend, "modify_target_group")
def _modify_target_group(modify: Any, self: Any, arn: str, *arguments: Any, **given: Any) -> FakeTargetGroup:
    group = self.target_groups.get(arn)
    given.update(zip(MODIFY_TARGET_GROUP, arguments, strict=False))
    if group is not None and group.protocol == "TCP":
        check = given.get("health_check_proto") or group.health_check_protocol
        codes = given.get("http_codes")
        _check_health_check(check, given.get("health_check_path"), {"HttpCode": codes} if codes else None)
        if check != "TCP":
            group.health_check_path = group.health_check_path or "/"
            group.matcher = {"HttpCode": codes or getattr(group, "matcher", {}).get("HttpCode") or "200-399"}
    changed: FakeTargetGroup = modify(self, arn, **given)
    return changed


def _check_health_check(protocol: str, path: str | None, matcher: Any) -> None:
    if protocol == "TCP" and matcher:
        _refuse("Health check matchers are not supported for TCP health checks")
    if protocol == "TCP" and path:
        _refuse("Health check paths are not supported for TCP health checks")


@around(ELBv2Backend, "modify_target_group_attributes")
def _modify_target_group_attributes(modify: Any, self: Any, target_group_arn: str, attributes: dict[str, Any]) -> Any:
    group = self.target_groups.get(target_group_arn)
    for key, value in attributes.items() if group is not None else ():
        tcp = group.protocol == "TCP"
        if (tcp and key not in TCP_GROUP_ATTRIBUTES) or (not tcp and key in ONLY_TCP):
            _refuse("The provided target group attribute is not supported")
        if tcp and str(value) != NOT_EMULATED.get(key, str(value)):
            _refuse(f"{key} of {value} is not in the embedded AWS; use {NOT_EMULATED[key]}.", "NotImplemented")
    return modify(self, target_group_arn, attributes)

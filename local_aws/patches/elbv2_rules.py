"""How much a listener's rule may hold: moto takes any number of values and wildcards, and a body of any length.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_FixedResponseActionConfig.html
Codes are AWS's; of the messages those are ours that say so. That of a priority: hashicorp/terraform, issue 24239.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from moto.elbv2.models import ELBv2Backend

from local_aws.patches._moto import AwsError, around

BODY_MOST = 1024
VALUES_MOST = 5
WILDCARDS_MOST = 5
RULES_MOST = 100
"""Of a load balancer; default rules do not count."""
CONFIGS = (
    "HostHeaderConfig", "HttpHeaderConfig", "HttpRequestMethodConfig", "PathPatternConfig", "QueryStringConfig",
    "SourceIpConfig",
)  # fmt: skip
PATTERNS = ("HostHeaderConfig", "HttpHeaderConfig", "PathPatternConfig", "QueryStringConfig")
"""Those whose values may have wildcards."""

Described = Mapping[str, Any]


@around(ELBv2Backend, "create_rule")
def _create_rule(create: Any, self: Any, listener_arn: str, **given: Any) -> Any:
    _check_conditions(given["conditions"])
    _check_bodies(given["actions"])
    found = self.describe_listeners(None, [listener_arn])[0]
    balancer = self.load_balancers[found.load_balancer_arn]
    rules = [rule for listener in balancer.listeners.values() for rule in listener.rules.values()]
    if sum(not rule.is_default for rule in rules) >= RULES_MOST:  # the sentence is ours
        raise AwsError("TooManyRules", f"The load balancer has {RULES_MOST} rules, which is the most")
    if any(rule.priority == given["priority"] for rule in found.rules.values()):  # moto does not say which
        raise AwsError("PriorityInUse", f"Priority '{given['priority']}' is currently in use")
    return create(self, listener_arn, **given)


@around(ELBv2Backend, "modify_rule")
def _modify_rule(modify: Any, self: Any, rule_arn: str, conditions: Any, actions: Any) -> Any:
    _check_conditions(conditions or [])
    _check_bodies(actions or [])
    return modify(self, rule_arn, conditions, actions)


@around(ELBv2Backend, "create_listener")
def _create_listener(create: Any, self: Any, *arguments: Any, **given: Any) -> Any:
    _check_bodies(given["actions"])
    return create(self, *arguments, **given)


@around(ELBv2Backend, "modify_listener")
def _modify_listener(modify: Any, self: Any, *arguments: Any, **given: Any) -> Any:
    _check_bodies(given.get("actions") or [])
    return modify(self, *arguments, **given)


def _check_bodies(actions: Iterable[Described]) -> None:
    for number, action in enumerate(actions, 1):
        body = str((action.get("FixedResponseConfig") or {}).get("MessageBody") or "")
        if len(body) > BODY_MOST:
            raise AwsError(
                "ValidationError",
                f"1 validation error detected: Value '{body}' at "
                f"'actions.{number}.member.fixedResponseConfig.messageBody' failed to satisfy constraint: "
                f"Member must have length less than or equal to {BODY_MOST}",
            )


def _check_conditions(conditions: Iterable[Described]) -> None:
    values, wildcards = 0, 0
    for condition in conditions:
        found = _values(condition)
        values += len(found)
        if any(key in condition for key in PATTERNS) or "Values" in condition:
            wildcards += sum(str(text).count("*") + str(text).count("?") for text in found)
        for network in found if "SourceIpConfig" in condition else ():
            _check_network(str(network))
    if values > VALUES_MOST:
        raise AwsError("ValidationError", f"A rule can only have '{VALUES_MOST}' condition values")
    if wildcards > WILDCARDS_MOST:  # the sentence is ours
        raise AwsError("ValidationError", f"A rule can only have '{WILDCARDS_MOST}' wildcards")


def _values(condition: Described) -> list[Any]:
    found = next((condition[key] for key in CONFIGS if condition.get(key)), condition)
    return list(found.get("Values") or [])


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        text = ""
    if "/" not in text:  # the sentence is ours
        raise AwsError("ValidationError", f"The source-ip value '{text}' must be an address range in CIDR notation")

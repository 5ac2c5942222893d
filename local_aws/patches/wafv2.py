"""WAF counts capacity, knows its managed groups, and what uses what; and it refuses what AWS refuses.

moto takes any rule for three units, lets a web ACL go that something asks still, and knows of no load balancer.
https://docs.aws.amazon.com/waf/latest/APIReference/API_Operations_AWS_WAFV2.html
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from moto.cloudfront import cloudfront_backends
from moto.elbv2 import elbv2_backends
from moto.logs import logs_backends
from moto.wafv2.models import WAFV2Backend, wafv2_backends
from moto.wafv2.responses import WAFV2Response

from local_aws.config import ACCOUNT_ID
from local_aws.patches._moto import AwsError, around, missing
from local_aws.waf.groups import CAPACITIES

CLOUDFRONT_REGION = "us-east-1"
EVERYWHERE = "aws"
"""What moto calls the region of web ACLs of CloudFront."""
CAPACITY_MOST = 5000
"""https://docs.aws.amazon.com/waf/latest/developerguide/limits.html"""
RATE = (10, 2_000_000_000)
LOG_GROUP = "aws-waf-logs-"
SCOPED = (
    "create_web_acl", "get_web_acl", "update_web_acl", "delete_web_acl", "list_web_ac_ls", "create_ip_set",
    "get_ip_set", "update_ip_set", "delete_ip_set", "list_ip_sets",
)  # fmt: skip
"""Calls that say a scope, as moto calls them."""
Json = dict[str, Any]


def invalid(what: str, field: str, parameter: object) -> AwsError:
    """What WAF says of a parameter that it does not take."""
    words = f"Error reason: {what}, field: {field}, parameter: {parameter}"
    return AwsError("WAFInvalidParameterException", words)


def absent() -> AwsError:
    """What it says of something that there is not."""
    words = "AWS WAF couldn\u2019t perform the operation because your resource doesn\u2019t exist."
    return AwsError("WAFNonexistentItemException", words)


def in_use() -> AwsError:
    """What it says of something that is used still."""
    words = "AWS WAF couldn\u2019t perform the operation because your resource is being used by another resource."
    return AwsError("WAFAssociatedItemException", words)


def _scoped(name: str) -> None:
    @around(WAFV2Response, name)
    def scoped(answer: Any, self: Any) -> Any:
        scope = self._get_param("Scope")
        if scope not in (None, "REGIONAL", "CLOUDFRONT"):
            raise invalid("The scope is not valid.", "SCOPE_VALUE", scope)
        if scope == "CLOUDFRONT" and self.region != CLOUDFRONT_REGION:
            raise invalid("The scope is not valid.", "SCOPE_VALUE", scope)
        return answer(self)


for _name in SCOPED:
    _scoped(_name)


# Rules


def capacity(statement: Mapping[str, Any], backend: WAFV2Backend) -> int:
    """What a statement takes, in web ACL capacity units.

    https://docs.aws.amazon.com/waf/latest/developerguide/aws-waf-capacity-units.html

    Raises:
        AwsError: it is none, names what there is not, or is none of those that the embedded AWS has.
    """
    ((kind, given),) = statement.items()
    if kind == "IPSetReferenceStatement":
        if given["ARN"] not in backend.ip_sets:
            raise absent()
        return 1
    if kind == "RateBasedStatement":
        if not RATE[0] <= int(given["Limit"]) <= RATE[1]:
            raise invalid("The rate limit isn't in the range", "RATE_LIMIT", given["Limit"])
        if given["AggregateKeyType"] != "IP" or given.get("ScopeDownStatement"):
            raise _unsupported("A rate of anything but addresses (AggregateKeyType: IP), or of some requests only")
        return 2
    if kind == "ManagedRuleGroupStatement":
        if given["VendorName"] != "AWS" or given["Name"] not in CAPACITIES:
            raise absent()
        return CAPACITIES[given["Name"]]
    raise _unsupported(kind)


def _unsupported(what: str) -> AwsError:
    return AwsError("WAFInvalidOperationException", f"{what} is not in the embedded AWS.")


def judged(rules: Sequence[Mapping[str, Any]], backend: WAFV2Backend) -> int:
    """What rules take together.

    Raises:
        AwsError: as WAF would refuse them.
    """
    for key in ("Name", "Priority"):
        said = [rule[key] for rule in rules]
        if len(set(said)) < len(said):
            raise invalid("You have used an invalid rule", "RULE", key)
    for rule in rules:
        group = "ManagedRuleGroupStatement" in rule["Statement"]
        if bool(rule.get("OverrideAction")) != group or bool(rule.get("Action")) == group:
            raise invalid("A reference in your rule statement is not valid.", "RULE", rule["Name"])
    return sum(capacity(rule["Statement"], backend) for rule in rules)


def _within(taken: int) -> None:
    if taken > CAPACITY_MOST:
        words = "AWS WAF couldn\u2019t perform the operation because you exceeded your resource limit."
        raise AwsError("WAFLimitsExceededException", words)


@around(WAFV2Backend, "create_web_acl")
def _create_web_acl(create: Any, self: Any, *given: Any, **named: Any) -> Any:
    rules = (named.get("rules") if "rules" in named else given[6]) or []
    taken = judged(rules, self)
    _within(taken)
    made = create(self, *given, **named)
    made.capacity = taken
    return made


@around(WAFV2Backend, "update_web_acl")
def _update_web_acl(update: Any, self: Any, *given: Any, **named: Any) -> Any:
    name, identifier, rules = given[0], given[1], given[3] or []
    taken = judged(rules, self)
    _within(taken)
    token = update(self, *given, **named)
    found = self.get_web_acl(None, name, identifier)
    found.capacity, found.rules = taken, found.rules if rules else []
    return token


@missing(WAFV2Response, "check_capacity")
def _check_capacity(self: Any) -> Any:
    if self._get_param("Scope") == "CLOUDFRONT":
        self.region = EVERYWHERE
    return 200, {}, json.dumps({"Capacity": judged(json.loads(self.body)["Rules"], self.wafv2_backend)})


@missing(WAFV2Response, "list_available_managed_rule_groups")
def _list_available(_: Any) -> Any:
    listed = [{"VendorName": "AWS", "Name": name, "VersioningSupported": True} for name in sorted(CAPACITIES)]
    return 200, {}, json.dumps({"ManagedRuleGroups": listed})


# What asks a web ACL


def distributions(arn: str) -> Iterator[str]:
    """ARNs of the distributions that ask a web ACL."""
    for each in cloudfront_backends[ACCOUNT_ID]["aws"].distributions.values():
        if each.distribution_config.get("WebACLId") == arn:
            yield each.arn


def known(arn: str) -> bool:
    """Whether there is a web ACL that distributions may ask."""
    return arn in wafv2_backends[ACCOUNT_ID][EVERYWHERE].wacls


def balancers(backend: WAFV2Backend) -> Mapping[str, Any]:
    """ARN → load balancer of the backend's region."""
    found: Mapping[str, Any] = elbv2_backends[ACCOUNT_ID][backend.region_name].load_balancers
    return found


@around(WAFV2Backend, "associate_web_acl")
def _associate(associate: Any, self: Any, web_acl_arn: str, resource_arn: str) -> None:
    if ":elasticloadbalancing:" not in resource_arn or ":loadbalancer/app/" not in resource_arn:
        raise invalid("The ARN isn't valid.", "RESOURCE_ARN", resource_arn)
    if web_acl_arn not in self.wacls or resource_arn not in balancers(self):
        raise absent()
    self.disassociate_web_acl(resource_arn)  # one resource, one web ACL
    associate(self, web_acl_arn, resource_arn)


@missing(WAFV2Response, "list_resources_for_web_acl")
def _list_resources(self: Any) -> Any:
    arn = self._get_param("WebACLArn")
    if arn not in self.wafv2_backend.wacls:
        raise absent()
    there = balancers(self.wafv2_backend)
    found = [each for each in self.wafv2_backend.wacls[arn].associated_resources if each in there]
    return 200, {}, json.dumps({"ResourceArns": found})


@around(WAFV2Backend, "delete_web_acl")
def _delete_web_acl(delete: Any, self: Any, name: str, scope: str, _id: str, lock_token: str) -> None:
    found = self.get_web_acl(None, name, _id)
    asking = [] if self.region_name == EVERYWHERE else [*set(found.associated_resources) & set(balancers(self))]
    if asking or any(distributions(found.arn)):
        raise in_use()
    delete(self, name, scope, _id, lock_token)
    wafv2_backends[ACCOUNT_ID][found.arn.split(":")[3]].logging_configurations.pop(found.arn, None)


# Sets of addresses


@around(WAFV2Backend, "create_ip_set")
def _create_ip_set(create: Any, self: Any, *given: Any) -> Any:
    name, version, networks = given[0], given[3], given[4]
    if any(each.name == name for each in self.ip_sets.values()):
        words = "AWS WAF couldn\u2019t perform the operation because some resource in your request is a duplicate"
        raise AwsError("WAFDuplicateItemException", f"{words} of an existing one.")
    _judge_addresses(version, networks)
    return create(self, *given)


@around(WAFV2Backend, "update_ip_set")
def _update_ip_set(update: Any, self: Any, *given: Any) -> Any:
    name, scope, identifier, _, networks, _ = given
    _judge_addresses(self.get_ip_set(name, scope, identifier).ip_address_version, networks)
    return update(self, *given)


def _judge_addresses(version: str, networks: Sequence[str]) -> None:
    for each in networks:
        try:
            found = ipaddress.ip_network(each)
        except ValueError:
            raise invalid("The parameter contains formatting that is not valid.", "IP_ADDRESS", each) from None
        if f"IPV{found.version}" != version or not found.prefixlen or "/" not in each:
            raise invalid("The parameter contains formatting that is not valid.", "IP_ADDRESS", each)


@around(WAFV2Backend, "delete_ip_set")
def _delete_ip_set(delete: Any, self: Any, name: str, scope: str, _id: str, lock_token: str) -> None:
    arn = self.get_ip_set(name, scope, _id).arn
    for acl in self.wacls.values():
        if arn in json.dumps([rule.statement for rule in acl.rules]):
            raise in_use()
    delete(self, name, scope, _id, lock_token)


# The log


@around(WAFV2Backend, "put_logging_configuration")
def _put_logging(put: Any, self: Any, arn: str, destinations: list[str], *more: Any) -> Any:
    # Of a web ACL of CloudFront moto looks in the backend of the region.
    backend = wafv2_backends[ACCOUNT_ID][EVERYWHERE] if ":global/webacl/" in arn else self
    if arn not in backend.wacls:
        raise absent()
    (destination,) = destinations
    group = destination.partition(":log-group:")[2]
    if not group.startswith(LOG_GROUP) or ":" in group:
        raise invalid("The ARN isn't valid. A valid ARN begins with arn:", "LOG_DESTINATION", destination)
    if group not in logs_backends[ACCOUNT_ID][destination.split(":")[3]].groups:
        raise AwsError("WAFLogDestinationPermissionIssueException", f"There is no log group {group}.")
    return put(self, arn, destinations, *more)

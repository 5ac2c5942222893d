"""A web ACL with all that it names, as a proxy's configuration needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from local_aws.cloud import Cloud

ALLOW, BLOCK, COUNT = "allow", "block", "count"
LOG_GROUP = ":log-group:"


@dataclass(frozen=True)
class Rule:
    """A rule of a web ACL: one of addresses, of a rate, or of a managed group.

    Attributes:
        name: as metrics call it.
        action: `allow`, `block` or `count`; a group's that overrides nothing is `block`.
        networks: of a set of addresses.
        limit: requests of an address in five minutes; 0 for no rate.
        group: a managed one.
        counted: rules of the group that count only.
        metric: what CloudWatch calls it.
    """

    name: str
    action: str
    networks: tuple[str, ...] = ()
    limit: int = 0
    group: str = ""
    counted: tuple[str, ...] = ()
    metric: str = ""


@dataclass(frozen=True)
class Firewall:
    """A web ACL.

    Attributes:
        arn: its own.
        name: its own.
        rules: in the order in which they are asked.
        log: log group that all requests are written into; empty for none.
        redacted: headers that are not written into it, in small letters.
        metric: what CloudWatch calls it.
    """

    arn: str
    name: str
    rules: tuple[Rule, ...]
    log: str = ""
    redacted: tuple[str, ...] = ()
    metric: str = ""


def read(acl: Mapping[str, Any], networks: Mapping[str, Sequence[str]], logging: Mapping[str, Any]) -> Firewall:
    """A firewall.

    Args:
        acl: of GetWebACL.
        networks: ARN of a set → its addresses.
        logging: of GetLoggingConfiguration; empty if there is none.
    """
    rules = sorted(acl.get("Rules") or [], key=lambda rule: int(rule["Priority"]))
    (destination,) = logging.get("LogDestinationConfigs") or [""]
    redacted = [each["SingleHeader"]["Name"] for each in logging.get("RedactedFields") or [] if "SingleHeader" in each]
    return Firewall(
        acl["ARN"],
        acl["Name"],
        tuple(_rule(rule, networks) for rule in rules),
        destination.partition(LOG_GROUP)[2],
        tuple(sorted(name.lower() for name in redacted)),
        acl["VisibilityConfig"]["MetricName"],
    )


def _rule(rule: Mapping[str, Any], networks: Mapping[str, Sequence[str]]) -> Rule:
    made = _of_statement(rule, networks)
    return replace(made, metric=rule["VisibilityConfig"]["MetricName"])


def _of_statement(rule: Mapping[str, Any], networks: Mapping[str, Sequence[str]]) -> Rule:
    ((kind, given),) = rule["Statement"].items()
    if kind == "ManagedRuleGroupStatement":
        action = COUNT if "Count" in rule["OverrideAction"] else BLOCK
        overridden = given.get("RuleActionOverrides") or []
        counted = tuple(sorted(each["Name"] for each in overridden if "Count" in each["ActionToUse"]))
        return Rule(rule["Name"], action, group=given["Name"], counted=counted)
    ((action, _),) = rule["Action"].items()
    if kind == "RateBasedStatement":
        return Rule(rule["Name"], action.lower(), limit=int(given["Limit"]))
    return Rule(rule["Name"], action.lower(), tuple(sorted(networks[given["ARN"]])))


def of_balancer(cloud: Cloud, arn: str) -> Firewall | None:
    """The firewall of a load balancer; None if it has none."""
    acl = cloud.look("wafv2", "get_web_acl_for_resource", ResourceArn=arn).get("WebACL")
    return _known(cloud, acl, "REGIONAL") if acl else None


def of_distribution(cloud: Cloud, arn: str) -> Firewall | None:
    """The firewall of a distribution that names it by its ARN; None if it names none."""
    if not arn:
        return None
    name, identifier = arn.split("/")[-2:]
    acl = cloud.look("wafv2", "get_web_acl", Name=name, Id=identifier, Scope="CLOUDFRONT")["WebACL"]
    return _known(cloud, acl, "CLOUDFRONT")


def _known(cloud: Cloud, acl: Mapping[str, Any], scope: str) -> Firewall:
    named = [
        str(rule["Statement"]["IPSetReferenceStatement"]["ARN"])
        for rule in acl.get("Rules") or []
        if "IPSetReferenceStatement" in rule["Statement"]
    ]
    networks = {arn: _addresses(cloud, arn, scope) for arn in named}
    try:
        found = cloud.look("wafv2", "get_logging_configuration", ResourceArn=acl["ARN"])
        logging = found["LoggingConfiguration"]
    except ClientError as absent:
        if absent.response["Error"]["Code"] != "WAFNonexistentItemException":
            raise
        logging = {}
    return read(acl, networks, logging)


def _addresses(cloud: Cloud, arn: str, scope: str) -> list[str]:
    name, identifier = arn.split("/")[-2:]
    return list(cloud.look("wafv2", "get_ip_set", Name=name, Id=identifier, Scope=scope)["IPSet"]["Addresses"])


@dataclass(frozen=True)
class Hit:
    """What became of a request, as a proxy wrote it down.

    Attributes:
        action: `allow` or `block`.
        rule: that decided; empty where the default action did.
        counted: rules that counted it.
        request: `client`, `method`, `uri`, `args`, and headers by their names in small letters.
    """

    action: str
    rule: str
    counted: tuple[str, ...]
    request: Mapping[str, str]

"""What the load balancers say of a service's targets.

Asks DescribeTargetHealth, DescribeTargetGroups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.status.part import Client, Part


def look(client: Client, service: Mapping[str, Any], about: str) -> Part:
    """Ask for the targets, and judge.

    Args:
        client: gives a boto3 client.
        service: of DescribeServices.
        about: `service.web`.
    """
    part = Part([])
    for balancer in service.get("loadBalancers", []):
        arn = balancer.get("targetGroupArn")
        if not arn:
            continue
        described = part.ask(about, "elbv2", _health, client("elbv2"), arn)
        if described is None:
            continue
        found = [_facts(balancer, each) for each in described]
        if any(each["state"] == "unhealthy" for each in found):
            _explain(part, client, arn, found, about)
        part.facts += found
        _judge(part, found, balancer, service, about)
    return part


def _health(elbv2: Any, arn: str) -> list[dict[str, Any]]:
    return list(elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"])


def _path(elbv2: Any, arn: str) -> str:
    """What the health check of a target group asks for; empty where it asks by TCP."""
    return str(elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0].get("HealthCheckPath", ""))


def _facts(balancer: Mapping[str, Any], described: Mapping[str, Any]) -> dict[str, Any]:
    health = described["TargetHealth"]
    return {
        "container": balancer.get("containerName", ""),
        "port": balancer.get("containerPort"),
        "target": f"{described['Target']['Id']}:{described['Target'].get('Port', '')}",
        "state": health["State"],
        "reason": health.get("Description") or health.get("Reason", ""),
    }


def _explain(part: Part, client: Client, arn: str, found: list[dict[str, Any]], about: str) -> None:
    """Put the health check's path to the reason: that is what somebody has to try."""
    path = part.ask(about, "elbv2", _path, client("elbv2"), arn)
    for each in found:
        if path and each["state"] == "unhealthy":
            each["reason"] = f"GET {path}: {each['reason']}"


def _judge(
    part: Part, found: list[dict[str, Any]], balancer: Mapping[str, Any], service: Mapping[str, Any], about: str
) -> None:
    name = about.partition(".")[2]
    typed = verb("logs.yml") + f" -e service={name}"
    where = f"{balancer.get('containerName')}:{balancer.get('containerPort')}"
    for each in found:
        if each["state"] == "unhealthy":
            why = each["reason"] or "no reason given"
            part.is_wrong(about, f"its target {each['target']} ({where}) is unhealthy: {why}", typed)
    if service["desiredCount"] and not any(each["state"] == "healthy" for each in found):
        if any(each["state"] == "initial" for each in found):
            part.note(about, f"no target of {where} is healthy yet; the load balancer is still asking")
        elif not any(each["state"] == "unhealthy" for each in found):
            part.is_wrong(about, f"the load balancer has no target for {where}", typed)

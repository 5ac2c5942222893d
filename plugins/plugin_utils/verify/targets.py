"""The ways in: a listener leads to the target group, that to a container and its port, and it answers as it should."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.site.routes import KEPT_MOST
from plugins.plugin_utils.target_health import TargetHealth
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding
from plugins.plugin_utils.verify.subjects import Task

LEADS, ANSWERS = "a listener leads to it", "answers"
PASSING = ("initial", "draining", "unused")
"""States of a target that say neither that it answers nor that it does not."""


def check(client: Any, task: Task) -> Iterator[Finding]:
    """Look at the target groups of a service.

    Args:
        client: gives a boto3 client by the service's name.
        task: a service.

    Raises:
        ClientError: they cannot be asked for.
    """
    balancers = [each for each in task.service.get("loadBalancers", []) if each.get("targetGroupArn")]
    for balancer in balancers:
        container, port = balancer["containerName"], balancer["containerPort"]
        subject = f"{task.key}/{container}:{port}"
        if wrong := unmapped(task, container, port):
            yield Finding("way in", subject, LEADS, WRONG, wrong)
            continue
        elbv2, arn = client("elbv2"), balancer["targetGroupArn"]
        try:
            (group,) = elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
        except elbv2.exceptions.TargetGroupNotFoundException:
            yield Finding(
                "way in", subject, LEADS, WRONG, f"its target group is gone ({arn}). Type: {verb('site.yml')}"
            )
            continue
        yield listened(subject, group, arn in leading(elbv2, group))
        health = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        yield answering(subject, group, health, TargetHealth(client).look([balancer]), task.service["desiredCount"])


def unmapped(task: Task, container: str, port: int) -> str:
    """What is wrong if the task definition has no such container or port; empty if it has."""
    found = {each["name"]: each for each in task.definition["containerDefinitions"]}
    if container not in found:
        return f"the load balancer's targets are of {container}, and the task has {', '.join(found)}"
    ports = [each["containerPort"] for each in found[container].get("portMappings", [])]
    if port not in ports:
        there = ", ".join(map(str, ports)) or "none"
        return f"the load balancer's targets are port {port} of {container}, which has {there}"
    return ""


def leading(elbv2: Any, group: Mapping[str, Any]) -> set[str]:
    """ARNs of the target groups to which listeners of the group's load balancers lead.

    Not those of maintenance.yml: they let few people through, and go with it.
    """
    found: set[str] = set()
    for balancer in group.get("LoadBalancerArns", []):
        for page in elbv2.get_paginator("describe_listeners").paginate(LoadBalancerArn=balancer):
            for listener in page["Listeners"]:
                found |= _forwards(listener.get("DefaultActions", []))
                if listener["Protocol"] in ("HTTP", "HTTPS"):
                    pages = elbv2.get_paginator("describe_rules").paginate(ListenerArn=listener["ListenerArn"])
                    for rules in pages:
                        for rule in rules["Rules"]:
                            if rule["IsDefault"] or int(rule["Priority"]) > KEPT_MOST:
                                found |= _forwards(rule["Actions"])
    return found


def _forwards(actions: list[Mapping[str, Any]]) -> set[str]:
    several = [each for action in actions for each in action.get("ForwardConfig", {}).get("TargetGroups", [])]
    return {str(each["TargetGroupArn"]) for each in [*actions, *several] if each.get("TargetGroupArn")}


def listened(subject: str, group: Mapping[str, Any], led: bool) -> Finding:
    """Whether a rule of a listener leads to a target group."""
    if led:
        return Finding("way in", subject, LEADS, OK)
    why = f"no rule of a listener leads to {group['TargetGroupName']}. Type: {verb('site.yml')}"
    return Finding("way in", subject, LEADS, WRONG, why)


def answering(
    subject: str, group: Mapping[str, Any], health: Sequence[Mapping[str, Any]], unhealthy: list[str], desired: int
) -> Finding:
    """How the targets answer the load balancer's health check.

    Args:
        subject: of the finding.
        group: of DescribeTargetGroups.
        health: of DescribeTargetHealth.
        unhealthy: a line for each target that is.
        desired: how many tasks there are to be.
    """
    asked = f"GET {group['HealthCheckPath']}" if group.get("HealthCheckPath") else "a connection"
    if unhealthy:
        return Finding("way in", subject, ANSWERS, WRONG, "; ".join(dict.fromkeys(unhealthy)))
    healthy = sum(each["TargetHealth"]["State"] == "healthy" for each in health)
    if healthy:
        return Finding("way in", subject, ANSWERS, OK, f"{asked}: {healthy} healthy")
    if not desired:
        return Finding("way in", subject, ANSWERS, NOT_ASKED, "the service is to run no task")
    states = sorted({each["TargetHealth"]["State"] for each in health})
    if states and set(states) <= set(PASSING):
        return Finding("way in", subject, ANSWERS, NOT_ASKED, f"no target is settled yet ({', '.join(states)})")
    why = f"nothing is registered to answer {asked}: no task of the service is up"
    return Finding("way in", subject, ANSWERS, WRONG, why if not states else f"its targets are {', '.join(states)}")

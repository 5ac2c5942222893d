"""Routes that would answer 503 for a while, as they come to lead to what nobody answers for yet.

CloudFormation points a listener's rule at a new target group as soon as there is one, before the service that registers
its tasks in it: ECS refuses a target group that no rule leads to. Until the first of these tasks is healthy the load
balancer has no target, and answers 503. So it is with a first deployment too; where the route answered before, it is a
gap. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#http-503-issues
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plugins.plugin_utils.layers import parsed

RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
SERVICE = "AWS::ECS::Service"
CONDITIONS = ("HostHeaderConfig", "PathPatternConfig")

Resources = Mapping[str, Mapping[str, Any]]
"""Logical id → resource of a template."""


def gaps(before: Mapping[str, Any], after: Mapping[str, Resources]) -> Iterator[tuple[str, str]]:
    """Layer and sentence for each route that another target group has had, and that comes to an empty one.

    Args:
        before: layer → its deployed template, a text or (as CloudFormation answers for JSON) a mapping; None for none.
        after: layer → resources of the template that is to be deployed.

    Raises:
        yaml.YAMLError: a text is no YAML.
    """
    deployed = {name: _resources(body) for name, body in before.items()}
    had = {said: (name, to) for name, each in deployed.items() for said, (_, to) in _routes(each).items()}
    for name, resources in after.items():
        for said, (group, to) in _routes(resources).items():
            if said not in had or group in deployed.get(name, {}):
                continue  # nobody has asked there, or tasks are in the group already
            giver, was = had[said]
            yield (
                name,
                f"the route {said} leads from {was}{'' if giver == name else f' of {giver}'} to {to}, and may answer "
                f"503 until a task is healthy there. Without this gap it takes two runs: give {to} a further route "
                "first (path: /next), and move this one in the next run.",
            )


def _resources(body: Any) -> Resources:
    content = parsed(body) if isinstance(body, str) else body or {}
    return dict(content.get("Resources", {}))


def _routes(resources: Resources) -> dict[str, tuple[str, str]]:
    """What a route is for (`www.acme.io/api/*`) → its target group, and the container and port behind it."""
    behind = {
        str(way["TargetGroupArn"].get("Ref")): f"{way.get('ContainerName')}:{way.get('ContainerPort')}"
        for each in resources.values()
        if each.get("Type") == SERVICE
        for way in each["Properties"].get("LoadBalancers", [])
    }
    found = {}
    for each in resources.values():
        if each.get("Type") == RULE:
            group = str(each["Properties"]["Actions"][-1].get("TargetGroupArn", {}).get("Ref"))
            if group in behind:
                found[_said(each["Properties"]["Conditions"])] = group, behind[group]
    return found


def _said(conditions: list[Mapping[str, Any]]) -> str:
    given = {key: each[key]["Values"] for each in conditions for key in CONDITIONS if key in each}
    hosts, paths = (sorted(given.get(key, [])) for key in CONDITIONS)
    return f"{', '.join(hosts)}{' and ' if hosts and paths else ''}{', '.join(paths)}"

"""What a load balancer says of a service's targets, remembered: a target that is given up is soon forgotten there.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

HINTS = (
    (
        re.compile(r"codes"),
        "The container answers, but not with {matcher}. Set health of its route (site_services) to a path that needs "
        "no login, no redirect to HTTPS and no Host header: the load balancer asks by address.",
    ),
    (
        re.compile(r"timed out"),
        "Nothing answered in {timeout} s. Does the container listen on port {port}, on 0.0.0.0?",
    ),
    (
        re.compile(r"Health checks failed$"),
        "Nothing took the connection. Does the container listen on port {port}, on 0.0.0.0 rather than 127.0.0.1? "
        "ports of {container} (site_services) must name the port that it listens on.",
    ),
)
"""Descriptions of an unhealthy target → what most often is behind them."""
EVENT = re.compile(
    r"\(instance (?P<host>[^)]+)\) \(port (?P<port>\d+)\) is unhealthy in \(?target-group (?P<group>[^) ]+)\)? due to "
    r"\(reason (?P<why>.*)\)"
)
"""How ECS tells of a target in a service's event, before it gives it up.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
"""


class TargetHealth:
    """The targets that were unhealthy.

    Args:
        client: gives a boto3 client by the service's name.
    """

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client
        self._groups: dict[str, dict[str, Any]] = {}
        self._found: dict[tuple[str, str], str] = {}  # by target group and what is wrong: each task brings a target
        self._hints: dict[str, None] = {}

    def look(self, balancers: list[Mapping[str, Any]]) -> list[str]:
        """Ask for the targets; a line for each that is unhealthy now.

        Args:
            balancers: `loadBalancers` of the service: target group, container, container port.
        """
        lines = []
        for balancer in balancers:
            arn = balancer.get("targetGroupArn", "")
            if not arn:
                continue
            answer = self._client("elbv2").describe_target_health(TargetGroupArn=arn)
            for each in answer.get("TargetHealthDescriptions", []):
                health, target = each["TargetHealth"], each["Target"]
                if health["State"] == "unhealthy":
                    why = str(health.get("Description") or health.get("Reason") or "no reason given")
                    lines.append(self._line(balancer, target["Id"], target["Port"], why))
        return lines

    def heard(self, balancers: list[Mapping[str, Any]], message: str) -> str:
        """The line of a target of which an event tells; empty if it tells of none.

        ECS gives up a target within seconds of its being unhealthy, so that it is hardly ever met in that state.
        """
        told = EVENT.search(message)
        balancer = told and next((each for each in balancers if each.get("targetGroupArn") == told["group"]), None)
        return self._line(balancer, told["host"], told["port"], told["why"]) if told and balancer else ""

    def why(self) -> list[str]:
        """A line for each way in which a target was unhealthy, and what to look at."""
        return [*self._found.values(), *self._hints]

    def _line(self, balancer: Mapping[str, Any], host: str, host_port: str | int, why: str) -> str:
        check = self._check(balancer["targetGroupArn"])
        container, port = balancer["containerName"], balancer["containerPort"]
        path, matcher = check.get("HealthCheckPath", ""), (check.get("Matcher") or {}).get("HttpCode", "200")
        timeout = check.get("HealthCheckTimeoutSeconds", 5)
        if hint := next((hint for pattern, hint in HINTS if pattern.search(why)), ""):
            self._hints[hint.format(container=container, port=port, matcher=matcher, timeout=timeout)] = None
        line = (
            f"the load balancer's GET {path} to container {container}, port {port} (port {host_port} of the host "
            f"{host}): {why}; it must be {matcher}"
        )
        self._found[balancer["targetGroupArn"], why] = line
        return line

    def _check(self, arn: str) -> dict[str, Any]:
        """The health check of a target group; it stays the same for as long as we look."""
        if arn not in self._groups:
            self._groups[arn] = dict(
                self._client("elbv2").describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
            )
        return self._groups[arn]

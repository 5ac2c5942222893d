"""What a load balancer says of a service's targets, remembered: a target that is given up is soon forgotten there.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

HINTS = {
    "Target.ResponseCodeMismatch": (
        "The container answers, but not with {matcher}. Set health_path to a path that needs no login, no redirect to "
        "HTTPS and no Host header: the load balancer asks by address."
    ),
    "Target.Timeout": "Nothing answered in {timeout} s. Does the container listen on port {port}, on 0.0.0.0?",
    "Target.FailedHealthChecks": (
        "Nothing took the connection. Does the container listen on port {port}, on 0.0.0.0 rather than 127.0.0.1? "
        "site_containers.{container}.port must be the port that it listens on."
    ),
}
"""Code of DescribeTargetHealth → what most often is behind it."""


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
                if health["State"] != "unhealthy":
                    continue
                line = self._line(balancer, target, health)
                self._found[arn, _why(health)] = line
                lines.append(line)
        return lines

    def why(self) -> list[str]:
        """A line for each way in which a target was unhealthy, and what to look at."""
        return [*self._found.values(), *self._hints]

    def _line(self, balancer: Mapping[str, Any], target: Mapping[str, Any], health: Mapping[str, Any]) -> str:
        check = self._check(balancer["targetGroupArn"])
        container, port = balancer["containerName"], balancer["containerPort"]
        path, matcher = check.get("HealthCheckPath", ""), (check.get("Matcher") or {}).get("HttpCode", "200")
        hint = HINTS.get(health.get("Reason", ""))
        if hint:
            timeout = check.get("HealthCheckTimeoutSeconds", 5)
            self._hints[hint.format(container=container, port=port, matcher=matcher, timeout=timeout)] = None
        return (
            f"the load balancer's GET {path} to container {container}, port {port} (port {target['Port']} of the host "
            f"{target['Id']}): {_why(health)}; it must be {matcher}"
        )

    def _check(self, arn: str) -> dict[str, Any]:
        """The health check of a target group; it stays the same for as long as we look."""
        if arn not in self._groups:
            self._groups[arn] = dict(
                self._client("elbv2").describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
            )
        return self._groups[arn]


def _why(health: Mapping[str, Any]) -> str:
    return str(health.get("Description") or health.get("Reason") or "no reason given")

"""The health of targets, in the words of DescribeTargetHealth."""

from __future__ import annotations

from local_aws.haproxy import HealthCheck

State = tuple[str, str | None, str | None]
"""State, reason and description."""

INITIAL = ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = ("healthy", None, None)
DRAINING = ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_IN_USE = (
    "unused",
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
OTHER_ZONE = (
    "unused",
    "Target.NotInUse",
    "Target is in an Availability Zone that is not enabled for the load balancer",
)
NO_ADDRESS = ("unused", "Target.InvalidState", "Target is in the stopped state")
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html"""


def unhealthy(result: str, code: str) -> State:
    """State, reason and description of a target whose last check ended in HAProxy's `result` (with HTTP status `code`).

    https://docs.haproxy.org/2.6/management.html#9.1, check_status
    """
    if result == "L7STS":
        return "unhealthy", "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{code}]"
    if result in ("L4TOUT", "L6TOUT", "L7TOUT"):
        return "unhealthy", "Target.Timeout", "Request timed out"
    return "unhealthy", "Target.FailedHealthChecks", "Health checks failed"


def passed(check: HealthCheck) -> str:
    """HAProxy's word for a check that passed."""
    return "L4OK" if check.protocol == "TCP" else "L7OK"

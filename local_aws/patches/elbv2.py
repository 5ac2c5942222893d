"""Target groups know a target by id *and* port, and its health is what the load balancer measured.

An ECS task with a dynamic host port is one target of several on the same instance.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
"""

from __future__ import annotations

from typing import Any

from moto.elbv2.exceptions import InvalidTargetError, TargetNotRunning
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup

from local_aws.patches._moto import around, instead

Target = tuple[str, int]

target_health: dict[str, dict[Target, tuple[str, str | None, str | None]]] = {}
"""Target group ARN → (target id, port) → (state, reason, description), as the load balancer measured it."""

measured = False
"""Set by the load balancers part: a registered target that `target_health` lacks is then `initial`, not healthy."""

DRAINING = ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
"""A target that the load balancer still has, but that is no longer registered."""

NOT_REGISTERED = "Target is not registered to the target group"


def _key(group: Any, target: dict[str, Any]) -> Target:
    return target["Id"], int(target.get("Port") or group.port)


@instead(FakeTargetGroup, "register")
def _register(self: Any, targets: list[dict[str, Any]]) -> None:
    for target in targets:
        instance = self.ec2_backend.get_instance_by_id(target["Id"])
        if instance and instance.state != "running":
            raise TargetNotRunning(instance_id=target["Id"])
        identifier, port = key = _key(self, target)
        self.targets[key] = {"Id": identifier, "Port": port}
        self.deregistered_targets.pop(key, None)


@instead(FakeTargetGroup, "deregister")
def _deregister(self: Any, targets: list[dict[str, Any]]) -> None:
    for target in targets:
        # Without a port, every port of that target.
        keys = [key for key in self.targets if key[0] == target["Id"] and int(target.get("Port") or key[1]) == key[1]]
        if not keys:
            raise InvalidTargetError
        for key in keys:
            self.deregistered_targets[key] = self.targets.pop(key)


@instead(FakeTargetGroup, "deregister_terminated_instances")
def _deregister_terminated_instances(self: Any, instance_ids: list[str]) -> None:
    for key in [key for key in self.targets if key[0] in instance_ids]:
        self.terminated_targets[key] = self.targets.pop(key)


@instead(FakeTargetGroup, "health_for")
def _health_for(self: Any, target: dict[str, Any], _ec2_backend: Any) -> Any:
    identifier, port = key = _key(self, target)
    state: tuple[str, str | None, str | None]
    known = target_health.get(self.arn, {}).get(key)
    if key not in self.targets:
        state = DRAINING if known else ("unused", "Target.NotRegistered", NOT_REGISTERED)
    elif known and known[0] != DRAINING[0]:  # one that is registered again while it drains begins anew
        state = known
    elif measured:
        state = ("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
    else:
        state = ("healthy", None, None)
    health_port = str(port) if self.health_check_port in (None, "traffic-port") else self.health_check_port
    return FakeHealthStatus(identifier, port, health_port, *state)


@around(ELBv2Backend, "describe_target_health")
def _describe_target_health(
    describe: Any, self: Any, target_group_arn: str, targets: list[dict[str, Any]]
) -> list[FakeHealthStatus]:
    """All targets of a group are those that drain, too."""
    found: list[FakeHealthStatus] = describe(self, target_group_arn, targets)
    if not targets:
        group = self.target_groups[target_group_arn]
        for identifier, port in list(target_health.get(target_group_arn, {})):
            if (identifier, port) not in group.targets:
                found.append(group.health_for({"Id": identifier, "Port": port}, self.ec2_backend))
    return found

"""The autoscaling of a cluster's services, and whether a run keeps it from taking tasks away.

https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-suspend-resume-scaling.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

HELD = "Berth::ScaleInHeld"
"""Tag of a target whose scaling in a run has suspended; its value is the run's id."""
DIMENSION = "ecs:service:DesiredCount"
STATES = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


@dataclass(frozen=True)
class Target:
    """The autoscaling of a service.

    Attributes:
        arn: of the scalable target.
        service: name of the ECS service.
        resource: as Application Auto Scaling calls it, `service/<cluster>/<service>`.
        suspended: what of it is, see `STATES`.
        held: the run that has suspended it; None if none has.
    """

    arn: str
    service: str
    resource: str
    suspended: Mapping[str, bool]
    held: str | None

    @property
    def scales_in(self) -> bool:
        """Whether tasks may be taken away."""
        return not self.suspended[STATES[0]]


class Scaling:
    """The autoscaling of a cluster.

    Args:
        client: gives a boto3 client by the service's name.
        cluster: its name.
    """

    def __init__(self, client: Callable[[str], Any], cluster: str) -> None:
        self._scaling, self._cluster = client("application-autoscaling"), cluster

    def targets(self) -> Iterator[Target]:
        """Of each service that scales."""
        begin = f"service/{self._cluster}/"
        # AWS takes a dimension only beside resources.
        for page in self._scaling.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="ecs"):
            for each in page["ScalableTargets"]:
                if each["ResourceId"].startswith(begin) and each["ScalableDimension"] == DIMENSION:
                    arn, state = each["ScalableTargetARN"], each.get("SuspendedState") or {}
                    told = self._scaling.list_tags_for_resource(ResourceARN=arn)  # one page: a target has 50 at most
                    tags = told.get("Tags", {})
                    suspended = {name: bool(state.get(name)) for name in STATES}
                    service = each["ResourceId"].removeprefix(begin)
                    yield Target(arn, service, each["ResourceId"], suspended, tags.get(HELD))

    def hold(self, target: Target, run: str) -> None:
        """Suspend its scaling in. The tag comes first: what is suspended without one is nobody's to let go of.

        Args:
            target: which.
            run: id of the run.
        """
        if target.held != run:
            self._scaling.tag_resource(ResourceARN=target.arn, Tags={HELD: run})
        self._suspend(target, True)

    def let_go(self, target: Target) -> None:
        """Let it scale in again."""
        if not target.scales_in:
            self._suspend(target, False)
        self._scaling.untag_resource(ResourceARN=target.arn, TagKeys=[HELD])

    def _suspend(self, target: Target, suspended: bool) -> None:
        self._scaling.register_scalable_target(
            ServiceNamespace="ecs",
            ScalableDimension=DIMENSION,
            ResourceId=target.resource,
            SuspendedState={**target.suspended, STATES[0]: suspended},
        )

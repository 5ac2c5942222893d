"""Application Auto Scaling's real half: ECS services get more tasks, and fewer, by what their metrics are.

Its minutes are those of the embedded AWS (`Cloud.minute`), so that a test need not wait a quarter of an hour; requests
are counted for a whole minute all the same, so that a target means the same load.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends

from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID
from local_aws.ecs import control_plane
from local_aws.ecs.state import Service
from local_aws.load_balancers import traffic
from local_aws.part import Health, Part
from local_aws.patches import scaling_policies
from local_aws.scaling import tracking
from local_aws.scaling.tracking import Last, Policy, Step

Key = tuple[str, str]
"""Region, and what is scaled: `service/<cluster>/<service>`."""
SUSPENDED = ("DynamicScalingOutSuspended", "DynamicScalingInSuspended")


@dataclass
class Series:
    """What the metric of a policy was.

    Attributes:
        values: of the last minutes.
        samples: of the minute that goes on.
        counted: requests until the last minute's end; None as long as none was looked at.
    """

    values: deque[float | None] = field(default_factory=lambda: deque(maxlen=tracking.IN_MINUTES))
    samples: list[float] = field(default_factory=list)
    counted: int | None = None


@dataclass
class Scaled:
    """What was done with a service: the last scale-out and scale-in, and why the last step failed."""

    out: Last | None = None
    back: Last | None = None
    trouble: str = ""


class Scaling(Part):
    """Applies the target tracking policies of ECS services.

    Args:
        cloud: the embedded AWS.
        clock: seconds.
    """

    name = "scaling"

    def __init__(self, cloud: Cloud, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(cloud)
        self._clock = clock
        self._ended = clock()
        self._series: dict[str, Series] = {}
        self._scaled: dict[Key, Scaled] = {}

    def reconcile(self) -> None:
        """Take a sample of what there are policies for; at the end of a minute, judge."""
        found = {key: policies for key, _, policies in _targets() if policies}
        arns = {policy.policy_arn for policies in found.values() for policy in policies}
        self._series = {arn: self._series.get(arn, Series()) for arn in arns}
        self._scaled = {key: self._scaled.get(key, Scaled()) for key in found}
        if not found:
            self._ended = self._clock()
            return
        for region in {region for region, _ in found}:
            self._sample(region, [each for (name, _), policies in found.items() if name == region for each in policies])
        now = self._clock()
        passed = now - self._ended
        if passed < self.cloud.minute:
            return
        self._ended = now
        for key, target, policies in _targets():
            if policies and key in found:
                for policy in policies:
                    self._end_minute(policy, passed)
                self._judge(key, target, policies, now)

    def health(self) -> list[Health]:
        """A line for each service that scales: between which numbers, by what, and what that was last."""
        lines = []
        for key, target, policies in _targets():
            about = [f"{target.min_capacity} to {target.max_capacity} tasks"]
            for policy in policies:
                values = self._series.get(policy.policy_arn, Series()).values
                value = "no data" if not values or values[-1] is None else f"{values[-1]:.0f}"
                about.append(f"{policy.policy_name} {value} of {_rules(policy, 1.0).target:.0f}")
            trouble = self._scaled.get(key, Scaled()).trouble
            lines.append(Health(f"scaling of {key[1]}", not trouble, trouble or "; ".join(about)))
        return lines

    def _sample(self, region: str, policies: list[Any]) -> None:
        """Take up utilizations, which the agents tell of; requests are counted by the load balancers."""
        wanted = [each for each in policies if scaling_policies.metric(each) != "ALBRequestCountPerTarget"]
        if not wanted:
            return
        told = {
            (each["MetricName"], *(dimension["Value"] for dimension in each["Dimensions"])): float(each["Value"])
            for each in control_plane.of(self.cloud).regional(region).metrics.data()
        }
        for policy in wanted:
            _, cluster, service = policy.resource_id.split("/")
            value = told.get((scaling_policies.METRICS[scaling_policies.metric(policy)], cluster, service))
            if value is not None:
                self._series[policy.policy_arn].samples.append(value)

    def _end_minute(self, policy: Any, seconds: float) -> None:
        """Add a value, None where there was no data. No request at all is no data, as on AWS."""
        series = self._series[policy.policy_arn]
        if scaling_policies.metric(policy) != "ALBRequestCountPerTarget":
            series.values.append(sum(series.samples) / len(series.samples) if series.samples else None)
            series.samples.clear()
            return
        group = traffic.of(self.cloud).groups.get(scaling_policies.label(policy), traffic.Group())
        before, series.counted = series.counted, group.requests
        new = 0 if before is None else group.requests - before
        series.values.append(new / max(group.healthy, 1) * tracking.MINUTE / seconds if new > 0 else None)

    def _judge(self, key: Key, target: Any, policies: list[Any], now: float) -> None:
        service = self._service(key)
        if service is None:
            return
        speed = self.cloud.minute / tracking.MINUTE
        rules = {
            each.policy_name: (_rules(each, speed), list(self._series[each.policy_arn].values)) for each in policies
        }
        for policy in policies:
            _ring(key[0], policy, *rules[policy.policy_name])
        done = self._scaled[key]
        suspended = target.suspended_state or {}
        step = tracking.step(
            tracking.Service(
                service.desired,
                int(target.min_capacity),
                int(target.max_capacity),
                deploying=len(service.deployments) > 1 or service.primary.state == "IN_PROGRESS",
                out_suspended=bool(suspended.get(SUSPENDED[0])),
                in_suspended=bool(suspended.get(SUSPENDED[1])),
                last_out=done.out,
                last_in=done.back,
            ),
            rules,
            now,
        )
        if step is None:
            return
        before, policy = service.desired, next(each for each in policies if each.policy_name == step.policy)
        if self._set(key, policy, service, step):
            chosen, _ = rules[step.policy]
            if step.out:
                done.out, done.back = Last(now, before, chosen.out_cooldown), None
            else:
                done.back = Last(now, before, chosen.in_cooldown)

    def _set(self, key: Key, policy: Any, service: Service, step: Step) -> bool:
        """Tell ECS, and record it. Whether ECS took it."""
        region, resource = key
        alarm = policy.alarms[0 if step.out else 1].name
        cause = f"monitor alarm {alarm} in state ALARM triggered policy {policy.policy_name}"
        description = f"Setting desired count to {step.count}."
        status, message = "Successful", (
            f"Successfully set desired count to {step.count}. Change successfully fulfilled by ecs."
        )  # fmt: skip
        done = self._scaled[key]
        try:
            self.cloud.client("ecs", region).update_service(
                cluster=service.cluster, service=service.arn, desiredCount=step.count
            )
            done.trouble = ""
        except ClientError as error:
            status, message = "Failed", f"Failed to set desired count to {step.count}. Reason: {error}"
            done.trouble = message
        backend = applicationautoscaling_backends[ACCOUNT_ID][region]
        scaling_policies.record(backend, resource, cause, description, status, message)
        self.log.info("%s: %s %s", resource, cause, message)
        return status == "Successful"

    def _service(self, key: Key) -> Service | None:
        region, (_, cluster, name) = key[0], key[1].split("/")
        known = control_plane.of(self.cloud)
        with known.state.lock:
            services = list(known.state.region(region).services.values())
        return next(
            (each for each in services if (each.cluster, each.name, each.status) == (cluster, name, "ACTIVE")), None
        )


def _targets() -> Iterator[tuple[Key, Any, list[Any]]]:
    """Each scalable target of ECS with its target tracking policies, of all regions."""
    for region, backend in list(applicationautoscaling_backends[ACCOUNT_ID].items()):
        for target in [each for targets in list(backend.targets.values()) for each in list(targets.values())]:
            if target.service_namespace == "ecs":
                mine = [each for each in list(backend.policies.values()) if each.resource_id == target.resource_id]
                yield (region, target.resource_id), target, mine


def _rules(policy: Any, speed: float) -> Policy:
    """A policy of moto's as the rules have it; `speed` is what its cooldowns are multiplied by."""
    config = policy.target_tracking_scaling_policy_configuration

    def cooldown(name: str) -> float:
        given = config.get(name)
        return (tracking.COOLDOWN_SECONDS if given is None else float(given)) * speed

    return Policy(
        float(config["TargetValue"]),
        not config.get("DisableScaleIn"),
        cooldown("ScaleOutCooldown"),
        cooldown("ScaleInCooldown"),
    )


def _ring(region: str, policy: Any, rules: Policy, values: list[float | None]) -> None:
    """Give both alarms of a policy their state."""
    backend = cloudwatch_backends[ACCOUNT_ID][region]
    known = any(each is not None for each in values[-tracking.OUT_MINUTES :])
    for alarm, rings in zip(
        policy.alarms, (tracking.is_high(rules, values), tracking.is_low(rules, values)), strict=True
    ):
        state = "ALARM" if rings else "OK" if known else "INSUFFICIENT_DATA"
        if alarm.name in backend.alarms and alarm.state_value != state:
            backend.set_alarm_state(alarm.name, f"Threshold: {alarm.threshold}, the last: {values[-1]}", "{}", state)

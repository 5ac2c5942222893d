"""Target tracking: how many tasks a service should have, by what its metrics were in the last minutes.

Pure: no API and no clock. The rules, as AWS has them:

- A policy is ready to scale out when the last 3 minutes were all above its target, and to scale in when the last 15
  were all below nine tenths of it: the two alarms that it makes of itself. A minute without data is neither.
  https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
- Of several policies one is enough to scale out, the one that wants most. To scale in, all that may are to be ready.
  https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html#target-tracking-multiple-scaling-policies
- While the cooldown after a scale-out lasts, what it has added counts as what the next one would add: only a greater
  one goes on. The cooldown after a scale-in keeps off another scale-in, and ends with a scale-out.
  https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html#target-tracking-cooldown
- While ECS deploys a service, it is not scaled in.
  https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-auto-scaling.html

AWS says that it scales out in proportion to the metric, and in "more gradually", but not how: here by a tenth of the
tasks, one at least. That nine tenths are the threshold of the lower alarm is not documented either; it is what is seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MINUTE = 60.0
OUT_MINUTES = 3
IN_MINUTES = 15
IN_SHARE = 0.9
GRADUALLY = 10
"""A scale-in takes away this part of the tasks."""
COOLDOWN_SECONDS = 300.0
"""Of ECS services, where a policy does not say."""
TINY = 1e-9
"""What floats may be off: 4 tasks at 30 of 60 percent are 2, and not 3."""

Minutes = Sequence[float | None]
"""The values of a metric, a minute each, the newest last; None where there was no data."""


@dataclass(frozen=True)
class Policy:
    """A target tracking policy.

    Attributes:
        target: what its metric should be.
        scales_in: whether it may take tasks away.
        out_cooldown, in_cooldown: seconds.
    """

    target: float
    scales_in: bool = True
    out_cooldown: float = COOLDOWN_SECONDS
    in_cooldown: float = COOLDOWN_SECONDS


@dataclass(frozen=True)
class Last:
    """The last scale-out, or scale-in, of a service.

    Attributes:
        at: when, in seconds.
        before: how many tasks were wanted until then.
        cooldown: seconds, of the policy that did it.
    """

    at: float
    before: int
    cooldown: float

    def cools(self, now: float) -> bool:
        """Whether its cooldown lasts at `now`."""
        return now < self.at + self.cooldown


@dataclass(frozen=True)
class Service:
    """What is to be scaled, as it is now.

    Attributes:
        count: of its tasks that are wanted.
        least, most: the limits of the count.
        deploying: whether ECS deploys it.
        out_suspended, in_suspended: whether somebody has suspended the one or the other.
        last_out, last_in: what was done before; None if nothing was.
    """

    count: int
    least: int
    most: int
    deploying: bool = False
    out_suspended: bool = False
    in_suspended: bool = False
    last_out: Last | None = None
    last_in: Last | None = None


@dataclass(frozen=True)
class Step:
    """What is to be done: how many tasks are to be wanted, and by which policy."""

    count: int
    policy: str
    out: bool


def is_high(policy: Policy, values: Minutes) -> bool:
    """Whether the upper alarm of a policy rings."""
    newest = values[-OUT_MINUTES:]
    return len(newest) == OUT_MINUTES and all(each is not None and each > policy.target for each in newest)


def is_low(policy: Policy, values: Minutes) -> bool:
    """Whether the lower alarm of a policy rings."""
    newest = values[-IN_MINUTES:]
    threshold = IN_SHARE * policy.target
    return len(newest) == IN_MINUTES and all(each is not None and each < threshold for each in newest)


def wanted(policy: Policy, count: int, value: float) -> int:
    """How many tasks would bring the metric to the target, if `count` have it at `value`."""
    return math.ceil(count * value / policy.target - TINY)


def step(service: Service, policies: Mapping[str, tuple[Policy, Minutes]], now: float) -> Step | None:
    """What to do now; None if nothing.

    Args:
        service: what is to be scaled.
        policies: name → policy and the values of its metric.
        now: seconds, as in `Last.at`.
    """
    return _out(service, policies, now) or _in(service, policies, now)


def _out(service: Service, policies: Mapping[str, tuple[Policy, Minutes]], now: float) -> Step | None:
    if service.out_suspended:
        return None
    last = service.last_out
    base = last.before if last and last.cools(now) else service.count
    asked = [
        (wanted(policy, base, values[-1] or 0.0), name)
        for name, (policy, values) in policies.items()
        if is_high(policy, values)
    ]
    if not asked:
        return None
    count, name = max(asked)
    count = min(count, service.most)
    return Step(count, name, True) if count > service.count else None


def _in(service: Service, policies: Mapping[str, tuple[Policy, Minutes]], now: float) -> Step | None:
    ready = {name: (policy, values) for name, (policy, values) in policies.items() if policy.scales_in}
    if (
        not ready
        or service.in_suspended
        or service.deploying
        or (service.last_in and service.last_in.cools(now))
        or not all(is_low(policy, values) for policy, values in ready.values())
    ):
        return None
    count, name = max(
        (wanted(policy, service.count, values[-1] or 0.0), name) for name, (policy, values) in ready.items()
    )
    gradual = service.count - max(1, service.count // GRADUALLY)
    count = max(count, gradual, service.least)
    return Step(count, name, False) if count < service.count else None

"""The state that data give an alarm, by AWS's rules for points that are missing.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
("Configuring how CloudWatch alarms treat missing data"): a few periods more than EvaluationPeriods are looked at; where
enough of them have data, the newest of those decide, and only what is short of that is filled in.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass

OK, ALARM, NO_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
EXTRA_PERIODS = 2
"""How many more than EvaluationPeriods are looked at, as in the examples of AWS's page."""
COMPARISONS = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
FILLED = {"breaching": True, "notBreaching": False}


@dataclass(frozen=True)
class Rule:
    """How an alarm judges.

    Attributes:
        comparison: one of `COMPARISONS`.
        threshold: what a point is compared with.
        periods: EvaluationPeriods.
        points: DatapointsToAlarm.
        missing: TreatMissingData.
    """

    comparison: str
    threshold: float
    periods: int
    points: int
    missing: str


def judge(values: Sequence[float | None], rule: Rule, before: str) -> str:
    """The state of an alarm.

    Args:
        values: of the last `rule.periods + EXTRA_PERIODS` periods, the newest first; None where there is no data.
        rule: how it judges.
        before: its state until now.
    """
    compare = COMPARISONS[rule.comparison]
    real = [compare(value, rule.threshold) for value in values if value is not None][: rule.periods]
    short = rule.periods - len(real)
    if rule.missing in FILLED:
        return _state(real + [FILLED[rule.missing]] * short, rule.points)
    if rule.missing == "ignore":
        best, worst = (_state(real + [filled] * short, rule.points) for filled in (False, True))
        return best if best == worst else before
    if not real:
        return NO_DATA
    return _state(real, min(rule.points, len(real)))


def _state(breaching: Sequence[bool], points: int) -> str:
    return ALARM if sum(breaching) >= points else OK

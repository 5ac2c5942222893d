"""A look at all alarms of a region."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from local_aws.alarms.evaluation import ALARM, EXTRA_PERIODS, NO_DATA, OK, Rule, judge
from local_aws.alarms.points import looked_at, values
from local_aws.patches import cloudwatch

FIRST = timedelta(seconds=90)
"""An alarm is first looked at so long after it was made or changed: data come once a minute."""
BY_HAND = timedelta(seconds=60)
"""A state that SetAlarmState has given stays for so long, as CloudWatch looks at an alarm once a minute."""
REASONS = {
    OK: "Threshold not crossed: {values}.",
    ALARM: "Threshold crossed: {values} against {threshold}; missing data is {missing}.",
    NO_DATA: "Insufficient data: no points.",
}


def look(backend: Any, now: datetime) -> None:
    """Give each alarm that has data here the state that they ask for, and tell what is no longer muted.

    Args:
        backend: moto's, of the region.
        now: with its time zone.
    """
    for alarm in list(backend.alarms.values()):
        if looked_at(alarm) and now >= _first(alarm):
            rule = Rule(
                alarm.comparison_operator,
                float(alarm.threshold),
                int(alarm.evaluation_periods),
                int(alarm.datapoints_to_alarm or alarm.evaluation_periods),
                alarm.treat_missing_data or "missing",
            )
            found = values(list(backend.metric_data), alarm, rule.periods + EXTRA_PERIODS, now)
            state = judge(found, rule, alarm.state_value)
            said = [value for value in found if value is not None][: rule.periods]
            reason = REASONS[state].format(values=said, threshold=rule.threshold, missing=rule.missing)
            cloudwatch.change(backend, alarm, state, reason)
    cloudwatch.tell_what_was_muted(backend, now)


def _first(alarm: Any) -> datetime:
    made = alarm.configuration_updated_timestamp
    by_hand = getattr(alarm, "set_by_hand", None)
    first: datetime = (made if made.tzinfo else made.replace(tzinfo=UTC)) + FIRST
    return max(first, by_hand + BY_HAND) if by_hand else first

"""The data that an alarm looks at, of moto's: which metrics there are, and their values period by period."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.models import Statistics

PROVIDED = frozenset(
    {
        ("AWS/ApplicationELB", "HealthyHostCount"),
        ("AWS/ApplicationELB", "UnHealthyHostCount"),
        ("AWS/AutoScaling", "GroupDesiredCapacity"),
        ("AWS/AutoScaling", "GroupInServiceInstances"),
        ("AWS/ECS", "CPUUtilization"),
        ("AWS/ECS", "MemoryUtilization"),
        ("AWS/NetworkELB", "HealthyHostCount"),
        ("AWS/NetworkELB", "UnHealthyHostCount"),
    }
)
"""AWS's own metrics that are written here. Those of a site, in other namespaces, are there once it sends them."""
KEPT, KEPT_OWN = timedelta(hours=3), timedelta(days=8)
"""For how long data of AWS's own metrics and of a site's are kept; AWS keeps those of a minute for 15 days."""
STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


def looked_at(alarm: Any) -> bool:
    """Whether an alarm's metric can have data here, in a statistic that is computed here."""
    if alarm.metric_data_queries or alarm.statistic not in STATISTICS:
        return False
    return not alarm.namespace.startswith("AWS/") or (alarm.namespace, alarm.metric_name) in PROVIDED


def values(data: Iterable[Any], alarm: Any, periods: int, now: datetime) -> list[float | None]:
    """An alarm's metric in its statistic, of so many periods, the newest first; None where there is no data.

    The newest is the one that goes on, if there is data of it already.

    Args:
        data: moto's of all metrics.
        alarm: moto's.
        periods: how many.
        now: with its time zone.
    """
    wanted = sorted((each.name, each.value) for each in alarm.dimensions)
    buckets: dict[int, list[Any]] = {}
    for each in data:
        if (each.namespace, each.name) == (alarm.namespace, alarm.metric_name) and wanted == sorted(
            (dimension.name, dimension.value) for dimension in each.dimensions
        ):
            buckets.setdefault(int(_utc(each.timestamp).timestamp() // alarm.period), []).append(each)
    newest = int(now.timestamp() // alarm.period)
    begin = newest if newest in buckets else newest - 1
    return [_value(buckets.get(number), alarm.statistic, now) for number in range(begin, begin - periods, -1)]


def forget(backend: Any, now: datetime) -> None:
    """Drop what is older than is kept."""
    kept = {True: KEPT, False: KEPT_OWN}
    backend.metric_data[:] = [
        each for each in backend.metric_data if now - _utc(each.timestamp) < kept[each.namespace.startswith("AWS/")]
    ]


def _value(data: list[Any] | None, statistic: str, now: datetime) -> float | None:
    if not data:
        return None
    found = Statistics([statistic], now)
    found.metric_data = data
    value = found.get_statistics_for_type(statistic)
    return None if value is None else float(value)


def _utc(given: datetime) -> datetime:
    """moto's times are in UTC, with or without saying so."""
    return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)

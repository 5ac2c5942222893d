"""Managed scaling's arithmetic, rule by rule; the pages are named in local_aws/scaling/hosts.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local_aws.scaling.hosts import Limits, Size, bins, fewer, reservation, wanted

HOST = Size(1024, 1000)
GROUP = Limits(least=1, most=5)


@pytest.mark.parametrize(
    ("waiting", "hosts"),
    [
        ([], 0),
        ([Size(0, 100)], 1),
        ([Size(0, 500)] * 2, 1),
        ([Size(0, 500)] * 3, 2),
        ([Size(1000, 10)] * 2, 2),
        ([Size(0, 10, ((80, "tcp"),))] * 3, 3),
        ([Size(0, 10, ((80, "tcp"),)), Size(0, 10, ((81, "tcp"),))], 1),
    ],
    ids=["none", "one", "memory", "more memory", "cpu", "one port", "two ports"],
)
def test_how_many_empty_hosts_hold_the_tasks_at_best(waiting: list[Size], hosts: int) -> None:
    assert bins(waiting, HOST) == hosts


def test_of_hosts_that_nobody_has_seen_one_is_tried() -> None:
    assert bins([Size(0, 500)] * 9, None) == 1
    assert bins([], None) == 0
    assert bins([Size(0, 500)], Size(0, 0)) == 1


@pytest.mark.parametrize(
    ("needed", "there", "value"),
    [(2, 2, 100.0), (3, 2, 150.0), (1, 2, 50.0), (0, 0, 100.0), (2, 0, 200.0), (0, 2, 0.0)],
)
def test_the_reservation(needed: int, there: int, value: float) -> None:
    assert reservation(needed, there) == value


@pytest.mark.parametrize(
    ("needed", "there", "limits", "count"),
    [
        (3, 2, GROUP, 3),
        (2, 2, GROUP, 2),
        (1, 2, GROUP, 2),
        (9, 2, GROUP, 5),
        (2, 6, GROUP, 6),
        (7, 6, GROUP, 6),
        (4, 4, replace(GROUP, target=80), 5),
        (4, 2, replace(GROUP, step_most=1), 3),
        (3, 2, replace(GROUP, step_least=2), 4),
        (3, 3, replace(GROUP, target=100 / 3 * 3), 3),
    ],
)
def test_hosts_come_as_tasks_need_them(needed: int, there: int, limits: Limits, count: int) -> None:
    assert wanted(needed, there, limits) == count


@pytest.mark.parametrize(
    ("needed", "there", "values", "count"),
    [
        (1, 3, [33.0] * 15, 1),
        (1, 3, [33.0] * 14, 3),
        (1, 3, [100.0, *[33.0] * 14], 3),
        (1, 3, [100.0, *[33.0] * 15], 1),
        (0, 3, [0.0] * 15, 1),
        (2, 3, [66.0] * 15, 2),
        (2, 2, [99.0] * 15, 2),
    ],
    ids=["long", "too short", "not all", "long ago", "the least", "some", "as many"],
)
def test_hosts_go_once_they_were_too_many_for_long(needed: int, there: int, values: list[float], count: int) -> None:
    assert fewer(needed, there, GROUP, values) == count

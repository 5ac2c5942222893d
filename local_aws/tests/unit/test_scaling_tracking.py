"""Target tracking, rule by rule; the pages are named in local_aws/scaling/tracking.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local_aws.scaling.tracking import Last, Minutes, Policy, Service, Step, is_high, is_low, step

CPU = Policy(60.0)
WEB = Service(count=2, least=2, most=6)
LOW: Minutes = [10.0] * 15


def high(value: float) -> Minutes:
    return [20.0, value, value, value]


def decided(service: Service, values: Minutes, policy: Policy = CPU, now: float = 1000.0) -> int | None:
    """The count that is to be; None if nothing is to be done."""
    found = step(service, {"cpu": (policy, values)}, now)
    return found.count if found else None


@pytest.mark.parametrize(
    ("values", "rings"),
    [
        ([61.0, 61.0, 61.0], True),
        ([61.0, 61.0], False),
        ([60.0, 61.0, 61.0], False),
        ([61.0, None, 61.0], False),
        ([None, 61.0, 61.0, 61.0], True),
    ],
)
def test_three_minutes_above_the_target_ring(values: Minutes, rings: bool) -> None:
    assert is_high(CPU, values) == rings


@pytest.mark.parametrize(
    ("values", "rings"),
    [([53.9] * 15, True), ([53.9] * 14, False), ([54.0, *[53.9] * 14], False), ([*[53.9] * 14, None], False)],
)
def test_fifteen_minutes_below_nine_tenths_ring(values: Minutes, rings: bool) -> None:
    assert is_low(CPU, values) == rings


@pytest.mark.parametrize(
    ("value", "count"), [(61, 3), (90, 3), (91, 4), (120, 4), (500, 6)], ids=["bit", "half", "more", "twice", "limit"]
)
def test_it_scales_out_in_proportion_up_to_the_limit(value: float, count: int) -> None:
    assert decided(WEB, high(value)) == count


def test_at_the_limits_nothing_is_done() -> None:
    assert decided(replace(WEB, count=6), high(90)) is None
    assert decided(WEB, LOW) is None, "there are no fewer than the least"
    assert decided(replace(WEB, count=3), LOW) == 2


@pytest.mark.parametrize(("count", "then"), [(3, 2), (6, 5), (20, 18), (100, 90)])
def test_it_scales_in_gradually(count: int, then: int) -> None:
    assert decided(replace(WEB, count=count, most=100), [0.0] * 15) == then


def test_it_scales_in_no_further_than_the_metric_allows() -> None:
    assert decided(replace(WEB, count=100, most=100), [58.0] * 15) is None, "58 is not below nine tenths"
    assert decided(replace(WEB, count=40, most=100), [*[10.0] * 14, 53.9]) == 36
    assert decided(replace(WEB, count=4, most=100), [*[10.0] * 14, 46.0]) is None, "4 at 46 are 3.07, which is 4 again"


def test_during_the_cooldown_only_a_greater_scale_out_goes_on() -> None:
    cooling = replace(WEB, count=4, last_out=Last(at=900.0, before=2, cooldown=300.0))
    assert decided(cooling, high(120)) is None, "the 2 that are added count"
    assert decided(cooling, high(150)) == 5
    assert decided(cooling, high(120), now=1200.0) == 6


def test_the_cooldown_of_a_scale_in_keeps_off_another_one_alone() -> None:
    cooling = replace(WEB, count=4, last_in=Last(at=900.0, before=5, cooldown=300.0))
    assert decided(cooling, LOW) is None
    assert decided(cooling, LOW, now=1200.0) == 3
    assert decided(cooling, high(90)) == 6


def test_a_deployment_keeps_off_a_scale_in_alone() -> None:
    deploying = replace(WEB, count=4, deploying=True)
    assert decided(deploying, LOW) is None
    assert decided(deploying, high(61)) == 5


def test_what_is_suspended_is_not_done() -> None:
    service = replace(WEB, count=4)
    assert decided(replace(service, in_suspended=True), LOW) is None
    assert decided(replace(service, in_suspended=True), high(61)) == 5
    assert decided(replace(service, out_suspended=True), high(61)) is None
    assert decided(replace(service, out_suspended=True), LOW) == 3


def test_a_policy_that_may_not_scale_in() -> None:
    service = replace(WEB, count=4)
    assert decided(service, LOW, replace(CPU, scales_in=False)) is None
    both = {"cpu": (CPU, LOW), "memory": (replace(CPU, scales_in=False), [55.0] * 15)}
    assert step(service, both, 0.0) == Step(3, "cpu", False), "nor keeps it off"


def test_of_several_policies_one_scales_out_and_all_scale_in() -> None:
    service = replace(WEB, count=4)
    assert step(service, {"cpu": (CPU, high(70)), "memory": (CPU, high(80))}, 0.0) == Step(6, "memory", True)
    assert step(service, {"cpu": (CPU, high(70)), "memory": (CPU, LOW)}, 0.0) == Step(5, "cpu", True)
    assert step(service, {"cpu": (CPU, LOW), "memory": (CPU, LOW)}, 0.0) == Step(3, "memory", False)
    assert step(service, {"cpu": (CPU, LOW), "memory": (CPU, [55.0] * 15)}, 0.0) is None
    assert step(service, {"cpu": (CPU, LOW), "requests": (CPU, [None] * 15)}, 0.0) is None, "no data is no low load"
    assert step(service, {}, 0.0) is None

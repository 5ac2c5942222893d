"""How a rolling deployment moves, by minimumHealthyPercent and maximumPercent."""

from __future__ import annotations

import pytest

from local_aws.ecs.deployments import Counts, Step, bounds, pause, step, threshold


def config(minimum: int, maximum: int) -> dict[str, int]:
    return {"minimumHealthyPercent": minimum, "maximumPercent": maximum}


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum", "expected"),
    [
        (1, 100, 200, (1, 2)),
        (3, 50, 150, (2, 4)),
        (1, 0, 100, (0, 1)),
        (0, 100, 200, (0, 0)),
        (500, 100, 200, (500, 1000)),
    ],
)
def test_bounds_round_up_and_down(desired: int, minimum: int, maximum: int, expected: tuple[int, int]) -> None:
    assert bounds(desired, config(minimum, maximum)) == expected


@pytest.mark.parametrize(
    ("counts", "configuration", "expected"),
    [
        # A new service starts all its tasks at once.
        (Counts(2, 0, 0, 0, 0, 0), config(100, 200), Step(2, 0, 0)),
        # 100/200: first the new one, then the old one goes when the new one is healthy.
        (Counts(1, 0, 0, 1, 0, 1), config(100, 200), Step(1, 0, 0)),
        (Counts(1, 1, 0, 1, 0, 2), config(100, 200), Step(0, 0, 0)),
        (Counts(1, 1, 1, 1, 0, 2), config(100, 200), Step(0, 0, 1)),
        # 0/100: the old one is told to go, then the new one starts.
        (Counts(1, 0, 0, 1, 0, 1), config(0, 100), Step(0, 0, 1)),
        (Counts(1, 0, 0, 0, 0, 0), config(0, 100), Step(1, 0, 0)),
        # 100/100 is the deadlock that it is on AWS.
        (Counts(1, 0, 0, 1, 0, 1), config(100, 100), Step(0, 0, 0)),
        # 50/100 of two: one by one.
        (Counts(2, 0, 0, 2, 0, 2), config(50, 100), Step(0, 0, 1)),
        (Counts(2, 0, 0, 1, 0, 1), config(50, 100), Step(1, 0, 0)),
        (Counts(2, 1, 1, 1, 0, 2), config(50, 100), Step(0, 0, 1)),
        # Old tasks that do not work hold up nothing when there is no room beside them.
        (Counts(1, 0, 0, 0, 1, 1), config(100, 100), Step(0, 0, 1)),
        # New tasks that are there and not healthy yet are waited for, whatever the lower bound.
        (Counts(2, 2, 0, 2, 0, 4), config(50, 200), Step(0, 0, 0)),
        # Scale-in, and a service that is scaled to nothing in the middle of a deployment.
        (Counts(1, 3, 3, 0, 0, 3), config(100, 200), Step(0, 2, 0)),
        (Counts(0, 1, 1, 1, 0, 2), config(100, 200), Step(0, 1, 1)),
    ],
)
def test_step(counts: Counts, configuration: dict[str, int], expected: Step) -> None:
    assert step(counts, configuration, room=True) == expected


def test_no_room_stops_old_tasks_only_down_to_the_lower_bound() -> None:
    counts = Counts(2, 0, 0, 2, 0, 2)
    assert step(counts, config(50, 200), room=True) == Step(2, 0, 0)
    assert step(counts, config(50, 200), room=False) == Step(2, 0, 1)
    assert step(counts, config(100, 200), room=False) == Step(2, 0, 0)


@pytest.mark.parametrize(
    ("desired", "breaker", "expected"),
    [
        (1, {}, 3),
        (10, {}, 5),
        (11, {}, 6),
        (300, {}, 150),
        (1000, {}, 200),
        (1, {"thresholdConfiguration": {"type": "COUNT", "value": 1}}, 1),
        (0, {"thresholdConfiguration": {"type": "COUNT", "value": 0}}, 1),
        (1, {"thresholdConfiguration": {"type": "COUNT"}}, 3),
        (0, {"thresholdConfiguration": {"type": "UNBOUNDED_PERCENT", "value": 10}}, 1),
        (1000, {"thresholdConfiguration": {"type": "UNBOUNDED_PERCENT", "value": 50}}, 500),
        (1000, {"thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50}}, 200),
        (10, {"thresholdConfiguration": {"type": "UNBOUNDED_PERCENT", "value": 10}}, 1),
        (10, {"thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 10}}, 3),
    ],
)
def test_threshold(desired: int, breaker: dict[str, object], expected: int) -> None:
    assert threshold(desired, breaker) == expected


def test_pause_grows_after_the_third_failure() -> None:
    assert [pause(count) for count in (0, 3, 4, 5, 20)] == [0.0, 0.0, 2.0, 4.0, 60.0]

"""The state of a job that runs on a schedule, by all that is known of its runs."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from plugins.plugin_utils.status.schedule_state import COLORS, Lost, Runs, state

NOW = datetime.datetime(2026, 11, 27, 9, 30, tzinfo=datetime.UTC)


def at(minutes: float) -> datetime.datetime:
    """So many minutes ago."""
    return NOW - datetime.timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"due": None}, "not due yet"),
        ({"due": None, "began": at(600)}, "well"),  # before it was deployed as it is now
        ({"due": at(90), "began": at(90)}, "well"),
        ({"due": at(90), "began": at(90.9)}, "well"),  # another clock
        ({"due": at(90), "began": at(40)}, "well"),  # Scheduler tried again
        ({"due": at(90), "began": at(90), "failed": True}, "failed"),
        ({"due": at(90), "began": at(90), "running": [at(14)]}, "runs"),
        ({"due": at(90), "began": at(90), "running": [at(14)], "failed": True}, "runs"),
        ({"due": at(90), "began": at(90), "running": [at(18), at(1)]}, "late"),
        ({"due": at(90), "began": at(90), "running": [at(18)], "longest": datetime.timedelta(hours=1)}, "runs"),
        ({"due": at(59), "began": at(1500), "tells": True}, "late"),
        ({"due": at(61), "began": at(1500), "tells": True}, "did not start"),
        ({"due": at(61), "began": at(92), "failed": True, "tells": True}, "did not start"),
        ({"due": at(61), "began": at(1500), "running": [at(1500)]}, "did not start"),
        ({"due": at(61), "began": None}, "not known"),  # it writes nothing
        ({"due": at(5), "lost": Lost(at(5), "no"), "tells": True}, "did not start"),
        ({"due": at(5), "lost": Lost(at(65), "no"), "tells": True}, "late"),
        ({"due": at(5), "lost": Lost(at(65), "no"), "began": at(5)}, "well"),
    ],
)
def test_a_state(known: dict[str, Any], expected: str) -> None:
    assert state(Runs(**known), NOW) == expected
    assert expected in COLORS

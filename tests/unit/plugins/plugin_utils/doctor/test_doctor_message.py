"""A message to those whom alarms tell, and what became of it."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.doctor.judging import recognised
from plugins.plugin_utils.doctor.message import done, evidence

SENT: dict[str, Any] = {"alarm": "shop-prod-x", "told": ["ops@a.test"], "deaf": []}


def arrived(expected: int, delivered: int, failed: int = 0) -> dict[str, Any]:
    return SENT | {"arrived": {"expected": expected, "delivered": delivered, "failed": failed}}


@pytest.mark.parametrize(
    ("result", "state", "said"),
    [
        (arrived(2, 2), "good", "sent; SNS has delivered 2 of 2 (ops@a.test)"),
        (arrived(2, 1, 1), "bad", "sent; SNS has delivered 1 of 2 (ops@a.test)"),
        (
            arrived(2, 1),
            "untried",
            "sent; SNS has told of 1 of 2 deliveries so far, and shows them some minutes late (ops@a.test)",
        ),
        (SENT | {"arrived": {}}, "untried", "check mode sends none (ops@a.test)"),
        ({"failed": False, "msg": "There is no topic"}, "bad", "There is no topic"),
    ],
)
def test_what_came_of_it(result: dict[str, Any], state: str, said: str) -> None:
    assert list(done(result)) == [{"about": "alarms", "what": "message", "state": state, "said": said}]


def test_who_gets_none_and_what_was_lost_are_failures() -> None:
    assert list(done({})) == []
    assert list(evidence({})) == []
    assert list(evidence(arrived(2, 2))) == []
    found = recognised(evidence(arrived(3, 1, 2) | {"deaf": ["b@a.test"]}))
    assert [(each.signature, each.about) for each in found] == [
        ("alarms-unheard", "alarms"),
        ("message-lost", "alarms"),
    ]
    assert found[0].evidence[0].text == "b@a.test gets nothing"
    assert "sent 2 messages" in found[1].cause
    nobody = {"failed": False, "msg": "Nobody has confirmed to be told, so nothing would arrive: a@a.test."}
    assert [each.signature for each in recognised(evidence(nobody))] == ["alarms-unheard"]

"""A test message to those whom alarms tell: who gets none, and what SNS says became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plugins.plugin_utils.doctor.signature import MESSAGE, Evidence

ABOUT = "alarms"


def evidence(result: Mapping[str, Any]) -> Iterator[Evidence]:
    """The lines of what went wrong.

    Args:
        result: of the action alarm_test; empty if nobody asked for a message.
    """
    if why := _unsent(result):
        yield Evidence(MESSAGE, ABOUT, why)
    for each in result.get("deaf") or ():
        yield Evidence(MESSAGE, ABOUT, f"{each} gets nothing", "subscribers")
    if lost := (result.get("arrived") or {}).get("failed"):
        yield Evidence(MESSAGE, ABOUT, f"SNS could not deliver {lost} of the messages", result.get("alarm", ""))


def _unsent(result: Mapping[str, Any]) -> str:
    """Why no message was sent; empty if one was, or if nobody asked. The playbook lets the task not fail."""
    return "" if "told" in result else str(result.get("msg", ""))


def done(result: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """What came of the message: `about`, `what`, `state` (`good`, `bad`, `untried`) and `said`."""
    if why := _unsent(result):
        yield {"about": ABOUT, "what": "message", "state": "bad", "said": why}
        return
    told, arrived = result.get("told") or (), result.get("arrived") or {}
    if not told:
        return
    if not arrived:
        state, said = "untried", "check mode sends none"
    elif arrived["delivered"] + arrived["failed"] < arrived["expected"]:
        state = "bad" if arrived["failed"] else "untried"
        said = (
            f"sent; SNS has told of {arrived['delivered'] + arrived['failed']} of {arrived['expected']} deliveries so "
            "far, and shows them some minutes late"
        )
    else:
        state = "bad" if arrived["failed"] else "good"
        said = f"sent; SNS has delivered {arrived['delivered']} of {arrived['expected']}"
    yield {"about": ABOUT, "what": "message", "state": state, "said": f"{said} ({', '.join(told)})"}

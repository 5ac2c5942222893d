"""A deployment of an ECS service that is going on: of a release, a restart, or this run before it was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from plugins.plugin_utils.aws_action import Wait
from plugins.plugin_utils.ecs import counts


def still_deployed(primary: Callable[[], Mapping[str, Any] | None], wait: Wait) -> str:
    """Wait for its end; how far it is where that was too late, else empty.

    Args:
        primary: asks for the service's deployment that is to stay; None where there is none.
        wait: with its deadline.
    """
    while (found := primary()) and found.get("rolloutState") == "IN_PROGRESS":
        state = counts(found)
        wait.tell(f"is being deployed, which has to end first ({state})", "yellow")
        if not wait.pause(f"the end of its deployment ({state})"):
            return state
    return ""

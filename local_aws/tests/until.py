"""Waiting, in tests, for what takes its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(check: Callable[[], Any], what: str, seconds: float = 120, also: Callable[[], str] = str) -> Any:
    """Wait until `check` gives something true, and return that.

    Args:
        check: is called ever less often, from 20 times a second to 5 times.
        what: what is waited for.
        seconds: how long at most.
        also: what a failure shows besides, for example the end of a log.

    Raises:
        AssertionError: it did not within `seconds`.
    """
    deadline, pause = time.monotonic() + seconds, 0.05
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}; last seen: {found!r}\n{also()}"
        time.sleep(pause)
        pause = min(0.2, pause * 1.3)
    return found

"""For how long a server answers nobody."""

from __future__ import annotations

import time
from collections.abc import Callable

from plugins.plugin_utils.tunnel import answer

ANSWERS = ("S", "N")


class Absence:
    """Looks at a server behind a port of this machine now and then, and adds up the time in which it did not answer.

    Args:
        port: of the loopback, which leads there.
        clock: replaced by tests.

    Attributes:
        seconds: how long it was away so far, as far as the looks can tell.
        is_away: whether it did not answer when it was last looked at.
    """

    def __init__(self, port: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._port, self._clock = port, clock
        self._gone: float | None = None
        self.seconds = 0.0

    @property
    def is_away(self) -> bool:
        """Whether it did not answer the last look."""
        return self._gone is not None

    def look(self) -> None:
        """See whether it answers."""
        answers, now = answer(self._port) in ANSWERS, self._clock()
        if answers and self._gone is not None:
            self.seconds += now - self._gone
            self._gone = None
        elif not answers and self._gone is None:
            self._gone = now

"""What happens to the nth call of an operation: one seed gives each operation one sequence, whatever others do."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How late.

    Attributes:
        seed: of everything that is drawn.
        stale_seconds: for how long at most a read may show the state of before.
        stale: share of reads that do, within a write's own such time.
        lag: share of reads that show an earlier state without a write through this API.
        faults: share of calls with which a row of errors begins.
        in_a_row: how many errors at most one operation answers in a row.
        lost: share of writes with a client token that are done, but answered by an error.
        short: share of answers that are cut into pages.
    """

    seed: int
    stale_seconds: float = 5.0
    stale: float = 0.6
    lag: float = 0.2
    faults: float = 0.05
    in_a_row: int = 3
    lost: float = 0.15
    short: float = 0.9


@dataclass(frozen=True)
class Draw:
    """What happens to one call.

    Attributes:
        fault: 0 none; otherwise which of the errors that the service may answer, as a number.
        lost: whether the answer of a repeatable write is lost.
        stale: whether a read shows the state of before the last write.
        lag: of how many seconds ago the state is that a read shows; 0 of now.
        window: for how many seconds after this write reads may be stale.
        pages: into how many pages an answer is cut.
        empty: whether the first of them holds nothing.
    """

    fault: int = 0
    lost: bool = False
    stale: bool = False
    lag: float = 0.0
    window: float = 0.0
    pages: int = 1
    empty: bool = False


class Chance:
    """Draws for each call; always the same number of times, so that one draw does not shift the next."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._streams: dict[str, random.Random] = {}
        self._row: dict[str, int] = {}
        self._lock = threading.Lock()

    def draw(self, operation: str) -> Draw:
        """What happens to the next call of `operation`."""
        with self._lock:
            if operation not in self._streams:
                self._streams[operation] = random.Random(f"{self._settings.seed} {operation}")
            stream = self._streams[operation]
            numbers = [stream.random() for _ in range(9)]
            return self._decide(operation, numbers)

    def _decide(self, operation: str, numbers: list[float]) -> Draw:
        chosen = self._settings
        begins, length, which, lost, stale, lags, seconds, short, pages = numbers
        row = self._row.get(operation, 0)
        # A row counts down to 0; at -1 the call after it goes through, so that two rows never touch.
        if row > 0:
            row -= 1
        elif row == 0 and begins < chosen.faults:
            row = 1 + int(length * chosen.in_a_row)
        else:
            row = 0
        fault = 1 + int(which * 1000) if row > 0 else 0
        self._row[operation] = -1 if row == 1 else row
        return Draw(
            fault=fault,
            lost=not fault and lost < chosen.lost,
            stale=stale < chosen.stale,
            lag=seconds * chosen.stale_seconds if lags < chosen.lag else 0.0,
            window=(0.2 + 0.8 * seconds) * chosen.stale_seconds,
            pages=2 + int(pages * 2) if short < chosen.short else 1,
            empty=pages < 0.5,
        )

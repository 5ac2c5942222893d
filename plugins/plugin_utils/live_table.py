"""Progress on a terminal: a line for each thing, drawn again where it stands, so that a first run fits one screen.

Only the controller knows its terminal: a worker has none (`WorkerProcess._detach` of ansible-core). So `SCREEN` is
found when this file is imported, which the controller does for each action plugin before it starts the worker; a frame
goes to the screen as one message of `Display`, so nothing comes between its lines.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ansible.utils.color import stringc
from ansible.utils.display import Display

from plugins.plugin_utils.aws_action import Progress
from plugins.plugin_utils.clock import about, clock

DRAW_AFTER_SECONDS = 1.0
"""A run that changes nothing is over by then, and draws its table once, at the end."""
REDRAW_SECONDS = 1.0
"""How often the seconds move where nothing else does."""
NARROWEST, LOWEST = 60, 12
"""Columns and lines below which plain lines are easier to read."""
WIDTH_OF_SECONDS = 7
ROUTINE = (None, "green")
"""Colors of what a person need not find again."""
AROUND = 4
"""Lines of the screen that are left to what stands above the table."""


@dataclass(frozen=True)
class Screen:
    """A terminal.

    Attributes:
        columns: characters of a line.
        lines: how many it shows.
    """

    columns: int
    lines: int


def screen(environment: Mapping[str, str] = os.environ) -> Screen | None:
    """The terminal that this process writes to, if one can draw on it: not in CI, a pipe or a narrow window."""
    try:
        if not sys.stdout.isatty() or environment.get("TERM", "dumb") == "dumb" or environment.get("CI"):
            return None
        columns, lines = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return None
    return Screen(columns, lines) if columns >= NARROWEST and lines >= LOWEST else None


SCREEN = screen()


@dataclass
class Row:
    """One line of the table.

    Attributes:
        text: what it is at, or what it waits for.
        color: Ansible's name of it.
        begin: when it began, in the clock's seconds; `None` while it waits.
        end: when it was over.
    """

    text: str
    color: str | None = None
    begin: float | None = None
    end: float | None = None


class LiveTable(Progress):
    """Progress whose rows are drawn over; what is said in another color than green, or of no row, stays above them.

    Args:
        show: `Display.display`.
        on: the terminal.
        clock: replaced by tests.
    """

    def __init__(self, show: Callable[..., None], on: Screen, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(show, clock)
        self._screen, self._rows, self._lock = on, dict[str, Row](), threading.Lock()
        self._drawn: list[str] = []
        self._next = clock() + DRAW_AFTER_SECONDS

    def waits(self, name: str, text: str) -> None:
        """See `Progress.waits`."""
        with self._lock:
            if self._rows.get(name) is None or self._rows[name].begin is None:
                self._rows[name] = Row(text)

    def starts(self, name: str) -> None:
        """See `Progress.starts`."""
        with self._lock:
            self._rows[name] = Row("started", begin=self._clock())

    def ends(self, name: str, text: str, color: str, news: bool = True) -> None:
        """See `Progress.ends`. Of a text of several words the row shows the first; the others stay above."""
        with self._lock:
            row = self._rows.setdefault(name, Row(text))
            row.text, row.color, row.end = text.split()[0], color, self._clock()
        if text != row.text:
            super().say(name, text, color)

    def say(self, name: str, text: str, color: str | None = None) -> None:
        """See `Progress.say`."""
        with self._lock:
            row = self._rows.get(name)
            if row is not None and color in ROUTINE and row.end is None:
                row.text = " ".join(text.splitlines()[-1].split())
                return
        super().say(name, text, color)

    def flush(self) -> None:
        """Show what is queued above the table, and the table where it has changed."""
        if self._clock() >= self._next:
            self._draw()

    def close(self) -> None:
        """Leave the table as it is at the end."""
        self._draw()

    def _draw(self) -> None:
        self._next = self._clock() + REDRAW_SECONDS
        with self._lock:
            rows = list(self._lines_of())
        said = list(self._queued())
        if rows == self._drawn and not said:
            return
        up = f"\x1b[{len(self._drawn)}A\x1b[J" if self._drawn else ""
        colored = [stringc(text, color) if color else text for text, color in said]
        self._show(up + "\n".join([*colored, *rows]), screen_only=True)
        for text, color in said:
            self._show(text, color=color, log_only=True)
        self._drawn = rows

    def _lines_of(self) -> Iterator[str]:
        """The rows that fit, those that are over left out first."""
        room, width = self._screen.lines - AROUND, max(map(len, self._rows), default=0)
        took = {name: self._took(name, row) for name, row in self._rows.items()}
        column = max([WIDTH_OF_SECONDS, *map(len, took.values())])
        over = [name for name, row in self._rows.items() if row.end is not None]
        hidden = set(over[: max(0, len(self._rows) - room + 1)]) if len(self._rows) > room else set()
        if hidden:
            yield f"  {len(hidden)} more are done"
        for name in [name for name in self._rows if name not in hidden][:room]:
            row = self._rows[name]
            text = f"  {took[name]:>{column}}  {name:<{width}}  {row.text}"[: self._screen.columns - 1]
            yield stringc(text, row.color) if row.color else text

    def _took(self, name: str, row: Row) -> str:
        """How long a row has taken so far, and how long it will, if that is known."""
        if row.begin is None:
            return ""
        if row.end is None and name in self._expected:
            return f"{clock(self._clock() - row.begin)} of {about(self._expected[name])}"
        return f"{(self._clock() if row.end is None else row.end) - row.begin:.0f}s"


def progress() -> Progress:
    """A table where the controller has a terminal and nobody asked for more output (`-v`), lines otherwise."""
    display = Display()
    if SCREEN is None or display.verbosity:
        return Progress(display.display)
    return LiveTable(display.display, SCREEN)

"""How far something is that takes long, said now and then."""

from __future__ import annotations

import time
from collections.abc import Callable

from plugins.plugin_utils.clock import about

TELL_SECONDS = 10.0
SOON_SECONDS = 5.0
"""What lasts for less needs no estimate of its end."""
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def amount(size: float) -> str:
    """Bytes as a person reads them: `3.1 GiB`."""
    place = 0
    while size >= 1024 and place < len(UNITS) - 1:
        size, place = size / 1024, place + 1
    return f"{size:.0f} {UNITS[0]}" if place == 0 else f"{size:.1f} {UNITS[place]}"


def some(number: int, noun: str, plural: str = "s") -> str:
    """A number with its noun: `1 file`, `1,204 files`."""
    return f"{number:,} {noun}{plural if number != 1 else ''}"


class Teller:
    """Says how far it is, about every `TELL_SECONDS`.

    Args:
        say: shows a line.
        text: of the line; `{files}`, `{of}`, `{bytes}` and `{all}` are put in.
        of: how many there are.
        whole: bytes of all.
        clock: replaced by tests.
    """

    def __init__(
        self, say: Callable[[str], None], text: str, of: int, whole: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.of = of
        self._say, self._text, self._whole, self._clock = say, text, whole, clock
        self._start = self._told = clock()
        self._files = self._bytes = 0

    def more(self, files: int, size: int) -> None:
        """So many more."""
        self.so_far(self._files + files, self._bytes + size)

    def so_far(self, files: int, size: int) -> None:
        """So many by now."""
        self._files, self._bytes = files, size
        now = self._clock()
        if now - self._told < TELL_SECONDS:
            return
        self._told = now
        said = self._text.format(
            files=f"{files:,}", of=f"{self.of:,}", bytes=amount(size), all=amount(self._whole)
        )  # fmt: skip
        self._say(said + self._left(now - self._start))

    def _left(self, lasted: float) -> str:
        """What is expected, by what there was so far."""
        done, whole = (self._bytes, self._whole) if self._whole else (self._files, self.of)
        if not 0 < done < whole:
            return ""
        left = lasted * (whole - done) / done
        return f", {about(left)} left" if left > SOON_SECONDS else ""

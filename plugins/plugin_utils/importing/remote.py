"""A running command, here or on a host: what is sent to it, what it answers, and why it failed."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, NoReturn

from plugins.plugin_utils.container_log import readable

STALL_SECONDS = 1800.0
"""For how long nothing may move: the checksum of one large file is read in silence."""
LOOK_SECONDS = 1.0
CHUNK = 2**16
NO_SSH = 255
"""How ssh ends where it did not come to the host, or lost it: https://man.openbsd.org/ssh#EXIT_STATUS"""


class Broken(Exception):
    """A command failed, or the connection to it did.

    Args:
        why: its last words, in one line.
        code: how it ended.
    """

    def __init__(self, why: str, code: int) -> None:
        super().__init__(why)
        self.code = code


class Talk:
    """A running command. It is written to and read from in turn, and nothing waits for it without an end.

    Args:
        process: the program.
        said: what it says besides its answer.
        stall: seconds for which nothing may move.
        idle: called about once a second in which nothing does.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], said: IO[bytes], stall: float, idle: Callable[[], None]
    ) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._said, self._stall, self._idle = process, said, stall, idle
        self._in, self._out = process.stdin, process.stdout
        self._pending = bytearray()
        self._moved = time.monotonic()
        os.set_blocking(self._in.fileno(), False)

    def write(self, content: bytes) -> int:
        """Send to it, as to a file.

        Raises:
            Broken: it takes no more.
        """
        self._pending += content
        if len(self._pending) >= CHUNK:
            self._flush()
        return len(content)

    def lines(self) -> Iterator[bytes]:
        """End what is sent, and what it answers line by line.

        Raises:
            Broken: it failed.
        """
        self._flush()
        self._in.close()
        rest = b""
        while True:
            if not select.select([self._out], [], [], LOOK_SECONDS)[0]:
                self._wait()
                continue
            read = os.read(self._out.fileno(), CHUNK)
            if not read:
                break
            self._moved = time.monotonic()
            *whole, rest = (rest + read).split(b"\n")
            yield from whole
        if rest:
            yield rest
        if self._process.wait():
            self._fail()

    def close(self) -> None:
        """End it, if it has not ended."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):  # what it has not read is of no use any more
            self._in.close()

    def _flush(self) -> None:
        while self._pending:
            if not select.select([], [self._in], [], LOOK_SECONDS)[1]:
                self._wait()
                continue
            try:
                del self._pending[: os.write(self._in.fileno(), self._pending)]
            except BlockingIOError:  # there was room for less than the system writes at once
                continue
            except BrokenPipeError:
                self._fail()
            self._moved = time.monotonic()

    def _wait(self) -> None:
        """Nothing has moved for a while."""
        self._idle()
        if time.monotonic() - self._moved > self._stall:
            self._process.kill()
            raise Broken(f"nothing has moved for {self._stall:.0f} s", self._process.wait())

    def _fail(self) -> NoReturn:
        code = self._process.wait()
        self._said.seek(0)
        lines = [readable(line).strip() for line in self._said.read().decode(errors="replace").splitlines()]
        raise Broken("; ".join([line for line in lines if line][-3:]) or f"exit code {code}", code)


@contextmanager
def talk(
    command: Sequence[str],
    idle: Callable[[], None] = lambda: None,
    stall: float | None = None,
    shell: Mapping[str, str] | None = None,
    files: Sequence[int] = (),
) -> Iterator[Talk]:
    """Run a command while the block does.

    It reads a pipe of this process, so it ends when this one is killed: nothing goes on that nobody sees.

    Args:
        command: the program with its arguments.
        idle: called about once a second in which nothing moves.
        stall: for how many seconds nothing may; `STALL_SECONDS` by default.
        shell: environment variables; this process's by default.
        files: descriptors of open files that it has, too.
    """
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=shell, pass_fds=files
        ) as process,
    ):
        talking = Talk(process, said, STALL_SECONDS if stall is None else stall, idle)
        try:
            yield talking
        finally:
            talking.close()


def answered(command: Sequence[str], idle: Callable[[], None] = lambda: None) -> list[str]:
    """The lines that a command answers.

    Raises:
        Broken: it failed.
    """
    with talk(command, idle) as talking:
        return [line.decode(errors="surrogateescape") for line in talking.lines()]

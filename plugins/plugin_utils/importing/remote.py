"""A running command, here or on a host: what is sent to it, what it answers, and why it failed."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, NoReturn

from plugins.plugin_utils.container_log import readable

STALL_SECONDS = 1800.0
"""For how long nothing may move: the checksum of one large file is read in silence."""
LOOK_SECONDS = 1.0
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
    """A running command.

    Args:
        process: the program.
        said: what it says besides its answer.
    """

    def __init__(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        self._process, self._said = process, said
        self._moved = time.monotonic()
        self._over = threading.Event()
        self._stalled = False
        assert process.stdin is not None
        self._stdin = process.stdin

    def write(self, content: bytes) -> int:
        """Send to it, as a file that tarfile writes to.

        Raises:
            Broken: it takes no more.
        """
        try:
            self._stdin.write(content)
        except BrokenPipeError:
            self._fail()
        self._moved = time.monotonic()
        return len(content)

    def lines(self, idle: Callable[[], None] = lambda: None) -> Iterator[bytes]:
        """End what is sent, and what it answers line by line.

        Args:
            idle: called about once a second in which nothing comes.

        Raises:
            Broken: it failed.
        """
        try:
            self._stdin.close()
        except BrokenPipeError:
            self._fail()
        out = self._process.stdout
        assert out is not None
        rest = b""
        while True:
            if not select.select([out], [], [], LOOK_SECONDS)[0]:
                idle()
                continue
            read = os.read(out.fileno(), 65536)
            if not read:
                break
            self._moved = time.monotonic()
            *whole, rest = (rest + read).split(b"\n")
            yield from whole
        if rest:
            yield rest
        if self._process.wait():
            self._fail()

    def watch(self) -> None:
        """End the program when nothing has moved for too long; in a thread of its own."""
        while not self._over.wait(LOOK_SECONDS):
            if time.monotonic() - self._moved > STALL_SECONDS:
                self._stalled = True
                self._process.kill()
                return

    def close(self) -> None:
        """End it, if it has not ended."""
        self._over.set()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):  # what it has not read is of no use any more
            self._stdin.close()

    def _fail(self) -> NoReturn:
        code = self._process.wait()
        if self._stalled:
            raise Broken(f"nothing has moved for {STALL_SECONDS:.0f} s", code)
        self._said.seek(0)
        lines = [readable(line).strip() for line in self._said.read().decode(errors="replace").splitlines()]
        raise Broken("; ".join([line for line in lines if line][-3:]) or f"exit code {code}", code)


@contextmanager
def talk(command: Sequence[str], shell: Mapping[str, str] | None = None, files: Sequence[int] = ()) -> Iterator[Talk]:
    """Run a command while the block does.

    It reads a pipe of this process, so it ends when this one is killed: nothing goes on that nobody sees.

    Args:
        command: the program with its arguments.
        shell: environment variables; this process's by default.
        files: descriptors of open files that it has, too.
    """
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=shell, pass_fds=files
        ) as process,
    ):
        talking = Talk(process, said)
        watcher = threading.Thread(target=talking.watch, daemon=True)
        watcher.start()
        try:
            yield talking
        finally:
            talking.close()
            watcher.join()


def answered(command: Sequence[str]) -> list[str]:
    """The lines that a command answers.

    Raises:
        Broken: it failed.
    """
    with talk(command) as talking:
        return [line.decode(errors="surrogateescape") for line in talking.lines()]

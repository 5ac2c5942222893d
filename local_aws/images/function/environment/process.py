"""The function's own process, and what it prints."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

CHUNK = 65536


@dataclass
class Log:
    """Lines with the milliseconds of their time, until they are fetched."""

    lines: list[tuple[int, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, line: str) -> None:
        """Add a line. A carriage return in it stands for a line's end, as in a traceback: that is one message."""
        with self._lock:
            self.lines.append((int(time.time() * 1000), line.replace("\r", "\n")))

    def fetch(self) -> list[tuple[int, str]]:
        """What was written since the last time."""
        with self._lock:
            lines, self.lines = self.lines, []
            return lines


class Process:
    """A runtime: its process group and what it prints.

    Args:
        command, user: what runs, as whom; None for ourselves.
        log: where its lines go.
        ended: called when it has ended.
    """

    def __init__(
        self, command: list[str], environment: dict[str, str], user: str | None, log: Log, ended: Callable[[], None]
    ) -> None:
        self._log, self._rest = log, b""
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            command, env=environment, cwd=environment["LAMBDA_TASK_ROOT"], start_new_session=True,
            user=user, group=user, extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self._process.stdout
        self._pipe = self._process.stdout.fileno()
        threading.Thread(target=self._follow, daemon=True).start()
        threading.Thread(target=self._await, args=(ended,), daemon=True).start()

    @property
    def reason(self) -> str:
        """How it ended, in Lambda's words; empty while it runs."""
        code = self._process.poll()
        if code is None:
            return ""
        if code == 0:
            return "Runtime exited without providing a reason"
        status = f"signal: {signal.strsignal(-code)}".lower() if code < 0 else f"exit status {code}"
        return f"Runtime exited with error: {status}"

    @property
    def memory(self) -> int:
        """The most memory that it had, MiB."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) // 1024
        return 0

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """End it."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        self.read(whole=True)

    def read(self, *, whole: bool = False) -> None:
        """Write down what it has printed until now; with `whole`, a last line without its end too."""
        with self._lock:
            while select.select([self._pipe], [], [], 0)[0] and (data := os.read(self._pipe, CHUNK)):
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    self._log.write(line.decode(errors="replace"))
            if whole and self._rest:
                self._log.write(self._rest.decode(errors="replace"))
                self._rest = b""

    def _follow(self) -> None:
        while self._process.poll() is None:
            if select.select([self._pipe], [], [], 1)[0]:
                self.read()
                time.sleep(0.01)  # of a pipe at its end there is always something to read

    def _await(self, ended: Callable[[], None]) -> None:
        self._process.wait()
        ended()

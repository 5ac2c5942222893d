"""Run a command on this machine, and show what it prints while it runs."""

from __future__ import annotations

import collections
import contextlib
import os
import queue
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.local_command import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed

KEPT_LINES = 50
TOLD_LINES = 15
"""How many of the last lines a failure repeats."""
GRACE_SECONDS = 5.0
"""From the word that it is to end to the kill."""
PAUSE_SECONDS = 0.2


class ActionModule(AwsAction):
    """See plugins/modules/local_command.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Run it.

        Raises:
            Failed: it is none, cannot be started, takes too long, or ends with another exit code than 0.
        """
        words, name = self._words(), self.arguments["name"]
        program = Path(words[0]).name
        if self.check_mode:
            self.say(program, f"{name} would be run", "yellow")
            return {"changed": False, "lines": []}
        self.say(program, f"{name} in {self.arguments['chdir']}")
        process = self._start(words)
        lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        try:
            in_time = self._follow(process, program, lines)
        finally:
            # Not of our group, so that an interrupt ends it only here.
            _end(process)
        said, tail = {"changed": True, "lines": list(lines)}, _tail(lines)
        if not in_time:
            seconds = f"{self.arguments['timeout']:.0f} s"
            raise Failed(f"The command {name} ({program}) was not through after {seconds} and has been ended.{tail}", **said)
        if process.returncode:
            raise Failed(f"The command {name} ({program}) ended with exit code {process.returncode}.{tail}", **said)
        return {"changed": False, "lines": list(lines)}

    def _words(self) -> list[str]:
        given = self.arguments["command"]
        try:
            words = shlex.split(given) if isinstance(given, str) else [str(word) for word in given]
        except (ValueError, TypeError) as error:
            raise Failed(f"{self.arguments['name']} is no command: {error}.") from None
        if not words:
            raise Failed(f"{self.arguments['name']} is no command: it is empty.")
        return words

    def _start(self, words: list[str]) -> subprocess.Popen[str]:
        more = {str(name): str(value) for name, value in self.arguments["environment"].items()}
        try:
            return subprocess.Popen(
                words,
                cwd=self.arguments["chdir"],
                env={**os.environ, **more},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            name, why = self.arguments["name"], f"{error.strerror}: {error.filename}"
            raise Failed(f"The command {name} cannot be started: {why}") from None

    def _follow(self, process: subprocess.Popen[str], program: str, lines: collections.deque[str]) -> bool:
        """Show its lines until it is through; whether that was in time."""
        heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(process, heard), daemon=True)
        reader.start()
        deadline = time.monotonic() + self.arguments["timeout"]
        while process.poll() is None and time.monotonic() < deadline:
            self._show(heard, program, lines)
            time.sleep(PAUSE_SECONDS)
        in_time = process.poll() is not None
        reader.join(PAUSE_SECONDS * 5 if in_time else 0)  # what it has left behind may hold the pipe open for ever
        self._show(heard, program, lines)
        return in_time

    def _show(self, heard: queue.SimpleQueue[str], program: str, lines: collections.deque[str]) -> None:
        while not heard.empty():
            line = heard.get().rstrip()
            lines.append(line)
            self.say(program, line)


def _read(process: subprocess.Popen[str], heard: queue.SimpleQueue[str]) -> None:
    if process.stdout:
        for line in process.stdout:
            heard.put(line)


def _end(process: subprocess.Popen[str]) -> None:
    """End it with all that it has started, if it has not ended by itself."""
    if process.poll() is not None:
        return
    for how, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return


def _tail(lines: collections.deque[str]) -> str:
    return "".join(f"\n  {line}" for line in list(lines)[-TOLD_LINES:])

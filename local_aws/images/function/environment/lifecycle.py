"""What happens to a function between its init phase and its end, one call at a time."""

from __future__ import annotations

import datetime
import json
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .process import Log, Process

BOOTSTRAP = Path(__file__).parent.with_name("bootstrap.py")
INIT_SECONDS = 10.0
"""For which the init phase may last; then it is tried again within the time of the first call."""
OURS = ("HOME", "HOSTNAME")
"""Variables that Docker sets and Lambda does not."""


@dataclass
class Invocation:
    """One call of the function.

    Attributes:
        request_id, trace_id: as API Gateway or Lambda named them.
        event: JSON.
        deadline: when it is ended (seconds since the epoch).
        payload: what the function answered; None until it did.
        error: its errorType, if that is an error.
        taken: whether the runtime has it.
    """

    request_id: str
    trace_id: str
    event: bytes
    deadline: float = 0.0
    payload: bytes | None = None
    error: str = ""
    taken: bool = False


class Environment:
    """One execution environment.

    Args:
        timeout: seconds that a call may take.
        arn: of the function.
        api: host and port of the Runtime API.
        user: who the function runs as; None for ourselves.
    """

    def __init__(self, timeout: float, arn: str, api: str, user: str | None) -> None:
        self._timeout, self.arn, self._user = timeout, arn, user
        own = {name: value for name, value in os.environ.items() if name not in OURS}
        self._variables = {**own, "AWS_LAMBDA_RUNTIME_API": api}
        self._calls = threading.Lock()
        self._changed = threading.Condition()
        self._process: Process | None = None
        self._generation = 0
        self._ready = False
        self._init_error: tuple[str, bytes] | None = None
        self._init_milliseconds: float | None = None
        self._invocation: Invocation | None = None
        self.log = Log()

    def initialize(self) -> None:
        """The init phase: the runtime imports the function, until it asks for the first event."""
        version = self._variables.get("AWS_EXECUTION_ENV", "").removeprefix("AWS_Lambda_")
        self.log.write(f"INIT_START Runtime Version: {version} (Python {sys.version.split()[0]} of Debian)")
        began = time.monotonic()
        self._start()
        done = self._await(lambda: self._ready, began + INIT_SECONDS)
        milliseconds = (time.monotonic() - began) * 1000
        if done:
            self._init_milliseconds = milliseconds
            self._freeze()
            return
        status = f"error\tError Type: {self._failure()[0]}" if self._ended() else "timeout"
        self.stop()
        self.log.write(f"INIT_REPORT Init Duration: {milliseconds:.2f} ms\tPhase: init\tStatus: {status}")

    def invoke(self, invocation: Invocation) -> None:
        """Have an event answered. If the runtime is not there (any more), it is started within the call's time."""
        with self._calls:
            self.log.write(f"START RequestId: {invocation.request_id} Version: $LATEST")
            began = time.monotonic()
            invocation.deadline = time.time() + self._timeout
            if not self._ready or self._ended():
                self.stop()
                self._start()
            assert self._process
            process = self._process
            with self._changed:
                self._invocation = invocation
                self._changed.notify_all()
            process.signal(signal.SIGCONT)
            # It is done when the runtime has answered and asks for the next one.
            answered = self._await(lambda: invocation.payload is not None and self._ready, began + self._timeout)
            milliseconds = (time.monotonic() - began) * 1000
            with self._changed:
                self._invocation = None
            memory, status = process.memory, ""
            if answered:
                self._freeze()
            else:
                status = self._unanswered(invocation)
                self.stop()
            self._report(invocation, milliseconds, memory, status)

    def next(self) -> Invocation | None:
        """What the runtime gets when it asks for the next event: that, once there is one; None if it was ended."""
        with self._changed:
            mine = self._generation
            self._ready = True
            self._changed.notify_all()
            while self._generation == mine:
                if self._invocation and not self._invocation.taken:
                    self._ready, self._invocation.taken = False, True
                    return self._invocation
                self._changed.wait()
            return None

    def answered(self, request_id: str, payload: bytes, error: str) -> bool:
        """The runtime has answered an event; False if that is not the one it has."""
        with self._changed:
            if self._invocation is None or self._invocation.request_id != request_id:
                return False
            self._invocation.payload, self._invocation.error = payload, error
            self._changed.notify_all()
            return True

    def init_failed(self, kind: str, payload: bytes) -> None:
        """The runtime could not import the function; it ends now."""
        with self._changed:
            self._init_error = (kind, payload)

    def stop(self) -> None:
        """End the runtime; the next call starts another one."""
        with self._changed:
            self._generation += 1
            self._ready = False
            self._changed.notify_all()
        if self._process:
            self._process.kill()

    def _start(self) -> None:
        self._init_error = None
        command = [sys.executable, str(BOOTSTRAP)]
        self._process = Process(command, self._variables, self._user, self.log, self._notify)

    def _freeze(self) -> None:
        """Between two calls nothing runs, no thread either."""
        assert self._process
        self._process.signal(signal.SIGSTOP)
        self._process.read(whole=True)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _ended(self) -> bool:
        return self._process is not None and bool(self._process.reason)

    def _await(self, done: Callable[[], bool], until: float) -> bool:
        """Wait until `done`; False if the process ended or the time (monotonic) came first."""
        with self._changed:
            while not done():
                left = until - time.monotonic()
                if left <= 0 or self._ended():
                    return False
                self._changed.wait(left)
            return True

    def _failure(self) -> tuple[str, str]:
        """Type and message of what ended the runtime."""
        assert self._process
        return (self._init_error[0], "") if self._init_error else ("Runtime.ExitError", self._process.reason)

    def _unanswered(self, invocation: Invocation) -> str:
        """Answer in the runtime's place; returns the status for the report."""
        assert self._process
        self._process.read(whole=True)
        if not self._ended():
            said = f"Task timed out after {self._timeout:.2f} seconds"
            moment = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self.log.write(f"{moment} {invocation.request_id} {said}")
            self._answer(invocation, "Sandbox.Timedout", said)
            return "timeout"
        kind, said = self._failure()
        if self._init_error:
            invocation.error, invocation.payload = self._init_error
        else:
            self.log.write(f"RequestId: {invocation.request_id} Error: {said}\n{kind}")
            self._answer(invocation, kind, said)
        return f"error\tError Type: {kind}"

    @staticmethod
    def _answer(invocation: Invocation, kind: str, said: str) -> None:
        described = {"errorType": kind, "errorMessage": f"RequestId: {invocation.request_id} Error: {said}"}
        invocation.payload, invocation.error = json.dumps(described).encode(), kind

    def _report(self, invocation: Invocation, milliseconds: float, memory: int, status: str) -> None:
        init, self._init_milliseconds = self._init_milliseconds, None
        fields = [
            f"REPORT RequestId: {invocation.request_id}",
            f"Duration: {milliseconds:.2f} ms",
            # Init is billed: https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
            f"Billed Duration: {math.ceil(milliseconds + (init or 0))} ms",
            f"Memory Size: {self._variables['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']} MB",
            f"Max Memory Used: {memory} MB",
            *([] if init is None else [f"Init Duration: {init:.2f} ms"]),
            *([f"Status: {status}"] if status else []),
        ]
        self.log.write(f"END RequestId: {invocation.request_id}")
        self.log.write("\t".join(fields))

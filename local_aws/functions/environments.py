"""Where functions run: execution environments, each for one call at a time, kept for a while for the next one.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from local_aws.config import DIRECT

IDLE_SECONDS = 300.0
"""How long one is kept for the next call. AWS promises no time."""
CONCURRENCY = 10
"""How many there may be at once: the quota of a new account.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
ANSWER_SECONDS = 15.0
"""Beyond the function's own time, for what ends it."""


class NotRunError(Exception):
    """A function was not run; the message says why. What the function itself does wrong is an `Outcome`."""


class ThrottledError(NotRunError):
    """As many calls as are allowed are under way."""


def refusal(runtime: str) -> str:
    """Why a function of that runtime cannot run here; empty if it can."""
    if re.fullmatch(r"python3\.\d+", runtime):
        return ""
    return f"The embedded AWS runs functions of python3.… only, all by Debian's Python, and none of {runtime}."


@dataclass(frozen=True)
class Settings:
    """A function as it is now; an environment is of one of them, and goes when the function is another one.

    Attributes:
        name, arn: of the function.
        handler, runtime, role: as Lambda has them.
        memory: MiB.
        timeout: seconds.
        variables: the function's own.
        log_group: where it logs.
        code_digest: CodeSha256.
    """

    name: str
    arn: str
    handler: str
    runtime: str
    role: str
    memory: int
    timeout: int
    variables: tuple[tuple[str, str], ...]
    log_group: str
    code_digest: str


class Place(Protocol):
    """What an environment runs in."""

    url: str
    log_stream: str

    def remove(self) -> None:
        """End it."""


@dataclass
class Environment:
    """One execution environment.

    Attributes:
        settings: what it was made for.
        place: what it runs in.
        busy: whether a call is under way.
        used: when the last one ended (seconds of the clock).
    """

    settings: Settings
    place: Place
    busy: bool = True
    used: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What came of a call.

    Attributes:
        payload: the function's answer, or a description of its error.
        error: the errorType; empty if there was none.
        log: lines with the milliseconds of their time.
    """

    payload: bytes
    error: str = ""
    log: list[tuple[int, str]] = field(default_factory=list)


class Environments:
    """All environments of an embedded AWS.

    Args:
        start: makes the place of a new one; may take seconds.
        clock: seconds.
    """

    def __init__(self, start: Callable[[Settings], Place], clock: Callable[[], float] = time.monotonic) -> None:
        self._start, self._clock = start, clock
        self._lock = threading.Lock()
        self._all: list[Environment] = []
        self._starting = 0

    def count(self, name: str) -> tuple[int, int]:
        """How many a function has, and how many of them are in a call."""
        with self._lock:
            mine = [each for each in self._all if each.settings.name == name]
            return len(mine), sum(each.busy for each in mine)

    @contextlib.contextmanager
    def lent(self, settings: Settings) -> Iterator[Environment]:
        """An environment for one call: a warm one, or a new one. It goes if the call raises something.

        Raises:
            ThrottledError: there are as many as are allowed, and all are in a call.
        """
        environment = self._take(settings)
        try:
            yield environment
        except BaseException:
            self._drop([environment])
            raise
        with self._lock:
            environment.busy, environment.used = False, self._clock()

    def tidy(self, current: dict[str, Settings]) -> None:
        """Remove what waited too long, or is of a function that is another one now, or gone.

        Args:
            current: by the functions' names.
        """
        with self._lock:
            now = self._clock()
            old = [
                each
                for each in self._all
                if not each.busy
                and (current.get(each.settings.name) != each.settings or now - each.used >= IDLE_SECONDS)
            ]
            for each in old:
                each.busy = True  # nobody else takes it meanwhile
        self._drop(old)

    def _take(self, settings: Settings) -> Environment:
        with self._lock:
            idle = [each for each in self._all if not each.busy]
            warm = [each for each in idle if each.settings == settings]
            if warm:
                warm[-1].busy = True
                return warm[-1]
            spare = idle[:1] if len(self._all) + self._starting >= CONCURRENCY else []
            if not spare and len(self._all) + self._starting >= CONCURRENCY:
                raise ThrottledError(f"{CONCURRENCY} calls are under way")
            for each in spare:
                each.busy = True
            self._starting += 1
        try:
            self._drop(spare)
            environment = Environment(settings, self._start(settings))
            with self._lock:
                self._all.append(environment)
        finally:
            with self._lock:
                self._starting -= 1
        return environment

    def _drop(self, environments: list[Environment]) -> None:
        for each in environments:
            try:
                each.place.remove()
            finally:
                with self._lock:
                    self._all.remove(each)


def call(environment: Environment, payload: bytes, request_id: str, trace_id: str) -> Outcome:
    """Have an event answered.

    Raises:
        OSError: the environment does not answer.
    """
    headers = {"Request-Id": request_id, "Trace-Id": trace_id, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{environment.place.url}/invoke", payload, headers)
    with DIRECT.open(request, timeout=environment.settings.timeout + ANSWER_SECONDS) as answer:
        told = json.load(answer)
    return Outcome(told["payload"].encode(), told["error"], [(int(when), line) for when, line in told["log"]])


def wait(url: str, seconds: float, alive: Callable[[], bool]) -> None:
    """Wait until an environment has gone through its init phase.

    Raises:
        OSError: it ended meanwhile (`alive` says so), or the time is up.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            with DIRECT.open(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return  # it answers, if only that it knows no such address
        except OSError:
            if time.monotonic() > deadline or not alive():
                raise
            time.sleep(0.02)

"""The WSGI application that stands in front of the APIs in late mode."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from local_aws.cloud import INSIDE
from local_aws.late import errors
from local_aws.late.calls import Answer, Application, Call, Environ, recognize
from local_aws.late.chance import Chance, Draw, Settings
from local_aws.late.pages import Pages
from local_aws.late.stale import Stale

log = logging.getLogger("local_aws.late")


class Late:
    """The APIs as AWS may answer them.

    Args:
        application: the APIs.
        settings: how late.
        clock: seconds, by which what is stale becomes true.
    """

    def __init__(
        self, application: Application, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._application, self.settings = application, settings
        self._chance, self._pages, self._stale = Chance(settings), Pages(), Stale(settings, application, clock)
        self._done: dict[tuple[str, str, str], Answer] = {}
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer a request; those of the embedded AWS to itself, and what is no AWS operation, pass."""
        call = None if INSIDE in environ.get("HTTP_USER_AGENT", "") else recognize(environ)
        if call is None:
            return self._application(environ, start_response)
        what, answer = self._answer(call, self._chance.draw(call.name))
        with self._lock:
            self.counts.update(["calls", *what])
        if what:
            log.info("%s %s", call.name, ", ".join(what))
        start_response(answer.status, answer.headers)
        return [answer.body]

    def describe(self) -> str:
        """One line for `status`."""
        with self._lock:
            counts = dict(self.counts)
        done = ", ".join(f"{counts.get(kind, 0)} {kind}" for kind in ("failed", "lost", "stale", "paged"))
        return f"seed {self.settings.seed}; of {counts.get('calls', 0)} calls {done}"

    def _answer(self, call: Call, draw: Draw) -> tuple[list[str], Answer]:
        """An answer, and what was done to it."""
        if draw.fault:
            return ["failed"], errors.fault(call, draw.fault)
        if not call.reads:
            return self._write(call, draw)
        if page := self._pages.next(call):
            return ["paged"], call.write(page)
        answer, old = self._stale.read(call, draw)
        cut = self._pages.cut(call, answer, draw)
        return ["stale"] * old + ["paged"] * (cut is not answer), cut

    def _write(self, call: Call, draw: Draw) -> tuple[list[str], Answer]:
        """A write that is sent again with its token is not done again.

        https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
        """
        key = (call.region, call.name, call.token)
        with self._lock:
            done = self._done.get(key) if call.token else None
        if done:
            return [], done
        answer = self._stale.write(call, draw)
        if call.token and answer.ok and draw.lost:
            with self._lock:
                self._done[key] = answer
            return ["lost"], errors.lost(call)
        return [], answer

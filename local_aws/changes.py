"""When the loops need not ask again: what the APIs said counts until somebody may have changed something.

The loops look once a second at what hardly ever changes. So each request counts that may change something, and answers
are kept for as long as none was made. While one is under way, nothing is kept or taken from what was: the loops see
what they would see if they always asked.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

READS = "X-Berth-Reads"
"""Header of a request by the embedded AWS to itself that changes nothing. Anybody else's counts as one that does."""
READ_NAMES = ("Describe", "Get", "List")
ALL_DAY = frozenset({"dynamodb", "logs", "monitoring", "s3", "sqs", "sts"})
"""Signing names of services that sites and their hosts call all day long, and no loop looks at."""
KEPT_SECONDS = 60.0
"""An answer is asked for again after so long anyhow."""
SCOPE = re.compile(r"Credential=[^/]*/\d{8}/[\w-]+/([\w-]+)/")


class Changes:
    """Counts what may have changed something, and keeps answers meanwhile.

    Until `watch` was called nothing is kept: who does not see the requests knows of no change.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._watching = False
        self._revision = self._under_way = 0
        self._kept: dict[str, tuple[float, Any]] = {}

    def watch(self, application: Application) -> Application:
        """Put this before moto's WSGI application, to see the requests."""
        self._watching = True

        def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if not _may_change(environ):
                return application(environ, start_response)
            with self.happening():
                return application(environ, start_response)

        return serve

    @contextmanager
    def happening(self) -> Iterator[None]:
        """Something is being changed: to be held by whoever changes without a request what a loop looks at."""
        with self._lock:
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1
                self._revision += 1
                self._kept.clear()

    def kept(self, key: str, ask: Callable[[], Any]) -> Any:
        """The answer that is kept under `key`, or what `ask` returns now. Not to be changed: it is everybody's."""
        with self._lock:
            before = self._revision
            quiet = self._watching and not self._under_way
            until, answer = self._kept.get(key, (0.0, None)) if quiet else (0.0, None)
        now = self._clock()
        if now < until:
            return answer
        answer = ask()
        with self._lock:
            if quiet and self._revision == before:  # a change under way clears it at its end
                self._kept[key] = (now + KEPT_SECONDS, answer)
        return answer


def mark(params: dict[str, Any], model: Any, **_: Any) -> None:
    """Handler of botocore's event `before-call`: mark a request that reads.

    https://boto3.amazonaws.com/v1/documentation/api/latest/guide/events.html
    """
    if model.name.startswith(READ_NAMES):
        params["headers"][READS] = "true"


def whole(client: Any, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The answer to `operation`, a method of a boto3 client; all pages of it where it is paged.

    Raises:
        botocore.exceptions.ClientError: the service refused.
    """
    if client.can_paginate(operation):
        pages: dict[str, Any] = client.get_paginator(operation).paginate(**arguments).build_full_result()
        return pages
    answer: dict[str, Any] = getattr(client, operation)(**arguments)
    return answer


def key(*call: Any) -> str:
    """The same for two calls that ask for the same."""
    return json.dumps(call, sort_keys=True)


def _may_change(environ: dict[str, Any]) -> bool:
    if environ.get(f"HTTP_{READS.upper().replace('-', '_')}"):
        return False
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    return scope is None or scope[1] not in ALL_DAY

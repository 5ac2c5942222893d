"""The embedded APIs behind a late front, and clients that take what it says as it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config as BotoConfig
from werkzeug.serving import make_server

from local_aws.cloud import ACCESS_KEY, SECRET_KEY

NONE: dict[str, Any] = {"seed": 1, "stale": 0, "lag": 0, "faults": 0, "lost": 0, "short": 0}


class LateAws:
    """A late front before embedded APIs.

    Args:
        application: the same as a WSGI application.
        clock: see `local_aws.late.front.Late`.
        settings: of `local_aws.late.chance.Settings`; what is not given does not happen.
    """

    def __init__(self, application: Any, clock: Callable[[], float] = time.monotonic, **settings: Any) -> None:
        from local_aws.late.chance import Settings
        from local_aws.late.front import Late

        self.front = Late(application, Settings(**NONE | settings), clock)
        self._server = make_server("127.0.0.1", 0, self.front, threaded=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="unit-late", daemon=True).start()
        self._clients: dict[tuple[str, int, str], Any] = {}
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def client(self, service: str, attempts: int = 1, region: str = "us-east-1") -> Any:
        """A boto3 client of the front that tries as often."""
        key = service, attempts, region
        if key not in self._clients:
            session = boto3.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=region)
            retries = {"mode": "standard", "total_max_attempts": attempts}
            config = BotoConfig(retries=retries, proxies={})
            self._clients[key] = session.client(service, endpoint_url=self.endpoint, config=config)
        return self._clients[key]

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()

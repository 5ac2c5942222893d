"""python3 -m environment: serve one function."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from http.server import ThreadingHTTPServer

from .lifecycle import Environment
from .servers import Calls, Requests, RuntimeRequests


def main(arguments: list[str] | None = None) -> None:
    """Serve one function until the container is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timeout", type=float, required=True, help="seconds that a call may take")
    parser.add_argument("--arn", required=True, help="of the function")
    parser.add_argument("--listen", default="0.0.0.0:8080", help="where the function is called")
    parser.add_argument("--runtime-api", default="127.0.0.1:9001")
    parser.add_argument("--user", help="who the function runs as")
    given = parser.parse_args(arguments)
    environment = Environment(given.timeout, given.arn, given.runtime_api, given.user)
    Requests.environment = environment
    runtime_api = ThreadingHTTPServer(_address(given.runtime_api), RuntimeRequests)
    threading.Thread(target=runtime_api.serve_forever, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        environment.initialize()
        # Not before: as long as the init phase lasts, nobody can call.
        ThreadingHTTPServer(_address(given.listen), Calls).serve_forever()
    finally:
        environment.stop()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    main()

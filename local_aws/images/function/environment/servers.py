"""The Runtime API for the runtime, and the address where the function is called.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler

from .lifecycle import Environment, Invocation

RUNTIME_API = "/2018-06-01/runtime/"


class Requests(BaseHTTPRequestHandler):
    """What both servers here share."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or a body would wait for the headers' acknowledgment
    environment: Environment

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: standard error is nobody's log."""

    def body(self) -> bytes:
        """The request's body."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class RuntimeRequests(Requests):
    """The Runtime API, for the runtime alone."""

    def do_GET(self) -> None:
        """The next event."""
        if self.path != f"{RUNTIME_API}invocation/next":
            self.answer(404, b"{}")
            return
        invocation = self.environment.next()
        if invocation is None:
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self.environment.arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        self.answer(200, invocation.event, headers)

    def do_POST(self) -> None:
        """An answer, or an error."""
        body = self.body()
        kind = self.headers.get("Lambda-Runtime-Function-Error-Type", "Unhandled")
        match self.path.removeprefix(RUNTIME_API).split("/"):
            case ["init", "error"]:
                self.environment.init_failed(kind, body)
                taken = True
            case ["invocation", request_id, ("response" | "error") as what]:
                taken = self.environment.answered(request_id, body, kind if what == "error" else "")
            case _:
                self.answer(404, b"{}")
                return
        self.answer(202 if taken else 400, b'{"status":"OK"}' if taken else b'{"errorType":"InvalidRequestID"}')


class Calls(Requests):
    """Calls of the function, for whoever runs this container."""

    def do_POST(self) -> None:
        """Have an event answered: payload, errorType and the lines that were logged since the last call."""
        body = self.body()
        if self.path != "/invoke":
            self.answer(404, b"{}")
            return
        invocation = Invocation(self.headers["Request-Id"], self.headers["Trace-Id"], body)
        self.environment.invoke(invocation)
        told = {
            "payload": (invocation.payload or b"").decode(errors="replace"),
            "error": invocation.error,
            "log": self.environment.log.fetch(),
        }
        self.answer(200, json.dumps(told).encode())

"""What an HTTP API makes of a function's answer: response format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
PLAIN = "text/plain;charset=UTF-8"
"""Of a whole response that names no type: https://github.com/awslabs/aws-lambda-go-api-proxy/issues/116"""
OURS = ("connection", "content-length", "date", "keep-alive", "server", "transfer-encoding")
"""Headers that are the server's, whatever the function says."""


class MalformedError(Exception):
    """A function's answer is none; the message says why."""


@dataclass(frozen=True)
class Response:
    """What the client gets.

    Attributes:
        status: of HTTP.
        headers: names and values.
        body: bytes.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def message(status: int, text: str) -> Response:
    """API Gateway's own answer."""
    return Response(status, [("content-type", JSON)], json.dumps({"message": text}, separators=(",", ":")).encode())


NOT_FOUND = message(404, "Not Found")
"""No API, stage or route: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html"""
INTERNAL_SERVER_ERROR = message(500, "Internal Server Error")
"""The function failed or made no valid answer, or may not be called:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html"""
SERVICE_UNAVAILABLE = message(503, "Service Unavailable")
"""The time was up, the integration's or the function's. As it was seen: https://github.com/cortexlabs/cortex/issues/1225
(AWS has no page about it)."""


def response(payload: bytes) -> Response:
    """What a function's answer means: a whole response if it has a statusCode, or else the body of one.

    Raises:
        MalformedError: it is no JSON, or a response that is none.
    """
    try:
        answer = json.loads(payload)
    except ValueError as error:
        raise MalformedError(f"it is no JSON: {error}") from error
    if not isinstance(answer, dict) or "statusCode" not in answer:
        text = answer if isinstance(answer, str) else payload.decode()
        return Response(200, [("content-type", JSON)], text.encode())
    return Response(_status(answer["statusCode"]), _headers(answer), _body(answer))


def _status(value: Any) -> int:
    try:
        status = int(value)
    except (TypeError, ValueError):
        status = 0
    if isinstance(value, bool) or not 200 <= status <= 599:
        raise MalformedError(f"statusCode is {value!r}")
    return status


def _headers(answer: dict[str, Any]) -> list[tuple[str, str]]:
    given, cookies = answer.get("headers") or {}, answer.get("cookies") or []
    if not isinstance(given, dict) or not isinstance(cookies, list):
        raise MalformedError("headers are no object, or cookies no list")
    found = [(name.lower(), value) for name, value in given.items() if name.lower() not in OURS]
    if "content-type" not in dict(found):
        found.append(("content-type", PLAIN))
    return [(name, _line(name, value)) for name, value in [*found, *(("set-cookie", cookie) for cookie in cookies)]]


def _line(name: str, value: Any) -> str:
    """A header's value as WSGI wants it: a string that holds bytes."""
    text = _plain(value)
    if isinstance(value, dict | list) or "\n" in text or "\r" in text:
        raise MalformedError(f"the header {name} is no line of text")
    return text.encode().decode("latin-1")


def _body(answer: dict[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if isinstance(body, dict | list):
        raise MalformedError("body is no text; json.dumps makes one")
    text = _plain(body)
    if answer.get("isBase64Encoded") is not True:
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise MalformedError(f"body is no base64: {error}") from error


def _plain(value: Any) -> str:
    """A scalar as text that stands in one line of a header or in a body."""
    return value if isinstance(value, str) else json.dumps(value)

"""A request as a function gets it: event format 2.0 of HTTP APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from local_aws.config import ACCOUNT_ID
from local_aws.functions.routes import Match

STAGE = "$default"
TEXT = ("application/json", "application/xml", "application/javascript")
"""Bodies that are handed over as text, with `text/*`; others, forms too, in base64. AWS does not say which; it was
tried: https://github.com/ministackorg/ministack/pull/766."""


@dataclass(frozen=True)
class Request:
    """A request to an HTTP API.

    Attributes:
        method, protocol: `GET`, `HTTP/1.1`.
        path: decoded; HTTP APIs hand it over so (https://github.com/middleapi/standard-server/pull/93).
        query: what follows the question mark, as it came.
        headers: in small letters; of one that came several times, the values with commas.
        body: empty if there is none.
        source: address of the client.
        host: the API's name as the client knows it.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    source: str
    host: str
    protocol: str = "HTTP/1.1"


def read(environ: dict[str, Any], trusted: str) -> Request:
    """The request of a WSGI environment.

    Args:
        environ: see PEP 3333.
        trusted: address of the proxy whose X-Forwarded-For counts: the resolver's HAProxy, which ends TLS.
    """
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): _text(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value)
    }
    host = headers.get("host", "")
    source = environ.get("REMOTE_ADDR", "")
    forwarded = [each.strip() for each in headers.get("x-forwarded-for", "").split(",") if each.strip()]
    if source == trusted and forwarded:
        source = forwarded[-1]
        protocol, port = headers.get("x-forwarded-proto", "http"), ""
    else:
        forwarded.append(source)
        protocol, port = environ.get("wsgi.url_scheme", "http"), host.partition(":")[2]
    headers["x-forwarded-for"] = ", ".join(forwarded)
    headers["x-forwarded-proto"] = protocol
    headers["x-forwarded-port"] = port or {"https": "443"}.get(protocol, "80")
    length = environ.get("CONTENT_LENGTH")
    stream = environ["wsgi.input"]
    chunked = environ.get("wsgi.input_terminated")
    return Request(
        method=environ["REQUEST_METHOD"],
        path=_text(environ.get("PATH_INFO") or "/"),
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        body=stream.read(int(length)) if length else stream.read() if chunked else b"",
        source=source,
        host=host.partition(":")[0],
        protocol=environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
    )


def event(request: Request, match: Match, api: str, request_id: str, now: float) -> dict[str, Any]:
    """The event for a function.

    Args:
        match: the route that takes the request.
        api: the API's id.
        request_id: names the request.
        now: seconds since the epoch.
    """
    headers = dict(request.headers)
    cookies = [each.strip() for each in headers.pop("cookie", "").split(";") if each.strip()]
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": match.key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT_ID,
            "apiId": api,
            "domainName": request.host,
            "domainPrefix": request.host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.source,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": match.key,
            "stage": STAGE,
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        made["cookies"] = cookies
    if parameters := _query(request.query):
        made["queryStringParameters"] = parameters
    if match.parameters:
        made["pathParameters"] = match.parameters
    if request.body:
        made["body"], made["isBase64Encoded"] = _body(request)
    return made


def _query(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _body(request: Request) -> tuple[str, bool]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in TEXT:
        return request.body.decode(errors="replace"), False
    return base64.b64encode(request.body).decode(), True


def _text(value: str) -> str:
    """WSGI's strings hold bytes."""
    return value.encode("latin-1").decode(errors="replace")

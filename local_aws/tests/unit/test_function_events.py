"""Routes, events, responses and code of functions, as API Gateway and Lambda have them."""

from __future__ import annotations

import base64
import io
import json
import stat
import tarfile
import zipfile
from typing import Any

import pytest

from local_aws.functions import code, events, responses, routes

EXAMPLE = ["GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"]
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html"""


@pytest.mark.parametrize(
    ("keys", "method", "path", "key", "parameters"),
    [
        (EXAMPLE, "GET", "/pets/dog/1", "GET /pets/dog/1", {}),
        (EXAMPLE, "GET", "/pets/dog/2", "GET /pets/dog/{id}", {"id": "2"}),
        (EXAMPLE, "GET", "/pets/cat/1", "GET /pets/{proxy+}", {"proxy": "cat/1"}),
        (EXAMPLE, "POST", "/test/5", "ANY /{proxy+}", {"proxy": "test/5"}),
        (EXAMPLE, "POST", "/pets/dog/1", "ANY /{proxy+}", {"proxy": "pets/dog/1"}),
        (EXAMPLE, "GET", "/", "$default", {}),
        (["ANY /items", "GET /items"], "GET", "/items", "GET /items", {}),
        (["ANY /items", "GET /items"], "PUT", "/items", "ANY /items", {}),
        (["ANY /a/{x}", "GET /{all+}"], "GET", "/a/b", "ANY /a/{x}", {"x": "b"}),
        (["GET /{a}/{b}", "GET /pets/{proxy+}"], "GET", "/pets/x", "GET /{a}/{b}", {"a": "pets", "b": "x"}),
        (["GET /{a}/list", "GET /pets/{b}"], "GET", "/pets/list", "GET /pets/{b}", {"b": "list"}),
        (["GET /{all+}", "GET /files/{all+}"], "GET", "/files/a/b", "GET /files/{all+}", {"all": "a/b"}),
        (["GET /"], "GET", "/", "GET /", {}),
    ],
)
def test_the_most_specific_route_takes_a_request(
    keys: list[str], method: str, path: str, key: str, parameters: dict[str, str]
) -> None:
    for order in (keys, keys[::-1]):
        assert routes.choose(order, method, path) == routes.Match(key, parameters)


@pytest.mark.parametrize(
    ("key", "method", "path"),
    [
        ("GET /items/{id}", "GET", "/items"),
        ("GET /items/{id}", "GET", "/items/"),
        ("GET /items/{id}", "GET", "/items/1/2"),
        ("GET /items/{id}", "POST", "/items/1"),
        ("ANY /files/{proxy+}", "GET", "/files"),
        ("ANY /files/{proxy+}", "GET", "/files/"),
        ("GET /items", "GET", "/items/"),
        ("GET /items", "GET", "/Items"),
    ],
)
def test_what_no_route_fits_is_taken_by_none(key: str, method: str, path: str) -> None:
    assert routes.choose([key], method, path) is None


def environ(**more: Any) -> dict[str, Any]:
    """A request as WSGI has it."""
    body: bytes = more.pop("body", b"")
    given = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/items/1",
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "HTTP_HOST": "a1b2.execute-api.localhost:4566",
        "CONTENT_LENGTH": str(len(body)) if body else "",
    }
    return given | more


def event(**more: Any) -> dict[str, Any]:
    """The event of a request."""
    match = routes.Match("GET /items/{id}", {"id": "1"})
    return events.event(events.read(environ(**more), "10.77.0.2"), match, "a1b2", "the-request", 1583348638.39)


def test_an_event_is_of_format_2_0() -> None:
    made = event(
        QUERY_STRING="a=1&a=2&b=&c=x%20y",
        HTTP_USER_AGENT="curl",
        HTTP_COOKIE="one=1; two=2",
        HTTP_X_MANY="1,2",
    )
    assert made == {
        "version": "2.0",
        "routeKey": "GET /items/{id}",
        "rawPath": "/items/1",
        "rawQueryString": "a=1&a=2&b=&c=x%20y",
        "cookies": ["one=1", "two=2"],
        "headers": {
            "host": "a1b2.execute-api.localhost:4566",
            "user-agent": "curl",
            "x-many": "1,2",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "4566",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"a": "1,2", "b": "", "c": "x y"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2",
            "domainName": "a1b2.execute-api.localhost",
            "domainPrefix": "a1b2",
            "http": {
                "method": "GET",
                "path": "/items/1",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "curl",
            },
            "requestId": "the-request",
            "routeKey": "GET /items/{id}",
            "stage": "$default",
            "time": "04/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
        "pathParameters": {"id": "1"},
        "isBase64Encoded": False,
    }


def test_what_a_request_has_not_is_not_in_its_event() -> None:
    match = routes.Match("$default")
    made = events.event(events.read(environ(), ""), match, "a1b2", "r", 0)
    assert not {"cookies", "queryStringParameters", "pathParameters", "body"} & made.keys()


@pytest.mark.parametrize(
    ("kind", "body", "made"),
    [
        ("application/json", b'{"a": "\xc3\xa4"}', ('{"a": "ä"}', False)),
        ("text/csv; charset=utf-8", b"a,b", ("a,b", False)),
        ("application/xml", b"<a/>", ("<a/>", False)),
        ("application/x-www-form-urlencoded", b"a=1", (base64.b64encode(b"a=1").decode(), True)),
        ("image/png", b"\x89\xff", (base64.b64encode(b"\x89\xff").decode(), True)),
        ("", b"x", (base64.b64encode(b"x").decode(), True)),
    ],
)
def test_a_body_is_text_or_base64_by_its_type(kind: str, body: bytes, made: tuple[str, bool]) -> None:
    found = event(body=body, **({"CONTENT_TYPE": kind} if kind else {}))
    assert (found["body"], found["isBase64Encoded"]) == made


def test_a_body_without_a_length_is_read_too() -> None:
    chunked = environ(CONTENT_TYPE="text/plain") | {"wsgi.input": io.BytesIO(b"parts"), "wsgi.input_terminated": True}
    assert events.read(chunked, "").body == b"parts"


def test_a_path_is_handed_over_decoded() -> None:
    assert event(PATH_INFO="/caf\xc3\xa9 1")["rawPath"] == "/café 1"


def test_behind_the_resolver_the_client_is_the_one_it_names() -> None:
    by_name = {"HTTP_X_FORWARDED_FOR": "1.2.3.4, 10.77.0.9", "HTTP_X_FORWARDED_PROTO": "https",
               "HTTP_HOST": "a1b2.execute-api.us-east-1.amazonaws.com"}  # fmt: skip
    made = event(REMOTE_ADDR="10.77.0.2", **by_name)
    assert made["requestContext"]["http"]["sourceIp"] == "10.77.0.9"
    named = {name: made["headers"][f"x-forwarded-{name}"] for name in ("for", "port", "proto")}
    assert named == {"for": "1.2.3.4, 10.77.0.9", "port": "443", "proto": "https"}
    claimed = event(REMOTE_ADDR="10.77.0.9", **by_name)
    assert claimed["requestContext"]["http"]["sourceIp"] == "10.77.0.9"
    assert claimed["headers"]["x-forwarded-for"] == "1.2.3.4, 10.77.0.9, 10.77.0.9"
    assert claimed["headers"]["x-forwarded-proto"] == "http"


@pytest.mark.parametrize(
    ("payload", "status", "headers", "body"),
    [
        ({"items": [1]}, 200, [("content-type", "application/json")], b'{"items": [1]}'),
        ("Hello", 200, [("content-type", "application/json")], b"Hello"),
        (None, 200, [("content-type", "application/json")], b"null"),
        ({"statusCode": 201, "body": "made"}, 201, [("content-type", "text/plain;charset=UTF-8")], b"made"),
        ({"statusCode": "204"}, 204, [("content-type", "text/plain;charset=UTF-8")], b""),
        (
            {"statusCode": 200, "headers": {"Content-Type": "image/png", "X-Count": 3, "Content-Length": "7"},
             "cookies": ["a=1; Secure", "b=2"], "body": base64.b64encode(b"\x89").decode(), "isBase64Encoded": True},
            200,
            [("content-type", "image/png"), ("x-count", "3"), ("set-cookie", "a=1; Secure"), ("set-cookie", "b=2")],
            b"\x89",
        ),
        ({"statusCode": 200, "body": "aGk=", "isBase64Encoded": False}, 200,
         [("content-type", "text/plain;charset=UTF-8")], b"aGk="),
        ({"statusCode": 200, "headers": {"X-Name": "é"}}, 200,
         [("x-name", "Ã©"), ("content-type", "text/plain;charset=UTF-8")], b""),
    ],
    ids=["inferred", "text", "null", "whole", "status-as-text", "binary", "not-encoded", "bytes-of-a-header"],
)  # fmt: skip
def test_an_answer_is_a_response_of_format_2_0(
    payload: Any, status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    assert responses.response(json.dumps(payload).encode()) == responses.Response(status, headers, body)


@pytest.mark.parametrize(
    "payload",
    [
        b"no json",
        b'{"statusCode": "fine"}',
        b'{"statusCode": 100}',
        b'{"statusCode": 600}',
        b'{"statusCode": true}',
        b'{"statusCode": 200, "body": {"a": 1}}',
        b'{"statusCode": 200, "body": "!", "isBase64Encoded": true}',
        b'{"statusCode": 200, "headers": []}'.replace(b"[]", b"[1]"),
        b'{"statusCode": 200, "headers": {"a": ["b"]}}',
        b'{"statusCode": 200, "headers": {"a": "b\\nc: d"}}',
        b'{"statusCode": 200, "cookies": "a=1"}',
    ],
)
def test_an_answer_that_is_no_response_is_malformed(payload: bytes) -> None:
    with pytest.raises(responses.MalformedError):
        responses.response(payload)


def test_code_is_unpacked_with_its_modes() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, mode in (("run", 0o755), ("closed", 0o600), ("package/", 0o755)):
            entry = zipfile.ZipInfo(name)
            kind = stat.S_IFDIR if name.endswith("/") else stat.S_IFREG
            entry.external_attr = (kind | mode) << 16
            archive.writestr(entry, "" if name.endswith("/") else name)
        plain = zipfile.ZipInfo("plain")
        plain.external_attr = 0x20  # of a system without modes
        archive.writestr(plain, "x")
    with tarfile.open(fileobj=io.BytesIO(code.archive(made.getvalue()))) as unpacked:
        modes = {each.name: (each.isdir(), oct(each.mode), each.uid) for each in unpacked}
        assert unpacked.extractfile("run").read() == b"run"  # type: ignore[union-attr] # it is a file
    assert modes == {
        "run": (False, "0o755", 0),
        "closed": (False, "0o600", 0),
        "package": (True, "0o755", 0),
        "plain": (False, "0o644", 0),
    }
    with pytest.raises(ValueError, match="no zip"):
        code.archive(b"PK?")

"""Which AWS operation an HTTP request is, and its answer as data: all from botocore's models.

moto ships routers, request parsers and response serializers that work from those models; botocore has the response
parsers. So nothing here knows a service, but for the few whose signing name is not boto3's name of them.
"""

from __future__ import annotations

import functools
import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import botocore.parsers
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]

SCOPE = re.compile(r"Credential=[^/]*/\d{8}/([\w-]+)/([\w-]+)/")
SERVICES = {"elasticfilesystem": "efs", "elasticloadbalancing": "elbv2", "monitoring": "cloudwatch",
            "servicequotas": "service-quotas", "tagging": "resourcegroupstaggingapi"}  # fmt: skip
"""Signing name → boto3's name, where they differ."""
READS = ("Describe", "List", "Get", "Head", "BatchGet", "Lookup", "Filter", "Search")
TOKENS = ("ClientRequestToken", "ClientToken", "clientToken", "clientRequestToken")


@dataclass(frozen=True)
class Answer:
    """What a server said: status line, headers, body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the operation was done."""
        return self.status.startswith("2")


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        service: boto3's name.
        region: of the signature.
        operation: botocore's model of it.
        protocol: how its answer is written.
        parameters: as boto3 takes them.
        environ, body: to send it (again).
    """

    service: str
    region: str
    operation: Any
    protocol: str
    parameters: dict[str, Any]
    environ: Environ = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """`ecs:RunTask`."""
        return f"{self.service}:{self.operation.name}"

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return bool(self.operation.name.startswith(READS))

    @property
    def key(self) -> str:
        """The same for two requests that ask for the same."""
        return f"{self.region} {self.name} {json.dumps(self.parameters, sort_keys=True, default=str)}"

    @property
    def token(self) -> str:
        """What lets AWS recognize a request that is sent again; empty where the operation has none."""
        members = self.operation.input_shape.members if self.operation.input_shape else {}
        names = [name for name, shape in members.items() if shape.metadata.get("idempotencyToken") or name in TOKENS]
        return next((str(self.parameters[name]) for name in names if self.parameters.get(name)), "")

    def send(self, application: Application) -> Answer:
        """Ask the APIs."""
        said: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], None]:
            said[:] = [status, headers]
            return lambda _data: None

        environ = self.environ | {"wsgi.input": io.BytesIO(self.body), "CONTENT_LENGTH": str(len(self.body))}
        chunks = application(environ, start_response)
        try:
            body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close:
                close()
        return Answer(said[0], said[1], body)

    def read(self, answer: Answer) -> dict[str, Any]:
        """An answer as boto3 would give it, without its metadata."""
        parser = botocore.parsers.create_parser(self.protocol)
        response = {"status_code": 200, "headers": dict(answer.headers), "body": answer.body}
        parsed: dict[str, Any] = parser.parse(response, self.operation.output_shape)
        parsed.pop("ResponseMetadata", None)
        return parsed

    def write(self, result: Any) -> Answer:
        """An answer from data, or from an exception with `code` and `message`."""
        serializer = get_serializer_class(self.service, self.protocol)(self.operation)
        made = serializer.serialize(result)
        body = made["body"].encode() if isinstance(made["body"], str) else made["body"]
        headers = {name: str(value) for name, value in made["headers"].items() if name.lower() != "content-length"}
        headers |= {"Content-Length": str(len(body))}
        return Answer(
            f"{made['status_code']} {'OK' if made['status_code'] < 300 else 'Error'}", list(headers.items()), body
        )


def service_of(environ: Environ) -> tuple[str, str]:
    """Service and region that a request is signed for; empty strings if it is not signed."""
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    return (SERVICES.get(scope[2], scope[2]), scope[1]) if scope else ("", "")


@functools.cache
def _known(service: str) -> bool:
    try:
        get_service_model(service)
    except Exception:  # moto and botocore raise various ones: it is a service that the models do not have
        return False
    return True


def recognize(environ: Environ, named: str = "") -> Call | None:
    """The operation that a request is; None for what is none of botocore's models, or is a stream of bytes.

    The request's body is read where it is one: use `Call.send`.

    Args:
        environ: the request.
        named: boto3's name of its service, where the signature does not tell.
    """
    service, region = service_of(environ)
    service = named or service
    if not service or not _known(service):
        return None
    if service == "s3" and environ["PATH_INFO"].strip("/"):
        return None  # objects are not read into memory, and S3 is consistent; ListBuckets is what is left
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    request = Request(dict(environ))
    try:
        model = get_service_model(service)
        protocol = determine_request_protocol(model, request.content_type)
        operation, labels = get_service_router(service).match(request)
        parsed = PROTOCOL_PARSERS[protocol](operation).parse(
            {"method": request.method, "values": request.values, "headers": request.headers, "body": body,
             "url_path": request.path, "url_params": labels}
        )  # fmt: skip
    except Exception:  # not AWS's protocol, or an operation that there is not: the APIs say so in their own words
        environ["wsgi.input"] = io.BytesIO(body)
        return None
    environ["wsgi.input"] = io.BytesIO(body)
    return Call(service, region, operation, protocol, parsed, environ, body)

"""Which call an HTTP request is: of S3 by its method, path and query, of all others by botocore's models.

What is no call of an API (the embedded AWS's own pages, moto's) is None.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.s3.models import s3_backends
from werkzeug.formparser import parse_form_data

from local_aws.access.estate import PARTITION
from local_aws.access.resources import Asked
from local_aws.config import ACCOUNT_ID, REGION
from local_aws.late.calls import Call, Environ, recognize, service_of

VIRTUAL_HOST = re.compile(r"(?P<bucket>[a-z0-9][a-z0-9.-]+)\.s3[.-](?:[\w-]+\.)?(?:amazonaws\.com|localhost)")
PATH_HOST = re.compile(r"s3[.-](?:[\w-]+\.)?amazonaws\.com")
S3_QUERY = {"versionId": "VersionId", "prefix": "Prefix", "delimiter": "Delimiter"}
S3_HEADERS = {"HTTP_X_AMZ_COPY_SOURCE": "CopySource", "HTTP_X_AMZ_TAGGING": "Tagging"}


@dataclass(frozen=True)
class Received:
    """A request that is a call.

    Attributes:
        asked: what it asks for.
        call: how to answer it; None where no model says how (a form's upload).
        key: the access key that a form brings in its body; empty otherwise.
    """

    asked: Asked
    call: Call | None
    key: str = ""


def received(environ: Environ) -> Received | None:
    """The call that a request is; its body can be read again afterwards."""
    service, region = service_of(environ)
    if service == "s3" or (not service and _bucket_is_meant(environ)):
        return _s3(environ, region or REGION)
    # Both of API Gateway's services sign with one name.
    second = service == "apigateway" and environ["PATH_INFO"].startswith("/v2/")
    call = recognize(environ, "apigatewayv2" if second else "")
    if call is None:
        return None
    asked = Asked(
        call.service, call.operation.name, call.region, call.parameters, environ["REQUEST_METHOD"],
    )  # fmt: skip
    return Received(asked, call)


def _bucket_is_meant(environ: Environ) -> bool:
    """Whether a request that is not signed, or in its address or body, is for S3."""
    host = environ.get("HTTP_HOST", "")
    if VIRTUAL_HOST.match(host) or PATH_HOST.match(host):
        return True
    first = environ["PATH_INFO"].lstrip("/").partition("/")[0]
    return first in s3_backends[ACCOUNT_ID][PARTITION].buckets


def _s3(environ: Environ, region: str) -> Received | None:
    path = environ["PATH_INFO"]
    if found := VIRTUAL_HOST.match(environ.get("HTTP_HOST", "")):
        path = f"/{found['bucket']}{path}"
    if form := environ.get("CONTENT_TYPE", "").startswith("multipart/form-data"):
        form = environ["REQUEST_METHOD"] == "POST"
    if form:
        return _form(environ, path, region)
    shown = {**environ, "PATH_INFO": path, "wsgi.input": io.BytesIO()}
    try:
        operation, labels = get_service_router("s3").match(Request(shown))
    except Exception:  # no operation of S3: moto says so in its own words
        return None
    given = {name: unquote(str(value)) for name, value in (labels or {}).items()}
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    given |= {member: query[name][0] for name, member in S3_QUERY.items() if name in query}
    given |= {member: unquote(environ[name]) for name, member in S3_HEADERS.items() if environ.get(name)}
    asked = Asked("s3", _operation(operation.name, given), region, given, environ["REQUEST_METHOD"])
    if operation.name == "DeleteObjects":
        asked = _with_keys(environ, asked)
    return Received(asked, Call("s3", region, operation, "rest-xml", given, environ, b""))


def _operation(name: str, given: dict[str, str]) -> str:
    """A PUT with a source is a copy, whichever operation its path and query look like."""
    if "CopySource" in given:
        return {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}.get(name, name)
    return name


def _with_keys(environ: Environ, asked: Asked) -> Asked:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    text = body.decode(errors="replace")
    found: list[dict[str, str]] = []
    for each in re.findall(r"<Object>(.*?)</Object>", text, re.DOTALL):
        key, version = (re.search(f"<{name}>(.*?)</{name}>", each, re.DOTALL) for name in ("Key", "VersionId"))
        if key:
            found.append({"Key": _plain(key[1])} | ({"VersionId": version[1]} if version else {}))
    given: dict[str, Any] = {**asked.parameters, "Delete": {"Objects": found}}
    return Asked(asked.service, asked.operation, asked.region, given, asked.method)


def _plain(text: str) -> str:
    for sign, name in (("<", "lt"), (">", "gt"), ('"', "quot"), ("'", "apos"), ("&", "amp")):
        text = text.replace(f"&{name};", sign)
    return text


def _form(environ: Environ, path: str, region: str) -> Received:
    """A form's upload; who signed it stands in its fields.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
    """
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    _, fields, _ = parse_form_data({**environ, "wsgi.input": io.BytesIO(body)})
    names = {name.lower(): value for name, value in fields.items()}
    credential = names.get("x-amz-credential", names.get("awsaccesskeyid", ""))
    given = {"Bucket": path.strip("/").partition("/")[0], "Key": names.get("key", "*")}
    return Received(Asked("s3", "PostObject", region, given, "POST"), None, credential.partition("/")[0])

"""Calls of the agent: the instance metadata service and AWS's APIs, signed (Signature Version 4)."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import os
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from xml.etree import ElementTree

Json = dict[str, Any]
HOSTS = {"ecr": "api.ecr"}
"""First part of the endpoint's name where it is not that of the service."""


class ApiError(Exception):
    """An error answer of an AWS API; `kind` is its type without a namespace."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


@dataclass(frozen=True)
class Credentials:
    """Keys to sign with."""

    access_key: str = "none"
    secret_key: str = "none"  # noqa: S105 - a placeholder where the host has no role
    token: str = ""


class Metadata:
    """The instance metadata service, version 2 with a fall-back to version 1.

    `AWS_EC2_METADATA_SERVICE_ENDPOINT` moves it, as with the AWS SDKs.
    """

    def __init__(self, endpoint: str = "") -> None:
        default = "http://169.254.169.254"
        self.endpoint = (endpoint or os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or default).rstrip("/")
        self._token = ("", 0.0)
        self._credentials: tuple[Credentials, float] = (Credentials(), 0.0)

    def find(self, path: str) -> str:
        """The value at `/latest/meta-data/<path>`, empty if there is none."""
        try:
            return self.get(f"meta-data/{path}").strip()
        except urllib.error.HTTPError:
            return ""

    def get(self, path: str) -> str:
        """The value at `/latest/<path>`.

        Raises:
            OSError: the service does not answer, or has no such value (HTTPError).
        """
        request = urllib.request.Request(f"{self.endpoint}/latest/{path}")
        if token := self._session_token():
            request.add_header("X-aws-ec2-metadata-token", token)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return str(answer.read().decode())

    def identity(self) -> tuple[str, str]:
        """The instance identity document and its signature."""
        document = self.get("dynamic/instance-identity/document")
        try:
            signature = self.get("dynamic/instance-identity/signature")
        except urllib.error.HTTPError:
            signature = ""
        return document, signature

    def credentials(self) -> Credentials:
        """The instance role's credentials; placeholders if the instance has no role."""
        if time.time() < self._credentials[1]:
            return self._credentials[0]
        try:
            role = self.get("meta-data/iam/security-credentials/").strip().splitlines()[0]
            found = json.loads(self.get(f"meta-data/iam/security-credentials/{role}"))
            keys = Credentials(found["AccessKeyId"], found["SecretAccessKey"], found.get("Token", ""))
        except (urllib.error.HTTPError, IndexError, KeyError):
            keys = Credentials()
        self._credentials = (keys, time.time() + 300)
        return keys

    def _session_token(self) -> str:
        if time.time() < self._token[1]:
            return self._token[0]
        request = urllib.request.Request(
            f"{self.endpoint}/latest/api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "21600"}
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                self._token = (answer.read().decode(), time.time() + 21000)
        except urllib.error.HTTPError:  # version 1 only
            self._token = ("", time.time() + 60)
        return self._token[0]


class Api:
    """One JSON 1.1 API.

    Args:
        service: signing name, for example `ecs`.
        target: prefix of X-Amz-Target.
        region: AWS region.
        endpoint: URL; by default the service's own, or what `AWS_ENDPOINT_URL` says, as with the AWS SDKs.
    """

    def __init__(self, service: str, target: str, region: str, endpoint: str = "") -> None:
        self.service = service
        self.target = target
        self.region = region
        self.endpoint = endpoint or default_endpoint(service, region)
        if "://" not in self.endpoint:
            self.endpoint = f"https://{self.endpoint}"

    def call(self, action: str, body: Json, credentials: Credentials) -> Json:
        """Call `action`.

        Raises:
            ApiError: AWS refused.
            OSError: there was no answer.
        """
        data = json.dumps(body).encode()
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{self.target}.{action}",
            "Host": urlsplit(self.endpoint).netloc,
        }
        headers |= signature(self.service, self.region, headers, data, credentials)
        request = urllib.request.Request(self.endpoint, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return dict(json.loads(answer.read() or b"{}"))
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                found = json.loads(text)
            except ValueError:
                raise ApiError(f"HTTP {error.code}", text[:200]) from error
            kind = str(found.get("__type", f"HTTP {error.code}")).rpartition("#")[2]
            raise ApiError(kind, str(found.get("message") or found.get("Message") or "")) from error


def default_endpoint(service: str, region: str) -> str:
    """URL of a service: its own, or what `AWS_ENDPOINT_URL` says, as with the AWS SDKs."""
    return os.environ.get("AWS_ENDPOINT_URL") or f"https://{HOSTS.get(service, service)}.{region}.amazonaws.com"


def instance_tags(instance: str, region: str, credentials: Credentials) -> dict[str, str]:
    """Tags of an EC2 instance, by ec2:DescribeTags, without those that AWS sets itself.

    Source: amazon-ecs-agent, ecs-agent/ec2/ec2_client.go, DescribeECSTagsForInstance.

    Raises:
        OSError: EC2 refused (HTTPError) or did not answer.
    """
    parameters = {"Action": "DescribeTags", "Version": "2016-11-15", "MaxResults": "200"}
    for number, (name, value) in enumerate((("resource-id", instance), ("resource-type", "instance")), 1):
        parameters |= {f"Filter.{number}.Name": name, f"Filter.{number}.Value.1": value}
    data = urlencode(parameters).encode()
    endpoint = default_endpoint("ec2", region)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Host": urlsplit(endpoint).netloc}
    headers |= signature("ec2", region, headers, data, credentials)
    request = urllib.request.Request(endpoint, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        document = ElementTree.fromstring(answer.read())
    tags = {}
    for item in document.iterfind(".//{*}tagSet/{*}item"):
        key, value = item.findtext("{*}key", ""), item.findtext("{*}value", "")
        if not key.lower().startswith("aws:") and not value.lower().startswith("aws:"):
            tags[key] = value
    return tags


def signed_frame(url: str, region: str, data: bytes, credentials: Credentials) -> bytes:
    """A frame of the telemetry socket: the signed headers of a GET of the socket's URL, an empty line, the frame.

    Source: amazon-ecs-agent, ecs-agent/tcs/client/client.go, signRequestFunc.
    """
    headers = {"Host": urlsplit(url).netloc}
    headers |= signature("ecs", region, headers, data, credentials, "GET", url)
    lines = [f"{name}: {value}\r\n" for name, value in sorted(headers.items())]
    return "".join([*lines, "\r\n"]).encode() + data


def signed_handshake(url: str, region: str, credentials: Credentials) -> dict[str, str]:
    """The headers that sign the handshake of a socket."""
    return signature("ecs", region, {"Host": urlsplit(url).netloc}, b"", credentials, "GET", url)


def signature(
    service: str,
    region: str,
    headers: dict[str, str],
    data: bytes,
    keys: Credentials,
    method: str = "POST",
    url: str = "",
) -> dict[str, str]:
    """The headers that sign a request (AWS General Reference, Signature Version 4 signing process)."""
    now = datetime.datetime.now(datetime.timezone.utc)  # noqa: UP017 - as Debian 11's Python has it
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    extra = {"X-Amz-Date": stamp}
    if keys.token:
        extra["X-Amz-Security-Token"] = keys.token
    signed = {key.lower(): value for key, value in (headers | extra).items()}
    names = ";".join(sorted(signed))
    parts = urlsplit(url)
    canonical = "\n".join(
        [
            method,
            parts.path or "/",
            urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)), quote_via=quote, safe="-_.~"),
            *(f"{key}:{signed[key]}" for key in sorted(signed)),
            "",
            names,
            hashlib.sha256(data).hexdigest(),
        ]
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{keys.secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    proof = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    authorization = f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={proof}"
    return {**extra, "Authorization": authorization}

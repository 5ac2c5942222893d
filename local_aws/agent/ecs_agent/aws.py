"""Calls of the agent: the instance metadata service and AWS's JSON APIs, signed (Signature Version 4)."""

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
from urllib.parse import urlsplit

Json = dict[str, Any]


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
        self.endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL") or f"https://{service}.{region}.amazonaws.com"
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


def signature(service: str, region: str, headers: dict[str, str], data: bytes, keys: Credentials) -> dict[str, str]:
    """The headers that sign a POST to `/` (AWS General Reference, Signature Version 4 signing process)."""
    now = datetime.datetime.now(datetime.timezone.utc)  # noqa: UP017 - as Debian 11's Python has it
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    extra = {"X-Amz-Date": stamp}
    if keys.token:
        extra["X-Amz-Security-Token"] = keys.token
    signed = {key.lower(): value for key, value in (headers | extra).items()}
    names = ";".join(sorted(signed))
    canonical = "\n".join(
        [
            "POST",
            "/",
            "",
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

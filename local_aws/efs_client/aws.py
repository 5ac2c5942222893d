"""The instance metadata service and EFS's API, for a host that has no AWS SDK."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

METADATA = "http://169.254.169.254/latest"
TIMEOUT = 5.0


class AwsError(Exception):
    """An answer of AWS that is not a success.

    Attributes:
        code: AWS's error code, for example `AccessDeniedException`, or the HTTP status where there is none.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Credentials:
    """Access key of a request; `token` is empty for a user's key."""

    access_key: str
    secret_key: str
    token: str = ""


def _read(request: urllib.request.Request) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        try:
            fields = json.loads(text)
        except ValueError:
            fields = {}
        code = fields.get("ErrorCode") or error.headers.get("x-amzn-errortype") or str(error.code)
        raise AwsError(code, fields.get("Message") or fields.get("message") or error.reason) from error


class Metadata:
    """The instance metadata service.

    Args:
        tokens: True for version 2 (a session token first), False for plain version 1 requests.
    Raises:
        AwsError: from any method, with code `401` when version 1 is asked where tokens are required.
        OSError: it does not answer.
    """

    def __init__(self, tokens: bool, base: str = METADATA) -> None:
        self._tokens = tokens
        self._base = base

    def get(self, path: str) -> str:
        """One item, for example `meta-data/mac`."""
        headers = {}
        if self._tokens:
            ask = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
            request = urllib.request.Request(f"{self._base}/api/token", method="PUT", headers=ask)
            headers["X-aws-ec2-metadata-token"] = _read(request).decode()
        return _read(urllib.request.Request(f"{self._base}/{path}", headers=headers)).decode().strip()

    def region(self) -> str:
        """The region of the identity document."""
        document: dict[str, str] = json.loads(self.get("dynamic/instance-identity/document"))
        return document["region"]

    def interface(self, item: str) -> str:
        """An item of the first network interface, for example `subnet-id`."""
        return self.get(f"meta-data/network/interfaces/macs/{self.get('meta-data/mac')}/{item}")

    def credentials(self) -> Credentials:
        """The instance role's present credentials."""
        role = self.get("meta-data/iam/security-credentials/").split("\n")[0]
        found: dict[str, str] = json.loads(self.get(f"meta-data/iam/security-credentials/{role}"))
        return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["Token"])


def signature(credentials: Credentials, region: str, service: str, url: str, now: datetime.datetime) -> dict[str, str]:
    """Headers that sign a GET of `url`, AWS Signature Version 4.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    parts = urllib.parse.urlsplit(url)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": parts.netloc, "x-amz-date": stamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(headers))
    query = "&".join(sorted(parts.query.split("&")))
    canonical = "\n".join([
        "GET", parts.path, query, *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names,
        hashlib.sha256(b"").hexdigest(),
    ])  # fmt: skip
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (stamp[:8], region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    digest = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    del headers["host"]  # the HTTP client sends it
    credential = f"{credentials.access_key}/{scope}"
    headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={digest}"
    return headers


class Efs:
    """The read-only calls of EFS's API that drivers make.

    Plain HTTP, so that the managed plugin needs no CA certificate; the embedded AWS's resolver answers for the name.

    Raises:
        AwsError: from any method.
        OSError: the API does not answer.
    """

    def __init__(self, region: str, credentials: Callable[[], Credentials]) -> None:
        self._region = region
        self._credentials = credentials

    def _pages(self, path: str, member: str, marker: tuple[str, str], **query: str) -> list[dict[str, Any]]:
        """All pages; `marker` are the names of the request's and the answer's marker."""
        found: list[dict[str, Any]] = []
        while True:
            url = f"http://elasticfilesystem.{self._region}.amazonaws.com/2015-02-01/{path}"
            url += "?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
            now = datetime.datetime.now(datetime.UTC)
            headers = signature(self._credentials(), self._region, "elasticfilesystem", url, now)
            page = json.loads(_read(urllib.request.Request(url, headers=headers)))
            found += page[member]
            if not page.get(marker[1]):
                return found
            query[marker[0]] = page[marker[1]]

    def file_systems(self) -> list[dict[str, Any]]:
        """DescribeFileSystems."""
        return self._pages("file-systems", "FileSystems", ("Marker", "NextMarker"), MaxItems="100")

    def mount_targets(self, file_system: str) -> list[dict[str, Any]]:
        """DescribeMountTargets."""
        markers = ("Marker", "NextMarker")
        return self._pages("mount-targets", "MountTargets", markers, FileSystemId=file_system, MaxItems="100")

    def access_point(self, identifier: str) -> dict[str, Any]:
        """DescribeAccessPoints of one access point."""
        markers = ("NextToken", "NextToken")
        return self._pages("access-points", "AccessPoints", markers, AccessPointId=identifier)[0]

"""A distribution's access log: nginx writes down each request, and CloudFront's lines of them come into a bucket.

CloudFront brings them several times an hour, here it is done once a minute. Standard logging as it was before 2024: it
is part of the distribution, where the newer one needs three resources of CloudWatch Logs in us-east-1.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
"""

from __future__ import annotations

import gzip
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

FILE = "access.log"
LOCATION = "BERTH1-C1"
"""Where all viewers are answered."""
NOTHING = "-"
HITS = {"HIT": "Hit", "STALE": "Hit", "UPDATING": "Hit", "REVALIDATED": "RefreshHit"}
VARIABLES = (
    "msec", "bytes_sent", "remote_addr", "remote_port", "request_method", "http_host", "request_uri", "status",
    "http_referer", "http_user_agent", "http_cookie", "upstream_cache_status", "request_id", "scheme",
    "request_length", "request_time", "upstream_header_time", "http_x_forwarded_for", "ssl_protocol", "ssl_cipher",
    "server_protocol", "sent_http_content_type", "sent_http_content_length",
)  # fmt: skip
"""Of nginx's: https://nginx.org/en/docs/varindex.html"""
FORMAT = "log_format edge escape=json '{" + ",".join(f'"{name}":"${name}"' for name in VARIABLES) + "}';"
FIELDS = (
    "date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status",
    "cs(Referer)", "cs(User-Agent)", "cs-uri-query", "cs(Cookie)", "x-edge-result-type", "x-edge-request-id",
    "x-host-header", "cs-protocol", "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher",
    "x-edge-response-result-type", "cs-protocol-version", "fle-status", "fle-encrypted-fields", "c-port",
    "time-to-first-byte", "x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start",
    "sc-range-end",
)  # fmt: skip
PLAIN = "!$&'()*+,-./:;=?@_"
"""Of what is no letter or digit, what stands in a field as it is; the rest is encoded, as a tab would be."""


@dataclass(frozen=True)
class Log:
    """Where a distribution's log goes.

    Attributes:
        bucket: its name.
        prefix: before the files' names.
        cookies: whether what viewers send as cookies is written down too.
    """

    bucket: str
    prefix: str = ""
    cookies: bool = False


def of(config: Mapping[str, Any]) -> Log | None:
    """The log of a distribution, by its configuration; None for none."""
    given = config.get("Logging") or {}
    if str(given.get("Enabled")).lower() != "true":
        return None
    cookies = str(given.get("IncludeCookies")).lower() == "true"
    return Log(bucket_of(given["Bucket"]), given.get("Prefix") or "", cookies)


def bucket_of(domain: str) -> str:
    """A bucket's name, by its domain name as `Logging` has it: `name.s3.amazonaws.com`."""
    return re.sub(r"\.s3[.-][a-z0-9.-]*amazonaws\.com(\.cn)?$", "", domain)


def line(request: Mapping[str, str], domain: str, cookies: bool) -> str:
    """A line of the log.

    Args:
        request: nginx's variables.
        domain: of the distribution.
        cookies: whether they are written down.
    """
    when = datetime.fromtimestamp(float(request["msec"]), UTC)
    stem, _, query = request["request_uri"].partition("?")
    result = _result(request)
    first = request["upstream_header_time"].rpartition(",")[2].strip()
    told = {
        "date": f"{when:%Y-%m-%d}",
        "time": f"{when:%H:%M:%S}",
        "x-edge-location": LOCATION,
        "sc-bytes": request["bytes_sent"],
        "c-ip": request["remote_addr"],
        "cs-method": request["request_method"],
        "cs(Host)": domain,
        "cs-uri-stem": _raw(stem),
        "sc-status": request["status"],
        "cs(Referer)": _encoded(request["http_referer"]),
        "cs(User-Agent)": _encoded(request["http_user_agent"]),
        "cs-uri-query": _raw(query),
        "cs(Cookie)": _encoded(request["http_cookie"]) if cookies else "",
        "x-edge-result-type": result,
        "x-edge-request-id": request["request_id"],
        "x-host-header": _encoded(request["http_host"]),
        "cs-protocol": request["scheme"],
        "cs-bytes": request["request_length"],
        "time-taken": request["request_time"],
        "x-forwarded-for": _encoded(request["http_x_forwarded_for"]),
        "ssl-protocol": request["ssl_protocol"],
        "ssl-cipher": request["ssl_cipher"],
        "x-edge-response-result-type": result,
        "cs-protocol-version": request["server_protocol"],
        "c-port": request["remote_port"],
        "time-to-first-byte": first if first not in ("", NOTHING) else request["request_time"],
        "x-edge-detailed-result-type": result,
        "sc-content-type": _encoded(request["sent_http_content_type"]),
        "sc-content-len": request["sent_http_content_length"],
    }
    return "\t".join(told.get(name) or NOTHING for name in FIELDS)


def file(lines: Iterable[str]) -> bytes:
    """A file of the log, as it lies in the bucket."""
    return gzip.compress("\n".join(["#Version: 1.0", f"#Fields: {' '.join(FIELDS)}", *lines, ""]).encode())


def files(written: Path, log: Log, identifier: str, domain: str) -> dict[str, bytes]:
    """Key → content of what a file of nginx's becomes: one for each hour in which something was asked for.

    Args:
        written: by nginx, in `FORMAT`.
        log: of the distribution.
        identifier: of the distribution.
        domain: its own.
    """
    hours: dict[str, list[str]] = {}
    for text in written.read_text(errors="replace").splitlines():
        request = json.loads(text)
        hour = f"{datetime.fromtimestamp(float(request['msec']), UTC):%Y-%m-%d-%H}"
        hours.setdefault(hour, []).append(line(request, domain, log.cookies))
    return {f"{log.prefix}{identifier}.{hour}.{uuid.uuid4().hex[:8]}.gz": file(lines) for hour, lines in hours.items()}


def _result(request: Mapping[str, str]) -> str:
    if request["scheme"] == "http" and request["status"] == "301":
        return "Redirect"
    if int(request["status"]) >= 400:
        return "Error"
    return HITS.get(request["upstream_cache_status"], "Miss")


def _encoded(value: str) -> str:
    return quote(value, safe=PLAIN)


def _raw(value: str) -> str:
    """A part of an address, which is encoded already."""
    return quote(value, safe=PLAIN + "%~")

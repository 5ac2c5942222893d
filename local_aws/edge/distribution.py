"""A distribution with all that it names, as its configuration needs it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.edge import access_log
from local_aws.edge.access_log import Log

MANAGED: Mapping[str, dict[str, Any]] = {
    # CachingOptimized
    "658327ea-f89d-4fab-a63d-7e88639e58f6": {
        "MinTTL": 1,
        "DefaultTTL": 86400,
        "MaxTTL": 31536000,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": True,
            "EnableAcceptEncodingBrotli": True,
            "HeadersConfig": {"HeaderBehavior": "none"},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "none"},
        },
    },
    # CachingDisabled
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": {"MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 0},
}
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html"""
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html"""
ERROR_SECONDS = 10
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html"""
ERRORS = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)


class Unsupported(ValueError):
    """CloudFront has it, this has not; the message says what."""


@dataclass(frozen=True)
class Key:
    """What of a request tells answers apart, and goes to the origin.

    Attributes:
        headers: names, in small letters.
        query: `all`, `none`, or the names of those that count.
        gzip: whether answers for who takes gzip are others.
        cookies: whether cookies count at all; only none is emulated, or all.
    """

    headers: tuple[str, ...] = ()
    query: str | tuple[str, ...] = "none"
    gzip: bool = False
    cookies: bool = False


@dataclass(frozen=True)
class Behaviour:
    """What becomes of the requests for a pattern of paths.

    Attributes:
        pattern: with `*` and `?`; empty for the default one.
        origin: its id.
        viewers: ViewerProtocolPolicy.
        methods: that are let through.
        times: seconds for which an answer is kept: least, default, most.
        key: see there.
        all_sent: whether all of the request goes to the origin, and not the key alone.
        function: ARN of the one that sees requests first; empty for none.
        added: header → its value, and whether it holds against what the origin says.
        removed: headers that are taken out of answers.
        compress: whether answers are compressed.
    """

    pattern: str
    origin: str
    viewers: str
    methods: tuple[str, ...]
    times: tuple[int, int, int]
    key: Key
    all_sent: bool = False
    function: str = ""
    added: Mapping[str, tuple[str, bool]] = dataclasses.field(default_factory=dict)
    removed: tuple[str, ...] = ()
    compress: bool = False


@dataclass(frozen=True)
class Origin:
    """Where answers come from.

    Attributes:
        id: as behaviours name it.
        host: its domain name, which is the Host header where the viewer's is not sent.
        headers: that it is told besides.
        path: before the path of a request.
        bucket: whether it is one of S3.
    """

    id: str
    host: str
    headers: Mapping[str, str]
    path: str = ""
    bucket: bool = False


@dataclass(frozen=True)
class Page:
    """What is answered in place of an error: a path, and the status; `seconds` for which the error is kept."""

    seconds: int
    path: str = ""
    status: int = 0


@dataclass(frozen=True)
class Distribution:
    """All of it, `behaviours` in the order in which they are asked, the default one last."""

    id: str
    names: tuple[str, ...]
    behaviours: tuple[Behaviour, ...]
    origins: tuple[Origin, ...]
    errors: Mapping[int, Page]
    root: str = ""
    log: Log | None = None


def items(value: Any) -> list[Any]:
    """What stands in one of CloudFront's lists, `{Quantity, Items}`."""
    return list((value or {}).get("Items") or [])


def read(
    identifier: str,
    name: str,
    config: Mapping[str, Any],
    cache_policies: Mapping[str, Mapping[str, Any]],
    headers_policies: Mapping[str, Mapping[str, Any]],
) -> Distribution:
    """A distribution.

    Args:
        identifier: its id.
        name: its own domain name.
        config: of GetDistributionConfig.
        cache_policies: id → config of those that it names, but for AWS's own.
        headers_policies: likewise.

    Raises:
        Unsupported: it has something that is not emulated.
    """
    listed = [*items(config.get("CacheBehaviors")), config["DefaultCacheBehavior"]]
    return Distribution(
        identifier,
        (name, *items(config.get("Aliases"))),
        tuple(_behaviour(each, {**MANAGED, **cache_policies}, headers_policies) for each in listed),
        tuple(_origin(each) for each in items(config["Origins"])),
        {
            int(each["ErrorCode"]): Page(
                int(each.get("ErrorCachingMinTTL", ERROR_SECONDS)),
                each.get("ResponsePagePath") or "",
                int(each.get("ResponseCode") or each["ErrorCode"]),
            )
            for each in items(config.get("CustomErrorResponses"))
        },
        config.get("DefaultRootObject") or "",
        access_log.of(config),
    )


def _behaviour(
    given: Mapping[str, Any], cache_policies: Mapping[str, Mapping[str, Any]], headers: Mapping[str, Mapping[str, Any]]
) -> Behaviour:
    policy = cache_policies[given["CachePolicyId"]]
    request = given.get("OriginRequestPolicyId")
    if request not in (None, "", ALL_VIEWER):
        raise Unsupported(f"The origin request policy {request} is not emulated; there is AllViewer ({ALL_VIEWER}).")
    functions = items(given.get("FunctionAssociations"))
    if other := [each["EventType"] for each in functions if each["EventType"] != "viewer-request"]:
        raise Unsupported(f"A function at {other[0]} is not emulated; use viewer-request.")
    default = int(policy.get("DefaultTTL", 86400))
    added, removed = _headers(headers.get(given.get("ResponseHeadersPolicyId") or "", {}))
    return Behaviour(
        given.get("PathPattern") or "",
        given["TargetOriginId"],
        given["ViewerProtocolPolicy"],
        tuple(items(given.get("AllowedMethods")) or ["GET", "HEAD"]),
        (int(policy["MinTTL"]), default, int(policy.get("MaxTTL", max(default, 31536000)))),
        _key(policy.get("ParametersInCacheKeyAndForwardedToOrigin") or {}),
        request == ALL_VIEWER,
        functions[0]["FunctionARN"] if functions else "",
        added,
        removed,
        bool(given.get("Compress")),
    )


def _key(given: Mapping[str, Any]) -> Key:
    headers, cookies = given.get("HeadersConfig") or {}, (given.get("CookiesConfig") or {}).get("CookieBehavior")
    query = given.get("QueryStringsConfig") or {}
    behaviour = query.get("QueryStringBehavior", "none")
    if cookies not in (None, "none", "all") or behaviour not in ("none", "all", "whitelist"):
        raise Unsupported(f"Cookies {cookies} and query strings {behaviour} of a cache policy are not emulated.")
    return Key(
        tuple(sorted(each.lower() for each in items(headers.get("Headers")))),
        tuple(sorted(items(query.get("QueryStrings")))) if behaviour == "whitelist" else behaviour,
        bool(given.get("EnableAcceptEncodingGzip")),
        cookies == "all",
    )


def _headers(policy: Mapping[str, Any]) -> tuple[dict[str, tuple[str, bool]], tuple[str, ...]]:
    """Header → value and whether it holds against the origin's; headers that are taken out."""
    if unknown := set(policy) - {
        "Name",
        "Comment",
        "SecurityHeadersConfig",
        "CustomHeadersConfig",
        "RemoveHeadersConfig",
    }:
        raise Unsupported(f"{', '.join(sorted(unknown))} of a response headers policy is not emulated.")
    found: dict[str, tuple[str, bool]] = {}
    security = policy.get("SecurityHeadersConfig") or {}
    if given := security.get("ContentTypeOptions"):
        found["X-Content-Type-Options"] = "nosniff", given["Override"]
    if given := security.get("FrameOptions"):
        found["X-Frame-Options"] = given["FrameOption"], given["Override"]
    if given := security.get("ReferrerPolicy"):
        found["Referrer-Policy"] = given["ReferrerPolicy"], given["Override"]
    if given := security.get("StrictTransportSecurity"):
        value = f"max-age={given['AccessControlMaxAgeSec']}"
        value += "; includeSubDomains" if given.get("IncludeSubdomains") else ""
        found["Strict-Transport-Security"] = value + ("; preload" if given.get("Preload") else ""), given["Override"]
    if given := security.get("ContentSecurityPolicy"):
        found["Content-Security-Policy"] = given["ContentSecurityPolicy"], given["Override"]
    for each in items(policy.get("CustomHeadersConfig")):
        found[each["Header"]] = each["Value"], each["Override"]
    return found, tuple(each["Header"] for each in items(policy.get("RemoveHeadersConfig")))


def _origin(given: Mapping[str, Any]) -> Origin:
    custom = given.get("CustomOriginConfig")
    if custom and custom["OriginProtocolPolicy"] != "https-only":
        raise Unsupported(f"The origin {given['Id']}: OriginProtocolPolicy https-only is all that is emulated.")
    return Origin(
        given["Id"],
        given["DomainName"],
        {each["HeaderName"]: each["HeaderValue"] for each in items(given.get("CustomHeaders"))},
        given.get("OriginPath") or "",
        not custom,
    )

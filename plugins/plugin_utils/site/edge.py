"""The edge of a site, `site_edge`: a CDN before the load balancer and the buckets; which path is answered by which.

What is answered out of a bucket is kept by the CDN as its objects' headers say. What the load balancer answers is kept
only where `cache` says for how long, and then without cookies; the rest passes as it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.site.inputs import Inputs
from plugins.plugin_utils.site.kinds import Choice, Flag, Kind, Pairs, Text, Whole
from plugins.plugin_utils.site.nouns.bucket import Bucket
from plugins.plugin_utils.site.nouns.service import Service
from plugins.plugin_utils.site.place import Place, listed, near, shown
from plugins.plugin_utils.site.routes import VALUES_MOST, path
from plugins.plugin_utils.site.schema import Key, Schema

BEHAVIOURS_MOST = 25
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html"""
HEADERS_MOST = 2
"""Values of the secret header that the load balancer takes, the one that is sent and the one before it."""
KEPT = re.compile(r"([1-9][0-9]{0,4})([smhd])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
YEAR = 366 * 86400
READING = ["GET", "HEAD", "OPTIONS"]
BY_HEADERS, NOTHING_KEPT = "658327ea-f89d-4fab-a63d-7e88639e58f6", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
"""Policies that are AWS's own, the same in every account: CachingOptimized and CachingDisabled.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
"""
ALL_SENT = "216adef6-5c7f-47e4-b989-5492eafa07d3"
"""AllViewer; https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html"""
LOAD_BALANCER = "alb"
"""Name of the origin that all services are behind."""


def kept(value: Any, at: Place) -> int | None:
    """For how long an answer is kept, `1d`; in seconds."""
    found = KEPT.fullmatch(value) if isinstance(value, str) else None
    seconds = int(found[1]) * UNITS[found[2]] if found else 0
    if 0 < seconds <= YEAR:
        return seconds
    at.wrong(f"is {shown(value)}, must be how long an answer is kept, at most 366d: 1d, 12h, 30m or 60s.")
    return None


def page(value: Any, at: Place) -> str | None:
    """The path of a page: without a wildcard."""
    found = path(value, at)
    if found and set("*?") & set(found):
        at.wrong(f"is {found}, which is a pattern. Write the path of one page: /errors/unavailable.html.")
        return None
    return found


def _by_path(kind: Kind, example: str) -> Kind:
    """Patterns of paths with values; a pattern that is none is complained about in its own place."""
    pairs = Pairs(kind, example, name=r"\S+")

    def read(value: Any, at: Place) -> dict[str, Any] | None:
        found = pairs(value, at)
        return None if found is None else {name: item for name, item in found.items() if path(name, at / name)}

    return read


_TARGET = Text("a service, static.<entry> or bucket.<entry>", "web", r"[a-z0-9][a-z0-9._-]*")
_ALB = "the load balancer answers at its own name only to the CDN, by itself. Take it out."
SCHEMA = Schema(
    "an edge",
    {
        "default": Key(_TARGET, "", missing="Name what answers if no route does: default: web, or static.front."),
        "routes": Key(_by_path(_TARGET, '"/static/*": static.front'), {}),
        "cache": Key(_by_path(kept, '"/media/*": 1d'), {}),
        "single_page": Key(Flag(), False),
        "error_page": Key(page, ""),
        "certificate": Key(
            Text(
                "a certificate of ACM in us-east-1",
                "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0123-4567-89ab-0123456789ab",
                r"arn:aws(-[a-z-]+)?:acm:us-east-1:[0-9]{12}:certificate/[0-9a-f-]+",
            ),
            "",
        ),
        "price_class": Key(Choice(("100", "200", "all")), "100"),
        "header": Key(Whole(1, 9999), 1),
    },
    {
        "origins": "write default: web, and routes: {\"/static/*\": static.front}.",
        "ttl": 'write cache: {"/media/*": 1d}.',
        "spa": "write single_page: true.",
        "fallback": "write single_page: true.",
        "domain": "its names are those of the site, domain_name and domain_aliases. Take it out.",
        "aliases": "its names are those of the site, domain_name and domain_aliases. Take it out.",
        "secret": "write header: 2 for another secret header than the one of now.",
        "prefix_list": _ALB,
        "waf": "write site_waf beside site_edge.",
    },
)  # fmt: skip


@dataclass(frozen=True)
class Edge:
    """What `site_edge` says.

    Attributes:
        default: what answers where no route does.
        routes: pattern of paths → what answers: a service, `static.<entry>` or `bucket.<entry>`.
        cache: pattern of paths that the load balancer answers → seconds for which the CDN keeps an answer.
        single_page: whether a path that names no file is the page of `default`.
        error_page: path of a page that stands in a bucket, for when the load balancer does not answer; empty for none.
        certificate: of a certificate that exists; empty for one that Berth makes.
        price_class: where it stands: `100`, `200` or `all`.
        header: number of the secret header; another number is another secret.
    """

    default: str
    routes: dict[str, str]
    cache: dict[str, int]
    single_page: bool
    error_page: str
    certificate: str
    price_class: str
    header: int


def read(
    value: Any, services: Mapping[str, Service], static: Collection[str], buckets: Mapping[str, Bucket], at: Place
) -> Edge | None:
    """The edge; None where there is none, or where it is wrong, which is complained about."""
    if value is None or value == {}:
        return None
    keys = SCHEMA.read(value, at)
    if at.is_wrong:
        return None
    edge = Edge(**keys)
    _check_target(edge.default, services, static, buckets, at / "default")
    for pattern, target in edge.routes.items():
        _check_target(target, services, static, buckets, at / "routes" / pattern)
    if not at.is_wrong:
        _check(edge, services, at)
    return None if at.is_wrong else edge


def _check_target(
    target: str, services: Mapping[str, Service], static: Collection[str], buckets: Mapping[str, Bucket], at: Place
) -> None:
    known = [*services, *(f"static.{name}" for name in static), *(f"bucket.{name}" for name in buckets)]
    if target not in known:
        at.wrong(f"is {target}, which the site does not have.{near(target, known) or f' It has {listed(known)}.'}")
    elif target in services and not services[target].routes:
        at.wrong(f"is {target}, a service without routes, so the load balancer leads nothing to it. Give it routes.")
    elif target.startswith("bucket.") and buckets[target.removeprefix("bucket.")].name:
        at.wrong(
            f"is {target}, a bucket that exists already (name), whose policy is not Berth's, so the CDN could not read "
            "it. Take its files into a bucket of Berth's."
        )


def _check(edge: Edge, services: Mapping[str, Service], at: Place) -> None:
    for pattern in edge.cache:
        target = leading(edge, pattern)
        if in_bucket(target):
            (at / "cache" / pattern).wrong(
                f"is answered by {target}, whose files say themselves for how long they are kept (cache_control of "
                "site_static, Cache-Control of an object). Take it out."
            )
    if edge.single_page and not in_bucket(edge.default):
        (at / "single_page").wrong(
            f"is of no use with default: {edge.default}, a service, which answers every path itself. Take it out, or "
            "write default: static.front."
        )
    # CloudFront takes it by the whole of its path, past the functions that make names of files of paths.
    by = _route(edge, edge.error_page)
    if edge.error_page and (not in_bucket(leading(edge, edge.error_page)) or _does(edge, by)["strip"]):
        (at / "error_page").wrong(
            f"is {edge.error_page}, which no bucket has under that name. Lead it to one in which it lies at the root: "
            'error_page: /unavailable.html, and routes: {"/unavailable.html": static.front}.'
        )
    if len(patterns(edge)) >= BEHAVIOURS_MOST:
        at.wrong(f"has {len(patterns(edge))} patterns of paths; a distribution takes {BEHAVIOURS_MOST - 1}.")
    for name, service in services.items():
        for route in service.routes:
            # The secret header takes its share of the values of a rule.
            values = max(1, len(route.hosts) + len(route.paths))
            if values + HEADERS_MOST > VALUES_MOST:
                at.wrong(
                    f"leaves a rule of the load balancer {VALUES_MOST - HEADERS_MOST} hosts and paths, and a route of "
                    f"site_services.{name} has {values}. Make two routes of it."
                )


def in_bucket(target: str) -> bool:
    """Whether something is answered out of a bucket, and not by the load balancer."""
    return target.startswith(("static.", "bucket."))


def patterns(edge: Edge) -> list[str]:
    """All patterns, in the order in which the CDN is to ask them: what says more comes first."""
    found = {*edge.routes, *edge.cache}
    return sorted(found, key=lambda pattern: (-_letters(pattern), "*" in pattern or "?" in pattern, pattern))


def _letters(pattern: str) -> int:
    """Letters before the first wildcard."""
    return len(re.split(r"[*?]", pattern)[0])


def leading(edge: Edge, pattern: str) -> str:
    """What answers for a path or a pattern of paths."""
    return edge.routes.get(_route(edge, pattern), edge.default)


def _route(edge: Edge, pattern: str) -> str:
    """The route that says most of those that take all of a path or a pattern of paths; empty for the default."""
    return next((each for each in sorted(edge.routes, key=lambda each: -_letters(each)) if _takes(each, pattern)), "")


def _takes(route: str, pattern: str) -> bool:
    """Whether a route takes all that a pattern does, the pattern's own wildcards being letters to it."""
    parts = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in route)
    return bool(re.fullmatch("".join(parts), pattern))


def described(edge: Edge | None) -> dict[str, Any]:
    """What templates read of an edge; nothing where there is none.

    `default` and `behaviours` are as AWS::CloudFront::Distribution has them, in the order in which they are asked.
    `functions` are logical id → what it does (see `_does`), `kept` the seconds for which policies are needed, `origins`
    those of `buckets`, and `takes` says of which outputs their names come.
    """
    if edge is None:
        return {}
    inputs = Inputs()
    origins: dict[str, dict[str, str]] = {}
    functions: dict[str, dict[str, Any]] = {}

    def behaviour(pattern: str, target: str) -> dict[str, Any]:
        made: dict[str, Any] = {"PathPattern": pattern} if pattern else {}
        made |= {"ViewerProtocolPolicy": "redirect-to-https", "Compress": True}
        if not in_bucket(target):
            return made | {"TargetOriginId": LOAD_BALANCER} | _of_load_balancer(edge.cache.get(pattern, 0))
        origin = origins.setdefault(
            target, {"id": target.replace(".", "-"), "parameter": inputs.parameter(target, "BucketDomainName")}
        )
        does = _does(edge, pattern)
        function = f"Rewrite{hashlib.sha256(repr(sorted(does.items())).encode()).hexdigest()[:8]}"
        functions[function] = does
        return made | {
            "TargetOriginId": origin["id"],
            "AllowedMethods": READING,
            "CachePolicyId": BY_HEADERS,
            "ResponseHeadersPolicyId": {"Ref": "Headers"},
            "FunctionAssociations": [
                {"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": [function, "FunctionARN"]}}
            ],
        }

    default = behaviour("", edge.default)
    return {
        "default": default,
        "behaviours": [behaviour(each, leading(edge, each)) for each in patterns(edge)],
        "origins": sorted(origins.values(), key=lambda each: each["id"]),
        "functions": dict(sorted(functions.items())),
        "kept": sorted(set(edge.cache.values())),
        "takes": {name: f"{other}.{output}" for name, (other, output) in sorted(inputs.takes.items())},
        "buckets": sorted(origins),
        "root": "index.html" if in_bucket(edge.default) else "",
        "error_page": edge.error_page,
        "certificate": edge.certificate,
        "price_class": "All" if edge.price_class == "all" else edge.price_class,
        "header": edge.header,
    }


def _of_load_balancer(seconds: int) -> dict[str, Any]:
    """The keys of a behaviour whose answers are kept for so long, or not at all."""
    if seconds:
        return {
            "AllowedMethods": READING,
            "CachePolicyId": {"Ref": f"Kept{seconds}"},
            "ResponseHeadersPolicyId": {"Ref": "KeptHeaders"},
        }
    return {
        "AllowedMethods": [*READING, "PUT", "PATCH", "POST", "DELETE"],
        "CachePolicyId": NOTHING_KEPT,
        "OriginRequestPolicyId": ALL_SENT,
        "ResponseHeadersPolicyId": {"Ref": "Headers"},
    }


def _does(edge: Edge, pattern: str) -> dict[str, Any]:
    """What a path becomes before it is looked for in a bucket.

    `strip`: the folder of a pattern (`/static` of `/static/*`), below which the bucket's own names begin. `fallback`:
    the page for a path that names no file; where it is empty, a folder is its page.
    """
    folder = re.fullmatch(r"(/[^*?]+)/\*", pattern)
    single = edge.single_page and not pattern
    return {"strip": folder[1] if folder else "", "fallback": "/index.html" if single else ""}

"""What a CDN asks whom for: the order of its patterns, who answers each, what a path becomes, how long it is kept."""

from __future__ import annotations

from typing import Any

from plugins.plugin_utils.site.edge import ALL_SENT, NOTHING_KEPT, described, leading
from tests.unit.plugins.plugin_utils.site.support import read, small
from tests.unit.plugins.plugin_utils.site.wrong_in_edge import MORE


def edge(text: str) -> dict[str, Any]:
    site = read(small(f"{MORE}site_edge: {{{text}}}"))
    assert site.problems == []
    return described(site.edge)


def test_a_site_without_one_has_nothing_of_it() -> None:
    for text in ("", "site_edge: {}"):
        site = read(small(text))
        assert site.edge is None
        assert described(site.edge) == {}


def function(made: dict[str, Any], behaviour: dict[str, Any]) -> dict[str, Any]:
    """What becomes of a path of a behaviour before it is looked for in its bucket."""
    (one,) = behaviour["FunctionAssociations"]
    return dict(made["functions"][one["FunctionARN"]["Fn::GetAtt"][0]])


def test_a_site_before_which_nothing_else_stands_passes_through() -> None:
    made = edge("default: web")
    assert made["default"] == {
        "ViewerProtocolPolicy": "redirect-to-https",
        "Compress": True,
        "TargetOriginId": "alb",
        "AllowedMethods": ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"],
        "CachePolicyId": NOTHING_KEPT,
        "OriginRequestPolicyId": ALL_SENT,
        "ResponseHeadersPolicyId": {"Ref": "Headers"},
    }
    assert (made["behaviours"], made["origins"], made["functions"], made["kept"]) == ([], [], {}, [])
    assert (made["root"], made["header"], made["price_class"]) == ("", 1, "100")


def test_what_is_kept_of_the_load_balancer_is_asked_for_without_cookies_and_only_read() -> None:
    made = edge("default: web, cache: {'/media/*': 1d}")
    (media,) = made["behaviours"]
    assert media["CachePolicyId"] == {"Ref": "Kept86400"}
    assert media["ResponseHeadersPolicyId"] == {"Ref": "KeptHeaders"}
    assert "OriginRequestPolicyId" not in media, "it would send what is not in the key"
    assert media["AllowedMethods"] == ["GET", "HEAD", "OPTIONS"]


def test_what_says_more_is_asked_first() -> None:
    made = edge(
        "default: web, routes: {'/static/*': static.front, /static/a.css: bucket.up, '/*.pdf': bucket.up}, "
        "cache: {'/media/*': 1d, '/media/new/*': 60s}"
    )
    assert [(each["PathPattern"], each["TargetOriginId"]) for each in made["behaviours"]] == [
        ("/static/a.css", "bucket-up"),
        ("/media/new/*", "alb"),
        ("/static/*", "static-front"),
        ("/media/*", "alb"),
        ("/*.pdf", "bucket-up"),
    ]
    assert made["kept"] == [60, 86400]
    assert made["buckets"] == ["bucket.up", "static.front"]
    assert made["takes"] == {
        "BucketUpBucketDomainName": "bucket.up.BucketDomainName",
        "StaticFrontBucketDomainName": "static.front.BucketDomainName",
    }


def test_a_pattern_is_answered_by_the_narrowest_route_that_takes_all_of_it() -> None:
    site = read(small(f"{MORE}site_edge: {{default: static.front, routes: {{'/api/*': web, '/api/f/*': bucket.up}}}}"))
    assert site.edge
    answers = {"/api/x": "web", "/api/f/*": "bucket.up", "/api/f/x/*": "bucket.up", "/*": "static.front", "/api": None}
    for pattern, who in answers.items():
        assert leading(site.edge, pattern) == (who or "static.front")


def test_below_a_folder_of_a_route_the_names_of_the_bucket_begin() -> None:
    made = edge("default: web, routes: {'/static/*': static.front, '/*.pdf': bucket.up}")
    static, pdf = made["behaviours"]
    assert function(made, static) == {"strip": "/static", "fallback": ""}
    assert function(made, pdf)["strip"] == ""


def test_only_the_default_of_a_single_page_has_the_page_for_every_path() -> None:
    made = edge("default: static.front, single_page: true, routes: {'/api/*': web, '/docs/*': static.front}")
    assert made["root"] == "index.html"
    docs, api = made["behaviours"]
    assert "FunctionAssociations" not in api
    assert function(made, docs) == {"strip": "/docs", "fallback": ""}
    assert function(made, made["default"]) == {"strip": "", "fallback": "/index.html"}

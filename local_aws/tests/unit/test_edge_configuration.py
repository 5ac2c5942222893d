"""What is read of a distribution, and the configuration that comes of it; parts/test_edge.py asks nginx."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local_aws.edge import configuration
from local_aws.edge.distribution import Unsupported, read

OPTIMIZED, DISABLED = "658327ea-f89d-4fab-a63d-7e88639e58f6", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
KEPT = {
    "MinTTL": 0, "DefaultTTL": 60, "MaxTTL": 60,
    "ParametersInCacheKeyAndForwardedToOrigin": {
        "EnableAcceptEncodingGzip": True,
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["Host"]}},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
    },
}  # fmt: skip
HEADERS = {
    "SecurityHeadersConfig": {
        "ContentTypeOptions": {"Override": True},
        "FrameOptions": {"FrameOption": "SAMEORIGIN", "Override": False},
    },
    "RemoveHeadersConfig": {"Items": [{"Header": "X-Powered-By"}]},
}
STRIP = "function handler(event) { var r = event.request; r.uri = r.uri.slice(7); return r; }"
PAGE = "function handler(event) { var r = event.request; if (r.uri.indexOf('.') < 0) r.uri = '/index.html'; return r; }"


def listed(*given: Any) -> dict[str, Any]:
    return {"Quantity": len(given), "Items": list(given)}


def behaviour(origin: str, policy: str, **more: Any) -> dict[str, Any]:
    made = {"TargetOriginId": origin, "CachePolicyId": policy, "ViewerProtocolPolicy": "redirect-to-https"}
    return made | {"Compress": True, "AllowedMethods": listed("GET", "HEAD", "OPTIONS")} | more


def calls(function: str) -> dict[str, Any]:
    return listed({"EventType": "viewer-request", "FunctionARN": function})


CONFIG: dict[str, Any] = {
    "Aliases": listed("shop.test"),
    "Origins": listed(
        {
            "Id": "alb", "DomainName": "alb.test",
            "CustomOriginConfig": {"OriginProtocolPolicy": "https-only"},
            "CustomHeaders": listed({"HeaderName": "X-Secret", "HeaderValue": 'a"$b'}),
        },
        {"Id": "files", "DomainName": "files.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}},
    ),
    "DefaultCacheBehavior": behaviour(
        "alb", DISABLED, OriginRequestPolicyId=ALL_VIEWER, ResponseHeadersPolicyId="headers",
        AllowedMethods=listed("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"),
    ),
    "CacheBehaviors": listed(
        behaviour("files", OPTIMIZED, PathPattern="/static/*", FunctionAssociations=calls("strip")),
        behaviour("alb", "kept", PathPattern="/media/*", ResponseHeadersPolicyId="headers"),
        behaviour("files", OPTIMIZED, PathPattern="/gone.html"),
    ),
    "CustomErrorResponses": listed(
        {"ErrorCode": 404, "ErrorCachingMinTTL": 0},
        {"ErrorCode": 502, "ErrorCachingMinTTL": 0, "ResponseCode": "502", "ResponsePagePath": "/gone.html"},
    ),
}  # fmt: skip


def distribution(**changes: Any) -> Any:
    return read("E1ABC", "d1.cloudfront.net", CONFIG | changes, {"kept": KEPT}, {"headers": HEADERS})


# What is read of the API


def test_behaviours_stand_in_their_order_and_the_default_one_last() -> None:
    made = distribution()
    assert [each.pattern for each in made.behaviours] == ["/static/*", "/media/*", "/gone.html", ""]
    assert made.names == ("d1.cloudfront.net", "shop.test")
    static, media, _, rest = made.behaviours
    assert (static.times, static.key.query, static.function) == ((1, 86400, 31536000), "none", "strip")
    assert (media.times, media.key.headers, media.key.query, media.all_sent) == ((0, 60, 60), ("host",), "all", False)
    assert (rest.times, rest.all_sent) == ((0, 0, 0), True)
    assert media.added["X-Frame-Options"] == ("SAMEORIGIN", False)
    assert media.removed == ("X-Powered-By",)
    assert made.errors[502].path == "/gone.html"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"DefaultCacheBehavior": behaviour("alb", DISABLED, OriginRequestPolicyId="x")}, "origin request policy x"),
        (
            {
                "DefaultCacheBehavior": behaviour(
                    "alb", DISABLED, FunctionAssociations=listed({"EventType": "viewer-response", "FunctionARN": "x"})
                )
            },
            "viewer-response is not emulated",
        ),
        (
            {
                "Origins": listed(
                    {"Id": "alb", "DomainName": "a", "CustomOriginConfig": {"OriginProtocolPolicy": "http-only"}}
                )
            },
            "https-only is all",
        ),
    ],
)
def test_what_is_not_emulated_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Unsupported, match=why):
        distribution(**changes)


def test_a_word_of_the_configuration_is_never_a_variable() -> None:
    assert configuration.quote('a"$b\\') == '"a\\"${dollar}b\\\\"'
    assert configuration.pattern("/a.b/*.j?") == r"/a\.b/.*\.j."
    assert configuration.pattern("*.pdf") == r".*\.pdf"


def test_a_bucket_is_asked_as_a_distribution_signs_and_the_load_balancer_is_not() -> None:
    place = configuration.Place(
        "/e", "443", "80", "a.pem", "b.pem", {"alb": "https://10.0.0.1", "files": "http://10.0.0.2"}
    )
    text = configuration.render(distribution(), place, {"strip": STRIP})[configuration.FILE]
    servers = re.split(r"\n    server \{", text)
    of_bucket = [each for each in servers if "proxy_pass http://10.0.0.2" in each]
    assert len(of_bucket) == 2
    for each in of_bucket:
        assert f'Authorization "{configuration.signed("E1ABC")}";' in each
        assert 'Host "files.s3.amazonaws.com";' in each
        assert "proxy_pass http://10.0.0.2$request_uri;" in each, "the bucket's name is in its Host"
    assert text.count("Authorization") == len(of_bucket)

"""What the APIs say of distributions, and where their origins are on the embedded network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.edge.distribution import MANAGED, Distribution, Origin, items, read
from local_aws.waf.firewall import Firewall, of_distribution

NOWHERE = "https://127.0.0.1:9"
"""Where nobody listens: a load balancer that has gone is a 502."""
SERVICE = "cloudfront.amazonaws.com"


@dataclass(frozen=True)
class Known:
    """A distribution with all that its configuration is made of.

    Attributes:
        name: its own domain name.
        certificate: ARN of its certificate; empty for CloudFront's own.
        functions: ARN → code.
        invalidations: the paths of each, the oldest first.
        addresses: id of an origin → where it is; one of S3 that may not be read has none.
        firewall: that looks at requests first; None for none.
    """

    distribution: Distribution
    name: str
    certificate: str
    functions: Mapping[str, str]
    invalidations: tuple[tuple[str, ...], ...]
    addresses: Mapping[str, str]
    firewall: Firewall | None = None


def distributions(cloud: Cloud) -> list[Known]:
    """Those that are enabled, in no order.

    Raises:
        Unsupported: one has something that is not emulated.
    """
    # Of a list without anything in it `look` tells nothing.
    listed = items(cloud.look("cloudfront", "list_distributions").get("DistributionList"))
    return [_known(cloud, each["Id"], each["DomainName"]) for each in listed if each["Enabled"]]


def any_there(cloud: Cloud) -> bool:
    """Whether a distribution stands before the load balancers, so that this machine reaches the site through it."""
    listed = items(cloud.look("cloudfront", "list_distributions").get("DistributionList"))
    return any(each["Enabled"] for each in listed)


def _known(cloud: Cloud, identifier: str, name: str) -> Known:
    config = cloud.look("cloudfront", "get_distribution_config", Id=identifier)["DistributionConfig"]
    behaviours = [config["DefaultCacheBehavior"], *items(config.get("CacheBehaviors"))]
    made = read(
        identifier,
        name,
        config,
        {each: _policy(cloud, each) for each in _named(behaviours, "CachePolicyId") - MANAGED.keys()},
        {each: _headers(cloud, each) for each in _named(behaviours, "ResponseHeadersPolicyId")},
    )
    functions = {each.function for each in made.behaviours if each.function}
    given = {each["Id"]: each for each in items(config["Origins"])}
    return Known(
        made,
        name,
        (config.get("ViewerCertificate") or {}).get("ACMCertificateArn", ""),
        {arn: _code(cloud, arn) for arn in functions},
        tuple(_invalidations(cloud, identifier)),
        {each.id: _address(cloud, each, bool(given[each.id].get("OriginAccessControlId"))) for each in made.origins},
        of_distribution(cloud, config.get("WebACLId") or ""),
    )


def _named(behaviours: list[dict[str, Any]], key: str) -> set[str]:
    return {each[key] for each in behaviours if each.get(key)}


def _policy(cloud: Cloud, identifier: str) -> dict[str, Any]:
    return dict(cloud.look("cloudfront", "get_cache_policy", Id=identifier)["CachePolicy"]["CachePolicyConfig"])


def _headers(cloud: Cloud, identifier: str) -> dict[str, Any]:
    answer = cloud.look("cloudfront", "get_response_headers_policy", Id=identifier)
    return dict(answer["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"])


def _code(cloud: Cloud, arn: str) -> str:
    # A stream, which is read once: no answer to be kept.
    return str(cloud.client("cloudfront").get_function(Name=arn.rpartition("/")[2])["FunctionCode"].read().decode())


def _invalidations(cloud: Cloud, identifier: str) -> list[tuple[str, ...]]:
    listed = items(cloud.look("cloudfront", "list_invalidations", DistributionId=identifier).get("InvalidationList"))
    found = []
    for each in sorted(listed, key=lambda each: each["CreateTime"]):
        told = cloud.look("cloudfront", "get_invalidation", DistributionId=identifier, Id=each["Id"])
        found.append(tuple(items(told["Invalidation"]["InvalidationBatch"]["Paths"])))
    return found


def _address(cloud: Cloud, origin: Origin, signed: bool) -> str:
    if not origin.bucket:
        addresses = cloud.names.get(origin.host, [])
        return f"https://{addresses[0]}:443" if addresses else NOWHERE
    bucket = origin.host.partition(".s3.")[0]
    # The bucket's name is in the Host that is sent.
    return f"http://{cloud.config.gateway}:{cloud.config.api_port}" if signed and _lets_in(cloud, bucket) else ""


def _lets_in(cloud: Cloud, bucket: str) -> bool:
    """Whether a bucket's policy lets CloudFront read; of its conditions nothing is known here.

    Asked each time: calls to S3 are not watched (`changes.ALL_DAY`).
    """
    try:
        policy = json.loads(cloud.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError:
        return False
    return any(
        each["Effect"] == "Allow"
        and isinstance(each.get("Principal"), dict)
        and SERVICE in _listed(each["Principal"].get("Service"))
        and {"s3:GetObject", "s3:*"} & set(_listed(each["Action"]))
        for each in policy["Statement"]
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

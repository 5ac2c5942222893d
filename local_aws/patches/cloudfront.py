"""CloudFront keeps all that a distribution is told, knows policies, and refuses what AWS refuses.

moto drops half of a distribution's configuration, has no policies, and publishes no functions.
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.acm import acm_backends
from moto.cloudfront import models, urls
from moto.cloudfront.models import CloudFrontBackend, random_id
from moto.cloudfront.responses import CloudFrontResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.s3.models import s3_backends

from local_aws.config import ACCOUNT_ID
from local_aws.edge import access_log
from local_aws.patches import wafv2
from local_aws.patches._moto import AwsError, instead, missing

BEHAVIOURS_MOST = 25
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html"""
CERTIFICATE_REGION = "us-east-1"
ENFORCED = "BucketOwnerEnforced"
"""Of a bucket without ACLs, as each is that says nothing else."""
MANAGED_CACHE = {
    "658327ea-f89d-4fab-a63d-7e88639e58f6": "Managed-CachingOptimized",
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": "Managed-CachingDisabled",
}
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html"""
MANAGED_REQUEST = {"216adef6-5c7f-47e4-b989-5492eafa07d3": "Managed-AllViewer"}
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html"""


recorded = False
"""Whether distributions are taken: where something answers at their names (parts/edge.py), and in tests of calls."""


class Config(dict[str, Any]):
    """The configuration of a distribution as it was given; moto looks at some of it as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def caller_reference(self) -> str:
        """As moto calls it."""
        return str(self["CallerReference"])


models.DistributionConfig = Config


@dataclass
class Policy:
    """A policy of an account.

    Attributes:
        id: made up.
        config: as given.
        etag: another with each change.
    """

    id: str
    config: dict[str, Any]
    etag: str = field(default_factory=random_id)


@dataclass(frozen=True)
class Kind:
    """A kind of policies.

    Attributes:
        word: in the names of operations and errors: `CachePolicy`.
        method: in those of moto's methods.
        path: in addresses.
        managed: ids of AWS's own.
        key: of a behaviour that names one.
    """

    word: str
    method: str
    path: str
    managed: Mapping[str, str]
    key: str


KINDS = (
    Kind("CachePolicy", "cache_policy", "cache-policy", MANAGED_CACHE, "CachePolicyId"),
    Kind("ResponseHeadersPolicy", "response_headers_policy", "response-headers-policy", {}, "ResponseHeadersPolicyId"),
)


def policies(backend: CloudFrontBackend, kind: Kind) -> dict[str, Policy]:
    """Those of the account, by their ids."""
    kept: dict[str, dict[str, Policy]] = vars(backend).setdefault("berth_policies", {})
    return kept.setdefault(kind.word, {})


def items(value: Any) -> list[Any]:
    """What stands in one of CloudFront's lists, `{Quantity, Items}`."""
    return list((value or {}).get("Items") or [])


def behaviours(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The behaviours of a distribution, the default one first."""
    return [config["DefaultCacheBehavior"], *items(config.get("CacheBehaviors"))]


def matching(given: str | None, etag: str) -> None:
    """Refuse a change of something that was changed meanwhile.

    Raises:
        AwsError: `given` is not the version there is.
    """
    if not given:
        raise AwsError("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
    if given != etag:
        raise AwsError("PreconditionFailed", "The request failed because it didn't meet the preconditions.")


def judge(backend: CloudFrontBackend, config: Config, own: str = "") -> None:
    """Refuse a distribution that names what there is not, or what another has.

    Raises:
        AwsError: as CloudFront would.
    """
    origins = {origin["Id"]: origin for origin in items(config.get("Origins"))}
    for origin in origins.values():
        control = origin.get("OriginAccessControlId")
        if control and control not in backend.origin_access_controls:
            raise AwsError("NoSuchOriginAccessControl", f"The origin access control {control} does not exist.")
    if len(behaviours(config)) - 1 > BEHAVIOURS_MOST:
        raise AwsError("TooManyCacheBehaviors", "You cannot create more cache behaviors for the distribution.")
    for behaviour in behaviours(config):
        if behaviour["TargetOriginId"] not in origins:
            raise AwsError("NoSuchOrigin", "One or more of your origins or origin groups do not exist.")
        for kind in KINDS:
            named = behaviour.get(kind.key)
            if named and named not in kind.managed and named not in policies(backend, kind):
                raise AwsError(f"NoSuch{kind.word}", f"The {kind.path} {named} does not exist.")
        request = behaviour.get("OriginRequestPolicyId")
        if request and request not in MANAGED_REQUEST:
            raise AwsError("NoSuchOriginRequestPolicy", f"The embedded AWS has no origin request policy {request}.")
        live = {each.arn for each in backend.functions.values() if each.stage == "LIVE"}
        for each in items(behaviour.get("FunctionAssociations")):
            if each["FunctionARN"] not in live:
                raise AwsError("InvalidFunctionAssociation", f"There is no published function {each['FunctionARN']}.")
    _judge_names(backend, config, own)
    _judge_log(config)
    firewall = config.get("WebACLId")
    if firewall and not wafv2.known(firewall):
        raise AwsError(
            "InvalidWebACLId",
            "Web ACL is not accessible by the requester. It must be a web ACL of the scope CLOUDFRONT, by its ARN.",
        )


def _judge_log(config: Config) -> None:
    """CloudFront gives itself the right to write into a bucket by its ACL, and one made today has none.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html
    """
    log = access_log.of(config)
    if log is None:
        return
    domain = config["Logging"]["Bucket"]
    bucket = s3_backends[ACCOUNT_ID]["aws"].buckets.get(log.bucket)
    if bucket is None:
        raise AwsError(
            "InvalidArgument", f"The S3 bucket that you specified for CloudFront logs doesn't exist: {domain}"
        )
    if ENFORCED in str(bucket.ownership_rule or ENFORCED):
        raise AwsError(
            "InvalidArgument",
            f"The S3 bucket that you specified for CloudFront logs does not enable ACL access: {domain}",
        )


def _judge_names(backend: CloudFrontBackend, config: Config, own: str) -> None:
    names = items(config.get("Aliases"))
    for other in backend.distributions.values():
        if other.id != own and (taken := set(names) & set(items(other.distribution_config.get("Aliases")))):
            raise AwsError(
                "CNAMEAlreadyExists",
                "One or more aliases specified for the distribution includes an incorrectly configured DNS record or "
                f"is already associated with a different resource: {', '.join(sorted(taken))}",
            )
    arn = (config.get("ViewerCertificate") or {}).get("ACMCertificateArn", "")
    if not names:
        return
    found = acm_backends[ACCOUNT_ID][CERTIFICATE_REGION]._certificates.get(arn)
    if found is None or found.status != "ISSUED":
        raise AwsError(
            "InvalidViewerCertificate",
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a "
            "valid certificate chain.",
        )
    covered = [found.common_name, *found.sans]
    if lacking := [name for name in names if not _covered(name, covered)]:
        raise AwsError(
            "InvalidViewerCertificate",
            "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) "
            f"that you're trying to add: {lacking[0]}",
        )


def _covered(name: str, patterns: Iterable[str]) -> bool:
    return any(
        name == pattern or (fnmatch.fnmatchcase(name, pattern) and name.count(".") == pattern.count("."))
        for pattern in patterns
    )


# Distributions


@instead(CloudFrontBackend, "create_distribution_with_tags")
def _create_distribution(self: Any, distribution_config: dict[str, Any], tags: list[dict[str, str]]) -> Any:
    if not recorded:
        raise AwsError(
            "UnsupportedOperation",
            "The embedded AWS has no CDN: it keeps what CloudFront is told, and nothing answers at the names of a "
            "distribution.",
        )
    config = Config(distribution_config)
    judge(self, config)
    if self._distribution_with_caller_reference(config.caller_reference):
        raise AwsError("DistributionAlreadyExists", "The caller reference is associated with another distribution.")
    made = models.Distribution(self.account_id, self.region_name, config)
    self.distributions[made.distribution_id] = made
    self.tagger.tag_resource(made.arn, tags)
    return made, made.location, made.etag


@instead(CloudFrontBackend, "update_distribution")
def _update_distribution(self: Any, dist_config: dict[str, Any], _id: str, if_match: str) -> Any:
    found, etag = self.get_distribution(_id)
    matching(if_match, etag)
    config = Config(dist_config)
    judge(self, config, _id)
    found.distribution_config, found.etag = config, random_id()
    return found, found.location, found.etag


@instead(CloudFrontBackend, "delete_distribution")
def _delete_distribution(self: Any, distribution_id: str, if_match: str) -> None:
    found, etag = self.get_distribution(distribution_id)
    matching(if_match, etag)
    if found.distribution_config["Enabled"]:
        raise AwsError("DistributionNotDisabled", "The distribution you are trying to delete has not been disabled.")
    del self.distributions[distribution_id]


# What distributions name


@instead(CloudFrontBackend, "delete_origin_access_control")
def _delete_origin_access_control(self: Any, control_id: str) -> None:
    self.get_origin_access_control(control_id)
    for each in self.distributions.values():
        named = [origin.get("OriginAccessControlId") for origin in items(each.distribution_config.get("Origins"))]
        if control_id in named:
            raise AwsError("OriginAccessControlInUse", f"The origin access control is in use by {each.id}.")
    del self.origin_access_controls[control_id]


@instead(CloudFrontBackend, "delete_function")
def _delete_function(self: Any, name: str, if_match: str) -> None:
    found = self.describe_function(name)
    matching(if_match, found.etag)
    for each in self.distributions.values():
        for behaviour in behaviours(each.distribution_config):
            if found.arn in [one["FunctionARN"] for one in items(behaviour.get("FunctionAssociations"))]:
                raise AwsError("FunctionInUse", f"Cannot delete the function because it is in use by {each.id}.")
    del self.functions[name]


@missing(CloudFrontResponse, "update_function")
def _update_function(self: CloudFrontResponse) -> ActionResult:
    found = self.backend.describe_function(self._get_param("Name"))
    matching(self._get_param("IfMatch"), found.etag)
    found.config, found.code = self._get_param("FunctionConfig"), self._get_param("FunctionCode")
    found.status, found.etag = "UNPUBLISHED", random_id()
    return ActionResult({"FunctionSummary": found.function_summary, "ETag": found.etag})


@missing(CloudFrontResponse, "publish_function")
def _publish_function(self: CloudFrontResponse) -> ActionResult:
    found = self.backend.describe_function(self._get_param("Name"))
    matching(self._get_param("IfMatch"), found.etag)
    found.stage, found.status = "LIVE", "UNASSOCIATED"
    return ActionResult({"FunctionSummary": found.function_summary})


urls.url_paths["{0}/2020-05-31/function/(?P<function_name>[^/]+)/publish$"] = CloudFrontResponse.dispatch


def _add(kind: Kind) -> None:
    """The operations of a kind of policies."""

    def answer(policy: Policy) -> ActionResult:
        told = {"Id": policy.id, f"{kind.word}Config": policy.config, "LastModifiedTime": "2026-01-01T00:00:00Z"}
        address = f"https://cloudfront.amazonaws.com/2020-05-31/{kind.path}/{policy.id}"
        return ActionResult({kind.word: told, "ETag": policy.etag, "Location": address})

    def find(self: CloudFrontResponse) -> Policy:
        found = policies(self.backend, kind).get(self._get_param("Id"))
        if found is None:
            raise AwsError(f"NoSuch{kind.word}", f"The {kind.path} does not exist.")
        return found

    def free(self: CloudFrontResponse, config: Mapping[str, Any], own: str = "") -> None:
        for each in policies(self.backend, kind).values():
            if each.id != own and each.config["Name"] == config["Name"]:
                raise AwsError(f"{kind.word}AlreadyExists", f"A {kind.path} with this name already exists.")

    @missing(CloudFrontResponse, f"create_{kind.method}")
    def create(self: CloudFrontResponse) -> ActionResult:
        config = self._get_param(f"{kind.word}Config")
        free(self, config)
        made = Policy(random_id(), config)
        policies(self.backend, kind)[made.id] = made
        return answer(made)

    @missing(CloudFrontResponse, f"get_{kind.method}")
    def get(self: CloudFrontResponse) -> ActionResult:
        return answer(find(self))

    @missing(CloudFrontResponse, f"update_{kind.method}")
    def update(self: CloudFrontResponse) -> ActionResult:
        found, config = find(self), self._get_param(f"{kind.word}Config")
        matching(self._get_param("IfMatch"), found.etag)
        free(self, config, found.id)
        found.config, found.etag = config, random_id()
        return answer(found)

    @missing(CloudFrontResponse, f"delete_{kind.method}")
    def delete(self: CloudFrontResponse) -> EmptyResult:
        found = find(self)
        matching(self._get_param("IfMatch"), found.etag)
        for each in self.backend.distributions.values():
            if found.id in [one.get(kind.key) for one in behaviours(each.distribution_config)]:
                raise AwsError(f"{kind.word}InUse", f"Cannot delete the {kind.path}: it is attached to {each.id}.")
        del policies(self.backend, kind)[found.id]
        return EmptyResult()

    for ending in ("", "/(?P<policy_id>[^/]+)"):
        urls.url_paths[f"{{0}}/2020-05-31/{kind.path}{ending}$"] = CloudFrontResponse.dispatch


for _kind in KINDS:
    _add(_kind)

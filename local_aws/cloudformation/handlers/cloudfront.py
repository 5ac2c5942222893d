"""Distributions of CloudFront, and what they name: policies, functions, access to buckets."""

from __future__ import annotations

from typing import Any, ClassVar

from botocore.model import ListShape, Shape, StructureShape

from local_aws.cloudformation.calls import PropertyError, absent_is_fine, boolean, call, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]
SERVICE = "cloudfront"
RENAMED = {"OriginCustomHeaders": "CustomHeaders", "IPV6Enabled": "IsIPV6Enabled"}
"""Property → what the API calls it."""
METHODS = {"GET", "HEAD"}
KNOWN = {
    "DistributionConfig": (
        "Aliases", "CacheBehaviors", "Comment", "CustomErrorResponses", "DefaultCacheBehavior", "DefaultRootObject",
        "Enabled", "HttpVersion", "IPV6Enabled", "Logging", "Origins", "PriceClass", "ViewerCertificate", "WebACLId",
    ),
    "Logging": ("Bucket", "IncludeCookies", "Prefix"),
    "Origins": (
        "Id", "DomainName", "OriginPath", "CustomOriginConfig", "S3OriginConfig", "OriginAccessControlId",
        "OriginCustomHeaders",
    ),
    "CacheBehaviors": (
        "PathPattern", "TargetOriginId", "ViewerProtocolPolicy", "AllowedMethods", "CachedMethods", "CachePolicyId",
        "OriginRequestPolicyId", "ResponseHeadersPolicyId", "Compress", "FunctionAssociations",
    ),
}  # fmt: skip
"""Part of a distribution → its properties that the embedded AWS has."""


def quantified(shape: Shape, value: Any) -> Any:
    """A template's value in the API's words: its lists are `{Quantity, Items}`."""
    if isinstance(shape, StructureShape) and "Quantity" in shape.members:
        given = value if isinstance(value, list) else (value or {}).get("Items") or []
        inner = shape.members["Items"]
        made = [quantified(inner.member, each) for each in given] if isinstance(inner, ListShape) else given
        others = without(value, "Quantity", "Items") if isinstance(value, dict) else {}
        return {"Quantity": len(made), "Items": made} | others
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = {name.lower(): name for name in shape.members}
        found = {}
        for key, item in value.items():
            name = members.get(RENAMED.get(str(key), str(key)).lower())
            if name is None:
                raise PropertyError(f"Encountered unsupported property {key}")
            found[name] = quantified(shape.members[name], item)
        return found
    return value


def in_words(context: Context, operation: str, member: str, value: Any) -> Any:
    """A template's configuration as a member of an operation's request takes it."""
    model = context.client(SERVICE).meta.service_model.operation_model(operation)
    return quantified(model.input_shape.members[member], value)


class _Kept(Handler):
    """What is made, read, changed and deleted by its id and the version that was read.

    Attributes:
        WORD: in the names of operations: `CachePolicy`.
        METHOD: in those of boto3's methods.
    """

    WORD: ClassVar[str] = ""
    METHOD: ClassVar[str] = ""

    def _config(self, context: Context, properties: Properties) -> dict[str, Any]:
        member = f"{self.WORD}Config"
        return {member: in_words(context, f"Create{self.WORD}", member, properties[member])}

    def create(self, context: Context, properties: Properties) -> str:
        answer = call(context, SERVICE, f"create_{self.METHOD}", **self._config(context, properties))
        return str(answer[self.WORD]["Id"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        etag = self._etag(context, physical_id)
        given = self._config(context, new)
        call(context, SERVICE, f"update_{self.METHOD}", Id=physical_id, IfMatch=etag, **given)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            etag = self._etag(context, physical_id)
            call(context, SERVICE, f"delete_{self.METHOD}", Id=physical_id, IfMatch=etag)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Id": physical_id}

    def _etag(self, context: Context, physical_id: str) -> str:
        return str(call(context, SERVICE, f"get_{self.METHOD}", Id=physical_id)["ETag"])


class CachePolicy(_Kept):
    TYPE = "AWS::CloudFront::CachePolicy"
    WORD, METHOD = "CachePolicy", "cache_policy"


class ResponseHeadersPolicy(_Kept):
    TYPE = "AWS::CloudFront::ResponseHeadersPolicy"
    WORD, METHOD = "ResponseHeadersPolicy", "response_headers_policy"


class OriginAccessControl(_Kept):
    TYPE = "AWS::CloudFront::OriginAccessControl"
    WORD, METHOD = "OriginAccessControl", "origin_access_control"

    def check(self, properties: Properties) -> None:
        super().check(properties)
        kind = properties["OriginAccessControlConfig"].get("OriginAccessControlOriginType")
        if kind != "s3":
            raise PropertyError(f"{self.TYPE}: the embedded AWS has OriginAccessControlOriginType s3 only, not {kind}.")


class Function(Handler):
    TYPE = "AWS::CloudFront::Function"
    SUPPORTED = ("Name", "AutoPublish", "FunctionCode", "FunctionConfig")

    def check(self, properties: Properties) -> None:
        super().check(properties)
        if not boolean(properties.get("AutoPublish")):
            raise PropertyError(f"{self.TYPE}: the embedded AWS has AutoPublish: true only.")

    def create(self, context: Context, properties: Properties) -> str:
        answer = call(context, SERVICE, "create_function", **self._given(properties))
        arn = str(answer["FunctionSummary"]["FunctionMetadata"]["FunctionARN"])
        context.created(arn)
        self._publish(context, properties["Name"], answer["ETag"])
        return arn

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        name = physical_id.rpartition("/")[2]
        etag = call(context, SERVICE, "describe_function", Name=name)["ETag"]
        answer = call(context, SERVICE, "update_function", IfMatch=etag, **self._given(new) | {"Name": name})
        self._publish(context, name, answer["ETag"])

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            name = physical_id.rpartition("/")[2]
            etag = call(context, SERVICE, "describe_function", Name=name)["ETag"]
            call(context, SERVICE, "delete_function", Name=name, IfMatch=etag)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"FunctionARN": physical_id, "FunctionMetadata.FunctionARN": physical_id, "Stage": "LIVE"}

    @staticmethod
    def _given(properties: Properties) -> dict[str, Any]:
        given = without(properties, "AutoPublish")
        return given | {"FunctionCode": str(given["FunctionCode"]).encode()}

    @staticmethod
    def _publish(context: Context, name: str, etag: str) -> None:
        call(context, SERVICE, "publish_function", Name=name, IfMatch=etag)


class Distribution(Handler):
    TYPE = "AWS::CloudFront::Distribution"
    SUPPORTED = ("DistributionConfig", "Tags")
    SECONDS = 1800.0

    def check(self, properties: Properties) -> None:
        super().check(properties)
        config = properties["DistributionConfig"]
        parts = [("DistributionConfig", config), ("CacheBehaviors", config["DefaultCacheBehavior"])]
        parts += [("Logging", config["Logging"])] if config.get("Logging") else []
        parts += [(name, each) for name in ("Origins", "CacheBehaviors") for each in config.get(name) or []]
        for name, part in parts:
            if unknown := sorted(set(part) - set(KNOWN[name])):
                raise PropertyError(f"{self.TYPE}: {', '.join(unknown)} of {name} is not in the embedded AWS.")

    def create(self, context: Context, properties: Properties) -> str:
        tags = {"Items": context.tag_list(properties)}
        given = {"DistributionConfig": self._config(context, context.name(128), properties), "Tags": tags}
        answer = call(context, SERVICE, "create_distribution_with_tags", DistributionConfigWithTags=given)
        identifier = str(answer["Distribution"]["Id"])
        context.created(identifier)
        self._wait(context, identifier)
        return identifier

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        found = call(context, SERVICE, "get_distribution", Id=physical_id)
        reference, arn = found["Distribution"]["DistributionConfig"]["CallerReference"], found["Distribution"]["ARN"]
        config = self._config(context, reference, new)
        call(context, SERVICE, "update_distribution", Id=physical_id, IfMatch=found["ETag"], DistributionConfig=config)
        if gone := context.untagged(old, new):
            call(context, SERVICE, "untag_resource", Resource=arn, TagKeys={"Items": gone})
        if tags := context.tag_list(new):
            call(context, SERVICE, "tag_resource", Resource=arn, Tags={"Items": tags})
        self._wait(context, physical_id)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        # As CloudFormation's handler does: one that is enabled cannot be deleted.
        with absent_is_fine():
            found = call(context, SERVICE, "get_distribution_config", Id=physical_id)
            config = found["DistributionConfig"] | {"Enabled": False}
            call(
                context, SERVICE, "update_distribution",
                Id=physical_id, IfMatch=found["ETag"], DistributionConfig=config,
            )  # fmt: skip
            self._wait(context, physical_id)
            etag = call(context, SERVICE, "get_distribution", Id=physical_id)["ETag"]
            call(context, SERVICE, "delete_distribution", Id=physical_id, IfMatch=etag)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = call(context, SERVICE, "get_distribution", Id=physical_id)["Distribution"]
        return {"Id": physical_id, "DomainName": found["DomainName"]}

    def _config(self, context: Context, reference: str, properties: Properties) -> dict[str, Any]:
        config = {"Comment": "", "CallerReference": reference} | properties["DistributionConfig"]
        config["Origins"] = [self._origin(origin) for origin in config["Origins"]]
        if log := config.get("Logging"):
            config["Logging"] = {"Enabled": True, "IncludeCookies": False, "Prefix": ""} | log
        for name in ("CacheBehaviors", "DefaultCacheBehavior"):
            value = config.get(name)
            if value:
                config[name] = [_methods(each) for each in value] if isinstance(value, list) else _methods(value)
        made: dict[str, Any] = in_words(context, "CreateDistribution", "DistributionConfig", config)
        return made

    @staticmethod
    def _origin(origin: Properties) -> Properties:
        custom = origin.get("CustomOriginConfig")
        return origin | ({"CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443} | custom} if custom else {})

    def _wait(self, context: Context, identifier: str) -> None:
        def deployed() -> bool:
            found = call(context, SERVICE, "get_distribution", Id=identifier)
            return bool(found["Distribution"]["Status"] == "Deployed")

        context.wait(deployed, self.SECONDS, f"the distribution {identifier} to be deployed")


def _methods(behaviour: Properties) -> Properties:
    """A behaviour whose allowed methods stand as the API has them: those that are cached stand among them."""
    allowed = behaviour.get("AllowedMethods") or sorted(METHODS)
    cached = behaviour.get("CachedMethods") or sorted(METHODS)
    methods = {"Items": allowed, "CachedMethods": {"Quantity": len(cached), "Items": cached}, "Quantity": len(allowed)}
    return without(behaviour, "AllowedMethods", "CachedMethods") | {"AllowedMethods": methods}

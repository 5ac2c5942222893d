"""Buckets and their policies."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import PropertyError, absent_is_fine, call, changed, pick, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


class Bucket(Handler):
    TYPE = "AWS::S3::Bucket"
    SUPPORTED = (
        "BucketName", "Tags", "PublicAccessBlockConfiguration", "BucketEncryption", "VersioningConfiguration",
        "LifecycleConfiguration", "OwnershipControls", "CorsConfiguration",
    )  # fmt: skip

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("BucketName") or context.name(63, lower=True)
        place = {} if context.region == "us-east-1" else {"LocationConstraint": context.region}
        call(context, "s3", "create_bucket", Bucket=name, CreateBucketConfiguration=place or None)
        context.created(name)
        self._configure(context, name, {}, properties)
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        self._configure(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        # A bucket with objects, or with versions of them, cannot be deleted; AWS says BucketNotEmpty.
        with absent_is_fine():
            call(context, "s3", "delete_bucket", Bucket=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {
            "Arn": f"arn:{context.partition}:s3:::{physical_id}",
            "DomainName": f"{physical_id}.s3.amazonaws.com",
            "DualStackDomainName": f"{physical_id}.s3.dualstack.{context.region}.amazonaws.com",
            "RegionalDomainName": f"{physical_id}.s3.{context.region}.amazonaws.com",
            "WebsiteURL": f"http://{physical_id}.s3-website-{context.region}.amazonaws.com",
        }

    def _configure(self, context: Context, bucket: str, old: Properties, new: Properties) -> None:
        if unknown := sorted(set(new) - set(self.SUPPORTED)):
            raise PropertyError(f"{self.TYPE}: {', '.join(unknown)} is not in the embedded AWS.")
        tags = context.tag_list(new)
        if tags:
            call(context, "s3", "put_bucket_tagging", Bucket=bucket, Tagging={"TagSet": tags})
        elif old:
            call(context, "s3", "delete_bucket_tagging", Bucket=bucket)
        for name, configure in (
            ("PublicAccessBlockConfiguration", self._public_access),
            ("BucketEncryption", self._encryption),
            ("VersioningConfiguration", self._versioning),
            ("LifecycleConfiguration", self._lifecycle),
            ("OwnershipControls", self._ownership),
            ("CorsConfiguration", self._cors),
        ):
            if changed(old, new, name):
                configure(context, bucket, new.get(name))

    def _public_access(self, context: Context, bucket: str, value: Properties | None) -> None:
        if value is None:
            call(context, "s3", "delete_public_access_block", Bucket=bucket)
        else:
            call(context, "s3", "put_public_access_block", Bucket=bucket, PublicAccessBlockConfiguration=value)

    def _encryption(self, context: Context, bucket: str, value: Properties | None) -> None:
        if value is None:
            call(context, "s3", "delete_bucket_encryption", Bucket=bucket)
            return
        rules = [
            {
                "ApplyServerSideEncryptionByDefault": rule.get("ServerSideEncryptionByDefault"),
                **pick(rule, "BucketKeyEnabled"),
            }
            for rule in value["ServerSideEncryptionConfiguration"]
        ]
        configuration = {"Rules": rules}
        call(context, "s3", "put_bucket_encryption", Bucket=bucket, ServerSideEncryptionConfiguration=configuration)

    def _versioning(self, context: Context, bucket: str, value: Properties | None) -> None:
        # Versioning cannot be taken back, only suspended.
        configuration = value or {"Status": "Suspended"}
        call(context, "s3", "put_bucket_versioning", Bucket=bucket, VersioningConfiguration=configuration)

    def _lifecycle(self, context: Context, bucket: str, value: Properties | None) -> None:
        if value is None:
            call(context, "s3", "delete_bucket_lifecycle", Bucket=bucket)
            return
        rules = [lifecycle_rule(rule, number) for number, rule in enumerate(value["Rules"])]
        configuration = {"Rules": rules}
        call(context, "s3", "put_bucket_lifecycle_configuration", Bucket=bucket, LifecycleConfiguration=configuration)

    def _ownership(self, context: Context, bucket: str, value: Properties | None) -> None:
        if value is None:
            call(context, "s3", "delete_bucket_ownership_controls", Bucket=bucket)
        else:
            call(context, "s3", "put_bucket_ownership_controls", Bucket=bucket, OwnershipControls=value)

    def _cors(self, context: Context, bucket: str, value: Properties | None) -> None:
        if value is None:
            call(context, "s3", "delete_bucket_cors", Bucket=bucket)
            return
        names = {"MaxAge": "MaxAgeSeconds", "ExposedHeaders": "ExposeHeaders", "Id": "ID"}
        rules = [{names.get(key, key): item for key, item in rule.items()} for rule in value["CorsRules"]]
        call(context, "s3", "put_bucket_cors", Bucket=bucket, CORSConfiguration={"CORSRules": rules})


def lifecycle_rule(rule: Properties, number: int) -> dict[str, Any]:
    """A template's lifecycle rule in the API's words.

    Raises:
        PropertyError: the rule uses something that this does not know.
    """
    known = (
        "Id", "Status", "Prefix", "TagFilters", "ExpirationInDays", "ExpirationDate", "ExpiredObjectDeleteMarker",
        "NoncurrentVersionExpiration", "NoncurrentVersionExpirationInDays", "AbortIncompleteMultipartUpload",
        "Transitions", "NoncurrentVersionTransitions",
    )  # fmt: skip
    if unknown := without(rule, *known):
        raise PropertyError(f"Lifecycle rule: {', '.join(sorted(unknown))} is not in the embedded AWS.")
    result: dict[str, Any] = {
        "ID": rule.get("Id", f"rule-{number}"),
        "Status": rule["Status"],
        "Filter": lifecycle_filter(rule),
    }
    expiration = {
        "Days": rule.get("ExpirationInDays"),
        "Date": rule.get("ExpirationDate"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    if given := {key: value for key, value in expiration.items() if value is not None}:
        result["Expiration"] = given
    if "NoncurrentVersionExpiration" in rule:
        result["NoncurrentVersionExpiration"] = rule["NoncurrentVersionExpiration"]
    elif "NoncurrentVersionExpirationInDays" in rule:
        result["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    if "AbortIncompleteMultipartUpload" in rule:
        result["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    names = {"TransitionInDays": "Days", "TransitionDate": "Date"}
    if "Transitions" in rule:
        result["Transitions"] = [
            {names.get(key, key): value for key, value in item.items()} for item in rule["Transitions"]
        ]
    if "NoncurrentVersionTransitions" in rule:
        result["NoncurrentVersionTransitions"] = [
            {"NoncurrentDays" if key == "TransitionInDays" else key: value for key, value in item.items()}
            for item in rule["NoncurrentVersionTransitions"]
        ]
    return result


def lifecycle_filter(rule: Properties) -> dict[str, Any]:
    """What a rule is about: in the API several conditions stand in an `And`, one stands alone.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRuleFilter.html
    """
    tags = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in rule.get("TagFilters", [])]
    if not tags:
        return {"Prefix": rule.get("Prefix", "")}
    if len(tags) == 1 and "Prefix" not in rule:
        return {"Tag": tags[0]}
    return {"And": {**pick(rule, "Prefix"), "Tags": tags}}


class BucketPolicy(Handler):
    TYPE = "AWS::S3::BucketPolicy"

    def create(self, context: Context, properties: Properties) -> str:
        call(context, "s3", "put_bucket_policy", Bucket=properties["Bucket"], Policy=properties["PolicyDocument"])
        return str(properties["Bucket"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        self.create(context, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "s3", "delete_bucket_policy", Bucket=physical_id)

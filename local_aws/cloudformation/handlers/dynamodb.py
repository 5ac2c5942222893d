"""Tables of DynamoDB, billed by request."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import PropertyError, absent_is_fine, boolean, call, changed, pick
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]

STABLE_SECONDS = 60
INDEX = ("IndexName", "KeySchema", "Projection")
"""Properties of an index; those of its throughput mean nothing where requests are billed."""


class Table(Handler):
    TYPE = "AWS::DynamoDB::Table"
    # Its description says of this property what the schema's list leaves out: another type of an attribute that is
    # there replaces the table, one more or less does not.
    ALSO_CONDITIONAL = ("/properties/AttributeDefinitions",)
    SUPPORTED = (
        "TableName", "Tags", "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes",
        "PointInTimeRecoverySpecification", "SSESpecification", "TimeToLiveSpecification", "DeletionProtectionEnabled",
    )  # fmt: skip

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("TableName") or context.name(255)
        encryption = properties.get("SSESpecification")
        call(
            context,
            "dynamodb",
            "create_table",
            TableName=name,
            SSESpecification=encryption and {"Enabled": encryption["SSEEnabled"]},
            Tags=context.tag_list(properties) or None,
            **pick(
                properties,
                "BillingMode",
                "AttributeDefinitions",
                "KeySchema",
                "GlobalSecondaryIndexes",
                "DeletionProtectionEnabled",
            ),
        )
        context.created(name)
        context.wait(lambda: self._describe(context, name)["TableStatus"] == "ACTIVE", STABLE_SECONDS, "the table")
        self._recovery(context, name, {}, properties)
        self._time_to_live(context, name, properties)
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        # Compared with the table itself: a rollback puts back what may never have been changed.
        now, changes = self._describe(context, physical_id), Properties()
        if boolean((new.get("SSESpecification") or {}).get("SSEEnabled")) != ("SSEDescription" in now):
            raise PropertyError(f"{self.TYPE}: SSESpecification does not change in the embedded AWS.")
        if updates := index_updates(now.get("GlobalSecondaryIndexes") or [], new.get("GlobalSecondaryIndexes") or []):
            changes = {"GlobalSecondaryIndexUpdates": updates, **pick(new, "AttributeDefinitions")}
        if changed(old, new, "DeletionProtectionEnabled"):
            changes["DeletionProtectionEnabled"] = new.get("DeletionProtectionEnabled", False)
        if changes:
            call(context, "dynamodb", "update_table", TableName=physical_id, **changes)
        self._recovery(context, physical_id, old, new)
        self._time_to_live(context, physical_id, new)
        arn = now["TableArn"]
        if gone := context.untagged(old, new):
            call(context, "dynamodb", "untag_resource", ResourceArn=arn, TagKeys=gone)
        if tags := context.tag_list(new):
            call(context, "dynamodb", "tag_resource", ResourceArn=arn, Tags=tags)

    def replaces(self, old: Properties, new: Properties) -> bool:
        if old.get("KeySchema") != new.get("KeySchema"):
            return True
        before, after = (
            {each["AttributeName"]: each["AttributeType"] for each in properties.get("AttributeDefinitions") or []}
            for properties in (old, new)
        )
        return any(before[name] != after[name] for name in before.keys() & after.keys())

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        # A protected table cannot be deleted, as on AWS.
        with absent_is_fine():
            call(context, "dynamodb", "delete_table", TableName=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Arn": self._describe(context, physical_id)["TableArn"]}

    def check(self, properties: Properties) -> None:
        super().check(properties)
        indexes = properties.get("GlobalSecondaryIndexes") or []
        if unknown := {name for index in indexes for name in index} - set(INDEX):
            raise PropertyError(f"{self.TYPE}: {', '.join(sorted(unknown))} is not in the embedded AWS.")
        if properties.get("BillingMode") != "PAY_PER_REQUEST":
            raise PropertyError(f"{self.TYPE}: the embedded AWS has tables of BillingMode PAY_PER_REQUEST only.")

    def _describe(self, context: Context, name: str) -> Properties:
        return dict(call(context, "dynamodb", "describe_table", TableName=name)["Table"])

    def _recovery(self, context: Context, name: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "PointInTimeRecoverySpecification"):
            wanted = new.get("PointInTimeRecoverySpecification") or {"PointInTimeRecoveryEnabled": False}
            call(
                context,
                "dynamodb",
                "update_continuous_backups",
                TableName=name,
                PointInTimeRecoverySpecification=wanted,
            )

    def _time_to_live(self, context: Context, name: str, properties: Properties) -> None:
        now = call(context, "dynamodb", "describe_time_to_live", TableName=name)["TimeToLiveDescription"]
        expires, wanted = now.get("AttributeName", ""), properties.get("TimeToLiveSpecification") or {}
        attribute = wanted["AttributeName"] if boolean(wanted.get("Enabled")) else ""
        if attribute != expires:
            specification = {"AttributeName": attribute or expires, "Enabled": bool(attribute)}
            call(context, "dynamodb", "update_time_to_live", TableName=name, TimeToLiveSpecification=specification)


def index_updates(before: list[Properties], after: list[Properties]) -> list[Properties]:
    """What makes the indexes `before`, as DynamoDB describes them, into those `after`: one more, or one less.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html

    Raises:
        PropertyError: it is something else, in CloudFormation's words.
    """
    old, new = ({index["IndexName"]: pick(index, *INDEX) for index in indexes} for indexes in (before, after))
    if any(old[name] != new[name] for name in old.keys() & new.keys()):
        raise PropertyError(
            "Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights Specification. "
            "You can create a new GSI with a different name."
        )
    updates: list[Properties] = [{"Create": index} for name, index in new.items() if name not in old]
    updates += [{"Delete": {"IndexName": name}} for name in old if name not in new]
    if len(updates) > 1:
        raise PropertyError("Cannot perform more than one GSI creation or deletion in a single update")
    return updates

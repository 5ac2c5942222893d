"""Keys."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, call, changed
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


class Key(Handler):
    TYPE = "AWS::KMS::Key"

    def create(self, context: Context, properties: Properties) -> str:
        description = properties.get("Description", "")
        return str(call(context, "kms", "create_key", Description=description)["KeyMetadata"]["KeyId"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "Description"):
            text = new.get("Description", "")
            call(context, "kms", "update_key_description", KeyId=physical_id, Description=text)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "kms", "schedule_key_deletion", KeyId=physical_id, PendingWindowInDays=7)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Arn": call(context, "kms", "describe_key", KeyId=physical_id)["KeyMetadata"]["Arn"]}

"""CloudWatch Logs."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.handlers import Context, Handler


class LogGroup(Handler):
    """A log group and its retention."""

    TYPE = "AWS::Logs::LogGroup"

    def create(self, context: Context, properties: dict[str, Any]) -> str:
        name = str(properties.get("LogGroupName") or context.name(512))
        context.client("logs").create_log_group(logGroupName=name, tags=context.tag_map(properties))
        context.created(name)
        self._retain(context, name, {}, properties)
        return name

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._retain(context, physical_id, old, new)
        logs, arn = context.client("logs"), _arn(context, physical_id)
        if gone := context.untagged(old, new):
            logs.untag_resource(resourceArn=arn, tagKeys=gone)
        if tags := context.tag_map(new):
            logs.tag_resource(resourceArn=arn, tags=tags)

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        logs = context.client("logs")
        try:
            logs.delete_log_group(logGroupName=physical_id)
        except logs.exceptions.ResourceNotFoundException:
            return

    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {"Arn": f"{_arn(context, physical_id)}:*"}

    def _retain(self, context: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        if "RetentionInDays" in new:
            context.client("logs").put_retention_policy(logGroupName=name, retentionInDays=int(new["RetentionInDays"]))
        elif "RetentionInDays" in old:
            context.client("logs").delete_retention_policy(logGroupName=name)


def _arn(context: Context, name: str) -> str:
    return f"arn:{context.partition}:logs:{context.region}:{context.account_id}:log-group:{name}"

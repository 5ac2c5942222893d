"""Queues and their policies."""

from __future__ import annotations

import json
from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, boolean, call, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]

DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DelaySeconds": "0",
    "KmsDataKeyReusePeriodSeconds": "300",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
"""What a property that a template no longer has goes back to (API reference, SetQueueAttributes)."""


class Queue(Handler):
    TYPE = "AWS::SQS::Queue"

    def create(self, context: Context, properties: Properties) -> str:
        ending = ".fifo" if boolean(properties.get("FifoQueue")) else ""
        name = properties.get("QueueName") or context.name(80 - len(ending)) + ending
        tags = context.tag_map(properties)
        settings = self._settings(properties)
        answer = call(context, "sqs", "create_queue", QueueName=name, Attributes=settings or None, tags=tags or None)
        return str(answer["QueueUrl"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        before, after = self._settings(old), self._settings(new)
        gone = {key: DEFAULTS[key] for key in before if key not in after and key in DEFAULTS}
        differing = gone | {key: value for key, value in after.items() if value != before.get(key)}
        if differing:
            call(context, "sqs", "set_queue_attributes", QueueUrl=physical_id, Attributes=differing)
        if untagged := context.untagged(old, new):
            call(context, "sqs", "untag_queue", QueueUrl=physical_id, TagKeys=untagged)
        if tags := context.tag_map(new):
            call(context, "sqs", "tag_queue", QueueUrl=physical_id, Tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "sqs", "delete_queue", QueueUrl=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        name = physical_id.rpartition("/")[2]
        arn = f"arn:{context.partition}:sqs:{context.region}:{context.account_id}:{name}"
        return {"Arn": arn, "QueueName": name, "QueueUrl": physical_id}

    @staticmethod
    def _settings(properties: Properties) -> dict[str, str]:
        """The queue's attributes, all of them strings."""
        given = without(properties, "QueueName", "Tags")
        return {
            key: json.dumps(value) if isinstance(value, dict | bool) else str(value) for key, value in given.items()
        }


class QueuePolicy(Handler):
    TYPE = "AWS::SQS::QueuePolicy"

    def create(self, context: Context, properties: Properties) -> str:
        self._set(context, properties["Queues"], properties["PolicyDocument"])
        return context.name(128)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        self._set(context, [url for url in old["Queues"] if url not in new["Queues"]], "")
        self._set(context, new["Queues"], new["PolicyDocument"])

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        self._set(context, properties["Queues"], "")

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Id": physical_id}

    @staticmethod
    def _set(context: Context, queues: list[str], policy: Any) -> None:
        for url in queues:
            with absent_is_fine():
                call(context, "sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": policy})

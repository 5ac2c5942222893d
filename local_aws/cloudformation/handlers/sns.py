"""Topics, with their subscriptions."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, call, changed, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


class Topic(Handler):
    TYPE = "AWS::SNS::Topic"
    APART = ("TopicName", "Subscription", "Tags")

    def create(self, context: Context, properties: Properties) -> str:
        name = properties.get("TopicName") or context.name(256)
        settings = self._settings(properties)
        tags = context.tag_list(properties) or None
        arn = str(call(context, "sns", "create_topic", Name=name, Attributes=settings or None, Tags=tags)["TopicArn"])
        context.created(arn)
        self._subscribe(context, arn, {}, properties)
        return arn

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        before, after = self._settings(old), self._settings(new)
        for name in sorted(set(before) | set(after)):
            if before.get(name) != after.get(name):
                value = after.get(name, "")
                arguments = {"AttributeName": name, "AttributeValue": value}
                call(context, "sns", "set_topic_attributes", TopicArn=physical_id, **arguments)
        if changed(old, new, "Subscription"):
            self._subscribe(context, physical_id, old, new)
        if gone := context.untagged(old, new):
            call(context, "sns", "untag_resource", ResourceArn=physical_id, TagKeys=gone)
        if tags := context.tag_list(new):
            call(context, "sns", "tag_resource", ResourceArn=physical_id, Tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            for item in self._subscriptions(context, physical_id):
                call(context, "sns", "unsubscribe", SubscriptionArn=item["SubscriptionArn"])
            call(context, "sns", "delete_topic", TopicArn=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"TopicArn": physical_id, "TopicName": physical_id.split(":")[-1]}

    def _settings(self, properties: Properties) -> dict[str, Any]:
        return without(properties, *self.APART)

    def _subscriptions(self, context: Context, topic: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = call(context, "sns", "list_subscriptions_by_topic", TopicArn=topic)[
            "Subscriptions"
        ]
        return found

    def _subscribe(self, context: Context, topic: str, old: Properties, new: Properties) -> None:
        before, after = old.get("Subscription") or [], new.get("Subscription") or []
        gone = {(item["Protocol"], item["Endpoint"]) for item in before if item not in after}
        for item in self._subscriptions(context, topic):
            if (item["Protocol"], item["Endpoint"]) in gone:
                call(context, "sns", "unsubscribe", SubscriptionArn=item["SubscriptionArn"])
        for item in after:
            if item not in before:
                call(context, "sns", "subscribe", TopicArn=topic, **item)

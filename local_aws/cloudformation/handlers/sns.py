"""Topics, who gets their messages, and who may write to them."""

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
            call(context, "sns", "delete_topic", TopicArn=physical_id)  # and with it what is subscribed to it

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"TopicArn": physical_id, "TopicName": physical_id.split(":")[-1]}

    def _settings(self, properties: Properties) -> dict[str, Any]:
        return without(properties, *self.APART)

    def _subscribe(self, context: Context, topic: str, old: Properties, new: Properties) -> None:
        before, after = old.get("Subscription") or [], new.get("Subscription") or []
        for item in before:
            if item not in after:
                # A list does not tell the ARN of one that waits for its confirmation.
                arn = subscribed(context, {"TopicArn": topic, **item})
                call(context, "sns", "unsubscribe", SubscriptionArn=arn)
        for item in after:
            if item not in before:
                subscribed(context, {"TopicArn": topic, **item})


class Subscription(Handler):
    TYPE = "AWS::SNS::Subscription"
    SUPPORTED = ("Endpoint", "Protocol", "TopicArn")

    def create(self, context: Context, properties: Properties) -> str:
        return subscribed(context, properties)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        """Tags of the stack have changed, of which a subscription has none; any other change is a new one."""

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "sns", "unsubscribe", SubscriptionArn=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Arn": physical_id}


class TopicPolicy(Handler):
    TYPE = "AWS::SNS::TopicPolicy"

    def create(self, context: Context, properties: Properties) -> str:
        self._set(context, properties["Topics"], properties["PolicyDocument"])
        return context.name(128)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        self._set(context, [topic for topic in old["Topics"] if topic not in new["Topics"]], None)
        self._set(context, new["Topics"], new["PolicyDocument"])

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        self._set(context, properties["Topics"], None)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Id": physical_id}

    @staticmethod
    def _set(context: Context, topics: list[str], policy: Any) -> None:
        for arn in topics:
            value = policy if policy is not None else default_policy(context, arn)
            with absent_is_fine():
                named = {"AttributeName": "Policy", "AttributeValue": value}
                call(context, "sns", "set_topic_attributes", TopicArn=arn, **named)


def subscribed(context: Context, properties: Properties) -> str:
    """The ARN of a subscription, made if it is not there: SNS knows one by its topic, protocol and endpoint."""
    answer = call(context, "sns", "subscribe", **properties, ReturnSubscriptionArn=True)
    return str(answer["SubscriptionArn"])


def default_policy(context: Context, topic: str) -> Properties:
    """What a topic has that nobody has given a policy: the account may do all, nobody else anything.

    https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    """
    actions = (
        "GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe",
        "ListSubscriptionsByTopic", "Publish",
    )  # fmt: skip
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in actions],
        "Resource": topic,
        "Condition": {"StringEquals": {"AWS:SourceOwner": context.account_id}},
    }
    return {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}

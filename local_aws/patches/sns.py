"""A subscription by e-mail or HTTP(S) waits until its endpoint has confirmed it; moto takes it as confirmed at once.

Until then it gets no message, and lists show `PendingConfirmation` in place of its ARN. Nobody is written to: whoever
confirms it here passes the last part of its ARN as the token. What was delivered, and what not, is measured at once.
https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html
"""

from __future__ import annotations

from typing import Any

import requests
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.responses import ActionResult
from moto.sns.models import SNSBackend, Subscription
from moto.sns.responses import SNSResponse

from local_aws.patches._moto import AwsError, Method, around, instead

ASKED = ("email", "email-json", "http", "https")
"""Protocols whose endpoints have to confirm."""
PENDING = "PendingConfirmation"
SECONDS = 5
"""How long an endpoint has to take a message."""


def is_pending(subscription: Subscription) -> bool:
    """Whether the endpoint has not confirmed yet."""
    return bool(subscription.attributes.get(PENDING))


@around(SNSBackend, "subscribe")
def _subscribe(original: Method, self: Any, topic_arn: str, endpoint: str, protocol: str) -> Subscription:
    known = self._find_subscription(topic_arn, endpoint, protocol)
    subscription: Subscription = original(self, topic_arn, endpoint, protocol)
    if known is None and protocol in ASKED:
        subscription.attributes |= {PENDING: True, "ConfirmationWasAuthenticated": False}
    return subscription


@around(SNSResponse, "subscribe")
def _answer_subscribe(original: Method, self: Any) -> ActionResult:
    answer: ActionResult = original(self)
    given = str(self._get_param("ReturnSubscriptionArn")).lower() == "true"
    subscription = self.backend.subscriptions[answer.result["SubscriptionArn"]]
    if is_pending(subscription) and not given:
        return ActionResult({"SubscriptionArn": "pending confirmation"})
    return answer


@instead(SNSResponse, "confirm_subscription")
def _confirm(self: Any) -> ActionResult:
    topic, token = self._get_param("TopicArn"), self._get_param("Token")
    subscription = self.backend.subscriptions.get(f"{topic}:{token}")
    if subscription is None:
        raise AwsError("InvalidParameter", "Invalid parameter: Token")
    subscription.attributes |= {PENDING: False, "ConfirmationWasAuthenticated": True}
    return ActionResult({"SubscriptionArn": subscription.arn})


def _shown(answer: ActionResult) -> ActionResult:
    shown = [
        {
            "SubscriptionArn": PENDING if is_pending(each) else each.arn,
            "Owner": each.account_id,
            "Protocol": each.protocol,
            "Endpoint": each.endpoint,
            "TopicArn": each.topic.arn,
        }
        for each in answer.result["Subscriptions"]
    ]
    return ActionResult({**answer.result, "Subscriptions": shown})


@around(SNSResponse, "list_subscriptions")
def _list(original: Method, self: Any) -> ActionResult:
    return _shown(original(self))


@around(SNSResponse, "list_subscriptions_by_topic")
def _list_by_topic(original: Method, self: Any) -> ActionResult:
    return _shown(original(self))


@around(Subscription, "publish")
def _publish(original: Method, self: Any, message: str, message_id: str, **more: Any) -> None:
    """To who has confirmed; an endpoint that cannot be reached ends no call of somebody else."""
    if is_pending(self):
        return
    if self.protocol not in ("http", "https"):
        original(self, message, message_id, **more)
        _measure(self, True)
        return
    headers = {"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"}
    body = self.get_post_data(message, message_id, more.get("subject"))
    try:
        answer = requests.post(self.endpoint, json=body, headers=headers, timeout=SECONDS)
        _measure(self, answer.ok)
    except requests.RequestException:
        _measure(self, False)


def _measure(subscription: Subscription, good: bool) -> None:
    """What CloudWatch shows of a delivery. AWS tries a failed one again for an hour before it counts it.

    https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
    """
    arn = subscription.topic.arn.split(":")
    metric = "NumberOfNotificationsDelivered" if good else "NumberOfNotificationsFailed"
    dimensions = [{"Name": "TopicName", "Value": arn[5]}]
    datum = {"MetricName": metric, "Value": 1.0, "Unit": "Count", "Dimensions": dimensions}
    cloudwatch_backends[arn[4]][arn[3]].put_metric_data("AWS/SNS", [datum])

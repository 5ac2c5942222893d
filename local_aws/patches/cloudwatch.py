"""A state that is set rings; moto keeps it and tells nobody, begins alarms as OK, and forgets states on an update.

No metric is looked at here: an alarm keeps the state that SetAlarmState has given it, where on AWS the next evaluation
takes it back. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend
from moto.sns.exceptions import TopicNotFound
from moto.sns.models import sns_backends

from local_aws.patches._moto import Method, around

STATE = ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp")
ACTIONS = {"OK": "ok_actions", "ALARM": "alarm_actions", "INSUFFICIENT_DATA": "insufficient_data_actions"}


@around(CloudWatchBackend, "put_metric_alarm")
def _put_metric_alarm(original: Method, self: Any, *given: Any, **named: Any) -> Alarm:
    """A new alarm has no data yet, and an update leaves the state as it is."""
    before = dict(self.alarms)
    alarm: Alarm = original(self, *given, **named)
    if old := before.get(alarm.name):
        for name in STATE:
            setattr(alarm, name, getattr(old, name))
    else:
        alarm.state_value = "INSUFFICIENT_DATA"
    return alarm


@around(CloudWatchBackend, "set_alarm_state")
def _set_alarm_state(
    original: Method, self: Any, alarm_name: str, reason: str, reason_data: str, state_value: str
) -> None:
    before = self.alarms[alarm_name].state_value if alarm_name in self.alarms else ""
    original(self, alarm_name, reason, reason_data, state_value)
    alarm = self.alarms[alarm_name]
    if alarm.state_value == before or not alarm.actions_enabled:
        return
    for arn in getattr(alarm, ACTIONS[state_value]) or []:
        if ":sns:" in arn:
            _ring(self, arn, alarm, before)


def _ring(backend: Any, topic: str, alarm: Alarm, before: str) -> None:
    """A message as CloudWatch writes it; a topic that has gone costs nothing but the message."""
    account, region = topic.split(":")[4], topic.split(":")[3]
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": alarm.state_updated_timestamp.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "Region": backend.region_name,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
    }
    with contextlib.suppress(TopicNotFound):
        subject = f'{alarm.state_value}: "{alarm.name}" in {backend.region_name}'
        sns_backends[account][region].publish(json.dumps(message), arn=topic, subject=subject[:100])

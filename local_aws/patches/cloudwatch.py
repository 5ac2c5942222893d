"""A state that changes rings, unless a mute rule keeps it silent; moto keeps it and tells nobody.

It also begins alarms as OK, forgets states on an update, and has no mute rules. What state the data give an alarm is
`local_aws.parts.alarms`' matter, which changes it by `change`.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules-behaviour.html
"""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.exceptions import ResourceNotFoundException
from moto.cloudwatch.models import Alarm, CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.sns.exceptions import TopicNotFound
from moto.sns.models import sns_backends

from local_aws.alarms.mutes import Mute, MuteError, read
from local_aws.patches._moto import AwsError, Method, around, missing

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
    alarm.set_by_hand = datetime.now(UTC)
    _changed(self, alarm, before)


def change(backend: Any, alarm: Any, state: str, reason: str) -> None:
    """Give an alarm the state that its data ask for.

    Args:
        backend: moto's, of the region.
        alarm: one of its alarms.
        state: the new one; if it is the one of before, nothing happens.
        reason: why.
    """
    before = alarm.state_value
    if state != before:
        alarm.update_state(reason, "{}", state)
        _changed(backend, alarm, before)


def _changed(backend: Any, alarm: Any, before: str) -> None:
    """Tell, or remember what is to be told once nobody mutes it any more."""
    if alarm.state_value == before or not alarm.actions_enabled:
        return
    if muted(backend, alarm.name, datetime.now(UTC)):
        # The state that was told last: to be back in it is nothing to tell.
        alarm.untold = getattr(alarm, "untold", None) or before
    else:
        alarm.untold = None
        _tell(backend, alarm, before)


def mutes(backend: Any) -> dict[str, Mute]:
    """Name → mute rule, of a region."""
    found: dict[str, Mute] = vars(backend).setdefault("mutes", {})
    return found


def muted(backend: Any, name: str, now: datetime) -> bool:
    """Whether an alarm's actions are muted."""
    return any(name in each.alarms and each.status(now) == "ACTIVE" for each in mutes(backend).values())


def tell_what_was_muted(backend: Any, now: datetime) -> None:
    """Tell of each alarm that is no longer muted and has another state than the one that was told last."""
    for alarm in list(backend.alarms.values()):
        before = getattr(alarm, "untold", None)
        if before and not muted(backend, alarm.name, now):
            alarm.untold = None
            if alarm.state_value != before and alarm.actions_enabled:
                _tell(backend, alarm, before)


def _tell(backend: Any, alarm: Any, before: str) -> None:
    for arn in getattr(alarm, ACTIONS[alarm.state_value]) or []:
        if ":sns:" in arn:
            _ring(backend, arn, alarm, before)


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


@missing(CloudWatchResponse, "put_alarm_mute_rule")
def _put_alarm_mute_rule(self: Any) -> ActionResult:
    backend, now = self.cloudwatch_backend, datetime.now(UTC)
    given = {name: self._get_param(name) for name in ("Name", "Description", "StartDate", "ExpireDate")}
    given |= self._get_param("Rule")["Schedule"] | (self._get_param("MuteTargets") or {})
    if unknown := set(given.get("AlarmNames") or []) - set(backend.alarms):
        raise AwsError("ValidationError", f"There is no alarm {min(unknown)}.")
    try:
        rule = read(given, now)
    except MuteError as error:
        raise AwsError("ValidationError", str(error)) from None
    mutes(backend)[rule.name] = rule
    tell_what_was_muted(backend, now)
    return EmptyResult()


@missing(CloudWatchResponse, "get_alarm_mute_rule")
def _get_alarm_mute_rule(self: Any) -> ActionResult:
    rule = mutes(self.cloudwatch_backend).get(self._get_param("AlarmMuteRuleName"))
    if rule is None:
        raise ResourceNotFoundException
    schedule = {name: rule.given[name] for name in ("Expression", "Duration")}
    shown = {"Name": rule.name, "Description": rule.given["Description"], "Rule": {"Schedule": schedule}}
    shown |= {"MuteTargets": {"AlarmNames": sorted(rule.alarms)}, "MuteType": "ONE_TIME"}
    shown |= {"Status": rule.status(datetime.now(UTC)), "LastUpdatedTimestamp": rule.updated}
    return ActionResult(shown)


@missing(CloudWatchResponse, "delete_alarm_mute_rule")
def _delete_alarm_mute_rule(self: Any) -> ActionResult:
    backend = self.cloudwatch_backend
    mutes(backend).pop(self._get_param("AlarmMuteRuleName"), None)
    tell_what_was_muted(backend, datetime.now(UTC))
    return EmptyResult()

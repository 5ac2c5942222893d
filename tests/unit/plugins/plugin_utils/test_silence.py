"""Alarms that are silent as long as a lock is renewed: which, for how long, and what becomes of it when nobody may."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto.cloudwatch.models import cloudwatch_backends

from local_aws.alarms.round import look
from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID, REGION
from plugins.plugin_utils.silence import Silence, end

PREFIX = "shop-unit"
SILENT = [f"{PREFIX}-cluster-HostsMissing-A", f"{PREFIX}-service-web-TasksMissing-A"]
HEARD = [f"{PREFIX}-database-main-DatabaseFull-A", f"{PREFIX}2-service-web-TasksMissing-A", "shop-service-web-Slow-A"]


@pytest.fixture
def cloudwatch(aws: Cloud) -> Any:
    api = aws.client("cloudwatch")
    for name in (*SILENT, *HEARD):
        api.put_metric_alarm(
            AlarmName=name, Namespace="AWS/RDS", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
            Threshold=1, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
    return api


def rule(cloudwatch: Any) -> dict[str, Any]:
    """The mute rule; empty if there is none."""
    try:
        return dict(cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName=f"{PREFIX}-lock"))
    except cloudwatch.exceptions.ResourceNotFoundException:
        return {}


def test_alarms_of_services_and_hosts_are_silent_a_little_longer_than_the_lock_holds(cloudwatch: Any) -> None:
    silence = Silence(cloudwatch, PREFIX, "release", 300)
    silence.renew()
    found = rule(cloudwatch)
    assert found["MuteTargets"]["AlarmNames"] == SILENT
    assert (found["Status"], found["Description"]) == ("ACTIVE", "release is under way")
    assert found["Rule"]["Schedule"]["Duration"] == "PT6M"
    begin = datetime.strptime(found["Rule"]["Schedule"]["Expression"], "at(%Y-%m-%dT%H:%M)").replace(tzinfo=UTC)
    assert 0 <= (datetime.now(UTC) - begin).total_seconds() < 120
    silence.over()
    assert rule(cloudwatch)["Status"] == "ACTIVE", "they have these minutes to see that all is well again"
    assert silence.trouble == ""


def test_an_alarm_that_was_made_meanwhile_is_silent_with_the_next_renewal(cloudwatch: Any) -> None:
    cloudwatch.delete_alarms(AlarmNames=SILENT[1:])
    silence = Silence(cloudwatch, PREFIX, "site", 300)
    silence.renew()
    assert rule(cloudwatch)["MuteTargets"]["AlarmNames"] == SILENT[:1]
    cloudwatch.put_metric_alarm(
        AlarmName=SILENT[1], Namespace="N", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    silence.renew()
    assert rule(cloudwatch)["MuteTargets"]["AlarmNames"] == SILENT


def test_what_is_under_way_rings_for_nobody_and_the_rest_does(cloudwatch: Any) -> None:
    Silence(cloudwatch, PREFIX, "site", 300).renew()
    for name in (SILENT[0], HEARD[0]):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    backend = cloudwatch_backends[ACCOUNT_ID][REGION]
    untold = {name: getattr(backend.alarms[name], "untold", None) for name in (SILENT[0], HEARD[0])}
    assert untold == {SILENT[0]: "INSUFFICIENT_DATA", HEARD[0]: None}
    end(cloudwatch, PREFIX)
    look(backend, datetime.now(UTC))
    assert backend.alarms[SILENT[0]].untold is None
    end(cloudwatch, PREFIX)


def test_a_site_without_such_alarms_gets_no_rule(cloudwatch: Any) -> None:
    cloudwatch.delete_alarms(AlarmNames=SILENT)
    silence = Silence(cloudwatch, PREFIX, "site", 300)
    silence.renew()
    assert (rule(cloudwatch), silence.trouble) == ({}, "")


def test_a_teardown_leaves_no_rule_behind(cloudwatch: Any) -> None:
    silence = Silence(cloudwatch, PREFIX, "teardown", 300)
    silence.renew()
    assert rule(cloudwatch)
    silence.over()
    assert rule(cloudwatch) == {}


def test_who_may_not_mute_is_told_why_and_goes_on() -> None:
    client = botocore.session.get_session().create_client("cloudwatch", "us-east-1")

    def deny(**_: Any) -> None:
        denied = {"Error": {"Code": "AccessDenied", "Message": "not authorized to perform: cloudwatch:DescribeAlarms"}}
        raise ClientError(denied, "DescribeAlarms")

    client.meta.events.register("before-call.cloudwatch", deny)
    silence = Silence(client, PREFIX, "site", 300)
    silence.renew()
    assert "cloudwatch:DescribeAlarms" in silence.trouble

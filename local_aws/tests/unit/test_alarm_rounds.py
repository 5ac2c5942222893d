"""Alarms whose state their data change, and what is told of it: at once, never, or once nobody mutes it any more."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudwatch.models import cloudwatch_backends

from local_aws.alarms.points import forget
from local_aws.alarms.round import look
from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID, REGION
from local_aws.parts import alarms as part
from local_aws.patches import elbv2

ALARM: dict[str, Any] = {
    "AlarmName": "shop-service-web-Busy", "Namespace": "Site", "MetricName": "Load", "Statistic": "Average",
    "Dimensions": [{"Name": "Host", "Value": "a"}], "Period": 60, "EvaluationPeriods": 2, "Threshold": 5,
    "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "missing",
}  # fmt: skip
NAME = ALARM["AlarmName"]
LATER = timedelta(minutes=10)
"""Until an alarm is looked at that was just made."""


@pytest.fixture
def backend(aws: Cloud) -> Any:
    aws.client("cloudwatch")
    return cloudwatch_backends[ACCOUNT_ID][REGION]


@pytest.fixture
def heard(aws: Cloud) -> Callable[[], list[str]]:
    """The subjects that have come since it was asked last; the alarm tells all its states."""
    queue = aws.client("sqs").create_queue(QueueName="ear")["QueueUrl"]
    topic = aws.client("sns").create_topic(Name="topic")["TopicArn"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:ear"
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    told = {name: [topic] for name in ("AlarmActions", "OKActions", "InsufficientDataActions")}
    aws.client("cloudwatch").put_metric_alarm(**ALARM, **told)

    def messages() -> list[str]:
        got = aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for each in got:
            aws.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
        return [json.loads(each["Body"])["Subject"].split(" in ")[0] for each in got]

    return messages


def send(aws: Cloud, value: float, at: datetime, name: str = "Load", host: str = "a") -> None:
    dimensions = [{"Name": "Host", "Value": host}]
    datum = {"MetricName": name, "Dimensions": dimensions, "Value": value, "Timestamp": at}
    aws.client("cloudwatch").put_metric_data(Namespace="Site", MetricData=[datum])


def state(aws: Cloud) -> str:
    return str(aws.client("cloudwatch").describe_alarms(AlarmNames=[NAME])["MetricAlarms"][0]["StateValue"])


def mute(aws: Cloud, minutes: int = 6, *alarms: str) -> None:
    schedule = {"Expression": f"at({datetime.now(UTC):%Y-%m-%dT%H:%M})", "Duration": f"PT{minutes}M"}
    named = list(alarms or (NAME,))
    aws.client("cloudwatch").put_alarm_mute_rule(
        Name="shop-lock", Description="site", Rule={"Schedule": schedule}, MuteTargets={"AlarmNames": named}
    )


def test_data_make_an_alarm_ring_and_end_it(aws: Cloud, backend: Any, heard: Callable[[], list[str]]) -> None:
    now = datetime.now(UTC) + LATER
    look(backend, now)
    assert (state(aws), heard()) == ("INSUFFICIENT_DATA", [])
    for minutes in (2, 1):
        send(aws, 9, now - timedelta(minutes=minutes))
        send(aws, 0, now - timedelta(minutes=minutes), "Other")
        send(aws, 0, now - timedelta(minutes=minutes), host="b")
    look(backend, now)
    assert (state(aws), heard()) == ("ALARM", [f'ALARM: "{NAME}"'])
    look(backend, now)
    assert heard() == [], "it has told that"
    send(aws, 1, now)
    look(backend, now)
    assert (state(aws), heard()) == ("OK", [f'OK: "{NAME}"'])


def test_an_alarm_that_was_just_made_or_set_by_hand_is_not_looked_at_yet(
    aws: Cloud, backend: Any, heard: Callable[[], list[str]]
) -> None:
    now = datetime.now(UTC)
    send(aws, 9, now)
    send(aws, 9, now - timedelta(minutes=1))
    look(backend, now)
    assert (state(aws), heard()) == ("INSUFFICIENT_DATA", [])
    look(backend, now + timedelta(seconds=95))
    assert (state(aws), heard()) == ("ALARM", [f'ALARM: "{NAME}"'])
    aws.client("cloudwatch").set_alarm_state(AlarmName=NAME, StateValue="OK", StateReason="a test")
    backend.alarms[NAME].set_by_hand = now + LATER
    look(backend, now + LATER + timedelta(seconds=50))
    assert (state(aws), heard()) == ("OK", [f'OK: "{NAME}"'])


def test_an_alarm_on_what_is_not_measured_here_stays_as_it_is(aws: Cloud, backend: Any) -> None:
    kinds: list[dict[str, Any]] = [
        {"Namespace": "AWS/RDS", "TreatMissingData": "breaching"},
        {"Statistic": None, "ExtendedStatistic": "p95", "TreatMissingData": "breaching"},
    ]
    for kind in kinds:
        given = {name: value for name, value in (ALARM | kind).items() if value is not None}
        aws.client("cloudwatch").put_metric_alarm(**given)
        look(backend, datetime.now(UTC) + LATER)
        assert state(aws) == "INSUFFICIENT_DATA"
        aws.client("cloudwatch").delete_alarms(AlarmNames=[NAME])


def test_a_muted_alarm_tells_what_is_still_so_when_the_rule_is_over(
    aws: Cloud, backend: Any, heard: Callable[[], list[str]]
) -> None:
    def set_to(value: str) -> None:
        aws.client("cloudwatch").set_alarm_state(AlarmName=NAME, StateValue=value, StateReason="a test")

    set_to("OK")
    assert heard() == [f'OK: "{NAME}"']
    mute(aws)
    assert aws.client("cloudwatch").get_alarm_mute_rule(AlarmMuteRuleName="shop-lock")["Status"] == "ACTIVE"
    set_to("ALARM")
    set_to("OK")
    aws.client("cloudwatch").delete_alarm_mute_rule(AlarmMuteRuleName="shop-lock")
    assert heard() == [], "it is as it was when it was last told"

    backend.alarms[NAME].treat_missing_data = "ignore"  # there are no data to keep it in this state
    mute(aws)
    set_to("ALARM")
    look(backend, datetime.now(UTC))
    assert heard() == []
    look(backend, datetime.now(UTC) + timedelta(minutes=7))
    assert heard() == [f'ALARM: "{NAME}"'], "the rule has ended by itself"
    aws.client("cloudwatch").delete_alarm_mute_rule(AlarmMuteRuleName="shop-lock")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws.client("cloudwatch").get_alarm_mute_rule(AlarmMuteRuleName="shop-lock")


def test_a_rule_is_of_alarms_that_are_there_and_mutes_no_other(aws: Cloud, heard: Callable[[], list[str]]) -> None:
    with pytest.raises(ClientError, match="There is no alarm another"):
        mute(aws, 6, NAME, "another")
    aws.client("cloudwatch").put_metric_alarm(**ALARM | {"AlarmName": "another"})
    mute(aws, 6, "another")
    aws.client("cloudwatch").set_alarm_state(AlarmName=NAME, StateValue="ALARM", StateReason="a test")
    assert heard() == [f'ALARM: "{NAME}"']


def test_old_data_are_forgotten(aws: Cloud, backend: Any) -> None:
    now = datetime.now(UTC)
    for namespace in ("AWS/ECS", "Site"):
        for hours in (0, 4, 200):
            at = now - timedelta(hours=hours)
            datum = {"MetricName": "m", "Value": 1, "Timestamp": at}
            aws.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[datum])
    forget(backend, now)
    assert [each.namespace for each in backend.metric_data] == ["AWS/ECS", "Site", "Site"]


def test_targets_and_hosts_are_counted(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    ec2, api, hosts = aws.client("ec2"), aws.client("elbv2"), aws.client("autoscaling")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/17")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for number, zone in enumerate("ab")
    ]
    made = {"Protocol": "HTTP", "Port": 80, "VpcId": vpc}
    full, empty = (
        api.create_target_group(Name=name, **made)["TargetGroups"][0]["TargetGroupArn"] for name in ("full", "empty")
    )
    named = [each["SubnetId"] for each in subnets]
    balancer = api.create_load_balancer(Name="shop", Subnets=named)["LoadBalancers"][0]["LoadBalancerArn"]
    for port, group in ((80, full), (81, empty)):
        action = [{"Type": "forward", "TargetGroupArn": group}]
        api.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=action)
    states = {("i-1", 80): ("healthy", None, None), ("i-2", 80): ("unhealthy", None, None)}
    monkeypatch.setattr(elbv2, "target_health", {full: states, empty: {}})

    hosts.create_launch_configuration(LaunchConfigurationName="one", ImageId="ami-12c6146b", InstanceType="t2.micro")
    for name, size in (("watched", 2), ("silent", 1)):
        hosts.create_auto_scaling_group(
            AutoScalingGroupName=name, LaunchConfigurationName="one", MinSize=size, MaxSize=4,
            VPCZoneIdentifier=",".join(named),
        )  # fmt: skip
    metrics = ["GroupInServiceInstances"]
    hosts.enable_metrics_collection(AutoScalingGroupName="watched", Granularity="1Minute", Metrics=metrics)

    found = dict(part.measured(aws, REGION))
    (datum,) = found["AWS/AutoScaling"]
    assert (datum["MetricName"], datum["Value"], datum["Dimensions"][0]["Value"]) == (
        "GroupInServiceInstances", 2, "watched",
    )  # fmt: skip
    assert found["AWS/NetworkELB"] == []
    counted = {each["MetricName"]: each for each in found["AWS/ApplicationELB"]}
    assert {name: each["Value"] for name, each in counted.items()} == {"HealthyHostCount": 1, "UnHealthyHostCount": 1}
    assert counted["HealthyHostCount"]["Dimensions"] == [
        {"Name": "TargetGroup", "Value": full.rpartition(":")[2]},
        {"Name": "LoadBalancer", "Value": balancer.partition("loadbalancer/")[2]},
    ]


def test_the_part_writes_once_a_minute_what_is_measured_and_looks_at_the_alarms(
    aws: Cloud, backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    datum = {"MetricName": "Load", "Value": 9.0, "Dimensions": ALARM["Dimensions"]}
    monkeypatch.setattr(part, "measured", lambda _cloud, _region: [("Site", [datum]), ("AWS/AutoScaling", [])])
    alarms = part.Alarms(aws)
    alarms.reconcile()
    assert backend.metric_data == [], "nobody looks at anything"
    aws.client("cloudwatch").put_metric_alarm(**ALARM)
    backend.alarms[NAME].configuration_updated_timestamp -= LATER
    alarms._measured -= part.METRICS_SECONDS
    alarms.reconcile()
    alarms.reconcile()
    assert len(backend.metric_data) == 1
    assert state(aws) == "ALARM"

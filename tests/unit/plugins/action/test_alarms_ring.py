"""Alarms that our CloudFormation makes, provoked: what they watch is measured on the embedded AWS, and it is told."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cfnlint.decode import decode_str
from moto.cloudwatch.models import cloudwatch_backends

from local_aws.alarms.round import look
from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID, REGION
from local_aws.parts import alarms as part
from local_aws.patches import elbv2
from tests.unit.noun_support import Deployed
from tests.unit.plugins.action.test_alarm_stacks import layers, site
from tests.unit.render_support import PROJECT
from tests.unit.roles.test_host_metrics import script

__all__ = ["script", "site"]  # fixtures
EAR = f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:ear"
CLUSTER = {"Cluster": "shop-unit", "HostGroup": "hosts", "HostCountMinimum": "2"}
"""What stands for the layer cluster, whose template reads what hosts are told."""


class Clock:
    """Minutes that pass, in which what is measured is written and alarms are looked at."""

    def __init__(self, aws: Cloud) -> None:
        self.aws, self.now = aws, datetime.now(UTC) + timedelta(minutes=5)
        self.backend = cloudwatch_backends[ACCOUNT_ID][REGION]

    def minutes(self, number: int, measured: Callable[[], Any] = lambda: ()) -> None:
        for _ in range(number):
            self.now += timedelta(minutes=1)
            for namespace, data in measured():
                timed = [each | {"Timestamp": self.now} for each in data]
                if timed:
                    self.aws.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=timed)
            look(self.backend, self.now)

    def state(self, name: str) -> str:
        (found,) = (each for each in self.backend.alarms.values() if f"-{name}" in each.name)
        return str(found.state_value)


def heard(aws: Cloud) -> list[str]:
    """State and logical id of each message since the last time."""
    sqs, found = aws.client("sqs"), []
    queue = sqs.get_queue_url(QueueName="ear")["QueueUrl"]
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
        for each in messages:
            told = json.loads(json.loads(each["Body"])["Message"])
            found.append(
                f"{told['NewStateValue']} {told['AlarmName'].removeprefix('shop-unit-service-web-').split('-')[0]}"
            )
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
    return sorted(found)


@pytest.fixture
def topic(aws: Cloud) -> str:
    aws.client("sqs").create_queue(QueueName="ear")
    arn = str(aws.client("sns").create_topic(Name="told")["TopicArn"])
    aws.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=EAR)
    return arn


def of_cluster(aws: Cloud, topic: str, *names: str) -> None:
    """Make alarms of cloudformation/cluster.yml."""
    text = (PROJECT / "cloudformation/cluster.yml").read_text()
    known = CLUSTER | {"AlarmTopicArn": topic}

    def resolved(given: Any) -> Any:
        if isinstance(given, dict):
            if set(given) == {"Ref"}:
                return known[given["Ref"]]
            return (
                given["Fn::Sub"] if set(given) == {"Fn::Sub"} else {key: resolved(each) for key, each in given.items()}
            )
        return [resolved(each) for each in given] if isinstance(given, list) else given

    for name in names:
        block = text.partition(f"\n  {name}:\n")[2].partition("\n\n")[0]
        found, problems = decode_str(f"Resources:\n  {name}:\n{block}\n")
        assert found is not None, problems
        given = resolved(dict(found["Resources"][name]["Properties"]))
        given["Threshold"] = float(given["Threshold"])
        aws.client("cloudwatch").put_metric_alarm(AlarmName=f"shop-unit-service-web-{name}-A", **given)


def test_a_service_that_nobody_answers_for_rings_and_is_over_when_it_is_back(
    aws: Cloud, site: Deployed, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.outputs |= {"AlarmTopicArn": topic}
    site.create("service.web", layers(["ops@example.org"])["service.web"])
    (group,) = aws.client("elbv2").describe_target_groups()["TargetGroups"]
    health: dict[str, Any] = {group["TargetGroupArn"]: {("i-1", 32768): ("healthy", None, None)}}
    monkeypatch.setattr(elbv2, "target_health", health)
    clock = Clock(aws)

    def measured() -> list[Any]:
        tasks = len(health[group["TargetGroupArn"]])
        named = [{"Name": "ClusterName", "Value": "shop-unit"}, {"Name": "ServiceName", "Value": "web"}]
        one = {"SampleCount": tasks, "Sum": tasks, "Minimum": 1, "Maximum": 1}
        datum = {"MetricName": "CPUUtilization", "Dimensions": service_dimensions or named, "StatisticValues": one}
        return [*part.measured(aws, REGION), ("AWS/ECS", [datum] if tasks else [])]

    (missed,) = (each for each in clock.backend.alarms.values() if "TasksMissing" in each.name)
    service_dimensions = [{"Name": each.name, "Value": each.value} for each in missed.dimensions]
    clock.minutes(12, measured)
    heard(aws)
    assert (clock.state("NoHealthyTarget"), clock.state("TasksMissing")) == ("OK", "OK")

    health[group["TargetGroupArn"]] = {("i-1", 32768): ("unhealthy", None, None)}
    clock.minutes(2, measured)
    assert [each.split("Target")[0] for each in heard(aws)] == ["ALARM NoHealthy"], "its task still runs"
    health[group["TargetGroupArn"]] = {}
    clock.minutes(13, measured)
    assert heard(aws) == ["ALARM TasksMissing"], "without targets there is no data, which counts as none"
    assert clock.state("NoHealthyTarget") == "ALARM"
    health[group["TargetGroupArn"]] = {("i-2", 32769): ("healthy", None, None)}
    clock.minutes(2, measured)
    assert sorted(each.split("Target")[0] for each in heard(aws)) == ["OK NoHealthy", "OK TasksMissing"]


@pytest.mark.parametrize(
    ("alarm", "full", "well"), [("HostMemory", (95, 20), (80, 20)), ("HostDisk", (20, 95), (20, 80))]
)
def test_a_full_host_rings_by_what_it_sends_itself(
    aws: Cloud, topic: str, script: Any, alarm: str, full: tuple[float, float], well: tuple[float, float]
) -> None:
    """The script's own request, as it is and signed, at the API; its clock is the real one."""
    of_cluster(aws, topic, "HostMemory", "HostDisk")
    clock = Clock(aws)

    def sent(percent: tuple[float, float]) -> None:
        content = script.body("shop-unit", zip(("MemoryUsed", "DiskUsed"), percent, strict=True))
        keys = {"AccessKeyId": "berth-embedded", "SecretAccessKey": "none", "Token": "session"}
        headers = script.signed("monitoring.us-east-1.amazonaws.com", REGION, keys, content, datetime.now(UTC))
        request = urllib.request.Request(aws.config.endpoint, data=content, headers=headers, method="POST")
        urllib.request.urlopen(request).close()
        for each in clock.backend.metric_data[-2:]:
            each.timestamp = clock.now

    for percent, told in ((full, [f"ALARM {alarm}"]), (well, [f"OK {alarm}"])):
        heard(aws)
        for _ in range(4):
            clock.now += timedelta(minutes=5)
            sent(percent)
            look(clock.backend, clock.now)
        assert [each for each in heard(aws) if each.endswith(alarm)] == told


def test_hosts_that_do_not_come_ring_after_a_quarter_of_an_hour(aws: Cloud, topic: str) -> None:
    of_cluster(aws, topic, "HostsMissing")
    clock = Clock(aws)

    def there(number: int) -> Callable[[], Any]:
        named = [{"Name": "AutoScalingGroupName", "Value": "hosts"}]
        datum = {"MetricName": "GroupInServiceInstances", "Dimensions": named, "Value": number}
        return lambda: [("AWS/AutoScaling", [datum])]

    clock.minutes(20, there(2))
    assert heard(aws) == ["OK HostsMissing"]
    clock.minutes(14, there(1))
    assert heard(aws) == []
    clock.minutes(1, there(1))
    assert heard(aws) == ["ALARM HostsMissing"]
    clock.minutes(1, there(2))
    assert heard(aws) == ["OK HostsMissing"]

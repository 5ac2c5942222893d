"""The verb alarms_test: an alarm rings, who hears it gets a message, and who does not is named."""

from __future__ import annotations

import datetime
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks
from plugins.action import alarm_test
from plugins.plugin_utils.arrival import told
from plugins.plugin_utils.silence import Silence
from tests.unit.playbooks.test_run_verb import SITE
from tests.unit.plugin_support import environment, run_action, shell
from tests.unit.variables_support import IDENTITY, PROJECT

TOPIC = """
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Queue: {Type: AWS::SQS::Queue}
  Ear: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Queue.Arn}}
  Mail: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref Topic, Protocol: email, Endpoint: ops@shop.test}}
Outputs: {AlarmTopicArn: {Value: !Ref Topic}, EarArn: {Value: !GetAtt Queue.Arn}}
"""
WATCHED = """
Parameters: {Topic: {Type: String}}
Resources:
%s
"""
ALARM = """
  %s:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/ECS
      MetricName: CPUUtilization
      Statistic: SampleCount
      Period: 60
      EvaluationPeriods: 1
      ComparisonOperator: LessThanThreshold
      Threshold: 1
      AlarmActions: [!Ref Topic]
      OKActions: [!Ref Topic]
"""


class Site:
    """A site with a topic at which a queue listens, and a service with two alarms."""

    def __init__(self, cloud: Cloud, stacks: Stacks) -> None:
        self.cloud = cloud
        self.ids = stacks.made("shop-unit-alarms", TOPIC)
        self.ear = stacks.outputs("shop-unit-alarms")["EarArn"]
        body = WATCHED % (ALARM % "TasksMissing" + ALARM % "Slow3")
        self.alarms = stacks.made("shop-unit-service-web", body, {"Topic": self.ids["Topic"]})

    def state(self, logical_id: str, value: str = "") -> str:
        """The state of an alarm; given one, it is set first."""
        cloudwatch = self.cloud.client("cloudwatch")
        if value:
            cloudwatch.set_alarm_state(AlarmName=self.alarms[logical_id], StateValue=value, StateReason="before")
        (found,) = cloudwatch.describe_alarms(AlarmNames=[self.alarms[logical_id]])["MetricAlarms"]
        return str(found["StateValue"])

    def heard(self) -> list[tuple[str, str, str]]:
        """Alarm, new state and reason of each message since the last time."""
        sqs, messages = self.cloud.client("sqs"), []
        while found := sqs.receive_message(QueueUrl=self.ids["Queue"], MaxNumberOfMessages=10).get("Messages", []):
            for each in found:
                messages.append(json.loads(json.loads(each["Body"])["Message"]))
                sqs.delete_message(QueueUrl=self.ids["Queue"], ReceiptHandle=each["ReceiptHandle"])
        return sorted((each["AlarmName"], each["NewStateValue"], each["NewStateReason"]) for each in messages)

    def test(
        self, alarm: str = "", check: bool = False, subscribers: list[str] | None = None, arrival: int = 0
    ) -> dict[str, Any]:
        """What the action says; `shown` has its lines."""
        shown: list[str] = []
        say = lambda name, text, _color=None: shown.append(f"{name}: {text}")  # noqa: E731 (what replaces a method)
        arguments = {
            "prefix": "shop-unit", "layers": ["alarms", "service"], "alarm": alarm,
            "subscribers": [self.ear] if subscribers is None else subscribers, "arrival_timeout": arrival,
        }  # fmt: skip
        return run_action(alarm_test, arguments, check, client=self.cloud.client, say=say) | {"shown": shown}


@pytest.fixture
def site(aws: Cloud, stacks: Stacks) -> Site:
    return Site(aws, stacks)


def test_an_alarm_rings_is_heard_and_is_as_it_was(site: Site) -> None:
    site.state("Slow3", "OK")
    site.heard()
    done = site.test()
    name, reason = site.alarms["Slow3"], alarm_test.REASON
    assert (done["alarm"], done["changed"], done["deaf"]) == (name, True, []), (
        "one that is OK, of which the end is told too"
    )
    assert site.heard() == [(name, "ALARM", reason), (name, "OK", reason)]
    assert site.state("Slow3") == "OK"
    assert done["told"] == [site.ear]
    assert f'{site.ear}: has to get ALARM: "{name}", and that it is over, within a minute' in "\n".join(done["shown"])


def test_what_sns_says_became_of_the_messages_is_waited_for(site: Site) -> None:
    site.state("Slow3", "OK")
    assert site.test()["arrived"] == {}, "nobody asked"
    now = time.time()
    if now % 60 > 57:
        time.sleep(4)  # what SNS counts it counts by the minute
    before = told(site.cloud.client("cloudwatch"), site.ids["Topic"], datetime.datetime.now(datetime.UTC))
    done = site.test(arrival=20)
    assert done["arrived"]["expected"] == 2
    assert done["arrived"]["delivered"] == before[0] + 2
    assert done["arrived"]["failed"] == 0


def test_what_could_not_be_delivered_is_told(site: Site) -> None:
    sns, topic = site.cloud.client("sns"), site.ids["Topic"]
    with socket.socket() as shut:
        shut.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{shut.getsockname()[1]}/alarms"
        arn = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=gone, ReturnSubscriptionArn=True)
        token = arn["SubscriptionArn"].rpartition(":")[2]
        sns.confirm_subscription(TopicArn=topic, Token=token)
        done = site.test("service.web.TasksMissing", arrival=20, subscribers=[site.ear, gone])
    assert done["arrived"]["expected"] == 2
    assert done["arrived"]["failed"] == 1


def test_one_without_data_is_named_and_tells_its_begin_alone(site: Site) -> None:
    done = site.test("service.web.TasksMissing")
    assert site.heard() == [(site.alarms["TasksMissing"], "ALARM", alarm_test.REASON)]
    assert site.state("TasksMissing") == "INSUFFICIENT_DATA"
    assert "that it is over" not in "\n".join(done["shown"])


def test_a_check_run_rings_nothing(site: Site) -> None:
    done = site.test(check=True)
    assert done["changed"]
    assert site.heard() == []
    assert "would ring for" in done["shown"][0]


def test_who_has_not_confirmed_is_named(site: Site) -> None:
    done = site.test(subscribers=[site.ear, "ops@shop.test", "gone@shop.test"])
    assert done["deaf"] == ["ops@shop.test", "gone@shop.test"]
    assert "gone@shop.test: gets nothing" in done["shown"]


def test_an_alarm_that_there_is_not_leads_to_one_like_it(site: Site) -> None:
    assert site.test("service.web.TaskMissing")["msg"].endswith(" -e alarm=service.web.TasksMissing")
    assert site.heard() == []


def test_an_alarm_that_rings_or_is_muted_is_not_rung(site: Site) -> None:
    site.state("Slow3", "ALARM")
    site.heard()
    assert "service.web.Slow3 rings already or is muted" in site.test("service.web.Slow3")["msg"]
    assert site.test()["alarm"] == site.alarms["TasksMissing"]
    site.cloud.client("cloudwatch").disable_alarm_actions(AlarmNames=[site.alarms["TasksMissing"]])
    assert "Each alarm of the site rings already" in site.test()["msg"]


def test_it_rings_also_where_the_run_before_is_still_silent(site: Site) -> None:
    Silence(site.cloud.client("cloudwatch"), "shop-unit", "site", 300).renew()
    site.test("service.web.TasksMissing")
    assert len(site.heard()) > 0


def test_where_nobody_hears_nothing_rings(site: Site) -> None:
    site.cloud.client("sns").unsubscribe(SubscriptionArn=site.ids["Ear"])
    failed = site.test(subscribers=["ops@shop.test"])
    assert "Nobody has confirmed to be told, so nothing would arrive: ops@shop.test." in failed["msg"]
    assert site.state("TasksMissing") == "INSUFFICIENT_DATA"


def test_a_site_without_a_topic_yet_is_told_to_make_it(aws: Cloud) -> None:
    arguments = {"prefix": "shop-unit", "layers": ["alarms"], "subscribers": ["ops@shop.test"]}
    failed = run_action(alarm_test, arguments, client=aws.client)
    assert "There is no topic by which anybody could be told yet." in failed["msg"]
    assert "site.yml" in failed["msg"]


@pytest.mark.playbook
def test_the_verb_refuses_a_site_that_tells_nobody(aws: Cloud, tmp_path: Path) -> None:
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"prod": {"hosts": {"localhost": local}}}))
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/prod.yml").write_text(yaml.safe_dump(SITE, sort_keys=False))
    identity = " ".join(f"{name}={value}" for name, value in IDENTITY.items())
    program = str(Path(sys.executable).parent / "ansible-playbook")
    command = [program, str(PROJECT / "alarms_test.yml"), "-i", str(tmp_path / "hosts.yml"), "-e", identity]
    done = subprocess.run(
        command, cwd=tmp_path, env=shell(environment(aws)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "alarms_subscribers names nobody, so the site has no alarms." in said
    assert "docs/troubleshooting.md#so-the-site-has-no-alarms" in said

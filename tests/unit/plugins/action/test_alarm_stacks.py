"""Alarms deployed by our CloudFormation: they come with who is told, ring for what they stand beside, and go."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks
from tests.unit.cloudformation.test_noun_service_templates import ROUTE
from tests.unit.noun_support import NOUNS, TASKS, Deployed, RolesOf, made
from tests.unit.plugin_support import talk_to
from tests.unit.plugins.action.test_noun_service_stacks import CLUSTER, TASK, without_hosts
from tests.unit.render_support import PROJECT

WHO = ["ops@example.org"]
GIVEN: dict[str, Any] = {
    "site_databases": {"main": {}}, "site_volumes": {"media": {}}, "database_allocated_gb": {"main": 20},
    "service": {"web": {**TASK, "routes": [{**ROUTE, "priority": 20}]}},
    "job": {"nightly": {**TASK, "schedule": "cron(0 3 * * ? *)"}},
}  # fmt: skip
NAMES = ("database.main", "volume.media", "service.web", "job.nightly")


def layers(subscribers: list[str]) -> dict[str, dict[str, Any]]:
    """The layers of a site that tells these, as the roles make them."""
    found = made({**GIVEN, "alarms_subscribers": subscribers}, (*NOUNS, *TASKS))
    roles = RolesOf({"alarms_subscribers": subscribers})
    named = dict(roles.layers("alarms", PROJECT / "cloudformation"))
    return {name: found[name] for name in NAMES} | {name: {"stack": name, **each} for name, each in named.items()}


@pytest.fixture
def site(aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    talk_to(aws, monkeypatch)
    without_hosts(monkeypatch)
    deployed = Deployed(aws, stacks)
    stacks.made("shop-unit-cluster", CLUSTER, {"SubnetIds": deployed.outputs["PrivateSubnetIds"]})
    deployed.outputs |= stacks.outputs("shop-unit-cluster")
    return deployed


def alarms(site: Deployed) -> dict[str, dict[str, Any]]:
    """Alarm as it stands in its template, behind its stack → what CloudWatch has of it."""
    found = site.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {each["AlarmName"].rpartition("-")[0].removeprefix("shop-unit-"): each for each in found}


def test_alarms_come_with_who_is_told_and_go_with_them(site: Deployed) -> None:
    silent, heard = layers([]), layers(WHO)
    assert "alarms" not in silent
    for name in NAMES:
        site.create(name, silent[name])
    assert alarms(site) == {}

    site.create("alarms", heard["alarms"])
    site.outputs |= site.stacks.outputs("shop-unit-alarms")
    topic = site.outputs["AlarmTopicArn"]
    for name in NAMES:
        site.create(name, heard[name])
    found = alarms(site)
    target = next(name for name in found if "NoHealthyTarget" in name).removeprefix("service-web-NoHealthyTarget")
    assert set(found) == {
        "database-main-DatabaseBusy", "database-main-DatabaseConnections", "database-main-DatabaseFull",
        "job-nightly-ScheduleNotStarted", "service-web-TasksMissing", "volume-media-VolumeCredits",
        *(f"service-web-{name}{target}" for name in ("NoHealthyTarget", "ServerErrors", "Slow")),
    }  # fmt: skip
    assert {tuple(each["AlarmActions"]) for each in found.values()} == {(topic,)}
    for each in found.values():
        assert "${" not in each["AlarmDescription"] + str(each["Dimensions"])

    elbv2 = site.aws.client("elbv2")
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    (group,) = elbv2.describe_target_groups()["TargetGroups"]
    healthy = {each["Name"]: each["Value"] for each in found[f"service-web-NoHealthyTarget{target}"]["Dimensions"]}
    assert healthy == {
        "LoadBalancer": balancer["LoadBalancerArn"].partition("loadbalancer/")[2],
        "TargetGroup": group["TargetGroupArn"].rpartition(":")[2],
    }
    queue = site.outputs["job.nightly.DeadLetterQueueArn"].rpartition(":")[2]
    (dimension,) = found["job-nightly-ScheduleNotStarted"]["Dimensions"]
    assert dimension == {"Name": "QueueName", "Value": queue}
    assert found["service-web-TasksMissing"]["Threshold"] == 1.0

    rules = site.aws.client("events").list_rules()["Rules"]
    assert sorted(rule["Name"].rpartition("-")[0] for rule in rules) == [
        "shop-unit-alarms-DeploymentFailed", "shop-unit-job-nightly-JobFailed", "shop-unit-volume-media-BackupFailed",
    ]  # fmt: skip
    again = {name: site.run(name, heard[name]) for name in NAMES}
    assert [name for name, result in again.items() if result["changed"]] == []

    for name in NAMES:
        site.create(name, silent[name])
    assert alarms(site) == {}
    (left,) = site.aws.client("events").list_rules()["Rules"]
    assert left["Name"].startswith("shop-unit-alarms-"), "that of the layer alarms, which goes last"


def test_a_stack_without_a_topic_yet_has_no_alarm(site: Deployed) -> None:
    site.create("service.web", layers(WHO)["service.web"])
    assert alarms(site) == {}

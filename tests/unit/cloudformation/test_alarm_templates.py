"""Alarms: where somebody is told and nowhere else, each with what no data means, and with what to type."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode_str

from plugins.plugin_utils.layers import Template, text
from plugins.plugin_utils.markdown import headings, slug
from plugins.plugin_utils.plan.billed import billed
from tests.unit.cloudformation.test_noun_service_templates import ENTRIES as TASK_ENTRIES
from tests.unit.noun_support import NOUNS, TASKS, RolesOf, body, made
from tests.unit.render_support import PROJECT

SUBSCRIBERS = ["ops@example.org", "https://ops.example.net/hook?key=1"]
ONE = {"site_databases": {"main": {}}, "site_volumes": {"media": {"uid": 7}}, "database_allocated_gb": {"main": 26}}
RUNS = {"site_services": {"web": {"containers": {"web": {"image": "registry.test/some:1", "mem_limit": "64m"}}}}}
TOPIC = "arn:aws:sns:us-east-1:123456789012:shop-unit-alarms-Topic-0A1B2C"
MISSING = {
    "BackupMissing": "breaching",
    "BalancerErrors": "notBreaching", "CertificateEnds": "ignore", "DatabaseBusy": "missing",
    "DatabaseConnections": "missing", "DatabaseFull": "breaching", "HostCredits": "missing",
    "HostDisk": "missing", "HostMemory": "missing", "HostsMissing": "missing",
    "NoHealthyTarget": "breaching", "ScheduleNotStarted": "notBreaching", "ServerErrors": "notBreaching",
    "Slow": "notBreaching", "TasksMissing": "breaching", "VolumeCredits": "notBreaching",
}  # fmt: skip
"""Alarm → what it takes no data for. Why, stands beside each in its template."""
EVENTS = {"BackupFailed", "CopyFailed", "DeploymentFailed", "JobFailed"}
CLUSTER = ["BalancerErrors", "HostsMissing", "HostMemory", "HostDisk", "HostCredits"]


def layers_of(subscribers: list[str]) -> dict[str, dict[str, Any]]:
    """Layers that have alarms, but for the cluster, whose template reads what the hosts are told."""
    given = {**ONE, **TASK_ENTRIES, "alarms_subscribers": subscribers}
    found = made(given, (*NOUNS, *TASKS))
    roles = RolesOf({"alarms_subscribers": subscribers, "site_backups": {"every": "1d"}, **RUNS})
    for noun in ("alarms", "certificate"):
        found |= dict(roles.layers(noun, PROJECT / "cloudformation"))
    return found


@pytest.fixture(scope="module")
def layers() -> dict[str, dict[str, Any]]:
    return layers_of(SUBSCRIBERS)


@pytest.fixture(scope="module")
def silent() -> dict[str, dict[str, Any]]:
    return layers_of([])


def template(layer: dict[str, Any]) -> dict[str, Any]:
    found, problems = decode_str(body(layer))
    assert found is not None, problems
    return dict(found)


def resources(layer: dict[str, Any], kind: str = "AWS::CloudWatch::Alarm") -> dict[str, dict[str, Any]]:
    return {name: each for name, each in template(layer)["Resources"].items() if each["Type"] == kind}


def alarms(layers: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """`<layer>.<logical id>` → the alarm, of all layers and of the cluster's template as it stands."""
    found = {f"{name}.{logical}": each for name, layer in layers.items() for logical, each in resources(layer).items()}
    text_of_cluster = (PROJECT / "cloudformation/cluster.yml").read_text()
    cluster = re.findall(r"^  (\w+):\n    Type: AWS::CloudWatch::Alarm$", text_of_cluster, re.MULTILINE)
    assert cluster == CLUSTER
    return found


def called(name: str) -> str:
    """What an alarm is called, less what tells it from others of its kind."""
    return next(each for each in sorted(MISSING, key=len, reverse=True) if name.rpartition(".")[2].startswith(each))


def test_every_template_is_clean_for_cfn_lint_as_it_is_deployed(
    layers: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    for name, layer in layers.items():
        (tmp_path / f"{name}.yml").write_text(body(layer))
    run = subprocess.run(
        [Path(sys.executable).parent / "cfn-lint", "--regions", "us-east-1", "--", *tmp_path.glob("*.yml")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_site_that_tells_nobody_has_no_alarm_and_no_place_for_a_topic(silent: dict[str, dict[str, Any]]) -> None:
    assert "alarms" not in silent
    for name, layer in silent.items():
        assert "AlarmTopicArn" not in body(layer), name
        assert resources(layer) == resources(layer, "AWS::Events::Rule") == {}, name


def test_an_alarm_tells_the_topic_if_it_is_there(layers: dict[str, dict[str, Any]]) -> None:
    for name, layer in layers.items():
        if name != "alarms" and (found := resources(layer)):
            assert template(layer)["Parameters"]["AlarmTopicArn"]["Default"] == "", name
            for each in found.values():
                assert each["Condition"] in ("HasAlarmTopic", "IsWatched")
                told = each["Properties"]
                assert told["AlarmActions"] == told["OKActions"] == [{"Ref": "AlarmTopicArn"}]
                assert TOPIC not in body(layer)
    watched, values = Template.read(body(layers["database.main"])), {"DatabaseClass": "db.t3.micro"}
    without, beside = (billed(watched, {**values, "AlarmTopicArn": topic}) for topic in ("", TOPIC))
    assert ("alarm" in without, beside["alarm"]) == (False, 3)


def test_each_alarm_says_what_no_data_means(layers: dict[str, dict[str, Any]]) -> None:
    found = alarms(layers)
    for name, each in found.items():
        assert each["Properties"]["TreatMissingData"] == MISSING[called(name)], name
    assert {called(name) for name in found} | {*CLUSTER} == set(MISSING)
    cluster = (PROJECT / "cloudformation/cluster.yml").read_text()
    for name in CLUSTER:
        behind = cluster.partition(f"  {name}:\n")[2].partition("TreatMissingData: ")[2]
        assert behind.split()[0] == MISSING[name]


def test_each_alarm_ends_with_what_to_type_and_an_entry_of_the_page(layers: dict[str, dict[str, Any]]) -> None:
    page = {slug(said) for _, _, said in headings((PROJECT / "docs/alarms.md").read_text())}
    told = [each["Properties"]["AlarmDescription"]["Fn::Sub"] for each in alarms(layers).values()]
    for layer in layers.values():
        for rule in resources(layer, "AWS::Events::Rule").values():
            (target,) = rule["Properties"]["Targets"]
            said = target["InputTransformer"]["InputTemplate"]["Fn::Sub"]
            assert re.fullmatch('"[^"]+"', said), "EventBridge takes a text in quotes"
            told.append(said[1:-1])
    for sentence in told:
        assert re.search(r"Type: ansible-playbook (status|logs)\.yml -i \S+", sentence), sentence
        anchor = re.search(r"\(docs/alarms\.md#([\w-]+)\)$", sentence)
        assert anchor, sentence
        assert anchor[1] in page, sentence
        assert len(sentence) < 900, "CloudWatch takes 1,024 characters"
    sources = "".join(path.read_text() for path in (PROJECT / "cloudformation").glob("*.yml"))
    named = set(re.findall(r"docs/alarms\.md#([\w-]+)", sources))
    assert named == {re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower() for name in {*MISSING, *EVENTS}}
    assert named <= page


def test_a_service_without_a_route_rings_for_its_tasks_alone(layers: dict[str, dict[str, Any]]) -> None:
    assert set(resources(layers["service.worker"])) == {"TasksMissing"}
    assert set(resources(layers["service.my-redis"])) == {"TasksMissing", "NoHealthyTargetExposed"}
    web = resources(layers["service.web"])
    assert len(web) == 4
    assert {called(name) for name in web} == {
        "TasksMissing",
        "NoHealthyTarget",
        "ServerErrors",
        "Slow",
    }
    assert {each.get("DependsOn") for name, each in web.items() if name != "TasksMissing"} == {"Service"}


@pytest.mark.parametrize(("name", "least"), [("web", "ServiceReplicas"), ("api", "ServiceScaleMinimum")])
def test_a_service_rings_below_the_tasks_that_it_should_have(
    name: str, least: str, layers: dict[str, dict[str, Any]]
) -> None:
    assert resources(layers[f"service.{name}"])["TasksMissing"]["Properties"]["Threshold"] == {"Ref": least}
    watched = Template.read(body(layers[f"service.{name}"]))
    for number, many in (("0", 0), ("2", 1)):
        found = billed(watched, {"AlarmTopicArn": TOPIC, least: number})
        assert bool(found.get("alarm")) == bool(many), "no task is wanted, so none is missed"


def test_a_job_is_watched_on_its_schedule_only(layers: dict[str, dict[str, Any]]) -> None:
    nightly, migrate = (
        billed(
            Template.read(body(layers[f"job.{name}"])),
            {key: text(value) for key, value in layers[f"job.{name}"]["parameters"].items()} | {"AlarmTopicArn": TOPIC},
        )
        for name in ("nightly", "migrate")
    )
    assert (nightly.get("alarm"), migrate.get("alarm")) == (1, None)
    (rule,) = resources(layers["job.nightly"], "AWS::Events::Rule").values()
    assert rule["Properties"]["EventPattern"]["detail"]["startedBy"] == [{"prefix": "chronos-schedule/"}]


@pytest.mark.parametrize(
    ("backups", "hours"),
    [
        ({}, None),
        ({"keep": 3}, None),
        ({"every": "1d"}, 25),
        ({"every": "90m"}, 3),
        ({"every": "6d"}, 145),
        ({"every": "7d"}, None),
    ],
)
def test_a_backup_that_is_missing_rings_as_far_as_cloudwatch_looks_back(
    backups: dict[str, Any], hours: int | None
) -> None:
    roles = RolesOf({"alarms_subscribers": SUBSCRIBERS, "site_backups": backups, **RUNS})
    layer = dict(roles.layers("alarms", PROJECT / "cloudformation"))["alarms"]
    found = resources(layer).get("BackupMissing", {"Properties": {}})["Properties"]
    assert found.get("EvaluationPeriods") == hours
    source = (PROJECT / "plugins/action/backup_point.py").read_text()
    assert not found or f'NAMESPACE, METRIC = "{found["Namespace"]}", "{found["MetricName"]}"' in source


def test_a_backup_of_the_volume_that_fails_is_told_of_and_no_other(layers: dict[str, dict[str, Any]]) -> None:
    (rule,) = resources(layers["volume.media"], "AWS::Events::Rule").values()
    detail = rule["Properties"]["EventPattern"]["detail"]
    assert detail["state"] == ["ABORTED", "EXPIRED", "FAILED", "PARTIAL"]
    (one,) = detail["resourceArn"]
    assert one["Fn::Sub"][0].endswith(":file-system/${Id}")


def test_hosts_may_send_nothing_but_their_own_numbers_and_only_where_they_do() -> None:
    text_of_cluster = (PROJECT / "cloudformation/cluster.yml").read_text()
    before, _, behind = text_of_cluster.partition("        - PolicyName: metrics\n")
    assert before.rstrip().splitlines()[-3].strip() == "#{% if 'host_metrics' in host_roles %}"
    allowed = behind.partition("#{% endif %}")[0]
    assert 'Condition: {StringEquals: {"cloudwatch:namespace": Berth/Hosts}}' in allowed
    script = (PROJECT / "roles/host_metrics/templates/host-metrics.py.j2").read_text()
    assert 'NAMESPACE = "Berth/Hosts"' in script
    sent = set(re.findall(r'yield "(\w+)"', script))
    watched = re.findall(r"Namespace: Berth/Hosts\n      MetricName: (\w+)", text_of_cluster)
    assert set(watched) == sent == {"MemoryUsed", "DiskUsed"}


def test_each_subscriber_has_a_resource_of_its_own_name() -> None:
    """So that who comes or goes touches nobody else, who would have to confirm again."""

    def subscribed(who: list[str]) -> dict[str, dict[str, Any]]:
        roles = RolesOf({"alarms_subscribers": who})
        return resources(dict(roles.layers("alarms", PROJECT / "cloudformation"))["alarms"], "AWS::SNS::Subscription")

    both, last = subscribed(SUBSCRIBERS), subscribed(SUBSCRIBERS[1:])
    assert [(each["Properties"]["Protocol"], each["Properties"]["Endpoint"]) for each in both.values()] == [
        ("email", SUBSCRIBERS[0]), ("https", SUBSCRIBERS[1]),
    ]  # fmt: skip
    assert last.items() <= both.items()


@pytest.mark.parametrize("of", ["site", "account"])
def test_a_budget_tells_at_its_thresholds_what_bears_the_tag_or_all_costs(of: str) -> None:
    given = {"alarms_subscribers": SUBSCRIBERS, "alarms_budget": 40.5, "alarms_budget_of": of}
    layer = dict(RolesOf(given).layers("alarms", PROJECT / "cloudformation"))["alarms"]
    (budget,) = resources(layer, "AWS::Budgets::Budget").values()
    said = budget["Properties"]["Budget"]
    assert {each: float(said["BudgetLimit"][each]) for each in ("Amount",)} == {"Amount": 40.5}
    assert said["BudgetLimit"]["Unit"] == "USD"
    by_tag = {"TagKeyValue": [{"Fn::Join": ["$", ["user:Site", {"Ref": "SiteName"}]]}]}
    assert said.get("CostFilters") == (by_tag if of == "site" else None)
    told = [each["Notification"] for each in budget["Properties"]["NotificationsWithSubscribers"]]
    assert [(each["NotificationType"], each["Threshold"]) for each in told] == [("ACTUAL", 80), ("FORECASTED", 100)]
    assert budget["DependsOn"] == "TopicPolicy", "else nothing would arrive"
    page = (PROJECT / "docs/alarms.md").read_text()
    assert "cost" in {slug(title) for _, _, title in headings(page)}
    statements = resources(layer, "AWS::SNS::TopicPolicy")["TopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert "budgets.amazonaws.com" in {each["Principal"]["Service"] for each in statements}


def test_without_an_amount_there_is_no_budget(layers: dict[str, dict[str, Any]]) -> None:
    assert not resources(layers["alarms"], "AWS::Budgets::Budget")
    assert "BudgetName" not in template(layers["alarms"])["Outputs"]


def test_cloudwatch_and_rules_of_this_environment_may_write_to_the_topic(layers: dict[str, dict[str, Any]]) -> None:
    (policy,) = resources(layers["alarms"], "AWS::SNS::TopicPolicy").values()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    by = {each["Principal"]["Service"]: json.dumps(each["Condition"]) for each in statements}
    assert set(by) == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}
    assert ":alarm:${SiteName}-${EnvironmentName}-*" in by["cloudwatch.amazonaws.com"]
    assert ":rule/${SiteName}-${EnvironmentName}-*" in by["events.amazonaws.com"]

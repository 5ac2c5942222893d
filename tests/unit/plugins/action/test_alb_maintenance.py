"""A maintenance page at the load balancer: who is answered what, and what becomes of the rules at each turn."""

from __future__ import annotations

import datetime
import fnmatch
import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.action import alb_maintenance
from plugins.plugin_utils import maintenance, maintenance_switch
from plugins.plugin_utils.maintenance import Rules
from tests.unit.plugin_support import PROJECT, run_action, talk_to

PREFIX = "shop-prod"
PAGE = str(PROJECT / "roles/maintenance/files/page.html")
CLUSTER = {
    "Parameters": {"Subnets": {"Type": "CommaDelimitedList"}},
    "Resources": {
        "Alb": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {"Subnets": {"Ref": "Subnets"}},
        },
        "HttpsListener": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": {"Ref": "Alb"}, "Protocol": "HTTP", "Port": 80,
                "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
            },
        },
    },
    "Outputs": {"HttpsListenerArn": {"Value": {"Ref": "HttpsListener"}}},
}  # fmt: skip


def service(*groups: str, priority: int = 40_000, path: str = "/*") -> dict[str, Any]:
    """A service's template, its rule leading to the first of the target groups."""
    made: dict[str, Any] = {
        name: {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {"VpcId": {"Ref": "VpcId"}, "Protocol": "HTTP", "Port": 80},
        }
        for name in groups
    }
    made["Rule"] = {
        "Type": "AWS::ElasticLoadBalancingV2::ListenerRule",
        "Properties": {
            "ListenerArn": {"Ref": "Listener"}, "Priority": priority,
            "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}],
            "Actions": [{"Type": "forward", "TargetGroupArn": {"Ref": groups[0]}}],
        },
    }  # fmt: skip
    return {"Parameters": {"VpcId": {"Type": "String"}, "Listener": {"Type": "String"}}, "Resources": made}


@dataclass
class Site:
    """A load balancer with a stack of its own, and services with theirs."""

    aws: Cloud
    vpc: str = ""
    said: list[str] = field(default_factory=list)

    def deploy(self, name: str, template: dict[str, Any], **parameters: str) -> None:
        cloudformation = self.aws.client("cloudformation")
        given = {
            "StackName": f"{PREFIX}-{name}",
            "TemplateBody": json.dumps(template),
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        }
        try:
            cloudformation.create_stack(**given)
            cloudformation.get_waiter("stack_create_complete").wait(StackName=given["StackName"], WaiterConfig=SOON)
        except cloudformation.exceptions.AlreadyExistsException:
            cloudformation.update_stack(**given)
            cloudformation.get_waiter("stack_update_complete").wait(StackName=given["StackName"], WaiterConfig=SOON)

    def service(self, name: str, template: dict[str, Any]) -> None:
        self.deploy(f"service-{name}", template, VpcId=self.vpc, Listener=self.listener)

    @property
    def listener(self) -> str:
        return maintenance.listener(self.aws.client("cloudformation"), PREFIX)

    @property
    def rules(self) -> Rules:
        return Rules(self.aws.client("elbv2"), self.listener)

    def typed(self, state: str, check: bool = False, **more: Any) -> dict[str, Any]:
        self.said.clear()
        arguments = {"prefix": PREFIX, "state": state, "page": PAGE, "tags": {"Site": "shop"}, **more}
        return run_action(
            alb_maintenance, arguments, check, say=lambda _name, text, _color=None: self.said.append(text)
        )

    def answered(self, path: str = "/", address: str = "198.51.100.1", **headers: str) -> str:
        """What a request comes to: the ARN of a target group, or the text of a fixed response."""
        rules = self.rules
        for rule in sorted([*rules.ours.values(), *rules.others], key=lambda each: each.priority):
            if all(meets(each, path, address, headers) for each in rule.conditions):
                (action,) = rule.actions
                return str(action.get("TargetGroupArn") or action["FixedResponseConfig"]["MessageBody"])
        return "nobody"

    def group(self, stack: str, name: str = "Web") -> str:
        told = self.aws.client("cloudformation").describe_stack_resource(
            StackName=f"{PREFIX}-service-{stack}", LogicalResourceId=name
        )
        return str(told["StackResourceDetail"]["PhysicalResourceId"])


SOON: Any = {"Delay": 0.1, "MaxAttempts": 100}


def meets(condition: dict[str, Any], path: str, address: str, headers: dict[str, str]) -> bool:
    """Whether a request meets a condition of a rule."""
    match condition["Field"]:
        case "path-pattern":
            return matches(path, condition["PathPatternConfig"]["Values"])
        case "http-header":
            config = condition["HttpHeaderConfig"]
            return matches(headers.get(config["HttpHeaderName"], "").lower(), config["Values"])
        case "source-ip":
            networks = condition["SourceIpConfig"]["Values"]
            return any(ipaddress.ip_address(address) in ipaddress.ip_network(each) for each in networks)
    raise AssertionError(condition)


def matches(text: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)


@pytest.fixture
def site(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Site:
    talk_to(aws, monkeypatch)
    ec2 = aws.client("ec2")
    made = Site(aws, ec2.create_vpc(CidrBlock="10.79.0.0/20")["Vpc"]["VpcId"])
    subnets = [
        ec2.create_subnet(VpcId=made.vpc, CidrBlock=f"10.79.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    made.deploy("cluster", CLUSTER, Subnets=",".join(each["SubnetId"] for each in subnets))
    made.service("web", service("Web"))
    made.service("api", service("Web", priority=30_000, path="/api/*"))
    return made


def cookie(site: Site) -> str:
    found = maintenance.rules_of(lambda name: site.aws.client(name), PREFIX).cookie
    assert found.startswith("berth-maintenance=")
    return found


def test_everybody_is_answered_the_page_but_who_is_let_through(site: Site) -> None:
    web, api = site.group("web"), site.group("api")
    assert (site.answered(), site.answered("/api/x")) == (web, api)
    result = site.typed("on", allowed_cidrs=["203.0.113.0/24"])
    assert (result["changed"], result["on"]) == (True, True), result
    assert "We are working on this site. </p>" in site.answered()
    assert json.loads(site.answered("/api/x", Accept="application/json")) == {"error": "maintenance", "until": None}
    assert (site.answered(address="203.0.113.9"), site.answered("/api/x", "203.0.113.9")) == (web, api)
    mine = f"theme=dark; {cookie(site)}; session=1"
    assert (site.answered(Cookie=mine), site.answered("/api/x", Cookie=mine)) == (web, api)
    assert "Back soon" in site.answered(Cookie="berth-maintenance=")

    assert site.typed("off")["changed"]
    assert (site.answered(), site.answered("/api/x")) == (web, api)
    assert not site.rules.ours
    assert not site.typed("off")["changed"]


def test_the_cookie_is_new_each_time_and_shown_once(site: Site) -> None:
    site.typed("on")
    first = cookie(site)
    assert len([line for line in site.said if first in line]) == 2, "as it is, and as a browser takes it"
    site.typed("on", for_time="2h")
    assert cookie(site) == first
    assert not [line for line in site.said if first in line]
    result = site.typed("status")
    assert first not in json.dumps(result)
    site.typed("off")
    site.typed("on")
    assert cookie(site) != first


def test_a_second_run_changes_nothing_and_another_page_or_time_is_put_in_place(site: Site) -> None:
    site.typed("on", for_time="2h")
    until = site.rules.until
    assert f"{until[11:16]} UTC on" in site.answered()
    assert json.loads(site.answered(Accept="application/json"))["until"] == until
    arns = {number: rule.arn for number, rule in site.rules.ours.items()}
    assert site.typed("on")["changed"], "without a time now"
    assert site.rules.until == ""
    assert not site.typed("on")["changed"]
    assert site.typed("on", page="<p>other {until}")["changed"]
    assert site.answered() == "<p>other "
    assert {number: rule.arn for number, rule in site.rules.ours.items()} == arns, "no rule was away for a moment"


def test_the_rules_have_the_site_s_tags_and_say_until_when(site: Site) -> None:
    site.typed("on", for_time="90m")
    elb, rule = site.aws.client("elbv2"), site.rules.ours[maintenance.PAGE]
    (told,) = elb.describe_tags(ResourceArns=[rule.arn])["TagDescriptions"]
    tags = {each["Key"]: each["Value"] for each in told["Tags"]}
    since = site.rules.since
    assert tags == {
        "Site": "shop", "Berth::Maintenance": site.rules.until, "Berth::MaintenanceSince": since,
        "Berth::MaintenanceBy": "maintenance",
    }  # fmt: skip
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(since)
    assert 0 <= age.total_seconds() < 180
    assert (site.rules.verb, site.rules.run) == ("", "")
    result = site.typed("status")
    assert site.said[0].endswith(f", since {since}")
    assert (result["changed"], result["on"], result["until"]) == (False, True, site.rules.until)
    assert site.said[0].startswith(f"is on until {result['until']}, as announced (nothing ends it but")


def test_a_check_run_says_and_changes_nothing(site: Site) -> None:
    result = site.typed("on", check=True)
    assert (result["changed"], result["on"], site.rules.on) == (True, False, False)
    assert site.said == ["would be switched on"]
    site.typed("on")
    before = site.rules.ours
    assert not site.typed("on", check=True)["changed"]
    assert site.said == ["would be as it is"]
    assert site.typed("on", check=True, page="<p>")["changed"]
    assert site.typed("off", check=True)["changed"]
    assert site.rules.ours == before


def test_what_was_interrupted_is_finished_by_the_next_run_and_shown_by_status(site: Site) -> None:
    site.typed("on")
    site.aws.client("elbv2").delete_rule(RuleArn=site.rules.ours[maintenance.PAGE].arn)
    assert not site.typed("status")["on"]
    assert "3 rules of it are left, which maintenance=off takes away" in site.said[0]
    assert site.typed("on")["changed"]
    assert "Back soon" in site.answered()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"page": "<p>" + "x" * 1021 + "{until}", "for_time": "2h"}, "bytes with the time put in, and a load balancer"),
        ({"page": "<p>" + "ü" * 600}, "maintenance_page has 1203 bytes"),
        ({"page": "gone.html", "beside": "/nowhere"}, "/nowhere/gone.html cannot be read (No such file or directory)"),
        ({"for_time": "tomorrow"}, "-e for=tomorrow is no time of a minute to 30 days"),
        ({"for_time": "10s"}, "-e for=10s is no time"),
        (
            {"allowed_cidrs": [f"10.0.{n}.0/24" for n in range(200)]},
            "Maintenance needs 92 rules to let somebody through, and has 77",
        ),
    ],
)
def test_what_a_load_balancer_does_not_take_is_refused_before_anything_is_made(
    site: Site, given: dict[str, Any], says: str
) -> None:
    result = site.typed("on", **given)
    assert result["failed"]
    assert says in result["msg"]
    assert not site.rules.ours


def test_a_rule_of_somebody_else_under_a_number_that_is_kept_is_told(site: Site) -> None:
    site.service("old", service("Web", priority=50, path="/old"))
    result = site.typed("on")
    assert "under numbers that are kept for maintenance (50)" in result["msg"]
    assert not site.rules.ours


def test_a_site_that_is_not_up_is_told_only_where_it_matters(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    talk_to(aws, monkeypatch)
    site = Site(aws)
    assert "shop-prod has no load balancer yet. Type: " in site.typed("on")["msg"]
    for state in ("off", "status", "followed", "released", "settled"):
        assert site.typed(state)["changed"] is False, state
    assert site.typed("status")["there"] is False


def test_a_deployment_goes_on_meanwhile_and_who_is_let_through_follows_it(site: Site) -> None:
    site.typed("on", allowed_cidrs=["203.0.113.9/32"])
    mine, old = cookie(site), site.group("web")
    # The target group is another one; CloudFormation deletes the old one at the end.
    released = site.typed("released", targets={"web": ["Next"], "api": ["Web"]})
    assert released["changed"]
    assert "Back soon" in site.answered(Cookie=mine), "until the deployment is through"
    assert site.answered("/api/x", Cookie=mine) == site.group("api")
    site.service("web", service("Next"))
    with pytest.raises(ClientError, match=r"TargetGroupNotFound|not found"):
        site.aws.client("elbv2").describe_target_groups(TargetGroupArns=[old])
    assert site.typed("followed")["changed"]
    assert not site.typed("followed")["changed"]
    assert cookie(site) == mine
    assert site.answered(Cookie=mine) == site.answered(address="203.0.113.9") == site.group("web", "Next")
    assert "Back soon" in site.answered()


def test_a_target_group_that_stays_is_not_let_go(site: Site) -> None:
    site.typed("on")
    assert not site.typed("released", targets={"web": ["Web"], "api": ["Web"]})["changed"]
    assert site.typed("released", check=True, targets={"web": ["Web"]})["changed"], "the service api goes"
    assert site.answered("/api/x", Cookie=cookie(site)) == site.group("api")


def test_all_services_can_be_deleted_while_the_page_is_shown(site: Site) -> None:
    site.typed("on")
    site.typed("released")
    cloudformation = site.aws.client("cloudformation")
    for name in ("web", "api"):
        cloudformation.delete_stack(StackName=f"{PREFIX}-service-{name}")
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=f"{PREFIX}-service-{name}", WaiterConfig=SOON)
    assert "Back soon" in site.answered()


def test_who_is_let_through_comes_to_a_service_that_came_after_the_page(site: Site) -> None:
    for name in ("web", "api"):
        site.aws.client("cloudformation").delete_stack(StackName=f"{PREFIX}-service-{name}")
        site.aws.client("cloudformation").get_waiter("stack_delete_complete").wait(
            StackName=f"{PREFIX}-service-{name}", WaiterConfig=SOON
        )
    site.typed("on")
    assert site.rules.cookie == ""
    site.service("web", service("Web"))
    assert site.typed("followed")["changed"]
    assert cookie(site) in site.said[0], "shown this once"
    assert site.answered(Cookie=cookie(site)) == site.group("web")
    assert not site.typed("followed")["changed"]


def test_since_when_stays_while_the_page_changes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.typed("on")
    since = site.rules.since
    monkeypatch.setattr(datetime, "datetime", Later)
    site.typed("on", page="<p>other")
    assert site.rules.since == since
    site.typed("off")
    site.typed("on")
    assert site.rules.since > since


class Later(datetime.datetime):
    """An hour from now."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Later:
        return super().now(tz) + datetime.timedelta(hours=1)


# What a verb switches on as long as it runs


def test_a_verb_shows_the_page_as_long_as_it_runs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_RUN", "5f0c")
    assert site.typed("on", by="release", check=True)["changed"]
    assert not site.rules.ours
    assert site.typed("on", by="release")["changed"]
    assert site.said == ["is on as long as release runs: everybody else is answered 503"], "and no cookie in its log"
    assert (site.rules.verb, site.rules.run) == ("release", "5f0c")
    assert "Back soon" in site.answered()
    assert site.answered(Cookie=cookie(site)) == site.group("web"), "by which the release is proven"
    shown = site.typed("status")
    assert site.said[0].endswith(", as long as release runs")
    assert (shown["on"], shown["by"], shown["there"]) == (True, "release", True)
    assert site.typed("settled", check=True)["changed"]
    assert site.rules.on
    result = site.typed("settled")
    assert (result["changed"], result["on"], site.rules.ours) == (True, False, {})


def test_the_page_of_a_person_outlasts_a_verb(site: Site) -> None:
    site.typed("on", for_time="2h")
    until = site.rules.until
    assert not site.typed("on", by="release", page="<p>other")["changed"]
    assert site.said == ["is on already, and stays on when this is through"]
    result = site.typed("settled")
    assert (result["changed"], result["on"], site.said) == (False, True, [])
    assert (site.rules.verb, site.rules.until) == ("", until)
    shown = site.typed("status")
    assert (shown["on"], shown["by"]) == (True, ""), "a restore into a preview may rely on it"
    assert site.typed("off")["changed"]


def test_the_page_that_a_killed_run_has_left_goes_with_the_next_or_becomes_a_persons(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTH_RUN", "killed")
    site.typed("on", by="release")
    since = site.rules.since
    monkeypatch.setenv("BERTH_RUN", "next")
    site.typed("on", by="site")
    assert (site.rules.verb, site.rules.run, site.rules.since) == ("site", "next", since)
    site.typed("on")
    assert (site.rules.verb, site.rules.since) == ("", since)
    assert cookie(site) in site.said[1], "nobody was told it before"
    assert not site.typed("settled")["changed"]
    site.typed("off")
    site.typed("on", by="release")
    site.aws.client("elbv2").delete_rule(RuleArn=site.rules.ours[maintenance.PAGE].arn)
    assert site.typed("settled")["changed"], "also what is left of it"
    assert not site.rules.ours


@pytest.mark.parametrize(
    ("desired", "state", "stays"),
    [(1, "healthy", False), (1, "unhealthy", True), (1, "", True), (0, "", False)],
    ids=["one answers", "none is healthy", "none is there", "none is to be there"],
)
def test_the_page_stays_if_nothing_answers_behind_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, desired: int, state: str, stays: bool
) -> None:
    site.typed("on", by="release")
    told = {
        "serviceName": "shop-web", "desiredCount": desired,
        "loadBalancers": [{"targetGroupArn": site.group("web")}],
    }  # fmt: skip
    aside = {"serviceName": "shop-worker", "desiredCount": 1, "loadBalancers": []}
    health = [{"Target": {"Id": "i-1"}, "TargetHealth": {"State": state}}] if state else []
    monkeypatch.setattr(maintenance_switch, "listed", lambda *_, **__: ["web", "worker"])

    def client(name: str) -> Any:
        found = site.aws.client(name)
        if name == "ecs":
            monkeypatch.setattr(found, "describe_services", lambda **_: {"services": [told, aside]}, raising=False)
        if name == "elbv2":
            answer = {"TargetHealthDescriptions": health}
            monkeypatch.setattr(found, "describe_target_health", lambda **_: answer, raising=False)
        return found

    said: list[str] = []
    switch = maintenance_switch.Switch(client, lambda _name, text, _color=None: said.append(text), PREFIX, {})
    assert switch.settle(sure=False) is not stays
    assert site.rules.on is stays
    if stays:
        assert said[0].startswith("stays on, as nothing answers behind it: no target of shop-web is healthy. Once")
        assert said[0].endswith(" -e maintenance=off")
        assert site.typed("settled")["changed"], "whoever is sure takes it away"


def test_without_maintenance_a_deployment_has_nothing_to_follow(site: Site) -> None:
    assert not site.typed("released")["changed"]
    assert not site.typed("followed")["changed"]
    assert maintenance.rules_of(lambda name: site.aws.client(name), PREFIX).cookie == ""


def test_the_page_that_is_given_out_fits_with_the_longest_time() -> None:
    page = Path(PAGE).read_text()
    assert page.count("{until}") == 1
    maintenance.page_text(page, "It is to be back by 23:59 UTC on 30 September 2026.")

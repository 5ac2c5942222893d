"""The certificate layer where the domain's DNS is elsewhere: who runs the playbook is told which record to make."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import cloudformation_stacks
from tests.unit.noun_support import RolesOf
from tests.unit.plugin_support import run_action, talk_to
from tests.unit.render_support import PROJECT

DOMAIN = "www.example.org"
STACK = "legacy-unit-certificate"
RECORD = re.compile(r"(?P<name>_[0-9a-f]{32}\.www\.\S+\.)  CNAME  (?P<value>_\S+\.acm-validations\.aws\.)$")


class Screen:
    """What a person reads, and does about it.

    Attributes:
        lines: all that was shown, with its colour.
        act: called with the name and the value of each record that is asked for.
    """

    verbosity = 0

    def __init__(self) -> None:
        self.lines: list[tuple[str, str | None]] = []
        self.act: Callable[[str, str], None] = lambda _name, _value: None

    def display(self, text: str, color: str | None = None) -> None:
        self.lines.append((text, color))
        if match := RECORD.search(text):
            self.act(match["name"], match["value"])

    @property
    def asked(self) -> list[str]:
        """The names of the records, as often as they were asked for."""
        return [match["name"] for text, _ in self.lines if (match := RECORD.search(text))]


@pytest.fixture
def screen(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Screen:
    talk_to(aws, monkeypatch)
    screen = Screen()
    monkeypatch.setattr("plugins.plugin_utils.live_table.Display", lambda: screen)
    monkeypatch.setattr("plugins.plugin_utils.live_table.SCREEN", None)
    return screen


def layer_of(timeout: float, **inventory: Any) -> dict[str, Any]:
    """The layer as the role makes it."""
    ((_, layer),) = RolesOf(inventory).layers("certificate", PROJECT / "cloudformation")
    return {**layer, "timeout": timeout}


def deploy(timeout: float = 10, inventory: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The layer, and perhaps others of its template."""
    layer = layer_of(timeout, **{"domain_name": DOMAIN, **(inventory or {})})
    stacks = {"certificate": layer} | {name: {**layer, **options} for name, options in more.items()}
    return run_action(cloudformation_stacks, {"prefix": "legacy-unit", "stacks": stacks})


def writes(aws: Cloud, zone: str = "example.org") -> Callable[[str, str], None]:
    """A person who makes the record in a hosted zone of their own."""

    def write(name: str, value: str) -> None:
        route53 = aws.client("route53")
        made = route53.create_hosted_zone(Name=zone, CallerReference=str(time.monotonic_ns()))["HostedZone"]["Id"]
        record = {"Name": name, "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": value}]}
        changes = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        route53.change_resource_record_sets(HostedZoneId=made, ChangeBatch=changes)

    return write


def status(aws: Cloud) -> str:
    found = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return str(found[0]["StackStatus"])


def test_the_record_is_asked_for_once_and_the_run_goes_on_when_it_is_there(aws: Cloud, screen: Screen) -> None:
    screen.act = writes(aws)

    result = deploy()

    assert not result.get("failed"), result
    assert len(screen.asked) == 1
    place = next(position for position, (text, _) in enumerate(screen.lines) if RECORD.search(text))
    request, color = screen.lines[place - 1]
    assert "CREATE THIS DNS RECORD; the certificate waits for it" in request
    assert color == screen.lines[place][1] == "bright yellow"
    assert status(aws) == "CREATE_COMPLETE"
    arn = result["outputs"]["CertificateArn"]
    assert aws.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"
    assert [(record["name"], record["type"]) for record in result["records"]] == [(screen.asked[0], "CNAME")]


def test_any_zone_of_the_account_will_do(aws: Cloud, screen: Screen) -> None:
    screen.act = writes(aws, DOMAIN)

    assert not deploy().get("failed")


def test_certificates_of_two_regions_ask_for_their_record_once(aws: Cloud, screen: Screen) -> None:
    screen.act = writes(aws)
    elsewhere = {
        "template": "certificate.yml",
        "region": "eu-west-1",
        "outputs": {"CertificateArn": "EuCertificateArn"},
    }

    result = deploy(certificate_eu=elsewhere)

    assert not result.get("failed"), result
    assert len(screen.asked) == 1
    assert len(result["records"]) == 1


def test_at_the_deadline_the_missing_record_is_named_and_the_same_command_waits_again(
    aws: Cloud, screen: Screen
) -> None:
    result = deploy(timeout=3)

    assert result["failed"]
    (record,) = result["records"]
    assert re.fullmatch(
        r"certificate: is still CREATE_IN_PROGRESS after 3 s, waiting for Certificate "
        r"\(AWS::CertificateManager::Certificate\)\. "
        rf"The DNS record {re.escape(record['name'])} CNAME {re.escape(record['value'])} is missing\. "
        r"It goes on by itself; to wait for it again, type the same command\.",
        result["msg"],
    ), result["msg"]
    assert status(aws) == "CREATE_IN_PROGRESS"

    again = deploy(timeout=3)

    assert f"The DNS record {record['name']} CNAME {record['value']} is missing." in again["msg"]
    assert screen.asked == [record["name"]] * 2, "whoever comes back is told again"

    screen.act = writes(aws)
    assert not deploy().get("failed")
    assert status(aws) == "CREATE_COMPLETE"


@pytest.mark.usefixtures("screen")
def test_the_other_layers_do_not_wait_for_a_certificate_that_waits_already(aws: Cloud) -> None:
    assert "is still CREATE_IN_PROGRESS" in deploy(timeout=3)["msg"]
    group = "Resources: {Log: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: beside}}}"
    beside = run_action(
        cloudformation_stacks,
        {
            "prefix": "legacy-unit",
            "stacks": {
                "certificate": layer_of(3, domain_name=DOMAIN),
                "beside": {"template_body": group},
            },
        },
    )
    assert beside["stacks"]["beside"]["ok"]
    assert not beside["stacks"]["certificate"]["ok"]
    assert [each["logGroupName"] for each in aws.client("logs").describe_log_groups()["logGroups"]] == ["beside"]


def test_with_a_hosted_zone_nothing_is_asked(screen: Screen) -> None:
    result = deploy(inventory={"domain_name": "www.berth.localhost", "hosted_zone_id": "Z0BERTHLOCALZONE"})

    assert not result.get("failed"), result
    assert screen.asked == []
    assert not [text for text, _ in screen.lines if "CREATE THIS" in text]


# Several names

ZONED: dict[str, Any] = {"domain_name": "www.berth.localhost", "hosted_zone_id": "Z0BERTHLOCALZONE"}


def certificate(aws: Cloud, result: dict[str, Any]) -> dict[str, Any]:
    assert not result.get("failed"), result
    arn = result["outputs"]["CertificateArn"]
    found: dict[str, Any] = aws.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    return found


def test_all_names_of_a_zone_are_in_one_certificate_that_validates_itself(aws: Cloud, screen: Screen) -> None:
    """A wildcard, before or behind the name below which it is, has that one's record, which Route 53 takes once."""
    names = ["*.shop.berth.localhost", "shop.berth.localhost", "*.www.berth.localhost"]
    found = certificate(aws, deploy(inventory=ZONED | {"domain_aliases": names}))
    assert found["Status"] == "ISSUED"
    assert set(found["SubjectAlternativeNames"]) == {"www.berth.localhost", *names}
    records = aws.client("route53").list_resource_record_sets(HostedZoneId="Z0BERTHLOCALZONE")["ResourceRecordSets"]
    cnames = [record["Name"].partition(".")[2] for record in records if record["Type"] == "CNAME"]
    assert sorted(cnames) == ["shop.berth.localhost.", "www.berth.localhost."]
    assert screen.asked == []


def test_a_wildcard_alone_is_validated_too(aws: Cloud, screen: Screen) -> None:
    assert certificate(aws, deploy(inventory=ZONED | {"domain_aliases": ["*.shop.berth.localhost"]}))
    assert screen.asked == []


def test_only_what_has_no_zone_is_asked_for_and_the_others_are_not(aws: Cloud, screen: Screen) -> None:
    screen.act = writes(aws, "www.elsewhere.test")
    elsewhere = [{"name": name, "hosted_zone_id": ""} for name in ("www.elsewhere.test", "*.www.elsewhere.test")]
    found = certificate(aws, deploy(inventory=ZONED | {"domain_aliases": ["berth.localhost", *elsewhere]}))
    assert len(found["SubjectAlternativeNames"]) == 4
    (asked,) = screen.asked
    assert asked.endswith(".www.elsewhere.test.")


def test_a_name_may_have_a_zone_of_its_own(aws: Cloud, screen: Screen) -> None:
    zone = aws.client("route53").create_hosted_zone(Name="shop.test", CallerReference="1")["HostedZone"]["Id"]
    other = {"name": "shop.test", "hosted_zone_id": zone.rpartition("/")[2]}
    assert certificate(aws, deploy(inventory=ZONED | {"domain_aliases": [other]}))["Status"] == "ISSUED"
    records = aws.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [record["Name"].partition(".")[2] for record in records if record["Type"] == "CNAME"] == ["shop.test."]
    assert screen.asked == []


@pytest.mark.usefixtures("screen")
def test_another_order_of_the_names_is_no_other_certificate() -> None:
    names = ["b.berth.localhost", "a.berth.localhost"]
    assert deploy(inventory=ZONED | {"domain_aliases": names})["changed"]
    assert not deploy(inventory=ZONED | {"domain_aliases": names[::-1]})["changed"]

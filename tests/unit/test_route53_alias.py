"""Taking a name over: one batch, no gap, nothing of anybody else's; and what the role dns decides before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from local_aws.cloud import Cloud
from local_aws.patches.route53 import ZONE_ID
from plugins.action import route53_alias
from tests.unit.plugin_support import run_action
from tests.unit.stack_support import refused
from tests.unit.test_account_facts import ALB, NAME, record, records

PROJECT = Path(__file__).resolve().parents[2]
TARGET_ZONE = "Z35SXDOTRQ7X7K"


def take(aws: Cloud, check: bool = False, **arguments: Any) -> dict[str, Any]:
    """Run the action."""
    given = {"zone": ZONE_ID, "name": NAME, "target": ALB, "target_zone": TARGET_ZONE} | arguments
    return run_action(route53_alias, given, check, client=aws.client)


def there(aws: Cloud) -> list[str]:
    """The records of the name, as a person reads them."""
    return sorted(each["text"] for each in records(aws)["own"])


ALIASES = [f"{NAME} {kind} alias of {ALB}" for kind in ("A", "AAAA")]


@pytest.mark.parametrize(
    "before",
    [
        [("A", "192.0.2.7")],
        [("CNAME", "old.example.net")],
        [("CNAME", ALB)],
        [("A", "192.0.2.7"), ("AAAA", "2001:db8::7")],
        [("A", "other-1.us-east-1.elb.amazonaws.com")],
    ],
)
def test_a_name_is_taken_over_from_whatever_it_was_and_can_be_given_back(
    aws: Cloud, before: list[tuple[str, str]]
) -> None:
    for kind, value in before:
        record(aws, NAME, kind, value)
    if before[0][0] != "CNAME":
        record(aws, NAME, "MX", "10 mail.example.net")
    was = there(aws)

    result = take(aws)

    assert result["changed"]
    assert sorted(result["replaced"]) == was
    assert there(aws) == ALIASES
    assert take(aws) == {"changed": False, "replaced": []}, "the second time there is nothing to do"
    aws.client("route53").change_resource_record_sets(HostedZoneId=ZONE_ID, ChangeBatch=json.loads(result["undo"]))
    assert there(aws) == was


def test_the_way_back_is_said_in_one_line(aws: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    record(aws, NAME, "CNAME", "old.example.net")
    undo = take(aws)["undo"]
    command = f"aws route53 change-resource-record-sets --hosted-zone-id {ZONE_ID} --change-batch '{undo}'"
    assert any(line.endswith(command) for line in capsys.readouterr().out.splitlines())


def test_records_by_weight_give_way_too(aws: Cloud) -> None:
    for number in (1, 2):
        record(aws, NAME, "A", f"192.0.2.{number}", SetIdentifier=f"server {number}", Weight=1)
    assert len(take(aws)["replaced"]) == 2
    assert there(aws) == ALIASES


def test_a_check_run_changes_nothing(aws: Cloud) -> None:
    record(aws, NAME, "A", "192.0.2.7")
    assert take(aws, check=True)["changed"]
    assert there(aws) == [f"{NAME} A 192.0.2.7, for 300 s"]


def test_a_name_that_nobody_has_is_made(aws: Cloud) -> None:
    assert take(aws)["replaced"] == []
    assert there(aws) == ALIASES


def test_only_what_points_at_the_load_balancer_is_let_go(aws: Cloud) -> None:
    record(aws, NAME, "A", ALB)
    record(aws, NAME, "AAAA", "2001:db8::7")
    record(aws, f"below.{NAME}", "A", ALB)

    assert take(aws, state="absent")["replaced"] == [f"{NAME} A alias of {ALB}"]

    assert there(aws) == [f"{NAME} AAAA 2001:db8::7, for 300 s"]
    assert take(aws, state="absent")["changed"] is False
    assert records(aws, name=f"below.{NAME}")["own"], "other names are not looked at"


@pytest.mark.parametrize(("value", "goes"), [(ALB, True), (f"{ALB.lower()}.", True), (f"other-{ALB}", False)])
def test_a_cname_to_the_load_balancer_is_let_go(aws: Cloud, value: str, goes: bool) -> None:
    record(aws, NAME, "CNAME", value)
    assert take(aws, state="absent")["changed"] is goes
    assert (there(aws) == []) is goes


def test_a_zone_that_is_gone_has_nothing_to_let_go(aws: Cloud) -> None:
    assert take(aws, zone="ZGONE", state="absent") == {"changed": False, "replaced": []}
    assert "There is no hosted zone ZGONE" in take(aws, zone="ZGONE")["msg"]
    assert "target_zone is needed" in take(aws, target_zone=None)["msg"]


# Route 53 itself, as the embedded AWS plays it


def test_a_record_that_exists_is_not_created_again(aws: Cloud) -> None:
    record(aws, NAME, "A", "192.0.2.7")
    with refused(
        f"Tried to create resource record set [name='{NAME}.', type='A'] but it already exists", "InvalidChangeBatch"
    ):
        record(aws, NAME.upper(), "A", "192.0.2.8")
    assert there(aws) == [f"{NAME} A 192.0.2.7, for 300 s"]


def test_a_cname_stands_alone(aws: Cloud) -> None:
    record(aws, NAME, "CNAME", "old.example.net")
    with refused("RRSet of type A with DNS name www.berth.localhost. is not permitted", "InvalidChangeBatch"):
        record(aws, NAME, "A", "192.0.2.8")


def test_a_batch_is_done_whole_or_not_at_all(aws: Cloud) -> None:
    route53 = aws.client("route53")
    values = {"TTL": 300, "ResourceRecords": [{"Value": "192.0.2.7"}]}
    changes = [
        {"Action": "CREATE", "ResourceRecordSet": {"Name": NAME, "Type": "A", **values}},
        {"Action": "DELETE", "ResourceRecordSet": {"Name": f"other.{NAME}", "Type": "A", **values}},
    ]
    with refused("it was not found", "InvalidChangeBatch"):
        route53.change_resource_record_sets(HostedZoneId=ZONE_ID, ChangeBatch={"Changes": changes})
    assert there(aws) == []


def test_only_the_exact_record_is_deleted(aws: Cloud) -> None:
    record(aws, NAME, "A", "192.0.2.7")
    other = {"Name": NAME, "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": "192.0.2.8"}]}
    with refused("the values provided do not match the current values", "InvalidChangeBatch"):
        aws.client("route53").change_resource_record_sets(
            HostedZoneId=ZONE_ID, ChangeBatch={"Changes": [{"Action": "DELETE", "ResourceRecordSet": other}]}
        )


# What the role dns decides

OWN = {"own": [{"ours": True}], "elsewhere": []}
USED = {"own": [{"ours": False}], "elsewhere": ["www.shop.test A 192.0.2.7"]}
WILDCARD = {"own": [], "elsewhere": ["*.shop.test A 192.0.2.7"]}
FREE: dict[str, Any] = {"own": [], "elsewhere": []}


def stack(status: str, domain: str = "www.shop.test") -> dict[str, Any]:
    return {"legacy-prod-dns": {"status": status, "parameters": {"DomainName": domain}, "outputs": {}}}


UP = stack("CREATE_COMPLETE")
BALANCER = "new-alb"


@pytest.mark.parametrize(
    ("records", "stacks", "switch", "decided"),
    [
        (FREE, {}, False, "layer"),
        (FREE, UP, False, "layer"),
        (FREE, {}, True, "layer"),
        (OWN, UP, False, "layer"),
        (OWN, UP, True, "layer"),
        (OWN, stack("CREATE_IN_PROGRESS"), False, "layer"),
        # Taken over before: no stack has it, and none may try to make it.
        (OWN, {}, False, "nothing"),
        (OWN, {}, True, "nothing"),
        (OWN, stack("ROLLBACK_COMPLETE"), False, "nothing"),
        (OWN, stack("UPDATE_COMPLETE", "old.shop.test"), False, "nothing"),
        (USED, {}, False, "left"),
        (USED, UP, False, "left"),
        (USED, {}, True, "taken"),
        (USED, UP, True, "taken"),
        (WILDCARD, {}, False, "left"),
        (WILDCARD, {}, True, "taken"),
    ],
)
def test_who_makes_the_record(records: dict[str, Any], stacks: dict[str, Any], switch: bool, decided: str) -> None:
    asked = {"records": records, "stacks": stacks | cluster(BALANCER)}
    assert decision(asked, switch) == {decided} - {"nothing"}
    assert decision(asked, switch, zone="") == set()


def test_records_that_could_not_be_asked_are_made_if_there_are_none() -> None:
    assert decision({"stacks": {}}, False) == {"layer"}
    assert decision(None, False) == {"layer"}


def cluster(balancer: str) -> dict[str, Any]:
    return {"legacy-prod-cluster": {"status": "UPDATE_COMPLETE", "parameters": {}, "outputs": {"AlbDnsName": balancer}}}


@pytest.mark.parametrize(
    ("records", "stacks", "decided"),
    [
        (OWN, {}, {"follows"}),
        (OWN, stack("UPDATE_COMPLETE", "old.shop.test"), {"follows"}),
        (OWN, UP, {"layer"}),
        (FREE, {}, {"layer"}),
        (USED, {}, {"left"}),
        (WILDCARD, {}, {"left"}),
    ],
)
def test_a_name_that_was_taken_over_follows_the_load_balancer(
    records: dict[str, Any], stacks: dict[str, Any], decided: set[str]
) -> None:
    asked = {"records": records, "stacks": stacks | cluster("old-alb")}
    assert decision(asked, False) == decided
    assert decision(asked, False, zone="") == set()
    same = {"records": records, "stacks": stacks | cluster(BALANCER)}
    assert decision(same, False) == decided - {"follows"}


def test_the_task_runs_where_a_name_follows() -> None:
    tasks = yaml.safe_load((PROJECT / "roles/dns/tasks/domain.yml").read_text())
    (taken,) = (task["when"] for task in tasks if "route53_alias" in task)
    for takes_over, follows in ((True, False), (False, True), (False, False)):
        templar = Templar(DataLoader(), {"dns_takes_over": takes_over, "dns_follows": follows})
        assert templar.evaluate_conditional(trust_as_template(taken)) is (takes_over or follows)


def decision(asked: dict[str, Any] | None, switch: bool, zone: str = "Z0SHOP") -> set[str]:
    """What is to be done about the name."""
    role = yaml.safe_load((PROJECT / "roles/dns/vars/main.yml").read_text())
    role = {name: trust_as_template(value) for name, value in role.items() if isinstance(value, str)}
    given: dict[str, Any] = {
        "dns_switch": switch,
        "hosted_zone_id": zone,
        "domain_name": "www.shop.test",
        "site_prefix": "legacy-prod",
    }
    given["site"] = {"outputs": {"AlbDnsName": BALANCER}}
    handed = yaml.safe_load((PROJECT / "playbooks/vars/layers.yml").read_text())
    given |= {name: trust_as_template(text) for name, text in handed.items() if name.startswith("dns_")}
    templar = Templar(DataLoader(), {**role, **given, "preflight_asked": asked or {"stacks": {}}})
    words = {"layer": "dns_layer_is_due", "taken": "dns_takes_over", "left": "dns_is_left", "follows": "dns_follows"}
    return {word for word, name in words.items() if templar.evaluate_conditional(trust_as_template(f"{name} | bool"))}

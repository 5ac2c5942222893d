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
from local_aws.tests.stack_support import refused
from plugins.action import route53_alias
from tests.unit.noun_support import plugins_known
from tests.unit.plugin_support import run_action
from tests.unit.plugins.plugin_utils.account.test_account_facts import ALB, NAME, record, records

PROJECT = Path(__file__).resolve().parents[4]
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

MAIN, OTHER, FOREIGN = "www.shop.test", "shop.test", "shop.example"
OWN = {"own": [{"ours": True}], "elsewhere": []}
USED = {"own": [{"ours": False}], "elsewhere": ["www.shop.test A 192.0.2.7"]}
WILDCARD = {"own": [], "elsewhere": ["*.shop.test A 192.0.2.7"]}
FREE: dict[str, Any] = {"own": [], "elsewhere": []}
BALANCER = "new-alb"


def stack(status: str, *names: str) -> dict[str, Any]:
    parameters = {"DomainNames": ",".join(names or [MAIN])}
    return {"legacy-prod-dns": {"status": status, "parameters": parameters, "outputs": {}}}


def cluster(balancer: str) -> dict[str, Any]:
    return {"legacy-prod-cluster": {"status": "UPDATE_COMPLETE", "parameters": {}, "outputs": {"AlbDnsName": balancer}}}


UP = stack("CREATE_COMPLETE")


@pytest.mark.parametrize(
    ("records", "stacks", "switch", "decided"),
    [
        (FREE, {}, False, "made"),
        (FREE, UP, False, "made"),
        (FREE, {}, True, "made"),
        (OWN, UP, False, "made"),
        (OWN, UP, True, "made"),
        (OWN, stack("CREATE_IN_PROGRESS"), False, "made"),
        # Taken over before: no stack has it, and none may try to make it.
        (OWN, {}, False, "nothing"),
        (OWN, {}, True, "nothing"),
        (OWN, stack("ROLLBACK_COMPLETE"), False, "nothing"),
        (USED, {}, False, "left"),
        (USED, UP, False, "left"),
        (USED, {}, True, "taken"),
        (USED, UP, True, "taken"),
        (WILDCARD, {}, False, "left"),
        (WILDCARD, {}, True, "taken"),
    ],
)
def test_who_makes_the_record(records: dict[str, Any], stacks: dict[str, Any], switch: bool, decided: str) -> None:
    asked = {"records": {MAIN: records}, "stacks": stacks | cluster(BALANCER)}
    words = {"made": ["made", "layer"], "nothing": []}.get(decided, [decided])
    assert decision(asked, switch) == {word: [MAIN] for word in words}
    assert decision(asked, switch, zone="") == {"by hand": [MAIN]}


def test_records_that_could_not_be_asked_are_made_if_there_are_none() -> None:
    assert decision({"stacks": {}}, False) == {"made": [MAIN], "layer": [MAIN]}
    assert decision(None, False) == {"made": [MAIN], "layer": [MAIN]}


@pytest.mark.parametrize(
    ("records", "stacks", "follows"),
    [(OWN, {}, True), (OWN, UP, False), (FREE, {}, False), (USED, {}, False), (WILDCARD, {}, False)],
)
def test_a_name_that_was_taken_over_follows_the_load_balancer(
    records: dict[str, Any], stacks: dict[str, Any], follows: bool
) -> None:
    asked = {"records": {MAIN: records}, "stacks": stacks | cluster("old-alb")}
    assert ("follows" in decision(asked, False)) is follows
    assert "follows" not in decision(asked, False, zone="")
    same = {"records": {MAIN: records}, "stacks": stacks | cluster(BALANCER)}
    assert "follows" not in decision(same, False)


ALIASES_GIVEN = [OTHER, {"name": FOREIGN, "hosted_zone_id": ""}]


def several(
    main: dict[str, Any], other: dict[str, Any], stacks: dict[str, Any], switch: bool = False
) -> dict[str, Any]:
    asked = {"records": {MAIN: main, OTHER: other}, "stacks": stacks | cluster(BALANCER)}
    return decision(asked, switch, domain_aliases=ALIASES_GIVEN)


def test_each_name_is_decided_by_itself() -> None:
    assert several(FREE, FREE, {}) == {"made": [OTHER, MAIN], "layer": [OTHER, MAIN], "by hand": [FOREIGN]}
    assert several(OWN, USED, {}) == {"left": [OTHER], "by hand": [FOREIGN]}
    assert several(FREE, USED, {}) == {"made": [MAIN], "layer": [MAIN], "left": [OTHER], "by hand": [FOREIGN]}
    assert several(USED, FREE, {}, switch=True) == {
        "made": [OTHER], "layer": [OTHER], "taken": [MAIN], "by hand": [FOREIGN],
    }  # fmt: skip


def test_a_record_of_the_stack_that_leads_elsewhere_holds_the_others() -> None:
    """An update with another load balancer would bring it back, and one without the name would delete it."""
    both = stack("CREATE_COMPLETE", MAIN, OTHER)
    assert several(OWN, USED, both) == {"made": [MAIN], "left": [OTHER], "by hand": [FOREIGN]}
    assert several(OWN, OWN, both) == {"made": [OTHER, MAIN], "layer": [OTHER, MAIN], "by hand": [FOREIGN]}
    assert "layer" not in several(OWN, FREE, stack("CREATE_COMPLETE", MAIN, FOREIGN)), "it has a zone no more"


def test_a_name_that_the_inventory_has_no_longer_goes_even_if_it_was_the_stacks_only_one() -> None:
    gone = {"records": {MAIN: OWN}, "stacks": stack("UPDATE_COMPLETE", "old.shop.test") | cluster(BALANCER)}
    assert decision(gone, False) == {"layer": []}
    assert decision({**gone, "stacks": cluster(BALANCER)}, False) == {}


def told(asked: dict[str, Any], taken: list[dict[str, Any]], **given: Any) -> list[str]:
    known = known_of(asked, site_url_port=443, dns_taken={"results": taken}, **given)
    (task,) = (task for task in yaml.safe_load(TASKS.read_text()) if "ansible.builtin.debug" in task)
    lines = Templar(DataLoader(), known).template(trust_as_template(task["ansible.builtin.debug"]["msg"]))
    return [str(line) for line in lines]


TASKS = PROJECT / "roles/dns/tasks/domain.yml"


def test_what_is_to_be_done_is_said_of_each_name() -> None:
    asked = {"records": {MAIN: USED, OTHER: FREE}, "stacks": cluster(BALANCER)}
    lines = told(asked, [], dns_take_over=False, domain_aliases=ALIASES_GIVEN)
    assert lines[0] == "https://www.shop.test/"
    assert lines[1] == "www.shop.test still points elsewhere: www.shop.test A 192.0.2.7."
    assert lines[2].endswith("give the hosts file of your machine an address of that for www.shop.test.")
    assert "dns_switch.yml" in lines[3]
    assert lines[3].endswith(" -e confirm=prod")
    assert lines[4:] == ["Make this DNS record: shop.example CNAME new-alb (or an alias)"]


def test_what_was_taken_over_is_said_with_what_it_was() -> None:
    asked = {"records": {MAIN: USED, OTHER: OWN}, "stacks": cluster("old-alb")}
    results = [
        {"item": MAIN, "undo": "{}", "replaced": ["x"]},
        {"item": OTHER, "undo": "{}", "replaced": ["shop.test A alias of old-alb"]},
        {"item": FOREIGN, "replaced": []},
    ]
    assert told(asked, results, dns_take_over=True)[1:] == [
        "www.shop.test points at this site now, in place of: www.shop.test A 192.0.2.7.",
        "shop.test points at this site now, in place of: shop.test A alias of old-alb.",
    ]


def test_the_task_takes_over_what_is_in_use_and_leads_on_what_follows() -> None:
    asked = {"records": {MAIN: USED, OTHER: OWN}, "stacks": cluster("old-alb")}
    (task,) = (task for task in yaml.safe_load(TASKS.read_text()) if "route53_alias" in task)
    for switch, names in ((True, [MAIN, OTHER]), (False, [OTHER])):
        known = known_of(asked, dns_take_over=switch, domain_aliases=[OTHER])
        loop = Templar(DataLoader(), known).template(trust_as_template(task["loop"]))
        assert loop == names
        zone = Templar(DataLoader(), {**known, "item": OTHER}).template(
            trust_as_template(task["route53_alias"]["zone"])
        )
        assert zone == "Z0SHOP"


EDGE = "d1.cloudfront.net"


@pytest.mark.parametrize(
    ("led", "closed", "wanted", "settled", "to"),
    [
        (BALANCER, False, False, False, ""),
        (BALANCER, False, True, False, ""),  # not seen to work yet
        (BALANCER, False, True, True, EDGE),
        (EDGE, False, True, False, EDGE),  # interrupted before the load balancer was closed
        (EDGE, True, True, False, EDGE),
        (EDGE, True, True, True, EDGE),
        ("", True, True, False, EDGE),  # all names were taken over, so no stack has any
        (EDGE, True, False, False, EDGE),  # the load balancer not seen to work yet
        (EDGE, False, False, False, EDGE),
        (EDGE, False, False, True, ""),
    ],
)
def test_names_stay_where_they_lead_until_the_site_was_seen_to_work_the_other_way(
    led: str, closed: bool, wanted: bool, settled: bool, to: str
) -> None:
    edge = {"status": "CREATE_COMPLETE", "parameters": {}, "outputs": {"EdgeDomainName": EDGE}}
    dns = {"status": "CREATE_COMPLETE", "parameters": {"DomainNames": MAIN, "AlbDnsName": led}, "outputs": {}}
    network = {"status": "", "parameters": {"CdnPrefixListId": "pl-1" if closed else ""}, "outputs": {}}
    stacks = {"legacy-prod-edge": edge, "legacy-prod-dns": dns, "legacy-prod-network": network}
    asked = {"stacks": cluster(BALANCER) | stacks, "records": {MAIN: OWN}}
    known = known_of(asked, dns_take_over=False, layers_edge_wanted=wanted, layers_edge_settled=settled)
    known["site"]["outputs"]["AlbHostedZoneId"] = "Z0ALB"
    templar = Templar(DataLoader(), known)
    layer = templar.template(trust_as_template("{{ dns_layer }}"))
    given = {"AlbDnsName": EDGE, "AlbHostedZoneId": "Z2FDTNDATAQYW2"} if to else {}
    assert layer["parameters"] == {"DomainNames": MAIN} | given
    assert templar.template(trust_as_template("{{ dns_target }}")) == (to or BALANCER)


def known_of(asked: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """What the role knows."""
    plugins_known()
    role = yaml.safe_load((PROJECT / "roles/dns/vars/main.yml").read_text())
    handed = yaml.safe_load((PROJECT / "playbooks/vars/layers.yml").read_text())
    given: dict[str, Any] = {
        "hosted_zone_id": "Z0SHOP",
        "domain_name": MAIN,
        "environment_name": "prod",
        "site_prefix": "legacy-prod",
        "site": {"outputs": {"AlbDnsName": BALANCER}},
        "preflight_asked": asked or {"stacks": {}},
        "layers_edge_wanted": False,
    }
    texts = {name: text for name, text in {**role, **handed}.items() if name.startswith(("dns_", "layers_edge_"))}
    return {**trusted(texts), **given, **more}


def trusted(value: Any) -> Any:
    """The value, its strings marked as templates of the project's own files."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    return trust_as_template(value) if isinstance(value, str) else value


def decision(asked: dict[str, Any] | None, switch: bool, zone: str = "Z0SHOP", **more: Any) -> dict[str, Any]:
    """What is to be done about which names; `layer` are those of the stack that is deployed, if it is."""
    templar = Templar(DataLoader(), known_of(asked, dns_take_over=switch, hosted_zone_id=zone, **more))
    words = {
        "made": "dns_made",
        "taken": "dns_taken_over",
        "left": "dns_left",
        "follows": "dns_following",
        "by hand": "dns_by_hand",
    }
    found = {word: templar.template(trust_as_template(f"{{{{ {name} }}}}")) for word, name in words.items()}
    layer = templar.template(trust_as_template("{{ dns_layer }}"))
    names = [each for each in layer["parameters"]["DomainNames"].split(",") if each]
    return {word: each for word, each in found.items() if each} | ({"layer": names} if layer["when"] else {})

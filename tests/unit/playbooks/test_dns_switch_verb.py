"""The verb dns_switch, on the embedded AWS: what is shown, taken over, and led back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from local_aws.patches.route53 import ZONE_ID
from plugins.action import route53_alias
from tests.unit.ledger_support import a_ledger
from tests.unit.playbooks.test_locked_verbs import Site
from tests.unit.plugin_support import environment, playbook, run_action
from tests.unit.plugins.plugin_utils.account.test_account_facts import ALB, record, records
from tests.unit.variables_support import PROJECT, evaluate, holds, tasks_of, variables

MAIN, OTHER = "www.berth.localhost", "api.berth.localhost"
OVER, BACK = (tasks_of(f"playbooks/tasks/dns_{way}.yml") for way in ("over", "back"))
ZONE = "Z35SXDOTRQ7X7K"


def known(**given: Any) -> dict[str, Any]:
    files = ("roles/dns/vars/main.yml", "playbooks/vars/layers.yml", "playbooks/vars/dns_switch.yml")
    site = {"site_services": {"web": {"containers": {"web": {"image": "shop/web", "mem_limit": "64m"}}}}}
    found = variables(*files, **site) | {"site_prefix": "shop-prod", "site": {"outputs": {}}}
    return found | {"dns_target": ALB, "dns_target_zone": ZONE, "dns_making": []} | given


def seen(*results: dict[str, Any]) -> dict[str, Any]:
    return {"results": list(results)}


TAKEN = {"item": MAIN, "changed": True, "undo": '{"Changes": []}', "replaced": [f"{MAIN} A 192.0.2.7, for 60 s"]}
SAME = {"item": OTHER, "changed": False, "replaced": []}
ELSEWHERE = {MAIN: TAKEN["replaced"], OTHER: []}


def test_both_are_shown_and_nothing_is_done_before_it_is_said() -> None:
    check = OVER["Refuse to switch before that is said"]["ansible.builtin.assert"]
    there = known(dns_switch_seen=seen(TAKEN, SAME), dns_elsewhere=ELSEWHERE, ansible_check_mode=False)
    assert evaluate("{{ dns_switch_before }}", there) == [f"{MAIN} A 192.0.2.7, for 60 s  →  alias of {ALB}"]
    assert not holds(check["that"], there)
    assert evaluate(check["fail_msg"], there).endswith("-e confirm=prod")
    assert not holds(check["that"], there | {"confirm": "live"})
    assert holds(check["that"], there | {"confirm": "prod"})
    assert holds(check["that"], there | {"ansible_check_mode": True})
    nothing = there | {"dns_switch_seen": seen(SAME)}
    assert holds(check["that"], nothing)
    assert "there is nothing to switch" in evaluate(OVER["Show both"]["ansible.builtin.debug"]["msg"], nothing)[0]


def test_what_each_name_was_is_written_down_before_it_is_changed() -> None:
    there = known(
        dns_switch_seen=seen(TAKEN, SAME), dns_elsewhere=ELSEWHERE, dns_domains={MAIN: {"hosted_zone_id": "Z0SHOP"}}
    )
    kept = {MAIN: {"zone": "Z0SHOP", "before": TAKEN["replaced"], "undo": TAKEN["undo"]}}
    assert evaluate("{{ dns_switch_names }}", there) == kept
    names = list(OVER)
    assert names.index("Write into the ledger what each name was") < names.index("Take the names over")


@pytest.mark.parametrize(
    ("entries", "kept"),
    [
        ([], {}),
        (["running"], {}),
        (["running", "good a=1", "good b=2"], {"a": "1"}),
        (["good b=2", "interrupted a=1 b=3"], {"a": "1", "b": "2"}),
        (["failed b=2", "good a=1", "failed c=1"], {"b": "2"}),
    ],
)
def test_the_last_switch_is_led_back_with_those_that_were_interrupted(entries: list[str], kept: dict[str, str]) -> None:
    told = [dict(word.split("=") for word in entry.split()[1:]) for entry in entries]
    listed = [
        {"outcome": entry.split()[0]} | ({"names": names} if names else {})
        for entry, names in zip(entries, told, strict=True)
    ]
    there = known(dns_switch_ledger={"entries": listed})
    assert evaluate("{{ dns_switch_kept }}", there) == kept
    check = BACK["Refuse to go back to nowhere"]["ansible.builtin.assert"]
    assert holds(check["that"], there) == bool(kept)
    assert "has no switch of a name" in evaluate(check["fail_msg"], there)


def alias(aws: Cloud, check: bool = False, **given: Any) -> dict[str, Any]:
    told = {"zone": ZONE_ID, "name": MAIN, "target": ALB, "target_zone": ZONE} | given
    return run_action(route53_alias, told, check, client=aws.client, say=lambda *_: None)


def there_now(aws: Cloud) -> list[str]:
    return sorted(each["text"] for each in records(aws, name=MAIN)["own"])


@pytest.mark.parametrize(
    "before",
    [
        [("A", "192.0.2.7"), ("AAAA", "2001:db8::7")],
        [("CNAME", "old.example.net")],
        [("A", ALB), ("AAAA", "2001:db8::7")],
    ],
)
def test_a_name_is_led_back_to_what_it_was_and_twice_is_once(aws: Cloud, before: list[tuple[str, str]]) -> None:
    for kind, value in before:
        record(aws, MAIN, kind, value)
    was = there_now(aws)
    undo = alias(aws)["undo"]
    over = there_now(aws)
    assert over != was
    shown = alias(aws, check=True, state="former", changes=undo)
    assert shown["changed"]
    assert shown["replaced"] == [each for each in over if each not in was]
    assert there_now(aws) == over
    assert alias(aws, state="former", changes=undo)["changed"]
    assert there_now(aws) == was
    assert not alias(aws, state="former", changes=undo)["changed"]


def test_what_somebody_has_changed_since_is_left(aws: Cloud) -> None:
    record(aws, MAIN, "A", "192.0.2.7")
    undo = alias(aws)["undo"]
    alias(aws, state="absent")
    record(aws, MAIN, "A", "192.0.2.99")
    now = there_now(aws)
    result = alias(aws, state="former", changes=undo)
    assert result["failed"]
    assert f"{MAIN} is not what dns_switch.yml has made of it: " in result["msg"]
    assert "192.0.2.7" in result["msg"]
    assert there_now(aws) == now


@pytest.mark.long
@pytest.mark.playbook
def test_a_switch_is_written_down_and_undone_by_the_tasks_themselves(aws: Cloud, tmp_path: Path) -> None:
    """Both task files as they stand, with the names and the target given."""
    prefix, ledger = a_ledger(aws)
    record(aws, MAIN, "A", "192.0.2.7")
    was = there_now(aws)
    given = {
        "site_prefix": prefix, "environment_name": "prod", "dns_taken_over": [MAIN], "dns_target": ALB,
        "dns_target_zone": ZONE, "dns_domains": {MAIN: {"hosted_zone_id": ZONE_ID}}, "dns_elsewhere": {MAIN: was},
        "dns_making": [], "dns_pointing": [], "aws_region": "us-east-1", "ledger_bucket": "",
    }  # fmt: skip
    vars_file = str(PROJECT / "playbooks/vars/dns_switch.yml")

    def go(way: str, *options: str) -> Any:
        tasks: list[dict[str, Any]] = [
            {"name": "Read", "ansible.builtin.include_vars": vars_file},
            {
                "name": "Lock",
                "environment_lock": {"prefix": prefix, "verb": "dns_switch", "arguments": {}},
                "register": "environment_locked",
            },
            {"name": "Go", "ansible.builtin.include_tasks": str(PROJECT / f"playbooks/tasks/dns_{way}.yml")},
        ]
        return playbook(tmp_path, tasks, "-e", json.dumps(given), *options, **environment(aws))

    shown = go("over")
    assert shown.code == 2, shown.output
    assert "Nothing was switched. To take over what is shown above, type: " in " ".join(shown.output.split())
    assert there_now(aws) == was
    assert go("over", "-e", "confirm=prod", "--check").code == 0
    assert there_now(aws) == was
    done = go("over", "-e", "confirm=prod")
    assert done.code == 0, done.output
    over = there_now(aws)
    assert over == [f"{MAIN} {kind} alias of {ALB}" for kind in ("A", "AAAA")]
    assert ledger.entries()[0]["names"][MAIN]["before"] == was
    shown = go("back", "-e", "back=true")
    assert "Nothing was switched. To lead back what is shown above" in " ".join(shown.output.split())
    assert there_now(aws) == over
    done = go("back", "-e", "back=true", "-e", "confirm=prod")
    assert done.code == 0, done.output
    assert there_now(aws) == was
    assert "there is nothing to lead back" in " ".join(go("back", "-e", "back=true").output.split())


@pytest.mark.playbook
def test_it_is_typed_like_the_other_verbs(aws: Cloud, tmp_path: Path) -> None:
    site = Site(aws, tmp_path)
    variables_file = tmp_path / site.prefix.removeprefix("shop-") / "group_vars/site/main.yml"
    described = yaml.safe_load(variables_file.read_text())
    del described["site_services"]["web"]["routes"]  # nobody answers here
    described |= {"domain_name": MAIN, "hosted_zone_id": ZONE_ID, "preflight_delegation": False}
    variables_file.write_text(yaml.safe_dump(described))
    record(aws, MAIN, "A", "192.0.2.7")
    code, shown = site.type("dns_switch", "-e", "back=true")
    assert code == 2, shown
    assert f"The ledger of {site.prefix} has no switch of a name" in shown
    code, shown = site.type("site", "-e", "dns_switch=true")
    assert code == 1, shown
    assert "It is a verb of its own. Type: ansible-playbook dns_switch.yml" in shown
    outputs = {"AlbDnsName": ALB, "AlbHostedZoneId": ZONE}
    template = {
        "Parameters": {"HostInstanceType": {"Type": "String", "Default": "t3.micro"}},
        "Resources": {"Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": site.prefix}}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    aws.client("cloudformation").create_stack(StackName=f"{site.prefix}-cluster", TemplateBody=json.dumps(template))
    code, shown = site.type("dns_switch")
    assert code == 2, shown
    assert f"{MAIN} A 192.0.2.7, for 300 s → alias of {ALB}" in shown, shown
    assert "Nothing was switched. To take over what is shown above, type:" in shown
    code, shown = site.type("dns_switch", "-e", f"confirm={site.prefix.removeprefix('shop-')}")
    assert code == 0, shown
    assert f"{MAIN} points at this site now, in place of: {MAIN} A 192.0.2.7, for 300 s." in shown
    assert there_now(aws) == [f"{MAIN} {kind} alias of {ALB}" for kind in ("A", "AAAA")]
    code, shown = site.type("dns_switch", "-e", "back=true", "-e", f"confirm={site.prefix.removeprefix('shop-')}")
    assert code == 0, shown
    assert there_now(aws) == [f"{MAIN} A 192.0.2.7, for 300 s"]
    assert [entry["verb"] for entry in site.ledger.entries()] == ["dns_switch"] * 4

"""What roles say as data: a layer, a layer for each entry, a template with Jinja in it, rules with items."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from local_aws.cloud import Cloud
from plugins.action import cloudformation_stacks
from plugins.plugin_utils.roles import Roles
from tests.unit.plugin_support import PROJECT, playbook, run_action, talk_to
from tests.unit.room_support import host_roles

FILES = {
    "roles/store/defaults/main.yml": "store_days: 7\nsite_stores: {}\n",
    "roles/store/vars/main.yml": (
        "store_entries: '{{ site_stores }}'\n"
        "store_layer:\n"
        "  parameters: {Days: '{{ entry.days | default(store_days) }}', Name: '{{ site_prefix }}/{{ entry_name }}'}\n"
    ),
    "roles/single/vars/main.yml": "single_layer: {when: '{{ single_wanted }}', parameters: {Days: 3}}\n",
    "roles/single/rules.yml": (
        "- variable: '{{ item.name }}'\n"
        "  each: [{name: one_days, days: '{{ one_days }}'}, {name: two_days, days: '{{ two_days }}'}]\n"
        "  that: [item.days is integer, item.days < 10]\n"
        "  say: '{{ item.name }} is too long'\n"
        "- {variable: single_wanted, that: single_wanted is boolean, say: must be a boolean}\n"
    ),
    "roles/bare/defaults/main.yml": "bare_days: 1\n",
    "cloudformation/store.yml": (
        "#jinja2: trim_blocks: False\n"
        "Parameters: {Days: {Type: Number}, Name: {Type: String}}\n"
        "Resources:\n"
        "  #{% for word in entry.words | default(['log']) %}\n"
        "  {{ word | title }}:\n"
        "    Type: AWS::Logs::LogGroup\n"
        "    Properties: {LogGroupName: !Sub '${Name}/{{ word }}', RetentionInDays: !Ref Days}\n"
        "  #{% endfor %}\n"
        "Outputs: {LogName: {Value: !Ref Log}}\n"
    ),
    "cloudformation/single.yml": (
        "Parameters: {Days: {Type: Number}}\n"
        "Resources: {A: {Type: T, Properties: {P: '{{resolve:secretsmanager:x}}'}}}\n"
    ),
}
KNOWN: dict[str, Any] = {"site_prefix": "legacy-unit", "single_wanted": True}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def roles(folder: Path, **variables: Any) -> Roles:
    loader = DataLoader()
    return Roles(loader, Templar(loader), KNOWN | variables, folder / "roles")


def layers(folder: Path, noun: str, **variables: Any) -> dict[str, dict[str, Any]]:
    return dict(roles(folder, **variables).layers(noun, folder / "cloudformation"))


def test_a_noun_has_a_layer_for_each_entry(folder: Path) -> None:
    stores = {"main": {"days": 30}, "other": None, "wordy": {"words": ["log", "more"]}}
    stores["other"] = {}
    found = layers(folder, "store", site_stores=stores)
    assert list(found) == ["store.main", "store.other", "store.wordy"]
    assert found["store.main"]["parameters"] == {"Days": 30, "Name": "legacy-unit/main"}
    assert found["store.other"]["parameters"]["Days"] == 7, "the role's default"
    assert "  More:\n" in found["store.wordy"]["template_body"]
    assert "  More:\n" not in found["store.main"]["template_body"]
    assert layers(folder, "store") == {}


def test_a_layer_can_be_left_out(folder: Path) -> None:
    assert list(layers(folder, "single")) == ["single"]
    assert layers(folder, "single", single_wanted=False) == {}


def test_what_cloudformation_resolves_is_no_jinja(folder: Path) -> None:
    assert layers(folder, "single")["single"]["template_body"] == FILES["cloudformation/single.yml"]
    mixed = FILES["cloudformation/single.yml"] + "# {{ site_prefix }}\n"
    (folder / "cloudformation/single.yml").write_text(mixed)
    body = layers(folder, "single")["single"]["template_body"]
    assert body == mixed.replace("{{ site_prefix }}", "legacy-unit")


def test_a_role_without_a_layer_is_named(folder: Path) -> None:
    with pytest.raises(LookupError, match=r"there is no bare_layer in roles/bare/vars/main\.yml"):
        layers(folder, "bare")


def test_a_variable_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "roles/single/vars/main.yml").write_text("single_layer: {parameters: {Days: '{{ nowhere }}'}}\n")
    with pytest.raises(AnsibleError, match="nowhere"):
        layers(folder, "single")


def test_a_rule_is_judged_for_each_of_its_items(folder: Path) -> None:
    known = roles(folder, one_days=3, two_days=30)
    each, plain = known.rules("single")
    assert list(known.refusals(each, known.variables("single"))) == [("two_days", "two_days is too long")]
    assert list(known.refusals(plain, known.variables("single"))) == []
    assert list(known.refusals(plain, known.variables("single") | {"single_wanted": 5})) == [
        ("single_wanted", "must be a boolean")
    ]
    assert known.rules("store") == []


def test_what_one_expression_sees_the_next_does_not(folder: Path) -> None:
    known = roles(folder, one_days=30, two_days=40)
    each, _ = known.rules("single")
    expression = trust_as_template("{{ item }}")
    told = known.refusals(each, known.variables("single"))
    assert next(told)[0] == "one_days"
    assert known.value(expression, {"item": "another"}) == "another"
    with pytest.raises(AnsibleError, match="item"):
        known.value(expression, {})
    assert next(told)[0] == "two_days"
    for name in ("here", "there"):
        (folder / name).mkdir()
        (folder / name / "part").write_text(f"{name} {{{{ item }}}}")
        (folder / name / "whole").write_text("{% include 'part' %}")
        (folder / name / "base").write_text("{%- extends 'part' %}")
    for item in (1, 2):
        assert known.text(folder / "here/whole", {"item": item}) == f"here {item}"
        assert known.text(folder / "there/whole", {"item": item}) == f"there {item}"
        assert known.text(folder / "here/base", {"item": item}) == f"here {item}"


ITEMS = "{{ [{'name': 'one', 'days': one_days}, {'name': 'two', 'days': two_days}] }}"
RULES: dict[str, dict[str, Any]] = {
    "plain": {"that": "one_days < 10"},
    "several": {"that": ["one_days is integer", "two_days < 10"]},
    "items": {"each": ITEMS, "that": "item.days < 10"},
    "a list of items": {"each": ["one_days", "two_days"], "that": "lookup('vars', item) < 10"},
    "no items": {"each": "{{ [] }}", "that": "false"},
    "a number": {"that": "one_days"},
    "nothing": {"that": "missing < 3"},
    "no Jinja": {"that": "one_days <"},
}


@pytest.mark.parametrize(
    ("names", "days", "doubtful"),
    [
        (["plain", "several", "items", "no items"], (3, 4), []),
        (["plain", "several", "items"], (3, 30), ["several", "items"]),
        (["plain", "several", "items"], (30, 3), ["plain", "items"]),
        (["plain", "a list of items"], (3, 4), ["a list of items"]),  # told one by one, as no expression says them
        (["plain", "a number"], (3, 4), ["a number"]),
        (["plain", "nothing"], (3, 4), ["plain", "nothing"]),
        (["plain", "no Jinja"], (3, 4), ["plain", "no Jinja"]),
        ([], (3, 4), []),
    ],
)
def test_rules_that_do_not_hold_for_certain_are_judged_one_by_one(
    folder: Path, names: list[str], days: tuple[int, int], doubtful: list[str]
) -> None:
    written = yaml.safe_dump([{"variable": name, **RULES[name], "say": "x"} for name in names])
    (folder / "roles/single/rules.yml").write_text(written)
    known = roles(folder, one_days=days[0], two_days=days[1])
    found = known.doubtful(known.rules("single"), known.variables("single"))
    assert [rule["variable"] for rule in found] == doubtful


def test_a_rule_that_comes_from_elsewhere_is_no_template(folder: Path) -> None:
    known = roles(folder, one_days=3)
    rule = {"variable": "one_days", "that": "one_days < 10", "say": "x"}
    assert known.doubtful([rule], known.variables("single")) == [rule]
    with pytest.raises(AnsibleError, match="trusted"):
        list(known.refusals(rule, known.variables("single")))
    trusted = {**rule, "that": trust_as_template(rule["that"])}
    assert known.doubtful([trusted], known.variables("single")) == []


def stacks(aws: Cloud) -> set[str]:
    found = aws.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"] for stack in found if stack["StackStatus"] != "DELETE_COMPLETE"}


def test_what_is_deployed_of_a_noun_is_deleted_whatever_the_inventory_says(
    folder: Path, aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk_to(aws, monkeypatch)
    made = layers(folder, "store", site_stores={"main": {}, "other": {}})
    given = {"prefix": "legacy-unit", "directory": str(folder / "cloudformation")}
    first = run_action(cloudformation_stacks, {**given, "stacks": made})
    assert not first.get("failed"), first
    assert first["outputs"] == {
        "store.main.LogName": "legacy-unit/main/log",
        "store.other.LogName": "legacy-unit/other/log",
    }
    foreign = {"stacks": {"storehouse": {"template_body": "Resources: {A: {Type: AWS::Logs::LogGroup}}"}}}
    run_action(cloudformation_stacks, {**given, **foreign})
    gone = run_action(cloudformation_stacks, {**given, "layers": ["store"], "state": "absent"})
    assert not gone.get("failed"), gone
    assert set(gone["stacks"]) == {"store.main", "store.other"}
    assert stacks(aws) == {"legacy-unit-storehouse"}


@pytest.mark.playbook
def test_hosts_are_described_where_no_inventory_says_of_what_roles(tmp_path: Path) -> None:
    """As molecule does, whose plays see no variables of the site."""
    known = {"site_name": "shop", "environment_name": "prod", "aws_region": "eu-west-1", "site_prefix": "shop-prod"}
    paths = "{{ described.files.values() | map(attribute='role') | unique | sort | join(' ') }}"
    tasks: list[dict[str, Any]] = [
        {"name": "Describe", "host_description": {}, "register": "described"},
        {"name": "Show", "ansible.builtin.debug": {"msg": f"roles: {paths}"}},
        {"name": "Show", "ansible.builtin.debug": {"msg": "begins: {{ described.user_data.splitlines()[0] }}"}},
    ]
    for task in tasks:
        task["vars"] = known | {"site_volumes": {"media": {"driver": "rexray"}}, "rexray_efs_volumes": ["media"]}
        task["vars"]["alarms_subscribers"] = ["ops@example.org"]
    run = playbook(tmp_path, tasks)
    assert run.code == 0, run.output
    assert f"roles: {' '.join(host_roles(PROJECT))}" in run.output
    assert "begins: #cloud-config" in run.output

"""The layers of a small site, deployed, planned and deleted against our CloudFormation."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import termios
from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import cloudformation_stacks
from plugins.plugin_utils.aws_action import Failed, Progress
from plugins.plugin_utils.ledger import ENTRY_VARIABLE
from plugins.plugin_utils.stack import Stack
from tests.unit.ledger_support import a_ledger
from tests.unit.plugin_support import environment, playbook, run_action, shell, talk_to, written

pytestmark = pytest.mark.playbook

LOG = """
Resources:
  Log:
    Type: AWS::Logs::LogGroup
    Properties: {{LogGroupName: !Sub '{name}', RetentionInDays: !Ref Days}}
"""
TEMPLATES = {
    "network": (
        "Parameters: {Days: {Type: Number, Default: 7}}\n"
        + LOG.format(name="/${AWS::StackName}")
        + "Outputs: {NetworkLog: {Value: !Ref Log}}"
    ),
    "data": (
        "Parameters: {NetworkLog: {Type: String}, Days: {Type: Number, Default: 7}}\n"
        + LOG.format(name="${NetworkLog}/data")
        + "Outputs: {DataLog: {Value: !Ref Log}}"
    ),
    "task": (
        "Parameters: {DataLog: {Type: String}, Days: {Type: Number, Default: 7}}\n"
        + LOG.format(name="${DataLog}/task")
        + "Outputs: {TaskLog: {Value: !Ref Log}}"
    ),
    "other": "Parameters: {Days: {Type: Number, Default: 7}}\n" + LOG.format(name="/other/${AWS::StackName}"),
}


@pytest.fixture
def site(aws: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Arguments of the call; change its `stacks`."""
    talk_to(aws, monkeypatch)
    for name, body in TEMPLATES.items():
        (tmp_path / f"{name}.yml").write_text(body)
    stacks: dict[str, Any] = {"task": {}, "data": {}, "network": {"parameters": {"Days": 7}}, "other": {}}
    return {"prefix": "legacy-unit", "directory": str(tmp_path), "tags": {"Site": "legacy"}, "stacks": stacks}


def deploy(site: dict[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
    return run_action(cloudformation_stacks, {**site, **options}, check)


def groups(aws: Cloud) -> dict[str, int]:
    found = aws.client("logs").describe_log_groups()["logGroups"]
    return {group["logGroupName"]: group["retentionInDays"] for group in found}


def stacks(aws: Cloud) -> dict[str, str]:
    found = aws.client("cloudformation").describe_stacks()["Stacks"]
    return {each["StackName"]: each["StackStatus"] for each in found if each["StackStatus"] != "DELETE_COMPLETE"}


def test_from_nothing_and_again(aws: Cloud, site: dict[str, Any]) -> None:
    first = deploy(site)
    assert not first.get("failed"), first
    assert first["changed"]
    assert first["outputs"] == {
        "NetworkLog": "/legacy-unit-network",
        "DataLog": "/legacy-unit-network/data",
        "TaskLog": "/legacy-unit-network/data/task",
    }
    assert len(groups(aws)) == 4
    described = aws.client("cloudformation").describe_stacks(StackName="legacy-unit-data")["Stacks"][0]
    assert described["Tags"] == [{"Key": "Site", "Value": "legacy"}]
    again = deploy(site)
    assert not again["changed"]
    assert again["outputs"] == first["outputs"]
    assert {name: each["changed"] for name, each in again["stacks"].items()} == dict.fromkeys(site["stacks"], False)


def test_check_mode_changes_nothing_bare_and_built(aws: Cloud, site: dict[str, Any]) -> None:
    bare = deploy(site, check=True)
    assert bare["changed"]
    assert "+ stack legacy-unit-task\n+ task.Log (AWS::Logs::LogGroup)\n" in [each["prepared"] for each in bare["diff"]]
    assert not stacks(aws)
    assert not groups(aws)
    deploy(site)
    built = deploy(site, check=True)
    assert not built["changed"]
    assert not built["diff"]
    assert built["outputs"]["TaskLog"] == "/legacy-unit-network/data/task"
    site["stacks"]["data"] = {"parameters": {"Days": 30}}
    changed = deploy(site, check=True)
    assert [name for name, each in changed["stacks"].items() if each["changed"]] == ["data"]
    prepared = changed["diff"][0]["prepared"]
    assert "~ data parameter Days: 7 → 30\n" in prepared
    assert "~ data.Log (AWS::Logs::LogGroup): RetentionInDays\n" in prepared
    assert groups(aws)["/legacy-unit-network/data"] == 7
    cloudformation = aws.client("cloudformation")
    assert cloudformation.list_change_sets(StackName="legacy-unit-data")["Summaries"] == []


def test_an_update_changes_only_its_layer(aws: Cloud, site: dict[str, Any]) -> None:
    deploy(site)
    site["stacks"]["data"] = {"parameters": {"Days": 30}}
    result = deploy(site)
    assert [name for name, each in result["stacks"].items() if each["changed"]] == ["data"]
    assert groups(aws)["/legacy-unit-network/data"] == 30


def test_a_failed_layer_gives_its_reason_and_the_others_finish(aws: Cloud, site: dict[str, Any]) -> None:
    aws.client("logs").create_log_group(logGroupName="/legacy-unit-network/data")
    result = deploy(site)
    assert result["failed"]
    first, last = result["msg"].splitlines()
    assert first.startswith("data: Log (AWS::Logs::LogGroup): ")
    assert "exist" in first
    assert last == "not started: task"
    assert stacks(aws) == {
        "legacy-unit-network": "CREATE_COMPLETE",
        "legacy-unit-other": "CREATE_COMPLETE",
        "legacy-unit-data": "ROLLBACK_COMPLETE",
    }
    aws.client("logs").delete_log_group(logGroupName="/legacy-unit-network/data")
    again = deploy(site)
    assert not again.get("failed"), again["msg"]
    assert set(stacks(aws).values()) == {"CREATE_COMPLETE"}


def test_an_output_that_is_not_there_is_named(site: dict[str, Any]) -> None:
    body = TEMPLATES["network"].replace("{NetworkLog: {Value", "{NetworkLog: {Condition: Never, Value")
    never = "Conditions: {Never: !Equals [a, b]}\n"
    site["stacks"]["network"] = {"template_body": never + body}
    result = deploy(site)
    assert "data: needs NetworkLog, but network gives no output NetworkLog" in result["msg"]


def test_deletion_goes_backwards_and_stops_at_protection(aws: Cloud, site: dict[str, Any]) -> None:
    site["stacks"]["data"] = {"protect": True}
    deploy(site)
    planned = deploy(site, check=True, state="absent")
    assert planned["changed"]
    assert len(stacks(aws)) == 4
    refused = deploy(site, state="absent")
    assert "data: legacy-unit-data is protected against deletion" in refused["msg"]
    assert "not started: network" in refused["msg"]
    assert set(stacks(aws)) == {"legacy-unit-data", "legacy-unit-network"}
    deleted = deploy(site, state="absent", unprotect=True)
    assert not deleted.get("failed")
    assert not stacks(aws)
    assert not groups(aws)
    assert not deploy(site, state="absent")["changed"]


def test_the_deletion_order_is_read_from_the_deployed_stacks(site: dict[str, Any]) -> None:
    deploy(site)
    Path(site["directory"], "task.yml").unlink()
    Path(site["directory"], "data.yml").unlink()
    ended: list[str] = []

    class Watched(cloudformation_stacks.ActionModule):
        def _delete(self, name: str) -> Any:
            outcome = super()._delete(name)
            ended.append(name)
            return outcome

    class Module:
        ActionModule = Watched

    given: dict[str, Any] = {"network": {}, "data": {}, "task": {}, "other": {}}
    # `task` declares nothing any more, but its parameter DataLog has the value of data's output: no template says so.
    result = run_action(Module, {**site, "stacks": given, "state": "absent"})
    assert not result.get("failed"), result
    assert ended.index("data") < ended.index("network")


ENTRY = (
    "Parameters: {Days: {Type: Number, Default: 7}, Beside: {Type: String, Default: ''}}\n"
    + LOG.format(name="/${AWS::StackName}")
    + "Outputs: {Name: {Value: !Ref Log}, Days: {Value: !Ref Days}}"
)


@pytest.fixture
def entries(site: dict[str, Any]) -> dict[str, Any]:
    """Two stores, and two services of which each takes from the store beside the one of its own name."""
    Path(site["directory"], "store.yml").write_text(ENTRY)
    Path(site["directory"], "service.yml").write_text(ENTRY.replace("Outputs", "# Outputs"))
    site["stacks"] = {
        "service.a": {"takes": {"Beside": "store.b.Name"}},
        "service.b": {"takes": {"Beside": "store.a.Name"}},
        "store.a": {},
        "store.b": {"parameters": {"Days": 30}},
    }
    return site


def given(aws: Cloud, stack: str) -> dict[str, str]:
    """The parameters of a deployed stack."""
    found = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["Parameters"]
    return {each["ParameterKey"]: each["ParameterValue"] for each in found}


def test_entries_of_one_template_are_stacks_of_their_own(aws: Cloud, entries: dict[str, Any]) -> None:
    result = deploy(entries)
    assert not result.get("failed"), result
    assert result["outputs"] == {
        "store.a.Name": "/legacy-unit-store-a",
        "store.a.Days": "7",
        "store.b.Name": "/legacy-unit-store-b",
        "store.b.Days": "30",
    }
    assert given(aws, "legacy-unit-service-a")["Beside"] == "/legacy-unit-store-b"
    assert given(aws, "legacy-unit-service-b")["Beside"] == "/legacy-unit-store-a"
    again = deploy(entries)
    assert not again["changed"]
    later = {name: entries["stacks"].pop(name) for name in ("service.a", "service.b")}
    deploy(entries)
    assert not deploy({**entries, "stacks": later}, outputs=result["outputs"])["changed"]


def test_a_later_call_has_nothing_to_do_where_all_is_as_it_should_be(aws: Cloud, entries: dict[str, Any]) -> None:
    everything = deploy(entries)
    later = {name: entries["stacks"].pop(name) for name in ("service.a", "service.b")}
    alone = deploy(entries)
    assert not alone["complete"], "nothing is known of what was not given"
    whole = deploy(entries, later=later)
    assert whole["complete"]
    assert not whole["changed"]
    assert whole["outputs"] == everything["outputs"]
    assert set(whole["stacks"]) == set(everything["stacks"])

    entries["stacks"]["store.b"]["parameters"]["Days"] = 14
    changed = deploy(entries, later=later)
    assert changed["changed"]
    assert not changed["complete"]
    assert set(changed["stacks"]) == {"store.a", "store.b"}
    assert deploy(entries, later=later)["complete"], "now it is again"

    another = {**later, "service.b": {"takes": {"Beside": "store.b.Name"}}}
    assert not deploy(entries, later=another)["complete"]
    assert given(aws, "legacy-unit-service-b")["Beside"] == "/legacy-unit-store-a", "that is the later call's to change"
    assert not deploy(entries, later={**later, "service.c": later["service.b"]})["complete"]


@pytest.fixture
def later(entries: dict[str, Any]) -> dict[str, Any]:
    """The services of the deployed `entries`, which are left to a later call."""
    assert not deploy(entries).get("failed")
    return {name: entries["stacks"].pop(name) for name in ("service.a", "service.b")}


def test_a_later_call_that_only_has_to_protect_a_stack_has_something_to_do(
    entries: dict[str, Any], later: dict[str, Any]
) -> None:
    protected = {**later, "service.b": {**later["service.b"], "protect": True}}
    assert not deploy(entries, later=protected)["complete"]
    deploy({**entries, "stacks": entries["stacks"] | protected})
    assert deploy(entries, later=protected)["complete"]


def test_one_stack_under_two_names_may_be_named_by_a_later_call_too(site: dict[str, Any]) -> None:
    site |= {"stacks": {"other": {}}, "region": "us-east-1"}
    deploy(site)
    twins = {name: {"template": "other.yml", "stack": "other", "region": "us-east-1"} for name in ("us", "too")}
    whole = deploy(site, later=twins)
    assert whole.get("complete"), whole
    assert whole["stacks"]["us"] == whole["stacks"]["too"] == whole["stacks"]["other"]


def test_nothing_is_complete_where_one_of_the_first_failed_before_it_changed_anything(
    entries: dict[str, Any], later: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Stack.deploy

    def broken(stack: Stack, taken: dict[str, str]) -> Any:
        if stack.layer.name == "store.b":
            raise Failed("no right to do that.")
        return whole(stack, taken)

    monkeypatch.setattr(Stack, "deploy", broken)
    result = deploy(entries, later=later)
    assert (result["failed"], result["complete"], result["changed"]) == (True, False, False)
    assert set(result["stacks"]) == {"store.a", "store.b"}


def deletion_order(arguments: dict[str, Any]) -> list[str]:
    ended: list[str] = []

    class Watched(cloudformation_stacks.ActionModule):
        def _delete(self, name: str) -> Any:
            outcome = super()._delete(name)
            ended.append(name)
            return outcome

    class Module:
        ActionModule = Watched

    result = run_action(Module, {**arguments, "state": "absent"})
    assert not result.get("failed"), result
    return ended


@pytest.mark.parametrize("told", [True, False], ids=["as takes says", "as the deployed stacks tell"])
def test_who_takes_from_an_entry_goes_before_it(entries: dict[str, Any], told: bool) -> None:
    deploy(entries)
    names = ["store.b", "store.a", "service.b", "service.a"]
    if not told:
        # The template declares nothing of it any more, and nobody says `takes`: only the deployed value is left.
        Path(entries["directory"], "service.yml").write_text("Resources: {Log: {Type: AWS::Logs::LogGroup}}")
    order = deletion_order({**entries, "stacks": {name: entries["stacks"][name] if told else {} for name in names}})
    assert order.index("service.a") < order.index("store.b")
    assert order.index("service.b") < order.index("store.a")


def test_an_equal_value_makes_no_circle(entries: dict[str, Any]) -> None:
    deploy(entries)
    entries["stacks"]["store.b"] = {"parameters": {"Days": 30, "Beside": "/legacy-unit-store-a"}}
    entries["stacks"]["store.a"] = {"parameters": {"Beside": "/legacy-unit-store-b"}}
    deploy(entries)
    assert set(deletion_order(entries)) == set(entries["stacks"])


def test_without_relations_the_given_order_is_reversed(site: dict[str, Any]) -> None:
    body = TEMPLATES["other"]
    site["stacks"] = {name: {"template_body": body} for name in ("one", "two", "three")}
    deploy(site)
    result = deploy(site, state="absent")
    assert list(result["stacks"]) == ["three", "two", "one"]


def test_one_stack_under_two_names_is_deployed_once(aws: Cloud, site: dict[str, Any]) -> None:
    twin = {"template": "other.yml", "stack": "other", "region": "us-east-1"}
    site["stacks"] = {"other": {}, "other_us": twin}
    result = deploy(site, region="us-east-1")
    assert list(stacks(aws)) == ["legacy-unit-other"]
    assert result["stacks"]["other_us"]["ok"]


def test_wrong_layers_are_refused_before_the_first_call(aws: Cloud, site: dict[str, Any]) -> None:
    site["stacks"] = {"other": {}, "data": {"parameters": {"Dasy": 1}}}
    result = deploy(site)
    assert result["failed"]
    assert "  data: parameters gives Dasy, which the template does not declare. Did you mean Days?" in result["msg"]
    assert not stacks(aws)


def test_on_a_terminal_the_layers_are_rows_that_are_drawn_over(
    aws: Cloud, site: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through a real terminal: whether the controller knows it, and whether its worker's frames reach it whole."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    command = written(tmp_path, [{"name": "Bring up the layers", "cloudformation_stacks": site}])
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    # Longer pauses than on AWS, or all could be over before the first frame of a machine that is busy.
    slow = environment(aws) | {"BERTH_POLL_SECONDS": "3"}
    run = subprocess.Popen(command, env=shell(slow), stdin=terminal, stdout=terminal, stderr=terminal, close_fds=True)
    os.close(terminal)
    seen = b""
    with contextlib.suppress(OSError):  # how Linux tells that the last one who wrote has gone
        while block := os.read(controller, 65536):
            seen += block
    assert run.wait(60) == 0, seen.decode()
    text = seen.decode().replace("\r\n", "\n")
    assert "task     waits for data" in text, text
    assert re.search(r"\x1b\[4A\x1b\[J +[\d.]+s  layers .*\n(?: +\d+s  \w+ +changed\n){4}changed: ", text), text
    assert text.count("TASK [") == 1


def test_what_a_person_sees(aws: Cloud, site: dict[str, Any], tmp_path: Path) -> None:
    task = {"name": "Bring up the layers", "cloudformation_stacks": site}
    planned = playbook(tmp_path, [task], "--check", "--diff", **environment(aws))
    assert planned.code == 0, planned.output
    assert "+ data.Log (AWS::Logs::LogGroup)" in planned.output
    made = playbook(tmp_path, [task], **environment(aws))
    assert made.code == 0, made.output
    assert "CREATE_COMPLETE      Log" in made.output
    assert "changed=1" in made.recap
    again = playbook(tmp_path, [task], "--check", **environment(aws))
    assert "network ok, other ok, data ok, task ok" in again.output
    assert re.findall(r"^ +[\d.]+s +(\w+)", again.output, re.MULTILINE) == ["layers"], "nothing new of each of them"
    assert "changed=0" in again.recap
    one = site | {"stacks": {"network": site["stacks"]["network"]}}
    alone = playbook(tmp_path, [{**task, "cloudformation_stacks": one}], **environment(aws))
    assert re.findall(r"^ +[\d.]+s +(\w+ +\w+)$", alone.output, re.MULTILINE) == ["network        ok"], alone.output


def test_what_changes_tells_how_long_it_took_before_and_writes_how_long_it_took_now(
    aws: Cloud, site: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix, ledger = a_ledger(aws)
    site["prefix"] = prefix
    told: list[dict[str, float]] = []
    monkeypatch.setattr(Progress, "expects", lambda _, seconds: told.append(dict(seconds)))
    ledger.begin({"key": "entries/1.json", "outcome": "running"})
    monkeypatch.setenv(ENTRY_VARIABLE, f"{prefix} {ledger.bucket} entries/1.json")
    assert not deploy(site).get("failed")
    ledger.update("entries/1.json", {"outcome": "good"})
    (first,) = ledger.entries()
    assert set(first["durations"]) == {f"stack.{name}.create" for name in site["stacks"]}
    assert told == [{}]

    ledger.update("entries/1.json", {"durations": {"stack.network": 61.0, "stack.other": 20.0}})
    assert not deploy(site)["changed"]
    assert told == [{}, {}], "nothing changes, so nothing is asked for"
    site["stacks"]["network"] = {"parameters": {"Days": 14}}
    ledger.begin({"key": "entries/2.json", "outcome": "running"})
    monkeypatch.setenv(ENTRY_VARIABLE, f"{prefix} {ledger.bucket} entries/2.json")
    assert deploy(site)["changed"]
    assert told[-1] == {"network": 61.0}
    assert set(ledger.entries()[0]["durations"]) == {"stack.network"}
    deploy(site, check=True)
    assert len(told) == 3, "a check run waits for nothing"

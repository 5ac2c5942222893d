"""A plan on a terminal and for programs."""

from __future__ import annotations

import json

from plugins.plugin_utils.plan import as_json, terminal
from plugins.plugin_utils.plan.model import CREATE, Resource, SitePlan, StackChange
from tests.unit.plugins.plugin_utils.plan.plan_support import AWKWARD, full


def test_what_loses_data_is_red_and_comes_first() -> None:
    lines = list(terminal.lines(full()))
    text = [line for line, _ in lines]
    colors = dict(lines)
    assert text[0].startswith("Plan of shop-live: Stacks: 1 to create")
    lost = "database.main.Database (AWS::RDS::DBInstance) would be replaced, because of DBName"
    assert colors[f"  ! shop-db-1: {lost}"] == "red"
    assert colors["    ~ Database AWS::RDS::DBInstance: Tags — REPLACED because of DBName — HOLDS DATA"] == "red"
    # A new revision takes nothing away.
    assert colors["    ~ TaskDefinition AWS::ECS::TaskDefinition — new revision because of Cpu"] == "yellow"
    assert colors["+ bucket.new · 1 resource · with data: Bucket"] == "green"
    assert colors["- volume.old · the inventory has it no longer"] == "red"
    assert f"        environment.COLOR: (none) → {AWKWARD}" in text
    assert "    - TaskDefinition.old" in text
    assert "= network" in text
    assert [line for line in text if line.endswith(":") and not line.startswith(" ")][1:] == [
        "Images:", "Jobs that would run before the services change:", "Domain:", "Gaps:", "Not ours:", "Good to know:",
    ]  # fmt: skip


def test_what_is_named_in_site_remove_says_so() -> None:
    plan = full()
    plan.losses = [{**plan.losses[0], "named": True}]
    assert any(line.endswith("— named in site_remove") for line, _ in terminal.lines(plan))


def test_a_bare_estate_is_a_line_a_stack() -> None:
    resources = [Resource(f"R{number}", "AWS::EC2::Subnet", "Add") for number in range(30)]
    plan = SitePlan("shop", "live", [StackChange(f"layer{n}", "x", CREATE, resources=resources) for n in range(10)])
    assert len(list(terminal.lines(plan))) == 12


def test_nothing_is_one_line() -> None:
    plan = SitePlan("shop", "live", [StackChange("network", "x")])
    assert list(terminal.lines(plan)) == [("Plan of shop-live: Nothing to change.", "green")]


def test_a_program_reads_all_of_it() -> None:
    plan = full()
    read = json.loads(as_json.text(plan))
    assert (read["version"], read["exit_code"], read["changes"]) == (1, 3, True)
    assert [each["action"] for each in read["stacks"]] == ["nothing", "create", "change", "change", "delete", "unknown"]
    assert read["stacks"][3]["containers"][0]["values"][0]["after"] == AWKWARD
    assert read["losses"] == plan.losses
    assert (read["jobs"], read["notes"]) == (["migrate"], [AWKWARD])

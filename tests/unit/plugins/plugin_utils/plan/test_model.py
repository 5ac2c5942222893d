"""The model of a plan: what it comes to, and that it crosses from one task to another as it is."""

from __future__ import annotations

import json

from plugins.plugin_utils.plan.model import CHANGE, LOSING, SitePlan, StackChange, read, told
from tests.unit.plugins.plugin_utils.plan.plan_support import LOSS, full


def test_a_stack_is_the_same_after_it_was_told() -> None:
    for each in full().stacks:
        assert read(json.loads(json.dumps(told(each)))) == each


def test_nothing_to_change_is_said_and_what_stays_does_not_count() -> None:
    plan = SitePlan("shop", "live", [StackChange("network", "x")], notes=["old"], foreign=["fs-1"])
    assert (plan.summary, plan.changes, plan.exit_code) == ("Nothing to change.", False, 0)


def test_each_kind_of_change_counts() -> None:
    for name in ("images", "jobs", "domain"):
        plan = SitePlan("shop", "live")
        setattr(plan, name, ["x"])
        assert plan.changes
    changed = SitePlan("shop", "live", [StackChange("network", "x", CHANGE)])
    assert changed.changes
    assert changed.exit_code == 0
    assert changed.summary == "Stacks: 1 to change."


def test_a_loss_is_exit_code_3_named_or_not() -> None:
    for named in (False, True):
        assert SitePlan("shop", "live", losses=[{**LOSS, "named": named}]).exit_code == LOSING == 3
    said = full().summary
    assert said == (
        "Stacks: 1 to create, 2 to change, 1 to delete, 1 not known yet, 1 unchanged. "
        "With data, and replaced, removed or hidden: 1."
    )

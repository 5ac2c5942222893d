"""How long the load balancer waits: from the inventory's variable to the attribute of the load balancer."""

from __future__ import annotations

from typing import Any

import pytest
from cfnlint.decode import decode

from tests.unit.variables_support import PROJECT, evaluate, holds, load, variables


def test_the_load_balancer_waits_as_long_as_the_inventory_says() -> None:
    (parameter,) = (
        name
        for name, value in load("roles/cluster/vars/main.yml")["cluster_layer"]["parameters"].items()
        if "cluster_idle_seconds" in value and evaluate(value, variables(cluster_idle_seconds=120)) == 120
    )
    template: dict[str, Any] = decode(str(PROJECT / "cloudformation/cluster.yml"))[0]
    attributes = template["Resources"]["Alb"]["Properties"]["LoadBalancerAttributes"]
    assert {"Key": "idle_timeout.timeout_seconds", "Value": {"Ref": parameter}} in attributes


@pytest.mark.parametrize(("seconds", "right"), [(0, False), (1, True), (60, True), (4000, True), (4001, False)])
def test_the_load_balancer_takes_one_to_four_thousand_seconds(seconds: int, right: bool) -> None:
    (rule,) = (each for each in load("roles/cluster/rules.yml") if each["variable"] == "cluster_idle_seconds")
    assert holds(rule["that"], variables(cluster_idle_seconds=seconds)) is right
    declared = decode(str(PROJECT / "cloudformation/cluster.yml"))[0]["Parameters"]["AlbIdleSeconds"]
    assert (declared["MinValue"] <= seconds <= declared["MaxValue"]) is right

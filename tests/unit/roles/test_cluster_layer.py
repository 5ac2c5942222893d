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


@pytest.mark.parametrize(
    ("hosts", "scaling", "desired"),
    [
        ({"min": 2}, "DISABLED", 5),
        ({"min": 2, "max": 8}, "DISABLED", 5),
        ({"min": 2, "max": 8, "scale": False}, "DISABLED", 5),
        ({"min": 2, "max": 8, "scale": True}, "ENABLED", 2),
    ],
)
def test_hosts_scale_where_the_inventory_says_so(hosts: dict[str, Any], scaling: str, desired: int) -> None:
    """Then how many there are is ECS's, and a run gives the group no number that would undo it."""
    own = load("roles/cluster/vars/main.yml")
    given = own["cluster_layer"]["parameters"]
    known = variables(site_hosts=hosts, cluster_hosts_now=5)
    known |= {name: own[name] for name in ("cluster_host_count", "cluster_scales")}
    assert evaluate(given["HostScaling"], known) == scaling
    assert int(evaluate(given["HostCountDesired"], known)) == desired
    template: dict[str, Any] = decode(str(PROJECT / "cloudformation/cluster.yml"))[0]
    assert template["Conditions"]["HostsScale"] == {"Fn::Equals": [{"Ref": "HostScaling"}, "ENABLED"]}
    group = template["Resources"]["HostGroup"]["Properties"]
    assert group["DesiredCapacity"] == {"Fn::If": ["HostsScale", {"Ref": "AWS::NoValue"}, {"Ref": "HostCountDesired"}]}
    provider = template["Resources"]["CapacityProvider"]["Properties"]["AutoScalingGroupProvider"]
    assert provider["ManagedDraining"] == "ENABLED"
    assert provider["ManagedScaling"] == {
        "Fn::If": ["HostsScale", {"Status": "ENABLED", "TargetCapacity": 100}, {"Status": "DISABLED"}]
    }

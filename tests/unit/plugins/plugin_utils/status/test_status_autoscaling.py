"""What status says of autoscaling that is suspended: by a run, by one that runs no more, by somebody."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from plugins.plugin_utils.scaling import DIMENSION, HELD, STATES
from tests.unit.plugins.plugin_utils.status.status_support import VARIABLES, Account, said, site, status
from tests.unit.plugins.plugin_utils.status.test_status_parts import HELD as LOCK
from tests.unit.plugins.plugin_utils.status.test_status_parts import ledger

SERVICES = copy.deepcopy(VARIABLES["site_services"])
SERVICES["worker"]["scale"] = {"min": 1, "max": 4, "cpu": 60}
SCALING = site(site_services=SERVICES, site_hosts={"min": 2})


def an_account(state: dict[str, bool], run: str | None, lock: dict[str, Any] | None = None) -> Account:
    account = ledger(lock)
    name = "shop-prod-service-worker-Service-x1Y2"
    target = {
        "ResourceId": f"service/shop-prod/{name}", "ScalableDimension": DIMENSION, "ScalableTargetARN": "arn:target/1",
        "SuspendedState": state,
    }  # fmt: skip
    other = target | {"ResourceId": f"service/shop-prod-two/{name}"}
    account.answers["describe_scalable_targets"] = {"ScalableTargets": [target, other]}
    account.answers["list_tags_for_resource"] = {"Tags": {} if run is None else {HELD: run}}
    return account


IN = {STATES[0]: True}


@pytest.mark.parametrize(
    ("account", "what"),
    [
        (an_account({}, None), ""),
        (an_account({}, "r1"), ""),
        (an_account(IN, "r1", {**LOCK, "run": "r1"}), "scaling in of worker is suspended while release runs"),
        (an_account(IN, "r0", LOCK), "scaling in of worker is suspended, as a run that runs no more has left it"),
        (an_account(IN, "r1"), "scaling in of worker is suspended, as a run that runs no more has left it"),
        (
            an_account(IN | {STATES[2]: True}, None),
            "scaling in and scaling by the clock of worker is suspended, by somebody's hand",
        ),
    ],
    ids=["nothing", "let go of", "a run", "another runs", "no run", "a person"],
)
def test_what_is_suspended_is_worth_knowing(account: Account, what: str) -> None:
    model = status(account, SCALING)
    assert model["well"]
    assert said(model, "notes").get("autoscaling", []) == [what] * bool(what)
    (facts,) = model["autoscaling"]
    assert facts["service"] == "worker"


def test_a_site_without_it_is_not_asked() -> None:
    account = Account()
    assert status(account)["autoscaling"] is None
    assert "describe_scalable_targets" not in account.asked


@pytest.mark.parametrize("operation", ["describe_scalable_targets", "list_tags_for_resource"])
def test_whatever_may_not_be_asked_is_told(operation: str) -> None:
    account = an_account(IN, None)
    account.refused = {operation}
    model = status(account, SCALING)
    assert [each["action"].partition(":")[0] for each in model["unasked"]] == ["application-autoscaling"]
    assert model["well"]

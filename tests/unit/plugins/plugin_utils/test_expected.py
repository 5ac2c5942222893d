"""How long a stack will take, by the runs before."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.plugin_utils.clock import clock
from plugins.plugin_utils.expected import COUNTED, expected, learned, name_of, remember
from plugins.plugin_utils.ledger import ENTRY_VARIABLE
from tests.unit.ledger_support import a_ledger


def entry(outcome: str = "good", **durations: float) -> dict[str, Any]:
    return {"outcome": outcome, "durations": {f"stack.{name}": seconds for name, seconds in durations.items()}}


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([], {}),
        ([{"outcome": "good"}, {"outcome": "good", "durations": None}], {}),
        ([entry(network=60)], {"stack.network": 60}),
        ([entry(network=60), entry(network=70), entry(network=600)], {"stack.network": 70}),
        ([entry(network=60), entry("failed", network=600), entry("running", network=600)], {"stack.network": 60}),
        ([entry(network=60, dns=30), entry(dns=40)], {"stack.network": 60, "stack.dns": 35}),
        ([entry(network=4)], {}),
        ([*[entry(network=60)] * COUNTED, *[entry(network=600)] * 50], {"stack.network": 60}),
    ],
)
def test_the_median_of_the_newest_good_runs_counts(entries: list[dict[str, Any]], told: dict[str, float]) -> None:
    assert expected(entries) == told


def test_a_create_is_not_an_update() -> None:
    assert name_of("service.web", creating=True) == "stack.service.web.create"
    assert name_of("service.web", creating=False) == "stack.service.web"


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0:00"), (59.4, "0:59"), (59.6, "1:00"), (130, "2:10"), (3_725, "1:02:05")]
)
def test_seconds_are_read_as_on_a_watch(seconds: float, told: str) -> None:
    assert clock(seconds) == told


def test_what_was_remembered_is_learned(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix, ledger = a_ledger(aws)

    def client(service: str) -> Any:
        return aws.client(service)

    key = "entries/20261127T000000Z-abc.json"
    ledger.begin({"key": key, "run": "abc", "outcome": "good"})
    monkeypatch.setenv(ENTRY_VARIABLE, f"{prefix} {ledger.bucket} {key}")
    remember(client, prefix, {"stack.network": 61.5})
    remember(client, prefix, {"stack.dns": 20.0})
    remember(client, "other-live", {"stack.dns": 99.0})
    assert learned(client, prefix) == {"stack.network": 61.5, "stack.dns": 20.0}
    assert learned(client, "none-live") == {}


def test_a_ledger_that_cannot_be_read_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: str) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")

    monkeypatch.setenv(ENTRY_VARIABLE, "shop-live bucket entries/a.json")
    assert learned(denied, "shop-live") == {}
    remember(denied, "shop-live", {"stack.network": 61.5})

"""How long a stack will take, by the runs before."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.plugin_utils.clock import about, clock
from plugins.plugin_utils.expected import COUNTED, LEAST_RUNS, Duration, expected, learned, name_of, remember
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


@pytest.mark.parametrize("runs", range(1, LEAST_RUNS + 2))
@pytest.mark.parametrize("name", ["hosts", "service.shop-live-service-web", "task.shop-live-job-migrate"])
def test_of_a_wait_several_runs_must_be_known(name: str, runs: int) -> None:
    entries = [{"outcome": "good", "durations": {name: 60.0}}] * runs
    assert expected(entries) == ({name: 60.0} if runs >= LEAST_RUNS else {})
    assert expected([*entries[:2], *[{"outcome": "failed", "durations": {name: 60.0}}] * 5]) == {}


def test_a_create_is_not_an_update() -> None:
    assert name_of("service.web", creating=True) == "stack.service.web.create"
    assert name_of("service.web", creating=False) == "stack.service.web"


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0:00"), (59.4, "0:59"), (59.6, "1:00"), (130, "2:10"), (3_725, "1:02:05")]
)
def test_seconds_are_read_as_on_a_watch(seconds: float, told: str) -> None:
    assert clock(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (2, "about 0:05"), (43, "about 0:45"), (58, "about 1:00"), (97, "about 1:40"), (130, "about 2:10"),
        (180, "about 3:00"), (443, "about 7:30"), (3_725, "about 1:02:00"),
    ],
)  # fmt: skip
def test_what_is_expected_is_no_more_exact_than_it_can_be_known(seconds: float, told: str) -> None:
    assert about(seconds) == told


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


def test_a_wait_is_learned_from_the_runs_before(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix, ledger = a_ledger(aws)

    def client(service: str) -> Any:
        return aws.client(service)

    for number, seconds in enumerate((60.0, 4.9, 80.0, 70.0)):
        key = f"entries/20261127T00000{number}Z-abc.json"
        ledger.begin({"key": key, "run": "abc", "outcome": "good"})
        monkeypatch.setenv(ENTRY_VARIABLE, f"{prefix} {ledger.bucket} {key}")
        duration = Duration(client, prefix, "hosts")
        assert duration.expected() == 0
        duration.took(seconds)
    assert duration.expected() == 70
    assert "durations" not in (ledger.read("entries/20261127T000001Z-abc.json") or {}), "it was not waited for"
    assert Duration(client, prefix, "").expected() == 0
    Duration(client, prefix, "").took(60)
    assert "" not in (ledger.read(key) or {})["durations"]


def test_a_ledger_that_cannot_be_read_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: str) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")

    monkeypatch.setenv(ENTRY_VARIABLE, "shop-live bucket entries/a.json")
    assert learned(denied, "shop-live") == {}
    remember(denied, "shop-live", {"stack.network": 61.5})

"""The ledger: nothing that was written is lost, the newest comes first, and a killed run is told from one at work."""

from __future__ import annotations

import concurrent.futures
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.plugin_utils.ledger import ENTRY_VARIABLE, Ledger, Place, entry_key, merged
from plugins.plugin_utils.lock import Holder
from tests.unit.ledger_support import a_ledger


@pytest.fixture
def site(aws: Cloud) -> tuple[str, Ledger]:
    return a_ledger(aws)


@pytest.fixture
def ledger(site: tuple[str, Ledger]) -> Ledger:
    return site[1]


def write(ledger: Ledger, day: int, **given: Any) -> str:
    run = given.get("run", f"run{day}")
    key = entry_key(datetime(2026, 11, day, 10, tzinfo=UTC), run)
    ledger.begin({"key": key, "run": run, "verb": "release", "outcome": "good", "reason": "", **given})
    return key


def test_the_newest_comes_first_and_no_more_than_are_asked_for(ledger: Ledger) -> None:
    assert ledger.entries() == []
    for day in (3, 1, 2):
        write(ledger, day)
    assert [each["run"] for each in ledger.entries()] == ["run3", "run2", "run1"]
    assert [each["run"] for each in ledger.entries(2)] == ["run3", "run2"]
    assert [each["run"] for each in ledger.entries(9)] == ["run3", "run2", "run1"]


def test_only_those_that_are_wanted_count(ledger: Ledger) -> None:
    for day in range(1, 8):
        write(ledger, day, release="X" if day % 3 == 1 else None)
    found = ledger.entries(2, lambda entry: bool(entry["release"]))
    assert [each["run"] for each in found] == ["run7", "run4"]


def test_an_entry_is_written_with_what_it_had(ledger: Ledger) -> None:
    key = write(ledger, 1, services={"web": {"release": "X"}})
    ledger.update(key, {"services": {"worker": {"release": "X"}}, "outcome": "failed"})
    found = ledger.read(key)
    assert found
    assert set(found["services"]) == {"web", "worker"}
    assert found["outcome"] == "failed"
    assert found["key"] == key
    assert ledger.read("entries/none.json") is None
    assert ledger.update("entries/none.json", {"release": "X"}) is None


def test_what_others_write_at_the_same_time_is_not_lost(ledger: Ledger) -> None:
    key = write(ledger, 1)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: ledger.update(key, {"jobs": {f"job{number}": number}}), range(4)))
    found = ledger.read(key)
    assert found
    assert found["jobs"] == {f"job{number}": number for number in range(4)}


class Busy:
    """An S3 in which somebody else is always quicker, or that has another reason."""

    def __init__(self, s3: Any, code: str) -> None:
        self._s3, self._code = s3, code

    def get_object(self, **given: Any) -> Any:
        return self._s3.get_object(**given)

    def put_object(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": self._code}}, "PutObject")


def test_one_that_is_always_written_by_others_is_given_up(aws: Cloud, ledger: Ledger) -> None:
    key = write(ledger, 1)
    for code, error in (("PreconditionFailed", TimeoutError), ("ConditionalRequestConflict", TimeoutError)):
        with pytest.raises(error):
            Ledger(Busy(aws.client("s3"), code), ledger.bucket).update(key, {"release": "X"})
    with pytest.raises(ClientError, match="SlowDown"):
        Ledger(Busy(aws.client("s3"), "SlowDown"), ledger.bucket).update(key, {"release": "X"})


def test_a_run_that_goes_on_is_running_and_one_that_was_killed_is_interrupted(ledger: Ledger) -> None:
    write(ledger, 1, run="dead", outcome="running")
    write(ledger, 2, run="alive", outcome="running")
    held = ledger.lock.take(Holder("alive", "release", "anna", "laptop"))
    assert [each["outcome"] for each in ledger.entries()] == ["running", "interrupted"]
    ledger.lock.let_go(held)
    assert [each["outcome"] for each in ledger.entries()] == ["interrupted", "interrupted"]
    assert ledger.entries(1)[0]["reason"] == "the run was killed"


def test_a_site_without_the_layer_has_none(aws: Cloud, site: tuple[str, Ledger]) -> None:
    prefix, ledger = site
    found = Ledger.find(aws.client, prefix)
    assert found
    assert found.bucket == ledger.bucket
    assert Ledger.find(aws.client, f"{prefix}-other") is None
    given = Ledger.find(aws.client, f"{prefix}-other", "kept")
    assert given
    assert given.bucket == "kept"


def test_a_run_that_holds_the_lock_knows_where_the_ledger_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """DescribeStacks need not show yet a stack that the same run has just made."""
    asked: list[str] = []
    monkeypatch.setenv(ENTRY_VARIABLE, str(Place("shop-live", "made-just-now", "entries/1.json")))
    found = Ledger.find(asked.append, "shop-live")
    assert found
    assert (found.bucket, asked) == ("made-just-now", ["s3"])
    kept = Ledger.find(asked.append, "shop-live", "kept")
    assert kept
    assert kept.bucket == "kept"


@pytest.mark.parametrize("body", [b"no JSON", b"[]"])
def test_what_is_no_entry_is_none(ledger: Ledger, aws: Cloud, body: bytes) -> None:
    write(ledger, 1)
    aws.client("s3").put_object(Bucket=ledger.bucket, Key="entries/20261201T100000Z-x.json", Body=body)
    assert [each["run"] for each in ledger.entries(1)] == ["run1"]


def test_another_error_than_a_stack_that_is_not_there_is_one() -> None:
    class Refused:
        def describe_stacks(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStacks")

    with pytest.raises(ClientError, match="AccessDenied"):
        Ledger.find(lambda _: Refused(), "shop-live")


def test_a_stack_that_is_being_made_has_no_bucket_yet() -> None:
    class Making:
        def describe_stacks(self, **_: Any) -> Any:
            return {"Stacks": [{"StackStatus": "CREATE_IN_PROGRESS"}]}

    assert Ledger.find(lambda _: Making(), "shop-live") is None


def test_keys_are_in_the_order_of_time_wherever_they_were_made() -> None:
    at = datetime(2026, 11, 27, 10, 2, 3, tzinfo=UTC)
    assert entry_key(at, "abc") == "entries/20261127T100203Z-abc.json"
    assert entry_key(at.astimezone(timezone(timedelta(hours=9))), "abc") == entry_key(at, "abc")


@pytest.mark.parametrize(
    ("before", "facts", "after"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"a": {"b": 1}}, {"a": {"c": {"d": 2}}}, {"a": {"b": 1, "c": {"d": 2}}}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": [1]}, {"a": [2]}, {"a": [2]}),
    ],
)
def test_facts_are_merged(before: dict[str, Any], facts: dict[str, Any], after: dict[str, Any]) -> None:
    kept = str(before)
    assert merged(before, facts) == after
    assert str(before) == kept


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("shop-live bucket entries/a.json", Place("shop-live", "bucket", "entries/a.json")),
        ("shop-test bucket entries/a.json", None),
        ("shop-live bucket", None),
        ("", None),
    ],
)
def test_a_run_writes_about_the_environment_that_it_has_locked(
    monkeypatch: pytest.MonkeyPatch, given: str, found: Place | None
) -> None:
    monkeypatch.setenv(ENTRY_VARIABLE, given)
    assert Place.of_this_run("shop-live") == found
    assert found is None or str(found) == given

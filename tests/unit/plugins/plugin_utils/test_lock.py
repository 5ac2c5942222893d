"""The lock of an environment: of two who try at once one has it, and it is free when nobody renews it."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import secrets
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.plugin_utils import lock as module
from plugins.plugin_utils.lock import KEY, TTL_VARIABLE, Held, Holder, Lock, Locked, Lost, lifetime, moment

SHORT = 1.0
"""A lifetime that a test can wait for; S3's clock counts whole seconds."""


def of(run: str, who: str = "anna", **given: Any) -> Holder:
    return Holder(run=run, verb="release", who=who, where="laptop", started="2026-11-27T10:02:00+00:00", **given)


@pytest.fixture
def s3(aws: Cloud) -> Any:
    return aws.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"ledger-{secrets.token_hex(4)}"  # moto knows one of an earlier test still
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def lock(s3: Any, bucket: str) -> Lock:
    return Lock(s3, bucket)


def dead(lock: Lock, run: str = "first") -> Held:
    """A lock that its holder has let expire."""
    held = lock.take(of(run, ttl=SHORT))
    deadline = time.monotonic() + 10
    while not (there := lock.read()) or not there.expired:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return held


def test_who_takes_it_has_it_and_it_says_who(lock: Lock) -> None:
    assert lock.read() is None
    lock.take(of("first", arguments={"release": "X"}))
    there = lock.read()
    assert there
    assert there.holder.run == "first"
    assert there.sentence.startswith("release release=X by anna@laptop since ")
    assert "renewed 0 s ago" in there.sentence or "renewed 1 s ago" in there.sentence


def test_a_second_one_is_refused_and_told_by_whom(lock: Lock) -> None:
    lock.take(of("first"))
    with pytest.raises(Locked, match="by anna@laptop") as refused:
        lock.take(of("second", "ben"))
    assert refused.value.held.holder.run == "first"
    assert 290 <= refused.value.held.left <= 300


def test_of_many_at_once_one_has_it(s3: Any, bucket: str) -> None:
    def attempt(number: int) -> bool:
        try:
            Lock(s3, bucket).take(of(str(number)))
        except Locked:
            return False
        return True

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(attempt, range(12))) == 1


def test_of_many_who_take_over_one_has_it(s3: Any, bucket: str) -> None:
    dead(Lock(s3, bucket))

    def attempt(number: int) -> bool:
        try:
            Lock(s3, bucket).take(of(str(number)))
        except Locked:
            return False
        return True

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(attempt, range(12))) == 1


def test_within_a_run_it_is_held_already_and_keeps_its_token(lock: Lock) -> None:
    first = lock.take(of("first"))
    again = lock.take(of("first"))
    assert again.holder.token == first.holder.token
    assert again.etag == first.etag


def test_a_write_that_boto3_repeated_has_met_its_own_object(lock: Lock) -> None:
    mine = of("first")
    lock.take(mine)
    assert lock.take(mine).holder.token == mine.token


def test_one_that_is_renewed_in_time_is_not_taken_over(lock: Lock) -> None:
    held = lock.take(of("first", ttl=2 * SHORT))
    for _ in range(4):
        time.sleep(0.9)
        held = lock.renew(held)
        with pytest.raises(Locked):
            lock.take(of("second"))
    assert held.holder.renewed == 4


def test_one_that_is_not_renewed_is_taken_over_and_its_holder_learns_it(lock: Lock) -> None:
    before = dead(lock)
    assert lock.take(of("second", "ben")).holder.run == "second"
    with pytest.raises(Lost, match="held now: release by ben@laptop"):
        lock.renew(before)
    assert not lock.let_go(before)
    there = lock.read()
    assert there
    assert there.holder.run == "second"


def test_its_own_that_has_expired_is_taken_anew_by_the_run(lock: Lock) -> None:
    """So that somebody keeps it: who only re-enters does not."""
    before = dead(lock)
    assert lock.take(of("first")).holder.token != before.holder.token


def test_one_that_has_expired_and_that_nobody_took_is_still_its_holders(lock: Lock) -> None:
    assert lock.renew(dead(lock)).holder.run == "first"
    there = lock.read()
    assert there
    assert not there.expired


def test_one_that_is_let_go_is_free(lock: Lock) -> None:
    held = lock.renew(lock.take(of("first")))
    assert lock.let_go(held)
    assert lock.read() is None
    assert lock.take(of("second")).holder.run == "second"


def test_a_renewal_that_boto3_repeated_goes_on(lock: Lock) -> None:
    """The first attempt was written, its answer lost: the ETag is one that the holder has not seen."""
    held = lock.take(of("first"))
    lock.renew(held)
    later = lock.renew(held)
    assert later.etag != held.etag
    assert lock.let_go(held)


def test_one_that_somebody_unlocked_is_lost(lock: Lock, s3: Any, bucket: str) -> None:
    held = lock.take(of("first"))
    s3.delete_object(Bucket=bucket, Key=KEY)
    with pytest.raises(Lost, match="somebody has unlocked it"):
        lock.renew(held)
    assert not lock.let_go(held)


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b'{"ttl": "long"}', b"{}", b'{"run": "x", "more": 1}'])
def test_what_somebody_wrote_by_hand_is_a_lock_too(lock: Lock, s3: Any, bucket: str, body: bytes) -> None:
    s3.put_object(Bucket=bucket, Key=KEY, Body=body)
    with pytest.raises(Locked):
        lock.take(of("first"))


def test_the_age_is_told_by_the_clock_of_s3(lock: Lock, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ahead:
        @staticmethod
        def now(zone: Any) -> Any:
            raise AssertionError("this machine's clock")

    lock.take(of("first"))
    monkeypatch.setattr(module, "datetime", Ahead)
    there = lock.read()
    assert there
    assert there.age < 5


def test_an_error_of_another_kind_is_not_taken_for_a_condition(aws: Cloud) -> None:
    nowhere = Lock(aws.client("s3"), "no-such-bucket")
    for work in (nowhere.read, lambda: nowhere.take(of("first")), lambda: nowhere.let_go(Held(of("first"), '"x"'))):
        with pytest.raises(ClientError, match="NoSuchBucket"):
            work()


@pytest.mark.parametrize(("given", "seconds"), [("", 300.0), ("2", 2.0), ("1", 1.0)])
def test_its_lifetime_may_be_another(monkeypatch: pytest.MonkeyPatch, given: str, seconds: float) -> None:
    monkeypatch.setenv(TTL_VARIABLE, given)
    assert lifetime() == seconds
    assert dataclasses.replace(of("first"), ttl=seconds).renew_seconds == seconds / 5


@pytest.mark.parametrize("given", ["0.9", "long", "-3", "nan"])
def test_a_lifetime_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(TTL_VARIABLE, given)
    with pytest.raises(ValueError, match="is a number of seconds, at least 1"):
        lifetime()


def test_a_time_is_said_as_people_say_it() -> None:
    today = f"{module.datetime.now(module.UTC):%Y-%m-%d}"
    assert moment(f"{today}T10:02:33+00:00") == "10:02 UTC"
    assert moment("2020-01-02T12:02:33+02:00") == "2020-01-02 10:02 UTC"
    assert moment("soon") == "an unknown time"


def test_nothing_but_the_holder_is_in_the_object(lock: Lock, s3: Any, bucket: str) -> None:
    lock.take(of("first"))
    body = json.loads(s3.get_object(Bucket=bucket, Key=KEY)["Body"].read())
    assert set(body) == {each.name for each in dataclasses.fields(Holder)}

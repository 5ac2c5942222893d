"""A bucket made what it was, gone on with after a kill, and gone back, on the embedded S3."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import bucket_restore
from plugins.plugin_utils.backups import buckets
from plugins.plugin_utils.backups.point import Points
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.restoring import versions
from plugins.plugin_utils.restoring.versions import Bucket
from tests.unit.ledger_support import a_ledger
from tests.unit.plugin_support import run_action, talk_to


class Killed(BaseException):
    """The run is killed."""


class Estate:
    """A site with a bucket and a backup of it, in which much has happened since."""

    def __init__(self, aws: Cloud) -> None:
        self.s3, (self.prefix, self.ledger) = aws.client("s3"), a_ledger(aws)
        self.bucket = f"{self.prefix}-bucket-up"
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        for key in ("same", "changed", "gone", "albums/1", "albums/2"):
            self.put(key, f"{key} of then")
        self.then = self.everything()
        self.part = buckets.part(self.s3, self.bucket, 90, Bucket(self.s3, self.bucket).now())
        self.points().begin({"name": "one", "outcome": "good", "parts": {"bucket.up": self.part}})
        self.later()
        self.put("changed", "something else")
        self.put("albums/2", "something else")
        self.put("new", "uploaded since")
        self.s3.delete_object(Bucket=self.bucket, Key="gone")
        self.now = self.everything()

    def later(self) -> None:
        """Until the clock of S3 shows another second."""
        there = Bucket(self.s3, self.bucket)
        before = there.now()
        while there.now() == before:
            pass

    def put(self, key: str, content: str) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content.encode())

    def everything(self) -> dict[str, str]:
        listed = self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        keys = [each["Key"] for each in listed]
        return {key: self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode() for key in keys}

    def points(self) -> Points:
        return Points(self.s3, Ledger(self.s3, self.ledger.bucket))

    def attempt(self, key: str = "bucket.up") -> dict[str, Any]:
        return dict((self.points().read("one") or {})["restores"][key])

    def run(self, check: bool = False, **given: Any) -> dict[str, Any]:
        arguments = {"prefix": self.prefix, "entry": "up", "of": self.bucket, "days": 90}
        if not given.get("back"):
            arguments |= {"name": "one", "part": self.part}
        return run_action(bucket_restore, arguments | given, check)


@pytest.fixture
def estate(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Estate:
    talk_to(aws, monkeypatch)
    return Estate(aws)


pytestmark = pytest.mark.embedded


def test_without_the_word_it_is_only_told(estate: Estate) -> None:
    told = estate.run()
    assert {name: told[name] for name in ("changed", "state", "back", "away")} == {
        "changed": False, "state": "beside", "back": 3, "away": 1,
    }  # fmt: skip
    assert estate.run(check=True, confirm=True)["changed"]
    assert estate.everything() == estate.now
    assert "restores" not in (estate.points().read("one") or {})


def test_it_is_what_it_was_and_then_what_it_was_before_that(estate: Estate) -> None:
    told = estate.run(confirm=True)
    assert (told["changed"], told["state"], told["back"], told["away"]) == (True, "switched", 3, 1)
    assert estate.everything() == estate.then
    estate.later()
    estate.put("after", "uploaded after the restore")
    again = estate.run(confirm=True)
    assert (again["changed"], again["state"]) == (False, "had")
    assert "after" in estate.everything()
    assert estate.run(confirm=True, back=True, check=True)["changed"]
    gone_back = estate.run(confirm=True, back=True)
    assert (gone_back["changed"], gone_back["state"]) == (True, "back")
    assert estate.everything() == estate.now
    assert estate.run(confirm=True, back=True)["state"] == "had"
    assert estate.run(confirm=True)["state"] == "switched"  # and forth again
    assert estate.everything() == estate.then


def test_with_the_word_for_it_the_same_backup_comes_again(estate: Estate) -> None:
    estate.run(confirm=True)
    estate.later()
    estate.put("same", "damaged again")
    assert estate.run(confirm=True, overwrite=True)["back"] == 1
    assert estate.everything() == estate.then


def test_a_folder_alone(estate: Estate) -> None:
    told = estate.run(confirm=True, path="albums")
    assert (told["back"], told["away"], told["path"]) == (1, 0, "albums")
    assert estate.everything() == estate.now | {"albums/2": "albums/2 of then"}
    assert estate.run(confirm=True, back=True)["path"] == "albums"
    assert estate.everything() == estate.now


def kill_after(number: int, patch: pytest.MonkeyPatch) -> None:
    """Let so many changes of objects happen, and no more."""
    left = [number]

    def only(do: Callable[..., None]) -> Callable[..., None]:
        def step(*given: Any) -> None:
            if not left[0]:
                raise Killed
            left[0] -= 1
            do(*given)

        return step

    for name in ("bring_back", "put_away"):
        patch.setattr(versions.Bucket, name, only(getattr(versions.Bucket, name)))


@pytest.mark.parametrize("survived", range(4))
def test_a_killed_run_is_gone_on_with_and_the_way_back_is_that_of_the_first(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    monkeypatch.setattr(bucket_restore, "AT_A_TIME", 1)
    with monkeypatch.context() as patch:
        kill_after(survived, patch)
        with pytest.raises(Killed):
            estate.run(confirm=True)
    before = estate.attempt()
    assert before["state"] == "begun"
    estate.later()
    assert estate.run(confirm=True)["state"] == "switched"
    assert estate.everything() == estate.then
    assert estate.attempt()["before"] == before["before"]
    with monkeypatch.context() as patch:
        kill_after(survived, patch)
        with pytest.raises(Killed):
            estate.run(confirm=True, back=True)
    assert estate.run(confirm=True, back=True)["state"] == "back"
    assert estate.everything() == estate.now


def test_a_backup_of_another_bucket_is_refused(estate: Estate) -> None:
    told = estate.run(confirm=True, part=estate.part | {"of": "other"})
    assert "write name: other into site_buckets" in told["msg"]
    assert estate.everything() == estate.now


def test_objects_of_another_environment_are_copied_and_theirs_stay(estate: Estate) -> None:
    theirs, here = estate.bucket, f"{estate.prefix}-here-up"
    before = estate.s3.list_object_versions(Bucket=theirs)["Versions"]
    estate.s3.create_bucket(Bucket=here)
    estate.s3.put_bucket_versioning(Bucket=here, VersioningConfiguration={"Status": "Enabled"})
    estate.bucket = here
    for key, content in (("same", "same of then"), ("changed", "of here"), ("mine", "of here")):
        estate.put(key, content)
    was = estate.everything()
    estate.points().begin({"name": "test.one", "outcome": "good", "parts": {"bucket.up": estate.part}})
    given: dict[str, Any] = {"name": "test.one", "of": here}
    told = estate.run(**given)
    assert (told["state"], told["back"], told["away"]) == ("beside", len(estate.then) - 1, 1)
    assert estate.everything() == was
    assert estate.run(**given, confirm=True)["state"] == "switched"
    assert estate.everything() == estate.then
    assert estate.run(**given, confirm=True)["state"] == "had"
    estate.later()
    assert estate.run(of=here, confirm=True, back=True)["state"] == "back"
    assert estate.everything() == was
    told = estate.run(**given, confirm=True, path="albums")
    assert (told["back"], told["away"]) == (2, 0)
    assert estate.everything() == was | {key: estate.then[key] for key in ("albums/1", "albums/2")}
    assert estate.s3.list_object_versions(Bucket=theirs)["Versions"] == before
    gone = estate.run(**given, part=estate.part | {"of": "shop-gone"})
    assert "The versions of the bucket shop-gone cannot be listed: " in gone["msg"]


def test_what_s3_refuses_is_told_with_its_key(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    def archived(bucket: Bucket, *_: Any) -> None:
        bucket._s3.get_object(Bucket=bucket.name, Key="no such")

    monkeypatch.setattr(versions.Bucket, "bring_back", archived)
    told = estate.run(confirm=True)["msg"]
    assert re.fullmatch(r"S3 does not let .+ of the bucket up be brought back: GetObject: .+ the rest\.", told)
    assert estate.attempt()["state"] == "begun"


def test_old_versions_that_are_gone_lead_nowhere(estate: Estate) -> None:
    estate.run(confirm=True)
    made = datetime.now(UTC) - timedelta(days=8)
    estate.points().update("one", {"restores": {"bucket.up": {**estate.attempt(), "before": made.isoformat()}}})
    told = estate.run(confirm=True, back=True, days=7)["msg"]
    assert "old versions are kept for 7 days (old_versions_days)" in told
    assert estate.everything() == estate.then
    assert estate.run(confirm=True, back=True, days=9)["state"] == "back"


def test_a_site_without_a_ledger_is_told(estate: Estate) -> None:
    assert "has no ledger" in estate.run(prefix="nobody-here")["msg"]

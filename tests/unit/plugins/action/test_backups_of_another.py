"""A preview environment gets a backup of the one that it is of: all of that is read, and nothing is written there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import backup_choice
from plugins.plugin_utils.backups.point import Points, in_words, is_of_other
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.lock import Holder
from plugins.plugin_utils.places import PREVIEW_VARIABLE
from plugins.plugin_utils.restoring.attempts import SWITCHED, Attempts
from tests.unit.ledger_support import a_ledger
from tests.unit.plugin_support import run_action, talk_to

STARTED = "2026-11-26T10:02:00+00:00"
ANNA = Holder(run="first", verb="release", who="anna", where="laptop", started=STARTED)
ENTRIES = {"database": ["main"], "volume": ["media"], "bucket": []}


@dataclass
class Estate:
    """Two environments, one of which has a database and a backup of it."""

    aws: Cloud
    prefix: str
    ledger: Ledger
    other: str
    theirs: Ledger

    def choose(self, name: str = "", check: bool = False, **given: Any) -> dict[str, Any]:
        arguments = {"prefix": self.prefix, "name": name, "entries": ENTRIES, "other": "test"}
        return run_action(backup_choice, {**arguments, "other_prefix": self.other, **given}, check=check)

    def backup(self, name: str = "one", **more: Any) -> None:
        """Have one of its database."""
        snapshot = f"{self.other}-main-{name}"
        rds = self.aws.client("rds")
        rds.create_db_snapshot(DBInstanceIdentifier=self.other, DBSnapshotIdentifier=snapshot)
        part = {"kind": "snapshot", "of": self.other, "id": snapshot, "state": "good", "why": ""}
        self.points(self.theirs).begin({
            "name": name, "run": name, "who": "anna", "where": "laptop", "started": STARTED, "outcome": "good",
            "release": "2026.11.3", "services": {}, "secrets": {"main": "v1"}, "parts": {"database.main": part},
            "without": ["table.items, of which DynamoDB keeps points in time itself"], **more,
        })  # fmt: skip

    def points(self, ledger: Ledger) -> Points:
        return Points(self.aws.client("s3"), ledger)

    def written(self) -> dict[str, str]:
        """All that lies in the other's ledger."""
        listed = self.aws.client("s3").list_object_versions(Bucket=self.theirs.bucket)["Versions"]
        return {f"{each['Key']} {each['VersionId']}": each["ETag"] for each in listed}


@pytest.fixture
def estate(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Estate:
    talk_to(aws, monkeypatch)
    monkeypatch.setattr("ansible.context.CLIARGS", {"inventory": ["inventories/test"]})
    monkeypatch.setenv(PREVIEW_VARIABLE, "pr7")
    made = Estate(aws, *a_ledger(aws), *a_ledger(aws))
    aws.client("rds").create_db_instance(
        DBInstanceIdentifier=made.other, DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
        MasterUsername="shop", MasterUserPassword="p" * 9,
    )  # fmt: skip
    return made


def test_its_parts_are_told_and_nothing_of_it_is_changed_nor_waited_for(estate: Estate) -> None:
    estate.backup()
    estate.theirs.lock.take(ANNA)  # somebody releases there meanwhile
    before = estate.written()
    told = estate.choose("one")
    assert told["name"] == "test.one", told
    assert told["parts"]["database.main"]["id"] == f"{estate.other}-main-one"
    assert told["without"] == [
        "the release 2026.11.3, which ran in test then: release.yml brings up one of here",
        "table.items, of which DynamoDB keeps points in time itself: it is not in the backup",
    ]
    assert estate.written() == before
    kept = estate.points(estate.ledger)
    record = kept.read("test.one")
    assert record is not None
    assert (record["started"], record["parts"]) == (STARTED, told["parts"])
    assert kept.all() == [], "whoever lets old backups go here lets none of the other's go"
    assert [each["name"] for each in kept.with_others()] == ["test.one"]


def test_without_a_name_it_is_the_newest_whole_one(estate: Estate) -> None:
    estate.backup()
    estate.backup("two", started="2026-11-27T10:02:00+00:00")
    estate.backup("three", started="2026-11-28T10:02:00+00:00", outcome="failed", reason="it was not made")
    assert estate.choose()["name"] == "test.two"
    said = estate.choose("three")["msg"]
    assert said.startswith("The backup three is not whole (it was not made), so nothing is restored of it.")
    assert said.endswith("backups.yml -i inventories/test"), "there they are listed, not in the preview"


def test_what_became_of_restores_there_is_nothing_of_this_one(estate: Estate) -> None:
    estate.backup(restores={"volume.media": {"attempt": "0a", "state": SWITCHED}})
    estate.choose("one")
    attempts = Attempts(estate.points(estate.ledger))
    assert attempts.read("test.one", "volume.media") == {}
    attempts.new("test.one", "volume.media")
    attempts.note("test.one", "volume.media", {"state": SWITCHED})
    estate.choose("one")
    assert attempts.read("test.one", "volume.media")["state"] == SWITCHED, "what is noted here stays"
    assert attempts.last_switched("volume.media") == ("test.one", "volume.media")
    estate.points(estate.theirs).update("one", {"started": "2026-11-28T10:02:00+00:00"})
    estate.choose("one")
    assert attempts.read("test.one", "volume.media") == {}, "it is another one of that name"


def test_in_check_mode_nothing_is_written_here_either(estate: Estate) -> None:
    estate.backup()
    assert estate.choose("one", check=True)["name"] == "test.one"
    assert estate.points(estate.ledger).with_others() == []


@pytest.mark.parametrize("name", ["", "one"])
def test_where_there_is_none_it_is_said_where_one_is_made(estate: Estate, name: str) -> None:
    said = estate.choose(name)["msg"]
    assert said.startswith(f"There is no backup{' one' if name else ''} of test")
    assert "Make one first: ansible-playbook backup.yml -i inventories/test; then type: ansible-playbook" in said
    assert said.endswith("restore.yml -i inventories/test -e environment=pr7 -e from=test -e backup=<its name>")
    said = estate.choose(name, other_prefix="shop-nowhere")["msg"]
    assert said.startswith(f"There is no backup{' one' if name else ''} of test"), said


def test_another_name_is_told_from_those_that_there_are(estate: Estate) -> None:
    estate.backup()
    said = estate.choose("onne")["msg"]
    assert said.startswith("There is no backup onne of test to restore; there are one. Type: ansible-playbook")
    assert said.endswith("restore.yml -i inventories/test -e environment=pr7 -e from=test -e backup=one")


def test_one_whose_snapshot_was_deleted_there_is_refused(estate: Estate) -> None:
    estate.backup()
    estate.aws.client("rds").delete_db_snapshot(DBSnapshotIdentifier=f"{estate.other}-main-one")
    said = estate.choose("one")["msg"]
    assert "The backup one was whole, and database.main is gone from it, so that cannot be restored." in said
    assert said.endswith("backups.yml -i inventories/test")
    assert estate.points(estate.ledger).with_others() == []


def test_a_preview_without_a_ledger_is_told_to_be_brought_up(estate: Estate) -> None:
    estate.backup()
    said = estate.choose("one", prefix="shop-nowhere")["msg"]
    assert said.startswith("shop-nowhere has no ledger, in which a restore is written down. Type: ansible-playbook")


def test_the_ledger_that_the_inventory_names_is_read(estate: Estate) -> None:
    estate.backup()
    assert estate.choose("one", other_prefix="shop-nowhere", other_bucket=estate.theirs.bucket)["name"] == "test.one"


def test_it_has_a_name_that_no_backup_of_here_has() -> None:
    assert (is_of_other("test.one"), is_of_other("one"), is_of_other("plan-2026-11-27-0400")) == (True, False, False)
    assert (in_words("test.one"), in_words("one")) == ("the backup one of test", "the backup one")

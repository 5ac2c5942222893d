"""What is known of a volume's restore, on the embedded APIs: begun, gone on with, switched to, and gone back."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from moto.backup import backup_backends

from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID, REGION
from local_aws.patches import backup as emulated
from plugins.action import volume_restore
from plugins.plugin_utils.backups.point import Points
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.places import PREVIEW_VARIABLE
from tests.unit.ledger_support import a_ledger
from tests.unit.plugin_support import run_action, talk_to
from tests.unit.plugins.action.test_backup_point import the_layer

KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b"


class Estate:
    """A site with a backup of its volume."""

    def __init__(self, aws: Cloud) -> None:
        self.aws, (self.prefix, self.ledger) = aws, a_ledger(aws)
        outputs = the_layer(aws, self.prefix)
        self.role = outputs["BackupRoleArn"]
        aws.client("backup").update_region_settings(ResourceTypeOptInPreference={"EFS": True})
        system = aws.client("efs").create_file_system(CreationToken=self.prefix, Encrypted=True, KmsKeyId=KEY)
        self.system, of = system["FileSystemId"], system["FileSystemArn"]
        made = aws.client("backup").start_backup_job(
            BackupVaultName=outputs["VaultName"], ResourceArn=of, IamRoleArn=self.role
        )
        self.part = {"kind": "recovery point", "of": of, "id": made["RecoveryPointArn"], "vault": outputs["VaultName"]}
        for name in ("one", "two"):
            self.points().begin({"name": name, "outcome": "good", "parts": {"volume.media": self.part}})

    def points(self) -> Points:
        return Points(self.aws.client("s3"), Ledger(self.aws.client("s3"), self.ledger.bucket))

    def run(self, step: str, name: str = "one", check: bool = False, **given: Any) -> dict[str, Any]:
        arguments = {
            "step": step, "prefix": self.prefix, "name": name, "volume": "media", "part": self.part,
            "file_system": self.system, "role": self.role, "timeout": 20,
        }  # fmt: skip
        return run_action(volume_restore, arguments | given, check)

    def jobs(self) -> list[dict[str, Any]]:
        found = backup_backends[ACCOUNT_ID][REGION].berth_restores.values()
        return [each for each in found if each["CreatedResourceArn"] == self.part["of"]]


@pytest.fixture
def estate(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Estate:
    talk_to(aws, monkeypatch)
    return Estate(aws)


def test_a_job_is_started_once_and_told_what_it_needs(estate: Estate) -> None:
    begun = estate.run("begin")
    assert (begun["changed"], begun["state"], begun["path"]) == (True, "begun", "")
    assert estate.run("begin")["attempt"] == begun["attempt"]
    assert estate.run("job")["changed"]
    (job,) = estate.jobs()
    assert job["Metadata"] == {
        "file-system-id": estate.system, "newFileSystem": "false", "Encrypted": "true",
        "PerformanceMode": "generalPurpose", "CreationToken": begun["attempt"],
        "KmsKeyId": KEY,
    }  # fmt: skip
    estate.run("job")
    estate.run("note", state="beside")
    assert not estate.run("job")["changed"]
    assert len(estate.jobs()) == 1


def test_a_path_is_a_restore_of_its_own(estate: Estate) -> None:
    whole, one = estate.run("begin")["attempt"], estate.run("begin", path="album/été")
    assert (one["attempt"] != whole, one["path"]) == (True, "album/été")
    estate.run("job", path="album/été")
    assert estate.jobs()[0]["Metadata"]["itemsToRestore"] == '["/data/album/été"]'


def test_a_run_that_was_killed_before_it_knew_the_job_finds_it_by_the_attempt(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulated, "initial_state", "RUNNING")
    attempt = estate.run("begin")["attempt"]
    late = estate.run("job", timeout=0)
    assert "AWS Backup still restores the volume media after 0 minutes (0.00%)" in late["msg"]
    estate.points().update("one", {"restores": {"volume.media": {"job": ""}}})
    emulated.set_restore_state(estate.aws, estate.jobs()[0]["RestoreJobId"], "COMPLETED")
    assert estate.run("job")["attempt"] == attempt
    assert len(estate.jobs()) == 1


def test_one_that_failed_is_begun_anew(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulated, "initial_state", "FAILED")
    first = estate.run("begin")["attempt"]
    assert "AWS Backup could not restore the volume media: FAILED, it does not say why." in estate.run("job")["msg"]
    monkeypatch.setattr(emulated, "initial_state", "COMPLETED")
    assert estate.run("begin")["attempt"] != first
    assert estate.run("job")["changed"]
    assert len(estate.jobs()) == 2


def test_what_was_switched_to_stays_until_it_is_gone_back_or_wanted_again(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert estate.run("last")["state"] == ""
    times = (f"2026-11-27T10:0{number}:00+00:00" for number in itertools.count())
    ticking = type(
        "Clock", (), {"now": staticmethod(lambda _zone: type("At", (), {"isoformat": lambda *_, **__: next(times)})())}
    )
    monkeypatch.setattr("plugins.plugin_utils.restoring.attempts.datetime", ticking)
    first = estate.run("begin")["attempt"]
    estate.run("note", state="switched")
    again = estate.run("begin")
    assert (again["changed"], again["state"], again["attempt"]) == (False, "switched", first)
    estate.run("begin", "two", path="a.png")
    estate.run("note", "two", path="a.png", state="switched")
    last = estate.run("last", "")
    assert (last["name"], last["path"], last["state"]) == ("two", "a.png", "switched")
    estate.run("note", "two", path="a.png", state="back")
    assert estate.run("last", "")["attempt"] == first
    assert estate.run("last", "", volume="other")["state"] == ""
    assert estate.run("begin", overwrite=True)["attempt"] != first


def test_check_mode_writes_nothing_down(estate: Estate) -> None:
    assert estate.run("begin", check=True)["state"] == "begun"
    assert estate.run("job", check=True)["changed"]
    estate.run("note", check=True, state="switched")
    assert "restores" not in (estate.points().read("one") or {})
    assert estate.jobs() == []


def test_files_of_another_environment_come_into_the_file_system_of_here(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ansible.context.CLIARGS", {"inventory": ["inventories/test"]})
    monkeypatch.setenv(PREVIEW_VARIABLE, "pr7")
    here = estate.aws.client("efs").create_file_system(CreationToken=f"{estate.prefix}-here")
    estate.points().begin({"name": "test.one", "outcome": "good", "parts": {"volume.media": estate.part}})
    attempt = estate.run("begin", "test.one")["attempt"]
    assert estate.run("job", "test.one", file_system=here["FileSystemId"])["changed"]
    assert estate.jobs() == [], "nothing comes into that of the other"
    found = backup_backends[ACCOUNT_ID][REGION].berth_restores.values()
    (job,) = [each for each in found if each["CreatedResourceArn"] == here["FileSystemArn"]]
    assert (job["Metadata"]["file-system-id"], job["RecoveryPointArn"]) == (here["FileSystemId"], estate.part["id"])
    assert job["Metadata"]["CreationToken"] == attempt
    estate.run("begin", "test.one", path="a.png")
    gone = estate.run("job", "test.one", path="a.png", file_system=here["FileSystemId"],
                      part=estate.part | {"id": "arn:aws:backup:us-east-1:123456789012:recovery-point:x"})  # fmt: skip
    assert "out of the backup one of test: it is gone. Which are there: ansible-playbook backups.yml -i" in gone["msg"]
    assert "environment=pr7" not in gone["msg"]


def test_what_cannot_be_is_told(estate: Estate) -> None:
    estate.run("begin")
    assert "on fs-1 now. Nothing was changed. If that one is meant" in estate.run("job", file_system="fs-1")["msg"]
    assert "Write site_backups: {every: 1d}" in estate.run("job", role="")["msg"]
    gone = estate.run("job", part=estate.part | {"id": "arn:aws:backup:us-east-1:123456789012:recovery-point:x"})
    assert (
        "does not restore the volume media out of the backup one: it is gone. Which are there: ansible-playbook"
        in gone["msg"]
    )
    foreign = estate.run("job", role="arn:aws:iam::123456789012:role/nobody")
    assert "cannot be assumed by AWS Backup. Nothing of the site was changed." in foreign["msg"]
    assert "has no ledger" in estate.run("begin", prefix="shop-nowhere")["msg"]


def test_a_drill_is_an_attempt_of_its_own_and_is_known_until_it_is_removed(estate: Estate) -> None:
    restored = estate.run("begin")["attempt"]
    assert estate.run("left", "", drill=True)["attempt"] == ""
    drilled = estate.run("begin", "two", drill=True)["attempt"]
    assert drilled != restored
    left = estate.run("left", "", drill=True)
    assert (left["attempt"], left["name"], left["state"]) == (drilled, "two", "begun")
    assert not estate.run("over", "two", drill=True)["restored"], "no job has been begun"
    estate.run("job", "two", drill=True)
    assert estate.run("over", "two", drill=True)["restored"]
    estate.run("note", "two", drill=True, state="beside")
    assert not estate.run("over", "two", drill=True)["restored"], "somebody has moved it"
    assert estate.run("left", "", drill=True)["attempt"] == drilled
    estate.run("note", "two", drill=True, state="removed")
    assert estate.run("left", "", drill=True)["attempt"] == ""
    assert estate.run("begin", "two", drill=True)["attempt"] != drilled
    assert estate.run("begin")["attempt"] == restored


def test_what_is_removed_waits_for_the_job_however_that_ends(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulated, "initial_state", "RUNNING")
    estate.run("begin", drill=True)
    estate.run("job", drill=True, timeout=0)
    late = estate.run("over", drill=True, timeout=0)
    assert (
        "AWS Backup still restores the volume media after 0 minutes, so what it restores cannot be removed"
        in late["msg"]
    )
    assert not estate.run("over", check=True, drill=True, timeout=0).get("failed")
    emulated.set_restore_state(estate.aws, estate.jobs()[0]["RestoreJobId"], "FAILED")
    assert not estate.run("over", drill=True)["restored"]
    assert "could not restore" in estate.run("job", drill=True)["msg"]
    assert estate.run("left", "", drill=True)["state"] == "failed", "its folder is there still"
    backup_backends[ACCOUNT_ID][REGION].berth_restores.clear()
    assert not estate.run("over", drill=True)["restored"], "AWS Backup forgets a job after a month"

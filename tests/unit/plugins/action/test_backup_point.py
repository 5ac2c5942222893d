"""A backup of a site, on the embedded APIs: made, gone on with, read back, shown, and let go."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.patches import backup as emulated
from local_aws.patches import rds as emulated_rds
from plugins.action import backup_keep, backup_point, backup_show
from plugins.plugin_utils.backups.point import Points
from plugins.plugin_utils.ledger import Ledger
from tests.unit.ledger_support import a_ledger
from tests.unit.noun_support import body, made
from tests.unit.plugin_support import run_action, talk_to

WEB = {"web": {"task_definition": "", "release": "2026.11.3", "images": {}}}


@dataclass
class Estate:
    """A site with a database, a volume, a bucket that keeps old versions and one that does not."""

    aws: Cloud
    prefix: str
    ledger: Ledger
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> str:
        return self.outputs["database.main.InstanceId"]

    def run(self, name: str = "one", check: bool = False, **given: Any) -> dict[str, Any]:
        arguments = {
            "prefix": self.prefix, "name": name, "outputs": self.outputs, "live": WEB, "timeout": 20,
            "tags": {"Site": "shop"},
            "buckets": {
                "up": {"name": "", "old_versions_days": 90},
                "old": {"name": f"{self.prefix}-old", "old_versions_days": 90},
            },
        }  # fmt: skip
        return run_action(backup_point, arguments | given, check=check)

    def points(self) -> Points:
        return Points(self.aws.client("s3"), self.ledger)

    def snapshots(self) -> list[str]:
        found = self.aws.client("rds").describe_db_snapshots(DBInstanceIdentifier=self.database, SnapshotType="manual")
        return [each["DBSnapshotIdentifier"] for each in found["DBSnapshots"]]

    def recovery_points(self) -> list[str]:
        found = self.aws.client("backup").list_recovery_points_by_backup_vault(
            BackupVaultName=self.outputs["VaultName"]
        )
        return [each["RecoveryPointArn"] for each in found["RecoveryPoints"]]


def the_layer(aws: Cloud, prefix: str) -> dict[str, str]:
    """The outputs of the layer's own template."""
    api, name = aws.client("cloudformation"), f"{prefix}-backup"
    template = body(made({"site_volumes": {"media": {}}, "site_backups": {"every": "1d"}}, ("backup",))["backup"])
    api.create_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
    api.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    (stack,) = api.describe_stacks(StackName=name)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


@pytest.fixture
def estate(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Estate:
    talk_to(aws, monkeypatch)
    prefix, ledger = a_ledger(aws)
    made = Estate(aws, prefix, ledger)
    aws.client("rds").create_db_instance(
        DBInstanceIdentifier=f"{prefix}-main", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
        MasterUsername="shop", MasterUserPassword="p" * 9,
    )  # fmt: skip
    made.outputs = the_layer(aws, prefix)
    aws.client("backup").update_region_settings(ResourceTypeOptInPreference={"EFS": True})
    system = aws.client("efs").create_file_system(CreationToken=prefix)["FileSystemArn"]
    for name, status in ((f"{prefix}-up", "Enabled"), (f"{prefix}-old", "Suspended")):
        aws.client("s3").create_bucket(Bucket=name)
        aws.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    made.outputs |= {
        "database.main.InstanceId": f"{prefix}-main", "database.main.Port": "5432",
        "volume.media.FileSystemArn": system, "volume.media.FileSystemId": "fs-1",
        "bucket.up.BucketName": f"{prefix}-up",
    }  # fmt: skip
    return made


def test_one_that_is_whole_is_counted_where_an_alarm_waits_for_it(estate: Estate) -> None:
    cloudwatch = estate.aws.client("cloudwatch")
    estate.run("zero")
    assert cloudwatch.list_metrics(Namespace="Berth/Backups")["Metrics"] == []
    late = estate.run("late", counted=True, outputs=estate.outputs | {"database.other.InstanceId": "gone"})
    assert late.get("failed")
    assert cloudwatch.list_metrics(Namespace="Berth/Backups")["Metrics"] == [], "it is not whole"
    assert not estate.run("one", counted=True).get("failed")
    (metric,) = cloudwatch.list_metrics(Namespace="Berth/Backups")["Metrics"]
    assert (metric["Namespace"], metric["MetricName"]) == ("Berth/Backups", "Made")
    assert metric["Dimensions"] == [{"Name": "Environment", "Value": estate.prefix}]


def test_all_of_it_is_made_under_one_name_and_written_down(estate: Estate) -> None:
    done = estate.run()
    assert done["changed"], done
    assert done["parts"] == ["bucket.up", "database.main", "volume.media"]
    point = estate.points().read("one")
    assert point
    assert (point["outcome"], point["release"]) == ("good", "2026.11.3")
    parts = point["parts"]
    assert parts["database.main"]["id"] == f"{estate.prefix}-main-one" == estate.snapshots()[0]
    assert parts["database.main"]["bytes"] == 20 * 2**30
    assert [parts["volume.media"]["id"]] == estate.recovery_points()
    assert (parts["bucket.up"]["state"], parts["bucket.up"]["days"]) == ("good", 90)
    assert (parts["bucket.old"]["state"], parts["bucket.old"]["why"]) == ("left out", "it keeps no old versions")
    (snapshot,) = estate.aws.client("rds").describe_db_snapshots(DBSnapshotIdentifier=parts["database.main"]["id"])[
        "DBSnapshots"
    ]
    assert {each["Key"]: each["Value"] for each in snapshot["TagList"]} == {"Site": "shop", "Berth::Backup": "one"}


def test_a_vault_is_called_after_its_stack_and_outlives_it(estate: Estate) -> None:
    name = estate.outputs["VaultName"]
    assert name.startswith(f"{estate.prefix}-backup-")
    assert len(name) <= len(estate.prefix) + 16, "with a prefix of 33, the longest, as many as a vault's name may have"
    api = estate.aws.client("cloudformation")
    api.delete_stack(StackName=f"{estate.prefix}-backup")
    waiter = api.get_waiter("stack_delete_complete")
    waiter.wait(StackName=f"{estate.prefix}-backup", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    vaults = estate.aws.client("backup").list_backup_vaults()["BackupVaultList"]
    assert name in [each["BackupVaultName"] for each in vaults]
    assert the_layer(estate.aws, estate.prefix)["VaultName"] != name, "a kept one does not block the next"


def test_a_name_that_is_whole_is_read_back_and_nothing_is_made_twice(estate: Estate) -> None:
    estate.run()
    again = estate.run()
    assert not again["changed"]
    assert again["parts"] == []
    assert (len(estate.snapshots()), len(estate.recovery_points())) == (1, 1)
    estate.aws.client("rds").delete_db_snapshot(DBSnapshotIdentifier=estate.snapshots()[0])
    lost = estate.run()
    assert lost["failed"]
    assert "was whole, and database.main is gone from it" in lost["msg"]


def test_a_run_that_was_killed_is_gone_on_with_by_its_name(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulated, "initial_state", "RUNNING")
    late = estate.run(timeout=0)
    assert late["failed"]
    assert "volume.media: still running after 0 minutes" in late["msg"]
    assert "backup.yml" in late["msg"]
    assert "-e backup=one" in late["msg"]
    assert (estate.points().read("one") or {})["outcome"] == "failed"
    job = (estate.points().read("one") or {})["parts"]["volume.media"]["job"]
    # As if it had been killed before it wrote the job down: the token leads to the same one.
    estate.points().update("one", {"parts": {"volume.media": {"job": "", "id": ""}}})
    emulated.set_job_state(estate.aws, job, "COMPLETED", 2**20)
    done = estate.run()
    assert done["parts"] == ["volume.media"], done
    assert done["point"]["parts"]["volume.media"]["job"] == job
    assert done["point"]["parts"]["volume.media"]["bytes"] == 2**20
    assert (len(estate.snapshots()), len(estate.recovery_points())) == (1, 1)


def test_a_copy_that_failed_is_made_anew_and_the_rest_stays(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulated, "initial_state", "FAILED")
    failed = estate.run()
    assert failed["failed"]
    assert "volume.media: AWS Backup: FAILED" in failed["msg"]
    (snapshot,) = estate.snapshots()
    monkeypatch.setattr(emulated, "initial_state", "COMPLETED")
    done = estate.run()
    assert done["parts"] == ["volume.media"]
    assert estate.snapshots() == [snapshot]


def test_a_database_that_is_at_work_is_waited_for(estate: Estate) -> None:
    emulated_rds.set_status(estate.aws, estate.database, "modifying")
    waits = estate.run(timeout=0)
    assert waits["failed"]
    assert "database.main: still waiting after 0 minutes" in waits["msg"]
    emulated_rds.set_status(estate.aws, estate.database, "available")
    assert not estate.run().get("failed")


def test_what_began_days_ago_is_not_filled_up(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulated, "initial_state", "FAILED")
    estate.run()
    then = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    estate.points().update("one", {"started": then})
    refused = estate.run()
    assert refused["failed"]
    assert "would be of another time" in refused["msg"]
    assert len(estate.recovery_points()) == 0


def test_an_account_that_keeps_aws_backup_out_is_told_before_anything_is_made(estate: Estate) -> None:
    estate.aws.client("backup").update_region_settings(ResourceTypeOptInPreference={"EFS": False})
    refused = estate.run()
    assert refused["failed"]
    assert "--resource-type-opt-in-preference EFS=true" in refused["msg"]
    assert estate.snapshots() == []
    assert estate.points().all() == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": "Before_it"}, "cannot be the name of a backup"),
        ({"name": "a--b"}, "cannot be the name of a backup"),
        ({"name": "a" * 41}, "40 at most"),
        ({"prefix": "shop-nowhere"}, "has no ledger, in which a backup is written down"),
    ],
)
def test_what_cannot_be_is_refused(estate: Estate, given: dict[str, Any], sentence: str) -> None:
    refused = estate.run(**given)
    assert refused["failed"]
    assert sentence in refused["msg"]
    assert estate.snapshots() == []


def test_a_volume_without_a_vault_is_refused(estate: Estate) -> None:
    del estate.outputs["VaultName"]
    assert "site_backups: {every: 1d}" in estate.run()["msg"]


def test_check_mode_makes_nothing(estate: Estate) -> None:
    would = estate.run(check=True)
    assert would["changed"]
    assert would["parts"] == ["database.main", "volume.media"]
    assert (estate.snapshots(), estate.recovery_points(), estate.points().all()) == ([], [], [])


def test_it_shows_what_is_there_and_what_is_gone(estate: Estate, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_action(backup_show, {"prefix": estate.prefix})["backups"] == []
    estate.run("one")
    estate.run("two")
    estate.aws.client("backup").delete_recovery_point(
        BackupVaultName=estate.outputs["VaultName"],
        RecoveryPointArn=(estate.points().read("one") or {})["parts"]["volume.media"]["id"],
    )
    capsys.readouterr()
    shown = run_action(backup_show, {"prefix": estate.prefix})
    assert {each["name"]: each["gone"] for each in shown["backups"]} == {"two": [], "one": ["volume.media"]}
    told = " ".join(capsys.readouterr().out.split())
    assert "one good 2026.11.3 gone: volume.media" in told
    assert "two good 2026.11.3 all" in told
    assert "bucket.up versions of then, database.main 20 GB" in told
    assert "bucket.old: it keeps no old versions" in told
    assert "write a number" in run_action(backup_show, {"prefix": estate.prefix, "lines": "many"})["msg"]
    assert "write table or json" in run_action(backup_show, {"prefix": estate.prefix, "format": "jsn"})["msg"]


def test_the_newest_good_ones_stay(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(name: str, day: int) -> None:
        estate.run(name)
        estate.points().update(name, {"started": f"2026-11-{day}T10:00:00+00:00"})

    made("one", 21)
    monkeypatch.setattr(emulated, "initial_state", "FAILED")
    made("two", 22)
    monkeypatch.setattr(emulated, "initial_state", "COMPLETED")
    made("three", 23)
    monkeypatch.setattr(emulated, "initial_state", "FAILED")
    made("four", 24)
    arguments = {"prefix": estate.prefix, "keep": 1}
    would = run_action(backup_keep, arguments, check=True)
    assert would["removed"] == ["one", "two"]
    assert len(estate.snapshots()) == 4
    assert run_action(backup_keep, arguments)["removed"] == ["one", "two"]
    assert [each["name"] for each in estate.points().all()] == ["four", "three"], "what failed since then stays"
    assert sorted(estate.snapshots()) == [f"{estate.prefix}-main-{name}" for name in ("four", "three")]
    assert len(estate.recovery_points()) == 1
    assert not run_action(backup_keep, arguments)["changed"]
    assert not run_action(backup_keep, arguments | {"keep": 0})["changed"], "one stays in any case"

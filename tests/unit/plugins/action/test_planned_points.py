"""Backups that AWS Backup has begun by itself, on the embedded APIs: shown, chosen for a restore, and let be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from moto.backup import backup_backends
from moto.s3.models import s3_backends

from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID
from local_aws.parts.backup_plans import BackupPlans
from local_aws.tests.clock import DayClock
from local_aws.tests.stack_support import Stacks
from plugins.action import backup_choice, backup_keep, backup_point, backup_show, bucket_restore
from plugins.plugin_utils.backups.point import Points
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.status import stacks as stacks_of
from tests.unit.ledger_support import a_ledger
from tests.unit.noun_support import body, made
from tests.unit.plugin_support import run_action, talk_to
from tests.unit.render_support import PROJECT

GIVEN: dict[str, Any] = {
    "site_databases": {"main": {}}, "site_volumes": {"media": {}},
    "site_backups": {"every": "1d", "keep": 14, "at": "04:00"},
}  # fmt: skip
SITE = {"bucket": ["up"], "database": ["main"], "volume": ["media"]}
KEEPING = {"BucketVersioned": "true", "BucketOldVersionsDays": "90", "BucketExpireDays": "0"}
OUTPUTS = """
Resources: {None: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: x}}}
Parameters: {Value: {Type: String}}
"""


@dataclass
class Estate:
    """A site with a database, a volume and a bucket, whose plan has been through once."""

    aws: Cloud
    prefix: str
    ledger: Ledger
    outputs: dict[str, str]
    clock: DayClock
    part: BackupPlans
    at: datetime
    stacks: Stacks

    @property
    def name(self) -> str:
        return f"plan-{self.at:%Y-%m-%d-%H%M}"

    @property
    def bucket(self) -> str:
        return str(self.stacks.outputs(f"{self.prefix}-bucket-up")["BucketName"])

    def show(self) -> list[dict[str, Any]]:
        done = run_action(backup_show, {"prefix": self.prefix, "format": "json"})
        assert not done.get("failed"), done
        return list(done["backups"])

    def choose(self, name: str = "", check: bool = False, **typed: str) -> dict[str, Any]:
        given = {"prefix": self.prefix, "name": name or self.name, "typed": typed, "entries": SITE}
        return run_action(backup_choice, given, check=check)

    def points(self) -> Points:
        return Points(self.aws.client("s3"), self.ledger)


@pytest.fixture
def estate(aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> Estate:
    talk_to(aws, monkeypatch)
    prefix, ledger = a_ledger(aws)
    rows = aws.client("rds").create_db_instance(
        DBInstanceIdentifier=f"{prefix}-main", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
        MasterUsername="shop", MasterUserPassword="p" * 9,
    )["DBInstance"]["DBInstanceIdentifier"]  # fmt: skip
    files = aws.client("efs").create_file_system(CreationToken=prefix)["FileSystemArn"]
    for entry, key, value in (("database-main", "InstanceId", rows), ("volume-media", "FileSystemArn", files)):
        template = f"{OUTPUTS}Outputs: {{{key}: {{Value: !Ref Value}}}}\n"
        stacks.made(f"{prefix}-{entry}", template, {"Value": value})
    stacks.made(f"{prefix}-bucket-up", (PROJECT / "cloudformation/bucket.yml").read_text(), KEEPING)
    layer = body(made(GIVEN, ("backup",))["backup"])
    site, _, environment = prefix.partition("-")
    parameters = {"SiteName": site, "EnvironmentName": environment, "Copied1": rows, "Copied2": files}
    stacks.made(f"{prefix}-backup", layer, parameters, Capabilities=["CAPABILITY_IAM"])
    ledger.begin({
        "key": "entries/20200101T000000Z-one.json", "run": "one", "verb": "release", "outcome": "good",
        "ended": "2020-01-01T00:01:00+00:00", "release": "2026.11.3", "services": {"web": {"images": {}}},
        "secrets": {"arn:x": "v7"},
    })  # fmt: skip
    clock = DayClock()
    part = BackupPlans(aws, clock)
    part.reconcile()
    at = clock.next(4) - timedelta(days=2)
    part.reconcile()
    backend = backup_backends[ACCOUNT_ID]["us-east-1"]
    for each in [*backend.berth_points.values(), *backend.berth_jobs.values()]:  # of a time that is over
        each["CreationDate"] -= 2 * 86_400
        each["CompletionDate"] = each["CreationDate"] + 60
    return Estate(aws, prefix, ledger, stacks.outputs(f"{prefix}-backup"), clock, part, at, stacks)


def test_it_is_listed_like_one_that_was_typed(estate: Estate, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = estate.show()
    assert (found["name"], found["outcome"], found["gone"]) == (estate.name, "good", [])
    assert set(found["parts"]) == {"database.main", "volume.media"}
    assert found["without"] == ["bucket.up, which was made later"]
    assert (found["release"], found["secrets"]) == ("2026.11.3", {"arn:x": "v7"}), "as the ledger has them"
    capsys.readouterr()
    run_action(backup_show, {"prefix": estate.prefix})
    line = next(each for each in capsys.readouterr().out.splitlines() if estate.name in each)
    assert line.rstrip().endswith("AWS Backup")
    assert "2026.11.3" in line


def test_a_part_that_somebody_deletes_makes_it_another(estate: Estate) -> None:
    (found,) = estate.show()
    estate.aws.client("backup").delete_recovery_point(
        BackupVaultName=estate.outputs["VaultName"], RecoveryPointArn=found["parts"]["database.main"]["id"]
    )
    (left,) = estate.show()
    assert left["outcome"] == "failed"
    assert left["reason"].startswith("database.main: AWS Backup began no copy of it")


def test_it_is_chosen_for_a_restore_and_written_down_then(estate: Estate) -> None:
    looked = estate.choose(check=True)
    assert not looked.get("failed"), looked
    assert estate.points().all() == [], "check mode writes nothing"
    done = estate.choose(database="main")
    assert set(done["parts"]) == {"database.main"}
    snapshot = done["parts"]["database.main"]["snapshot"]
    found = estate.aws.client("rds").describe_db_snapshots(SnapshotType="awsbackup")["DBSnapshots"]
    assert snapshot in [each["DBSnapshotIdentifier"] for each in found]
    assert "the release 2026.11.3 of then: rollback.yml leads to it" in done["without"]
    (written,) = estate.points().all()
    assert written["name"] == estate.name
    estate.points().update(estate.name, {"restores": {"volume.media": {"state": "begun"}}})
    estate.choose()
    assert (estate.points().read(estate.name) or {})["restores"], "it is not written anew"
    assert len(estate.show()) == 1


def test_one_of_another_environment_is_found_in_its_vault_and_written_down_here(estate: Estate) -> None:
    prefix, ledger = a_ledger(estate.aws)
    given = {"prefix": prefix, "entries": SITE, "other": "test", "other_prefix": estate.prefix}
    done = run_action(backup_choice, {**given, "name": estate.name})
    assert done["name"] == f"test.{estate.name}", done
    assert done["parts"]["database.main"]["snapshot"].startswith("awsbackup:")
    assert run_action(backup_choice, given)["name"] == done["name"], "it is the newest"
    assert estate.points().all() == [], "where it is from nothing is written"
    assert [each["name"] for each in Points(estate.aws.client("s3"), ledger).with_others()] == [done["name"]]


@pytest.fixture
def older(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """Whose bucket was there before the plan, with what visitors have done to it since."""
    described, days = stacks_of.described, timedelta(days=9)

    def before(*given: Any) -> dict[str, Any]:
        found = described(*given)
        return {layer: {**each, "CreationTime": each["CreationTime"] - days} for layer, each in found.items()}

    monkeypatch.setattr(stacks_of, "described", before)
    s3 = estate.aws.client("s3")
    for key in ("kept", "changed", "lost"):
        s3.put_object(Bucket=estate.bucket, Key=key, Body=b"of then")
    keys = s3_backends[ACCOUNT_ID]["aws"].buckets[estate.bucket].keys
    for key in list(keys):
        for each in keys.getlist(key):
            each.last_modified -= days
    s3.put_object(Bucket=estate.bucket, Key="changed", Body=b"something else")
    s3.put_object(Bucket=estate.bucket, Key="new", Body=b"uploaded since")
    s3.delete_object(Bucket=estate.bucket, Key="lost")
    return estate


def test_a_bucket_goes_back_to_the_time_of_one_as_to_that_of_one_that_was_typed(older: Estate) -> None:
    (found,) = older.show()
    assert (set(found["parts"]), found["gone"]) == ({"bucket.up", "database.main", "volume.media"}, [])
    part = older.choose(bucket="up")["parts"]["bucket.up"]
    given = {"prefix": older.prefix, "entry": "up", "name": older.name, "part": part, "of": older.bucket, "days": 90}
    done = run_action(bucket_restore, {**given, "confirm": True})
    assert (done.get("state"), done.get("back"), done.get("away")) == ("switched", 2, 1), done
    s3 = older.aws.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=older.bucket)["Contents"]]
    read = {key: s3.get_object(Bucket=older.bucket, Key=key)["Body"].read() for key in keys}
    assert read == dict.fromkeys(("kept", "changed", "lost"), b"of then")


def test_one_whose_bucket_keeps_nothing_any_more_is_told_so(older: Estate) -> None:
    versioning = {"Status": "Suspended"}
    older.aws.client("s3").put_bucket_versioning(Bucket=older.bucket, VersioningConfiguration=versioning)
    (found,) = older.show()
    assert (found["outcome"], found["gone"]) == ("good", ["bucket.up"])
    assert "bucket.up is gone from it" in older.choose()["msg"]
    assert set(older.choose(database="main")["parts"]) == {"database.main"}, "the rest can be had"


def test_one_that_is_not_there_is_refused_with_those_that_are(estate: Estate) -> None:
    said = estate.choose("plan-2020-01-01-0400")["msg"]
    assert "There is no backup plan-2020-01-01-0400 to restore" in said
    assert said.endswith(f"-e backup={estate.name}")


def test_those_that_are_typed_are_counted_by_themselves(older: Estate) -> None:
    estate = older
    assert "bucket.up" in estate.choose()["parts"]
    keep = {"prefix": estate.prefix, "keep": 1}
    for name, day in (("one", 1), ("two", 2)):
        estate.points().begin({"name": name, "started": f"2099-01-0{day}T00:00:00+00:00", "outcome": "good"})
    assert run_action(backup_keep, keep)["removed"] == ["one"]
    assert sorted(each["name"] for each in estate.points().all()) == [estate.name, "two"]
    estate.clock.now = estate.at + timedelta(days=16, hours=1)
    estate.part.reconcile()
    run_action(backup_keep, keep)
    assert [each["name"] for each in estate.points().all()] == ["two"], "its parts are gone, by the plan's lifecycle"
    assert estate.name not in [each["name"] for each in estate.show()]


def test_nobody_can_call_one_like_the_plans(estate: Estate) -> None:
    given = {"prefix": estate.prefix, "outputs": {}, "live": {}, "timeout": 1, "buckets": {}}
    refused = run_action(backup_point, {**given, "name": "plan-b"})
    assert "plan-b is what AWS Backup's own backups are called" in refused["msg"]
    assert not run_action(backup_point, {**given, "name": "plans"}).get("failed")

"""What of a site leads back to a time: RDS's window, recovery points and old versions, on the embedded APIs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.backup import backup_backends

from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID
from local_aws.patches import rds_times
from plugins.action import backup_choice, backup_point
from plugins.plugin_utils.backups.point import Points
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.restoring.attempts import SWITCHED, Attempts
from plugins.plugin_utils.status import stacks
from tests.unit.ledger_support import a_ledger
from tests.unit.plugin_support import run_action, talk_to

NOW = datetime.now(UTC).replace(microsecond=0)
LATEST, EARLIEST = NOW - timedelta(minutes=5), NOW - timedelta(days=3)
AT = NOW - timedelta(hours=4)
TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"},
}
OWN = {"database": ["main"], "volume": ["media"], "bucket": ["up"]}
ENTRIES = {"database": ["main", "old"], "volume": ["media"], "bucket": ["up", "theirs"], "table": ["items"]}


@dataclass
class Estate:
    """A site with a database, a volume with two recovery points, and a bucket."""

    aws: Cloud
    prefix: str
    ledger: Ledger
    outputs: dict[str, dict[str, str]]
    born: datetime = EARLIEST - timedelta(days=300)

    def described(self, *_: Any) -> dict[str, dict[str, Any]]:
        """Layer → its stack."""
        return {
            layer: {
                "StackName": layer, "CreationTime": self.born,
                "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in given.items()],
            }
            for layer, given in self.outputs.items()
        }  # fmt: skip

    def choose(self, time: str | datetime = AT, check: bool = False, **typed: str) -> dict[str, Any]:
        text = time if isinstance(time, str) else time.isoformat()
        given = {
            "prefix": self.prefix,
            "time": text,
            "typed": typed,
            "own": OWN,
            "entries": ENTRIES,
            "days": {"up": 90},
        }
        said = list[str]()
        done = run_action(
            backup_choice, given, check=check, say=lambda name, text, _color=None: said.append(f"{name} {text}")
        )
        return done | {"said": said}

    def points(self) -> Points:
        return Points(self.aws.client("s3"), self.ledger)

    def move(self, hours: float, days: int = 0) -> None:
        """Let the last recovery point be of so long ago."""
        point = list(backup_backends[ACCOUNT_ID]["us-east-1"].berth_points.values())[-1]
        point["CreationDate"] = (NOW - timedelta(hours=hours, days=days)).timestamp()
        point["CompletionDate"] = point["CreationDate"] + 60


@pytest.fixture
def estate(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Estate:
    talk_to(aws, monkeypatch)
    monkeypatch.setattr(rds_times, "is_told", True)
    prefix, ledger = a_ledger(aws)
    rows = f"{prefix}-main"
    aws.client("rds").create_db_instance(
        DBInstanceIdentifier=rows, DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
        MasterUsername="shop", MasterUserPassword="p" * 9, BackupRetentionPeriod=3,
    )  # fmt: skip
    rds_times.set_window(aws, rows, (EARLIEST, LATEST))
    files = aws.client("efs").create_file_system(CreationToken=prefix)["FileSystemArn"]
    vault, bucket = f"{prefix}-backup-1a", f"{prefix}-bucket-up"
    aws.client("s3").create_bucket(Bucket=bucket)
    aws.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    outputs = {
        "database.main": {"InstanceId": rows}, "volume.media": {"FileSystemArn": files},
        "backup": {"VaultName": vault}, "bucket.up": {"BucketName": bucket},
    }  # fmt: skip
    made = Estate(aws, prefix, ledger, outputs)
    monkeypatch.setattr(stacks, "described", made.described)
    role = aws.client("iam").create_role(RoleName=vault, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    backup = aws.client("backup")
    backup.create_backup_vault(BackupVaultName=vault)
    for hours in (30, 6):
        backup.start_backup_job(BackupVaultName=vault, ResourceArn=files, IamRoleArn=role)
        made.move(hours)
    return made


def test_each_part_leads_there_in_its_own_way(estate: Estate) -> None:
    looked = estate.choose(check=True)
    assert not looked.get("failed"), looked
    assert estate.points().read(looked["name"]) is None, "check mode writes nothing"
    done = estate.choose()
    assert done["name"] == f"time-{AT:%Y-%m-%d-%H%M%S}"
    database, volume, bucket = (done["parts"][key] for key in ("database.main", "volume.media", "bucket.up"))
    assert (database["kind"], database["of"], database["made"]) == ("time", f"{estate.prefix}-main", AT.isoformat())
    assert volume["made"] == (NOW - timedelta(hours=6)).isoformat(), "the newest that is not later"
    assert (bucket["kind"], bucket["made"], bucket["days"]) == ("versions", AT.isoformat(), 90)
    assert done["said"] == [
        f"volume.media its newest recovery point before that is 2 hours earlier: {volume['made']}"
    ], "what is of that very time is not told of"
    assert done["without"] == [
        "bucket.theirs, which is not Berth's or keeps nothing of before",
        "database.old, which is not Berth's or keeps nothing of before",
        "table.items, of which DynamoDB keeps points in time itself",
    ]
    older = estate.choose(AT - timedelta(hours=3), volume="media")
    assert older["parts"]["volume.media"]["made"] == (NOW - timedelta(hours=30)).isoformat()
    assert older["without"] == []


def test_it_is_written_down_and_is_no_backup(estate: Estate) -> None:
    done = estate.choose(database="main")
    assert set(done["parts"]) == {"database.main"}
    assert estate.points().all() == []
    Attempts(estate.points()).new(done["name"], "bucket.up", "x")
    Attempts(estate.points()).note(done["name"], "bucket.up", {"state": SWITCHED})
    assert not estate.choose(volume="media").get("failed")
    written = estate.points().read(done["name"]) or {}
    assert set(written["parts"]) == {"database.main", "volume.media"}
    assert written["restores"]["bucket.up"]["state"] == SWITCHED, "it is not written anew"
    assert Attempts(estate.points()).last_switched("bucket.up") == (done["name"], "bucket.up")
    given = {"prefix": estate.prefix, "outputs": {}, "live": {}, "timeout": 1, "buckets": {}}
    refused = run_action(backup_point, {**given, "name": done["name"]})
    assert f"{done['name']} is what a time is called that a site was restored to" in refused["msg"]


def test_what_was_begun_is_gone_on_with_when_its_time_has_left_the_window(estate: Estate, aws: Cloud) -> None:
    estate.choose(database="main")
    rds_times.set_window(aws, f"{estate.prefix}-main", (LATEST, LATEST))
    assert not estate.choose(database="main").get("failed")
    assert "RDS restores it to times from" in estate.choose(AT + timedelta(seconds=1), database="main")["msg"]


def test_a_time_outside_of_rds_s_window_is_told_with_what_to_type(estate: Estate) -> None:
    window = (
        f"database.main: RDS restores it to times from {EARLIEST:%Y-%m-%dT%H:%M:%SZ} to {LATEST:%Y-%m-%dT%H:%M:%SZ}."
    )
    for wrong, right in ((LATEST + timedelta(seconds=1), LATEST), (EARLIEST - timedelta(seconds=1), EARLIEST)):
        said = estate.choose(wrong, database="main")["msg"]
        assert said.startswith(f"Not all of it leads back to {wrong:%Y-%m-%dT%H:%M:%SZ}. {window} Nothing was changed.")
        assert (
            f"Type: ansible-playbook restore.yml -i <inventory> -e time={right:%Y-%m-%dT%H:%M:%SZ} -e database=main"
            in said
        )
        assert not estate.choose(right, database="main").get("failed")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("yesterday", "yesterday is no time as ISO 8601 has it, 2026-11-27T10:00Z for example. Type a time that was"),
        ("2026-11-27T10:00", "2026-11-27T10:00 does not say in which zone: Z behind it is UTC"),
        ("2999-11-27T10:00Z", "2999-11-27T10:00:00Z is to come: it is "),
    ],
)
def test_what_is_no_time_that_was_is_refused(estate: Estate, typed: str, said: str) -> None:
    told = estate.choose(typed)["msg"]
    assert told.startswith(said)
    assert "ansible-playbook restore.yml -i <inventory> -e time=20" in told


def test_a_time_of_another_zone_is_the_same_one(estate: Estate) -> None:
    zone = AT.astimezone(tz=datetime.strptime("+0545", "%z").tzinfo)
    assert estate.choose(zone, database="main")["name"] == f"time-{AT:%Y-%m-%d-%H%M%S}"


def test_what_does_not_lead_there_is_told_beside_what_does(estate: Estate) -> None:
    estate.move(hours=3)  # the other is of 30 hours ago
    said = estate.choose(NOW - timedelta(hours=31))["msg"]
    oldest = f"{NOW - timedelta(hours=30):%Y-%m-%dT%H:%M:%SZ}"
    assert f"volume.media: its oldest recovery point is of {oldest}. Nothing was changed." in said
    assert f"-e time={oldest}, or ansible-playbook restore.yml" in said
    assert f"-e time={NOW - timedelta(hours=31):%Y-%m-%dT%H:%M:%SZ} -e database=main, or a backup" in said
    assert estate.points().with_others() == []


def test_without_backups_of_its_own_rds_leads_nowhere(estate: Estate, aws: Cloud) -> None:
    rds_times.set_window(aws, f"{estate.prefix}-main", None)
    assert "database.main: RDS has no automated backup of it yet" in estate.choose(database="main")["msg"]
    aws.client("rds").modify_db_instance(DBInstanceIdentifier=f"{estate.prefix}-main", BackupRetentionPeriod=0)
    assert "RDS makes no automated backups of it (backup_days" in estate.choose(database="main")["msg"]
    aws.client("rds").delete_db_instance(DBInstanceIdentifier=f"{estate.prefix}-main", SkipFinalSnapshot=True)
    assert f"its instance {estate.prefix}-main is not there" in estate.choose(database="main")["msg"]


def test_a_bucket_leads_back_to_when_it_was_made_and_for_as_long_as_it_keeps_versions(
    estate: Estate, aws: Cloud
) -> None:
    assert not estate.choose(NOW - timedelta(days=89), bucket="up").get("failed")
    said = estate.choose(NOW - timedelta(days=91), bucket="up")["msg"]
    assert f"bucket.up: its old versions lead back to {NOW - timedelta(days=90):%Y-%m-%d}" in said
    estate.born = AT + timedelta(seconds=1)  # else all of it would be put away, as nothing of it was there
    said = estate.choose(bucket="up")["msg"]
    assert f"bucket.up: its old versions lead back to {estate.born:%Y-%m-%dT%H:%M:%SZ}" in said
    assert not estate.choose(estate.born, bucket="up").get("failed")
    aws.client("s3").put_bucket_versioning(
        Bucket=f"{estate.prefix}-bucket-up", VersioningConfiguration={"Status": "Suspended"}
    )
    assert "bucket.up: it keeps no old versions" in estate.choose(estate.born, bucket="up")["msg"]

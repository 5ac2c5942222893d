"""Backups that AWS Backup has begun by itself, on the embedded APIs: shown, chosen for a restore, and let be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from moto.backup import backup_backends

from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID
from local_aws.parts.backup_plans import BackupPlans
from local_aws.tests.clock import DayClock
from local_aws.tests.stack_support import Stacks
from plugins.action import backup_choice, backup_keep, backup_point, backup_show
from plugins.plugin_utils.backups.point import Points
from plugins.plugin_utils.ledger import Ledger
from tests.unit.ledger_support import a_ledger
from tests.unit.noun_support import body, made
from tests.unit.plugin_support import run_action, talk_to

GIVEN: dict[str, Any] = {
    "site_databases": {"main": {}}, "site_volumes": {"media": {}},
    "site_backups": {"every": "1d", "keep": 14, "at": "04:00"},
}  # fmt: skip
SITE = {"database": ["main"], "volume": ["media"]}
OUTPUTS = """
Resources: {None: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: x}}}
Parameters: {Value: {Type: String}}
"""


@dataclass
class Estate:
    """A site with a database and a volume, whose plan has been through once."""

    aws: Cloud
    prefix: str
    ledger: Ledger
    outputs: dict[str, str]
    clock: DayClock
    part: BackupPlans
    at: datetime

    @property
    def name(self) -> str:
        return f"plan-{self.at:%Y-%m-%d-%H%M}"

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
    return Estate(aws, prefix, ledger, stacks.outputs(f"{prefix}-backup"), clock, part, at)


def test_it_is_listed_like_one_that_was_typed(estate: Estate, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = estate.show()
    assert (found["name"], found["outcome"], found["gone"]) == (estate.name, "good", [])
    assert set(found["parts"]) == {"database.main", "volume.media"}
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


def test_one_that_is_not_there_is_refused_with_those_that_are(estate: Estate) -> None:
    said = estate.choose("plan-2020-01-01-0400")["msg"]
    assert "There is no backup plan-2020-01-01-0400 to restore" in said
    assert said.endswith(f"-e backup={estate.name}")


def test_those_that_are_typed_are_counted_by_themselves(estate: Estate) -> None:
    estate.choose()
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

"""From when to when a DB instance leads back, and what is said of an instance that is restored to a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.patches import rds_times
from local_aws.tests.stack_support import refused

THEN = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)


def created(aws: Cloud, days: int = 7) -> dict[str, Any]:
    made = aws.client("rds").create_db_instance(
        DBInstanceIdentifier="db", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
        MasterUsername="shop", MasterUserPassword="p" * 9, BackupRetentionPeriod=days, DeletionProtection=True,
        Tags=[{"Key": "of", "Value": "db"}],
    )  # fmt: skip
    return dict(made["DBInstance"])


def restored(aws: Cloud, **given: Any) -> dict[str, Any]:
    api = aws.client("rds")
    made = api.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier="db", TargetDBInstanceIdentifier="New", **given
    )
    return dict(made["DBInstance"])


def windows(aws: Cloud) -> list[dict[str, Any]]:
    found = aws.client("rds").describe_db_instance_automated_backups(DBInstanceIdentifier="db")
    return [each["RestoreWindow"] for each in found["DBInstanceAutomatedBackups"]]


@pytest.fixture
def told(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance of which the databases part tells how far it leads back: for an hour before THEN."""
    monkeypatch.setattr(rds_times, "is_told", True)
    created(aws)
    assert "LatestRestorableTime" not in aws.client("rds").describe_db_instances()["DBInstances"][0]
    with refused("There is no backup yet of the DB instance db", "InvalidDBInstanceState"):
        restored(aws, UseLatestRestorableTime=True)
    rds_times.set_window(aws, "db", (THEN - timedelta(hours=1), THEN))


@pytest.mark.usefixtures("told")
def test_the_window_is_shown(aws: Cloud) -> None:
    (found,) = aws.client("rds").describe_db_instances()["DBInstances"]
    assert found["LatestRestorableTime"] == THEN
    assert windows(aws) == [{"EarliestTime": THEN - timedelta(hours=1), "LatestTime": THEN}]


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("away", [timedelta(seconds=1), timedelta(hours=-1, seconds=-1)])
def test_a_time_outside_of_it_is_refused_with_both_ends(aws: Cloud, away: timedelta) -> None:
    said = "restored to a time later than 2026-11-27T10:00:00Z or earlier than 2026-11-27T09:00:00Z."
    with refused(said, "InvalidParameterValue"):
        restored(aws, RestoreTime=THEN + away)


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("given", [{}, {"RestoreTime": THEN, "UseLatestRestorableTime": True}])
def test_one_time_is_meant(aws: Cloud, given: dict[str, Any]) -> None:
    with refused("not both", "InvalidParameterCombination"):
        restored(aws, **given)


@pytest.mark.usefixtures("told")
def test_the_instance_has_what_is_asked_for_and_else_rds_s_own(aws: Cloud) -> None:
    group = aws.client("ec2").create_security_group(GroupName="beside", Description="x")["GroupId"]
    made = restored(
        aws, RestoreTime=THEN, DBInstanceClass="db.t3.small", VpcSecurityGroupIds=[group], Port=5433,
        BackupRetentionPeriod=0, Tags=[{"Key": "for", "Value": "now"}],
    )  # fmt: skip
    (old,) = aws.client("rds").describe_db_instances(DBInstanceIdentifier="db")["DBInstances"]
    assert made["DBInstanceIdentifier"] == "new"
    (new,) = aws.client("rds").describe_db_instances(DBInstanceIdentifier="new")["DBInstances"]
    assert (new["DBInstanceClass"], new["Endpoint"]["Port"]) == ("db.t3.small", 5433)
    assert [each["VpcSecurityGroupId"] for each in new["VpcSecurityGroups"]] == [group]
    assert [each["Key"] for each in new["TagList"]] == ["for"]
    assert (new["DeletionProtection"], new["MultiAZ"], new["PubliclyAccessible"]) == (False, False, False)
    assert new["BackupRetentionPeriod"] == 0
    assert "LatestRestorableTime" not in new
    for same in ("MasterUsername", "EngineVersion", "AllocatedStorage"):
        assert new[same] == old[same]
    assert new["DbiResourceId"] != old["DbiResourceId"]
    assert rds_times.restored_to(aws, "new") == (old["DbiResourceId"], THEN)
    assert rds_times.restored_to(aws, "db") is None
    with refused("", "DBInstanceAlreadyExists"):
        restored(aws, UseLatestRestorableTime=True)


def test_an_instance_of_which_no_backups_are_made_leads_nowhere(aws: Cloud) -> None:
    created(aws, 0)
    assert windows(aws) == []
    with refused("BackupRetentionPeriod equal to 0", "PointInTimeRestoreNotEnabled"):
        restored(aws, UseLatestRestorableTime=True)
    with refused("", "DBInstanceNotFound"):
        aws.client("rds").restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier="gone", TargetDBInstanceIdentifier="new", UseLatestRestorableTime=True
        )


def test_without_a_real_database_all_that_it_has_been_leads_back(aws: Cloud) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    created(aws)
    ((window),) = windows(aws)
    assert window["EarliestTime"] >= before
    assert timedelta(0) <= datetime.now(UTC) - window["LatestTime"] < timedelta(seconds=10)

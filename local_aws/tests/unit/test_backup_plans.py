"""Plans of AWS Backup: what a stack makes of them, what they begin when it is due, and what is copied elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.parts.backup_plans import BackupPlans
from local_aws.patches import backup, rds
from local_aws.tests.clock import DayClock
from local_aws.tests.stack_support import Stacks

TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
PLAN = """
Parameters:
  Schedule: {Type: String, Default: "cron(0 4 * * ? *)"}
  Files: {Type: String}
  Rows: {Type: String}
  Role: {Type: String}
Resources:
  Vault:
    Type: AWS::Backup::BackupVault
    Properties: {BackupVaultName: home}
  Plan:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlanTags: {Of: shop}
      BackupPlan:
        BackupPlanName: shop
        BackupPlanRule:
          - RuleName: daily
            TargetBackupVault: !Ref Vault
            ScheduleExpression: !Ref Schedule
            StartWindowMinutes: 60
            CompletionWindowMinutes: 1440
            Lifecycle: {DeleteAfterDays: 14}
            RecoveryPointTags: {Site: shop}
            CopyActions:
              - DestinationBackupVaultArn: arn:aws:backup:eu-west-1:123456789012:backup-vault:away
                Lifecycle: {DeleteAfterDays: 30}
  Selection:
    Type: AWS::Backup::BackupSelection
    Properties:
      BackupPlanId: !Ref Plan
      BackupSelection:
        SelectionName: site
        IamRoleArn: !Ref Role
        Resources: [!Ref Files, !Ref Rows]
Outputs:
  Plan: {Value: !Ref Plan}
  Arn: {Value: !GetAtt Plan.BackupPlanArn}
"""


@pytest.fixture
def resources(aws: Cloud) -> Iterator[dict[str, str]]:
    """Parameters of the stack, and the vault far away."""
    role = aws.client("iam").create_role(RoleName="plans", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    system = aws.client("efs").create_file_system(CreationToken="one")
    database = aws.client("rds").create_db_instance(
        DBInstanceIdentifier="shop", Engine="postgres", DBInstanceClass="db.t3.micro", AllocatedStorage=20,
        MasterUsername="shop", MasterUserPassword="not-a-secret",
    )["DBInstance"]  # fmt: skip
    aws.client("backup", "eu-west-1").create_backup_vault(BackupVaultName="away")
    yield {"Files": system["FileSystemArn"], "Rows": database["DBInstanceArn"], "Role": role}
    aws.client("iam").delete_role(RoleName="plans")


@pytest.fixture
def made(stacks: Stacks, resources: dict[str, str]) -> dict[str, str]:
    """Outputs of the stack."""
    stacks.made("plans", PLAN, resources)
    return stacks.outputs("plans")


def points(aws: Cloud, vault: str = "home", region: str = "us-east-1") -> dict[str, dict[str, Any]]:
    """Type of the resource → its newest recovery point."""
    found = aws.client("backup", region).list_recovery_points_by_backup_vault(BackupVaultName=vault)["RecoveryPoints"]
    return {each["ResourceType"]: each for each in found}


def test_a_plan_is_made_changed_and_deleted_with_its_stack(
    aws: Cloud, stacks: Stacks, made: dict[str, str], resources: dict[str, str]
) -> None:
    api, plan = aws.client("backup"), made["Plan"]
    found = api.get_backup_plan(BackupPlanId=plan)
    (rule,) = found["BackupPlan"]["Rules"]
    assert (found["BackupPlanArn"], rule["ScheduleExpression"]) == (made["Arn"], "cron(0 4 * * ? *)")
    assert rule["Lifecycle"] == {"DeleteAfterDays": 14}
    assert api.list_tags(ResourceArn=made["Arn"])["Tags"]["Of"] == "shop"
    (selected,) = api.list_backup_selections(BackupPlanId=plan)["BackupSelectionsList"]
    told = api.get_backup_selection(BackupPlanId=plan, SelectionId=selected["SelectionId"])["BackupSelection"]
    assert told["Resources"] == [resources["Files"], resources["Rows"]]
    with pytest.raises(ClientError, match="selections must be deleted"):
        api.delete_backup_plan(BackupPlanId=plan)
    stacks.changed("plans", PLAN, resources | {"Schedule": "cron(0 5 * * ? *)"})
    assert made["Plan"] == stacks.outputs("plans")["Plan"]
    assert api.get_backup_plan(BackupPlanId=plan)["BackupPlan"]["Rules"][0]["ScheduleExpression"] == "cron(0 5 * * ? *)"
    assert stacks.delete("plans")["StackStatus"] == "DELETE_COMPLETE"
    assert api.list_backup_plans()["BackupPlansList"] == []
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        api.get_backup_plan(BackupPlanId=plan)
    stacks.made("plans", PLAN, resources)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"StartWindowMinutes": 30}, "at least 60 minutes"),
        ({"StartWindowMinutes": 60, "CompletionWindowMinutes": 60}, "longer than the start window"),
        ({"ScheduleExpression": "cron(0 4 * *)"}, "InvalidParameterValueException"),
        ({"EnableContinuousBackup": True}, "continuous"),
    ],
)
def test_what_no_rule_can_say_is_refused(aws: Cloud, rule: dict[str, Any], words: str) -> None:
    api = aws.client("backup")
    api.create_backup_vault(BackupVaultName="home")
    plan = {"BackupPlanName": "one", "Rules": [{"RuleName": "one", "TargetBackupVaultName": "home", **rule}]}
    with pytest.raises(ClientError, match=words):
        api.create_backup_plan(BackupPlan=plan)
    plan["Rules"] = [{"RuleName": "one", "TargetBackupVaultName": "home"}]
    made = api.create_backup_plan(BackupPlan=plan)
    tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "a", "ConditionValue": "b"}
    selection = {"SelectionName": "one", "IamRoleArn": "arn:aws:iam::123456789012:role/x", "ListOfTags": [tag]}
    with pytest.raises(ClientError, match="not by ListOfTags"):
        api.create_backup_selection(BackupPlanId=made["BackupPlanId"], BackupSelection=selection)


@pytest.mark.usefixtures("made")
def test_what_is_due_is_begun_once_and_says_who_began_it(aws: Cloud, resources: dict[str, str]) -> None:
    clock = DayClock()
    part = BackupPlans(aws, clock)
    part.reconcile()
    assert points(aws) == {}
    at = clock.next(4)
    part.reconcile()
    part.reconcile()
    jobs = aws.client("backup").list_backup_jobs(ByState="COMPLETED", ByBackupVaultName="home")["BackupJobs"]
    assert {each["ResourceArn"] for each in jobs} == {resources["Files"], resources["Rows"]}
    assert len(jobs) == 2, "once each"
    found = points(aws)
    assert {each["CreatedBy"]["BackupRuleCron"] for each in found.values()} == {"cron(0 4 * * ? *)"}
    assert found["EFS"]["CreationDate"] == at
    assert found["EFS"]["CalculatedLifecycle"]["DeleteAt"] == at + timedelta(days=14)
    assert (line := part.health()[0]).ok
    assert line.detail.startswith("next ")


@pytest.mark.usefixtures("made")
def test_a_recovery_point_of_a_database_is_a_snapshot_that_only_aws_backup_deletes(aws: Cloud) -> None:
    clock, api = DayClock(), aws.client("rds")
    part = BackupPlans(aws, clock)
    part.reconcile()
    clock.next(4)
    part.reconcile()
    arn = points(aws)["RDS"]["RecoveryPointArn"]
    name = arn.partition(":snapshot:")[2]
    (snapshot,) = api.describe_db_snapshots(SnapshotType="awsbackup")["DBSnapshots"]
    assert (snapshot["DBSnapshotIdentifier"], snapshot["Status"], name[:14]) == (name, "available", "awsbackup:job-")
    others = api.describe_db_snapshots()["DBSnapshots"]
    assert {each["SnapshotType"] for each in others} == {"automated"}, "a kind of its own"
    with pytest.raises(ClientError, match="managed by AWS Backup"):
        api.delete_db_snapshot(DBSnapshotIdentifier=name)
    api.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="beside", DBSnapshotIdentifier=name)
    api.delete_db_instance(DBInstanceIdentifier="beside", SkipFinalSnapshot=True)
    aws.client("backup").delete_recovery_point(BackupVaultName="home", RecoveryPointArn=arn)
    assert api.describe_db_snapshots(SnapshotType="awsbackup")["DBSnapshots"] == []


@pytest.mark.usefixtures("made")
def test_a_job_of_a_database_waits_until_its_dump_is_made(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "initial_state", "RUNNING")
    monkeypatch.setattr(rds, "initial_snapshot_status", "creating")
    clock = DayClock()
    part = BackupPlans(aws, clock)
    part.reconcile()
    clock.next(4)
    part.reconcile()
    (job,) = backup.running(aws, "RDS")
    assert len(backup.running(aws, "EFS")) == 1
    assert points(aws)["RDS"]["Status"] == "PARTIAL"
    backup.snapshot_made(aws, job["RecoveryPointArn"].partition(":snapshot:")[2], 5)
    assert points(aws)["RDS"] | {"CompletionDate": None} == points(aws)["RDS"] | {
        "Status": "COMPLETED", "BackupSizeInBytes": 5, "CompletionDate": None,
    }  # fmt: skip


@pytest.mark.usefixtures("made")
def test_of_a_type_that_is_not_opted_in_nothing_is_begun(aws: Cloud) -> None:
    aws.client("backup").update_region_settings(ResourceTypeOptInPreference={"RDS": False})
    clock = DayClock()
    part = BackupPlans(aws, clock)
    part.reconcile()
    clock.next(4)
    part.reconcile()
    assert set(points(aws)) == {"EFS"}
    assert "not opted in" in part.health()[0].detail
    aws.client("backup").update_region_settings(ResourceTypeOptInPreference={"RDS": True})


@pytest.mark.usefixtures("made")
def test_a_database_that_is_at_something_fails_its_job(aws: Cloud) -> None:
    clock = DayClock()
    part = BackupPlans(aws, clock)
    part.reconcile()
    rds.set_status(aws, "shop", "modifying")
    clock.next(4)
    part.reconcile()
    (failed,) = aws.client("backup").list_backup_jobs(ByState="FAILED")["BackupJobs"]
    assert failed["StatusMessage"] == "Instance shop is in modifying state."
    assert set(points(aws)) == {"EFS"}


@pytest.mark.usefixtures("made")
def test_what_is_whole_is_copied_to_the_other_region_and_back(aws: Cloud) -> None:
    clock, away = DayClock(), aws.client("backup", "eu-west-1")
    part = BackupPlans(aws, clock)
    part.reconcile()
    clock.next(4)
    part.reconcile()
    part.reconcile()
    copies = points(aws, "away", "eu-west-1")
    assert set(copies) == {"EFS", "RDS"}
    assert len(aws.client("backup").list_copy_jobs(ByState="COMPLETED")["CopyJobs"]) == 2, "once each"
    (snapshot,) = aws.client("rds", "eu-west-1").describe_db_snapshots(SnapshotType="awsbackup")["DBSnapshots"]
    assert copies["RDS"]["RecoveryPointArn"].endswith(f":snapshot:{snapshot['DBSnapshotIdentifier']}")
    assert copies["EFS"]["CreationDate"] == points(aws)["EFS"]["CreationDate"]
    assert copies["EFS"]["SourceBackupVaultArn"].endswith(":backup-vault:home")
    assert away.list_tags(ResourceArn=copies["EFS"]["RecoveryPointArn"])["Tags"]["Site"] == "shop"
    first = points(aws)["EFS"]["RecoveryPointArn"]
    aws.client("backup").delete_recovery_point(BackupVaultName="home", RecoveryPointArn=first)
    job = away.start_copy_job(
        RecoveryPointArn=copies["EFS"]["RecoveryPointArn"], SourceBackupVaultName="away",
        DestinationBackupVaultArn="arn:aws:backup:us-east-1:123456789012:backup-vault:home",
        IamRoleArn=copies["EFS"]["IamRoleArn"],
    )["CopyJobId"]  # fmt: skip
    told = away.describe_copy_job(CopyJobId=job)["CopyJob"]
    assert (told["State"], told["DestinationRecoveryPointArn"]) == (
        "COMPLETED", points(aws)["EFS"]["RecoveryPointArn"]
    )  # fmt: skip
    part.reconcile()
    assert len(aws.client("backup").list_copy_jobs()["CopyJobs"]) == 2, "what came back is not copied again"


@pytest.mark.usefixtures("made")
def test_a_copy_has_the_files_of_what_it_is_a_copy_of(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "initial_state", "RUNNING")
    clock = DayClock()
    part = BackupPlans(aws, clock)
    part.reconcile()
    clock.next(4)
    part.reconcile()
    for job in [*backup.running(aws, "EFS"), *backup.running(aws, "RDS")]:
        path = part.kept(job["RecoveryPointArn"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(job["ResourceType"])
        backup.set_job_state(aws, job["BackupJobId"], "COMPLETED", 3)
    part.reconcile()
    copies = points(aws, "away", "eu-west-1")
    for kind in ("EFS", "RDS"):
        path = part.kept(copies[kind]["RecoveryPointArn"])
        assert path.read_text() == kind
        path.unlink()
        part.kept(points(aws)[kind]["RecoveryPointArn"]).unlink()


@pytest.mark.usefixtures("made")
def test_what_is_old_goes_and_each_job_is_counted_once(aws: Cloud) -> None:
    clock = DayClock()
    part = BackupPlans(aws, clock)
    part.reconcile()
    at = clock.next(4)
    for _ in range(3):
        part.reconcile()
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Backup", MetricName="NumberOfBackupJobsCompleted",
        Dimensions=[{"Name": "BackupVaultName", "Value": "home"}], Statistics=["Sum"], Period=3600,
        StartTime=datetime.now(UTC) - timedelta(hours=1), EndTime=datetime.now(UTC) + timedelta(hours=1),
    )["Datapoints"]  # fmt: skip
    assert sum(each["Sum"] for each in found) == 2
    clock.now = at + timedelta(days=15)
    part.reconcile()
    assert all(each["CreationDate"] > at for each in points(aws).values())
    assert len(points(aws, "away", "eu-west-1")) == 2, "thirty days there"

"""AWS Backup: a vault of a stack, and jobs that copy file systems into it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.patches import backup
from local_aws.tests.stack_support import Stacks

VAULT = """
Parameters: {Tag: {Type: String, Default: one}}
Resources:
  Vault:
    Type: AWS::Backup::BackupVault
    Properties:
      BackupVaultName: shop-vault
      BackupVaultTags: {Tag: !Ref Tag}
Outputs:
  Name: {Value: !Ref Vault}
  Arn: {Value: !GetAtt Vault.BackupVaultArn}
"""
TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
NOBODY = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


@pytest.fixture
def made(aws: Cloud, stacks: Stacks) -> Iterator[dict[str, Any]]:
    """What StartBackupJob takes."""
    stacks.made("shop", VAULT)
    role = aws.client("iam").create_role(RoleName="copies", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    system = aws.client("efs").create_file_system(CreationToken="one")
    yield {"BackupVaultName": "shop-vault", "ResourceArn": system["FileSystemArn"], "IamRoleArn": role}
    aws.client("iam").delete_role(RoleName="copies")


def refused(code: str, words: str) -> Any:
    return pytest.raises(ClientError, match=rf"{code}.*{words}")


def test_a_vault_is_made_tagged_and_deleted_with_its_stack(aws: Cloud, stacks: Stacks) -> None:
    api = aws.client("backup")
    stacks.made("shop", VAULT)
    outputs = stacks.outputs("shop")
    assert api.describe_backup_vault(BackupVaultName=outputs["Name"])["BackupVaultArn"] == outputs["Arn"]
    assert api.list_tags(ResourceArn=outputs["Arn"])["Tags"]["Tag"] == "one"
    assert stacks.update("shop", VAULT, {"Tag": "two"})["StackStatus"] == "UPDATE_COMPLETE"
    assert api.list_tags(ResourceArn=outputs["Arn"])["Tags"]["Tag"] == "two"
    assert stacks.delete("shop")["StackStatus"] == "DELETE_COMPLETE"
    assert api.list_backup_vaults()["BackupVaultList"] == []


def test_a_job_ends_when_the_copy_is_made(aws: Cloud, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "initial_state", "RUNNING")
    api = aws.client("backup")
    given = made | {"IdempotencyToken": "a", "RecoveryPointTags": {"Site": "shop"}}
    job = api.start_backup_job(**given)
    assert api.start_backup_job(**given)["BackupJobId"] == job["BackupJobId"], "the same token is the same job"
    assert api.describe_backup_job(BackupJobId=job["BackupJobId"])["State"] == "RUNNING"
    point = {"BackupVaultName": "shop-vault", "RecoveryPointArn": job["RecoveryPointArn"]}
    assert api.describe_recovery_point(**point)["Status"] == "PARTIAL"
    with refused("InvalidResourceStateException", "being made"):
        api.delete_recovery_point(**point)

    backup.set_job_state(aws, job["BackupJobId"], "COMPLETED", 4096)

    done = api.describe_backup_job(BackupJobId=job["BackupJobId"])
    assert (done["State"], done["BackupSizeInBytes"]) == ("COMPLETED", 4096)
    found = api.describe_recovery_point(**point)
    assert (found["Status"], found["BackupSizeInBytes"]) == ("COMPLETED", 4096)
    assert api.list_tags(ResourceArn=job["RecoveryPointArn"])["Tags"] == {"Site": "shop"}
    listed = api.list_recovery_points_by_resource(ResourceArn=made["ResourceArn"])["RecoveryPoints"]
    assert [each["RecoveryPointArn"] for each in listed] == [job["RecoveryPointArn"]]


def test_a_copy_that_fails_leaves_no_recovery_point(
    aws: Cloud, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "initial_state", "RUNNING")
    api = aws.client("backup")
    job = api.start_backup_job(**made)["BackupJobId"]
    assert [each["BackupJobId"] for each in api.list_backup_jobs(ByState="RUNNING")["BackupJobs"]] == [job]
    backup.set_job_state(aws, job, "FAILED", message="no room")
    assert api.describe_backup_job(BackupJobId=job)["StatusMessage"] == "no room"
    assert api.list_backup_jobs(ByState="RUNNING")["BackupJobs"] == []
    assert api.list_recovery_points_by_backup_vault(BackupVaultName="shop-vault")["RecoveryPoints"] == []


def test_a_vault_with_recovery_points_stays_until_they_are_deleted(aws: Cloud, made: dict[str, Any]) -> None:
    api = aws.client("backup")
    arn = api.start_backup_job(**made)["RecoveryPointArn"]
    (held,) = [each for each in api.list_backup_vaults()["BackupVaultList"] if each["BackupVaultName"] == "shop-vault"]
    assert held["NumberOfRecoveryPoints"] == 1
    with refused("InvalidRequestException", "contains 1 recovery points"):
        api.delete_backup_vault(BackupVaultName="shop-vault")
    with refused("ResourceNotFoundException", "not in this vault"):
        api.describe_recovery_point(BackupVaultName="another", RecoveryPointArn=arn)
    api.delete_recovery_point(BackupVaultName="shop-vault", RecoveryPointArn=arn)
    assert not any(each["NumberOfRecoveryPoints"] for each in api.list_backup_vaults()["BackupVaultList"])
    with refused("ResourceNotFoundException", "does not exist"):
        api.describe_recovery_point(BackupVaultName="shop-vault", RecoveryPointArn=arn)
    api.delete_backup_vault(BackupVaultName="shop-vault")


def test_what_aws_backup_would_not_do_is_refused(aws: Cloud, made: dict[str, Any]) -> None:
    api, iam = aws.client("backup"), aws.client("iam")
    assert api.describe_region_settings()["ResourceTypeOptInPreference"]["EFS"] is True
    api.update_region_settings(ResourceTypeOptInPreference={"EFS": False})
    with refused("InvalidRequestException", "not opted in"):
        api.start_backup_job(**made)
    api.update_region_settings(ResourceTypeOptInPreference={"EFS": True})
    wrong = iam.create_role(RoleName="hosts", AssumeRolePolicyDocument=json.dumps(NOBODY))["Role"]["Arn"]
    with refused("InvalidParameterValueException", "cannot be assumed"):
        api.start_backup_job(**made | {"IamRoleArn": wrong})
    iam.delete_role(RoleName="hosts")
    gone = made["ResourceArn"].rpartition("/")[0] + "/fs-00000000"
    with refused("InvalidParameterValueException", "does not exist"):
        api.start_backup_job(**made | {"ResourceArn": gone})
    with refused("ResourceNotFoundException", "nowhere"):
        api.start_backup_job(**made | {"BackupVaultName": "nowhere"})
    with refused("NotImplemented", "Only file systems"):
        api.start_backup_job(**made | {"ResourceArn": "arn:aws:dynamodb:us-east-1:123456789012:table/shop"})
    with refused("ResourceNotFoundException", "does not exist"):
        api.describe_backup_job(BackupJobId="none")

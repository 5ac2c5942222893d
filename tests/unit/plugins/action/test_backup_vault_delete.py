"""A vault goes with all that is in it."""

from __future__ import annotations

import json

import pytest

from local_aws.cloud import Cloud
from plugins.action import backup_vault_delete
from tests.unit.plugin_support import run_action, talk_to

TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}


def test_a_vault_goes_with_its_recovery_points(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    talk_to(aws, monkeypatch)
    api = aws.client("backup")
    role = aws.client("iam").create_role(RoleName="going", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    system = aws.client("efs").create_file_system(CreationToken="going")["FileSystemArn"]
    api.create_backup_vault(BackupVaultName="going")
    for _ in range(2):
        api.start_backup_job(BackupVaultName="going", ResourceArn=system, IamRoleArn=role)
    would = run_action(backup_vault_delete, {"name": "going"}, check=True)
    assert (would["changed"], would["points"]) == (True, 2)
    assert len(api.list_recovery_points_by_backup_vault(BackupVaultName="going")["RecoveryPoints"]) == 2
    assert run_action(backup_vault_delete, {"name": "going"})["points"] == 2
    assert "going" not in [each["BackupVaultName"] for each in api.list_backup_vaults()["BackupVaultList"]]
    assert not run_action(backup_vault_delete, {"name": "going"})["changed"]


def test_those_of_a_stack_go_and_no_others_of_any_region(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    talk_to(aws, monkeypatch)
    away, here = aws.client("backup", "eu-west-1"), aws.client("backup")
    for name in ("shop-copy-0a1b2c3d", "shop-copy-11112222", "shop-copy-2-0a1b2c3d", "shop-copy"):
        away.create_backup_vault(BackupVaultName=name)
    here.create_backup_vault(BackupVaultName="shop-copy-0a1b2c3d")
    meant = {"stack": "shop-copy", "region": "eu-west-1"}
    assert run_action(backup_vault_delete, meant, check=True)["changed"]
    assert run_action(backup_vault_delete, meant)["changed"]
    left = {each["BackupVaultName"] for each in away.list_backup_vaults()["BackupVaultList"]}
    assert left >= {"shop-copy-2-0a1b2c3d", "shop-copy"}
    assert not left & {"shop-copy-0a1b2c3d", "shop-copy-11112222"}
    assert "shop-copy-0a1b2c3d" in {each["BackupVaultName"] for each in here.list_backup_vaults()["BackupVaultList"]}
    assert not run_action(backup_vault_delete, meant)["changed"]


def test_what_does_not_go_in_time_is_told() -> None:
    class Held:
        def get_paginator(self, _name: str) -> Held:
            return self

        def paginate(self, **_: str) -> list[dict[str, list[dict[str, str]]]]:
            return [{"RecoveryPoints": [{"RecoveryPointArn": "arn:one"}]}]

        def delete_recovery_point(self, **_: str) -> None:
            """As if it was under way."""

    told = run_action(backup_vault_delete, {"name": "going", "timeout": 0}, client=lambda *_: Held())
    assert told["failed"]
    assert "is not empty after 0 s; 1 recovery points are left" in told["msg"]

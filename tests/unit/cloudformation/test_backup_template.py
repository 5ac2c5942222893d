"""The layer backup: a vault and a role, with `at` a plan of what the site has, with `copy_to` a vault elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode_str

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks
from tests.unit.noun_support import Deployed, body, made
from tests.unit.plugin_support import talk_to

THEIR_LOGIN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-0A1B2C"
PLANNED = {"every": "1d", "keep": 14, "at": "04:00"}
DATA: dict[str, Any] = {
    "site_databases": {"main": {}, "theirs": {"endpoint": "db.shop.test", "secret_arn": THEIR_LOGIN}},
    "site_volumes": {"media": {}, "docs": {}},
}
SUBSCRIBERS = {"alarms_subscribers": ["ops@shop.test"]}
EVERYTHING = {**DATA, **SUBSCRIBERS, "site_backups": {**PLANNED, "copy_to": "eu-west-1"}}


def layer(given: dict[str, Any], name: str = "backup") -> dict[str, Any]:
    return made(given, (name,))[name]


def resources(given: dict[str, Any]) -> dict[str, Any]:
    found, problems = decode_str(body(layer(given)))
    assert found is not None, problems
    return dict(found["Resources"])


def rule(given: dict[str, Any]) -> dict[str, Any]:
    """The plan's one rule."""
    (found,) = resources(given)["Plan"]["Properties"]["BackupPlan"]["BackupPlanRule"]
    return dict(found)


@pytest.mark.parametrize("backups", [{}, {"every": "1d"}, PLANNED, EVERYTHING["site_backups"]])
@pytest.mark.parametrize("subscribers", [SUBSCRIBERS, {}])
def test_it_is_what_cloudformation_takes(tmp_path: Path, backups: dict[str, Any], subscribers: dict[str, Any]) -> None:
    layers = made({**DATA, **subscribers, "site_backups": backups}, ("backup", "backup_copy"))
    assert set(layers) == ({"backup"} if backups else set()) | ({"backup_copy"} if "copy_to" in backups else set())
    for name, each in layers.items():
        path = tmp_path / f"{name}.yml"
        path.write_text(body(each))
        command = [str(Path(sys.executable).parent / "cfn-lint"), "--regions", "us-east-1", "--", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_without_a_time_nothing_is_begun_by_itself() -> None:
    found = resources({**DATA, **SUBSCRIBERS, "site_backups": {"every": "1d"}})
    assert set(found) == {"Vault", "Role"}
    assert layer({**DATA, "site_backups": {"every": "1d"}})["parameters"] == {}
    only: dict[str, Any] = {"site_databases": {"main": {}}}
    assert made({**only, "site_backups": {"every": "1d"}}, ("backup",)) == {}, "snapshots by hand need neither"
    assert "Plan" in resources({**only, "site_backups": PLANNED})


def test_the_plan_copies_berths_own_databases_and_the_volumes() -> None:
    assert layer(EVERYTHING)["takes"] == {
        "Copied1": "database.main.InstanceId",
        "Copied2": "volume.docs.FileSystemArn",
        "Copied3": "volume.media.FileSystemArn",
    }
    selected = resources(EVERYTHING)["Selection"]["Properties"]["BackupSelection"]["Resources"]
    assert selected == [
        {"Fn::Sub": "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:db:${Copied1}"},
        {"Ref": "Copied2"},
        {"Ref": "Copied3"},
    ]


@pytest.mark.parametrize(
    ("backups", "cron", "days"),
    [
        (PLANNED, "cron(0 4 * * ? *)", 14),
        ({"every": "12h", "keep": 3, "at": "16:30"}, "cron(30 4,16 * * ? *)", 2),
        ({"every": "7d", "keep": 4, "at": "04:00"}, "cron(0 4 ? * SUN *)", 28),
        ({"every": "1d", "at": "23:05"}, "cron(5 23 * * ? *)", None),
    ],
)
def test_when_it_begins_and_for_how_long_what_it_made_is_kept(
    backups: dict[str, Any], cron: str, days: int | None
) -> None:
    found = rule({**DATA, "site_backups": backups})
    assert found["ScheduleExpression"] == cron
    assert found.get("Lifecycle", {}).get("DeleteAfterDays") == days
    assert found["CompletionWindowMinutes"] > found["StartWindowMinutes"] == 60
    assert "CopyActions" not in found


def test_copies_are_kept_as_long_and_only_its_own_vaults_are_copied_to() -> None:
    (action,) = rule(EVERYTHING)["CopyActions"]
    assert action == {"DestinationBackupVaultArn": {"Ref": "CopyVaultArn"}, "Lifecycle": {"DeleteAfterDays": 14}}
    (policy,) = resources(EVERYTHING)["Role"]["Properties"]["Policies"]
    allowed = {str(each["Action"]): each for each in policy["PolicyDocument"]["Statement"]}
    (to,) = allowed["backup:CopyFromBackupVault"]["Condition"].values()
    assert to["backup:CopyTargets"][0] == {"Ref": "CopyVaultArn"}
    here = resources({**DATA, "site_backups": PLANNED})["Role"]["Properties"]["Policies"][0]
    assert "CopyFromBackupVault" not in str(here)


def test_a_database_is_copied_only_where_there_is_one() -> None:
    files = resources({"site_volumes": {"media": {}}, **SUBSCRIBERS, "site_backups": PLANNED})
    assert "rds:" not in str(files)
    assert "rds:CreateDBSnapshot" in str(resources(EVERYTHING)["Role"])


@pytest.mark.parametrize(
    ("backups", "hours"),
    [
        (PLANNED, 25),
        ({**PLANNED, "every": "12h"}, 13),
        ({**PLANNED, "every": "7d"}, None),
    ],
)
def test_a_plan_that_is_not_through_rings_as_far_as_cloudwatch_looks_back(
    backups: dict[str, Any], hours: int | None
) -> None:
    found = resources({**DATA, **SUBSCRIBERS, "site_backups": backups})
    alarm = found.get("BackupMissing", {"Properties": {}})["Properties"]
    assert alarm.get("EvaluationPeriods") == hours
    assert not alarm or (alarm["TreatMissingData"], alarm["Namespace"]) == ("breaching", "AWS/Backup")
    by_hand = made({**DATA, **SUBSCRIBERS, "site_backups": backups}, ("alarms",))["alarms"]
    assert "BackupMissing" not in body(by_hand), "one alarm, of whoever begins the backups"
    assert "BackupMissing" not in str(resources({**DATA, "site_backups": backups}))


def test_a_copy_or_a_database_that_fails_is_told_of() -> None:
    found = resources(EVERYTHING)
    detail = found["BackupFailed"]["Properties"]["EventPattern"]["detail"]
    assert detail["state"] == ["ABORTED", "EXPIRED", "FAILED", "PARTIAL"]
    assert [each["Fn::Sub"].rpartition(":")[2] for each in detail["resourceArn"]] == ["${Copied1}"]
    assert found["CopyFailed"]["Properties"]["EventPattern"]["detail"]["destinationBackupVaultArn"] == [
        {"Ref": "CopyVaultArn"}
    ]


def test_the_layers_are_deployed_and_the_vault_stays(
    aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk_to(aws, monkeypatch)
    given = {"site_databases": {"main": {}}, "site_volumes": {"media": {}}, **SUBSCRIBERS}
    given |= {"site_backups": EVERYTHING["site_backups"]}
    layers, deployed = made(given, ("backup", "backup_copy")), Deployed(aws, stacks)
    system = aws.client("efs").create_file_system(CreationToken="one")
    deployed.outputs |= {"database.main.InstanceId": "shop", "volume.media.FileSystemArn": system["FileSystemArn"]}
    there = aws.client("backup", "eu-west-1")
    done = deployed.run("backup_copy", {**layers["backup_copy"], "stack": "backup-copy"})
    assert not done.get("failed"), done
    (vault,) = there.list_backup_vaults()["BackupVaultList"]
    deployed.outputs |= {"CopyVaultArn": vault["BackupVaultArn"], "AlarmTopicArn": ""}
    deployed.create("backup", layers["backup"])
    outputs = stacks.outputs("shop-unit-backup")
    plan = aws.client("backup").get_backup_plan(BackupPlanId=outputs["PlanId"])["BackupPlan"]
    assert plan["Rules"][0]["TargetBackupVaultName"] == outputs["VaultName"]
    assert plan["Rules"][0]["CopyActions"][0]["DestinationBackupVaultArn"] == vault["BackupVaultArn"]
    deployed.delete(layers["backup"])
    assert [each["BackupVaultName"] for each in aws.client("backup").list_backup_vaults()["BackupVaultList"]] == [
        outputs["VaultName"]
    ]

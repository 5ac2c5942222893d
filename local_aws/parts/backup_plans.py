"""AWS Backup's clock: begins what plans say when it is due, copies to other vaults, and lets go of what is over."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.backup import backup_backends
from moto.core.exceptions import ServiceException

from local_aws.access import roles
from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID
from local_aws.part import Health, Part
from local_aws.patches import backup, backup_copies, backup_plans
from local_aws.schedules import expressions

NAMESPACE = "AWS/Backup"
COUNTED = {"COMPLETED": "NumberOfBackupJobsCompleted", "FAILED": "NumberOfBackupJobsFailed"}
"""State of a job → the metric that counts it, by vault.

https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html
"""
Key = tuple[str, str, str]


@dataclass
class Timeline:
    """Where one rule of one version of a plan is.

    Attributes:
        seen: up to when its times were looked at.
        upcoming: its next time.
    """

    seen: datetime
    upcoming: datetime | None


class BackupPlans(Part):
    """Begins the jobs of plans and copies what they have made.

    A job begins at once when it is due, so start and completion windows are recorded only. Who reads a copy in another
    region finds the same archive or dump there, under the copy's own name.

    Args:
        cloud: the embedded AWS.
        clock: seconds since the epoch.
    """

    name = "backup"

    def __init__(self, cloud: Cloud, clock: Callable[[], float] = time.time) -> None:
        super().__init__(cloud)
        self._clock = clock
        self._timelines: dict[Key, Timeline] = {}
        self._counted: set[str] = set()
        self._trouble: dict[str, str] = {}

    def reconcile(self) -> None:
        now = self._clock()
        kept: set[Key] = set()
        for region, backend in list(backup_backends[ACCOUNT_ID].items()):
            for plan in backup_plans.plans(backend):
                for rule in plan.backup_plan["Rules"]:
                    key = (plan.backup_plan_id, plan.version_id, rule["RuleId"])
                    kept.add(key)
                    if self._is_due(key, plan, rule, now):
                        self._begin(backend, plan, rule, now)
            self._copy_on(backend, now)
            self._copy(backend, now)
            self._let_go(backend, now)
            self._count(region, backend)
        self._timelines = {key: line for key, line in self._timelines.items() if key in kept}

    def health(self) -> list[Health]:
        """A line for each plan: when it is due next, or what did not begin."""
        lines = []
        for backend in list(backup_backends[ACCOUNT_ID].values()):
            for plan in backup_plans.plans(backend):
                times = [line.upcoming for key, line in self._timelines.items() if key[0] == plan.backup_plan_id]
                upcoming = min((each for each in times if each), default=None)
                trouble = self._trouble.get(plan.backup_plan_id, "")
                detail = f"next {upcoming.isoformat(timespec='seconds')}" if upcoming else "never again"
                lines.append(
                    Health(f"backup plan {plan.backup_plan['BackupPlanName']}", not trouble, trouble or detail)
                )
        return lines

    def _is_due(self, key: Key, plan: Any, rule: dict[str, Any], now: float) -> bool:
        """Whether a time of the rule has come. Of several at once (this machine slept) it is one."""
        line = self._timelines.get(key)
        if line is None:
            since = datetime.fromtimestamp(plan.berth_since, UTC)
            line = self._timelines[key] = Timeline(since, _next(rule, since))
        due, moment = False, datetime.fromtimestamp(now, UTC)
        while line.upcoming and line.upcoming <= moment:
            due, line.seen = True, line.upcoming
            line.upcoming = _next(rule, line.seen)
        return due

    def _begin(self, backend: Any, plan: Any, rule: dict[str, Any], now: float) -> None:
        """Begin a job of each resource that the selections name. Of a type that is not opted in there is none."""
        by = {
            "BackupPlanId": plan.backup_plan_id,
            "BackupPlanArn": plan.backup_plan_arn,
            "BackupPlanName": plan.backup_plan["BackupPlanName"],
            "BackupPlanVersion": plan.version_id,
            "BackupRuleId": rule["RuleId"],
            "BackupRuleName": rule["RuleName"],
            "BackupRuleCron": rule["ScheduleExpression"],
            "BackupRuleTimezone": rule["ScheduleExpressionTimezone"],
        }
        self._trouble.pop(plan.backup_plan_id, None)
        for selected in backup_plans.selections(backend, plan.backup_plan_id).values():
            role = selected["BackupSelection"]["IamRoleArn"]
            for resource in selected["BackupSelection"].get("Resources") or []:
                given = {
                    "BackupVaultName": rule["TargetBackupVaultName"],
                    "ResourceArn": resource,
                    "IamRoleArn": role,
                    "Lifecycle": rule.get("Lifecycle"),
                    "RecoveryPointTags": rule.get("RecoveryPointTags"),
                }
                try:
                    with self.cloud.changes.happening():
                        job = backup.start(backend, given, by, now)
                except (ServiceException, NotImplementedError) as error:
                    self.log.warning("backup of %s: %s", resource, error)
                    self._trouble[plan.backup_plan_id] = str(error)
                    continue
                if job["ResourceType"] == "RDS" and (why := self._denied(job, backend.region_name)):
                    backup.set_job_state(self.cloud, job["BackupJobId"], "FAILED", message=why)
                self.log.info("backup of %s began", resource)

    def _denied(self, job: dict[str, Any], region: str) -> str:
        """Why the role may not make the snapshot; empty if it may."""
        names = {
            "DBInstanceIdentifier": job["ResourceArn"].rpartition(":")[2],
            "DBSnapshotIdentifier": job["RecoveryPointArn"].partition(":snapshot:")[2],
        }
        return roles.refusal(self.cloud, job["IamRoleArn"], "AWSBackup", ("rds", "CreateDBSnapshot"), region, **names)

    def _copy_on(self, backend: Any, now: float) -> None:
        """Begin the copies that a rule wants of what it has made."""
        rules = {rule["RuleId"]: rule for plan in backup_plans.plans(backend) for rule in plan.backup_plan["Rules"]}
        begun = {
            (job["SourceRecoveryPointArn"], job["DestinationBackupVaultArn"]) for job in backend.berth_copies.values()
        }
        for point in list(backend.berth_points.values()):
            rule = rules.get((point.get("CreatedBy") or {}).get("BackupRuleId", ""), {})
            if point["Status"] != "COMPLETED" or "SourceBackupVaultArn" in point:
                continue
            for action in rule.get("CopyActions") or []:
                to = action["DestinationBackupVaultArn"]
                if (point["RecoveryPointArn"], to) in begun:
                    continue
                given = {
                    "RecoveryPointArn": point["RecoveryPointArn"],
                    "SourceBackupVaultName": point["BackupVaultName"],
                    "DestinationBackupVaultArn": to,
                    "IamRoleArn": point["IamRoleArn"],
                    "Lifecycle": action.get("Lifecycle"),
                }
                try:
                    backup_copies.start(backend, given, point["CreatedBy"], now)
                except ServiceException as error:
                    self.log.warning("copy of %s: %s", point["RecoveryPointArn"], error)
                    self._trouble[point["CreatedBy"]["BackupPlanId"]] = str(error)

    def _copy(self, backend: Any, now: float) -> None:
        """Do what the copy jobs wait for."""
        for job in [each for each in list(backend.berth_copies.values()) if each["State"] == "RUNNING"]:
            source, target = (
                self.kept(job[name]) for name in ("SourceRecoveryPointArn", "DestinationRecoveryPointArn")
            )
            why = ""
            try:
                if source.exists():
                    shutil.copy2(source, target)
            except OSError as error:
                why = f"The recovery point could not be copied: {error}"
            with self.cloud.changes.happening():
                backup_copies.ends(backend, job, why, now)

    def kept(self, arn: str) -> Path:
        """Where the archive or the dump of a recovery point is.

        Args:
            arn: of the recovery point.
        """
        state = self.cloud.config.state
        if found := backup.SNAPSHOT.fullmatch(arn):
            return state / "snapshots" / f"{found[2]}.sql"
        return state / "backups" / f"{arn.rpartition(':')[2]}.tar"

    def _let_go(self, backend: Any, now: float) -> None:
        """Delete recovery points whose lifecycle is over. What is made still stays."""
        for arn, point in list(backend.berth_points.items()):
            ends = (point.get("CalculatedLifecycle") or {}).get("DeleteAt")
            if ends is not None and ends <= now and point["Status"] == "COMPLETED":
                with self.cloud.changes.happening():
                    backup.forget(backend, arn)

    def _count(self, region: str, backend: Any) -> None:
        """Tell CloudWatch of jobs that have ended."""
        for job in list(backend.berth_jobs.values()):
            if job["State"] not in COUNTED or job["BackupJobId"] in self._counted:
                continue
            self._counted.add(job["BackupJobId"])
            dimensions = [{"Name": "BackupVaultName", "Value": job["BackupVaultName"]}]
            datum = {"MetricName": COUNTED[job["State"]], "Dimensions": dimensions, "Value": 1, "Unit": "Count"}
            self.cloud.client("cloudwatch", region).put_metric_data(Namespace=NAMESPACE, MetricData=[datum])


def _next(rule: dict[str, Any], after: datetime) -> datetime | None:
    """The next time of a rule."""
    zone = expressions.time_zone(rule["ScheduleExpressionTimezone"])
    return expressions.parse(rule["ScheduleExpression"]).next(after, zone, after)

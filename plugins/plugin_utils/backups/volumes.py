"""Volumes in a backup: a recovery point each, which AWS Backup makes of the file system into the site's vault."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.backups.point import WAITING, Part
from plugins.plugin_utils.ledger import FAILED, GOOD, RUNNING
from plugins.plugin_utils.lock import code

KIND = "recovery point"
ENDED = ("ABORTED", "FAILED", "EXPIRED", "PARTIAL")
ABSENT = ("ResourceNotFoundException",)
TYPE = "EFS"
"""AWS Backup's word for file systems."""


class RecoveryPoints:
    """Recovery points of AWS Backup.

    Args:
        backup: boto3 client.
        prefix: of the environment.
        tags: that they get.
        vault: that they are made into; empty where none are made.
        role: ARN of the role by which AWS Backup makes them.
    """

    def __init__(self, backup: Any, prefix: str, tags: Mapping[str, str], vault: str = "", role: str = "") -> None:
        self._backup, self._prefix, self._vault, self._role = backup, prefix, vault, role
        self._tags = {name: str(value) for name, value in tags.items()}

    def is_opted_in(self) -> bool:
        """Whether the account lets AWS Backup at file systems in this region.

        https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeRegionSettings.html
        """
        return bool(self._backup.describe_region_settings()["ResourceTypeOptInPreference"].get(TYPE))

    def begin(self, entry: str, of: str, point: str, before: Mapping[str, Any]) -> Part:
        """Start the job, unless one has made it or is at it.

        The token is made of the job before it: asked again, as a run was killed in between, AWS Backup answers with the
        job that there is, and where that has failed a new one is started.

        Args:
            entry: of `site_volumes`.
            of: ARN of the file system.
            point: name of the backup.
            before: the part as an earlier run has left it; empty if there was none.
        """
        if before.get("job") and (found := self.look(before))["state"] != FAILED:
            return found
        part: Part = {"kind": KIND, "of": of, "id": "", "vault": self._vault, "state": RUNNING, "why": ""}
        named = " ".join((self._prefix, self._vault, point, entry, str(before.get("job", ""))))
        try:
            job = self._backup.start_backup_job(
                BackupVaultName=self._vault,
                ResourceArn=of,
                IamRoleArn=self._role,
                IdempotencyToken=hashlib.sha256(named.encode()).hexdigest()[:32],
                RecoveryPointTags=self._tags,
            )
        except ClientError as error:
            if code(error) != "LimitExceededException":
                raise
            return part | {"state": WAITING, "why": str(error.response["Error"]["Message"])}
        return part | {"job": job["BackupJobId"], "id": job.get("RecoveryPointArn", "")}

    def look(self, part: Mapping[str, Any]) -> Part:
        """The part as it is now: the job's word that it is done counts only once its recovery point is there."""
        job = self._job(str(part.get("job", "")))
        if not job and not part.get("id"):
            return {**part, "state": FAILED, "why": "AWS Backup knows nothing of its job"}
        if job and job["State"] != "COMPLETED":
            over = job["State"] in ENDED
            why = f"AWS Backup: {job['State']}" + (f", {job['StatusMessage']}" if job.get("StatusMessage") else "")
            percent = int(float(job.get("PercentDone") or 0))
            return {**part, "state": FAILED if over else RUNNING, "why": why if over else "", "percent": percent}
        arn = str(job.get("RecoveryPointArn") or part["id"]) if job else str(part["id"])
        found = self._point(str(part["vault"]), arn)
        if not found:
            return {**part, "id": arn, "state": FAILED, "why": "its recovery point is gone"}
        whole = found["Status"] in ("COMPLETED", "AVAILABLE")
        made = found.get("CreationDate")
        return {
            **part,
            "id": arn,
            "state": GOOD if whole else RUNNING if found["Status"] in ("PARTIAL", "CREATING") else FAILED,
            "why": "" if whole else f"its recovery point is {found['Status']}",
            "percent": 100,
            "bytes": int(found.get("BackupSizeInBytes") or 0),
            "made": made.isoformat(timespec="seconds") if made else "",
        }

    def there(self, parts: list[Mapping[str, Any]]) -> set[str]:
        """The ids of those parts whose recovery points are there still."""
        found = set()
        for vault in sorted({str(each["vault"]) for each in parts if each.get("vault")}):
            try:
                pages = self._backup.get_paginator("list_recovery_points_by_backup_vault").paginate(
                    BackupVaultName=vault
                )
                found |= {
                    str(each["RecoveryPointArn"])
                    for page in pages
                    for each in page["RecoveryPoints"]
                    if each.get("Status") in ("COMPLETED", "AVAILABLE")
                }
            except ClientError as error:
                if code(error) not in ABSENT:
                    raise
        return {str(each["id"]) for each in parts} & found

    def let_go(self, part: Mapping[str, Any]) -> None:
        """Delete the recovery point; one that is gone is fine."""
        if not part.get("id"):
            return
        try:
            self._backup.delete_recovery_point(BackupVaultName=part["vault"], RecoveryPointArn=part["id"])
        except ClientError as error:
            if code(error) not in ABSENT:
                raise

    def _job(self, job: str) -> dict[str, Any]:
        try:
            return dict(self._backup.describe_backup_job(BackupJobId=job)) if job else {}
        except ClientError as error:
            if code(error) not in ABSENT:
                raise
            return {}  # AWS Backup forgets a job after 30 days

    def _point(self, vault: str, arn: str) -> dict[str, Any]:
        try:
            return dict(self._backup.describe_recovery_point(BackupVaultName=vault, RecoveryPointArn=arn))
        except ClientError as error:
            if code(error) not in ABSENT:
                raise
            return {}

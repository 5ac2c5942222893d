"""AWS Backup's copies of recovery points to another vault, of another region too, which moto lacks.

A copy job is done when whoever copies says so (`local_aws.parts.backup_plans`); without one (no Docker) at once. A copy
of a database is a snapshot of RDS in the other region.
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_StartCopyJob.html
"""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import unquote

from moto.backup import backup_backends, urls
from moto.backup.models import BackupBackend
from moto.backup.responses import BackupResponse
from moto.core.utils import unix_time
from moto.rds import rds_backends
from moto.rds.models import DBSnapshot

from local_aws.config import ACCOUNT_ID
from local_aws.patches import backup
from local_aws.patches._moto import AwsError, around, missing

FILTERS = {
    "state": "State", "resourceArn": "ResourceArn", "destinationVaultArn": "DestinationBackupVaultArn",
    "sourceRecoveryPointArn": "SourceRecoveryPointArn",
}  # fmt: skip
"""What copy jobs are listed by → the field of a job."""

for _path in ("/copy-jobs/?$", "/copy-jobs/(?P<job>[^/]+)$"):
    urls.url_paths["{0}" + _path] = BackupResponse.dispatch


@around(BackupBackend, "__init__")
def _init(init: Any, self: Any, *arguments: Any, **keywords: Any) -> None:
    init(self, *arguments, **keywords)
    self.berth_copies = {}


@missing(BackupResponse, "start_copy_job")
def _start_copy_job(self: BackupResponse) -> str:
    given, backend = json.loads(self.body), self.backup_backend
    token = given.get("IdempotencyToken")
    same = next((each for each in backend.berth_copies.values() if token and each["token"] == token), None)
    job = same or start(backend, given)
    return json.dumps({"CopyJobId": job["CopyJobId"], "CreationDate": job["CreationDate"]})


@missing(BackupResponse, "describe_copy_job")
def _describe_copy_job(self: BackupResponse) -> str:
    name = unquote(self.path).rstrip("/").rpartition("/")[2]
    job = self.backup_backend.berth_copies.get(name)
    if job is None:
        raise AwsError("ResourceNotFoundException", f"Copy job {name} does not exist.")
    return json.dumps({"CopyJob": _told(job)})


@missing(BackupResponse, "list_copy_jobs")
def _list_copy_jobs(self: BackupResponse) -> str:
    wanted = {field: value for name, field in FILTERS.items() if (value := self._get_param(name)) is not None}
    jobs = [
        _told(each)
        for each in list(self.backup_backend.berth_copies.values())
        if all(each[field] == value for field, value in wanted.items())
    ]
    return json.dumps({"CopyJobs": jobs})


def start(
    backend: BackupBackend, given: dict[str, Any], created_by: dict[str, str] | None = None, now: float | None = None
) -> dict[str, Any]:
    """Begin a copy job.

    Args:
        backend: of the region where the recovery point is.
        given: the request.
        created_by: the plan and the rule that begin it; None if a person does.
        now: seconds since the epoch; by default the clock's.

    Raises:
        AwsError: AWS Backup refuses it.
    """
    arn = given["RecoveryPointArn"]
    source = backend.berth_points.get(arn)
    if source is None or source["BackupVaultName"] != given["SourceBackupVaultName"]:
        raise AwsError("ResourceNotFoundException", f"Recovery point {arn} does not exist in this vault.")
    if source["Status"] != "COMPLETED":
        raise AwsError("InvalidRequestException", f"Recovery point is {source['Status']}.")
    region, name = given["DestinationBackupVaultArn"].split(":")[3], given["DestinationBackupVaultArn"].split(":")[-1]
    there = backup_backends[ACCOUNT_ID][region]
    vault = there.describe_backup_vault(name)
    backup.check_role(given["IamRoleArn"])
    kind, at = source["ResourceType"], unix_time() if now is None else now
    unique, place = str(uuid.uuid4()), f"{region}:{ACCOUNT_ID}"
    copy = f"arn:aws:backup:{place}:recovery-point:{uuid.uuid4()}"
    job = {
        "token": given.get("IdempotencyToken"),
        "lifecycle": given.get("Lifecycle") or {},
        "AccountId": ACCOUNT_ID,
        "CopyJobId": unique.upper(),
        "SourceBackupVaultArn": source["BackupVaultArn"],
        "SourceRecoveryPointArn": arn,
        "DestinationBackupVaultArn": vault.backup_vault_arn,
        "DestinationRecoveryPointArn": copy
        if kind == "EFS"
        else f"arn:aws:rds:{place}:snapshot:awsbackup:copyjob-{unique}",
        "ResourceArn": source["ResourceArn"],
        "ResourceType": kind,
        "CreationDate": at,
        "State": "RUNNING",
        "BackupSizeInBytes": source.get("BackupSizeInBytes", 0),
        "IamRoleArn": given["IamRoleArn"],
    } | ({"CreatedBy": created_by} if created_by else {})
    backend.berth_copies[job["CopyJobId"]] = job
    if backup.initial_state != "RUNNING":
        ends(backend, job, "", at)
    return job


def ends(backend: BackupBackend, job: dict[str, Any], why: str, now: float) -> None:
    """Say how a copy job has ended: its recovery point is there, or why it is not.

    Args:
        backend: of the region where the recovery point is.
        job: the job.
        why: it has failed; empty if it has not.
        now: seconds since the epoch.
    """
    source = backend.berth_points.get(job["SourceRecoveryPointArn"])
    why = why or ("" if source else "The recovery point is gone.")
    job |= {"State": "FAILED" if why else "COMPLETED", "CompletionDate": now} | ({"StatusMessage": why} if why else {})
    if not source or why:
        return
    region, arn = job["DestinationBackupVaultArn"].split(":")[3], job["DestinationRecoveryPointArn"]
    there = backup_backends[ACCOUNT_ID][region]
    same = ("AccountId", "ResourceArn", "ResourceType", "CreatedBy", "BackupSizeInBytes", "IsEncrypted", "Status")
    point = {name: source[name] for name in same if name in source} | {
        "RecoveryPointArn": arn,
        "BackupVaultName": job["DestinationBackupVaultArn"].split(":")[-1],
        "BackupVaultArn": job["DestinationBackupVaultArn"],
        "SourceBackupVaultArn": source["BackupVaultArn"],
        # AWS copies the time of the recovery point that it is a copy of.
        "CreationDate": source["CreationDate"],
        "CompletionDate": now,
        "IamRoleArn": job["IamRoleArn"],
    }
    backup.keep(there, point, job["lifecycle"])
    there.tag_resource(arn, backend.list_tags(source["RecoveryPointArn"]))
    from_, to = (backup.SNAPSHOT.fullmatch(each) for each in (source["RecoveryPointArn"], arn))
    if from_ and to:
        was = rds_backends[ACCOUNT_ID][from_[1]].database_snapshots[from_[2]]
        target = rds_backends[ACCOUNT_ID][region]
        target.database_snapshots[to[2]] = made = DBSnapshot(target, was.database, to[2], "awsbackup", list(was.tags))
        made.status = "available"


def _told(job: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in job.items() if name not in ("token", "lifecycle")}

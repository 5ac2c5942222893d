"""AWS Backup's jobs and recovery points, which moto lacks: of file systems, whose files a part copies.

A job is done when whoever copies says so; without one (no Docker) at once, with nothing in it. A restore goes into the
file system that the recovery point is of. Plans, copies to another vault and restores to a new file system are not
here, and neither are resources other than file systems.
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_StartBackupJob.html
https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-efs.html
"""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from moto.backup import backup_backends, urls
from moto.backup.models import BackupBackend
from moto.backup.responses import BackupResponse
from moto.core.utils import unix_time
from moto.efs import efs_backends
from moto.iam import iam_backends

from local_aws.config import ACCOUNT_ID, REGION
from local_aws.patches._moto import AwsError, around, missing

if TYPE_CHECKING:
    from local_aws.cloud import Cloud

initial_state = "COMPLETED"
"""State of a new job; the file systems part sets it to `RUNNING` and later calls `set_job_state`."""
FILE_SYSTEM = re.compile(r"arn:[\w-]+:elasticfilesystem:[\w-]+:\d{12}:file-system/(fs-[0-9a-f]+)")
PRINCIPAL = "backup.amazonaws.com"
NEEDED = ("file-system-id", "newFileSystem", "Encrypted", "PerformanceMode", "CreationToken")
ITEMS = "itemsToRestore"
"""What a restore of a file system has to be told, and what it may be: paths from its root, as JSON."""

for _path in (
    "/account-settings$",
    "/backup-jobs/?$",
    "/backup-jobs/(?P<job>[^/]+)$",
    "/backup-vaults/(?P<vault>[^/]+)/recovery-points/$",
    "/backup-vaults/(?P<vault>[^/]+)/recovery-points/(?P<point>[^/]+)$",
    "/restore-jobs/?$",
    "/restore-jobs/(?P<job>[^/]+)$",
    "/resources/(?P<resource_arn>.+)/recovery-points/$",
):
    urls.url_paths["{0}" + _path] = BackupResponse.dispatch


def set_job_state(cloud: Cloud, job: str, state: str, size: int = 0, message: str = "") -> None:
    """Say how a job is, and with it its recovery point.

    Args:
        job: its id.
        state: `COMPLETED` or `FAILED`.
        size: of what was copied, in bytes.
        message: why it failed.

    Raises:
        KeyError: there is none of that id.
    """
    with cloud.changes.happening():
        _ends(_jobs(backup_backends[ACCOUNT_ID][REGION])[job], state, size, message)


def restores(cloud: Cloud) -> list[dict[str, Any]]:
    """The restore jobs that wait, each with its `Metadata`, which AWS tells nobody."""
    del cloud  # one embedded AWS a process
    found = backup_backends[ACCOUNT_ID][REGION].berth_restores.values()
    return [dict(each) for each in found if each["Status"] == "RUNNING"]


def set_restore_state(cloud: Cloud, job: str, state: str, message: str = "") -> None:
    """Say how a restore job is.

    Args:
        job: its id.
        state: `COMPLETED` or `FAILED`.
        message: why it failed.

    Raises:
        KeyError: there is none of that id.
    """
    with cloud.changes.happening():
        _restored(backup_backends[ACCOUNT_ID][REGION].berth_restores[job], state, message)


@around(BackupBackend, "__init__")
def _init(init: Any, self: Any, *arguments: Any, **keywords: Any) -> None:
    init(self, *arguments, **keywords)
    self.berth_jobs, self.berth_points, self.berth_restores = {}, {}, {}
    self.berth_opt_in = {"EFS": True}


@around(BackupBackend, "list_backup_vaults")
def _list_backup_vaults(listed: Any, self: Any) -> Any:
    """moto always says that they are empty."""
    vaults = listed(self)
    for vault in vaults:
        held = [each for each in _points(self).values() if each["BackupVaultName"] == vault.backup_vault_name]
        vault.num_of_recovery_points = len(held)
    return vaults


@around(BackupBackend, "delete_backup_vault")
def _delete_backup_vault(delete: Any, self: Any, backup_vault_name: str) -> None:
    if held := [each for each in _points(self).values() if each["BackupVaultName"] == backup_vault_name]:
        raise AwsError(
            "InvalidRequestException", f"Backup vault cannot be deleted (contains {len(held)} recovery points)."
        )
    delete(self, backup_vault_name)


@missing(BackupResponse, "describe_region_settings")
def _describe_region_settings(self: BackupResponse) -> str:
    return json.dumps({"ResourceTypeOptInPreference": self.backup_backend.berth_opt_in})


@missing(BackupResponse, "update_region_settings")
def _update_region_settings(self: BackupResponse) -> str:
    given = json.loads(self.body).get("ResourceTypeOptInPreference") or {}
    self.backup_backend.berth_opt_in.update(given)
    return "{}"


@missing(BackupResponse, "start_backup_job")
def _start_backup_job(self: BackupResponse) -> str:
    given, backend = json.loads(self.body), self.backup_backend
    token = given.get("IdempotencyToken")
    same = next((each for each in _jobs(backend).values() if token and each["token"] == token), None)
    return json.dumps(_told(same or _start(backend, given), "BackupJobId", "RecoveryPointArn", "CreationDate"))


@missing(BackupResponse, "describe_backup_job")
def _describe_backup_job(self: BackupResponse) -> str:
    return json.dumps(_told(_found(_jobs(self.backup_backend), _last(self.path), "Backup job")))


@missing(BackupResponse, "list_backup_jobs")
def _list_backup_jobs(self: BackupResponse) -> str:
    wanted = self._get_param("state")
    jobs = [_told(each) for each in _jobs(self.backup_backend).values() if wanted in (None, each["State"])]
    return json.dumps({"BackupJobs": jobs})


@missing(BackupResponse, "start_restore_job")
def _start_restore_job(self: BackupResponse) -> str:
    given, found = json.loads(self.body), self.backup_backend.berth_restores
    token = given.get("IdempotencyToken")
    same = next((each for each in found.values() if token and each["token"] == token), None)
    return json.dumps(_told(same or _start_restore(self.backup_backend, given), "RestoreJobId"))


@missing(BackupResponse, "describe_restore_job")
def _describe_restore_job(self: BackupResponse) -> str:
    job = _found(self.backup_backend.berth_restores, _last(self.path), "Restore job")
    return json.dumps({name: value for name, value in job.items() if name not in ("token", "Metadata")})


@missing(BackupResponse, "describe_recovery_point")
def _describe_recovery_point(self: BackupResponse) -> str:
    return json.dumps(_point(self))


@missing(BackupResponse, "delete_recovery_point")
def _delete_recovery_point(self: BackupResponse) -> str:
    point = _point(self)
    if point["Status"] == "PARTIAL":
        raise AwsError("InvalidResourceStateException", "The recovery point is being made.")
    del _points(self.backup_backend)[point["RecoveryPointArn"]]
    return ""


@missing(BackupResponse, "list_recovery_points_by_backup_vault")
def _list_recovery_points_by_backup_vault(self: BackupResponse) -> str:
    vault = self.path.rstrip("/").split("/")[-2]
    self.backup_backend.describe_backup_vault(vault)  # not there: ResourceNotFoundException
    return _listed(self, lambda each: bool(each["BackupVaultName"] == vault))


@missing(BackupResponse, "list_recovery_points_by_resource")
def _list_recovery_points_by_resource(self: BackupResponse) -> str:
    resource = unquote(self.path).partition("/resources/")[2].removesuffix("/recovery-points/")
    return _listed(self, lambda each: bool(each["ResourceArn"] == resource))


def _listed(self: BackupResponse, wanted: Any) -> str:
    return json.dumps({"RecoveryPoints": [each for each in _points(self.backup_backend).values() if wanted(each)]})


def _point(self: BackupResponse) -> dict[str, Any]:
    """The recovery point of a request; in another vault it is none."""
    path = unquote(self.path)
    point: dict[str, Any] = _found(
        _points(self.backup_backend), path.partition("/recovery-points/")[2].rstrip("/"), "Recovery point"
    )
    if point["BackupVaultName"] != path.partition("/backup-vaults/")[2].split("/")[0]:
        raise AwsError("ResourceNotFoundException", "Recovery point is not in this vault.")
    return point


def _start(backend: BackupBackend, given: dict[str, Any]) -> dict[str, Any]:
    vault = backend.describe_backup_vault(given["BackupVaultName"])
    resource, role = given["ResourceArn"], given["IamRoleArn"]
    system = FILE_SYSTEM.fullmatch(resource)
    if not system:
        raise NotImplementedError("Only file systems of EFS are backed up.")
    if not backend.berth_opt_in["EFS"]:
        raise AwsError("InvalidRequestException", "Resource type EFS is not opted in for this Region.")
    if system[1] not in efs_backends[ACCOUNT_ID][backend.region_name].file_systems_by_id:
        raise AwsError("InvalidParameterValueException", f"File system {system[1]} does not exist.")
    roles = iam_backends[ACCOUNT_ID]["aws"].roles.values()
    if not any(each.arn == role and PRINCIPAL in str(each.assume_role_policy_document) for each in roles):
        raise AwsError("InvalidParameterValueException", f"IAM Role {role} cannot be assumed by AWS Backup")
    arn = f"arn:aws:backup:{backend.region_name}:{ACCOUNT_ID}:recovery-point:{uuid.uuid4()}"
    job = {
        "token": given.get("IdempotencyToken"),
        "AccountId": ACCOUNT_ID,
        "BackupJobId": str(uuid.uuid4()),
        "BackupVaultName": vault.backup_vault_name,
        "BackupVaultArn": vault.backup_vault_arn,
        "RecoveryPointArn": arn,
        "ResourceArn": resource,
        "ResourceType": "EFS",
        "CreationDate": unix_time(),
        "State": "RUNNING",
        "PercentDone": "0.0",
        "IamRoleArn": role,
    }
    same = ("AccountId", "BackupVaultName", "BackupVaultArn", "RecoveryPointArn", "ResourceArn", "ResourceType")
    _jobs(backend)[job["BackupJobId"]] = job
    _points(backend)[arn] = _told(job, *same, "CreationDate", "IamRoleArn") | {
        "Status": "PARTIAL",
        "IsEncrypted": True,
    }
    backend.tag_resource(arn, given.get("RecoveryPointTags") or {})
    if initial_state != "RUNNING":
        _ends(job, initial_state, 0, "")
    return job


def _start_restore(backend: BackupBackend, given: dict[str, Any]) -> dict[str, Any]:
    point = _found(_points(backend), given["RecoveryPointArn"], "Recovery point")
    metadata = given["Metadata"]
    if point["Status"] != "COMPLETED":
        raise AwsError("InvalidRequestException", f"Recovery point is {point['Status']}.")
    if lack := [name for name in NEEDED if name not in metadata]:
        raise AwsError("InvalidParameterValueException", f"Metadata is missing {', '.join(lack)}.")
    if metadata["newFileSystem"] != "false":
        raise NotImplementedError("Files are restored only into the file system that they are of.")
    system = point["ResourceArn"].rpartition("/")[2]
    if metadata["file-system-id"] != system:
        raise NotImplementedError("Files are restored only into the file system that they are of.")
    if system not in efs_backends[ACCOUNT_ID][backend.region_name].file_systems_by_id:
        raise AwsError("InvalidParameterValueException", f"File system {system} does not exist.")
    role = given.get("IamRoleArn", "")
    roles = iam_backends[ACCOUNT_ID]["aws"].roles.values()
    if not any(each.arn == role and PRINCIPAL in str(each.assume_role_policy_document) for each in roles):
        raise AwsError("InvalidParameterValueException", f"IAM Role {role} cannot be assumed by AWS Backup")
    job = {
        "token": given.get("IdempotencyToken"),
        "Metadata": metadata,
        "AccountId": ACCOUNT_ID,
        "RestoreJobId": str(uuid.uuid4()).upper(),
        "RecoveryPointArn": point["RecoveryPointArn"],
        "CreationDate": unix_time(),
        "Status": "RUNNING",
        "PercentDone": "0.00%",
        "BackupSizeInBytes": point.get("BackupSizeInBytes", 0),
        "IamRoleArn": role,
        "ResourceType": "EFS",
        "CreatedResourceArn": point["ResourceArn"],
    }
    backend.berth_restores[job["RestoreJobId"]] = job
    if initial_state != "RUNNING":
        _restored(job, initial_state, "")
    return job


def _restored(job: dict[str, Any], state: str, message: str) -> None:
    job |= {"Status": state, "CompletionDate": unix_time()} | ({"StatusMessage": message} if message else {})
    if state == "COMPLETED":
        job["PercentDone"] = "100.00%"


def _ends(job: dict[str, Any], state: str, size: int, message: str) -> None:
    points = _points(backup_backends[ACCOUNT_ID][job["RecoveryPointArn"].split(":")[3]])
    job |= {"State": state, "CompletionDate": unix_time()} | ({"StatusMessage": message} if message else {})
    if state == "COMPLETED":
        job |= {"BackupSizeInBytes": size, "PercentDone": "100.0"}
        points[job["RecoveryPointArn"]] |= {
            "Status": "COMPLETED", "BackupSizeInBytes": size, "CompletionDate": job["CompletionDate"],
        }  # fmt: skip
    else:
        points.pop(job["RecoveryPointArn"], None)


def _told(job: dict[str, Any], *names: str) -> dict[str, Any]:
    """What of a job is shown: all but the caller's token, or what is named."""
    return {name: value for name, value in job.items() if (name in names if names else name != "token")}


def _last(path: str) -> str:
    return unquote(path).rstrip("/").rpartition("/")[2]


def _found(among: dict[str, dict[str, Any]], name: str, what: str) -> dict[str, Any]:
    if name not in among:
        raise AwsError("ResourceNotFoundException", f"{what} {name} does not exist.")
    return among[name]


def _jobs(backend: BackupBackend) -> dict[str, dict[str, Any]]:
    return backend.berth_jobs  # type: ignore[no-any-return] # moto has no types


def _points(backend: BackupBackend) -> dict[str, dict[str, Any]]:
    return backend.berth_points  # type: ignore[no-any-return] # moto has no types

"""AWS Backup's jobs and recovery points, which moto lacks, of file systems and of databases.

A job is done when whoever copies says so; without one (no Docker) at once, with nothing in it. A recovery point of a
database is a snapshot of RDS, which only AWS Backup deletes, and is restored by RDS. A restore of files goes into a
file system that is there, the one that the recovery point is of or another; restores to a new one are not here, and
neither are other resources. Plans are in `backup_plans`, copies to other vaults in `backup_copies`.
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_StartBackupJob.html
https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-efs.html
"""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from moto.backup import backup_backends, urls
from moto.backup.models import BackupBackend
from moto.backup.responses import BackupResponse
from moto.core.utils import unix_time
from moto.efs import efs_backends
from moto.iam import iam_backends
from moto.rds import rds_backends

from local_aws.config import ACCOUNT_ID, REGION
from local_aws.patches._moto import AwsError, around, missing

if TYPE_CHECKING:
    from local_aws.cloud import Cloud

initial_state = "COMPLETED"
"""State of a new job; the file systems part sets it to `RUNNING` and later calls `set_job_state`."""
FILE_SYSTEM = re.compile(r"arn:[\w-]+:elasticfilesystem:[\w-]+:\d{12}:file-system/(fs-[0-9a-f]+)")
DATABASE = re.compile(r"arn:[\w-]+:rds:[\w-]+:\d{12}:db:([a-z][a-z0-9-]*)")
SNAPSHOT = re.compile(r"arn:[\w-]+:rds:([\w-]+):\d{12}:snapshot:(awsbackup:[\w-]+)")
"""ARN of a recovery point of a database → region and identifier of the snapshot that it is."""
PRINCIPAL = "backup.amazonaws.com"
NEEDED = ("file-system-id", "newFileSystem", "Encrypted", "PerformanceMode", "CreationToken")
FILTERS = {
    "state": "State", "resourceType": "ResourceType", "backupVaultName": "BackupVaultName",
    "resourceArn": "ResourceArn",
}  # fmt: skip
"""What jobs are listed by → the field of a job."""
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


def running(cloud: Cloud, kind: str) -> list[dict[str, Any]]:
    """The jobs that wait for their copy.

    Args:
        cloud: the embedded AWS.
        kind: AWS Backup's word, `EFS` or `RDS`.
    """
    jobs = cloud.look("backup", "list_backup_jobs", ByState="RUNNING", ByResourceType=kind)["BackupJobs"]
    return list(jobs)


def held() -> set[str]:
    """The ARNs of all recovery points, of all regions."""
    return {arn for backend in list(backup_backends[ACCOUNT_ID].values()) for arn in list(_points(backend))}


def snapshot_made(cloud: Cloud, identifier: str, size: int) -> None:
    """Say that a snapshot of RDS is made which a job waits for; nothing if none does.

    Args:
        cloud: the embedded AWS.
        identifier: of the snapshot.
        size: in bytes.
    """
    for job in running(cloud, "RDS"):
        if job["RecoveryPointArn"].endswith(f":snapshot:{identifier}"):
            set_job_state(cloud, job["BackupJobId"], "COMPLETED", size)


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
    self.berth_opt_in = {"EFS": True, "RDS": True}


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
    return json.dumps(_told(same or start(backend, given), "BackupJobId", "RecoveryPointArn", "CreationDate"))


@missing(BackupResponse, "describe_backup_job")
def _describe_backup_job(self: BackupResponse) -> str:
    return json.dumps(_told(_found(_jobs(self.backup_backend), _last(self.path), "Backup job")))


@missing(BackupResponse, "list_backup_jobs")
def _list_backup_jobs(self: BackupResponse) -> str:
    wanted = {
        field: value
        for name, field in FILTERS.items()
        if (value := self._get_param(name)) is not None
    }  # fmt: skip
    after = self._get_param("createdAfter")
    jobs = [
        _told(each)
        for each in list(_jobs(self.backup_backend).values())
        if all(each[field] == value for field, value in wanted.items())
        and (after is None or each["CreationDate"] >= _seconds(after))
    ]
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
    forget(self.backup_backend, point["RecoveryPointArn"])
    return ""


@missing(BackupResponse, "list_recovery_points_by_backup_vault")
def _list_recovery_points_by_backup_vault(self: BackupResponse) -> str:
    vault = self.path.partition("/backup-vaults/")[2].split("/")[0]
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


def start(
    backend: BackupBackend, given: dict[str, Any], created_by: dict[str, str] | None = None, now: float | None = None
) -> dict[str, Any]:
    """Begin a job.

    Args:
        backend: of its region.
        given: the request.
        created_by: the plan and the rule that begin it; None if a person does.
        now: seconds since the epoch; by default the clock's.

    Raises:
        AwsError: AWS Backup refuses it.
    """
    vault = backend.describe_backup_vault(given["BackupVaultName"])
    resource, role = given["ResourceArn"], given["IamRoleArn"]
    kind = _kind(backend, resource)
    if not backend.berth_opt_in[kind]:
        raise AwsError("InvalidRequestException", f"Resource type {kind} is not opted in for this Region.")
    check_role(role)
    name, at = str(uuid.uuid4()), unix_time() if now is None else now
    place = f"{backend.region_name}:{ACCOUNT_ID}"
    own = f"arn:aws:backup:{place}:recovery-point:{uuid.uuid4()}"
    lifecycle = given.get("Lifecycle") or {}
    job = {
        "token": given.get("IdempotencyToken"),
        "AccountId": ACCOUNT_ID,
        "BackupJobId": name,
        "BackupVaultName": vault.backup_vault_name,
        "BackupVaultArn": vault.backup_vault_arn,
        "RecoveryPointArn": own if kind == "EFS" else f"arn:aws:rds:{place}:snapshot:awsbackup:job-{name}",
        "ResourceArn": resource,
        "ResourceType": kind,
        "CreationDate": at,
        "State": "RUNNING",
        "PercentDone": "0.0",
        "IamRoleArn": role,
    } | ({"CreatedBy": created_by} if created_by else {})
    _jobs(backend)[name] = job
    same = ("AccountId", "BackupVaultName", "BackupVaultArn", "RecoveryPointArn", "ResourceArn", "ResourceType")
    point = _told(job, *same, "CreationDate", "IamRoleArn", "CreatedBy") | {"Status": "PARTIAL", "IsEncrypted": True}
    keep(backend, point, lifecycle)
    tags = given.get("RecoveryPointTags") or {}
    backend.tag_resource(job["RecoveryPointArn"], tags)
    if kind == "RDS" and (why := _snapshot(backend, job, tags)):
        _ends(job, "FAILED", 0, why)
    elif initial_state != "RUNNING":
        _ends(job, initial_state, 0, "")
    return job


def keep(backend: BackupBackend, point: dict[str, Any], lifecycle: dict[str, Any]) -> None:
    """Put a recovery point into its vault, until its lifecycle is over."""
    if days := lifecycle.get("DeleteAfterDays"):
        point |= {
            "Lifecycle": lifecycle,
            "CalculatedLifecycle": {"DeleteAt": point["CreationDate"] + int(days) * 86_400},
        }
    _points(backend)[point["RecoveryPointArn"]] = point


def forget(backend: BackupBackend, arn: str) -> None:
    """Take a recovery point away, and the snapshot that it is; one that is gone is fine."""
    _points(backend).pop(arn, None)
    if found := SNAPSHOT.fullmatch(arn):
        rds_backends[ACCOUNT_ID][found[1]].database_snapshots.pop(found[2], None)


def check_role(role: str) -> None:
    """Refuse a role that AWS Backup cannot assume.

    Raises:
        AwsError: it is none, or trusts somebody else.
    """
    roles = iam_backends[ACCOUNT_ID]["aws"].roles.values()
    if not any(each.arn == role and PRINCIPAL in str(each.assume_role_policy_document) for each in roles):
        raise AwsError("InvalidParameterValueException", f"IAM Role {role} cannot be assumed by AWS Backup")


def _kind(backend: BackupBackend, resource: str) -> str:
    """AWS Backup's word for the type of a resource, which is there."""
    if system := FILE_SYSTEM.fullmatch(resource):
        if system[1] not in efs_backends[ACCOUNT_ID][backend.region_name].file_systems_by_id:
            raise AwsError("InvalidParameterValueException", f"File system {system[1]} does not exist.")
        return "EFS"
    if database := DATABASE.fullmatch(resource):
        if database[1] not in rds_backends[ACCOUNT_ID][backend.region_name].databases:
            raise AwsError("InvalidParameterValueException", f"DB instance {database[1]} does not exist.")
        return "RDS"
    raise NotImplementedError("Only file systems of EFS and instances of RDS are backed up.")


def _snapshot(backend: BackupBackend, job: dict[str, Any], tags: dict[str, str]) -> str:
    """Begin the snapshot that a recovery point of a database is; why it cannot be, or nothing."""
    rds = rds_backends[ACCOUNT_ID][backend.region_name]
    instance = rds.databases[job["ResourceArn"].rpartition(":")[2]]
    if instance.status != "available":
        return f"Instance {instance.db_instance_identifier} is in {instance.status} state."
    name = job["RecoveryPointArn"].partition(":snapshot:")[2]
    tagged = [{"Key": key, "Value": value} for key, value in tags.items()]
    rds.create_db_snapshot(instance.db_instance_identifier, name, "awsbackup", tagged)
    return ""


def _start_restore(backend: BackupBackend, given: dict[str, Any]) -> dict[str, Any]:
    point = _found(_points(backend), given["RecoveryPointArn"], "Recovery point")
    metadata = given["Metadata"]
    if point["ResourceType"] != "EFS":
        raise NotImplementedError("Of recovery points only files are restored here; RDS restores a snapshot itself.")
    if point["Status"] != "COMPLETED":
        raise AwsError("InvalidRequestException", f"Recovery point is {point['Status']}.")
    if lack := [name for name in NEEDED if name not in metadata]:
        raise AwsError("InvalidParameterValueException", f"Metadata is missing {', '.join(lack)}.")
    if metadata["newFileSystem"] != "false":
        raise NotImplementedError("Files are restored only into a file system that is there.")
    system = efs_backends[ACCOUNT_ID][backend.region_name].file_systems_by_id.get(metadata["file-system-id"])
    if system is None:
        raise AwsError("InvalidParameterValueException", f"File system {metadata['file-system-id']} does not exist.")
    role = given.get("IamRoleArn", "")
    check_role(role)
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
        "CreatedResourceArn": system.file_system_arn,
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
        forget(backup_backends[ACCOUNT_ID][job["RecoveryPointArn"].split(":")[3]], job["RecoveryPointArn"])


def _seconds(text: str) -> float:
    """A time of a query, in seconds since the epoch."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


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

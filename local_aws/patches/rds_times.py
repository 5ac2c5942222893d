"""Automated backups of DB instances: from when to when they lead back, and instances that are restored to a time."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from moto.rds import rds_backends
from moto.rds.models import DBInstance, DBInstanceAutomatedBackup, RDSBackend

from local_aws.config import ACCOUNT_ID, REGION
from local_aws.patches._moto import AwsError, around

if TYPE_CHECKING:
    from local_aws.cloud import Cloud

Window = tuple[datetime.datetime, datetime.datetime]
"""The earliest and the latest time that an instance can be restored to."""

is_told = False
"""Whether the databases part tells each window (`set_window`); else an instance leads back to whatever it has been."""


def set_window(cloud: Cloud, identifier: str, window: Window | None) -> None:
    """Say how far back a DB instance leads; None as long as there is no backup of it.

    Raises:
        KeyError: there is none of that identifier.
    """
    with cloud.changes.happening():
        rds_backends[ACCOUNT_ID][REGION].databases[identifier].berth_window = window


def restored_to(cloud: Cloud, identifier: str) -> tuple[str, datetime.datetime] | None:
    """DbiResourceId and the time of it that an instance was restored to; None if it was not.

    Raises:
        KeyError: there is none of that identifier.
    """
    del cloud  # one embedded AWS a process
    found: tuple[str, datetime.datetime] | None = getattr(
        rds_backends[ACCOUNT_ID][REGION].databases[identifier], "berth_restored_to", None
    )
    return found


def _window(database: Any) -> Window | None:
    if not int(database.backup_retention_period or 0):
        return None
    if is_told:
        told: Window | None = getattr(database, "berth_window", None)
        return told
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return database.instance_create_time.replace(tzinfo=datetime.UTC), now


@property  # type: ignore[misc]  # of moto's class, which shows what it finds by this name
def _latest_restorable_time(self: Any) -> datetime.datetime | None:
    window = _window(self)
    return window[1] if window else None


DBInstance.latest_restorable_time = _latest_restorable_time


def _of(backup: Any) -> Any:
    return backup.backend.databases.get(backup.db_instance_identifier)


@property  # type: ignore[misc]  # the same
def _restore_window(self: Any) -> dict[str, Any] | None:
    database = _of(self)
    window = _window(database) if database else None
    return {"EarliestTime": window[0], "LatestTime": window[1]} if window else None


@property  # type: ignore[misc]  # the same
def _dbi_resource_id(self: Any) -> str | None:
    database = _of(self)
    return database.dbi_resource_id if database else None


DBInstanceAutomatedBackup.restore_window = _restore_window
DBInstanceAutomatedBackup.dbi_resource_id = _dbi_resource_id


@around(RDSBackend, "describe_db_instance_automated_backups")
def _describe_db_instance_automated_backups(describe: Any, self: Any, *arguments: Any, **keywords: Any) -> Any:
    """None of an instance of which none are made; moto has one of each."""
    found = describe(self, *arguments, **keywords)
    return [each for each in found if not _of(each) or int(_of(each).backup_retention_period or 0)]


@around(RDSBackend, "restore_db_instance_to_point_in_time")
def _restore_db_instance_to_point_in_time(restore: Any, self: Any, source: str, target: str, given: Any) -> Any:
    """What is not given is RDS's own, and not all of the source.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceToPointInTime.html
    """
    if not source:
        raise NotImplementedError("A source is known by its identifier only.")
    found = self.describe_db_instances(source)[0]
    time = _time(found, given)
    identifier = str(target).lower()
    database = restore(self, source, identifier, {name: given[name] for name in GIVEN if given.get(name) is not None})
    database.tags = given.get("tags") or list(found.tags)
    for name in ("deletion_protection", "multi_az", "publicly_accessible"):
        setattr(database, name, bool(given.get(name)))
    database.db_parameter_group_name = given.get("db_parameter_group_name")
    if given.get("backup_retention_period") is not None:
        database.backup_retention_period = int(given["backup_retention_period"])  # moto takes no nought
    database.engine_version = found.engine_version
    database.berth_restored_to = (found.dbi_resource_id, time)
    return database


GIVEN = (
    "allocated_storage", "auto_minor_version_upgrade", "availability_zone", "db_instance_class",
    "db_subnet_group_name", "max_allocated_storage", "port", "storage_type", "vpc_security_group_ids",
)  # fmt: skip
"""What of a request moto puts in the place of the source's."""


def _time(found: Any, given: Any) -> datetime.datetime:
    """The time that is meant.

    Raises:
        AwsError: none or two are, or the instance does not lead back there.
    """
    name = found.db_instance_identifier
    time: datetime.datetime | str | None = given.get("restore_time")
    latest = str(given.get("use_latest_restorable_time") or "").lower() == "true"
    if bool(time) == latest:
        raise AwsError(
            "InvalidParameterCombination", "Either RestoreTime or UseLatestRestorableTime must be specified, not both."
        )
    if not int(found.backup_retention_period or 0):
        raise AwsError(
            "PointInTimeRestoreNotEnabled", f"{name} is a DB instance with BackupRetentionPeriod equal to 0."
        )
    window = _window(found)
    if window is None:
        raise AwsError("InvalidDBInstanceState", f"There is no backup yet of the DB instance {name}.")
    if not time:
        return window[1]
    if isinstance(time, str):
        time = datetime.datetime.fromisoformat(time)
    time = time if time.tzinfo else time.replace(tzinfo=datetime.UTC)
    if not window[0] <= time <= window[1]:
        raise AwsError(
            "InvalidParameterValue",
            f"The specified instance cannot be restored to a time later than {_said(window[1])} or earlier than "
            f"{_said(window[0])}.",
        )
    return time


def _said(time: datetime.datetime) -> str:
    return time.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

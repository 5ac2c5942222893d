"""The instance of RDS that a snapshot or a time is restored to, for as long as a database is copied out of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.lock import code

TAG = "Berth::Restore"
"""Of such an instance: for which backup it is there."""
ABSENT = ("DBInstanceNotFound", "DBInstanceNotFoundFault")
NO_SNAPSHOT = ("DBSnapshotNotFound", "DBSnapshotNotFoundFault")
THERE = ("DBInstanceAlreadyExists", "DBInstanceAlreadyExistsFault")
BUSY = ("InvalidDBInstanceState", "InvalidDBInstanceStateFault")
DEAD = (
    "failed", "incompatible-network", "incompatible-option-group", "incompatible-parameters", "incompatible-restore",
    "inaccessible-encryption-credentials", "restore-error", "storage-full",
)  # fmt: skip
"""States of which nothing more comes by itself.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
"""
DELETING = "deleting"
RESTORE, DRILL = "restore", "drill"
"""Verbs that make such instances. Each lets go of its own: the other may go on with what it has left."""
GIB = 2**30


class Instance:
    """The instance. Its name is made of what it is for, so a run that was killed finds it again.

    Args:
        rds: boto3 client.
        prefix: of the environment.
        entry: of `site_databases`.
        point: name of the backup.
        tags: that it gets.
        verb: that makes it.
    """

    def __init__(
        self, rds: Any, prefix: str, entry: str, point: str, tags: Mapping[str, str], verb: str = RESTORE
    ) -> None:
        self._rds, self._beside = rds, Beside(rds, prefix, (verb,))
        self.name = f"{prefix}-{verb}-{hashlib.sha256(f'{entry} {point}'.encode()).hexdigest()[:8]}"
        self._tags = [{"Key": name, "Value": str(value)} for name, value in {**tags, TAG: point}.items()]

    def found(self) -> dict[str, Any] | None:
        """It as RDS describes it; None if it is not there."""
        return self._described(self.name)

    def like(self, of: str) -> dict[str, Any] | None:
        """The site's own instance; None if it is not there.

        Args:
            of: its identifier.
        """
        return self._described(of)

    def version_of(self, snapshot: str) -> str:
        """Which version of the engine a snapshot is of; empty if it is not there.

        Args:
            snapshot: identifier.
        """
        try:
            # one page: it is asked for one
            found = self._rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"]
        except ClientError as error:
            if code(error) not in NO_SNAPSHOT:
                raise
            return ""
        return str(found[0]["EngineVersion"]) if found else ""

    def begin(self, snapshot: str, like: Mapping[str, Any]) -> None:
        """Restore a snapshot to it, in the place of the site's own instance and of its size.

        What is left out is as of the snapshot or the engine's own, such as parameters, of which a copy needs none.

        Args:
            snapshot: identifier.
            like: the site's own instance, as RDS describes it.

        Raises:
            ClientError: RDS does not.
        """
        with _begun_once():
            self._rds.restore_db_instance_from_db_snapshot(
                DBInstanceIdentifier=self.name, DBSnapshotIdentifier=snapshot, **self._beside_of(like)
            )

    def begin_at(self, time: datetime, like: Mapping[str, Any]) -> None:
        """Restore to it what the site's own instance was at a time, else as `begin`.

        Args:
            time: with its time zone.
            like: the site's own instance, as RDS describes it.

        Raises:
            ClientError: RDS does not.
        """
        with _begun_once():
            self._rds.restore_db_instance_to_point_in_time(
                SourceDBInstanceIdentifier=like["DBInstanceIdentifier"],
                TargetDBInstanceIdentifier=self.name,
                RestoreTime=time,
                **self._beside_of(like),
            )

    def _beside_of(self, like: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "DBInstanceClass": like["DBInstanceClass"],
            "DBSubnetGroupName": like["DBSubnetGroup"]["DBSubnetGroupName"],
            "VpcSecurityGroupIds": [each["VpcSecurityGroupId"] for each in like["VpcSecurityGroups"]],
            "Port": like["Endpoint"]["Port"],
            "MultiAZ": False,
            "PubliclyAccessible": False,
            "AutoMinorVersionUpgrade": False,
            "DeletionProtection": False,
            "Tags": self._tags,
        }

    def let_in(self, password: str) -> bool:
        """Give its user another password: the snapshot's is the one of then, which nobody may know any more.

        Returns:
            Whether RDS has taken it; it does not while the instance is at something.
        """
        try:
            self._rds.modify_db_instance(
                DBInstanceIdentifier=self.name, MasterUserPassword=password, ApplyImmediately=True
            )
        except ClientError as error:
            if code(error) not in BUSY:
                raise
            return False
        return True

    def let_go(self) -> bool:
        """Delete it, with all that is in it; whether there was one."""
        found = self.found()
        if found is None or found["DBInstanceStatus"] == DELETING:
            return False
        return self._beside.delete(self.name)

    def let_go_others(self) -> list[str]:
        """Delete those that earlier runs have left, and that nobody goes on with; their names."""
        there = self._beside.all()
        names = [name for name, state in there.items() if name != self.name and state != DELETING]
        return [name for name in names if self._beside.delete(name)]

    def _described(self, name: str) -> dict[str, Any] | None:
        try:
            # one page: it is asked for one
            return dict(self._rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0])
        except ClientError as error:
            if code(error) not in ABSENT:
                raise
            return None


@contextmanager
def _begun_once() -> Iterator[None]:
    """What was just begun may not be shown yet, and RDS begins no second one of that name."""
    try:
        yield
    except ClientError as error:
        if code(error) not in THERE:
            raise


class Beside:
    """The instances of an environment that restores and drills have made.

    Args:
        rds: boto3 client.
        prefix: of the environment.
        verbs: that have made them.
    """

    def __init__(self, rds: Any, prefix: str, verbs: Sequence[str] = (RESTORE, DRILL)) -> None:
        self._rds, self._name = rds, rf"{re.escape(prefix)}-({'|'.join(verbs)})-[0-9a-f]{{8}}"

    def all(self) -> dict[str, str]:
        """Identifier → state."""
        pages = self._rds.get_paginator("describe_db_instances").paginate()
        return {
            each["DBInstanceIdentifier"]: each["DBInstanceStatus"]
            for page in pages
            for each in page["DBInstances"]
            if re.fullmatch(self._name, each["DBInstanceIdentifier"])
            and any(tag["Key"] == TAG for tag in each.get("TagList", []))
        }

    def delete(self, name: str) -> bool:
        """Delete one, with all that is in it.

        Returns:
            Whether RDS has begun to; it does not while it makes the instance, or deletes it already.
        """
        try:
            self._rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)
        except ClientError as error:
            if code(error) not in (*BUSY, *ABSENT):
                raise
            return False
        return True


def room(like: Mapping[str, Any], used: int) -> int:
    """How many bytes more fit on an instance, of which a tenth is left for what a database needs besides.

    Args:
        like: the instance, as RDS describes it.
        used: bytes of its databases.
    """
    return int(like["AllocatedStorage"]) * GIB * 9 // 10 - used

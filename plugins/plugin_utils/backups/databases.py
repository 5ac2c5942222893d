"""Databases in a backup: a snapshot each, by hand, which stays until somebody deletes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.backups.point import WAITING, Part
from plugins.plugin_utils.ledger import FAILED, GOOD, RUNNING
from plugins.plugin_utils.lock import code

KIND = "snapshot"
GIB = 2**30
ABSENT = ("DBSnapshotNotFound", "DBSnapshotNotFoundFault")
THERE = ("DBSnapshotAlreadyExists", "DBSnapshotAlreadyExistsFault")
BUSY = ("InvalidDBInstanceState", "InvalidDBInstanceStateFault")


class Snapshots:
    """Snapshots of RDS.

    Args:
        rds: boto3 client.
        prefix: of the environment, which their names begin with.
        tags: that they get.
    """

    def __init__(self, rds: Any, prefix: str, tags: Mapping[str, str]) -> None:
        self._rds, self._prefix = rds, prefix
        self._tags = [{"Key": name, "Value": str(value)} for name, value in tags.items()]

    def begin(self, entry: str, of: str, point: str, before: Mapping[str, Any]) -> Part:
        """Make the snapshot, unless it is there; or say why it cannot be made yet.

        Args:
            entry: of `site_databases`.
            of: identifier of the DB instance.
            point: name of the backup.
            before: the part as an earlier run has left it; empty if there was none.
        """
        del before  # its name tells it
        name = f"{self._prefix}-{entry}-{point}"
        part: Part = {"kind": KIND, "of": of, "id": name, "state": RUNNING, "why": ""}
        if (found := self._found(name)) and found["Status"] != "failed":
            return self._told(part, found)
        try:
            if found:
                self._rds.delete_db_snapshot(DBSnapshotIdentifier=name)
            made = self._rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=of, Tags=self._tags)
        except ClientError as error:
            if code(error) in (*BUSY, *THERE):
                return part | {"state": WAITING, "why": str(error.response["Error"]["Message"])}
            raise
        return self._told(part, made["DBSnapshot"])

    def look(self, part: Mapping[str, Any]) -> Part:
        """The part as it is now."""
        found = self._found(str(part["id"]))
        return self._told(part, found) if found else {**part, "state": FAILED, "why": "it is gone"}

    def there(self, parts: list[Mapping[str, Any]]) -> set[str]:
        """The ids of those parts whose snapshots are there still."""
        if not parts:
            return set()
        pages = self._rds.get_paginator("describe_db_snapshots").paginate(SnapshotType="manual")
        found = {each["DBSnapshotIdentifier"] for page in pages for each in page["DBSnapshots"] if _whole(each)}
        return {str(each["id"]) for each in parts} & found

    def let_go(self, part: Mapping[str, Any]) -> None:
        """Delete the snapshot; one that is gone is fine."""
        try:
            self._rds.delete_db_snapshot(DBSnapshotIdentifier=part["id"])
        except ClientError as error:
            if code(error) not in ABSENT:
                raise

    def _found(self, name: str) -> dict[str, Any] | None:
        try:
            # one page: it is asked for one
            return dict(self._rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0])
        except ClientError as error:
            if code(error) not in ABSENT:
                raise
            return None

    @staticmethod
    def _told(part: Mapping[str, Any], found: Mapping[str, Any]) -> Part:
        if found["DBInstanceIdentifier"] != part["of"]:
            why = f"it is of another database, {found['DBInstanceIdentifier']}"
            return {**part, "state": FAILED, "why": why}
        state = GOOD if _whole(found) else FAILED if found["Status"] == "failed" else RUNNING
        made = found.get("SnapshotCreateTime")
        return {
            **part,
            "state": state,
            "why": "RDS could not make it" if state == FAILED else "",
            "percent": int(found.get("PercentProgress") or 0),
            "bytes": int(found.get("AllocatedStorage") or 0) * GIB,
            "made": made.isoformat(timespec="seconds") if made else "",
        }


def _whole(found: Mapping[str, Any]) -> bool:
    return bool(found.get("Status") == "available")

"""Delete a vault of AWS Backup and all recovery points in it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.backup_vault_delete import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait, reason
from plugins.plugin_utils.backups.volumes import ABSENT
from plugins.plugin_utils.lock import code


class ActionModule(AwsAction):
    """See plugins/modules/backup_vault_delete.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Delete what is meant.

        Raises:
            Failed: one is not empty in time, or something of it cannot be deleted.
        """
        self.backup = self.client("backup")
        named = [str(self.arguments["name"])] if self.arguments["name"] else self._of(str(self.arguments["stack"]))
        done = [self._delete(each) for each in named]
        return {"changed": any(there for there, _ in done), "points": sum(points for _, points in done)}

    def _of(self, stack: str) -> list[str]:
        """The vaults that a stack of that name has made: a part of its id is behind it."""
        pages = self.backup.get_paginator("list_backup_vaults").paginate()
        names = [str(each["BackupVaultName"]) for page in pages for each in page["BackupVaultList"]]
        return [each for each in names if re.fullmatch(rf"{re.escape(stack)}-[0-9a-f]{{8}}", each)]

    def _delete(self, vault: str) -> tuple[bool, int]:
        """Empty it, then delete it; whether it was there, and how many recovery points were in it.

        Raises:
            Failed: it is not empty in time, or something of it cannot be deleted.
        """
        self.vault = vault
        try:
            points = self._points()
            if not self.check_mode:
                self._empty(points)
                self.backup.delete_backup_vault(BackupVaultName=self.vault)
        except ClientError as error:
            if code(error) in ABSENT:
                return False, 0
            raise Failed(
                f"The vault {self.vault} cannot be deleted with what is in it: {reason(error)}. Type the same command "
                "again once nothing holds it (a lock of the vault, a legal hold)."
            ) from None
        return True, len(points)

    def _empty(self, points: list[str]) -> None:
        for arn in points:
            self.backup.delete_recovery_point(BackupVaultName=self.vault, RecoveryPointArn=arn)
        wait = Wait(self.arguments["timeout"], self.say, "vault")
        while left := self._points():
            if not wait.pause(f"{len(left)} recovery points of {self.vault} to be gone"):
                raise Failed(
                    f"The vault {self.vault} is not empty after {wait.seconds:.0f} s; {len(left)} recovery points are "
                    "left. Type the same command again."
                )

    def _points(self) -> list[str]:
        pages = self.backup.get_paginator("list_recovery_points_by_backup_vault").paginate(BackupVaultName=self.vault)
        return [str(each["RecoveryPointArn"]) for page in pages for each in page["RecoveryPoints"]]

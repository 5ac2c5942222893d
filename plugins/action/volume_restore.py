"""Have AWS Backup restore the files of a volume, and know how far that has come."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.volume_restore import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait, reason
from plugins.plugin_utils.backups.point import Points, in_words, is_of_other
from plugins.plugin_utils.backups.volumes import ABSENT, TYPE
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.lock import code
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.restoring.attempts import BEGUN, BESIDE, FAILED, SWITCHED, Attempt, Attempts

OVER = ("ABORTED", "FAILED")
FOLDER = "/data"
"""What the site's containers see of a file system: rexray's folder, to which the access point leads as well."""


class ActionModule(AwsAction):
    """See plugins/modules/volume_restore.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """One step.

        Raises:
            Failed: there is no ledger, or AWS Backup cannot restore it.
        """
        given = self.arguments
        ledger = Ledger.find(self.client, str(given["prefix"]), given["bucket"])
        if ledger is None:
            raise Failed(
                f"{given['prefix']} has no ledger, in which backups are written down. Type: {verb('site.yml')}"
            )
        self._attempts = Attempts(Points(self.client("s3"), ledger))
        self._name, self._volume = given["name"], given["volume"]
        self._key = f"{'drill.' if given['drill'] else ''}volume.{self._volume} {given['path']}".strip()
        steps = {
            "begin": self._begin, "job": self._job, "note": self._note, "last": self._last, "left": self._left,
            "over": self._over,
        }  # fmt: skip
        return steps[given["step"]]()

    def _told(self, changed: bool, found: Attempt) -> dict[str, Any]:
        return {
            "changed": changed,
            "attempt": str(found.get("attempt", "")),
            "state": str(found.get("state", "")),
            "name": self._name,
            "path": self.arguments["path"],
        }

    def _begin(self) -> dict[str, Any]:
        found = self._attempts.read(self._name, self._key)
        state = found.get("state")
        if state in (BEGUN, BESIDE) or (state == SWITCHED and not self.arguments["overwrite"]):
            return self._told(False, found)
        if self.check_mode:
            return self._told(True, {"attempt": "new", "state": BEGUN})
        return self._told(True, self._attempts.new(self._name, self._key))

    def _note(self) -> dict[str, Any]:
        if self.check_mode:
            return self._told(False, {"state": self.arguments["state"]})
        return self._told(True, self._attempts.note(self._name, self._key, {"state": self.arguments["state"]}))

    def _last(self) -> dict[str, Any]:
        found = self._attempts.last_switched(f"volume.{self._volume}")
        if found is None:
            return {"changed": False, "attempt": "", "state": "", "name": "", "path": ""}
        name, key = found
        told = self._told(False, self._attempts.read(name, key))
        return told | {"name": name, "path": key.partition(" ")[2]}

    def _left(self) -> dict[str, Any]:
        found = self._attempts.left(self._key)
        if found is None:
            return {"changed": False, "attempt": "", "state": "", "name": "", "path": ""}
        return self._told(False, found[1]) | {"name": found[0]}

    def _over(self) -> dict[str, Any]:
        """Wait until the job does nothing more, however it ends, and tell whether it has restored something."""
        found = self._attempts.read(self._name, self._key)
        job, wait = str(found.get("job") or ""), Wait(self.arguments["timeout"], self.say, self._volume)
        state = self._state(job)
        while not self.check_mode and state not in (*OVER, "COMPLETED", ""):
            if not wait.pause(f"AWS Backup to be through with its job ({state})"):
                raise Failed(
                    f"AWS Backup still restores the volume {self._volume} after {wait.seconds / 60:.0f} minutes, so "
                    "what it restores cannot be removed yet. Type the same command again later."
                )
            state = self._state(job)
        return self._told(False, found) | {"restored": state == "COMPLETED" and found.get("state") == BEGUN}

    def _state(self, job: str) -> str:
        """How a job is; empty if there is none, or AWS Backup has forgotten it, which it does after 30 days."""
        try:
            return str(self.client("backup").describe_restore_job(RestoreJobId=job)["Status"]) if job else ""
        except ClientError as error:
            if code(error) not in ABSENT:
                raise
            return ""

    def _job(self) -> dict[str, Any]:
        """Start the job, unless it is, and wait for it."""
        found = self._attempts.read(self._name, self._key)
        if self.check_mode or found.get("state") != BEGUN:
            return self._told(self.check_mode, found)
        wait = Wait(self.arguments["timeout"], self.say, self._volume)
        job = str(found.get("job") or "") or self._start(found)
        while (told := self.client("backup").describe_restore_job(RestoreJobId=job))["Status"] != "COMPLETED":
            if told["Status"] in OVER:
                self._attempts.note(self._name, self._key, {"state": FAILED})
                why = str(told.get("StatusMessage", "it does not say why")).rstrip(".")
                raise Failed(
                    f"AWS Backup could not restore the volume {self._volume}: {told['Status']}, {why}. Nothing of the "
                    f"site was changed. Lacks its role a right? {verb('site.yml')} gives it those of now. Then type "
                    "the same command again."
                )
            if not wait.pause(f"AWS Backup to restore the files ({told['Status']}, {told.get('PercentDone', '0%')})"):
                raise Failed(
                    f"AWS Backup still restores the volume {self._volume} after {wait.seconds / 60:.0f} minutes "
                    f"({told.get('PercentDone', '0%')}). Nothing of the site was changed. The same command goes on "
                    "waiting; backup_wait_minutes says for how long."
                )
        self.say(self._volume, "AWS Backup has restored the files into the file system")
        return self._told(True, found)

    def _start(self, found: Attempt) -> str:
        given, part = self.arguments, self.arguments["part"]
        other = is_of_other(self._name)  # whose files are meant to come into the file system of here
        if not other and str(part["of"]).rpartition("/")[2] != given["file_system"]:
            raise Failed(
                f"The backup {self._name} is of the file system {str(part['of']).rpartition('/')[2]}, and the volume "
                f"{self._volume} is on {given['file_system']} now. Nothing was changed. If that one is meant, write "
                f"file_system_id of it into site_volumes, and type: {verb('site.yml')}"
            )
        if not given["role"]:
            raise Failed(
                f"There is no role by which AWS Backup restores the volume {self._volume}, as site_backups says "
                f"nothing. Write site_backups: {{every: 1d}}, type {verb('site.yml')}, then the same command again."
            )
        # one page: it is asked for one
        system = self.client("efs").describe_file_systems(FileSystemId=given["file_system"])["FileSystems"][0]
        metadata = {
            "file-system-id": given["file_system"],
            "newFileSystem": "false",
            "Encrypted": str(bool(system.get("Encrypted"))).lower(),
            "PerformanceMode": system["PerformanceMode"],
            "CreationToken": found["attempt"],
        }
        if system.get("KmsKeyId"):
            metadata["KmsKeyId"] = system["KmsKeyId"]
        if given["path"]:
            metadata["itemsToRestore"] = f'["{FOLDER}/{given["path"]}"]'
        try:
            # The token is the attempt's: asked again, as a run was killed in between, AWS Backup answers with the job
            # that there is.
            started = self.client("backup").start_restore_job(
                RecoveryPointArn=part["id"],
                IamRoleArn=given["role"],
                ResourceType=TYPE,
                IdempotencyToken=hashlib.sha256(f"{part['id']} {found['attempt']}".encode()).hexdigest()[:32],
                Metadata=metadata,
            )
        except ClientError as error:
            listed = verb("backups.yml", own=other)
            gone = f"it is gone. Which are there: {listed}" if code(error) in ABSENT else reason(error)
            raise Failed(
                f"AWS Backup does not restore the volume {self._volume} out of {in_words(self._name)}: "
                f"{gone.rstrip('.')}. Nothing of the site was changed."
            ) from None
        self._attempts.note(self._name, self._key, {"job": started["RestoreJobId"]})
        self.say(self._volume, f"AWS Backup restores it, job {started['RestoreJobId']}", "yellow")
        return str(started["RestoreJobId"])

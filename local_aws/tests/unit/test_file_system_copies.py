"""Backups of file systems: the part's half, with containers that only hand out an archive."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from local_aws.cloud import Cloud
from local_aws.parts.file_systems import FileSystems
from local_aws.patches import backup

TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}


class Server:
    """The container of a file system."""

    def __init__(self, *chunks: bytes, breaks: Exception | None = None) -> None:
        self._chunks, self._breaks = chunks, breaks

    def get_archive(self, path: str) -> tuple[Iterator[bytes], dict[str, Any]]:
        assert path == "/export"
        return self._read(), {}

    def _read(self) -> Iterator[bytes]:
        yield from self._chunks
        if self._breaks:
            raise self._breaks


@pytest.fixture
def job(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A backup job that waits for its copy."""
    monkeypatch.setattr(backup, "initial_state", "RUNNING")
    system = aws.client("efs").create_file_system(CreationToken="one")
    role = aws.client("iam").create_role(RoleName="copies", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    aws.client("backup").create_backup_vault(BackupVaultName="vault")
    started = aws.client("backup").start_backup_job(
        BackupVaultName="vault", ResourceArn=system["FileSystemArn"], IamRoleArn=role
    )
    return {**started, "system": system["FileSystemId"]}


def state(aws: Cloud, job: dict[str, Any]) -> dict[str, Any]:
    return dict(aws.client("backup").describe_backup_job(BackupJobId=job["BackupJobId"]))


def test_a_job_is_done_when_the_files_are_in_an_archive_that_nobody_else_reads(aws: Cloud, job: dict[str, Any]) -> None:
    part = FileSystems(aws)
    path = part.copy_path(job["RecoveryPointArn"])
    part._copy_all({job["system"]: Server(b"one", b"two")})
    assert path.read_bytes() == b"onetwo"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (state(aws, job)["State"], state(aws, job)["BackupSizeInBytes"]) == ("COMPLETED", 6)
    part._let_go()
    assert path.exists()
    aws.client("backup").delete_recovery_point(BackupVaultName="vault", RecoveryPointArn=job["RecoveryPointArn"])
    part._let_go()
    assert not path.exists()


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        ({}, "does not exist any more"),
        ({"it": Server(b"one", breaks=docker.errors.APIError("gone"))}, "could not be copied: gone"),
        ({"it": Server(b"one", breaks=OSError(28, "No space left on device"))}, "No space left on device"),
    ],
)
def test_a_copy_that_breaks_off_fails_the_job_and_leaves_nothing(
    aws: Cloud, job: dict[str, Any], servers: dict[str, Server], words: str
) -> None:
    part = FileSystems(aws)
    part._copy_all(dict.fromkeys([job["system"]] if servers else [], servers.get("it")))
    told = state(aws, job)
    assert told["State"] == "FAILED"
    assert words in told["StatusMessage"]
    folder = part.copy_path(job["RecoveryPointArn"]).parent
    assert not folder.exists() or list(folder.iterdir()) == []

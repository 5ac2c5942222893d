"""Backups of file systems: the part's half, with containers that only hand out an archive."""

from __future__ import annotations

import io
import json
import stat
import tarfile
from collections.abc import Iterator
from typing import Any

import docker
import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.parts.file_systems import FileSystems, restored_folder
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


class Root:
    """The container of a file system into which something is put."""

    def __init__(self, *there: str) -> None:
        self.there, self.files = list(there), dict[str, tarfile.TarInfo]()

    def exec_run(self, command: list[str]) -> Any:
        found = command[-1].removeprefix("/export/") in self.there
        return type("Done", (), {"exit_code": 0 if found else 1})

    def put_archive(self, path: str, content: Any) -> None:
        assert path == "/export"
        with tarfile.open(fileobj=content) as archive:
            self.files = {entry.name: entry for entry in archive}


def archive() -> bytes:
    """As Docker gives out `/export`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as out:
        for name, mode in {"export": 0o755, "export/data": 0o750, "export/data/old": 0o755}.items():
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            out.addfile(folder)
        for name in ("export/data/a.png", "export/data/old/é.png"):
            file = tarfile.TarInfo(name)
            file.size, file.uid, file.mode = 3, 1000, 0o640
            out.addfile(file, io.BytesIO(b"PNG"))
    return packed.getvalue()


@pytest.fixture
def point(aws: Cloud, job: dict[str, Any]) -> dict[str, Any]:
    """A recovery point with files."""
    FileSystems(aws)._copy_all({job["system"]: Server(archive())})
    return job


def restore(aws: Cloud, point: dict[str, Any], **more: str) -> str:
    """The id of a restore job."""
    metadata = {
        "file-system-id": point["system"], "newFileSystem": "false", "Encrypted": "true", "CreationToken": "one",
        "PerformanceMode": "generalPurpose", **more,
    }  # fmt: skip
    role = aws.client("iam").get_role(RoleName="copies")["Role"]["Arn"]
    started = aws.client("backup").start_restore_job(
        RecoveryPointArn=point["RecoveryPointArn"], IamRoleArn=role, IdempotencyToken=json.dumps(more),
        Metadata={name: value for name, value in metadata.items() if value}, ResourceType="EFS",
    )  # fmt: skip
    return str(started["RestoreJobId"])


def told(aws: Cloud, job: str) -> dict[str, Any]:
    return dict(aws.client("backup").describe_restore_job(RestoreJobId=job))


def test_files_come_into_a_new_folder_of_the_root_with_owners_and_modes(aws: Cloud, point: dict[str, Any]) -> None:
    root, part = Root(), FileSystems(aws)
    name = restore(aws, point)
    assert told(aws, name)["Status"] == "RUNNING"
    assert restore(aws, point) == name, "the token is known"
    part._restore_all({point["system"]: root})
    assert (told(aws, name)["Status"], told(aws, name)["PercentDone"]) == ("COMPLETED", "100.00%")
    assert told(aws, name)["CreatedResourceArn"].endswith(point["system"])
    assert "Metadata" not in told(aws, name)
    (folder,) = {each.split("/")[0] for each in root.files}
    assert folder.startswith("aws-backup-restore_")
    assert {each.partition("/")[2] for each in root.files} == {"", "data", "data/old", "data/a.png", "data/old/é.png"}
    file = root.files[f"{folder}/data/a.png"]
    assert (file.uid, file.mode, root.files[f"{folder}/data"].mode) == (1000, 0o640, 0o750)


def test_files_come_into_another_file_system_that_is_there(aws: Cloud, point: dict[str, Any]) -> None:
    other = aws.client("efs").create_file_system(CreationToken="other")["FileSystemId"]
    own, root, part = Root(), Root(), FileSystems(aws)
    name = restore(aws, point, **{"file-system-id": other})
    part._restore_all({point["system"]: own, other: root})
    assert told(aws, name)["Status"] == "COMPLETED"
    assert told(aws, name)["CreatedResourceArn"].endswith(other)
    assert (len(own.files), len(root.files)) == (0, 5)


def test_single_paths_come_with_what_is_below(aws: Cloud, point: dict[str, Any]) -> None:
    root, part = Root(), FileSystems(aws)
    restore(aws, point, itemsToRestore=json.dumps(["/data/old"]))
    part._restore_all({point["system"]: root})
    assert {each.partition("/")[2] for each in root.files} == {"", "data", "data/old", "data/old/é.png"}
    failed = restore(aws, point, itemsToRestore=json.dumps(["/data/new", "/data/a.png"]))
    part._restore_all({point["system"]: root})
    assert (told(aws, failed)["Status"], told(aws, failed)["StatusMessage"]) == (
        "FAILED", "The files could not be restored: the recovery point has no data/new",
    )  # fmt: skip


def test_a_folder_that_is_there_is_not_restored_into(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(["one", "one", "two"])
    monkeypatch.setattr("local_aws.parts.file_systems.time.strftime", lambda *_: next(times))
    found = restored_folder(Root("aws-backup-restore_oneZ"))
    assert found == "aws-backup-restore_twoZ"


def test_a_file_system_that_is_gone_fails_the_job(aws: Cloud, point: dict[str, Any]) -> None:
    name = restore(aws, point)
    FileSystems(aws)._restore_all({})
    assert "does not exist any more" in told(aws, name)["StatusMessage"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"PerformanceMode": ""}, "Metadata is missing PerformanceMode"),
        ({"newFileSystem": "true"}, "only into a file system that is there"),
        ({"file-system-id": "fs-0123"}, "File system fs-0123 does not exist"),
    ],
)
def test_what_a_restore_has_to_be_told(aws: Cloud, point: dict[str, Any], more: dict[str, str], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        restore(aws, point, **more)

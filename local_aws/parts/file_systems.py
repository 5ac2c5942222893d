"""EFS's real half: an NFS server for each file system, at the addresses of its mount targets."""

from __future__ import annotations

import ipaddress
import json
import os
import tarfile
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container
from docker.types import Mount

from local_aws import images
from local_aws.cloud import Cloud
from local_aws.config import REGION
from local_aws.part import Health, Part
from local_aws.patches import backup

FILE_SYSTEM_LABEL = "berth.local-aws.file-system"


class FileSystems(Part):
    """Runs one nfs-ganesha container a file system; its files are on a volume that lives as long as the file system.

    A mount target's address becomes a secondary address of the container, so that hosts reach the file system where
    DescribeMountTargets says it is. A backup job ends when the files are in an archive, `<state>/backups/<point>.tar`,
    with owners and modes; the archive goes with its recovery point, and not with the file system. A restore job ends
    when they are in a new folder of the root, `aws-backup-restore_<time>`, as on AWS.
    """

    name = "efs"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._systems: dict[str, dict[str, Any]] = {}
        self._addresses: dict[tuple[str, str], list[str]] = {}
        """What was added to a container: (id, time it was started) → addresses."""

    def prepare(self) -> None:
        images.ensure("efs_server")
        backup.initial_state = "RUNNING"

    def reconcile(self) -> None:
        systems = self._describe()
        containers = self._containers()
        for gone in containers.keys() - systems.keys():
            self._remove(gone, containers[gone])
        for identifier in systems:
            container = containers.get(identifier) or self._create(identifier)
            if container.status != "running":
                self.log.info("starting the server of %s", identifier)
                container.start()
                container.reload()
            self._address(identifier, container)
            containers[identifier] = container
        self._systems = systems
        self._copy_all(containers)
        self._restore_all(containers)
        self._let_go()

    def health(self) -> list[Health]:
        lines = []
        containers = self._containers()
        for identifier, system in self._systems.items():
            container = containers.get(identifier)
            state = container.attrs["State"] if container else {}
            ok = state.get("Running", False) and state.get("Health", {}).get("Status") != "unhealthy"
            addresses = self.cloud.names.get(self.dns_name(identifier), [])
            where = f"mount targets {', '.join(addresses)}" if addresses else "no mount target yet"
            detail = where if ok else f"its server does not run: docker logs {self._container_name(identifier)}"
            lines.append(Health(f"file system {identifier} {system.get('Name', '')}".rstrip(), ok, detail))
        return lines

    def copy_path(self, point: str) -> Path:
        """Where the archive of a recovery point is kept.

        Args:
            point: its ARN.
        """
        return self.cloud.config.state / "backups" / f"{point.rpartition(':')[2]}.tar"

    def _copy_all(self, containers: dict[str, Container]) -> None:
        """Do what the backup jobs wait for. A job that cannot be done has failed; the next is another one."""
        for job in backup.running(self.cloud, "EFS"):
            identifier, name = job["ResourceArn"].rpartition("/")[2], job["BackupJobId"]
            try:
                size = self._copy(containers[identifier], self.copy_path(job["RecoveryPointArn"]))
            except KeyError:
                backup.set_job_state(self.cloud, name, "FAILED", message=f"{identifier} does not exist any more.")
            except (docker.errors.APIError, OSError) as error:
                self.log.exception("backup of %s", identifier)
                backup.set_job_state(self.cloud, name, "FAILED", message=f"The files could not be copied: {error}")
            else:
                backup.set_job_state(self.cloud, name, "COMPLETED", size)
                self.log.info("backup of %s: %d bytes", identifier, size)

    @staticmethod
    def _copy(container: Container, path: Path) -> int:
        """Put the files of a file system into an archive, whole or not at all; its size in bytes.

        Raises:
            docker.errors.APIError: they cannot be read.
            OSError: it cannot be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = path.with_suffix(".part")
        try:
            chunks, _ = container.get_archive("/export")
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as archive:
                for chunk in chunks:
                    archive.write(chunk)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return path.stat().st_size

    def _restore_all(self, containers: dict[str, Container]) -> None:
        """Do what the restore jobs wait for."""
        for job in backup.restores(self.cloud):
            identifier, name = job["CreatedResourceArn"].rpartition("/")[2], job["RestoreJobId"]
            try:
                path = self.copy_path(job["RecoveryPointArn"])
                items = json.loads(job["Metadata"].get(backup.ITEMS, "[]"))
                _put_back(containers[identifier], path, restored_folder(containers[identifier]), items)
            except KeyError:
                backup.set_restore_state(self.cloud, name, "FAILED", f"{identifier} does not exist any more.")
            except (docker.errors.APIError, OSError, ValueError) as error:
                self.log.exception("restore of %s", identifier)
                backup.set_restore_state(self.cloud, name, "FAILED", f"The files could not be restored: {error}")
            else:
                backup.set_restore_state(self.cloud, name, "COMPLETED")
                self.log.info("restored files of %s", identifier)

    def _let_go(self) -> None:
        """Delete the archives of recovery points that are gone."""
        files = {path.stem: path for path in (self.cloud.config.state / "backups").glob("*.tar")}
        if not files:
            return
        held = {arn.rpartition(":")[2] for arn in backup.held()}
        for name in files.keys() - held:
            files[name].unlink(missing_ok=True)

    @staticmethod
    def dns_name(identifier: str) -> str:
        """https://docs.aws.amazon.com/efs/latest/ug/mounting-fs-mount-cmd-dns-name.html"""
        return f"{identifier}.efs.{REGION}.amazonaws.com"

    def _describe(self) -> dict[str, dict[str, Any]]:
        systems = self.cloud.look("efs", "describe_file_systems")["FileSystems"]
        return {system["FileSystemId"]: system for system in systems}

    def _containers(self) -> dict[str, Container]:
        labels = [f"{name}={value}" for name, value in self.cloud.labels.items()]
        found = self.cloud.docker.containers.list(
            all=True, filters={"label": [*labels, FILE_SYSTEM_LABEL]}, ignore_removed=True
        )
        return {container.labels[FILE_SYSTEM_LABEL]: container for container in found}

    def _container_name(self, identifier: str) -> str:
        return self.cloud.config.container(f"efs-{identifier}")

    def _create(self, identifier: str) -> Container:
        labels = {**self.cloud.labels, FILE_SYSTEM_LABEL: identifier}
        name = self._container_name(identifier)
        volume = self.cloud.docker.volumes.create(name, labels=labels)
        return self.cloud.docker.containers.create(
            images.ensure("efs_server"),
            name=name,
            hostname=identifier,
            labels=labels,
            mounts=[Mount("/export", volume.name)],
            # NET_ADMIN for the mount targets' addresses; the others for open_by_handle_at, which the server works with.
            cap_add=["NET_ADMIN", "SYS_ADMIN", "DAC_READ_SEARCH"],
            network=self.cloud.config.network_name,
        )

    def _remove(self, identifier: str, container: Container) -> None:
        self.log.info("removing file system %s", identifier)
        self.cloud.publish(self.dns_name(identifier), [])
        with suppress(docker.errors.NotFound):
            container.remove(force=True)
        with suppress(docker.errors.NotFound):
            self.cloud.docker.volumes.get(self._container_name(identifier)).remove()

    def _address(self, identifier: str, container: Container) -> None:
        """Give the container exactly the mount targets' addresses, and the file system's name to them."""
        targets = self.cloud.look("efs", "describe_mount_targets", FileSystemId=identifier)["MountTargets"]
        wanted = sorted(target["IpAddress"] for target in targets)
        network = self.cloud.config.network
        for address in wanted:
            if ipaddress.ip_address(address) not in network:
                raise ValueError(
                    f"A mount target of {identifier} is at {address}, outside of the network {network} of the embedded "
                    f"AWS. Choose a network_cidr, or a VPC (network_vpc_id), inside {self.cloud.config.vpc_range}."
                )
        start = (container.id, container.attrs["State"]["StartedAt"])
        present = self._addresses.get(start, [])
        changes = [("add", address) for address in wanted if address not in present]
        changes += [("del", address) for address in present if address not in wanted]
        for verb, address in changes:
            command = ["ip", "address", verb, f"{address}/{network.prefixlen}", "dev", "eth0"]
            code, output = container.exec_run(command)
            if code:
                raise RuntimeError(
                    f"{' '.join(command)} in {container.name}: {output.decode(errors='replace').strip()}"
                )
        self._addresses[start] = wanted
        self.cloud.publish(self.dns_name(identifier), wanted)


def restored_folder(container: Container) -> str:
    """The name of a folder that the root of a file system has not; AWS Backup makes a new one for each restore."""
    while True:
        name = f"aws-backup-restore_{time.strftime('%Y-%m-%dT%H-%M-%S', time.gmtime())}Z"
        if container.exec_run(["test", "-e", f"/export/{name}"]).exit_code:
            return name
        time.sleep(0.2)


def _put_back(container: Container, path: Path, folder: str, items: list[str]) -> None:
    """Put the files of an archive into a new folder of the root, with owners and modes.

    Args:
        container: of the file system.
        path: of the archive.
        folder: name of the new folder.
        items: paths from the root of what is restored, with all that is below; everything if there are none.

    Raises:
        ValueError: the archive has not one of the items.
        docker.errors.APIError: they cannot be written.
        OSError: it cannot be read.
    """
    wanted = [each.strip("/") for each in items]
    missing = set(wanted)
    with tempfile.TemporaryFile() as file, tarfile.open(path) as archive, tarfile.open(fileobj=file, mode="w") as out:
        for entry in archive:
            inside = entry.name.partition("/")[2]  # the archive's first folder is the root itself
            if wanted and inside:
                among = [each for each in wanted if inside == each or inside.startswith(f"{each}/")]
                above = entry.isdir() and any(each.startswith(f"{inside}/") for each in wanted)
                missing.difference_update(among)
                if not among and not above:
                    continue
            # A name that is not plain stands in a header too, which would be taken in its place.
            entry.pax_headers = {key: value for key, value in entry.pax_headers.items() if not key.endswith("path")}
            entry.name = f"{folder}/{inside}" if inside else folder
            if entry.islnk():  # the names of hard links are of the archive too
                entry.linkname = f"{folder}/{entry.linkname.partition('/')[2]}"
            out.addfile(entry, archive.extractfile(entry) if entry.isreg() else None)
        if missing:
            raise ValueError(f"the recovery point has no {', '.join(sorted(missing))}")
        out.close()
        file.seek(0)
        container.put_archive("/export", file)

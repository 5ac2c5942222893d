"""EFS's real half: an NFS server for each file system, at the addresses of its mount targets."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from typing import Any

import docker
from docker.models.containers import Container
from docker.types import Mount

from local_aws import images
from local_aws.cloud import Cloud
from local_aws.config import REGION
from local_aws.part import Health, Part

FILE_SYSTEM_LABEL = "berth.local-aws.file-system"


class FileSystems(Part):
    """Runs one nfs-ganesha container a file system; its files are on a volume that lives as long as the file system.

    A mount target's address becomes a secondary address of the container, so that hosts reach the file system where
    DescribeMountTargets says it is.
    """

    name = "efs"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._systems: dict[str, dict[str, Any]] = {}
        self._addresses: dict[tuple[str, str], list[str]] = {}
        """What was added to a container: (id, time it was started) → addresses."""

    def prepare(self) -> None:
        images.ensure("efs_server")

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
        self._systems = systems

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

"""A task's volumes: Docker volumes, host paths and EFS file systems.

Source: amazon-ecs-agent, agent/taskresource/volume/dockervolume.go and dockervolume_efs.go; agent/api/task/task.go.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import Any

import docker

from .images import response

Json = dict[str, Any]
EFS_DRIVER = "amazon-ecs-volume-plugin"


class VolumeError(Exception):
    """A volume could not be provided; the message is the task's stopped reason.

    Args:
        initialized: whether the task had been taken in by then; one that had not says so before the reason.
    """

    def __init__(self, reason: str, initialized: bool = True) -> None:
        super().__init__(reason)
        self.initialized = initialized


def efs_options(volume: Json, credentials_uri: str) -> dict[str, str]:
    """Driver options of an EFS volume for amazon-ecs-volume-plugin.

    Args:
        volume: its efsVolumeConfiguration.
        credentials_uri: where the task role's credentials are, for `iam`; empty if the task has no role.
    """
    authorization = volume.get("authorizationConfig") or {}
    options = []
    if volume.get("transitEncryption") == "ENABLED":
        options.append("tls")
        if volume.get("transitEncryptionPort"):
            options.append(f"tlsport={volume['transitEncryptionPort']}")
    if authorization.get("iam") == "ENABLED":
        options.append("iam")
        if credentials_uri:
            options.append(f"awscredsuri={credentials_uri}")
    if authorization.get("accessPointId"):
        options.append(f"accesspoint={authorization['accessPointId']}")
    device = f"{volume['fileSystemId']}:{volume.get('rootDirectory') or '/'}"
    answer = {"type": "efs", "device": device}
    if options:
        answer["o"] = ",".join(options)
    return answer


class Volumes:
    """The volumes of a host's Docker engine."""

    def __init__(self, client: Any, match_full_configuration: bool = False) -> None:
        self._client = client
        self._match = match_full_configuration

    def provide(self, volume: Json, family: str, credentials_uri: str, made: dict[str, str]) -> str:
        """Make a volume ready.

        Args:
            volume: the volume of the payload.
            family: `<family>-<revision>`, part of a task volume's name.
            credentials_uri: see `efs_options`.
            made: volumes that belong to the task alone, volume name → Docker volume; this adds to it.
        Returns:
            The source to mount: a Docker volume or a path on the host.
        Raises:
            VolumeError: the driver refused, or a shared volume without autoprovision is not there.
        """
        name = volume["name"]
        if volume.get("type") == "host":
            source = (volume.get("host") or {}).get("sourcePath")
            if source:
                return str(source)
            return self._own(name, family, made, "local", {}, {})
        if volume.get("type") == "efs":
            options = efs_options(volume["efsVolumeConfiguration"], credentials_uri)
            return self._own(name, family, made, EFS_DRIVER, options, {})
        configuration = volume["dockerVolumeConfiguration"]
        driver = configuration.get("driver") or "local"
        options, labels = configuration.get("driverOpts") or {}, configuration.get("labels") or {}
        if configuration.get("scope", "task") == "task":
            return self._own(name, family, made, driver, options, labels)
        return self._shared(name, bool(configuration.get("autoprovision")), driver, options, labels)

    def remove(self, made: dict[str, str]) -> None:
        """Remove the volumes that belonged to a task alone."""
        for source in made.values():
            with contextlib.suppress(docker.errors.NotFound):
                self._client.volumes.get(source).remove()

    def _own(
        self, name: str, family: str, made: dict[str, str], driver: str, options: dict[str, str], labels: dict[str, str]
    ) -> str:
        if name not in made:
            source = f"ecs-{family}-{name}-{secrets.token_hex(10)}"
            self._create(source, driver, options, labels)
            made[name] = source
        return made[name]

    def _shared(
        self, name: str, autoprovision: bool, driver: str, options: dict[str, str], labels: dict[str, str]
    ) -> str:
        try:
            present = self._client.volumes.get(name)
        except docker.errors.NotFound as error:
            if not autoprovision:
                raise VolumeError(
                    f"initialize volume: volume detection failed, volume '{name}' does not exist and autoprovision is "
                    f"set to false: {response(error)}",
                    initialized=False,
                ) from error
            self._create(name, driver, options, labels)
            return name
        except docker.errors.APIError as error:
            raise VolumeError(response(error), initialized=False) from error
        if self._match and autoprovision:
            actual = (present.attrs.get("Options") or {}, present.attrs.get("Labels") or {})
            if actual != (options, labels):
                raise VolumeError(
                    "initialize volume: non-autoprovisioned volume does not match existing volume options: existing: "
                    f"{shown(actual[0])}, expected: {shown(options)}",
                    initialized=False,
                )
        return name

    def _create(self, name: str, driver: str, options: dict[str, str], labels: dict[str, str]) -> None:
        try:
            self._client.volumes.create(name, driver=driver, driver_opts=options, labels=labels)
        except docker.errors.APIError as error:
            raise VolumeError(response(error)) from error


def shown(options: dict[str, str]) -> str:
    """A map as Go prints it."""
    return f"map[{' '.join(f'{key}:{value}' for key, value in sorted(options.items()))}]"

"""Stand-in of amazon-ecs-volume-plugin with amazon-efs-utils: mounts EFS for tasks with an efsVolumeConfiguration.

The ECS agent creates a Docker volume with driver `amazon-ecs-volume-plugin` and options `type`, `device`, `o`; see
https://github.com/aws/amazon-ecs-agent/tree/master/ecs-init/volumes. TLS is asked for and checked, but the NFS
traffic is not encrypted here, and `iam` is not enforced.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import stat
import sys
import threading
from pathlib import Path
from typing import Any

from . import mount as mounts
from .aws import AwsError, Credentials, Efs, Metadata
from .docker_volume import VolumeError, server
from .nfs import Nfs

LOG = logging.getLogger("ecs-volume-plugin")
SOCKET = "/run/docker/plugins/amazon-ecs-volume-plugin.sock"
VOLUMES = Path("/var/lib/ecs/volumes")
STATE = Path("/var/lib/ecs/data/ecs_volume_plugin.json")
ITSELF = Credentials("berth-embedded-itself", "none")
"""On AWS a file system's server knows its access points: no host looks one up, nor has it the right to."""


def parse_options(text: str) -> dict[str, str]:
    """`tls,iam,accesspoint=fsap-1` → `{"tls": "", "iam": "", "accesspoint": "fsap-1"}`.

    Raises:
        VolumeError: a combination that mount.efs refuses.
    """
    options: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        options[name] = value
    for name in ("accesspoint", "iam"):  # https://github.com/aws/efs-utils, check_options_validity
        if name in options and "tls" not in options:
            raise VolumeError(f'The "tls" option is required when mounting via "{name}"')
    return options


def parse_device(device: str) -> tuple[str, str]:
    """`fs-1:/dir` → `("fs-1", "/dir")`; the directory is `/` unless it is given."""
    file_system, _, directory = device.partition(":")
    if not file_system.startswith("fs-"):
        raise VolumeError(f'device "{device}" does not begin with a file system id')
    return file_system, "/" + directory.strip("/")


def ensure_root(nfs: Any, point: dict[str, Any]) -> str:
    """The root directory of an access point, made from its CreationInfo unless it is there.

    An existing directory is left as it is. https://docs.aws.amazon.com/efs/latest/ug/enforce-root-directory-access-point.html

    Raises:
        VolumeError: it is not there and the access point has no CreationInfo.
    """
    path: str = point["RootDirectory"].get("Path", "/")
    creation = point["RootDirectory"].get("CreationInfo")
    parents = [
        "/" + "/".join(path.strip("/").split("/")[: depth + 1]) for depth in range(path.strip("/").count("/") + 1)
    ]
    for directory in parents if path != "/" else []:
        try:
            nfs.stat(directory.encode())
        except FileNotFoundError:
            if not creation:
                raise VolumeError(
                    f"access point {point['AccessPointId']}: {path} does not exist and cannot be created, as the "
                    "access point has no CreationInfo"
                ) from None
            nfs.mkdir(directory.encode(), int(creation["Permissions"], 8))
            nfs.chmod(directory.encode(), int(creation["Permissions"], 8))
            nfs.chown(directory.encode(), int(creation["OwnerUid"]), int(creation["OwnerGid"]))
    return path


class EcsVolumePlugin:
    """The driver. It never deletes anything on a file system."""

    scope = "local"

    def __init__(self) -> None:
        self._lock = threading.Lock()  # the real plugin serves one call at a time, too
        self._volumes: dict[str, dict[str, Any]] = {}
        if STATE.exists():
            self._volumes = json.loads(STATE.read_text())["volumes"]

    def create(self, name: str, options: dict[str, str]) -> None:
        """Note a volume; it is mounted when a container uses it."""
        if options.get("type") != "efs":
            raise VolumeError(f"volume type {options.get('type', '')!r} is not supported; there is only efs")
        parse_device(options.get("device", ""))
        parse_options(options.get("o", ""))
        with self._lock:
            if name in self._volumes:
                raise VolumeError(f"volume {name} already exists")
            self._volumes[name] = {"options": options, "users": []}
            self._save()

    def remove(self, name: str) -> None:
        with self._lock:
            self._find(name)
            mounts.unmount(str(VOLUMES / name))
            del self._volumes[name]
            self._save()
        with contextlib.suppress(FileNotFoundError):
            (VOLUMES / name).rmdir()

    def mount(self, name: str, user: str) -> str:
        target = str(VOLUMES / name)
        with self._lock:
            volume = self._find(name)
            if not mounts.is_mounted(target):
                self._mount(volume["options"], target)
            volume["users"] = sorted({*volume["users"], user})
            self._save()
        return target

    def unmount(self, name: str, user: str) -> None:
        with self._lock:
            volume = self._find(name)
            volume["users"] = [other for other in volume["users"] if other != user]
            if not volume["users"]:
                mounts.unmount(str(VOLUMES / name))
            self._save()

    def path(self, name: str) -> str:
        with self._lock:
            self._find(name)
        return str(VOLUMES / name)

    def get(self, name: str) -> dict[str, Any]:
        return {"Name": name, "Mountpoint": self.path(name)}

    def volumes(self) -> list[dict[str, Any]]:
        with self._lock:
            names = sorted(self._volumes)
        return [{"Name": name, "Mountpoint": str(VOLUMES / name)} for name in names]

    def _find(self, name: str) -> dict[str, Any]:
        if name not in self._volumes:
            raise VolumeError(f"volume {name} not found")
        return self._volumes[name]

    def _save(self) -> None:
        STATE.parent.mkdir(parents=True, exist_ok=True)
        temporary = STATE.with_suffix(".new")
        temporary.write_text(json.dumps({"volumes": self._volumes}, indent=1))
        temporary.replace(STATE)

    def _mount(self, given: dict[str, str], target: str) -> None:
        file_system, directory = parse_device(given["device"])
        options = parse_options(given.get("o", ""))
        try:
            metadata = Metadata(tokens=True)  # efs-utils speaks IMDSv2
            region = metadata.region()
            address = _resolve(f"{file_system}.efs.{region}.amazonaws.com")
            if "accesspoint" in options:
                point = Efs(region, lambda: ITSELF).access_point(options["accesspoint"])
                if point["FileSystemId"] != file_system:
                    raise VolumeError(f"access point {options['accesspoint']} is not of file system {file_system}")
                if point.get("PosixUser"):
                    raise VolumeError("the embedded AWS does not emulate an access point's PosixUser")
                directory = ensure_root(Nfs(address, "/", mounts.MOUNT_SECONDS), point)
            mounts.mount(address, directory, target, f"{__package__}.mount")
        except (AwsError, OSError, mounts.MountError) as error:
            raise VolumeError(f"mounting {given['device']} failed: {error}") from error


def _resolve(name: str) -> str:
    try:
        return socket.gethostbyname(name)
    except OSError as error:  # efs-utils' words
        raise VolumeError(
            f'Failed to resolve "{name}" - check that your file system ID is correct, and ensure that the VPC has '
            "an EFS mount target for this file system ID."
        ) from error


def main() -> None:
    """Serve Docker until the service is stopped; mounts outlive it, as those of a kernel do."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    VOLUMES.mkdir(parents=True, exist_ok=True)
    VOLUMES.chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
    os.umask(0o022)
    server(SOCKET, EcsVolumePlugin()).serve_forever()


if __name__ == "__main__":
    main()

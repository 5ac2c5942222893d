"""Stand-in of the managed plugin rexray/efs 0.11.4: its contract, settings and traps, on the embedded AWS.

What it does is read from https://github.com/rexray/rexray, libstorage/drivers/{storage/efs,os/linux}:

- Volume V is the file system whose Name tag is `<EFS_TAG>/V`, compared without regard to case.
- It is mounted through the mount target in the host's own subnet, and no other.
- The volume's root is the directory `data` in the file system; it is made on demand and chmod'ed at every mount.
- Instance metadata is asked with version 1 only. Where that is refused the plugin never opens its socket.
- An unknown volume is created, and `docker volume rm` deletes the file system. Here both are refused, in the words of
  an API that denies it to the host's role: the role that this project gives to hosts has neither right.
"""

from __future__ import annotations

import logging
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import mount as mounts
from .aws import AwsError, Credentials, Efs, Metadata
from .docker_volume import VolumeError, server

LOG = logging.getLogger("rexray")
SOCKET = "/run/docker/plugins/rexray.sock"
VOLUMES = "/var/lib/rexray/volumes"
DEFAULT_FILE_MODE = 0o700
DEFAULT_ROOT = "/data"
METADATA_PATIENCE = 10.0
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}


def parse_file_mode(text: str) -> int:
    """LINUX_VOLUME_FILEMODE as Go's `strconv.ParseInt(s, 0, 0)` and os.Chmod take it: `0755` is octal, `755` decimal.

    Raises:
        ValueError: it is no number.
    """
    if not text:
        return DEFAULT_FILE_MODE
    if text.lower().startswith("0x"):
        number = int(text, 16)
    elif text.startswith("0"):
        number = int(text, 8)
    else:
        number = int(text)
    return number & 0o777


class RexrayEfs:
    """The driver.

    Args:
        settings: the plugin's environment.
        subnet: id of the host's own subnet.
        role: name of the host's role, for refusals.
        efs: EFS's API.
        volumes: folder below which file systems are mounted.
        mount: mounts (server, directory, target); `mount.mount` unless a test has another.
    """

    scope = "global"

    def __init__(
        self, settings: Mapping[str, str], subnet: str, role: str, efs: Efs,
        volumes: str = VOLUMES, mount: Callable[[str, str, str], None] = mounts.mount,
    ) -> None:  # fmt: skip
        self._tag = settings.get("EFS_TAG", "")
        self._file_mode = parse_file_mode(settings.get("LINUX_VOLUME_FILEMODE", ""))
        self._root = settings.get("LINUX_VOLUME_ROOTPATH") or DEFAULT_ROOT
        self._subnet = subnet
        self._role = role
        self._efs = efs
        self._folder = volumes
        self._mount = mount
        self._lock = threading.Lock()
        self._users: dict[str, int] = {}

    def create(self, name: str, options: dict[str, str]) -> None:  # noqa: ARG002 - Docker's protocol; the real one ignores most
        """An existing file system is taken; a new one is beyond the host's rights."""
        if self._find(name) is None:
            raise self._denied("CreateFileSystem")

    def remove(self, name: str) -> None:
        self._existing(name)
        raise self._denied("DeleteMountTarget")

    def mount(self, name: str, user: str) -> str:  # noqa: ARG002 - Docker's protocol
        with self._lock:
            found = self._find(name)
            if found is None:  # "implicit create" is on by default and cannot be switched off in the managed plugin
                raise self._denied("CreateFileSystem")
            target = self._target(name)
            if not mounts.is_mounted(target):
                self._users.pop(name, None)
                self._attach(found, target)
            data = self.data(name)
            Path(data).mkdir(parents=True, exist_ok=True)
            Path(data).chmod(self._file_mode)
            self._users[name] = self._users.get(name, 0) + 1
        return data

    def unmount(self, name: str, user: str) -> None:  # noqa: ARG002 - Docker's protocol
        with self._lock:
            left = self._users.get(name, 0) - 1
            if left > 0:
                self._users[name] = left
                return
            self._users.pop(name, None)
            mounts.unmount(self._target(name))

    def path(self, name: str) -> str:
        self._existing(name)
        return self.data(name) if mounts.is_mounted(self._target(name)) else ""

    def get(self, name: str) -> dict[str, Any]:
        return self._describe(name, self._existing(name))

    def volumes(self) -> list[dict[str, Any]]:
        prefix = f"{self._tag}/"
        found = [
            (system["Name"], system) for system in self._file_systems() if system.get("Name", "").startswith(prefix)
        ]
        return [self._describe(name[len(prefix) :], system) for name, system in found]

    def data(self, name: str) -> str:
        """Where the volume's root is while it is mounted."""
        return self._target(name) + self._root.rstrip("/")

    def _target(self, name: str) -> str:
        if not name or "/" in name or name in (".", ".."):
            raise VolumeError(f"invalid volume name {name!r}")
        return f"{self._folder}/{name}"

    def _describe(self, name: str, system: dict[str, Any]) -> dict[str, Any]:
        target = self._target(name)
        return {
            "Name": name,
            "Mountpoint": self.data(name) if mounts.is_mounted(target) else "",
            "Status": {
                "id": system["FileSystemId"], "name": name, "server": "efs", "service": "efs",
                "size": system.get("SizeInBytes", {}).get("Value", 0), "type": system.get("PerformanceMode", ""),
            },
        }  # fmt: skip

    def _file_systems(self) -> list[dict[str, Any]]:
        try:
            return self._efs.file_systems()
        except (AwsError, OSError) as error:
            raise VolumeError(f"error describing file systems: {error}") from error

    def _find(self, name: str) -> dict[str, Any] | None:
        self._target(name)  # refuses what is no name
        wanted = f"{self._tag}/{name}".casefold()
        return next((one for one in self._file_systems() if one.get("Name", "").casefold() == wanted), None)

    def _existing(self, name: str) -> dict[str, Any]:
        found = self._find(name)
        if found is None:
            raise VolumeError(f"resource not found: no file system has the Name tag {self._tag}/{name}")
        return found

    def _attach(self, system: dict[str, Any], target: str) -> None:
        try:
            mount_targets = self._efs.mount_targets(system["FileSystemId"])
        except (AwsError, OSError) as error:
            raise VolumeError(f"error describing mount targets: {error}") from error
        address = next((one["IpAddress"] for one in mount_targets if one["SubnetId"] == self._subnet), None)
        if address is None:
            LOG.error("%s has no mount target in this host's subnet %s", system["FileSystemId"], self._subnet)
            raise self._denied("CreateMountTarget")
        try:
            self._mount(address, "/", target)
        except mounts.MountError as error:
            raise VolumeError(f"error mounting {system['FileSystemId']}: {error}") from error

    def _denied(self, action: str) -> VolumeError:
        return VolumeError(
            f"AccessDeniedException: User: assumed-role/{self._role} is not authorized to perform: "
            f"elasticfilesystem:{action} on the specified resource"
        )


def start(settings: Mapping[str, str], metadata: Metadata, patience: float = METADATA_PATIENCE) -> RexrayEfs:
    """Ask the instance metadata what the driver must know, and make it.

    Raises:
        AwsError: the metadata service refused, with code `401` where it requires session tokens.
        OSError: it does not answer within `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            region = metadata.region()  # it goes before EFS_REGION in the real plugin, too
            break
        except AwsError:
            raise
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
    subnet = metadata.interface("subnet-id")
    metadata.interface("security-group-ids")  # asked for by the real one; needed only to make mount targets
    role = "unknown"
    if settings.get("EFS_ACCESSKEY") and settings.get("EFS_SECRETKEY"):
        fixed = Credentials(settings["EFS_ACCESSKEY"], settings["EFS_SECRETKEY"])
        return RexrayEfs(settings, subnet, role, Efs(region, lambda: fixed))
    role = metadata.get("meta-data/iam/security-credentials/").split("\n")[0]
    return RexrayEfs(settings, subnet, role, Efs(region, metadata.credentials))


def main() -> None:
    """Serve Docker; or say why not, and never open the socket."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # which process 1 ignores otherwise, for Docker's 10 seconds
    level = LEVELS.get(os.environ.get("REXRAY_LOGLEVEL", "warn"), logging.WARNING)
    logging.basicConfig(level=level, format="%(levelname)s %(name)s %(message)s", stream=sys.stdout)
    try:
        driver = start(os.environ, Metadata(tokens=False))
    except AwsError as error:
        LOG.error(
            "the instance metadata service refused a version 1 request (%s). rexray/efs speaks nothing else: "
            "set HttpTokens to optional on the host's launch template or launch configuration", error
        )  # fmt: skip
        sys.exit(1)
    except (OSError, ValueError) as error:
        LOG.error("cannot start: %s", error)
        sys.exit(1)
    os.umask(0)
    for stale in mounts.mounted_below(VOLUMES):
        mounts.unmount(stale)  # of a plugin that was killed: nothing serves them any more
    Path(VOLUMES).mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    server(SOCKET, driver).serve_forever()


if __name__ == "__main__":
    main()

"""python3 -m efs_client.mount SERVER EXPORT ROOT MOUNTPOINT: mount a directory of an NFS export with FUSE.

Stays in the foreground until it is unmounted. FUSE's default_permissions lets the kernel check access by owner and
mode, so calls go to the server as root and a new file is then given to who made it.
"""

from __future__ import annotations

import errno
import functools
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ENCODING = "latin-1"
"""fusepy decodes paths; this maps every byte to one character and back, so any file name survives."""
UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2
"""utimensat(2): libfuse hands them on as the nanoseconds of second 0."""
MOUNT_SECONDS = 60.0
"""How long to try; Docker waits two minutes for a mount
(https://github.com/moby/moby/blob/v25.0.0/volume/drivers/proxy.go)."""
MNT_DETACH = 2


class MountError(Exception):
    """A file system could not be mounted; the message is for who started the container."""


def mount(server: str, root: str, target: str, module: str = "efs_client.mount") -> None:
    """Mount directory `root` of the file system at `server` on `target`, in a process of its own.

    Raises:
        MountError: with what the server said.
    """
    Path(target).mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", module, server, "/", root, target],
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + MOUNT_SECONDS + 10
    while not is_mounted(target):
        if process.poll() is not None:
            assert process.stderr
            raise MountError(process.stderr.read().strip().rpartition("\n")[2] or "the mount process ended")
        if time.monotonic() > deadline:
            process.kill()
            raise MountError(f"mounting {server}:{root} timed out")
        time.sleep(0.02)
    assert process.stderr
    process.stderr.close()  # from here on the process writes to our standard output, see main
    threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie when it is unmounted


def unmount(target: str) -> None:
    """Detach what is mounted on `target`; files still open stay usable until they are closed (umount -l)."""
    import ctypes

    libc = ctypes.CDLL("libc.so.6", use_errno=True)
    while is_mounted(target):
        if libc.umount2(os.fsencode(target), MNT_DETACH):
            number = ctypes.get_errno()
            raise OSError(number, f"umount {target}: {os.strerror(number)}")


def is_mounted(target: str) -> bool:
    """Whether something is mounted on exactly `target`; never touches the (maybe dead) mount itself."""
    return target in mounted_below(target)


def mounted_below(folder: str) -> list[str]:
    """Mount points at and below `folder`, the last mounted first."""
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        points = [_unescape(line.split()[4]) for line in table]
    return [point for point in reversed(points) if point == folder or point.startswith(folder.rstrip("/") + "/")]


def _unescape(field: str) -> str:
    return field.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")


def _errors(method: Callable[..., Any]) -> Callable[..., Any]:
    """Report everything unforeseen as EIO: a traceback must not end the mount."""

    @functools.wraps(method)
    def call(*arguments: Any) -> Any:
        try:
            return method(*arguments)
        except OSError:
            raise
        except Exception as error:
            raise OSError(errno.EIO, str(error)) from error

    return call


class FileSystem:
    """The operations that fusepy calls, on directory `root` of an `Nfs`; see https://github.com/fusepy/fusepy."""

    use_ns = True
    flag_utime_omit_ok = 1  # let `touch -a` and `touch -m` set one time alone

    def __init__(self, nfs: Any, root: str, caller: Callable[[], tuple[int, int, int]]) -> None:
        self._nfs = nfs
        self._root = os.fsencode(root.rstrip("/"))
        self._caller = caller

    def __call__(self, operation: str, *arguments: Any) -> Any:
        method = getattr(self, operation, None)
        if method is None:
            raise OSError(errno.ENOSYS, operation)
        return _errors(method)(*arguments)

    def _path(self, path: str) -> bytes:
        return (self._root + path.encode(ENCODING)).rstrip(b"/") or b"/"

    def _give_to_caller(self, path: bytes) -> None:
        uid, gid, _ = self._caller()
        made = self._nfs.stat(path)
        parent = self._nfs.stat(path.rpartition(b"/")[0] or b"/")
        if parent.nfs_mode & stat.S_ISGID:
            gid = parent.nfs_gid
        if (made.nfs_uid, made.nfs_gid) != (uid, gid):
            self._nfs.chown(path, uid, gid)

    def init(self, _path: str) -> None:
        """Called once, after the mount."""

    def destroy(self, _path: str) -> None:
        """Called once, after the unmount."""

    def getattr(self, path: str, _info: Any = None) -> dict[str, int]:
        found = self._nfs.stat(self._path(path))
        attributes = {
            f"st_{name}": getattr(found, f"nfs_{name}")
            for name in ("ino", "mode", "nlink", "uid", "gid", "rdev", "size", "blocks", "blksize")
        }
        for name in ("atime", "mtime", "ctime"):
            attributes[f"st_{name}"] = getattr(found, f"nfs_{name}") * 10**9 + getattr(found, f"nfs_{name}_nsec")
        return attributes

    def readdir(self, path: str, _info: Any) -> list[str]:
        return [".", "..", *(name.decode(ENCODING) for name in self._nfs.names(self._path(path)))]

    def open(self, path: str, info: Any) -> int:
        info.fh = self._nfs.open(self._path(path), info.flags)
        return 0

    def create(self, path: str, mode: int, info: Any) -> int:
        full = self._path(path)
        # The mode may forbid writing, as in open(O_CREAT | O_WRONLY, 0444), which is fine with root's NFS calls.
        info.fh = self._nfs.create(full, info.flags, mode)
        self._give_to_caller(full)
        return 0

    def read(self, _path: str, size: int, offset: int, info: Any) -> bytes:
        data: bytes = self._nfs.read(info.fh, size, offset)
        return data

    def write(self, _path: str, data: bytes, offset: int, info: Any) -> int:
        count: int = self._nfs.write(info.fh, data, offset)
        return count

    def flush(self, _path: str, _info: Any) -> int:
        return 0

    def fsync(self, _path: str, _only_data: int, info: Any) -> int:
        self._nfs.fsync(info.fh)
        return 0

    def release(self, _path: str, info: Any) -> int:
        self._nfs.close(info.fh)
        return 0

    def truncate(self, path: str, size: int, _info: Any = None) -> None:
        self._nfs.truncate(self._path(path), size)

    def unlink(self, path: str) -> None:
        self._nfs.unlink(self._path(path))

    def rmdir(self, path: str) -> None:
        self._nfs.rmdir(self._path(path))

    def mkdir(self, path: str, mode: int) -> None:
        full = self._path(path)
        self._nfs.mkdir(full, mode)
        self._give_to_caller(full)

    def rename(self, old: str, new: str) -> None:
        self._nfs.rename(self._path(old), self._path(new))

    def symlink(self, path: str, target: str) -> None:
        full = self._path(path)
        self._nfs.symlink(target.encode(ENCODING), full)
        self._give_to_caller(full)

    def link(self, new: str, old: str) -> None:
        self._nfs.link(self._path(old), self._path(new))

    def readlink(self, path: str) -> str:
        target: bytes = self._nfs.readlink(self._path(path))
        return target.decode(ENCODING)

    def chmod(self, path: str, mode: int) -> None:
        self._nfs.chmod(self._path(path), mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        full = self._path(path)
        found = self._nfs.stat(full)
        self._nfs.chown(full, found.nfs_uid if uid == -1 else uid, found.nfs_gid if gid == -1 else gid)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> None:
        full = self._path(path)
        found = self._nfs.stat(full)
        old = [
            getattr(found, f"nfs_{name}") * 10**9 + getattr(found, f"nfs_{name}_nsec") for name in ("atime", "mtime")
        ]
        now = time.time_ns()
        wanted = [
            before if given == UTIME_OMIT else now if given == UTIME_NOW else given
            for given, before in zip(times or (now, now), old, strict=True)
        ]
        self._nfs.utimes(full, *wanted)

    def statfs(self, path: str) -> dict[str, int]:
        answer = self._nfs.statvfs(self._path(path))
        names = ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail")
        return {name: getattr(answer, name) for name in names} | {"f_namemax": 255}


def main(arguments: list[str]) -> int:
    """Mount and serve until unmounted; the last line on standard error says why it could not."""
    os.environ.setdefault("FUSE_LIBRARY_PATH", "libfuse.so.2")  # ctypes.util finds it only with gcc or ldconfig there
    from fusepy import FUSE, fuse_get_context  # type: ignore[import-not-found] # on the hosts only

    from .nfs import Nfs

    server, export, root, target = arguments
    try:
        nfs = Nfs(server, export, MOUNT_SECONDS)
        if root != "/" and not stat.S_ISDIR(nfs.stat(os.fsencode(root)).nfs_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    except OSError as error:
        print(f"mounting {server}:{root} failed, reason given by server: {error.strerror}", file=sys.stderr)
        return 32  # mount(8): mount failure
    sys.stderr.flush()
    os.dup2(1, 2)  # mount() reads standard error only until the file system is there
    FUSE(
        FileSystem(nfs, root, fuse_get_context), target, raw_fi=True, encoding=ENCODING,
        foreground=True, nothreads=True, allow_other=True, default_permissions=True, use_ino=True, big_writes=True,
        attr_timeout=0, entry_timeout=0, negative_timeout=0, fsname=f"{server}:{root}", subtype="nfs",
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

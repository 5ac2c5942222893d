"""An NFS client in user space: the few calls of libnfs that a file system needs, with errors as OSError.

The kernel of the machine may have no NFS. Version 3 is spoken: over version 4, libnfs 4.0.0 of Debian 12 mounts and
lists, but creating and writing files fails. https://github.com/sahlberg/libnfs/blob/libnfs-4.0.0/include/nfsc/libnfs.h
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_long, c_uint16, c_uint64, c_ulong, c_void_p
from typing import Any

VERSION = 3
FOR_EVER = -1


class Stat(Structure):
    """`struct nfs_stat_64`."""

    _fields_ = [
        (f"nfs_{name}", c_uint64)
        for name in (
            "dev", "ino", "mode", "nlink", "uid", "gid", "rdev", "size", "blksize", "blocks",
            "atime", "mtime", "ctime", "atime_nsec", "mtime_nsec", "ctime_nsec", "used",
        )
    ]  # fmt: skip


class _Entry(Structure):
    """The first fields of `struct nfsdirent`."""

    _fields_ = [("next", c_void_p), ("name", c_char_p), ("inode", c_uint64)]


class _Time(Structure):
    """`struct timeval`."""

    _fields_ = [("seconds", c_long), ("microseconds", c_long)]


class StatVfs(Structure):
    """`struct statvfs` of x86_64 glibc."""

    _fields_ = [
        ("f_bsize", c_ulong), ("f_frsize", c_ulong), ("f_blocks", c_uint64), ("f_bfree", c_uint64),
        ("f_bavail", c_uint64), ("f_files", c_uint64), ("f_ffree", c_uint64), ("f_favail", c_uint64),
        ("f_fsid", c_ulong), ("f_flag", c_ulong), ("f_namemax", c_ulong), ("spare", c_int * 6),
    ]  # fmt: skip


_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "nfs_init_context": (c_void_p, []),
    "nfs_destroy_context": (None, [c_void_p]),
    "nfs_get_error": (c_char_p, [c_void_p]),
    "nfs_set_version": (c_int, [c_void_p, c_int]),
    "nfs_set_uid": (None, [c_void_p, c_int]),
    "nfs_set_gid": (None, [c_void_p, c_int]),
    "nfs_set_dircache": (None, [c_void_p, c_int]),
    "nfs_set_autoreconnect": (None, [c_void_p, c_int]),
    "nfs_umask": (c_uint16, [c_void_p, c_uint16]),
    "nfs_mount": (c_int, [c_void_p, c_char_p, c_char_p]),
    "nfs_lstat64": (c_int, [c_void_p, c_char_p, POINTER(Stat)]),
    "nfs_opendir": (c_int, [c_void_p, c_char_p, POINTER(c_void_p)]),
    "nfs_readdir": (POINTER(_Entry), [c_void_p, c_void_p]),
    "nfs_closedir": (None, [c_void_p, c_void_p]),
    "nfs_open": (c_int, [c_void_p, c_char_p, c_int, POINTER(c_void_p)]),
    "nfs_create": (c_int, [c_void_p, c_char_p, c_int, c_int, POINTER(c_void_p)]),
    "nfs_close": (c_int, [c_void_p, c_void_p]),
    "nfs_pread": (c_int, [c_void_p, c_void_p, c_uint64, c_uint64, c_void_p]),
    "nfs_pwrite": (c_int, [c_void_p, c_void_p, c_uint64, c_uint64, c_char_p]),
    "nfs_fsync": (c_int, [c_void_p, c_void_p]),
    "nfs_truncate": (c_int, [c_void_p, c_char_p, c_uint64]),
    "nfs_unlink": (c_int, [c_void_p, c_char_p]),
    "nfs_rmdir": (c_int, [c_void_p, c_char_p]),
    "nfs_mkdir2": (c_int, [c_void_p, c_char_p, c_int]),
    "nfs_rename": (c_int, [c_void_p, c_char_p, c_char_p]),
    "nfs_symlink": (c_int, [c_void_p, c_char_p, c_char_p]),
    "nfs_link": (c_int, [c_void_p, c_char_p, c_char_p]),
    "nfs_readlink": (c_int, [c_void_p, c_char_p, c_char_p, c_int]),
    "nfs_chmod": (c_int, [c_void_p, c_char_p, c_int]),
    "nfs_lchown": (c_int, [c_void_p, c_char_p, c_int, c_int]),
    "nfs_lutimes": (c_int, [c_void_p, c_char_p, POINTER(_Time * 2)]),
    "nfs_statvfs": (c_int, [c_void_p, c_char_p, POINTER(StatVfs)]),
}


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL("libnfs.so.13")
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


class Nfs:
    """One mounted export, as root, for one thread at a time. Paths are bytes and begin with `/`.

    Once it is mounted it is a hard mount: when the server goes away, calls wait until it is back.

    Args:
        server: IPv4 address.
        export: path of the export.
        patience: seconds to go on trying to mount.
    Raises:
        OSError: the server did not let us mount in time, or (from any method) what the server answered.
    """

    def __init__(self, server: str, export: str, patience: float) -> None:
        self._nfs = _library()
        deadline = time.monotonic() + patience
        while True:
            self._context = self._nfs.nfs_init_context()
            self._nfs.nfs_set_version(self._context, VERSION)
            self._nfs.nfs_set_uid(self._context, 0)
            self._nfs.nfs_set_gid(self._context, 0)
            # Another host may change a directory at any moment; and modes arrive with the caller's umask applied.
            self._nfs.nfs_set_dircache(self._context, 0)
            self._nfs.nfs_umask(self._context, 0)
            code = self._nfs.nfs_mount(self._context, server.encode(), export.encode())
            if code == 0:
                self._nfs.nfs_set_autoreconnect(self._context, FOR_EVER)
                return
            reason = (self._nfs.nfs_get_error(self._context) or b"").decode(errors="replace")
            self._nfs.nfs_destroy_context(self._context)
            if time.monotonic() > deadline:
                raise OSError(-code, f"{server}:{export} cannot be mounted: {reason or os.strerror(-code)}")
            time.sleep(0.5)

    def _call(self, name: str, *arguments: Any) -> int:
        code: int = getattr(self._nfs, name)(self._context, *arguments)
        if code < 0:
            raise OSError(-code, os.strerror(-code))
        return code

    def stat(self, path: bytes) -> Stat:
        """Attributes of what `path` names, of a symbolic link itself."""
        stat = Stat()
        self._call("nfs_lstat64", path, byref(stat))
        return stat

    def names(self, path: bytes) -> Iterator[bytes]:
        """The names in a directory, without `.` and `..`."""
        directory = c_void_p()
        self._call("nfs_opendir", path, byref(directory))
        try:
            while entry := self._nfs.nfs_readdir(self._context, directory):
                if (name := entry.contents.name) not in (b".", b".."):
                    yield name
        finally:
            self._nfs.nfs_closedir(self._context, directory)

    def open(self, path: bytes, flags: int) -> int:
        """Open an existing file; returns a handle."""
        handle = c_void_p()
        self._call("nfs_open", path, flags & (os.O_ACCMODE | os.O_TRUNC), byref(handle))
        return handle.value or 0

    def create(self, path: bytes, flags: int, mode: int) -> int:
        """Create and open a file; with O_EXCL among `flags` it must not exist yet. Returns a handle."""
        handle = c_void_p()
        wanted = os.O_CREAT | flags & (os.O_ACCMODE | os.O_TRUNC | os.O_EXCL)
        self._call("nfs_create", path, wanted, mode & 0o7777, byref(handle))
        return handle.value or 0

    def close(self, handle: int) -> None:
        self._call("nfs_close", handle)

    def read(self, handle: int, size: int, offset: int) -> bytes:
        buffer = ctypes.create_string_buffer(size)
        count = self._call("nfs_pread", handle, offset, size, buffer)
        return buffer.raw[:count]

    def write(self, handle: int, data: bytes, offset: int) -> int:
        return self._call("nfs_pwrite", handle, offset, len(data), data)

    def fsync(self, handle: int) -> None:
        self._call("nfs_fsync", handle)

    def truncate(self, path: bytes, size: int) -> None:
        self._call("nfs_truncate", path, size)

    def unlink(self, path: bytes) -> None:
        self._call("nfs_unlink", path)

    def rmdir(self, path: bytes) -> None:
        self._call("nfs_rmdir", path)

    def mkdir(self, path: bytes, mode: int) -> None:
        self._call("nfs_mkdir2", path, mode & 0o7777)

    def rename(self, old: bytes, new: bytes) -> None:
        self._call("nfs_rename", old, new)

    def symlink(self, target: bytes, path: bytes) -> None:
        self._call("nfs_symlink", target, path)

    def link(self, old: bytes, new: bytes) -> None:
        self._call("nfs_link", old, new)

    def readlink(self, path: bytes) -> bytes:
        buffer = ctypes.create_string_buffer(4097)
        self._call("nfs_readlink", path, buffer, 4096)
        return buffer.value

    def chmod(self, path: bytes, mode: int) -> None:
        self._call("nfs_chmod", path, mode & 0o7777)

    def chown(self, path: bytes, uid: int, gid: int) -> None:
        self._call("nfs_lchown", path, uid, gid)

    def utimes(self, path: bytes, accessed: int, modified: int) -> None:
        """Set both times, given in nanoseconds; NFS calls of libnfs keep microseconds."""
        times = (_Time * 2)(*[_Time(ns // 10**9, ns % 10**9 // 1000) for ns in (accessed, modified)])
        self._call("nfs_lutimes", path, byref(times))

    def statvfs(self, path: bytes) -> StatVfs:
        answer = StatVfs()
        self._call("nfs_statvfs", path, byref(answer))
        return answer

"""What a program in a task meets: a file system of the kernel that has lost a file, a database that is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plugins.plugin_utils.doctor import logins
from plugins.plugin_utils.doctor.signature import Evidence
from tests.unit.plugins.modules.test_database_logins import Host, serving
from tests.unit.plugins.plugin_utils.doctor.provoked_support import Provoked
from tests.unit.plugins.plugin_utils.doctor.test_provoked_by_programs import python

provoked = Provoked()
HANDLE = """
import ctypes, os, sys
system, folder = ctypes.CDLL(None, use_errno=True), os.open(sys.argv[1], os.O_RDONLY)
class Handle(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint), ("kind", ctypes.c_int), ("bytes", ctypes.c_ubyte * 128)]
handle, mount = Handle(128), ctypes.c_int()
path = os.path.join(sys.argv[1], "upload")
def check(answer):
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
open(path, "w").close()
check(system.name_to_handle_at(-100, path.encode(), ctypes.byref(handle), ctypes.byref(mount), 0))
if "lost" in sys.argv:
    os.unlink(path)
check(system.open_by_handle_at(folder, ctypes.byref(handle), os.O_RDONLY))
"""
"""Opens a file by its handle, as a client of NFS does; by then it may be gone."""


@provoked("file-handle")
def _handle(folder: Path) -> list[Evidence]:
    if os.getuid():
        pytest.skip("only root opens a file by its handle")
    return python(f"import sys; sys.argv = ['', {str(folder)!r}, 'lost']{HANDLE}")


@provoked("database-other")
def _database(folder: Path) -> list[Evidence]:
    """A server of ssh at the address that the container was given."""
    host = Host(folder)
    host.runs(serving(lambda each: each.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")))
    found, _ = host.logins()
    return list(logins.evidence([{"item": "i-0aaaaaaaaaaaaaaa1", "logins": found}]))


@pytest.mark.parametrize("name", provoked.by)
def test_what_a_task_meets_is_recognised(name: str, tmp_path: Path) -> None:
    provoked.prove(name, tmp_path)


def test_a_file_that_is_there_has_no_stale_handle(tmp_path: Path) -> None:
    sys_argv, code = f"import sys; sys.argv = ['', {str(tmp_path)!r}]", "\nraise SystemExit('opened')"
    if os.getuid():
        pytest.skip("only root opens a file by its handle")
    assert [each.text for each in python(sys_argv + HANDLE + code)] == ["opened"]

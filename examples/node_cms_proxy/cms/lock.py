"""A folder belongs to one CMS at a time."""

from __future__ import annotations

import fcntl
import socket
from pathlib import Path
from typing import TextIO


class InUse(Exception):
    """The folder cannot be had; the message says why."""


def take(folder: Path) -> TextIO:
    """Lock a folder for as long as the returned file is open, in this process or one that it forked.

    The kernel drops the lock with the process, so none is left behind by a crash. It holds between hosts too: on NFS,
    which EFS is, Linux makes a lock of the server's of it. https://man7.org/linux/man-pages/man2/flock.2.html

    Raises:
        InUse: another CMS has it, or it cannot be written.
    """
    try:
        file = (folder / "lock").open("a+")
    except OSError as error:
        raise InUse(f"{folder} cannot be written: {error.strerror}.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        raise InUse(f"{folder} is in use by {file.read().strip() or 'another CMS'}; two would mix it up.") from error
    file.truncate(0)
    file.write(socket.gethostname())
    file.flush()
    return file

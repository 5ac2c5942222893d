"""A folder belongs to one CMS at a time."""

from __future__ import annotations

import fcntl
import socket
import sys
import time
from pathlib import Path
from typing import TextIO


class InUse(Exception):
    """The folder cannot be had; the message says why."""


def take(folder: Path, seconds: float = 0) -> TextIO:
    """Lock a folder for as long as the returned file is open, in this process or one that it forked.

    The kernel drops the lock with the process, so none is left behind by a crash. It holds between hosts too: on NFS,
    which EFS is, Linux makes a lock of the server's of it. https://man7.org/linux/man-pages/man2/flock.2.html

    Args:
        folder: the data's.
        seconds: how long to wait for another CMS to end. ECS starts the next one when it tells one to stop, not when it
            has: https://github.com/aws/containers-roadmap/issues/959

    Raises:
        InUse: another CMS has it, or it cannot be written.
    """
    try:
        file = (folder / "lock").open("a+")
    except OSError as error:
        raise InUse(f"{folder} cannot be written: {error.strerror}.") from error
    deadline, told = time.monotonic() + seconds, False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            file.seek(0)
            used = f"{folder} is in use by {file.read().strip() or 'another CMS'}"
            if time.monotonic() >= deadline:
                raise InUse(f"{used}; two would mix it up.") from error
        if not told:
            print(f"{used}: waiting up to {seconds:g} s for its end", file=sys.stderr, flush=True)
            told = True
        time.sleep(0.5)
    file.truncate(0)
    file.write(socket.gethostname())
    file.flush()
    return file

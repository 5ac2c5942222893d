"""The runtime API of a HAProxy, at its Unix socket."""

from __future__ import annotations

import csv
import io
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Admin:
    """The runtime API of one HAProxy (https://docs.haproxy.org/2.6/management.html#9.3).

    Args:
        name: of the load balancer, for messages.
        path: the socket.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path

    def command(self, command: str) -> str:
        """Send one command to HAProxy and return its answer.

        Raises:
            OSError: it does not listen.
            RuntimeError: it refused.
        """
        with _connection(self._path) as connection:
            connection.sendall(f"{command}\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        quiet = not command.startswith(("show", "add server", "del server"))
        said = answer.strip()
        if (quiet and said) or (command.startswith("add server") and "registered" not in said):
            raise RuntimeError(f"HAProxy of {self.name} refused {command!r}: {said}")
        return answer

    def info(self) -> dict[str, str]:
        """What HAProxy says of itself, for example its `Pid`; raises as `command` does."""
        lines = self.command("show info").splitlines()
        return dict(line.split(": ", 1) for line in lines if ": " in line)

    def servers(self) -> dict[tuple[str, str], dict[str, str]]:
        """HAProxy's statistics of each server, by backend and name, and of each backend, as `BACKEND` by the name.

        Raises as `command` does.
        """
        rows = csv.DictReader(io.StringIO(self.command("show stat -1 6 -1").lstrip("# ")))
        return {(row["pxname"], row["svname"]): row for row in rows}


@contextmanager
def _connection(path: Path) -> Iterator[socket.socket]:
    """A connection to a Unix socket, by its folder's descriptor: its path may be longer than a socket's may (107)."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(10)
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")
            yield connection
    finally:
        os.close(folder)

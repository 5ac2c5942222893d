"""A file that pg_dump has made, and its lines as SQL."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from plugins.plugin_utils.importing.remote import talk
from plugins.plugin_utils.importing.sql import Unfit

CUSTOM, TAR, GZIP = b"PGDMP", b"ustar", b"\x1f\x8b"
TAR_AT = 257
"""Where a tar says that it is one: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html"""
FIRST = 4096


class Source:
    """The file.

    Args:
        path: of the file.

    Attributes:
        kind: `custom`, `tar`, `plain` or `gzip`, which is a plain one.
        size: in bytes.

    Raises:
        Unfit: pg_dump makes no such file.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_dir():
            raise Unfit("it is a folder. Make one file: pg_dump --format=custom")
        self.size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(FIRST)
        self.kind = self._kind(first)

    def _kind(self, first: bytes) -> str:
        if first.startswith(CUSTOM):
            return "custom"
        if first[TAR_AT:].startswith(TAR):
            return "tar"
        kind = "plain"
        if first.startswith(GZIP):
            kind = "gzip"
            with gzip.open(self.path) as file:
                first = file.read(FIRST)
        if b"PostgreSQL database cluster dump" in first:
            raise Unfit("it is of a whole server, by pg_dumpall. Make one of the database alone: pg_dump")
        if b"PostgreSQL database dump" not in first:
            raise Unfit("its beginning is not that of a file of pg_dump")
        return kind

    @property
    def programs(self) -> tuple[str, ...]:
        """What this machine needs to restore it."""
        return ("psql",) if self.kind in ("plain", "gzip") else ("psql", "pg_restore")

    def checksum(self) -> str:
        """SHA-256 of the file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def lines(self, idle: Callable[[], None] = lambda: None) -> Iterator[bytes]:
        """Its SQL, line by line.

        Args:
            idle: called about once a second in which pg_restore says nothing.

        Raises:
            Broken: pg_restore failed.
            OSError: it cannot be read.
        """
        if self.kind == "plain":
            with self.path.open("rb") as file:
                yield from file
        elif self.kind == "gzip":
            with gzip.open(self.path) as file:
                yield from file
        else:
            command = ["pg_restore", "--no-owner", "--no-privileges", "--file=-", str(self.path)]
            with talk(command, idle) as talking:
                for line in talking.lines():
                    yield line + b"\n"

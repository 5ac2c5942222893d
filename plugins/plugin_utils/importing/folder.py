"""The files of a folder of this machine: what they are, their checksums, and how they differ from those of a volume."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PIECE_BYTES = 64 * 2**20
PIECE_FILES = 500
"""How much goes at once: what an interrupted run has to send again, and room that the volume needs beside the files."""
CODES = {b"\\": b"\\\\", b"\n": b"\\n"}
"""How sha256sum writes what its lines cannot have: then the line begins with a backslash.

https://www.gnu.org/software/coreutils/manual/html_node/cksum-output-modes.html
"""


@dataclass(frozen=True)
class File:
    """A file of the folder.

    Attributes:
        path: from the folder, as `os.fsdecode` reads it: a name need not be UTF-8.
        size: in bytes.
        mode: the permissions that it gets: whoever serves the volume has to read it.
        modified: seconds since 1970.
    """

    path: str
    size: int
    mode: int
    modified: int


@dataclass(frozen=True)
class Difference:
    """What a volume has and has not of a folder.

    Attributes:
        missing: files that it has not.
        differing: files that it has with another content.
        same: how many are there already.
        beside: paths of files that only the volume has.
    """

    missing: list[File]
    differing: list[File]
    same: int
    beside: list[str]


def files(folder: Path) -> tuple[list[File], list[str]]:
    """The files below a folder in the order of their paths, and paths of what is neither file nor folder.

    Raises:
        OSError: a folder or a file cannot be read.
    """
    found, others = list[File](), list[str]()

    def fail(error: OSError) -> None:
        raise error

    for at, folders, names in os.walk(folder, onerror=fail):
        for name in [*names, *(each for each in folders if os.path.islink(os.path.join(at, each)))]:  # noqa: PTH114, PTH118 # a path object would cost more than the file
            path = os.path.join(at, name)  # noqa: PTH118 # the same
            told = os.lstat(path)
            relative = os.path.relpath(path, folder)
            if stat.S_ISREG(told.st_mode):
                mode = 0o755 if told.st_mode & 0o111 else 0o644
                found.append(File(relative, told.st_size, mode, int(told.st_mtime)))
            else:
                others.append(relative)
    return sorted(found, key=lambda each: each.path), sorted(others)


def checksums(folder: Path, wanted: Iterable[File], tell: Callable[[int, int], None]) -> dict[str, str]:
    """Path → SHA-256 of each file.

    Args:
        folder: in which they are.
        wanted: the files.
        tell: is told how many files and bytes were read.

    Raises:
        OSError: one cannot be read.
    """
    found, size = dict[str, str](), 0
    for file in wanted:
        with open(folder / file.path, "rb") as content:
            found[file.path] = hashlib.file_digest(content, "sha256").hexdigest()
        size += file.size
        tell(len(found), size)
    return found


def line(path: str, checksum: str) -> bytes:
    """A line as sha256sum writes and reads it."""
    written = os.fsencode(path)
    for plain, code in CODES.items():
        written = written.replace(plain, code)
    mark = b"" if written == os.fsencode(path) else b"\\"
    return mark + checksum.encode() + b"  " + written + b"\n"


def read(written: bytes) -> tuple[str, str]:
    """Path, without `./`, and checksum of such a line.

    Raises:
        ValueError: it is none.
    """
    mark = written.startswith(b"\\")
    checksum, _, path = written.removeprefix(b"\\").rstrip(b"\n").partition(b"  ")
    if len(checksum) != 64 or not path:
        raise ValueError(f"{written!r} is no line of sha256sum")
    if mark:
        parts = path.split(b"\\\\")
        path = b"\\".join(part.replace(b"\\n", b"\n").replace(b"\\r", b"\r") for part in parts)
    return os.fsdecode(path.removeprefix(b"./")), checksum.decode()


def difference(here: Iterable[File], sums: Mapping[str, str], there: Mapping[str, str]) -> Difference:
    """Compare.

    Args:
        here: the files of the folder.
        sums: path → their checksums.
        there: path → checksum of the files of the volume.
    """
    missing, differing, same, known = list[File](), list[File](), 0, set[str]()
    for file in here:
        known.add(file.path)
        found = there.get(file.path)
        if found is None:
            missing.append(file)
        elif found != sums[file.path]:
            differing.append(file)
        else:
            same += 1
    return Difference(missing, differing, same, sorted(set(there) - known))


def pieces(wanted: Iterable[File]) -> Iterator[list[File]]:
    """The files in pieces; one that is larger than a piece is one of its own."""
    piece, size = list[File](), 0
    for file in wanted:
        if piece and (size + file.size > PIECE_BYTES or len(piece) == PIECE_FILES):
            yield piece
            piece, size = [], 0
        piece.append(file)
        size += file.size
    if piece:
        yield piece

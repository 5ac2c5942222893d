"""The code of a function: a folder, and the zip that Lambda unpacks.

A zip is called after what is in it and not after its own bytes, which another zlib makes otherwise: so nothing changes
where nothing changed, on this machine or another. Names are sorted, times fixed, modes those that Lambda needs.
https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LEFT_OUT = frozenset({"__pycache__", ".git", ".DS_Store"})
"""What tools leave beside code, other on each machine; Lambda's Python makes its own bytecode."""
MOST_BYTES = 250 * 1024 * 1024
"""Unpacked, layers included: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can hold."""
PLAIN, EXECUTABLE = 0o100644, 0o100755
"""Modes of files, as all users of Lambda's sandbox are to read them."""


def folder(code: str, beside: str = "") -> Path:
    """Where a folder of code lies: beside the inventory where it has one of this name, else in the project.

    Args:
        code: as the inventory has it.
        beside: folder in which that of the inventory lies; empty if there is none.
    """
    places = [Path(top) / code for top in (beside, PROJECT) if top]
    return next((place for place in places if place.is_dir()), places[-1])


def files(top: Path) -> Iterator[tuple[str, Path]]:
    """Name in the zip and path of each file, sorted by name.

    Raises:
        ValueError: a link that leads to no file, which no zip of ours holds.
    """
    found: dict[str, Path] = {}
    for at, folders, names in os.walk(top):
        folders[:] = [each for each in folders if each not in LEFT_OUT]
        linked = [each for each in folders if (Path(at) / each).is_symlink()]
        for name in [*linked, *(each for each in names if each not in LEFT_OUT)]:
            path = Path(at) / name
            if not path.is_file():
                raise ValueError(f"{path.relative_to(top)} is a link that leads to no file")
            found[path.relative_to(top).as_posix()] = path
    yield from sorted(found.items())


def key(top: Path) -> str:
    """What the zip of a folder is called: `<hash of names, modes and contents>.zip`.

    Raises:
        ValueError: see `files`.
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for name, path in files(top):
        content = path.read_bytes()
        digest.update(f"{name}\0{_mode(path):o}\0{len(content)}\0".encode())
        digest.update(content)
    return f"{digest.hexdigest()}.zip"


def zipped(top: Path) -> bytes:
    """The zip of a folder.

    Raises:
        ValueError: see `files`.
        OSError: a file cannot be read.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, path in files(top):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = _mode(path) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return made.getvalue()


def _mode(path: Path) -> int:
    return EXECUTABLE if path.stat().st_mode & 0o100 else PLAIN

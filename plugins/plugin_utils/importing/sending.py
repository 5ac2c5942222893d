"""Files on their way to a volume: in pieces, each of which is read back there before it counts."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from plugins.plugin_utils.importing.folder import PIECE_BYTES, File, line, pieces, read
from plugins.plugin_utils.importing.remote import Talk, answered, talk

CHUNK = 2**20
NEW, REPLACE = "new", "replace"


class Changed(Exception):
    """A file of this machine is not what it was when its checksum was taken.

    Args:
        path: of the file.
    """


class Volume:
    """A volume as a container of the site has it.

    Args:
        command: makes the program that runs the script in the container, with further arguments of the script.
    """

    def __init__(self, command: Callable[..., list[str]]) -> None:
        self._command = command

    def checksums(self, tell: Callable[[int, int], None]) -> dict[str, str]:
        """Path → SHA-256 of each file.

        Args:
            tell: is told how many of how many were read, also while none is.

        Raises:
            Broken: it failed.
        """
        found, total = dict[str, str](), 0
        with talk(self._command("list"), lambda: tell(len(found), total)) as talking:
            lines = talking.lines()
            total = int(next(lines, b"0"))
            for each in lines:
                path, checksum = read(each)
                found[path] = checksum
                tell(len(found), total)
        return found

    def send(
        self, folder: Path, files: Sequence[File], sums: Mapping[str, str], how: str, tell: Callable[[int, int], None]
    ) -> None:
        """Bring files to the volume.

        Args:
            folder: in which they are here.
            files: which.
            sums: path → their checksums.
            how: `NEW`, where none of them may be there, or `REPLACE`.
            tell: is told how many more files are there, and how many more bytes are on their way.

        Raises:
            Broken: it failed.
            Changed: a file has changed since its checksum was taken.
            OSError: a file cannot be read.
        """
        for piece in pieces(files):
            if piece[0].size > PIECE_BYTES:
                self._send_large(folder, piece[0], sums[piece[0].path], how, tell)
            else:
                with talk(self._command("take", how), lambda: tell(0, 0)) as talking:
                    _pack(talking, folder, piece, sums, tell)
                    for _ in talking.lines():
                        pass
            tell(len(piece), 0)

    def end(self) -> None:
        """Remove what was only needed on the way.

        Raises:
            Broken: it failed.
        """
        answered(self._command("end"))

    def _send_large(self, folder: Path, file: File, checksum: str, how: str, tell: Callable[[int, int], None]) -> None:
        """One that is larger than a piece: from where it was interrupted."""
        held = int(answered(self._command("held", checksum))[0])
        tell(0, min(held, file.size))
        appending = self._command("append", checksum)
        with open(folder / file.path, "rb") as content, talk(appending, lambda: tell(0, 0)) as talking:
            content.seek(held)
            left = file.size - held
            while left > 0:
                part = content.read(min(CHUNK, left))
                if not part:
                    raise Changed(file.path)
                left -= len(part)
                tell(0, talking.write(part))
            for _ in talking.lines():
                pass
        answered(self._command("finish", checksum, how, f"{file.mode:o}", file.path), lambda: tell(0, 0))


def _pack(
    talking: Talk, folder: Path, piece: Sequence[File], sums: Mapping[str, str], tell: Callable[[int, int], None]
) -> None:
    """Write a piece as the tar that the script takes.

    GNU's format has long names and any bytes in them, and each tar reads it.
    """
    listed = b"".join(line(f"./{file.path}", sums[file.path]) for file in piece)
    out: Any = talking  # a stream needs no more of a file than its `write`
    with tarfile.open(mode="w|", fileobj=out, format=tarfile.GNU_FORMAT) as packed:
        entry = tarfile.TarInfo("sums")
        entry.size = len(listed)
        packed.addfile(entry, io.BytesIO(listed))
        for file in piece:
            entry = tarfile.TarInfo(f"files/{file.path}")
            entry.size, entry.mode, entry.mtime = file.size, file.mode, file.modified
            with open(folder / file.path, "rb") as content:
                try:
                    packed.addfile(entry, content)
                except OSError as error:
                    if "unexpected end of data" not in str(error):
                        raise
                    raise Changed(file.path) from None
            tell(0, file.size)

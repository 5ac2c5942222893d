"""A function's zip as what Docker unpacks into a container."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile

PLAIN_MODE = 0o644
"""Of a file whose zip was made without modes (not on Unix)."""


def archive(code: bytes) -> bytes:
    """A tar of what is in a zip, for root to own; modes are kept, since a file that Lambda may not read is a mistake.

    Raises:
        ValueError: it is no zip.
    """
    packed = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(code)) as source, tarfile.open(fileobj=packed, mode="w") as out:
            for each in source.infolist():
                entry = tarfile.TarInfo(each.filename.rstrip("/"))
                mode = each.external_attr >> 16
                if each.is_dir():
                    entry.type, entry.mode = tarfile.DIRTYPE, stat.S_IMODE(mode) or 0o755
                    out.addfile(entry)
                    continue
                content = source.read(each)
                entry.size, entry.mode = len(content), stat.S_IMODE(mode) or PLAIN_MODE
                out.addfile(entry, io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise ValueError(f"The code is no zip: {error}") from error
    return packed.getvalue()


def file(name: str, text: str) -> bytes:
    """A tar of one text file that everybody may read."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as out:
        data = text.encode()
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), PLAIN_MODE
        out.addfile(entry, io.BytesIO(data))
    return packed.getvalue()

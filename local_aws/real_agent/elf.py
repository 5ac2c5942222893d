"""What the header of a program says: for which machine it is, and which loader it needs.

https://man7.org/linux/man-pages/man5/elf.5.html
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAGIC = b"\x7fELF"
MACHINES = {62: "x86_64", 183: "aarch64"}
"""e_machine → what `uname -m` calls it."""
PROGRAMS = (2, 3)
"""e_type of what can be started, at a fixed place (ET_EXEC) or at any (ET_DYN)."""
LOADERS = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}
"""That of the GNU C library, which the hosts have."""
INTERPRETER = 3
"""p_type of the segment that names the loader."""
HEADER = struct.Struct("<4sBB10xHHIQQQIHHH")
SEGMENT = struct.Struct("<IIQQQQ")


@dataclass(frozen=True)
class Program:
    """A program of Linux.

    Attributes:
        machine: as `uname -m` calls it; `?` for one that no host can be.
        loader: path of the dynamic loader; empty if it is linked statically.
    """

    machine: str
    loader: str


def read(data: bytes) -> Program | None:
    """The program that begins with `data`, None if it is none for 64 bits.

    Args:
        data: its first bytes, with the program headers and what they point to (a page is enough).
    """
    if len(data) < HEADER.size or not data.startswith(MAGIC):
        return None
    _, bits, order, kind, machine, _, _, segments, _, _, _, size, count = HEADER.unpack_from(data)
    if (bits, order) != (2, 1) or kind not in PROGRAMS:  # 64 bits, little-endian
        return None
    return Program(MACHINES.get(machine, "?"), _loader(data, segments, size, count))


def _loader(data: bytes, start: int, size: int, count: int) -> str:
    for number in range(count):
        place = start + number * size
        if place + SEGMENT.size > len(data):
            return ""
        kind, _, offset, _, _, length = SEGMENT.unpack_from(data, place)
        if kind == INTERPRETER:
            return data[offset : offset + length].rstrip(b"\0").decode(errors="replace")
    return ""

"""A program for Linux on x86_64, written by hand: 200 bytes that become another program. No compiler is asked for."""

from __future__ import annotations

import struct

from local_aws.real_agent import elf

BASE = 0x400000
EXECUTE, EXIT = 59, 60
"""System calls."""
NOT_FOUND = 127
HEADER_BYTES, SEGMENT_BYTES = 64, 56


def program(command: list[str], machine: int = 62, loader: str = "", kind: int = 2, bits: int = 2) -> bytes:
    """A program that runs `command` in its own place, with its own environment, and else ends with 127.

    Args:
        command: absolute path and arguments.
        machine: e_machine; what is written is for 62 all the same.
        loader: what its header asks for; the program would do without.
        kind: e_type.
        bits: 2 for 64 of them, 1 for 32.
    """
    segments = 2 if loader else 1
    start = HEADER_BYTES + segments * SEGMENT_BYTES
    texts = [text.encode() + b"\0" for text in [*command, *([loader] if loader else [])]]
    size = len(_code(0, 0))
    places, end = [], start + size
    for text in texts:
        places.append(end)
        end += len(text)
    table = end
    arguments = struct.pack(f"<{len(command) + 1}Q", *(BASE + place for place in places[: len(command)]), 0)
    body = _code(BASE + places[0], BASE + table) + b"".join(texts) + arguments
    whole = start + len(body)
    header = elf.HEADER.pack(elf.MAGIC, bits, 1, kind, machine, 1, BASE + start, HEADER_BYTES, 0, 0,
                             HEADER_BYTES, SEGMENT_BYTES, segments)  # fmt: skip
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, whole, whole, 0x1000)
    other = b""
    if loader:
        other = struct.pack("<IIQQQQQQ", elf.INTERPRETER, 4, places[-1], 0, 0, len(texts[-1]), len(texts[-1]), 1)
    return header.ljust(HEADER_BYTES, b"\0") + load + other + body


def _code(path: int, arguments: int) -> bytes:
    """execve(path, arguments, environment); exit(127)."""
    return b"".join(
        [
            b"\x48\x8b\x04\x24",  # mov rax, [rsp]: how many arguments there are
            b"\x48\x8d\x54\xc4\x10",  # lea rdx, [rsp + 8 * rax + 16]: the environment stands behind them
            b"\x48\xbf" + struct.pack("<Q", path),  # mov rdi
            b"\x48\xbe" + struct.pack("<Q", arguments),  # mov rsi
            b"\xb8" + struct.pack("<I", EXECUTE) + b"\x0f\x05",
            b"\xbf" + struct.pack("<I", NOT_FOUND),
            b"\xb8" + struct.pack("<I", EXIT) + b"\x0f\x05",
        ]
    )

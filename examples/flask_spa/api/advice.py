"""What would fit an ear: a stand-in for the model that the site has after which this one is made."""

from __future__ import annotations

import struct

from photos import PhotoError

FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG behind which height and width stand: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, table B.1"""


def of(photo: bytes) -> str:
    """By the photo's shape.

    Args:
        photo: its first bytes.

    Raises:
        PhotoError: it is none.
    """
    width, height = size(photo)
    if height > width * 1.2:
        return "in-ear, with long tips"
    return "on-ear" if height >= width else "over-ear"


def size(photo: bytes) -> tuple[int, int]:
    """Width and height in pixels.

    Raises:
        PhotoError: it is neither PNG nor JPEG, or is cut short.
    """
    try:
        if photo.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack_from(">II", photo, 16)
            return width, height
        at = 2
        while photo.startswith(b"\xff\xd8"):
            start, marker, length = struct.unpack_from(">BBH", photo, at)
            if start != 0xFF:
                break
            if marker in FRAMES:
                height, width = struct.unpack_from(">HH", photo, at + 5)
                return width, height
            at += 2 + length
    except struct.error:
        pass
    raise PhotoError("This is no photo that can be read.", 422)

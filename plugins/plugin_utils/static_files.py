"""A folder of built files as objects of a bucket: their types, their cache headers, and which of them are pages.

All of it follows from the files' names, by what stands here: the same on this machine and another, so that nothing
changes where nothing changed.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from plugins.plugin_utils import function_code

IMMUTABLE = "public, max-age=31536000, immutable"
"""Of what gets another name when its content changes.

https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/Caching#cache_busting
"""
REVALIDATED = "no-cache"
"""Kept, but asked for each time: the answer is mostly a 304 without the content."""
PAGES = (".html", ".htm")
FOLDER = "_releases/"
"""Where a bucket keeps what releases have shown (static_release.py); no folder of built files has one of this name."""
MOST_BYTES = 5 * 1024**3
"""What one PutObject takes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html"""
KEY_BYTES = 1024 - len(f"{FOLDER}0123456789abcdef/")
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html, less the folder of a release."""

TYPES = {
    "html": "text/html", "htm": "text/html", "css": "text/css", "js": "text/javascript", "mjs": "text/javascript",
    "json": "application/json", "map": "application/json", "webmanifest": "application/manifest+json",
    "xml": "application/xml", "xhtml": "application/xhtml+xml", "rss": "application/rss+xml",
    "atom": "application/atom+xml", "txt": "text/plain", "md": "text/markdown", "csv": "text/csv",
    "ics": "text/calendar", "vtt": "text/vtt", "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg",
    "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "avif": "image/avif", "ico": "image/x-icon",
    "bmp": "image/bmp", "tif": "image/tiff", "tiff": "image/tiff", "woff2": "font/woff2", "woff": "font/woff",
    "ttf": "font/ttf", "otf": "font/otf", "mp3": "audio/mpeg", "m4a": "audio/mp4", "ogg": "audio/ogg",
    "opus": "audio/ogg", "wav": "audio/wav", "flac": "audio/flac", "mp4": "video/mp4", "webm": "video/webm",
    "ogv": "video/ogg", "mov": "video/quicktime", "m3u8": "application/vnd.apple.mpegurl", "ts": "video/mp2t",
    "pdf": "application/pdf", "wasm": "application/wasm", "zip": "application/zip", "gz": "application/gzip",
    "glb": "model/gltf-binary", "gltf": "model/gltf+json",
}  # fmt: skip
"""Ending → type, of what sites are made of; https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/MIME_types

Not Python's `mimetypes`, which reads the machine's own tables, and knows other types in each version.
"""
OTHER = "application/octet-stream"
TEXTS = re.compile(r"text/.*|application/(json|xml|.*\+(json|xml))|image/svg\+xml")
"""What browsers read as letters: it is UTF-8, and says so."""

HEX = re.compile(r"(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,64}")
"""A hash as webpack and Next.js write it. A date (20240131) and a word (deadbeef) are none."""
TAIL = re.compile(r"-([A-Za-z0-9_-]{8})(?:\.[A-Za-z0-9]+)+$")
"""Where Vite, Rollup and esbuild have one: eight characters of base64 before the ending."""
SURE = re.compile(r"(?=.*[0-9])(?=.*[A-Z])(?![A-Za-z]+[0-9]+$)(?![0-9]+[A-Za-z]+$)[A-Za-z0-9]{8}")
"""Eight of them that no word, version or date is."""


@dataclass(frozen=True)
class File:
    """A file as an object.

    Attributes:
        key: its path in the folder.
        path: where it lies.
        content_type: with its charset.
        cache_control: the header.
    """

    key: str
    path: Path
    content_type: str
    cache_control: str

    def digest(self) -> str:
        """SHA-256 of what is in it, as letters.

        Raises:
            OSError: it cannot be read.
        """
        with self.path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()


def read(top: Path, cache_control: Mapping[str, str]) -> list[File]:
    """The files of a folder, sorted by key.

    Args:
        top: the folder.
        cache_control: pattern → header; the first that fits a key holds. A `*` stands for slashes as well.

    Raises:
        ValueError: something in it can be no object: a link that leads out of it or to no file, a file that is too
            large, a name that is too long, no UTF-8, or taken.
        OSError: it cannot be read.
    """
    found = dict(function_code.files(top))
    whole = top.resolve()
    for key, path in found.items():
        if not path.resolve().is_relative_to(whole):
            raise ValueError(f"{key} is a link that leads out of the folder")
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"{key} is larger than 5 GiB, which S3 takes at most")
        try:
            size = len(key.encode())
        except UnicodeEncodeError:
            raise ValueError(f"the name {key!r} is no UTF-8") from None
        if size > KEY_BYTES:
            raise ValueError(f"the name {key} has more than {KEY_BYTES} bytes, which S3 takes at most")
        if key.startswith(FOLDER):
            raise ValueError(f"{key} lies in {FOLDER}, which is the name of Berth's own folder in the bucket")
    hashed = named_by_content(found)

    def header(key: str) -> str:
        own = next((value for pattern, value in cache_control.items() if fnmatch.fnmatchcase(key, pattern)), None)
        return own or (IMMUTABLE if key in hashed else REVALIDATED)

    return [File(key, path, content_type(key), header(key)) for key, path in found.items()]


def content_type(key: str) -> str:
    """The header Content-Type of a file of this name."""
    found = TYPES.get(PurePosixPath(key).suffix.lower().removeprefix("."), OTHER)
    return f"{found}; charset=utf-8" if TEXTS.fullmatch(found) else found


def named_by_content(keys: Collection[str]) -> set[str]:
    """Those whose name has a hash of their content, pages never.

    In doubt it has none: what is asked for each time costs a moment, what is kept for a year cannot be called back. A
    part of a name is a hash if it cannot well be anything else; where all files of a folder have one in the same place,
    one of them surely, all of them are hashed (Vite's `assets`, where some hashes look like words).
    """
    found = set()
    folders: dict[str, list[PurePosixPath]] = {}
    for path in map(PurePosixPath, keys):
        folders.setdefault(str(path.parent), []).append(path)
    for paths in folders.values():
        tails = [TAIL.search(path.name) for path in paths]
        alike = all(tails) and any(SURE.fullmatch(tail[1]) for tail in tails if tail)
        for path, tail in zip(paths, tails, strict=True):
            _, *parts = re.split(r"[.-]", path.name)
            sure = any(HEX.fullmatch(part) for part in parts[:-1]) or bool(tail and SURE.fullmatch(tail[1]))
            if (sure or alike) and not path.name.lower().endswith(PAGES):
                found.add(str(path))
    return found

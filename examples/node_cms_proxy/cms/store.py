"""Articles and their images, as files: nothing else is needed to read them, to copy them or to put them back."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from pathlib import Path
from typing import TypedDict

KINDS = {".png", ".jpg", ".jpeg", ".gif", ".webp"}


class Article(TypedDict):
    """An article; `file` is the name of its image, or empty."""

    id: str
    title: str
    text: str
    file: str


class Refused(ValueError):
    """Not an article; the message says what is missing."""


class Store:
    """A folder with `articles/` and `files/`."""

    def __init__(self, folder: Path) -> None:
        self.articles = folder / "articles"
        self.files = folder / "files"
        self.articles.mkdir(exist_ok=True)
        self.files.mkdir(exist_ok=True)

    def list(self) -> list[Article]:
        """All articles, the newest first."""
        return [json.loads(path.read_text()) for path in sorted(self.articles.glob("*.json"), reverse=True)]

    def add(self, title: str, text: str, name: str = "", content: bytes = b"") -> Article:
        """Write an article; `name` and `content` are of the image that goes with it.

        Raises:
            Refused: it has no title, or the file is no image.
        """
        if not title.strip():
            raise Refused("An article needs a title.")
        kind = Path(name).suffix.lower()
        if name and kind not in KINDS:
            raise Refused(f"{name} is no image; these are: {', '.join(sorted(KINDS))}.")
        file = hashlib.sha256(content).hexdigest()[:16] + kind if name else ""
        if file:
            write(self.files / file, content)
        made = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{time.time_ns() % 10**9:09}-{secrets.token_hex(2)}"
        article = Article(id=made, title=title.strip(), text=text.strip(), file=file)
        write(self.articles / f"{made}.json", json.dumps(article, indent=1).encode())
        return article


def write(path: Path, content: bytes) -> None:
    """Whole or not at all, and on the disk when this returns."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)

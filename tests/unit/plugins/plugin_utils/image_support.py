"""A Docker engine with images whose folders can be asked for, as the Docker SDK shows one."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any

import docker

FOLDER, LINK = 1 << 31, 1 << 27
"""Bits of a mode as Go, and so the engine, tells it."""


@dataclass(frozen=True)
class Entry:
    """A member of an archive."""

    name: str
    content: str = ""
    kind: bytes = tarfile.REGTYPE
    target: str = ""


def link(name: str, target: str) -> Entry:
    return Entry(name, kind=tarfile.SYMTYPE, target=target)


def hard_link(name: str, target: str) -> Entry:
    return Entry(name, kind=tarfile.LNKTYPE, target=target)


def special(name: str, kind: bytes) -> Entry:
    return Entry(name, kind=kind)


def packed(*entries: Entry) -> bytes:
    """An archive of these."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for each in entries:
            member = tarfile.TarInfo(each.name)
            member.type, member.linkname, member.size = each.kind, each.target, len(each.content.encode())
            archive.addfile(member, io.BytesIO(each.content.encode()))
    return made.getvalue()


class Engine:
    """An engine and its client.

    Args:
        images: name → id of its content.
        files: path in each of them → text of a file, or name → text of a folder's files.

    Attributes:
        links: path → what it leads to.
        silent: what is said instead of an answer.
        breaks: raised in the middle of an archive.
        archive: packed in place of any folder's.
        created: image and command of each container that was made.
        left: containers that are there.
        volumes: of each that was removed, whether its volumes went with it.
        opened, closed: how many clients.
    """

    def __init__(self, images: Mapping[str, str], files: Mapping[str, Any]) -> None:
        self.images_here, self.files = dict(images), dict(files)
        self.links: dict[str, str] = {}
        self.silent, self.archive = "", b""
        self.breaks: Exception | None = None
        self.created: list[tuple[str, list[str]]] = []
        self.left: list[int] = []
        self.volumes: list[bool] = []
        self.opened = self.closed = 0
        self.images = SimpleNamespace(get=self._image)
        self.containers = SimpleNamespace(create=self._create)

    def from_env(self, **_: Any) -> Engine:
        """In place of docker.from_env."""
        self.opened += 1
        return self

    def close(self) -> None:
        """The client is needed no longer."""
        self.closed += 1

    def _image(self, name: str) -> Any:
        if self.silent:
            raise docker.errors.DockerException(self.silent)
        if name not in self.images_here:
            raise docker.errors.ImageNotFound(name)
        return SimpleNamespace(attrs={"Id": self.images_here[name]})

    def _create(self, image: str, command: list[str], **_: Any) -> Any:
        assert image in self.images_here.values()
        number = len(self.created)
        self.created.append((image, command))
        self.left.append(number)

        def remove(force: bool, v: bool) -> None:
            assert force
            self.left.remove(number)
            self.volumes.append(v)

        return SimpleNamespace(get_archive=self._archived, remove=remove)

    def _archived(self, path: str) -> tuple[Iterator[bytes], dict[str, Any]]:
        name = PurePosixPath(path).name
        if path == "/broken":
            raise docker.errors.APIError("500 no.")
        if path in self.links:
            return self._chunks(packed(link(name, self.links[path]))), {"mode": LINK, "linkTarget": self.links[path]}
        if path not in self.files:
            raise docker.errors.NotFound(path)
        files = self.files[path]
        if isinstance(files, str):
            return self._chunks(packed(Entry(name, files))), {"mode": 0o644, "linkTarget": ""}
        entries = [Entry(f"{name}/{each}", content) for each, content in files.items()]
        archive = self.archive or packed(Entry(name, kind=tarfile.DIRTYPE), *entries)
        return self._chunks(archive), {"mode": FOLDER | 0o755, "linkTarget": ""}

    def _chunks(self, content: bytes) -> Iterator[bytes]:
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]
            if self.breaks:
                raise self.breaks

"""A folder inside an image of this machine's Docker engine, as files on this machine.

Nothing of the image runs: a container of it is made and never started, asked for the folder, and removed.
"""

from __future__ import annotations

import contextlib
import posixpath
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from plugins.plugin_utils.site.images import tag_of

FOLDER = 1 << 31
"""The bit of a folder in a mode as Go tells it: https://pkg.go.dev/io/fs#FileMode"""
SECONDS = 600
"""For the engine's answers: an image that no container was made of yet may have to be unpacked first."""


class NotHere(Exception):
    """The engine has not got the image as the site runs it, or none answers."""


@contextlib.contextmanager
def taken(image: str, runs: str, path: str) -> Iterator[Path]:
    """The files of a folder in an image, for as long as the context is open.

    Args:
        image: as containers call it.
        runs: what the site runs of that name: the registry's image with its tag and digest, or `image` where nothing is
            published.
        path: of the folder, from the image's root.

    Raises:
        NotHere: there is no such image here.
        ValueError: the image has no such folder, or one with what cannot be uploaded.
        OSError: the engine broke off, or this machine has no room for the files.
    """
    with tempfile.TemporaryDirectory(prefix="berth-") as scratch:
        archive, top = Path(scratch) / "archive", Path(scratch) / "files"
        top.mkdir()
        with _engine() as engine:
            name = _archived(engine, _content(engine, image, runs), path, archive)
        _unpack(archive, name, top)
        archive.unlink()
        yield top


@contextlib.contextmanager
def _engine() -> Iterator[Any]:
    try:
        import docker
    except ImportError:
        raise NotHere("The Docker SDK is missing. Type: pip install -r requirements.txt.") from None
    try:
        engine = docker.from_env(timeout=SECONDS)
    except (docker.errors.DockerException, OSError) as error:
        raise _silent(error) from None
    try:
        yield engine
    finally:
        engine.close()


def _silent(error: Exception) -> NotHere:
    return NotHere(f"No Docker engine answers: {str(error).rstrip('.')}.")


def _content(engine: Any, image: str, runs: str) -> str:
    """Id of the image that the site runs: by the registry's name, or by its own if that has the same content now."""
    from docker.errors import DockerException, ImageNotFound

    for name in dict.fromkeys((runs, image)):
        try:
            found = str(engine.images.get(name).attrs["Id"])
        except ImageNotFound:
            continue
        except (DockerException, OSError) as error:
            raise _silent(error) from None
        # What is published has a tag made of its content (the filter image_pushes).
        if name == runs or tag_of(runs) == found.removeprefix("sha256:")[:12]:
            return found
    raise NotHere(
        f"This machine has no image {image}."
        if image == runs
        else f"This machine has not the image {image} that the site runs, {runs}."
    )


def _archived(engine: Any, content: str, path: str, archive: Path) -> str:
    """Write the folder as the engine packs it; returns its name, with which all names in the archive begin."""
    from docker.errors import DockerException, NotFound

    try:
        # Never run, but an image without a command of its own would be refused.
        container = engine.containers.create(content, ["true"], network_mode="none")
        try:
            chunks, found = container.get_archive(path)
            if found.get("linkTarget"):  # a link is told as one; what it leads to is told whole
                path = found["linkTarget"]
                chunks, found = container.get_archive(path)
            name = PurePosixPath(path).name
            if not name or not found["mode"] & FOLDER:
                raise ValueError("that is no folder of it")
            with archive.open("wb") as into:
                into.writelines(chunks)
            return name
        except NotFound:
            raise ValueError("it has no such folder") from None
        finally:
            container.remove(force=True, v=True)
    except DockerException as error:
        raise ValueError(f"Docker says: {str(error).rstrip('.')}") from None


def _unpack(archive: Path, name: str, top: Path) -> None:
    """Write the files and links of an archive below `top`, and nothing elsewhere, whatever stands in it.

    Not by tarfile's filter `data`, which Debian 12's Python 3.11.2 has not got: of a static file only its name and its
    content are wanted.
    """
    links: dict[PurePosixPath, str] = {}
    try:
        with tarfile.open(archive, "r:") as packed:
            for member in packed:
                key = _key(member.name, name)
                place = top / key
                if member.isdir():
                    place.mkdir(parents=True, exist_ok=True)
                elif member.issym():
                    links[key] = member.linkname
                else:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    _write(packed, member, key, place)
    except tarfile.TarError as error:
        raise ValueError(f"what the engine has packed cannot be read ({error})") from None
    # Last of all, and none below another, so that nothing is written through one.
    for key, target in links.items():
        leads = posixpath.normpath(posixpath.join(key.parent, target))
        if target.startswith("/") or leads.split("/")[0] == ".." or any(each in links for each in key.parents):
            raise ValueError(f"{key} is a link that leads out of the folder")
        (top / key).parent.mkdir(parents=True, exist_ok=True)
        (top / key).symlink_to(target)


def _key(member: str, name: str) -> PurePosixPath:
    """Path of a member in the folder `name`."""
    parts = PurePosixPath(member).parts
    if parts[:1] != (name,) or ".." in parts:
        raise ValueError(f"what the engine has packed has {member}, which lies elsewhere")
    return PurePosixPath(*parts[1:])


def _write(packed: tarfile.TarFile, member: tarfile.TarInfo, key: PurePosixPath, place: Path) -> None:
    try:
        content = packed.extractfile(member)  # of a hard link the file that it leads to
    except KeyError:
        raise ValueError(f"{key} is a link that leads out of the folder") from None
    if content is None:
        raise ValueError(f"{key} is no file")
    with content, place.open("wb") as into:
        shutil.copyfileobj(content, into)

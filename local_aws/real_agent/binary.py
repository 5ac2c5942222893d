"""What a person names as the agent: its binary, or an image of it as `docker save` writes it.

It is looked at whole before anything is touched, since a host that cannot run its agent boots all the same, and its
site waits for it until it gives up.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from local_aws.real_agent import elf

OPTION = "python -m local_aws up --ecs-agent"
NAME_ONE = f"Type: {OPTION} <path of the agent's binary, or of its image as `docker save` writes it>"
SAVE = "Type: docker save --output ecs-agent.tar amazon/amazon-ecs-agent"
AGENT = "/agent"
"""Where the published image has it (amazon-ecs-agent, scripts/dockerfiles/Dockerfile.release)."""
ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
"""What images call a machine → what `uname -m` calls it."""
PAGE = 4096
BROKEN = (tarfile.TarError, EOFError, zlib.error)


class NoAgent(Exception):
    """It cannot be the hosts' agent; the message says why, and what to type."""


def named(path: str) -> Path:
    """The path that a person means: absolute, so that it is the same from each folder."""
    return Path(path).expanduser().resolve()


def check(path: Path) -> None:
    """See whether `path` can be the hosts' agent.

    Raises:
        NoAgent: it cannot.
    """
    with opened(path) as agent:
        program = elf.read(agent.read(PAGE))
    here = platform.machine()
    if program is None:
        raise NoAgent(f"The agent of {path} is no program of Linux for 64 bits. {NAME_ONE}")
    if program.machine != here:
        raise NoAgent(f"The agent of {path} is for {program.machine}, and the hosts are {here}. {NAME_ONE} for {here}")
    if program.loader not in ("", elf.LOADERS.get(here)):
        raise NoAgent(f"The agent of {path} needs {program.loader}, which the hosts have not. {NAME_ONE}, a static one")


def install(path: Path, target: Path) -> None:
    """Write the agent of `path` to `target`, for all to read and run.

    Raises:
        NoAgent: see `opened`.
        OSError: it cannot be written.
    """
    with opened(path) as agent, target.open("wb") as copy:
        shutil.copyfileobj(agent, copy)
    target.chmod(0o755)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The agent's own bytes: those of the file, or those that an image has at its entry point.

    Raises:
        NoAgent: there is no such file, it cannot be read or run, or it is neither a program nor an image with one.
    """
    if not path.is_file():
        raise NoAgent(f"There is no file {path} to be the hosts' agent. {NAME_ONE}")
    try:
        with path.open("rb") as file:
            program = file.read(len(elf.MAGIC)) == elf.MAGIC
    except OSError as error:
        raise NoAgent(f"The agent {path} is not to be read ({error.strerror}). Type: ls -l {path}") from error
    if program:
        if not os.access(path, os.X_OK):
            raise NoAgent(f"{path} is not executable. Type: chmod +x {path}")
        with path.open("rb") as file:
            yield file
    elif tarfile.is_tarfile(path):
        try:
            with tarfile.open(path) as image, _in_image(path, image) as file:
                yield file
        except BROKEN as error:
            raise NoAgent(f"{path} is cut short, or what is in it cannot be read. {SAVE}") from error
    else:
        raise NoAgent(f"{path} is neither a program of Linux (ELF) nor an image. {NAME_ONE}")


@contextlib.contextmanager
def _in_image(path: Path, image: tarfile.TarFile) -> Iterator[IO[bytes]]:
    """The file at the entry point of an image, from the topmost layer that has it."""
    try:
        (manifest,) = json.load(_member(image, "manifest.json"))
        config = json.load(_member(image, manifest["Config"]))
        layers = [str(each) for each in manifest["Layers"]]
        entry = str(((config.get("config") or {}).get("Entrypoint") or [AGENT])[0])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NoAgent(f"{path} is an archive, and not that of one image. {SAVE}") from error
    _check_platform(path, config)
    for name in reversed(layers):
        with contextlib.ExitStack() as stack:
            try:
                layer = stack.enter_context(tarfile.open(fileobj=_member(image, name)))
                found = _member(layer, entry.lstrip("/"), f".{entry}")
            except KeyError:
                continue
            yield found
            return
    raise NoAgent(f"{path} is an image without a file {entry}: it is not the agent's. {SAVE}")


def _check_platform(path: Path, config: dict[str, Any]) -> None:
    here = platform.machine()
    machine = ARCHITECTURES.get(config.get("architecture", ""), "?")
    if (config.get("os"), machine) != ("linux", here):
        named = f"{config.get('os')}/{config.get('architecture')}"
        raise NoAgent(f"The image {path} is for {named}, and the hosts are linux on {here}. {NAME_ONE} for {here}")


def _member(archive: tarfile.TarFile, *names: str) -> IO[bytes]:
    """The file of an archive that has one of these names.

    Raises:
        KeyError: there is none.
    """
    for name in names:
        try:
            found = archive.extractfile(name)
        except KeyError:
            continue
        if found is not None:
            return found
    raise KeyError(names[0])

"""What can be the hosts' agent, and what is told of what cannot."""

from __future__ import annotations

import io
import json
import platform
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_aws.real_agent import binary, elf
from local_aws.tests.elf_support import program

RUNS = program(["/bin/echo", "an agent"])
LOADER = "/lib/ld-musl-x86_64.so.1"
Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hosts are what the programs of these tests are for, wherever the tests run."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def write(content: bytes, mode: int = 0o755, name: str = "agent") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        path.chmod(mode)
        return path

    return write


def archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def image(*layers: dict[str, bytes], architecture: str = "amd64", **config: Any) -> bytes:
    """An image as `docker save` writes it."""
    names = [f"blobs/{number}/layer.tar" for number in range(len(layers))]
    manifest = [{"Config": "config.json", "RepoTags": ["agent:1"], "Layers": names}]
    written = {"os": "linux", "architecture": architecture, "config": {"Entrypoint": ["/agent"]}, **config}
    content = {name: archive(layer) for name, layer in zip(names, layers, strict=True)}
    content |= {"config.json": json.dumps(written).encode(), "manifest.json": json.dumps(manifest).encode()}
    return archive(content)


AGENT_IMAGE = image({"etc/passwd": b"", "agent": b"the older"}, {"images/pause.tar": b"", "agent": RUNS})


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the programs of these tests are for x86_64")
def test_the_program_of_these_tests_is_one(make: Make) -> None:
    done = subprocess.run([make(RUNS)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "an agent\n")
    lost = subprocess.run([make(program(["/nowhere"]), name="lost")], capture_output=True, check=False)
    assert lost.returncode == 127


@pytest.mark.parametrize(
    "content",
    [RUNS, program(["/a"], kind=3), program(["/a"], loader="/lib64/ld-linux-x86-64.so.2"), AGENT_IMAGE,
     image({"./agent": RUNS}), image({"usr/bin/own": RUNS}, config={"Entrypoint": ["/usr/bin/own", "-v"]}),
     image({"agent": RUNS}, config={})],
    ids=["static", "static-pie", "the hosts' loader", "image", "dotted", "another entry point", "no entry point"],
)  # fmt: skip
def test_an_agent_of_the_hosts_platform_is_one(make: Make, content: bytes, tmp_path: Path) -> None:
    path = make(content)
    binary.check(path)
    binary.install(path, tmp_path / "installed")
    installed = (tmp_path / "installed").read_bytes()
    assert installed == (content if content.startswith(elf.MAGIC) else RUNS)
    assert (tmp_path / "installed").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"#!/bin/sh\n",
            "neither a program of Linux (ELF) nor an image. Type: python -m local_aws up --ecs-agent <path",
        ),
        (b"", "neither a program of Linux (ELF) nor an image"),
        (b"\x7fELF", "is no program of Linux for 64 bits"),
        (program(["/a"], bits=1), "is no program of Linux for 64 bits"),
        (program(["/a"], kind=1), "is no program of Linux for 64 bits"),
        (program(["/a"], machine=183), "is for aarch64, and the hosts are x86_64. Type: python"),
        (program(["/a"], machine=8), "is for ?, and the hosts are x86_64."),
        (program(["/a"], loader=LOADER), f"needs {LOADER}, which the hosts have not. Type: python"),
        (archive({"agent": RUNS}), "not that of one image. Type: docker save --output ecs-agent.tar"),
        (archive({"manifest.json": b"[]"}), "not that of one image"),
        (archive({"manifest.json": b"[{}]"}), "not that of one image"),
        (archive({"manifest.json": b"{"}), "not that of one image"),
        (image({"agent": RUNS}, architecture="arm64"), "is for linux/arm64, and the hosts are linux on x86_64. Type"),
        (image({"agent": RUNS}, os="windows"), "is for windows/amd64, and the hosts are linux on x86_64."),
        (image({"nginx": RUNS}), "is an image without a file /agent: it is not the agent's. Type: docker save"),
        (image({"agent": b"#!/bin/sh\n"}), "is no program of Linux for 64 bits"),
        (image({"agent": program(["/a"], machine=183)}), "is for aarch64, and the hosts are x86_64"),
    ],
)
def test_what_cannot_be_one_is_refused_with_what_to_type(make: Make, content: bytes, sentence: str) -> None:
    path = make(content)
    with pytest.raises(binary.NoAgent) as refused:
        binary.check(path)
    assert sentence in str(refused.value)
    assert str(path) in str(refused.value)


def test_an_image_that_is_broken_is_told(make: Make) -> None:
    manifest = [{"Config": "config.json", "Layers": ["layer"]}]
    files = {"manifest.json": json.dumps(manifest), "config.json": '{"os": "linux", "architecture": "amd64"}'}
    broken = archive({name: text.encode() for name, text in files.items()} | {"layer": b"no archive"})
    for content in (broken, AGENT_IMAGE[: len(AGENT_IMAGE) // 3], AGENT_IMAGE[:700]):
        with pytest.raises(binary.NoAgent, match=r"is cut short, or what is in it cannot be read\. Type: docker save"):
            binary.check(make(content))


def test_a_file_that_is_not_there_or_not_to_be_run_is_refused(make: Make, tmp_path: Path) -> None:
    with pytest.raises(binary.NoAgent, match=rf"There is no file {tmp_path}/none .*Type: python -m local_aws up"):
        binary.check(tmp_path / "none")
    with pytest.raises(binary.NoAgent, match="There is no file"):
        binary.check(tmp_path)
    path = make(RUNS, 0o644)
    with pytest.raises(binary.NoAgent, match=rf"is not executable\. Type: chmod \+x {path}$"):
        binary.check(path)
    binary.check(make(AGENT_IMAGE, 0o644, "agent.tar"))  # an archive need not be


def test_a_path_is_the_same_from_each_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert binary.named("agent") == binary.named("~/agent") == tmp_path.resolve() / "agent"

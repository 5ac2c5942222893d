"""A whole site on the embedded AWS called `test`: made once for this folder's tests, removed at the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from local_aws.cloud import Cloud
from local_aws.config import CONFIGS, PROJECT

CONFIG = CONFIGS["test"]
CALLS = CONFIG.state.parent / "calls"
"""Where each run of a verb writes which calls it made: `verb caller service operation` a line."""
RECAP = re.compile(r"^localhost\s+:\s+ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """One run of ansible-playbook.

    Attributes:
        status: its exit status.
        changed: localhost's number in the recap, -1 if it came to none.
        output: what it printed, both streams.
    """

    status: int
    changed: int
    output: str


def environment(verb: str = "site.yml") -> dict[str, str]:
    """The shell of a person who has other things about: a stray profile and a stray proxy must not matter.

    Args:
        verb: what is run with it, as it is recorded.
    """
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    stray = {"AWS_PROFILE": "somebody-else", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    recorder = {"PYTHONPATH": f"{PROJECT}/tests/recorder", "BERTH_VERB": verb}
    return clean | stray | recorder | {"PATH": f"{PROJECT}/.venv/bin:{clean['PATH']}", "NO_COLOR": "1"}


def playbook(name: str, *arguments: str, timeout: float = 900, inventory: str = "test") -> Run:
    """Run a verb against the embedded AWS `test`, as a person would type it."""
    return typed(["ansible-playbook", name, "-i", inventory, *arguments], name, timeout)


def typed(command: list[str], name: str, timeout: float = 900) -> Run:
    """Run a command that a person would type, as the verb `name` in the record of calls."""
    done = subprocess.run(
        command, cwd=PROJECT, env=environment(name), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=timeout, check=False,
    )  # fmt: skip
    recap = RECAP.search(done.stdout)
    return Run(done.returncode, int(recap.group(2)) if recap else -1, done.stdout)


def succeed(run: Run) -> Run:
    """The run, if it went well; its output otherwise."""
    assert run.status == 0, run.output
    return run


def local_aws(verb: str, *options: str) -> str:
    """Run `python -m local_aws <verb> --name test <options>`; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "local_aws", verb, "--name", "test", *options],
        cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def engine_state() -> set[str]:
    """All containers, volumes and networks of the Docker engine, anonymous ones included."""
    client = docker.from_env()
    return {
        *(f"container {container.name}" for container in client.containers.list(all=True, ignore_removed=True)),
        *(f"volume {volume.name}" for volume in client.volumes.list()),
        *(f"network {network.name}" for network in client.networks.list()),
    }


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The embedded AWS `test`, bare at first, gone afterwards."""
    local_aws("down")
    CALLS.unlink(missing_ok=True)
    os.environ["BERTH_CALLS"] = str(CALLS)  # here alone: tests/chaos and tests/late run the same verbs in parts
    before = engine_state()
    local_aws("up")
    yield Cloud(CONFIG)
    if os.environ.get("BERTH_KEEP") != "1":  # BERTH_KEEP=1: leave it up, to look into a failure
        local_aws("down")
        leaked = engine_state() - before
        assert not leaked, f"left behind on the Docker engine: {sorted(leaked)}"


@pytest.fixture(scope="session")
def images() -> None:
    """The example site's images, on this machine's Docker engine."""
    subprocess.run([sys.executable, str(Path("examples/legacy_site/build.py"))], cwd=PROJECT, check=True)

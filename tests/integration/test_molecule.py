"""A molecule scenario that fails, or is killed and destroyed, leaves nothing on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import docker
import pytest

from local_aws.config import LABEL, PROJECT, config

pytestmark = pytest.mark.docker

SCENARIO = "host_limits"
CLOUD = config("molecule12")
"""That of the scenario: its molecule.yml names the port."""
MOLECULE = ["molecule", "test", "--scenario-name", SCENARIO]
START_SECONDS = 120


def processes() -> Iterator[str]:
    """The command lines of this machine's processes."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            yield path.read_bytes().replace(b"\0", b" ").decode()


def left() -> list[str]:
    """What is there of the scenario: parts of its embedded AWS, its process, its state."""
    client = docker.from_env()
    mine = {"label": f"{LABEL}={CLOUD.name}"}
    return [
        *(f"container {each.name}" for each in client.containers.list(all=True, ignore_removed=True, filters=mine)),
        *(f"volume {each.name}" for each in client.volumes.list(filters=mine)),
        *(f"network {each.name}" for each in client.networks.list(filters=mine)),
        *(line for line in processes() if f"local_aws serve --name {CLOUD.name} " in line),
        *([str(CLOUD.state)] if CLOUD.state.exists() else []),
    ]


def test_a_run_that_fails_leaves_nothing_and_says_why() -> None:
    done = subprocess.run(
        [*MOLECULE, "--", "-e", "host_limits_swap_mb=1"], cwd=PROJECT, env=os.environ | {"NO_COLOR": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "host_limits_swap_mb is 1" in done.stdout
    assert left() == []


def test_a_run_that_was_killed_is_cleared_away_by_destroy() -> None:
    process = subprocess.Popen(
        MOLECULE, cwd=PROJECT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + START_SECONDS
    while not any("-i-" in line for line in left()):
        assert process.poll() is None, "the run ended before it had a host"
        assert time.monotonic() < deadline, left()
        time.sleep(0.5)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert left()
    subprocess.run(["molecule", "destroy", "--scenario-name", SCENARIO], cwd=PROJECT, check=True, capture_output=True)
    assert left() == []

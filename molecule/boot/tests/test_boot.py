"""A host that booted from user data and one that was converged: the same files, and nothing left to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import testinfra

from tests.host_files import owned_files
from tests.ssh_client import attempt

CONFIG = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "ssh.cfg"
PATHS = [path for path, _ in owned_files()]
READ = 'for file in {}; do echo "$file $(stat -c %04a:%U:%G $file) $(base64 -w0 $file)"; done'


@pytest.fixture(scope="module")
def owned() -> dict[str, dict[str, str]]:
    """Host → path → mode, owner, group and content of every file of the host roles."""
    found: dict[str, dict[str, str]] = {}
    for name in ("host-a", "host-b"):
        host = testinfra.get_host(f"ssh://{name}", ssh_config=str(CONFIG), sudo=True)
        lines = host.check_output(READ.format(" ".join(PATHS))).splitlines()
        found[name] = dict(line.split(" ", 1) for line in lines)
    return found


@pytest.mark.parametrize("path", PATHS)
def test_boot_and_converge_write_the_same_file(owned: dict[str, dict[str, str]], path: str) -> None:
    assert len(owned["host-a"][path].split()) == 2, f"there is no {path}"
    assert owned["host-a"][path] == owned["host-b"][path]


def test_the_host_play_changed_nothing_on_the_booted_host(host: Any) -> None:
    if host.backend.get_hostname() != "host-a":
        pytest.skip("host-b was bare")
    with host.sudo():
        assert host.check_output(f"find {' '.join(PATHS)} -newer /var/tmp/booted") == ""


def test_a_person_logs_in_with_a_key_of_her_own_and_becomes_root(host: Any) -> None:
    done = attempt(key="ada", host=host.backend.get_hostname(), command="id -un; sudo id -un")
    assert done.stdout == "ec2-user\nroot\n", done.stderr

"""A person with an ssh client, in front of a scenario's host, sharing no connection with Ansible or testinfra."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

FOLDER = Path(os.environ.get("MOLECULE_EPHEMERAL_DIRECTORY", "."))
CONFIG = FOLDER / "ssh.cfg"


def attempt(
    *arguments: str, command: str = "id -un", key: str = "", host: str = "host-a"
) -> subprocess.CompletedProcess[str]:
    """Log in to a host and run `command`.

    Args:
        arguments: options of ssh before the host's name.
        command: what to run there.
        key: the only key to come with, a file of the scenario's folder; the EC2 key pair's if empty.
        host: which.
    """
    shared = ["-o", "BatchMode=yes", "-o", "ControlPath=none", "-o", "LogLevel=INFO"]
    identity = ["-F", str(CONFIG)]
    if key:
        # The configuration's own key would be tried too, so only what it says of the host is taken from it.
        done = subprocess.run(["ssh", *identity, "-G", host], capture_output=True, text=True, check=True)
        said = dict(line.split(" ", 1) for line in done.stdout.splitlines())
        identity = [
            "-F", "none", "-i", str(FOLDER / key), "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
            "-o", f"HostName={said['hostname']}", "-o", "User=ec2-user",
            "-o", f"UserKnownHostsFile={said['userknownhostsfile']}",
        ]  # fmt: skip
    return subprocess.run(
        ["ssh", *arguments, *identity, *shared, host, command],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def fingerprint(key: str) -> str:
    """Of a key in the scenario's folder, or of the file at an absolute path, as sshd's journal has it."""
    path = FOLDER / key
    return subprocess.run(["ssh-keygen", "-lf", path], capture_output=True, text=True, check=True).stdout.split()[1]

"""A drill that is interrupted removes what it has made: a real run of ansible-playbook, on the embedded AWS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from local_aws.cloud import Cloud
from tests.unit.ledger_support import a_ledger
from tests.unit.plugin_support import environment, shell
from tests.unit.variables_support import PROJECT

pytestmark = pytest.mark.playbook


class Drill:
    """A playbook of the name, which makes a file and has it removed."""

    def __init__(self, cloud: Cloud, folder: Path, name: str = "drill.yml") -> None:
        self.prefix, self.ledger = a_ledger(cloud)
        self._shell = shell(environment(cloud))
        self._book, self.begun, self.removed = folder / name, folder / "begun", folder / "removed"
        tasks = [
            {"environment_lock": {"prefix": self.prefix, "verb": "drill"}, "register": "locked"},
            {
                "ansible.builtin.shell": f"echo {{{{ backup }}}} >{self.removed}",
                "when": "remove | default(false) | bool",
            },
            {"ansible.builtin.shell": f"touch {self.begun}; sleep 120", "when": "not remove | default(false) | bool"},
        ]
        self._book.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))

    def interrupt(self, *options: str) -> str:
        """What it says, if it is interrupted when it is at it."""
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "ansible-playbook"), str(self._book), "-e", "backup=one", *options],
            cwd=PROJECT, env=self._shell, text=True, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self.begun.exists():
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.1)
        os.kill(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=90)
        assert process.returncode != 0
        return said


def test_an_interrupt_has_the_same_command_remove_what_it_has_made(aws: Cloud, tmp_path: Path) -> None:
    drill = Drill(aws, tmp_path)
    said = drill.interrupt()
    assert "The drill was interrupted: what it has made is being removed." in said
    assert drill.removed.exists(), said
    assert drill.removed.read_text() == "one\n"
    assert drill.ledger.lock.read() is None


def test_another_verb_has_nothing_that_would_be_removed(aws: Cloud, tmp_path: Path) -> None:
    other = Drill(aws, tmp_path, "other.yml")
    assert "is being removed" not in other.interrupt()
    assert not other.removed.exists()

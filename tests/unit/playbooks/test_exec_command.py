"""The verb exec, on a host that is this machine with a `docker` that tells what it was called with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.playbooks.test_exec import describe

pytestmark = pytest.mark.playbook

PROJECT = Path(__file__).resolve().parents[3]
DOCKER = """#!{python}
import json, sys
if sys.argv[1] == "ps":
    print("0123456789ab")
else:
    open({log!r}, "w").write(json.dumps(sys.argv[1:]))
"""

IDENTITY = "site_name=legacy environment_name=prod aws_region=us-east-1"


class Site:
    """An inventory with one host, and what docker was told there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        hosts = {"prod": {"hosts": {"localhost": local}, "children": {"ecs_hosts": {"hosts": {"i-0a": local}}}}}
        (folder / "hosts.yml").write_text(yaml.safe_dump(hosts))
        describe(folder)
        (folder / "bin").mkdir()
        docker = folder / "bin/docker"
        docker.write_text(DOCKER.format(python=sys.executable, log=str(folder / "called")))
        docker.chmod(0o755)

    def type(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Type the verb with more options."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
        return subprocess.run(
            ["ansible-playbook", "exec.yml", "-i", self.folder / "hosts.yml", "-e", IDENTITY, *options],
            cwd=PROJECT, env=kept | {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}, text=True,
            capture_output=True, check=False,
        )  # fmt: skip

    @property
    def called(self) -> list[str]:
        """Words of `docker exec`, less the container's id."""
        words: list[str] = json.loads((self.folder / "called").read_text())
        assert words[:2] == ["exec", "0123456789ab"]
        return words[2:]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("python manage.py check", ["python", "manage.py", "check"]),
        (["sh", "-c", 'echo "$HOME" it\'s', "", 5], ["sh", "-c", 'echo "$HOME" it\'s', "", "5"]),
        ("sh -c 'echo $HOME'", ["sh", "-c", "echo $HOME"]),
    ],
    ids=["text", "list", "variable of the container"],
)
def test_the_command_reaches_the_container_word_for_word(site: Site, given: Any, words: list[str]) -> None:
    (site.folder / "given.json").write_text(json.dumps({"command": given}))
    done = site.type("-e", f"@{site.folder / 'given.json'}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.called == words


@pytest.mark.parametrize("given", ['{"command": {"a": "b"}}', '{"command": []}', '{"command": ""}', "{}"])
def test_what_is_no_command_is_refused(site: Site, given: str) -> None:
    done = site.type("-e", given)
    assert done.returncode != 0
    sentence = "Give a command, and if it is not web.django the container (web.nginx, web.django, worker.celery,"
    said = " ".join(done.stdout.split())
    assert sentence in said
    assert f"ansible-playbook exec.yml -i {site.folder}" in said

"""The verb logs, through ansible-playbook: lines as they were written, an end by hand, and what is refused."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from local_aws.cloud import Cloud
from tests.unit.playbooks.test_run_verb import SITE
from tests.unit.plugin_support import environment, shell
from tests.unit.plugins.action.test_log_lines import put
from tests.unit.variables_support import IDENTITY, PROJECT

pytestmark = pytest.mark.playbook
GROUP, STREAM = "/shop/prod/service/web", "django/django/0123456789abcdef"


@pytest.fixture
def typed(tmp_path: Path) -> list[str]:
    """The verb on a site of its own."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"prod": {"hosts": {"localhost": local}}}))
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/prod.yml").write_text(yaml.safe_dump(SITE, sort_keys=False))
    identity = " ".join(f"{name}={value}" for name, value in IDENTITY.items())
    program = str(Path(sys.executable).parent / "ansible-playbook")
    return [program, "logs.yml", "-i", str(tmp_path / "hosts.yml"), "-e", identity]


def test_lines_are_shown_as_they_were_written(aws: Cloud, typed: list[str]) -> None:
    now = int(time.time() * 1000)
    put(aws, GROUP, STREAM, (now - 5000, '{"path": "/a b", "name": "G\u00fcnther"}'), (now - 4000, "GET /?q=a {{ x }}"))
    done = subprocess.run(
        [*typed, "-e", "lines=5", "-e", "for=1s"],
        cwd=PROJECT, env=shell(environment(aws)), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for text in ('{"path": "/a b", "name": "G\u00fcnther"}', "GET /?q=a {{ x }}"):
        assert re.search(rf"^20.*Z web/django/01234567 +{re.escape(text)}$", done.stdout, re.MULTILINE), done.stdout
    assert "changed=0" in done.stdout
    done = subprocess.run(
        [*typed, "-e", "grep=GET /?q=a", "--check"],
        cwd=PROJECT, env=shell(environment(aws)), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "GET /?q=a {{ x }}\n" in done.stdout, done.stdout + done.stderr
    assert "path" not in done.stdout


def test_who_follows_ends_it_by_hand(aws: Cloud, typed: list[str], tmp_path: Path) -> None:
    put(aws, GROUP, STREAM, (int(time.time() * 1000), "first"))
    with (tmp_path / "out").open("w+") as out:
        command = [*typed, "-e", "follow=true"]
        settings = shell({**environment(aws), "PYTHONUNBUFFERED": "1"})
        going = subprocess.Popen(command, cwd=PROJECT, env=settings, stdout=out, stderr=subprocess.STDOUT)
        try:
            until_shown(tmp_path / "out", "first")
            put(aws, GROUP, STREAM, (int(time.time() * 1000), "second"))
            until_shown(tmp_path / "out", "second")
            going.send_signal(signal.SIGINT)
            code = going.wait(20)
        finally:
            going.kill()
            going.wait()
    said = (tmp_path / "out").read_text()
    assert code == 99, said  # Ansible's own, for a run that was interrupted
    assert said.rstrip().endswith("User interrupted execution"), said
    assert "Traceback" not in said
    assert said.count("first\n") == said.count("second\n") == 1


def until_shown(path: Path, text: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while text not in path.read_text():
        assert time.monotonic() < end, path.read_text()
        time.sleep(0.2)


def test_what_is_typed_wrong_is_refused_without_aws(typed: list[str]) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    command = [*typed, "-e", "service=web", "-e", "container=djagno"]
    done = subprocess.run(command, cwd=PROJECT, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    said = " ".join(done.stdout.split())
    assert "No container of web is called djagno (django): ansible-playbook logs.yml -i " in said
    assert "-e service=web -e container=django" in said
    assert "docs/troubleshooting.md#give-a-command" in said

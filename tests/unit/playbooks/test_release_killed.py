"""A release and a rollback whose machine dies at any of their steps, and the same command once more.

On the embedded APIs, with services that want no task; tests/chaos does the same with containers.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.lock import TTL_VARIABLE
from tests.chaos.runs import descendants
from tests.unit.playbooks.test_release_verbs import PREFIX, Worker, called, hooks, site

pytestmark = [pytest.mark.playbook, pytest.mark.long]
__all__ = ["site"]

LOCK_SECONDS = "3"
RELEASE = (
    "Take the environment's lock", "Know the ground", "publish : See what is live", "Read what was released before",
    "rollout : Bring up the functions", "rollout : Run the jobs", "rollout : Write down which jobs ran",
    "rollout : Bring up the services behind", "rollout : See that each service", "rollout : Write down what runs",
)  # fmt: skip
"""How the tasks of a release are called, as far as this site has them, and in their order."""
ROLLBACK = (
    "Know the ground", "See whether the registry", "Write down where it goes", "rollout : Bring up the functions",
    "rollout : Write down which jobs ran", "rollout : Bring up the services behind",
    "rollout : See that each service", "rollout : Write down what runs", "Mark what was left",
)  # fmt: skip


def killed(site: Worker, verb: str, *options: str, at: str) -> None:
    """Type a verb, and kill all of it as the task `at` begins."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "ansible-playbook"), verb, "-i", str(site.inventory), *options],
        cwd=site.inventory.parents[1],
        env=kept | {"ANSIBLE_CONFIG": str(site.inventory.parents[1] / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout
    shown = ""
    for line in process.stdout:
        shown += line
        if f"TASK [{at}" in line:
            break
    assert f"TASK [{at}" in shown, shown
    for each in [process.pid, *descendants(process.pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def newest(site: Worker) -> tuple[str, str]:
    entry = site.entries()[0]
    return entry["outcome"], str(entry.get("release"))


def test_a_release_that_died_anywhere_is_finished_by_the_same_command(
    site: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TTL_VARIABLE, LOCK_SECONDS)
    site.runs("registry.test/worker:first")
    site.does("most_of_site.yml")
    for step in RELEASE:
        name = f"r{RELEASE.index(step)}"
        site.runs(f"registry.test/worker:{name}", site_hooks=hooks())
        killed(site, "release.yml", "-e", f"release={name}", at=step)
        said = site.does("release.yml", "-e", f"release={name}", "-e", "lock_wait=1m")
        assert f"{name} is live" in said, step
        assert site.live() == site.live("job-report") == (f"registry.test/worker:{name}", name), step
        assert newest(site) == ("good", name), step
        let_go(site)
        assert f"after_release release {name} shop-live" in called(site), step
    # Back through all of them, one by one, though each way back dies once.
    for number, step in enumerate(ROLLBACK):
        name = f"r{len(RELEASE) - 2 - number}"
        killed(site, "rollback.yml", at=step)
        said = site.does("rollback.yml", "-e", "lock_wait=1m")
        assert f"{name} is live" in said, f"{step}: {said}"
        assert site.live() == site.live("job-report") == (f"registry.test/worker:{name}", name), step
        assert newest(site) == ("good", name), step
        let_go(site)
        assert f"after_release rollback {name} shop-live" in called(site), step


def let_go(site: Worker) -> None:
    ledger = Ledger.find(site.aws.client, PREFIX)
    assert ledger
    assert ledger.lock.read() is None

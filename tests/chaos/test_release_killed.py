"""A release, and a rollback, that is killed at any of its steps is finished by the same command.

The tests of this file build on each other and run in the order they stand in.
"""

from __future__ import annotations

import signal
import time

import pytest

from local_aws.cloud import Cloud
from plugins.plugin_utils.lock import TTL_VARIABLE
from tests.chaos.releases import entries, is_live, name_of, new_image
from tests.chaos.runs import Typed
from tests.e2e.test_site import visited

pytestmark = pytest.mark.docker

LOCK_SECONDS = "15"
"""The next run waits for so long where what keeps the lock was killed too."""

MACHINE, COMMAND = True, False
"""What goes: all that the run has started, or `kill -9` on the command, whose workers end their task."""
RELEASE = [
    ("lock", "TASK [Take the environment's lock", 0.5, MACHINE),
    ("push", "TASK [publish : Push the images", 0.5, MACHINE),
    ("verify", "TASK [Try all that the site needs", 2, MACHINE),
    ("jobs", "TASK [rollout : Bring up the functions and the jobs", 1, COMMAND),
    ("migrate", "TASK [rollout : Run the jobs that come before a release", 2, MACHINE),
    ("services", "TASK [rollout : Bring up the services with routes", 3, MACHINE),
    ("services-alone", "TASK [rollout : Bring up the services with routes", 3, COMMAND),
    ("proof", "TASK [rollout : See that each service runs its release", 0, MACHINE),
    ("keep", "TASK [Keep their images from the registry's lifecycle rules", 0, MACHINE),
]
"""Name of a step, what the run shows when it begins, after how many seconds it is killed, and what goes with it."""
ROLLBACK = [
    ("choice", "TASK [See whether the registry has its images", 0, MACHINE),
    ("noted", "TASK [Write down where it goes", 0, MACHINE),
    ("verify", "TASK [Try all that the site needs", 2, COMMAND),
    ("jobs", "TASK [rollout : Bring up the functions and the jobs", 1, MACHINE),
    ("services", "TASK [rollout : Bring up the services with routes", 3, MACHINE),
    ("proof", "TASK [rollout : See that each service runs its release", 0, MACHINE),
    ("mark", "TASK [Mark what was left", 0, COMMAND),
]
RELEASED: list[str] = []
"""The releases of this file, the oldest first."""


@pytest.fixture(autouse=True)
def _short_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TTL_VARIABLE, LOCK_SECONDS)


def killed_and_typed_again(verb: str, shown: str, seconds: float, machine: bool, **given: str) -> str:
    """What the second run says. Nobody waits for an answer meanwhile."""
    with visited("/healthz") as visits:
        run = Typed(verb, **given)
        run.reaches(shown)
        time.sleep(seconds)
        run.ends(signal.SIGKILL, workers=machine)
        said = Typed(verb, **given).succeeds()
    assert not visits.failed, f"{len(visits.failed)} failed, {visits.answered} did not: {visits.failed}"
    return said


@pytest.mark.parametrize(("step", "shown", "seconds", "machine"), RELEASE, ids=[each[0] for each in RELEASE])
def test_a_release_that_was_killed_is_finished_by_the_same_command(
    live: Cloud, photo: str, step: str, shown: str, seconds: float, machine: bool
) -> None:
    name = name_of(step)
    with new_image(live, name):
        said = killed_and_typed_again("release", shown, seconds, machine, release=name)
    assert f"{name} is live" in said
    is_live(live, name, photo)
    killed = entries(live)[1]
    if killed["arguments"].get("release") == name:  # it has come to its lock
        assert (killed["verb"], killed["outcome"]) in {("release", "interrupted"), ("release", "failed")}, killed
        assert "was killed" in killed["reason"]
    else:
        assert step == "lock"
    RELEASED.append(name)


@pytest.mark.parametrize(("step", "shown", "seconds", "machine"), ROLLBACK, ids=[each[0] for each in ROLLBACK])
def test_a_rollback_that_was_killed_is_finished_by_the_same_command(
    live: Cloud, photo: str, step: str, shown: str, seconds: float, machine: bool
) -> None:
    """To and fro between two releases, as others may be let go of by the registry meanwhile."""
    assert len(RELEASED) > 2, "the tests before this one have released nothing"
    here = entries(live)[0]["release"]
    name = next(each for each in RELEASED[-2:] if each != here)
    said = killed_and_typed_again("rollback", shown, seconds, machine, release=name, confirm=name)
    assert f"{name} is live" in said
    is_live(live, name, photo)
    newest, killed = entries(live)[:2]
    assert (killed["verb"], killed["outcome"]) in {("rollback", "interrupted"), ("rollback", "failed")}, (step, killed)
    assert newest["run"] not in newest["left"]
    left = [each for each in entries(live, 20) if each["run"] in newest["left"]]
    assert left
    assert {each["release"] for each in left} == {here}, "what the rollback goes to is not left by it"
    assert all(each.get("left_by") == name for each in left)


def test_a_rollback_without_a_name_then_goes_to_the_one_before_both(live: Cloud, photo: str) -> None:
    said = Typed("rollback").fails()
    assert "jobs have run that may have changed the database" in said
    name = said.partition("-e confirm=")[2].split()[0]
    assert name in RELEASED[:-2]
    Typed("rollback", confirm=name).succeeds()
    is_live(live, name, photo)

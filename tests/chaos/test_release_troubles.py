"""Releases and rollbacks that meet with something: what is said, what runs afterwards, and who noticed of it.

The tests of this file build on each other and run in the order they stand in.
"""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta

import pytest

from local_aws.cloud import Cloud
from tests.chaos.releases import entries, is_live, loaded, name_of, new_image
from tests.chaos.runs import NO_ZONE, Typed
from tests.chaos.squatter import squatted
from tests.e2e import damage
from tests.e2e.conftest import Run, playbook, succeed
from tests.e2e.test_site import (
    asked,
    cookie_of,
    image_of,
    lines_of,
    maintained,
    outputs,
    release_seen,
    service,
    the_ledger,
    visited,
)

pytestmark = pytest.mark.docker

FIRST, SECOND, THIRD, FOURTH = map(name_of, ("first", "second", "third", "fourth"))
JOB_MIB, TASK_MIB = 256, 320
"""What the site's job and a task of its service take."""


def release(name: str, **given: object) -> Run:
    """A release that is waited for."""
    return playbook("release.yml", "-e", json.dumps(NO_ZONE | {"release": name} | given))


def refused(cloud: Cloud, run: Run, before: str) -> str:
    """What is said of a release that has come to nothing: what ran before goes on, and the ledger says why."""
    assert run.status != 0, run.output
    assert service(cloud)["taskDefinition"] == before
    newest = entries(cloud)[0]
    assert (newest["verb"], newest["outcome"]) == ("release", "failed"), newest
    assert newest["reason"]
    assert the_ledger(cloud).lock.read() is None
    return " ".join(run.output.split())


def is_there(cloud: Cloud, name: str, photo: str) -> None:
    """The release goes on to answer, and a `site` finds nothing to do."""
    assert release_seen() == name
    run = succeed(playbook("site.yml", "-e", json.dumps(NO_ZONE)))
    assert run.changed == 0, run.output
    is_live(cloud, name, photo)


def test_under_constant_load_with_one_host_not_one_request_fails(live: Cloud, photo: str) -> None:
    with new_image(live, FIRST), loaded("/", "/healthz", photo):
        succeed(release(FIRST))
        time.sleep(5)
    is_live(live, FIRST, photo)


def test_of_two_at_once_one_is_refused_or_waits(live: Cloud, photo: str) -> None:
    """And the one that waits releases what it was typed for, over what the other has released meanwhile."""
    third = name_of("refused")
    with new_image(live, SECOND), visited("/healthz") as visits:
        run = Typed("release", release=SECOND)
        run.reaches("TASK [rollout : Bring up the functions and the jobs")
        said = Typed("release", release=third, lock_wait="").fails()
        assert f"is locked: release release={SECOND} by" in said
        waiting = Typed("release", release=THIRD)
        waiting.reaches("waiting, at most")
        run.succeeds()
        waiting.succeeds()
    assert not visits.failed, visits
    is_live(live, THIRD, photo)
    newest, before = entries(live)[:2]
    assert (before["release"], before["outcome"], newest["release"]) == (SECOND, "good", THIRD)
    ended, begun = (datetime.fromisoformat(each) for each in (before["ended"], newest["started"]))
    assert begun >= ended - timedelta(seconds=1), "the second began when the first was through"
    assert third not in {each.get("release") for each in entries(live)}


def test_a_migration_that_fails_ends_the_release_before_the_services(live: Cloud, photo: str) -> None:
    before = service(live)["taskDefinition"]
    wrong = "ENV DJANGO_SETTINGS_MODULE=legacy_site.no_such_settings"
    with new_image(live, "migration", wrong, of="django"), loaded("/", photo):
        said = refused(live, release(name_of("migration")), before)
    assert "migrate ended with exit code 1" in said
    assert "no_such_settings" in said, "the end of its log"
    failed = entries(live)[0]
    assert failed["jobs"]["migrate"]["run"] is True
    assert "exit code 1" in failed["reason"]
    assert release_seen() == THIRD
    succeed(playbook("site.yml", "-e", json.dumps(NO_ZONE)))  # the job goes back to what is live
    is_there(live, THIRD, photo)


def test_a_secret_that_is_missing_is_told_before_anything_is_changed(live: Cloud, photo: str) -> None:
    before = service(live)["taskDefinition"]
    secret = outputs(live, "secret-django")["SecretArn"]
    with new_image(live, "secret"), damage.key_lost(live, secret), loaded("/", photo):
        run = release(name_of("secret"))
        said = refused(live, run, before)
        assert any("SECRET_KEY" in line for line in lines_of(run, "WRONG")), run.output
        assert "TASK [rollout : Bring up the functions" not in said
        # No more does a rollback.
        back = Typed("rollback", release=SECOND, confirm=SECOND).fails()
        assert "WRONG" in back
        assert "TASK [rollout : Bring up the functions" not in back
    assert service(live)["taskDefinition"] == before
    # The next one finds it there again; that of a rollback that came to nothing is no obstacle.
    is_there(live, THIRD, photo)


def test_what_cannot_be_placed_is_told_at_once_with_the_arithmetic(live: Cloud, photo: str) -> None:
    before = service(live)["taskDefinition"]
    with new_image(live, "room"), squatted(live, JOB_MIB + 34), loaded("/healthz"):
        run = release(name_of("room"))
        said = refused(live, run, before)
    (wrong,) = lines_of(run, "WRONG")
    assert wrong.startswith(f"WRONG service.web a new task fits a task takes {TASK_MIB} MiB;"), run.output
    assert re.search(r"i-\w+ registered \d+ MiB for tasks and has \d+ MiB left", said), said
    assert "TASK [rollout : Bring up the functions" not in said
    is_there(live, THIRD, photo)


def test_what_loses_its_place_meanwhile_is_cancelled_with_the_arithmetic(live: Cloud, photo: str) -> None:
    """As if somebody else had taken the room after it was asked for: nobody asks. The migration has room, and runs."""
    before = service(live)["taskDefinition"]
    name = name_of("no-place")
    with new_image(live, name), loaded("/healthz"):
        with squatted(live, JOB_MIB + 34):
            run = Typed("release", release=name, release_verify=False)
            run.reaches("TASK [rollout : Bring up the services with routes")
            begun = time.monotonic()
            run.reaches("the update is cancelled: what was before is put back")
            assert time.monotonic() - begun < 60
        said = run.fails()
    assert re.search(rf"no host can take another task: a task takes {TASK_MIB} MiB; i-\w+ registered", said), said
    assert "The update was cancelled: the site goes on with what it had before." in said
    assert service(live)["taskDefinition"] == before
    assert entries(live)[0]["outcome"] == "failed"
    assert release_seen() == THIRD
    # And another one, once there is room.
    with new_image(live, FOURTH):
        succeed(release(FOURTH))
    is_live(live, FOURTH, photo)


def test_one_that_never_gets_healthy_is_taken_back_by_ecs_and_told(live: Cloud, photo: str) -> None:
    before = service(live)["taskDefinition"]
    with new_image(live, "deaf", 'CMD ["sleep", "3600"]'), loaded("/", photo):
        run = release(name_of("deaf"), service_grace_seconds=5)
        said = refused(live, run, before)
    assert "GET /healthz to container nginx, port 80" in said
    assert "Does the container listen on port 80" in said
    assert release_seen() == FOURTH
    shown = succeed(playbook("releases.yml")).output
    assert re.search(rf"release +{name_of('deaf')} +failed", shown), shown


def test_a_registry_that_lost_the_image_of_a_rollback_is_told_by_it_and_stops_no_release(
    live: Cloud, photo: str
) -> None:
    lost, fifth, sixth = image_of(live, "nginx"), name_of("fifth"), name_of("sixth")
    with new_image(live, fifth):
        succeed(release(fifth))
    is_live(live, fifth, photo)
    before = service(live)["taskDefinition"]
    with damage.image_lost(live, lost):
        said = Typed("rollback").fails()
        assert f"The release {FOURTH} cannot run again, as the registry has no longer" in said
        assert lost.rpartition("@")[2] in said
        assert service(live)["taskDefinition"] == before
        run = playbook("verify.yml", "-e", json.dumps(NO_ZONE))
        assert run.status != 0
        assert any("can be pulled" in line for line in lines_of(run, "WRONG")), run.output
        with new_image(live, sixth):
            run = succeed(release(sixth))
        assert "That is of what is replaced now." in " ".join(run.output.split())
        is_live(live, sixth, photo)
        succeed(playbook("rollback.yml", "-e", json.dumps(NO_ZONE | {"release": fifth, "confirm": fifth})))
        is_live(live, fifth, photo)


def test_a_release_goes_on_during_maintenance(live: Cloud, photo: str) -> None:
    name = name_of("maintenance")
    cookie = cookie_of(maintained("on"))
    try:
        with new_image(live, name):
            run = Typed("release", release=name)
            while "is live." not in run.output and run.goes_on:
                assert asked("/healthz")[0] == 503, "a visitor saw the site in maintenance"
                time.sleep(0.5)
            said = run.succeeds()
        assert "is in maintenance, and asked with the cookie" in said
        status, head, _ = asked("/healthz", "--cookie", cookie)
        assert (status, f"x-release: {name}" in head) == (200, True)
        assert asked(photo, "--cookie", cookie)[0] == 200
    finally:
        maintained("off")
    assert entries(live)[1]["release"] == name
    assert release_seen() == name

"""A run that ends anywhere, by Ctrl-C or by a kill, is finished by the next one.

The site's domain has its DNS elsewhere (no hosted zone), so its first run also waits for a record that a person makes.
The tests of this file build on each other and run in the order they stand in.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.until import until
from tests.chaos.runs import NO_ZONE, RUN_SECONDS, Site, write_record
from tests.e2e.conftest import playbook, succeed
from tests.e2e.test_site import SITE, changed, outputs, served, service, stack_statuses

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("images")]

REPOSITORY = "legacy-site/django"
RELEASED: dict[str, Any] = {}
"""The variables of the last release, which the site is to keep."""


def site(**given: Any) -> Any:
    """A whole run with these variables."""
    return playbook("site.yml", "-e", json.dumps(NO_ZONE | given), timeout=RUN_SECONDS)


def release(tag: str, folder: Path) -> dict[str, Any]:
    """Another image of django, and the variables that publish it."""
    (folder / "Dockerfile").write_text(f"FROM {REPOSITORY}\nLABEL berth.chaos={tag}\n")
    subprocess.run(["docker", "build", "--quiet", "--tag", f"{REPOSITORY}:{tag}", str(folder)], check=True)
    return {"publish_select": "local", **changed("django", image=f"{REPOSITORY}:{tag}")}


def running_digest(cloud: Cloud) -> str:
    """The digest of the image of django of the service's one deployment."""
    now = service(cloud)
    (deployment,) = now["deployments"]
    assert deployment["runningCount"] == now["desiredCount"]
    described = cloud.client("ecs").describe_task_definition(taskDefinition=now["taskDefinition"])
    containers = described["taskDefinition"]["containerDefinitions"]
    return next(str(each["image"]) for each in containers if each["name"] == "django").partition("@")[2]


def pushed_digest(cloud: Cloud, tag: str) -> str:
    """The digest of this machine's image in the registry, whose tag there is made of its content."""
    which = {"repositoryName": f"{SITE}/legacy-site-django", "imageIds": [{"imageTag": image_id(tag)}]}
    (found,) = cloud.client("ecr").describe_images(**which)["imageDetails"]
    return str(found["imageDigest"])


def image_id(tag: str) -> str:
    done = subprocess.run(["docker", "image", "inspect", "--format", "{{.Id}}", f"{REPOSITORY}:{tag}"],
                          text=True, capture_output=True, check=True)  # fmt: skip
    return done.stdout.strip().removeprefix("sha256:")[:12]


def test_a_certificate_waits_for_a_record_that_a_person_makes(cloud: Cloud) -> None:
    """Killed while it waits; the next run asks again, and goes on by itself once the record is there."""
    first = Site()
    first.reaches("acm-validations.aws.")
    first.ends(signal.SIGKILL, workers=False)
    assert stack_statuses(cloud)[f"{SITE}-certificate"] == "CREATE_IN_PROGRESS"
    second = Site()
    second.reaches("acm-validations.aws.")
    assert "CREATE THIS DNS RECORD" in second.output
    time.sleep(5)
    assert stack_statuses(cloud)[f"{SITE}-certificate"] == "CREATE_IN_PROGRESS"
    write_record(cloud, second)
    shown = second.succeeds()
    assert f"CNAME {outputs(cloud, 'cluster')['AlbDnsName']} (or an alias)" in shown
    assert f"{SITE}-dns" not in stack_statuses(cloud)
    certificate = outputs(cloud, "certificate")["CertificateArn"]
    found = cloud.client("acm").describe_certificate(CertificateArn=certificate)["Certificate"]
    assert found["Status"] == "ISSUED"
    assert found["InUseBy"]
    run = succeed(site())
    assert run.changed == 0, run.output


STEPS = [
    ("hosts", "TASK [Wait until the hosts have joined", signal.SIGINT, 1),
    ("publish", "TASK [publish : Push", signal.SIGKILL, 1),
    ("jobs", "TASK [rollout : Bring up the functions and the jobs", signal.SIGINT, 1),
    ("migrate", "TASK [rollout : Run the jobs that come before a release", signal.SIGKILL, 1),
    ("services", "TASK [Bring up the services and the domain's name", signal.SIGKILL, 1),
    ("wait", "TASK [Wait until each service runs its release", signal.SIGINT, 0),
]
"""Name of a step, what the run shows when it begins, how it is ended there, and after how many seconds."""


@pytest.mark.parametrize(("step", "shown", "end", "seconds"), STEPS, ids=[step for step, *_ in STEPS])
def test_a_release_that_was_interrupted_is_finished_by_the_next_run(
    cloud: Cloud, tmp_path: Path, step: str, shown: str, end: signal.Signals, seconds: float
) -> None:
    tag = f"{step}-{int(time.time())}"
    given = release(tag, tmp_path)
    try:
        run = Site(**given)
        run.reaches(shown)
        time.sleep(seconds)  # into the step, not before it; the last is soon over
        run.ends(end)
        succeed(site(**given))
        assert running_digest(cloud) == pushed_digest(cloud, tag)
        until(lambda: served("/healthz"), "the site", 60)
        RELEASED.update(given | {"publish_select": "live"})
    finally:
        subprocess.run(["docker", "image", "rm", f"{REPOSITORY}:{tag}"], check=False, capture_output=True)


@pytest.mark.usefixtures("cloud")
def test_after_all_of_it_nothing_is_left_to_change() -> None:
    run = succeed(site(**RELEASED))
    assert run.changed == 0, run.output

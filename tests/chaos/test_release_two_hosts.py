"""Releases of a site of two hosts: under load, and with one of the hosts killed in the middle.

The tests of this file build on each other and run in the order they stand in.
"""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from local_aws.config import PROJECT
from local_aws.tests.until import until
from tests.chaos.releases import entries, is_live, loaded, name_of, new_image
from tests.chaos.runs import Typed
from tests.e2e.conftest import CONFIG
from tests.e2e.test_site import IMAGE, SITE, hosts, served, service

pytestmark = pytest.mark.docker

TRUE_REASONS = re.compile(r"Host EC2|i-[0-9a-f]{8,}|no host|agent|targets healthy|was rolled back")
"""What may end a release whose host has died: always something of the host, or of the tasks that were on it."""


def two() -> dict[str, Any]:
    """Two hosts, and a task of the service on each."""
    services = yaml.safe_load((PROJECT / "examples/legacy_site/site.yml").read_text())["site_services"]
    services["web"]["deploy"] = {"replicas": 2}
    return {"site_hosts": {"min": 2}, "site_services": services}


def running(cloud: Cloud, job: str = "") -> list[str]:
    """Instance ids of the hosts of the tasks that run of the service, or of a job; the newest task first."""
    ecs: Any = cloud.client("ecs")
    which = {"family": f"{SITE}-job-{job}"} if job else {"serviceName": service(cloud)["serviceName"]}
    arns = ecs.list_tasks(cluster=SITE, **which)["taskArns"]
    tasks = ecs.describe_tasks(cluster=SITE, tasks=arns)["tasks"] if arns else []
    instances = {each["containerInstanceArn"]: each["ec2InstanceId"] for each in hosts(cloud)}
    tasks.sort(key=lambda task: task["createdAt"], reverse=True)
    return [instances[each["containerInstanceArn"]] for each in tasks if each.get("containerInstanceArn") in instances]


def test_under_constant_load_with_two_hosts_not_one_request_fails(live: Cloud, photo: str) -> None:
    with loaded("/healthz"):
        Typed("site", **two()).succeeds()
    assert len(hosts(live)) == 2
    assert len(running(live)) == 2
    name = name_of("two-hosts")
    with new_image(live, name), loaded("/", "/healthz", photo):
        Typed("release", release=name, **two()).succeeds()
        time.sleep(5)
    is_live(live, name, photo)
    assert len(running(live)) == 2


@pytest.mark.parametrize(
    ("shown", "seconds", "job"),
    [
        ("TASK [rollout : Run the jobs that come before a release", 0, "migrate"),
        ("TASK [rollout : Bring up the services with routes", 4, ""),
    ],
    ids=["migrate", "services"],
)
def test_a_host_that_is_killed_in_the_middle_is_told_or_got_over_and_the_next_run_heals(
    live: Cloud, photo: str, shown: str, seconds: float, job: str
) -> None:
    """The host that is killed has a task of the migration, or the newest one of the service."""
    name = name_of(f"host-{job or 'web'}")
    with new_image(live, name):
        run = Typed("release", release=name, **two())
        run.reaches(shown)
        time.sleep(seconds)
        killed = until(lambda: running(live, job), "a task on a host", 30)[0]
        live.docker.containers.get(CONFIG.container(killed)).kill()
        status, said = run.is_over()
        newest = entries(live)[0]
        if status:
            assert newest["outcome"] == "failed"
            assert TRUE_REASONS.search(newest["reason"]), newest["reason"]
            assert TRUE_REASONS.search(said.partition("[ERROR]")[2]), said
        else:
            is_live(live, name, photo)
        print(f"{name}: {newest['outcome']} {newest['reason']}")
        until(lambda: served("/healthz"), "the site on the host that is left", 120)
        assert served(photo) == IMAGE.read_bytes()
        # Before, the one that is left has no room beside its tasks, and the release is refused with the arithmetic.
        until(lambda: len(hosts(live)) == 2, "a host in the place of the one that was killed", 120)
        Typed("release", release=name, **two()).succeeds()
    is_live(live, name, photo)
    until(lambda: killed not in running(live) and len(running(live)) == 2, "both tasks again", 60)


def test_it_goes_back_to_one_host(live: Cloud, photo: str) -> None:
    """Which host goes is the group's choice; ECS drains it first."""
    before = entries(live)[0]["release"]
    Typed("site").succeeds()
    until(lambda: len(hosts(live)) == 1, "one host again", 120)
    until(lambda: served("/healthz"), "the site on the host that is left", 120)
    is_live(live, before, photo)

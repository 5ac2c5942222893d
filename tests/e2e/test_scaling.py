"""Load makes tasks and hosts come, its end makes them go, and nobody waits in vain: `scale` by requests, for real."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import yaml

from local_aws.cloud import Cloud
from local_aws.config import PROJECT
from local_aws.tests.until import until
from tests.e2e.conftest import CONFIG, succeed
from tests.e2e.test_examples import Site, _localhost, inventory, running

__all__ = ["_localhost"]

pytestmark = [pytest.mark.docker, pytest.mark.long]

EXAMPLE = "flask_plain"
LEAST, MOST = 2, 6
"""Tasks. Two of them fit on a host."""
HOSTS = {"min": 2, "max": 4, "scale": True}
"""Six tasks take three; the fourth is for what comes beside them."""
MINUTE = 3
"""Seconds that a minute lasts for autoscaling: three of load are nine, fifteen without are three quarters of one."""
REQUESTS = 100
"""A minute, for each task."""
BUSY, CALM = 0.1, 1.0
"""Seconds between two requests of the only visitor: 600 a minute are 100 for each of six tasks; 60 are 30 for two."""


@dataclass
class Visits:
    """What a visitor saw.

    Attributes:
        pause: seconds between two requests.
        answered: requests that got their page.
        failed: what became of each that did not.
    """

    pause: float = CALM
    answered: int = 0
    failed: list[str] = field(default_factory=list)


@contextmanager
def visited(site: Site) -> Iterator[Visits]:
    """A visitor who asks again and again while the block runs, each time by a connection of its own."""
    visits, over = Visits(), threading.Event()

    def visit() -> None:
        begun = time.monotonic()
        while not over.wait(max(0.0, begun + visits.pause - time.monotonic())):
            begun = time.monotonic()
            try:
                answer: Any = site.visitor().get("/healthz").status_code
            except requests.RequestException as error:
                answer = error
            if answer == 200:
                visits.answered += 1
            else:
                visits.failed.append(f"{time.strftime('%H:%M:%S')} {answer}")

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        yield visits
    finally:
        over.set()
        visitor.join()


def minute(seconds: int) -> None:
    """Let a minute of autoscaling last so long."""
    session = requests.Session()
    session.trust_env = False
    answer = session.post(f"{CONFIG.endpoint}/_local_aws/minute", data=str(seconds), timeout=10)
    assert answer.status_code == 204, answer.text


@pytest.fixture(scope="module")
def site(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The smallest example, which scales by requests; minutes are short while it is there."""
    subprocess.run([sys.executable, "examples/build.py", EXAMPLE], cwd=PROJECT, check=True)
    name, folder = inventory(EXAMPLE, tmp_path_factory.mktemp("inventories"))
    description = yaml.safe_load((PROJECT / "examples" / EXAMPLE / "site.yml").read_text())
    web = description["site_services"]["web"]
    del web["deploy"]
    web["scale"] = {"min": LEAST, "max": MOST, "requests": REQUESTS}
    web["containers"]["flask"] |= {"mem_limit": "320m", "mem_reservation": "300m"}
    description["site_hosts"] = HOSTS
    (folder / "group_vars/site/description.yml").write_text(yaml.safe_dump(description))
    made = Site(EXAMPLE, name, folder, cloud)
    succeed(made.run("site.yml"))
    minute(MINUTE)
    yield made
    minute(60)
    succeed(made.run("teardown.yml", "-e", "confirm=test", "-e", "teardown_data=true"))


def test_load_makes_tasks_come_and_its_end_makes_them_go_without_a_failed_request(site: Site) -> None:
    def tasks() -> int:
        return len(running(site, "web"))

    def hosts() -> int:
        return len(site.cloud.client("ecs").list_container_instances(cluster=site.prefix)["containerInstanceArns"])

    def up() -> int:
        arns = [arn for arns in site.tasks().values() for arn in arns]
        found = site.cloud.client("ecs").describe_tasks(cluster=site.prefix, tasks=arns)["tasks"]
        return sum(each["lastStatus"] == "RUNNING" for each in found)

    until(lambda: tasks() == LEAST, "the least", 120)
    assert hosts() == HOSTS["min"]
    with visited(site) as visits:
        time.sleep(15 * MINUTE)
        assert tasks() == LEAST, "a calm visitor needs no more"
        visits.pause = BUSY
        until(lambda: tasks() == MOST, "as many tasks as 600 requests a minute ask for", 120)
        until(lambda: (up(), hosts()) == (MOST, 3), "the host that they need, and all of them on it", 240)
        run = succeed(site.run("site.yml"))
        assert run.changed == 0, "what load has brought is nobody's change"
        assert (tasks(), hosts()) == (MOST, 3)
        visits.pause = CALM
        until(lambda: tasks() == LEAST, "the least again, once nobody asks for more", 300)
        until(lambda: (up(), hosts()) == (LEAST, HOSTS["min"]), "the hosts of before", 300)
        time.sleep(10)
    assert visits.failed == []
    assert visits.answered > 200
    told = site.cloud.client("application-autoscaling").describe_scaling_activities(ServiceNamespace="ecs")
    activities = told["ScalingActivities"]
    assert {each["StatusCode"] for each in activities} == {"Successful"}
    counts = [int(each["Description"].split()[-1].rstrip(".")) for each in reversed(activities)]
    assert counts[-1] == LEAST
    assert max(counts) == MOST
    counted = site.cloud.client("cloudwatch").list_metrics(
        Namespace="AWS/ApplicationELB", MetricName="RequestCountPerTarget"
    )
    assert counted["Metrics"]

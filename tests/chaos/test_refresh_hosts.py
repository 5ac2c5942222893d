"""Hosts are replaced under load: with two of them, with one, and with the verb killed at each of its steps.

The tests of this file build on each other and run in the order they stand in.
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.until import until
from tests.chaos.releases import loaded
from tests.chaos.runs import Typed
from tests.chaos.test_release_two_hosts import running, two
from tests.e2e.conftest import CONFIG
from tests.e2e.test_site import IMAGE, SITE, hosts, served

pytestmark = [pytest.mark.docker, pytest.mark.long]

SIZES = itertools.count(31)
"""GiB of the root volume, another for each refresh: what hosts are launched from differs, and nothing else of them."""
STEPS = (
    "let the group have 3 hosts",
    "prove that i-",
    " starts what the site runs",
    "  drain i-",
    " takes no new tasks",
    " drained",
    "  terminate i-",
)
"""What the verb shows at its steps."""


def there(cloud: Cloud) -> set[str]:
    """Instance ids of the hosts that take tasks."""
    return {each["ec2InstanceId"] for each in hosts(cloud)}


def capacity(cloud: Cloud) -> int:
    (group,) = (
        each
        for each in cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        if each["AutoScalingGroupName"].startswith(SITE)
    )
    return int(group["DesiredCapacity"])


def larger() -> dict[str, Any]:
    return {"host_volume_gb": next(SIZES)}


@pytest.fixture(scope="module")
def pair(live: Cloud) -> Iterator[Cloud]:
    """The site on two hosts, with a task on each; on one again afterwards."""
    Typed("site", **two()).succeeds()
    assert len(hosts(live)) == 2
    yield live
    Typed("site").succeeds()


def test_two_hosts_are_replaced_without_one_failed_request(pair: Cloud, photo: str) -> None:
    old = there(pair)
    with loaded("/", "/healthz", photo):
        said = Typed("refresh_hosts", **two(), **larger()).succeeds()
    assert len(there(pair)) == 2
    assert not there(pair) & old
    assert set(running(pair)) <= there(pair)
    assert (len(running(pair)), capacity(pair)) == (2, 2)
    assert said.count(" starts what the site runs") == 2
    assert served(photo) == IMAGE.read_bytes()


@pytest.mark.parametrize("shown", STEPS, ids=[step.strip().replace(" ", "-") for step in STEPS])
def test_killed_at_any_step_the_same_command_ends_it(pair: Cloud, photo: str, shown: str) -> None:
    old, given = there(pair), two() | larger()
    with loaded("/healthz", photo):
        run = Typed("refresh_hosts", **given)
        # The steps are first said as what would be done.
        run.reaches("TASK [Replace the hosts one by one]")
        until(lambda: shown in run.output.partition("TASK [Replace the hosts one by one]")[2], shown, 420)
        run.ends(signal.SIGKILL)
        Typed("refresh_hosts", **given).succeeds()
    assert len(there(pair)) == 2
    assert not there(pair) & old
    assert capacity(pair) == 2


def test_a_host_that_is_killed_in_the_middle_is_got_over(pair: Cloud, photo: str) -> None:
    old, given = there(pair), two() | larger()
    run = Typed("refresh_hosts", **given)
    run.reaches("TASK [Replace the hosts one by one]")
    until(lambda: "  drain i-" in run.output.partition("TASK [Replace the hosts one by one]")[2], "a drain", 420)
    (beside, *_) = there(pair) & old
    pair.docker.containers.get(CONFIG.container(beside)).kill()
    run.is_over()
    Typed("refresh_hosts", **given).succeeds()
    assert not there(pair) & old
    assert (len(there(pair)), capacity(pair)) == (2, 2)
    assert served(photo) == IMAGE.read_bytes()


def test_old_hosts_are_kept_and_gone_back_to(pair: Cloud, photo: str) -> None:
    old, given = there(pair), two() | larger() | {"site_hosts": {"min": 2, "max": 4}}
    with loaded("/healthz", photo):
        Typed("refresh_hosts", **given, keep_old=True).succeeds()
        assert capacity(pair) == 4
        assert len(there(pair)) == 2, "the old ones take no task"
        assert not set(running(pair)) & old
        Typed("refresh_hosts", **given, back=True).succeeds()
    assert (there(pair), capacity(pair)) == (old, 2)
    assert set(running(pair)) <= old


def test_back_to_one_host_no_request_fails_as_the_one_that_goes_is_drained(pair: Cloud, photo: str) -> None:
    with loaded("/healthz", photo):
        Typed("site").succeeds()
        until(lambda: len(there(pair)) == 1, "one host", 180)
    assert served(photo) == IMAGE.read_bytes()


def test_one_host_is_replaced_without_one_failed_request(pair: Cloud, photo: str) -> None:
    (old,) = there(pair)
    with loaded("/healthz", photo):
        Typed("refresh_hosts", **larger()).succeeds()
    (new,) = there(pair)
    assert new != old
    refused = Typed("refresh_hosts", **larger(), site_hosts={"min": 1, "max": 1}).fails()
    assert "No new host can stand beside the old ones: there may be 1. No host was touched." in refused
    assert there(pair) == {new}

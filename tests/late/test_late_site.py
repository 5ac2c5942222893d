"""The site from nothing to gone on an AWS that answers late, stale, in short pages, and throttled.

The tests of this file build on each other and run in the order they stand in.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.until import until
from tests.e2e.conftest import Run, local_aws, playbook, succeed
from tests.e2e.test_site import SITE, changed, served, service, stack_statuses
from tests.late.conftest import SEED

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("images")]

RUN_SECONDS = 600
NOTE = {"name": "NOTE", "value": f"late {SEED}"}


def run(name: str, **given: Any) -> Run:
    """A verb that must end well, and in time."""
    return succeed(playbook(name, "-e", json.dumps(given), timeout=RUN_SECONDS))


def noted() -> dict[str, Any]:
    """The site's services with one more variable in django's environment."""
    return changed("django", environment={"ALLOWED_HOSTS": "{{ domain_name }}", NOTE["name"]: NOTE["value"]})


def running(cloud: Cloud) -> dict[str, Any]:
    """The task definition of the service's one deployment, which is whole."""
    (deployment,) = service(cloud)["deployments"]
    assert deployment["runningCount"] == deployment["desiredCount"] > 0
    described = cloud.client("ecs").describe_task_definition(taskDefinition=deployment["taskDefinition"])
    found: dict[str, Any] = described["taskDefinition"]
    return found


def test_the_site_from_nothing(cloud: Cloud) -> None:
    run("site.yml")
    until(lambda: served("/healthz"), "the site", 60)
    assert set(stack_statuses(cloud).values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


@pytest.mark.usefixtures("cloud")
def test_the_second_run_changes_nothing() -> None:
    again = run("site.yml")
    assert again.changed == 0, again.output


def test_a_new_value_is_a_new_release(cloud: Cloud) -> None:
    before = running(cloud)["revision"]
    run("site.yml", **noted())
    now = running(cloud)
    assert now["revision"] > before
    assert NOTE in next(each["environment"] for each in now["containerDefinitions"] if each["name"] == "django")


def test_a_changed_setting_reaches_the_host(cloud: Cloud) -> None:
    before = set(cloud.client("ecs").list_tasks(cluster=SITE)["taskArns"])
    run("hosts.yml", docker_engine_log_max_size="5m", hosts_downtime=True)
    assert not before & set(cloud.client("ecs").list_tasks(cluster=SITE)["taskArns"]), "a task outlived the drain"
    until(lambda: served("/healthz"), "the site", 60)


def test_the_volume_moves_to_the_native_driver(cloud: Cloud) -> None:
    moved = run("move_volume.yml", volume="media", **noted())
    assert "files are the same" in moved.output
    assert running(cloud)["volumes"][0]["efsVolumeConfiguration"]
    until(lambda: served("/healthz"), "the site", 60)


def test_it_was_late_indeed() -> None:
    """Each kind of lateness has happened, or this file has proven nothing."""
    (line,) = [line for line in local_aws("status").splitlines() if " late " in line]
    assert f"seed {SEED};" in line
    for kind in ("failed", "lost", "stale", "paged"):
        assert f" 0 {kind}" not in line, line


def test_teardown_leaves_nothing(cloud: Cloud) -> None:
    run("teardown.yml", confirm="test", teardown_data=True, teardown_keep_snapshot=False)
    assert stack_statuses(cloud) == {}
    until(lambda: not cloud.client("efs").describe_file_systems()["FileSystems"], "no file system", 60)
    assert cloud.client("ecs").list_clusters()["clusterArns"] == []
    assert cloud.client("s3").list_buckets()["Buckets"] == []

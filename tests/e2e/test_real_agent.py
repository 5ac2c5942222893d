"""The site on the real ECS agent: what it is released, restarted and drained by is not the stand-in.

Where nobody names an agent all of it is skipped. The tests build on each other and run in the order they stand in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from local_aws.cloud import Cloud
from local_aws.real_agent import placing
from local_aws.tests.until import until
from tests.e2e.conftest import local_aws, playbook, succeed
from tests.e2e.test_site import SITE, built, hosts, on_host, recap, release_seen, served, service, visited

pytestmark = [
    pytest.mark.docker,
    pytest.mark.long,
    pytest.mark.skipif(
        not os.environ.get("BERTH_ECS_AGENT"),
        reason="BERTH_ECS_AGENT names no ECS agent: export the path of its binary or image (local_aws/README.md)",
    ),
]
MEMORY = 1024
"""MiB of a t2.micro."""


@pytest.fixture(scope="module")
def site(cloud: Cloud, images: None) -> Iterator[Cloud]:
    """The site, brought up as on any agent; what other files find afterwards is bare again."""
    del images
    succeed(playbook("site.yml"))
    yield cloud
    local_aws("down")
    local_aws("up")


def test_the_unchanged_site_comes_up_on_it(site: Cloud) -> None:
    (host,) = hosts(site)
    assert host["versionInfo"]["agentHash"] != "standin"
    assert f"{placing.MOUNTED}/start.py" in on_host(site, "systemctl show ecs --property ExecStart --value")
    memory = next(each["integerValue"] for each in host["registeredResources"] if each["name"] == "MEMORY")
    assert MEMORY // 2 < memory <= MEMORY, "the instance's, not this machine's"
    assert served("/healthz")
    run = succeed(playbook("site.yml"))
    assert run.changed == 0, run.output
    assert recap(succeed(playbook("hosts.yml", "--diff")).output)[1] == 0, "its roles find what the boot has made"


def test_a_release_is_not_noticed(site: Cloud) -> None:
    with built(site, "legacy-site/nginx", "LABEL release=by-the-real-agent"), visited("/healthz") as visits:
        run = succeed(playbook("release.yml", "-e", "release=2026.11.1"))
    assert "2026.11.1 is live." in run.output
    assert release_seen() == "2026.11.1"
    assert not visits.failed, f"{len(visits.failed)} requests failed, {visits.answered} did not: {visits.failed}"


def test_a_killed_container_is_replaced(site: Cloud) -> None:
    ecs = site.client("ecs")
    (before,) = ecs.list_tasks(cluster=SITE, serviceName=service(site)["serviceName"])["taskArns"]
    (task,) = ecs.describe_tasks(cluster=SITE, tasks=[before])["tasks"]
    killed = next(each for each in task["containers"] if each["name"] == "nginx")
    on_host(site, f"docker kill {killed['runtimeId']}")

    def replaced() -> bool:
        found = ecs.list_tasks(cluster=SITE, serviceName=service(site)["serviceName"])["taskArns"]
        return bool(found) and before not in found

    until(replaced, "another task", 120)
    until(lambda: served("/healthz"), "the site", 120)
    (task,) = ecs.describe_tasks(cluster=SITE, tasks=[before])["tasks"]
    codes = {each["name"]: each.get("exitCode") for each in task["containers"]}
    assert (task["stopCode"], codes["nginx"]) == ("EssentialContainerExited", 137)


def test_what_cannot_be_pulled_is_told_in_the_words_that_the_stand_in_has(site: Cloud) -> None:
    ecs = site.client("ecs")
    image = f"127.0.0.1:{site.config.registry_port}/legacy-site/nginx:none"
    made = ecs.register_task_definition(
        family="none", containerDefinitions=[{"name": "one", "image": image, "memory": 64}]
    )
    answer = ecs.run_task(cluster=SITE, taskDefinition=made["taskDefinition"]["taskDefinitionArn"])
    (task,) = answer["tasks"]

    def stopped() -> bool:
        (now,) = ecs.describe_tasks(cluster=SITE, tasks=[task["taskArn"]])["tasks"]
        task.update(now)
        return bool(now["lastStatus"] == "STOPPED")

    until(stopped, "the task to fail", 120)
    assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", "Task failed to start")
    reason = task["containers"][0]["reason"]
    assert reason.startswith("CannotPullImageManifestError: Error response from daemon: manifest unknown"), reason


def test_a_drained_host_gives_its_task_back(site: Cloud) -> None:
    ecs = site.client("ecs")
    (before,) = ecs.list_tasks(cluster=SITE, serviceName=service(site)["serviceName"])["taskArns"]
    run = succeed(playbook("hosts.yml", "-e", "docker_engine_log_max_size=5m", "-e", "hosts_downtime=true"))
    assert recap(run.output)[1] > 0
    assert "drained" in run.output
    assert "5m" in on_host(site, "cat /etc/docker/daemon.json")
    (after,) = ecs.list_tasks(cluster=SITE, serviceName=service(site)["serviceName"])["taskArns"]
    assert after != before, "the task outlived the drain"
    until(lambda: served("/healthz"), "the site", 60)

"""The site from nothing to gone, as a person would bring it up, look at it, break it and tear it down.

The tests of this file build on each other and run in the order they stand in.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from local_aws.cloud import Cloud
from local_aws.config import PROJECT
from tests.e2e import browser
from tests.e2e.conftest import CONFIG, Run, environment, local_aws, playbook, succeed, until

pytestmark = pytest.mark.docker

SITE = "legacy-test"
URL = f"https://legacy.test.berth.localhost:{CONFIG.https_port}"
AUTHORITY = CONFIG.state / "ca" / "ca.pem"
IMAGE = Path(__file__).parent / "harbour.png"
CARD = ["-e", "media_volume_driver=rexray", "-e", "host_launch_source=launch_configuration"]
SAFE = ["-e", "media_volume_driver=efs", "-e", "host_launch_source=launch_template"]


def secret(cloud: Cloud, name: str) -> dict[str, str]:
    values: dict[str, str] = json.loads(cloud.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    return values


def hosts(cloud: Cloud) -> list[dict[str, Any]]:
    """The cluster's connected container instances."""
    ecs = cloud.client("ecs")
    arns = ecs.list_container_instances(cluster=SITE)["containerInstanceArns"]
    if not arns:
        return []
    described = ecs.describe_container_instances(cluster=SITE, containerInstances=arns)["containerInstances"]
    return [host for host in described if host["agentConnected"] and host["status"] == "ACTIVE"]


def service(cloud: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = cloud.client("ecs").describe_services(cluster=SITE, services=[SITE])["services"][0]
    return found


def curl(path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """curl resolves *.localhost by itself and trusts only our authority."""
    command = ["curl", "--silent", "--show-error", "--max-time", "20", "--cacert", str(AUTHORITY), *arguments]
    return subprocess.run([*command, path], text=True, capture_output=True, check=False)


def stack_statuses(cloud: Cloud) -> dict[str, str]:
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"]: stack["StackStatus"] for stack in stacks}


def test_check_mode_on_a_bare_estate_shows_a_plan_and_makes_nothing(cloud: Cloud) -> None:
    run = succeed(playbook("site.yml", "--check", "--diff"))
    assert f"+ stack {SITE}-network" in run.output
    assert stack_statuses(cloud) == {}


def test_an_interrupted_run_is_finished_by_the_next(cloud: Cloud, images: None) -> None:
    """Interrupt while stacks are being made, as Ctrl-C does, then run again: that run also is the first full one."""
    process = subprocess.Popen(
        ["ansible-playbook", "site.yml", "-i", "test"], cwd=PROJECT, env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: any(s == "CREATE_IN_PROGRESS" for s in stack_statuses(cloud).values()), 120, "a stack in progress")
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    process.wait(60)
    assert process.returncode != 0
    started = time.monotonic()
    succeed(playbook("site.yml"))
    print(f"site.yml from the interrupted state: {time.monotonic() - started:.0f} s")


def test_the_second_run_changes_nothing(cloud: Cloud) -> None:
    run = succeed(playbook("site.yml"))
    assert run.changed == 0, run.output


def test_check_mode_on_the_built_estate_finds_nothing_to_do(cloud: Cloud) -> None:
    run = succeed(playbook("site.yml", "--check", "--diff"))
    assert run.changed == 0, run.output


def test_no_secret_reaches_the_output_and_no_value_is_masked(cloud: Cloud) -> None:
    run = succeed(playbook("site.yml", "-vv"))
    password = secret(cloud, f"{SITE}/database")["password"]
    assert password not in run.output
    for stack in cloud.client("cloudformation").describe_stacks()["Stacks"]:
        for parameter in stack.get("Parameters", []):
            assert "****" not in parameter.get("ParameterValue", "") or "Secret" in parameter["ParameterKey"]

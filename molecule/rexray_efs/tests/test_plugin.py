"""The plugin with the role's defaults: what Docker, the cluster and the file system see."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3

from tests.rexray_efs import in_file_system, settings, with_media

ATTRIBUTE = "ecs.capability.docker-plugin.rexray/efs"


def test_it_is_pinned_and_has_the_alias_that_tasks_name(host: Any) -> None:
    plugin = json.loads(host.check_output("docker plugin inspect rexray/efs"))[0]
    assert plugin["Name"] == "rexray/efs:latest"
    assert plugin["PluginReference"] == "docker.io/rexray/efs:0.11.4"
    assert plugin["Enabled"] is True


def test_its_settings_are_the_defaults(host: Any) -> None:
    assert settings(host) == {
        "DOCKER_LEGACY": "true",
        "EFS_DISABLESESSIONCACHE": "false",
        "EFS_REGION": "us-east-1",
        "EFS_STATUSINITIALDELAY": "1s",
        "EFS_STATUSMAXATTEMPTS": "6",
        "EFS_STATUSTIMEOUT": "2m",
        "EFS_TAG": "legacy-molecule",
        "LINUX_VOLUME_FILEMODE": "0755",
        "REXRAY_LOGLEVEL": "warn",
        "REXRAY_PREEMPT": "true",
    }


def test_files_lie_in_the_folder_data_with_the_mode(host: Any) -> None:
    assert with_media(host, "echo kept > /media/file; stat -c %a /media") == "755"
    assert in_file_system(host, "ls /root; cat /root/data/file; stat -c %a /root/data") == "data\nkept\n755"


def test_the_units_are_in_order_and_enabled(host: Any) -> None:
    assert host.service("rexray-efs").is_enabled
    ordered = [
        int(host.check_output(f"systemctl show --value -p ActiveEnterTimestampMonotonic {unit}"))
        for unit in ("docker", "rexray-efs", "ecs")
    ]
    assert ordered == sorted(ordered)


def test_the_agent_that_ran_before_tells_the_cluster() -> None:
    """It had registered without the plugin when the role came; the attribute counts at registration only."""
    ecs = boto3.client("ecs")
    deadline = time.monotonic() + 30
    while True:
        arns = ecs.list_container_instances(cluster="legacy-molecule")["containerInstanceArns"]
        found = (
            ecs.describe_container_instances(cluster="legacy-molecule", containerInstances=arns)["containerInstances"]
            if arns
            else []
        )
        if found and ATTRIBUTE in [attribute["name"] for attribute in found[0]["attributes"]]:
            return
        assert time.monotonic() < deadline, found
        time.sleep(1)


def test_a_check_finds_nothing_to_do(host: Any) -> None:
    with host.sudo():
        assert host.check_output("rexray-efs --check") == ""

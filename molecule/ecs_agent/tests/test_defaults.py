"""The agent with the role's defaults: settings that it can read, a host that has joined and says so."""

from __future__ import annotations

import json
from typing import Any


def test_nothing_in_the_file_is_quoted_and_the_agent_has_joined(host: Any) -> None:
    lines = host.file("/etc/ecs/ecs.config").content_string.splitlines()
    settings = dict(line.split("=", 1) for line in lines)
    assert settings["ECS_CLUSTER"] == "legacy-molecule"
    assert json.loads(settings["ECS_AVAILABLE_LOGGING_DRIVERS"]) == ["json-file", "awslogs"]
    assert not [line for line in lines if '="' in line or "='" in line or line.startswith("#")]
    assert json.loads(host.check_output("curl -s http://127.0.0.1:51678/v1/metadata"))["Cluster"] == "legacy-molecule"


def test_the_report_is_part_of_every_boot_and_does_not_hold_it(host: Any) -> None:
    unit = dict(
        line.split("=", 1)
        for line in host.check_output(
            "systemctl show -p UnitFileState,Before,Type,SubState,Result ecs-boot-report; "
            "systemctl is-enabled ecs | sed s/^/ecs=/"
        ).splitlines()
    )
    assert unit["UnitFileState"] == unit["ecs"] == "enabled"
    assert unit["Type"] == "exec"  # a oneshot unit would hold multi-user.target until it ends


def test_the_report_says_that_the_host_has_joined(host: Any) -> None:
    said = host.run("/usr/local/sbin/ecs-boot-report 5")
    assert said.rc == 0
    assert said.stdout.startswith("joined legacy-molecule as arn:aws:ecs:us-east-1:")

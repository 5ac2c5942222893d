"""The host role ecs_agent without a host: what its preflight refuses, and what its boot report says."""

from __future__ import annotations

import os
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar

from plugins.filter.durations import go_seconds
from plugins.plugin_utils.roles import Roles
from tests.unit.roles.test_host_files import render

ROLE = Path(__file__).resolve().parents[3] / "roles/ecs_agent"
SITE = {"site_name": "shop", "environment_name": "prod"}
LOADER = DataLoader()
"""One for all tests: it keeps what it has read, and reading the role's files takes longer than judging them."""


@pytest.fixture(scope="module", autouse=True)
def plugins() -> None:
    """Ansible's own filters and tests, by their full names."""
    with warnings.catch_warnings(action="ignore"):  # another module may have done it
        init_plugin_loader()


def refusals(**given: Any) -> list[str]:
    """The sentences of all rules beside the role that do not hold."""
    roles = Roles(LOADER, Templar(LOADER), SITE | given)
    variables = roles.variables("ecs_agent")
    return [text for rule in roles.rules("ecs_agent") for _, text in roles.refusals(rule, variables)]


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("cluster", '"prod"', "without quotes"),
        ("cluster", "prod\nECS_X=1", "without quotes"),
        ("cluster", "prod\n", "without quotes"),
        ("image_cleanup_interval", "5m", "of 600 or more seconds"),
        ("image_cleanup_interval", "30", "write a duration as Go does"),
        ("image_cleanup_interval", 30, "write a duration as Go does"),
        ("image_cleanup_interval", "1d", "write a duration as Go does"),
        ("image_cleanup_interval", "30m ", "write a duration as Go does"),
        ("image_minimum_cleanup_age", "0s", "of 1 or more seconds"),
        ("untracked_image_minimum_cleanup_age", "-1h", "write a duration as Go does"),
        ("task_cleanup_wait", "500ms", "of 1 or more seconds"),
        ("task_cleanup_wait_jitter", "", "write a duration as Go does"),
        ("container_stop_timeout", "10m # long", "write a duration as Go does"),
        ("container_start_timeout", "30s", "of 45 or more seconds"),
        ("container_create_timeout", "59s", "of 60 or more seconds"),
        ("manifest_pull_timeout", "29s", "of 30 or more seconds"),
        ("image_pull_timeout", "0h", "of 1 or more seconds"),
        ("image_pull_inactivity_timeout", "30s", "of 60 or more seconds"),
        ("polling_metrics_wait", "21s", "of 5 to 20 seconds"),
        ("reserved_memory", 65536, "from 0 to 65535"),
        ("reserved_memory", -1, "from 0 to 65535"),
        ("images_deleted_per_cycle", 0, "from 1 to"),
        ("task_pids_limit", 4194305, "from 0 to 4194304"),
        ("join_timeout", "2m", "from 1 to 3600"),
        ("attributes", {f"a{number}": "x" for number in range(11)}, "at most 10 names"),
        ("attributes", {"rack": 7}, "numbers in quotes"),
        ("attributes", {"a b": "x"}, "at most 10 names"),
        ("attributes", {"a": ""}, "at most 10 names"),
        ("attributes", {"a": " x"}, "inner blanks"),
        ("attributes", {"a": "x\n"}, "inner blanks"),
        ("tags", {f"t{number}": "x" for number in range(51)}, "at most 50 keys"),
        ("tags", {"AWS:x": "x"}, "none beginning with aws:"),
        ("tags", {"Team": True}, "numbers in quotes"),
        ("tags", {"Team": "a,b"}, "at most 50 keys"),
        ("reserved_ports", [0], "from 1 to 65535"),
        ("reserved_ports_udp", ["53-60"], "from 1 to 65535"),
        ("dynamic_host_port_range", "40000", "the first and the last port"),
        ("dynamic_host_port_range", "50000-40000", "the first and the last port"),
        ("dynamic_host_port_range", "40000-70000", "the first and the last port"),
        ("untracked_images_kept", ["alpine:3,debian:12"], "each as name:tag"),
        ("untracked_images_kept", ["alpine"], "each as name:tag"),
        ("image_pull_behavior", "prefer-cached", "would never remove an image"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_to_type(name: str, value: object, rule: str) -> None:
    (message,) = refusals(**{f"ecs_agent_{name}": value})
    assert message.startswith(f"ecs_agent_{name} is ")
    assert rule in message


def test_right_values_pass() -> None:
    assert refusals() == []
    assert (
        refusals(
            ecs_agent_attributes={"stack/x.y-z_1": "a b@c:d/e\\f", "n": "7"},
            ecs_agent_tags={"Team": "", "größe": "a +-=._:/@"},
            ecs_agent_dynamic_host_port_range="1024-65535",
            ecs_agent_untracked_images_kept=["registry.example.org:5000/a/b:1"],
            ecs_agent_reserved_ports=[],
            ecs_agent_reserved_memory="0",
            ecs_agent_task_cleanup_wait="1.5h",
        )
        == []
    )


def test_images_that_are_kept_for_ever_are_asked_for_by_name() -> None:
    """With prefer-cached the agent cleans nothing up, so a setting that says otherwise would be a lie."""
    kept = {"ecs_agent_image_pull_behavior": "prefer-cached", "ecs_agent_disable_image_cleanup": True}
    assert refusals(**kept) == []
    (message,) = refusals(**kept, ecs_agent_untracked_image_cleanup=True)
    assert "ecs_agent_untracked_image_cleanup: false" in message


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10m", 600), ("1h30m", 5400), (".5s", 0.5), ("1.5h", 5400), ("0s", 0), ("10", -1), ("", -1), ("1h 5m", -1)],
)
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    assert go_seconds(text) == seconds


JOINED = '{"Cluster": "shop-prod", "ContainerInstanceArn": "arn:aws:ecs:ci/1", "Version": "1"}'
UNITS = """\
case "$*" in
  *ActiveState,Job*) echo ActiveState={state}; echo Job={job} ;;
  *ActiveState,SubState*) echo ActiveState={state}; echo Result=exit-code ;;
  is-active*) echo failed ;;
  --failed*) echo docker.service loaded failed failed Docker ;;
esac
"""


def boot_report(folder: Path, metadata: str, state: str, job: str = "0", limit: int = 60) -> tuple[str, int, float]:
    """Output, exit code and seconds of the script on a host that is made of a few stand-in commands."""
    commands = {
        "curl": f"echo '{metadata}'",
        "systemctl": UNITS.format(state=state, job=job),
        "journalctl": 'echo "of ${*: -1}: secret_key=hunter2, AKIAABCDEFGHIJKLMNOP"; echo \'{"Token": "abc"}\'; echo '
        + "x" * 300,
        "docker": "echo 'plugin rexray/efs:latest enabled=false'",
        "sleep": "/bin/sleep 0.1",
    }
    for name, text in commands.items():
        (folder / name).write_text(f"#!/bin/bash\n{text}\n")
        (folder / name).chmod(0o755)
    script = render("ecs_agent", "ecs-boot-report.sh.j2")
    started = time.monotonic()
    done = subprocess.run(
        ["bash", "-c", script, "ecs-boot-report", str(limit)],
        env={"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    return done.stdout, done.returncode, time.monotonic() - started


def test_a_host_that_has_joined_says_so_in_one_line(tmp_path: Path) -> None:
    said, status, _ = boot_report(tmp_path, JOINED, "active")
    assert (said, status) == ("joined shop-prod as arn:aws:ecs:ci/1\n", 0)


@pytest.mark.parametrize("state", ["failed", "inactive"])
def test_an_agent_that_has_ended_is_reported_at_once(tmp_path: Path, state: str) -> None:
    said, status, seconds = boot_report(tmp_path, "", state)
    lines = said.splitlines()
    assert status == 1
    assert seconds < 20
    assert lines[0].startswith("BEGIN report: not in ")
    assert lines[-1] == "END report"
    assert f"agent: ActiveState={state} Result=exit-code" in lines
    assert "plugin rexray/efs:latest enabled=false" in lines
    assert "failed: docker.service" in lines
    assert "  of _SYSTEMD_UNIT=ecs.service: secret_key=***, ***" in lines
    assert "abc" not in said
    assert max(map(len, lines)) <= 240
    assert len(lines) < 55


@pytest.mark.parametrize(("state", "job"), [("activating", "0"), ("inactive", "12"), ("active", "0")])
def test_an_agent_that_may_still_join_is_given_its_time(tmp_path: Path, state: str, job: str) -> None:
    said, status, seconds = boot_report(tmp_path, "", state, job, limit=2)
    assert status == 1
    assert seconds >= 1
    assert "after 2 s" in said.splitlines()[0]

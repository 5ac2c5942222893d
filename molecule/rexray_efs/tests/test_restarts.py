"""Docker restarts, is killed, or comes back with the plugin disabled: no task ever writes beside the file system."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.tests.until import until
from tests.rexray_efs import RUN, with_media

ENABLED = "docker plugin inspect --format '{{.Enabled}}' rexray/efs"


@pytest.fixture(autouse=True)
def _root(host: Any) -> Any:
    with host.sudo():
        yield


def started(host: Any) -> list[int]:
    """When Docker, the plugin's unit and the agent were started, as far as they run."""
    shown = host.check_output(
        "systemctl show --value -p ActiveState -p ActiveEnterTimestampMonotonic docker rexray-efs ecs"
    )
    fields = [line for line in shown.splitlines() if line]
    assert len(fields) == 6
    return [int(number) for number, state in (sorted(fields[at : at + 2]) for at in (0, 2, 4)) if state == "active"]


def wait_for_restart(host: Any, before: list[int]) -> None:
    """Wait until all three have been started again, and check their order."""
    until(
        lambda: len(started(host)) == 3 and min(started(host)) > max(before),
        "all three are started again",
        also=lambda: host.check_output(
            "systemctl --no-pager --lines 0 status docker rexray-efs ecs; "
            "journalctl --no-pager --output short-monotonic --lines 40 --unit docker --unit rexray-efs --unit ecs"
        ),
    )
    after = started(host)
    assert after == sorted(after), "the agent was up before the plugin"


def test_a_restart_of_docker_enables_the_plugin_before_the_agent(host: Any) -> None:
    before = started(host)
    host.check_output("docker plugin disable --force rexray/efs && systemctl restart docker")
    wait_for_restart(host, before)
    assert host.check_output(ENABLED) == "true"
    assert with_media(host, "cat /media/file") == "kept"


def test_a_killed_docker_comes_back_with_the_plugin_before_the_agent(host: Any) -> None:
    before = started(host)
    host.check_output("systemctl kill --signal KILL --kill-who main docker")
    wait_for_restart(host, before)
    assert host.check_output(ENABLED) == "true"
    assert with_media(host, "cat /media/file") == "kept"


def test_a_silent_local_volume_keeps_the_agent_down_until_it_is_gone(host: Any) -> None:
    host.check_output("systemctl stop ecs rexray-efs && docker plugin disable --force rexray/efs")
    host.check_output("systemctl restart docker")
    assert with_media(host, "ls /media; echo lost > /media/lost") == "", "the trap is gone: Docker made no local volume"

    assert host.run("systemctl start ecs").rc == 1
    assert not host.service("ecs").is_running
    refused = host.run("rexray-efs --check")
    assert refused.rc == 1
    assert "Volume media is local to this host" in refused.stderr
    assert refused.stderr.strip() in host.check_output("journalctl --unit rexray-efs --output cat")
    assert host.file("/var/lib/docker/volumes/media/_data/lost").content_string == "lost\n"

    command = refused.stderr.strip().rpartition("type: ")[2]
    assert host.check_output(command) == "media"
    host.check_output("systemctl start ecs")
    assert host.check_output(command) == "", "typed once too often, it takes a volume of the plugin"
    assert with_media(host, "ls /media") == "file"


def test_the_unit_refuses_a_change_while_a_container_has_the_volume(host: Any) -> None:
    host.check_output(RUN.format(volume="media:/media", script="'sleep 600'").replace("--rm", "--detach --name task"))
    host.check_output("sed -i 's/FILEMODE=0755/FILEMODE=0777/' /usr/local/sbin/rexray-efs")
    refused = host.run("rexray-efs")
    assert refused.rc == 1
    assert "Containers use the plugin and would lose their volume: task." in refused.stderr
    assert "ansible-playbook hosts.yml -i" in refused.stderr
    assert host.check_output("docker exec task cat /media/file") == "kept"
    host.check_output("docker rm --force task")
    host.check_output("rexray-efs")
    assert with_media(host, "stat -c %a /media") == "777"

"""The Docker engine with the role's defaults, as the engine and its containers have them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.host_files import PROJECT
from tests.metadata import RULE, Metadata

RUNNING = "until systemctl is-active -q metadata-guard && systemctl is-active -q ecs; do sleep 0.2; done"
LIMITS = "ulimit -Sn; ulimit -Hn"


def test_the_engine_runs_with_the_settings(host: Any) -> None:
    engine = json.loads(host.check_output("docker info --format '{{json .}}'"))
    assert engine["LiveRestoreEnabled"] is True
    assert engine["LoggingDriver"] == "json-file"
    assert host.service("docker").is_enabled
    with host.sudo():
        copies = host.check_output("cd /run/docker-engine && cmp started.json loaded.json && cat loaded.json")
        assert json.loads(copies) == json.loads(host.file("/etc/docker/daemon.json").content_string)
        flags = host.check_output("tr '\\0' ' ' < /proc/$(pidof dockerd)/cmdline")
    assert "--default-ulimit" not in flags


def test_a_container_has_rotated_logs_and_the_limits(host: Any) -> None:
    created = host.check_output("docker create sleeper true")
    log = json.loads(host.check_output(f"docker inspect --format '{{{{json .HostConfig.LogConfig}}}}' {created}"))
    host.check_output(f"docker rm {created}")
    assert log == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
    # The host image lowers limits that this machine may not give (local_aws/images/host/runc).
    machine = host.check_output("ulimit -Hn")
    highest = 10**9 if machine == "unlimited" else int(machine)
    soft, hard = host.check_output(f"docker run --rm sleeper sh -c '{LIMITS}'").split()
    assert (int(soft), int(hard)) == (min(32768, highest), min(65536, highest))


@pytest.mark.parametrize("before", [f"iptables --delete {RULE}", "iptables --flush FORWARD"])
def test_the_metadata_service_is_closed_to_containers_after_a_restart(host: Any, before: str) -> None:
    metadata = Metadata(host)
    with host.sudo():
        # Forgotten, how often it was started: a suite restarts it oftener than systemd would let anybody.
        host.check_output(f"{before} && systemctl reset-failed docker && systemctl restart docker")
        host.check_output(f"timeout 60 sh -c '{RUNNING}'")
        assert metadata.of_container() == "none"
        rules = host.check_output("iptables --list-rules DOCKER-USER").splitlines()
    assert [rule for rule in rules if "169.254.169.254" in rule] == rules[1:2], "set once, and before all others"


def test_the_agent_does_not_start_without_the_rule(host: Any) -> None:
    with host.sudo():
        assert "metadata-guard.service" in host.check_output("systemctl show --value --property Requires ecs")


def test_the_engine_takes_the_log_options_of_tasks(host: Any) -> None:
    """Docker 20.10 here, 25 on the ECS-optimized AMI. It checks them when a container is made."""
    service = yaml.safe_load((PROJECT / "roles/service/defaults/main.yml").read_text())
    create = f"docker create --log-driver awslogs --log-opt awslogs-group=g --log-opt mode={service['log_mode']}"
    created = host.check_output(f"{create} --log-opt max-buffer-size={service['log_buffer_size']} sleeper true")
    host.check_output(f"docker rm {created}")
    assert host.run(f"{create} --log-opt max-buffer-size=plenty sleeper true").rc != 0

"""A production host, whichever way it was made: booted from user data, converged, or rebooted."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.metadata import RULE, Metadata
from tests.rexray_efs import with_media


def introspection(host: Any, path: str = "metadata") -> Any:
    """What the agent says of itself, once it has registered."""
    deadline = time.monotonic() + 60
    while True:
        answer = host.run(f"curl -s http://localhost:51678/v1/{path}")
        if answer.rc == 0 and "ContainerInstanceArn" in answer.stdout:
            return json.loads(answer.stdout)
        if time.monotonic() > deadline:
            log = host.check_output("sudo journalctl -u ecs -n 30 --no-pager")
            pytest.fail(f"the agent has not registered after 60 s: {answer.stdout or answer.stderr}\n{log}")
        time.sleep(1)


def test_nothing_failed_to_start(host: Any) -> None:
    failed = host.check_output("systemctl list-units --failed --plain --no-legend")
    assert failed == ""


@pytest.mark.parametrize("unit", ["docker", "metadata-guard", "rexray-efs", "ecs", "sshd"])
def test_units_are_enabled_and_run(host: Any, unit: str) -> None:
    assert host.service(unit).is_enabled
    assert host.service(unit).is_running


def test_the_engine_runs_with_its_settings(host: Any) -> None:
    engine = json.loads(host.check_output("docker info --format '{{json .}}'"))
    assert engine["LiveRestoreEnabled"] is True
    assert engine["LoggingDriver"] == "json-file"
    assert [mirror.rstrip("/") for mirror in engine["RegistryConfig"]["Mirrors"]]


def test_the_plugin_is_pinned_enabled_and_sees_the_file_system(host: Any) -> None:
    plugin = json.loads(host.check_output("docker plugin inspect rexray/efs"))[0]
    assert plugin["Enabled"] is True
    assert plugin["PluginReference"] == "docker.io/rexray/efs:0.11.4"
    assert host.check_output("docker volume inspect --format '{{.Driver}}' media") == "rexray/efs:latest"


def test_the_agent_has_joined_the_cluster_with_the_plugin(host: Any) -> None:
    assert introspection(host)["Cluster"] == "legacy-molecule"
    started = {
        unit: int(host.check_output(f"systemctl show --value -p ActiveEnterTimestampMonotonic {unit}"))
        for unit in ("docker", "rexray-efs", "ecs")
    }
    assert started["docker"] <= started["rexray-efs"] <= started["ecs"], started


def test_no_container_reaches_the_metadata_service_and_the_host_does(host: Any) -> None:
    """By both versions, with a token of the host too. Without the rule it does, or this would say nothing."""
    metadata = Metadata(host)
    token = metadata.token()
    with host.sudo():
        assert metadata.of_container() == metadata.of_container(token) == "none"
        assert metadata.of_container(network="host") == metadata.of_host(token) == "200"
        host.check_output(f"iptables --delete {RULE}")
        try:
            assert metadata.of_container() == metadata.of_container(token) == "200"
            assert metadata.token_of_container() == "none", "the hop limit of the launch source"
        finally:
            host.check_output("systemctl reload metadata-guard")
        assert metadata.of_container() == "none"


def test_a_container_has_the_volume_beside_the_rule(host: Any) -> None:
    Metadata(host)
    with host.sudo():
        assert with_media(host, "date > /media/looked && test -s /media/looked && echo kept") == "kept"


def test_sshd_takes_keys_only(host: Any) -> None:
    with host.sudo():
        settings = host.check_output("sshd -T").splitlines()
    assert "passwordauthentication no" in settings
    assert "permitrootlogin no" in settings


def test_the_journal_is_capped(host: Any) -> None:
    assert "SystemMaxUse=" in host.check_output("systemd-analyze cat-config systemd/journald.conf | grep -v '^#'")

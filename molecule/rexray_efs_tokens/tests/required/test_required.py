"""A host with required tokens: no plugin, so no agent, with a reason; and the native driver on the same host."""

from __future__ import annotations

from typing import Any

import boto3

from tests.rexray_efs import on_native_volume


def test_the_unit_fails_with_a_sentence_and_the_agent_stays_down(host: Any) -> None:
    assert host.check_output("systemctl show --value -p ActiveState rexray-efs") == "failed"
    assert host.check_output("systemctl show --value -p ActiveState ecs") == "inactive"
    with host.sudo():
        log = host.check_output("journalctl --unit rexray-efs --output cat")
    assert "the plugin speaks IMDSv1 only. Set host_imds_tokens to optional, or driver to efs for the volumes" in log


def test_docker_cannot_enable_the_plugin_by_force_either(host: Any) -> None:
    """What the sentence spares a person: Docker knows no more than that a socket is missing."""
    installed = host.run("docker plugin install --grant-all-permissions --alias rexray/efs rexray/efs:0.11.4")
    assert installed.rc == 1
    assert "rexray.sock: connect: no such file or directory" in installed.stderr
    assert host.check_output("docker plugin inspect --format '{{.Enabled}}' rexray/efs") == "false"


def test_the_native_driver_works_on_the_same_host(host: Any) -> None:
    efs = boto3.client("efs")
    (system,) = efs.describe_file_systems()["FileSystems"]
    (point,) = efs.describe_access_points()["AccessPoints"]
    options = f"-o o=tls,accesspoint={point['AccessPointId']} -o device={system['FileSystemId']}:/"
    on_native_volume(host, options, "echo native > /root/file")
    assert on_native_volume(host, f"-o device={system['FileSystemId']}:/", "cat /root/data/file") == "native"

"""The plugin with inputs other than the defaults."""

from __future__ import annotations

from typing import Any

from tests.rexray_efs import in_file_system, settings, with_media


def test_every_setting_arrives(host: Any) -> None:
    reference = host.check_output("docker plugin inspect --format '{{.PluginReference}}' rexray/efs")
    assert reference == "127.0.0.1:4247/rexray/efs:latest"
    assert settings(host) == {
        "DOCKER_LEGACY": "true",
        "EFS_DISABLESESSIONCACHE": "true",
        "EFS_REGION": "eu-west-1",
        "EFS_SECURITYGROUPS": "sg-0123456789abcdef0 sg-01234567",
        "EFS_STATUSINITIALDELAY": "500ms",
        "EFS_STATUSMAXATTEMPTS": "3",
        "EFS_STATUSTIMEOUT": "1m30s",
        "EFS_TAG": "Legacy-Molecule",
        "LINUX_VOLUME_FILEMODE": "0770",
        "REXRAY_LOGLEVEL": "info",
        "REXRAY_PREEMPT": "true",
    }


def test_the_file_system_is_found_by_its_tag_in_whatever_case_and_gets_the_mode(host: Any) -> None:
    assert with_media(host, "stat -c %a /media") == "770"
    assert in_file_system(host, "ls /root; stat -c %a /root/data") == "data\n770"


def test_a_local_volume_of_any_name_given_is_refused(host: Any) -> None:
    host.check_output("docker volume create uploads")
    with host.sudo():
        refused = host.run("rexray-efs --check")
    host.check_output("docker volume rm uploads")
    assert refused.rc == 1
    assert "Volume uploads is local to this host" in refused.stderr


def test_the_plugin_logs_as_much_as_it_was_told_to(host: Any) -> None:
    with host.sudo():
        assert "VolumeDriver.Mount" in host.check_output("journalctl --unit docker --output cat --no-pager")

"""The plugin after a change of version and settings, and after one by hand: as if it had been installed so."""

from __future__ import annotations

import json
from typing import Any

from tests.rexray_efs import in_file_system, settings, with_media


def test_version_and_settings_are_the_defaults_and_the_alias_is_kept(host: Any) -> None:
    (plugin,) = json.loads(host.check_output("docker plugin inspect $(docker plugin ls --quiet)"))
    assert plugin["Name"] == "rexray/efs:latest"
    assert plugin["PluginReference"] == "docker.io/rexray/efs:0.11.4"
    assert plugin["Enabled"] is True
    found = settings(host)
    assert found["EFS_TAG"] == "legacy-molecule"
    assert found["LINUX_VOLUME_FILEMODE"] == "0755"
    assert not {"EFS_SECURITYGROUPS", "EFS_SECRETKEY", "LINUX_VOLUME_ROOTPATH"} & set(found)


def test_the_files_are_there_and_have_the_new_mode(host: Any) -> None:
    assert with_media(host, "cat /media/file; stat -c %a /media") == "kept\n755"
    assert in_file_system(host, "ls /root; cat /root/data/file") == "data\nkept"


def test_nothing_is_left_to_do(host: Any) -> None:
    assert host.service("rexray-efs").is_running
    with host.sudo():
        assert host.check_output("rexray-efs --check") == ""

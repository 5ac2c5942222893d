"""The same host, tokens optional: the plugin works and sees what the native driver wrote."""

from __future__ import annotations

from typing import Any

from tests.rexray_efs import with_media


def test_plugin_and_agent_are_up(host: Any) -> None:
    assert host.service("rexray-efs").is_running
    assert host.service("ecs").is_running
    assert host.check_output("docker plugin inspect --format '{{.Enabled}}' rexray/efs") == "true"


def test_both_drivers_see_the_same_files(host: Any) -> None:
    assert with_media(host, "cat /media/file; stat -c %a /media") == "native\n755"

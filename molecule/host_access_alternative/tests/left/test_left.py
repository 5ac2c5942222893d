"""After ada has left the list and Session Manager was switched off."""

from __future__ import annotations

from typing import Any

from tests.ssh_client import attempt


def test_who_left_the_list_comes_no_more_and_others_do() -> None:
    assert attempt(key="ada").returncode == 255
    assert attempt(key="bob").returncode == 0


def test_the_agent_of_session_manager_is_stopped(host: Any) -> None:
    assert not host.service("amazon-ssm-agent").is_running
    assert not host.service("amazon-ssm-agent").is_enabled


def test_sshd_was_reloaded_and_never_restarted(host: Any) -> None:
    with host.sudo():
        journal = host.check_output("journalctl -u ssh --no-pager")
    assert "Received SIGHUP; restarting." in journal
    assert "Stopped" not in journal

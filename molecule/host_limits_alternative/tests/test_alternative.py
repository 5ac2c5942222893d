"""The limits of a host with every input other than its default."""

from __future__ import annotations

from typing import Any


def test_the_swap_file_has_the_size_and_the_place(host: Any) -> None:
    with host.sudo():
        assert host.check_output("swapon --show=NAME --noheadings") == "/var/swap-1"
        assert host.file("/var/swap-1").size == 16 * 2**20
    assert not host.file("/swapfile").exists


def test_kernel_parameters_are_set(host: Any) -> None:
    assert host.check_output("/usr/sbin/sysctl --values vm.swappiness net.core.somaxconn").split() == ["30", "1024"]


def test_the_journal_is_capped(host: Any) -> None:
    with host.sudo():
        said = host.check_output("journalctl -u systemd-journald -o cat -b | grep '^System Journal' | tail -1")
    assert "max 24.0M" in said
    settings = host.check_output("systemd-analyze cat-config systemd/journald.conf | grep -v '^#'").split()
    assert "RuntimeMaxUse=16M" in settings


def test_core_dumps_are_kept(host: Any) -> None:
    assert "Storage=external" in host.check_output("systemd-analyze cat-config systemd/coredump.conf | grep -v '^#'")

"""The limits of a host with the role's defaults, converged (host-a) or booted with them (host-b).

What cannot be shown here: that the kernel swaps, and that it honours vm.swappiness. A host shares the kernel of this
machine, so both are recorded only (local_aws/images/host/swapon); the file is looked at as a kernel would.
"""

from __future__ import annotations

from typing import Any

MEGABYTE = 2**20


def test_the_swap_file_is_whole_and_on(host: Any) -> None:
    with host.sudo():
        size, blocks, mode = host.check_output("stat --format '%s %b %a' /swapfile").split()
        assert host.check_output("swapon --show=NAME --noheadings") == "/swapfile"
    assert (int(size), mode) == (64 * MEGABYTE, "600")
    assert int(blocks) * 512 >= int(size)
    assert host.service("host-limits").is_enabled
    assert host.service("host-limits").is_running


def test_at_boot_the_swap_file_comes_before_packages_would(host: Any) -> None:
    if host.backend.hostname == "host-a":
        return  # was not booted with it
    with host.sudo():
        made = float(host.check_output("stat --format %.Y /swapfile"))
        began = host.check_output("systemctl show --value --property ExecMainStartTimestamp --timestamp us cloud-final")
    assert made < float(host.check_output(f"date --date '{began}' +%s.%N"))


def test_kernel_parameters_are_set(host: Any) -> None:
    assert host.check_output("/usr/sbin/sysctl --values vm.swappiness") == "10"


def test_the_journal_is_capped(host: Any) -> None:
    with host.sudo():
        said = host.check_output("journalctl -u systemd-journald -o cat -b | grep '^System Journal' | tail -1")
    assert "max 200.0M" in said


def test_core_dumps_are_not_kept(host: Any) -> None:
    settings = host.check_output("systemd-analyze cat-config systemd/coredump.conf | grep -v '^#'").split()
    assert settings[-2:] == ["Storage=none", "ProcessSizeMax=0"]

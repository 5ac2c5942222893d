"""Who gets into a host with the role's defaults, tried from outside."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ssh_client import attempt


def test_the_ec2_key_pair_opens_the_host() -> None:
    assert attempt().stdout == "ec2-user\n"


def test_no_password_is_asked_for(host: Any) -> None:
    with host.sudo():
        host.check_output("echo ec2-user:berth | chpasswd")
    methods = "PreferredAuthentications=password,keyboard-interactive"
    done = attempt("-o", "PubkeyAuthentication=no", "-o", methods, "-o", "BatchMode=no")
    assert done.returncode == 255
    assert done.stderr.strip().endswith("Permission denied (publickey).")


def test_root_is_refused_even_with_a_key(host: Any) -> None:
    with host.sudo():
        host.check_output("mkdir -p -m 700 /root/.ssh && cp ~ec2-user/.ssh/authorized_keys /root/.ssh/")
    assert attempt("-l", "root").returncode == 255


def test_another_user_is_refused_even_with_a_key(host: Any) -> None:
    with host.sudo():
        host.check_output(
            "id stranger 2>/dev/null || { useradd -m -s /bin/bash -p '*' stranger"
            " && cp -r ~ec2-user/.ssh ~stranger/ && chown -R stranger: ~stranger/.ssh; }"
        )
    assert attempt("-l", "stranger").returncode == 255


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["-c", "aes128-ctr"], "no matching cipher found"),
        (["-c", "aes256-ctr", "-m", "hmac-sha1"], "no matching MAC found"),
        (["-o", "KexAlgorithms=diffie-hellman-group14-sha256"], "no matching key exchange method found"),
    ],
    ids=["cipher", "mac", "key-exchange"],
)
def test_what_sshd_took_before_is_refused(options: list[str], complaint: str) -> None:
    """Each is among the defaults of OpenSSH 9.2, so only the role keeps it out."""
    assert complaint in attempt(*options).stderr


@pytest.mark.parametrize("cipher", ["aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"])
def test_what_sshd_should_take_is_taken(cipher: str) -> None:
    assert attempt("-c", cipher).returncode == 0


def test_ports_are_forwarded_to_the_person_and_not_to_others() -> None:
    """To the database through a host, yes; a port opened on the host for others, no."""
    done = attempt("-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:22")
    assert "remote port forwarding failed" in done.stderr
    assert attempt("-W", "127.0.0.1:22", command="").stdout.startswith("SSH-2.0-")


def test_what_holds_of_the_settings(host: Any) -> None:
    with host.sudo():
        holds = host.check_output("sshd -T -C user=ec2-user,host=client,addr=192.0.2.1").splitlines()
    wanted = {
        "authenticationmethods publickey", "passwordauthentication no", "kbdinteractiveauthentication no",
        "permitrootlogin no", "x11forwarding no", "allowagentforwarding no", "maxauthtries 4", "clientaliveinterval 60",
        "clientalivecountmax 3", "logingracetime 30", "loglevel VERBOSE", "revokedkeys /etc/ssh/revoked_keys",
    }  # fmt: skip
    assert wanted - set(holds) == set()


def test_session_manager_is_off_at_every_boot(host: Any) -> None:
    assert host.service("session-manager").is_enabled
    assert "disable --now" in host.file("/etc/systemd/system/session-manager.service").content_string

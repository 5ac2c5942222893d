"""People with keys, one who is kept out, and every option set; also after runs that were refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ssh_client import attempt, fingerprint


@pytest.mark.parametrize("person", ["ada", "bob"])
def test_a_person_comes_by_a_key_and_the_journal_names_it(host: Any, person: str) -> None:
    assert attempt(key=person).stdout == "ec2-user\n"
    with host.sudo():
        journal = host.check_output("journalctl -u ssh --no-pager")
    assert "Accepted publickey for ec2-user from" in journal
    assert fingerprint(person) in journal


def test_who_is_absent_is_refused_although_the_key_stands_in_the_home_folder(host: Any) -> None:
    assert "eve@laptop" in host.file("/home/ec2-user/.ssh/authorized_keys").content_string
    assert attempt(key="eve").returncode == 255
    with host.sudo():
        assert fingerprint("eve") in host.check_output("journalctl -u ssh --no-pager")


def test_another_user_comes_if_named() -> None:
    assert attempt("-l", "guest", key="guest").stdout == "guest\n"


def test_the_ec2_key_pair_is_not_taken_away() -> None:
    assert attempt().stdout == "ec2-user\n"


def test_nothing_is_forwarded() -> None:
    assert "administratively prohibited" in attempt("-W", "127.0.0.1:22", key="ada", command="").stderr


@pytest.mark.parametrize(
    ("options", "taken"),
    [
        (["-c", "aes128-ctr", "-m", "hmac-sha2-256"], True),
        (["-c", "aes256-ctr"], False),
        (["-c", "aes128-ctr", "-m", "hmac-sha2-512-etm@openssh.com"], False),
        (["-o", "KexAlgorithms=ecdh-sha2-nistp256"], True),
        (["-o", "KexAlgorithms=diffie-hellman-group16-sha512"], False),
    ],
)
def test_the_chosen_algorithms_hold(options: list[str], taken: bool) -> None:
    assert (attempt(*options, key="ada").returncode == 0) == taken


def test_what_holds_of_the_settings(host: Any) -> None:
    with host.sudo():
        holds = host.check_output("sshd -T -C user=ec2-user,host=client,addr=192.0.2.1").splitlines()
    wanted = {
        "maxauthtries 2", "clientaliveinterval 20", "clientalivecountmax 5", "allowtcpforwarding no",
        "allowstreamlocalforwarding no", "allowusers guest", "passwordauthentication no",
    }  # fmt: skip
    assert wanted - set(holds) == set()


def test_the_agent_of_session_manager_runs(host: Any) -> None:
    assert host.service("amazon-ssm-agent").is_running
    assert host.service("amazon-ssm-agent").is_enabled

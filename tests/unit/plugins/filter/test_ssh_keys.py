"""What is refused of `host_access_people`, from real keys and their spoilt forms."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest

from plugins.filter.ssh_keys import access_problems


def made(folder: Path, *arguments: str) -> str:
    path = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", "ada@laptop", "-f", path, *arguments], check=True)
    return path.with_suffix(".pub").read_text().strip()


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> str:
    return made(tmp_path_factory.mktemp("key"), "-t", "ed25519")


def blob(*fields: bytes) -> str:
    return base64.b64encode(b"".join(len(field).to_bytes(4) + field for field in fields)).decode()


FIELD = len(b"ssh-ed25519").to_bytes(4) + b"ssh-ed25519"
RSA = "ssh-rsa " + blob(b"ssh-rsa", b"\x01\x00\x01", b"\x00" + b"\xc5" * 128)
DSA = "ssh-dss " + blob(b"ssh-dss", b"\x01")


@pytest.mark.parametrize(
    "kind",
    ["ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
     "sk-ecdsa-sha2-nistp256@openssh.com"],
)  # fmt: skip
def test_each_type_that_sshd_takes_is_taken(kind: str) -> None:
    assert access_problems([{"name": "ada", "keys": [f"{kind} {blob(kind.encode(), b'1')}"]}]) == []


def test_an_empty_last_field_is_no_cut() -> None:
    """Its length is there, and nothing after it."""
    assert access_problems([{"name": "ada", "keys": [f"ssh-ed25519 {blob(b'ssh-ed25519', b'')}"]}]) == []


def test_all_problems_are_told_each_with_its_name_and_number(key: str) -> None:
    people = [
        {"name": "ada", "keys": [key, DSA, RSA], "sudo": True},
        "bob",
        {"name": "eve", "keys": [key, 5], "state": "gone"},
        {"name": "max", "keys": [], "state": "absent"},
    ]
    told = access_problems(people)
    starts = [
        "ada has sudo", "ada has a key (number 2) that is of no type", "ada has a key (number 3) that is an RSA key",
        "entry 2 needs a name", "eve has state gone", "eve has keys that are no list", "eve has a key of ada",
    ]  # fmt: skip
    assert [problem.startswith(start) for problem, start in zip(told, starts, strict=True)] == [True] * len(starts)


@pytest.mark.parametrize("name", ["a", "a" * 32, "ada.l-b_9"])
def test_a_name_of_a_person_is_one_of_linux(key: str, name: str) -> None:
    assert access_problems([{"name": name, "keys": [key]}]) == []
    for wrong in (f"9{name}", f"{name}é", "b" * 33):
        assert "needs a name" in access_problems([{"name": wrong, "keys": [key]}])[0]


@pytest.mark.parametrize("arguments", [("-t", "ed25519"), ("-t", "ecdsa"), ("-t", "rsa", "-b", "2048")])
def test_keys_that_ssh_keygen_makes_are_taken(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert access_problems([{"name": "ada", "keys": [made(tmp_path, *arguments)]}]) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda key: key[:40], "cut off or mistyped"),
        (lambda key: key.replace("ssh-ed25519 ", "ecdsa-sha2-nistp256 ", 1), "says another type"),
        (lambda key: key.replace("AAAA", "AA*AA", 1), "cut off or mistyped"),
        (lambda _: f"ssh-ed25519 {base64.b64encode(FIELD + bytes(2)).decode()}", "cut off or mistyped"),
        (lambda key: f'command="sh" {key}', "begins with options"),
        (lambda key: f"{key}\n{key}", "more than one line"),
        (lambda _: RSA, "RSA key of fewer than 2048 bits"),
        (lambda _: DSA, "of no type that sshd should take"),
        (lambda _: "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk", "is a private key"),
        (lambda _: "", "of no type"),
    ],
)
def test_a_spoilt_key_is_refused_and_never_shown(key: str, spoil: Any, said: str) -> None:
    (problem,) = access_problems([{"name": "ada", "keys": [spoil(key)]}])
    assert problem.startswith("ada has a key (number 1) that ")
    assert said in problem
    assert key.split()[1][:30] not in problem
    assert "b3BlbnNzaC1rZXk" not in problem


def test_two_people_cannot_share_a_key_even_if_one_is_kept_out(key: str) -> None:
    bob = {"name": "bob", "keys": [f"{key.rsplit(' ', 1)[0]} bob@desk"], "state": "absent"}
    assert access_problems([{"name": "ada", "keys": [key]}, bob]) == [
        "bob has a key of ada; the journal could not tell them apart."
    ]


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ("ada", "is no list"),
        (["ada"], "entry 1 needs a name"),
        ([{"name": "Ada\nroot", "keys": []}], "entry 1 needs a name"),
        ([{"name": "ada"}], "ada has no key"),
        ([{"name": "ada", "keys": "ssh-ed25519 AAAA"}], "no list of lines"),
        ([{"name": "ada", "state": "gone", "keys": []}], "use present or absent"),
        ([{"name": "ada", "state": "absent", "sudo": True}], "has sudo, which is not known"),
        ([{"name": "ada", "state": "absent"}, {"name": "ada", "state": "absent"}], "listed twice"),
    ],
)
def test_a_wrong_shape_is_told(people: Any, said: str) -> None:
    assert said in access_problems(people)[0]


def test_who_is_kept_out_needs_no_key() -> None:
    assert access_problems([{"name": "ada", "state": "absent"}]) == []

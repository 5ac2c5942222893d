"""The users of a database that take turns, and what PostgreSQL is told about them."""

from __future__ import annotations

import pytest

from plugins.plugin_utils.rotation import logins


def test_users_take_turns() -> None:
    assert logins.turns("site") == ("site_a", "site_b")
    assert logins.owner("site") == "site_owner"
    following = [logins.following("site", each) for each in ("site", "site_a", "site_b")]
    assert following == ["site_a", "site_b", "site_a"]


def test_names_are_as_long_as_postgresql_takes_them_and_differ_at_their_ends() -> None:
    names = {*logins.turns("x" * 63), logins.owner("x" * 63)}
    assert len(names) == 3
    assert max(map(len, names)) == 63


def test_a_password_is_a_new_one_that_needs_no_quoting() -> None:
    made = {logins.password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(each) == 32 and each.isascii() and each.isalnum() for each in made)


@pytest.mark.parametrize(
    ("encryption", "kept"),
    [
        # Of RFC 7677, section 3.
        ("scram-sha-256", "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
                          "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="),
        ("md5", "md520c46e3762c864548e296b33c3406aa9"),
    ],
)  # fmt: skip
def test_the_server_is_told_what_it_would_keep(encryption: str, kept: str) -> None:
    salt = bytes.fromhex("5b6d99689d12358eeca04b141236fa81")
    assert logins.verifier("user", "pencil", encryption, salt) == kept
    assert logins.verifier("user", "pencil", "scram-sha-256") != logins.verifier("user", "pencil", "scram-sha-256")


def test_settings_are_given_on_as_they_were_written() -> None:
    found = [["", "timezone", "UTC"], ["site", "search_path", '"$user", public']]
    assert logins.set_again("site_a", found) == (
        'ALTER ROLE "site_a" SET "timezone" TO \'UTC\';\n'
        'ALTER ROLE "site_a" IN DATABASE "site" SET "search_path" TO "$user", public;\n'
    )
    assert logins.set_again("site_a", []) == ""

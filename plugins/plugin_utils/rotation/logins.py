"""The users of a database that take turns, and what PostgreSQL is told about them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import string
from collections.abc import Iterable

from plugins.plugin_utils.importing.postgres import literal, quoted

LETTERS = string.ascii_letters + string.digits
"""What needs no quoting anywhere; RDS refuses / @ " and spaces."""
LENGTH = 32
ROUNDS = 4096
"""Of SCRAM, as PostgreSQL takes them: https://www.postgresql.org/docs/current/catalog-pg-authid.html"""
LOCK_SECONDS = 3
"""For how long a change of owner waits for a table, while what the site asks of it waits behind."""
LISTS = ("local_preload_libraries", "search_path", "session_preload_libraries", "temp_tablespaces")
"""Settings whose value is a list, each of whose names is quoted by itself."""


def password(length: int = LENGTH) -> str:
    """A new one."""
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def turns(master: str) -> tuple[str, str]:
    """The two users of a master; 63 letters at most, as PostgreSQL cuts the rest off."""
    return f"{master[:57]}_a", f"{master[:57]}_b"


def owner(master: str) -> str:
    """Whom all that the site has belongs to, and who never logs in."""
    return f"{master[:57]}_owner"


def following(master: str, now: str) -> str:
    """Whose turn it is after `now`."""
    first, second = turns(master)
    return second if now == first else first


def verifier(user: str, secret: str, encryption: str, salt: bytes | None = None) -> str:
    """What a server keeps in place of a password, so that a statement, and with it a log, never has the password.

    Args:
        user: whose it is.
        secret: the password, of ASCII letters: nothing has to be normalised.
        encryption: the server's `password_encryption`: what its other users have, and the site's client can do.
        salt: 16 random bytes; for tests.
    """
    if encryption != "scram-sha-256":
        return "md5" + hashlib.md5(f"{secret}{user}".encode(), usedforsecurity=False).hexdigest()
    salt = salt or os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    served = hmac.digest(salted, b"Server Key", "sha256")
    coded = [base64.b64encode(each).decode() for each in (salt, stored, served)]
    return f"SCRAM-SHA-256${ROUNDS}:{coded[0]}${coded[1]}:{coded[2]}"


def made(user: str, master: str, kept: str) -> str:
    """Statements by which a user may log in, and acts as the owner; nothing is lost if they are run again.

    Args:
        user: the user.
        master: who runs them.
        kept: see `verifier`.
    """
    own = owner(master)
    return "\n".join(
        [
            "BEGIN;",
            _unless(own, f"CREATE ROLE {quoted(own)} NOLOGIN CREATEDB"),
            # Who has made a role is no member of it; the master has to be, to see and change what is the site's.
            f"GRANT {quoted(own)} TO {quoted(master)};",
            _unless(user, f"CREATE ROLE {quoted(user)} NOLOGIN"),
            f"GRANT {quoted(own)} TO {quoted(user)};",
            f"ALTER ROLE {quoted(user)} LOGIN PASSWORD {literal(kept)};",
            f"ALTER ROLE {quoted(user)} SET role TO {quoted(own)};",
            "COMMIT;",
            "",
        ]
    )


def _unless(role: str, statement: str) -> str:
    there = f"SELECT FROM pg_roles WHERE rolname = {literal(role)}"
    return f"DO $berth$ BEGIN IF NOT EXISTS ({there}) THEN {statement}; END IF; END $berth$;"


def settings(user: str) -> str:
    """Asks for the settings of a user that anybody may set: database (empty: in all), name, value."""
    return (
        "SELECT coalesce(d.datname, ''), split_part(c, '=', 1), substr(c, strpos(c, '=') + 1) "
        "FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole "
        "LEFT JOIN pg_database d ON d.oid = s.setdatabase CROSS JOIN unnest(s.setconfig) c "
        f"JOIN pg_settings g ON g.name = split_part(c, '=', 1) WHERE r.rolname = {literal(user)} "
        "AND g.context = 'user' AND g.name <> 'role' ORDER BY 1, 2;"
    )


def set_again(user: str, found: Iterable[list[str]]) -> str:
    """Statements that give a user what `settings` has found of another."""
    lines = []
    for database, name, value in found:
        where = f"IN DATABASE {quoted(database)} " if database else ""
        given = value if name in LISTS else literal(value)
        lines.append(f"ALTER ROLE {quoted(user)} {where}SET {quoted(name)} TO {given};\n")
    return "".join(lines)


def handed_over(master: str) -> str:
    """Statements by which all that the master has in a database, and databases themselves, become the owner's.

    A table is locked for that, for an instant; the wait for it is short, as who asks something of it waits behind.
    """
    return f"SET lock_timeout = '{LOCK_SECONDS}s';\nREASSIGN OWNED BY {quoted(master)} TO {quoted(owner(master))};\n"


def lacking(before: str, after: str) -> str:
    """Asks for what a user may read or write to in a database, and another may not; each by its name."""
    may = " OR ".join(
        f"(has_table_privilege({literal(before)}, c.oid, '{right}') "
        f"AND NOT has_table_privilege({literal(after)}, c.oid, '{right}'))"
        for right in ("SELECT", "INSERT")
    )
    return (
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_' "
        f"AND n.nspname <> 'information_schema' AND ({may}) ORDER BY 1;"
    )


def retired(user: str) -> str:
    """Statements by which a user that no task has any more can no longer log in."""
    ending = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = {literal(user)};"
    there = f"SELECT 1 FROM pg_roles WHERE rolname = {literal(user)}"
    return (
        f"SELECT EXISTS ({there}) AS there \\gset\n\\if :there\n"
        f"ALTER ROLE {quoted(user)} NOLOGIN PASSWORD NULL;\n{ending}\n\\endif\n"
    )

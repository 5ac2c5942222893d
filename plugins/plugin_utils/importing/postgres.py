"""PostgreSQL's own programs on this machine, and the databases of a server as they see them."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from plugins.plugin_utils.importing.remote import Talk, talk

MARK = "import_data"
"""What the comment of a database begins with that this has made: `import_data restored <checksum of the dump>`."""
STALL_SECONDS = 6 * 3600.0
"""For how long one statement may take, such as an index of a large table."""
MOST_TABLES = 200
"""That are counted at once."""
FOREIGN = re.compile(r"PG[A-Z]+$")
"""Variables of a person's shell that would lead psql elsewhere."""


@dataclass(frozen=True)
class Login:
    """How the programs come to a server.

    Attributes:
        host, port: where it answers.
        user, password: who logs in.
        mode: libpq's sslmode.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    mode: str = "require"


@dataclass(frozen=True)
class Known:
    """A database of the server.

    Attributes:
        name: its name.
        open: whether anybody may connect.
        comment: what it says of itself.
        tables: how many it has; 0 if nobody may connect.
        size: in bytes.
    """

    name: str
    open: bool
    comment: str
    tables: int
    size: int


NOTATION = (
    "SET row_security = off; SET datestyle = 'ISO, YMD'; SET intervalstyle = postgres; SET timezone = 'UTC'; "
    "SET extra_float_digits = 3; SET bytea_output = hex;\n"
)
"""Row security would hide rows from who may not see them; switched off, they are an error."""
ROW = "the whole row"
"""A name that no column has: one of the name would be taken in place of the row."""


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL takes it."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def psql(login: Login, database: str, idle: Callable[[], None], *options: str) -> Iterator[Talk]:
    """A psql that runs what is written to it, and ends at the first error.

    Args:
        login: how it comes there.
        database: to which it connects.
        idle: called about once a second in which nothing moves.
        options: more of psql's.
    """
    command = [
        "psql", "--no-psqlrc", "--no-password", "--quiet", "--no-align", "--tuples-only", "--field-separator=\t",
        "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", *options,
    ]  # fmt: skip
    with _program(command, login, database, idle) as talking:
        yield talking


def dumped(login: Login, database: str, idle: Callable[[], None], *options: str) -> Iterator[bytes]:
    """The lines of a dump that pg_dump makes of a database now; who owned what is left out.

    Args:
        login: how it comes there.
        database: which.
        idle: called about once a second in which nothing moves.
        options: more of pg_dump's.

    Raises:
        Broken: it failed.
    """
    command = ["pg_dump", "--no-password", "--no-owner", "--no-privileges", *options]
    with _program(command, login, database, idle) as talking:
        for line in talking.lines():
            yield line + b"\n"


@contextmanager
def _program(command: Sequence[str], login: Login, database: str, idle: Callable[[], None]) -> Iterator[Talk]:
    """One of PostgreSQL's programs, connected.

    The password is in no process list, no environment and no file that has a name: the program reads it from an open
    one that is gone with this process.
    """
    with tempfile.TemporaryFile() as secret:
        secret.write(f"*:*:*:*:{_escaped(login.password)}\n".encode())
        secret.flush()
        shell = {name: value for name, value in os.environ.items() if not FOREIGN.match(name)}
        shell |= {
            "PGHOST": login.host, "PGPORT": str(login.port), "PGUSER": login.user, "PGDATABASE": database,
            "PGSSLMODE": login.mode, "PGPASSFILE": f"/dev/fd/{secret.fileno()}", "PGAPPNAME": MARK,
            "PGCONNECT_TIMEOUT": "20",
        }  # fmt: skip
        with talk(command, idle, STALL_SECONDS, shell, (secret.fileno(),)) as talking:
            yield talking


def _escaped(password: str) -> str:
    """As a line of a password file has it: https://www.postgresql.org/docs/current/libpq-pgpass.html"""
    return password.replace("\\", "\\\\").replace(":", "\\:")


class Server:
    """The databases of a server.

    Args:
        login: how one comes to it.
        idle: called about once a second in which a statement has not ended.
        mark: what the comment of a database begins with that this makes.
    """

    def __init__(self, login: Login, idle: Callable[[], None] = lambda: None, mark: str = MARK) -> None:
        self.login, self._idle, self._mark = login, idle, mark

    def ask(self, statements: str, database: str = "postgres") -> list[list[str]]:
        """The rows that statements answer.

        Raises:
            Broken: one failed.
        """
        with psql(self.login, database, self._idle) as talking:
            talking.write(statements.encode())
            return [line.decode().split("\t") for line in talking.lines()]

    def settings(self) -> frozenset[str]:
        """Names of the settings that it knows."""
        return frozenset(row[0] for row in self.ask("SELECT name FROM pg_settings;"))

    def known(self, name: str) -> Known | None:
        """A database; None if there is none of that name."""
        found = self.ask(
            "SELECT datallowconn, coalesce(shobj_description(oid, 'pg_database'), ''), pg_database_size(oid) "
            f"FROM pg_database WHERE datname = {literal(name)};"
        )
        if not found:
            return None
        (can, comment, size) = found[0]
        tables = self._tables(name) if can == "t" else 0
        return Known(name, can == "t", comment, tables, int(size))

    def _tables(self, name: str) -> int:
        """How many tables a database has that no extension has made."""
        found = self.ask(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' "
            "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid "
            "AND d.deptype = 'e');",
            name,
        )
        return int(found[0][0])

    def free_name(self, name: str) -> str:
        """The first of `<name>_before_1`, `_2`, … that no database has."""
        begin = f"{name[:50]}_before_"
        found = {row[0] for row in self.ask("SELECT datname FROM pg_database;")}
        return next(each for number in range(1, len(found) + 2) if (each := f"{begin}{number}") not in found)

    def make(self, name: str, what: str) -> None:
        """An empty database, in place of one of the name; what is to come into it stands in its comment."""
        self.ask(f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE);")
        self.ask(f"CREATE DATABASE {quoted(name)} TEMPLATE template0 ENCODING 'UTF8';")
        self.ask(f"COMMENT ON DATABASE {quoted(name)} IS {literal(f'{self._mark} begun {what}')};")

    def note(self, name: str, comment: str) -> None:
        """Let a database say something of itself."""
        self.ask(f"COMMENT ON DATABASE {quoted(name)} IS {literal(comment)};")

    def restore(self, name: str, lines: Iterator[bytes], what: str, owner: str = "") -> None:
        """Run the lines in one transaction, which also says that all of them were run.

        Args:
            name: of the database.
            lines: of the dump.
            what: which dump that is.
            owner: whose all of it becomes, if there is such a role; else it is of who has logged in.

        Raises:
            Broken: one failed.
        """
        given = f"REASSIGN OWNED BY CURRENT_USER TO {quoted(owner)};\n" if owner and self._has_role(owner) else ""
        with psql(self.login, name, self._idle, "--output=/dev/null") as talking:
            talking.write(b"BEGIN;\n")
            for line in lines:
                talking.write(line)
            talking.write(
                f"{given}COMMENT ON DATABASE {quoted(name)} IS {literal(f'{self._mark} restored {what}')};\n"
                "COMMIT;\n".encode()
            )
            for _ in talking.lines():
                pass

    def _has_role(self, name: str) -> bool:
        return bool(self.ask(f"SELECT 1 FROM pg_roles WHERE rolname = {literal(name)};"))

    def counts(self, name: str, tables: Sequence[str]) -> dict[str, int]:
        """Table → how many rows it has, of itself: what inherits from it has rows of its own.

        Args:
            name: of the database.
            tables: as SQL names them.
        """
        if not tables:
            return {}
        if len(tables) > MOST_TABLES:  # psql would wait for somebody to read, and nobody would before all is written
            return self.counts(name, tables[:MOST_TABLES]) | self.counts(name, tables[MOST_TABLES:])
        values = ", ".join(f"({literal(table)})" for table in tables)
        kinds = self.ask(
            f"SELECT v.t, c.relkind FROM (VALUES {values}) v (t) JOIN pg_class c ON c.oid = to_regclass(v.t);", name
        )
        statements = [
            f"SELECT {literal(table)}, count(*) FROM {'' if kind == 'p' else 'ONLY '}{table};\n"
            for table, kind in kinds
        ]
        return {row[0]: int(row[1]) for row in self.ask("".join(statements), name)}

    def contents(self, name: str, only: str = "") -> dict[str, str]:
        """Table or sequence → what is in it: rows and a sum over them that no order changes, or where it has come to.

        The server reads the rows, so none of them comes here. Each row is taken as the text that it is in one notation
        of times and numbers, so that two servers say the same of the same rows.

        Args:
            name: of the database.
            only: a table, as SQL names it; all if empty.

        Raises:
            Broken: it failed.
        """
        wanted = f"c.oid = to_regclass({literal(only)})" if only else "true"
        kinds = self.ask(
            "SELECT format('%I.%I', n.nspname, c.relname), c.relkind FROM pg_class c "
            f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {wanted} AND c.relkind IN ('r', 'S') "
            "AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' "
            "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid "
            "AND d.deptype = 'e') ORDER BY 1;",
            name,
        )
        found = dict[str, str]()
        for start in range(0, len(kinds), MOST_TABLES):
            part = kinds[start : start + MOST_TABLES]
            found |= dict(self.ask(NOTATION + "".join(_content(*each) for each in part), name))
        return found

    def others(self, name: str) -> list[str]:
        """Users besides the one that logs in who own something in a database, or may do something there."""
        found = self.ask(
            "SELECT DISTINCT r.rolname FROM pg_roles r JOIN pg_shdepend d ON d.refclassid = 'pg_authid'::regclass "
            "AND d.refobjid = r.oid JOIN pg_database b ON b.oid = d.dbid WHERE b.datname = current_database() "
            "AND d.deptype IN ('o', 'a') AND r.rolname <> current_user AND r.rolname !~ '^(pg_|rds)' ORDER BY 1;",
            name,
        )
        return [row[0] for row in found]

    def used(self) -> int:
        """Bytes of all databases together."""
        return int(self.ask("SELECT sum(pg_database_size(oid)) FROM pg_database;")[0][0])

    def analyze(self, name: str) -> None:
        """Let the planner know what is there."""
        self.ask("ANALYZE;", name)

    def switch(self, now: str, new: str, kept: str, comment: str) -> None:
        """Let a database take another's name, which keeps all under a third. Both at once, or neither.

        Args:
            now: the name that is wanted.
            new: of the database that gets it.
            kept: what the one is called then that has it now; empty if there is none.
            comment: what the one that gets the name says of itself then.

        Raises:
            Broken: it failed; then who could connect still can.
        """
        rename = f"ALTER DATABASE {quoted(new)} RENAME TO {quoted(now)};\n"
        told = f"COMMENT ON DATABASE {quoted(now)} IS {literal(comment)};\n"
        if not kept:
            self.ask(f"BEGIN;\n{rename}{told}COMMIT;\n")
            return
        end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {literal(now)};\n"
        try:
            self.ask(
                f"ALTER DATABASE {quoted(now)} ALLOW_CONNECTIONS false;\n{end}BEGIN;\n"
                f"ALTER DATABASE {quoted(now)} RENAME TO {quoted(kept)};\n"
                f"{rename}{told}ALTER DATABASE {quoted(kept)} ALLOW_CONNECTIONS true;\nCOMMIT;\n"
            )
        finally:
            if self.ask(f"SELECT 1 FROM pg_database WHERE datname = {literal(now)} AND NOT datallowconn;"):
                self.ask(f"ALTER DATABASE {quoted(now)} ALLOW_CONNECTIONS true;")


def _content(table: str, kind: str) -> str:
    """The statement that says what is in a table or a sequence."""
    if kind == "S":
        place = "'at ' || last_value || CASE WHEN is_called THEN '' ELSE ', unused' END"
        return f"SELECT {literal(table)}, {place} FROM {table};\n"
    digest = f"('x' || left(md5({quoted(ROW)}::text), 15))::bit(60)::bigint"
    return (
        f"SELECT {literal(table)}, count(*) || ' rows, sum ' || coalesce(sum({digest}), 0) "
        f"FROM ONLY {table} AS {quoted(ROW)};\n"
    )

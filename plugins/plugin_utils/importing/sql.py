"""A dump of PostgreSQL as SQL, line by line: what is restored of it, what is not, and how many rows it has."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator

COPY = re.compile(rb'COPY ((?:"(?:[^"]|"")+"|[^\s".]+)(?:\.(?:"(?:[^"]|"")+"|[^\s".]+))?) .*FROM stdin;$')
"""Where rows begin: one a line, until `\\.`; https://www.postgresql.org/docs/current/sql-copy.html"""
QUALIFIED = re.compile(rb'(?:"(?:[^"]|"")+"|[^\s".]+)\.')
SEARCH_PATH = re.compile(rb'SET search_path = ("(?:[^"]|"")+"|[^\s",]+), pg_catalog;$')
"""How pg_dump before 10.3 says of which schema the names are that follow."""
SETTING = re.compile(rb"SET (\w+) = ")
QUOTE = re.compile(rb"\$(?:[A-Za-z_]\w*)?\$|'|\"(?:[^\"]|\"\")*\"")
"""What begins a text, and a name in quotes, which may have such in it."""
END = b"-- PostgreSQL database dump complete"
NOT_OURS = re.compile(
    rb"ALTER [^;]* OWNER TO [^;]*;$|(?:GRANT|REVOKE) [^;]*;$|ALTER DEFAULT PRIVILEGES [^;]*;$"
    rb"|COMMENT ON (?:EXTENSION plpgsql|SCHEMA public) IS .*;$"
    rb"|CREATE (?:OR REPLACE )?PROCEDURAL LANGUAGE (?:IF NOT EXISTS )?\"?plpgsql\"?;$|CREATE SCHEMA \"?public\"?;$"
)
"""Who owns what and who may do what on the old server, whose users are not here; and what each database has already,
and which on RDS only its own administrator could say."""
WHOLE_SERVER = re.compile(rb"\\c(?:onnect)?\b|(?:CREATE|DROP|ALTER) DATABASE\b|CREATE (?:ROLE|TABLESPACE)\b")
RESTRICT = re.compile(rb"\\(?:un)?restrict \w+$")
"""By which newer programs let psql take no other command of its own: https://www.postgresql.org/docs/current/app-psql.html"""


class Unfit(Exception):
    """A dump that cannot be restored, and why."""


class Dump:
    """The lines of a dump that are to be restored; what was learnt of them meanwhile.

    Args:
        lines: of the dump.
        settings: names that the server knows: a newer program than it may set others.
        tell: is told the table and how many rows of it were read, now and then.

    Attributes:
        rows: table → how many rows it has, of those whose rows are known.
        inserts: whether there are rows as INSERT, which are not counted.
        skipped: settings that the server does not know.
    """

    def __init__(
        self, lines: Iterable[bytes], settings: Collection[str], tell: Callable[[str, int], None] = lambda _t, _n: None
    ) -> None:
        self._lines, self._settings, self._tell = iter(lines), settings, tell
        self._schema = b""
        self._quote = b""  # of what goes on over several lines: a dollar tag, or an apostrophe
        self._complete = False
        self.rows: dict[str, int] = {}
        self.inserts = False
        self.skipped: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        """The lines.

        Raises:
            Unfit: it is of a whole server, has commands for psql, or ends in the middle.
        """
        for line in self._lines:
            if self._quote or line.startswith(b"--"):
                self._complete = self._complete or line.startswith(END)
                self._follow(line, comment=not self._quote)
                yield line
            elif table := COPY.match(line.rstrip(b"\r\n")):
                yield line
                yield from self._copied(table[1])
            elif self._wanted(line.rstrip(b"\r\n")):
                self._follow(line)
                yield line
        if not self._complete:
            raise Unfit("it ends in the middle: the last line of a dump says that it is complete")

    def _copied(self, name: bytes) -> Iterator[bytes]:
        table = (name if QUALIFIED.match(name) or not self._schema else self._schema + b"." + name).decode()
        count = self.rows.get(table, 0)
        for line in self._lines:
            yield line
            if line.startswith(b"\\.") and line.rstrip(b"\r\n") == b"\\.":
                self.rows[table] = count
                return
            count += 1
            if count % 1000 == 0:
                self._tell(table, count)
        raise Unfit(f"it ends in the middle of the rows of {table}")

    def _wanted(self, line: bytes) -> bool:
        """Whether a line is to be restored that begins a statement, or goes on with one that has no quote."""
        if WHOLE_SERVER.match(line):
            raise Unfit(
                "it is of a whole server, or was made with --create. Make one of the database alone: pg_dump "
                "--format=custom --no-owner --no-privileges"
            )
        if line.startswith(b"\\") and not RESTRICT.match(line):
            raise Unfit(
                f"it has a command for psql, {line[:40].decode(errors='replace')}, which pg_dump does not write"
            )
        if found := SEARCH_PATH.match(line):
            self._schema = found[1]
        if (found := SETTING.match(line)) and found[1].decode() not in self._settings:
            self.skipped.append(found[1].decode())
            return False
        self.inserts = self.inserts or line.startswith(b"INSERT INTO ")
        return not NOT_OURS.match(line)

    def _follow(self, line: bytes, comment: bool = False) -> None:
        """Know whether the next line is within a quote."""
        if comment:
            return
        place = 0
        while place < len(line):
            if self._quote:
                end = line.find(self._quote, place)
                if end < 0:
                    return
                place, self._quote = end + len(self._quote), b""
                continue
            found = QUOTE.search(line, place)
            if found is None:
                return
            place = found.end()
            self._quote = b"" if found[0].startswith(b'"') else found[0]

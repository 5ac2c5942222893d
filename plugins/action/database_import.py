"""Bring a dump of PostgreSQL into a database of the site."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.database_import import DOCUMENTATION
from plugins.plugin_utils.aws_action import Failed
from plugins.plugin_utils.database_action import DatabaseAction
from plugins.plugin_utils.database_way import check_programs
from plugins.plugin_utils.importing.amounts import amount, some
from plugins.plugin_utils.importing.contents import differing, listed
from plugins.plugin_utils.importing.postgres import MARK, Known, Server
from plugins.plugin_utils.importing.remote import Broken
from plugins.plugin_utils.importing.source import Source
from plugins.plugin_utils.importing.sql import Dump, Unfit
from plugins.plugin_utils.places import shown, verb
from plugins.plugin_utils.rotation.logins import owner

PACKAGE = "the package postgresql-client, of the server's version or a newer one"
HINTS = {
    "role ": "It names a user of the old server. Make the dump with --no-owner --no-privileges.",
    "extension ": "Is it among those of RDS? https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/"
    "postgresql-extensions.html",
    "invalid command": f"psql of this machine is older than the dump. Install {PACKAGE}.",
    "unsupported version": f"pg_restore of this machine is older than the dump. Install {PACKAGE}.",
    "invalid byte sequence": "The old database checked no letters. Make the dump with --encoding=<what they are>.",
}
"""Words of what failed → what to do about it."""


class ActionModule(DatabaseAction):
    """See plugins/modules/database_import.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Restore it beside, compare, and switch.

        Raises:
            Failed: the dump or what was typed is unfit, the database cannot be reached, or it does not take the dump.
        """
        self._path = Path(self.arguments["dump"]).expanduser()
        try:
            source = self._source()
            check_programs(self.arguments["session_manager"])
            with self._site_login() as login:
                return self._import(source, Server(login, self._idle))
        except Unfit as error:
            raise Failed(
                f"{shown(self._path)} cannot be restored: {str(error).rstrip('.')}. Nothing of the site was changed."
            ) from None
        except OSError as error:
            raise Failed(
                f"This machine cannot read {shown(self._path)}: {error.strerror or error}. Type: "
                f"{verb('import_data.yml')} -e database={self._name} -e dump=<a file of pg_dump>"
            ) from None

    # What there is

    def _source(self) -> Source:
        source = Source(self._path)
        for program in source.programs:
            if shutil.which(program) is None:
                raise Failed(f"This machine has no {program}, by which a dump is restored. Install {PACKAGE}.")
        self._say(f"{shown(self._path)} is a {source.kind} dump, {amount(source.size)}")
        return source

    # What is done

    def _import(self, source: Source, server: Server) -> dict[str, Any]:
        now, new = self.arguments["dbname"], f"{self.arguments['dbname'][:50]}_{MARK}"
        checksum = source.checksum()
        try:
            there, beside = server.known(now), server.known(new)
            if there and there.comment == f"{MARK} is {checksum}" and not self.arguments["overwrite"]:
                self._say(f"the database {now} is this dump already", "green")
                return {"changed": False, "checksum": checksum, "kept": ""}
            kept = server.free_name(now) if there else ""
            self._check(now, there, kept)
            self._check_beside(beside)
            if self.check_mode:
                self._say(f"would be restored as {new}, and called {now} then" + (f", {now} {kept}" if kept else ""))
                return {"changed": True, "checksum": checksum, "kept": kept}
            restored = self._restored(source, server, new, checksum, beside)
            self._switch(server, now, new, kept, checksum)
        except Broken as error:
            said = str(error).rstrip(".")
            hint = next((f" {hint}" for words, hint in HINTS.items() if words in said), "")
            raise Failed(
                f"The dump could not be restored into the database {self._name}: {said}.{hint} Nothing of the site was "
                "changed. Type the same command again when that is mended."
            ) from None
        return {"changed": True, "checksum": checksum, "kept": kept, **restored}

    def _check(self, now: str, there: Known | None, kept: str) -> None:
        """Whether what is there may be replaced."""
        if there is None or not there.tables or self.arguments["confirm"] == self.arguments["wanted"]:
            return
        raise Failed(
            f"The database {now} of {self._name} has {some(there.tables, 'table')} ({amount(there.size)}). It would be "
            f"called {kept} then, and stay. Nothing was changed. If the dump is to take its place, type: "
            f"{verb('import_data.yml')} -e database={self._name} -e dump={shown(self._path)} "
            f"-e confirm={self.arguments['wanted']}"
        )

    def _check_beside(self, beside: Known | None) -> None:
        if beside and beside.tables and not beside.comment.startswith(f"{MARK} "):
            raise Failed(
                f"The server has a database {beside.name} that import_data.yml has not made, and would make anew. Give "
                f"it another name first; the way there: {verb('tunnel.yml')} -e database={self._name}"
            )

    def _restored(
        self, source: Source, server: Server, new: str, checksum: str, beside: Known | None
    ) -> dict[str, Any]:
        """Have the dump beside, as a whole, with as many rows as it has."""
        lines = Dump(source.lines(self._idle), server.settings(), self._tell)
        if beside and beside.comment == f"{MARK} restored {checksum}":
            self._say(f"{new} is this dump already, restored as a whole; its rows are counted")
            for _ in lines:
                pass
        else:
            self._say(f"is being restored as {new}, beside the site's", "yellow")
            self._doing = "is being restored"
            server.make(new, checksum)
            server.restore(new, iter(lines), checksum, owner(server.login.user))
        self._doing = "its rows are being counted"
        wrong = differing(lines.rows, server.counts(new, sorted(lines.rows)))
        if wrong:
            raise Failed(
                f"What was restored has not the rows of the dump: {listed(wrong)}. Nothing of the site was changed; it "
                f"lies beside, as {new}."
            )
        server.analyze(new)
        total = sum(lines.rows.values())
        told = f"{some(len(lines.rows), 'table')} with {some(total, 'row')}, as many as the dump has"
        self._say(told + ("; rows as INSERT were not counted" if lines.inserts else ""), "green")
        if lines.skipped:
            self._say(f"passed over, as the server does not know it: {', '.join(sorted(set(lines.skipped)))}")
        return {"tables": len(lines.rows), "rows": total, "counted": not lines.inserts}

    def _switch(self, server: Server, now: str, new: str, kept: str, checksum: str) -> None:
        self._doing = "the names are being changed"
        server.switch(now, new, kept, f"{MARK} is {checksum}")
        self._say(f"is {now} now" + (f"; what was {now} before is {kept}" if kept else ""), "green")

"""Take a database of the site back out of a backup, or as it was at a time."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.database_restore import DOCUMENTATION
from plugins.plugin_utils.aws_action import Failed, Wait, reason
from plugins.plugin_utils.backups.point import in_words, is_of_other
from plugins.plugin_utils.database_action import DatabaseAction
from plugins.plugin_utils.database_way import check_programs
from plugins.plugin_utils.importing.amounts import amount, some
from plugins.plugin_utils.importing.contents import listed, rows, unlike
from plugins.plugin_utils.importing.postgres import Known, Login, Server, dumped
from plugins.plugin_utils.importing.remote import Broken
from plugins.plugin_utils.importing.sql import Dump, Unfit
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.restoring.instance import DEAD, DELETING, RESTORE, Instance, room
from plugins.plugin_utils.rotation.logins import owner
from plugins.plugin_utils.status.words import iso
from plugins.plugin_utils.upgrading.versions import major, order

MARK = "restore"
"""What the comment of a database begins with that this has made: `restore proven <backup>`."""
IS = re.compile(rf"{MARK} is (?P<point>\S+); (?P<kept>\S+) was before")
PACKAGE = "the package postgresql-client, of the server's version or a newer one"
HINTS = {
    "server version mismatch": f"pg_dump of this machine is older than the database. Install {PACKAGE}.",
    "permission denied": "Something in it belongs to another user of the database, and not to the site's.",
    "no matching tables": "A name with capitals or in another schema is typed as SQL has it: -e table='sales.orders'.",
}
"""Words of what failed → what to do about it."""


class ActionModule(DatabaseAction):
    """See plugins/modules/database_restore.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION
    VERB = RESTORE

    def perform(self) -> dict[str, Any]:
        """Restore it beside, compare, and switch; or switch back.

        Raises:
            Failed: it is not in the backup, cannot be reached, or what was copied is not the same.
        """
        given = self.arguments
        self._point, self._now = given["backup"], given["dbname"]
        self._table = given.get("table", "")
        self._time = datetime.fromisoformat(given["time"]) if given.get("time") else None
        snapshot = given.get("snapshot", "")
        self._then = iso(self._time) if self._time else in_words(self._point)
        self._source = f"{given['instance']} at {iso(self._time)}" if self._time else snapshot
        self._named = f"what was in {self._source}" if self._time else f"the snapshot {snapshot}"
        self._new = f"{self._now[:40]}_{self.VERB}" + ("_table" if self._table else "")
        self._what = f"{self._point} {self._table}".strip()
        self._instance = Instance(self.client("rds"), given["prefix"], self._name, self._what, given["tags"], self.VERB)
        for program in ("psql", "pg_dump"):
            if shutil.which(program) is None:
                raise Failed(f"This machine has no {program}, by which a database is copied. Install {PACKAGE}.")
        check_programs(given["session_manager"])
        try:
            return self._perform()
        except (Broken, Unfit) as error:
            said = str(error).rstrip(".")
            hint = next((f" {hint}" for words, hint in HINTS.items() if words in said), "")
            raise Failed(
                f"The database {self._name} could not be restored: {said}.{hint} Nothing of the site was changed. Type "
                "the same command again when that is mended."
            ) from None

    # The two servers

    @contextmanager
    def _site(self) -> Iterator[Server]:
        with self._site_login() as login:
            yield Server(login, self._idle, MARK)

    @contextmanager
    def _beside(self) -> Iterator[Login]:
        """A way to the instance beside, as a user whom nobody else can be."""
        found, wait = self._there(), Wait(self.arguments["timeout"], self.say, self._name)
        with self._login_beside(self._instance, found, partial(self._pause, wait)) as login:
            yield login

    def _there(self) -> dict[str, Any]:
        """The instance beside, once it is up."""
        wait = Wait(self.arguments["timeout"], self.say, self._name)
        while True:
            found = self._instance.found()
            state = found["DBInstanceStatus"] if found else "not there"
            if found is None:
                self._begin()
            elif state == "available":
                return found
            elif state in DEAD:
                self._instance.let_go()
                raise Failed(
                    f"RDS could not restore {self._named}: the instance "
                    f"{self._instance.name} is {state}, and is deleted. Nothing of the site was changed. Type the same "
                    "command again, which makes another."
                )
            self._pause(wait, "to be gone" if state == DELETING else f"to be up (it is {state})")

    def _pause(self, wait: Wait, what: str) -> None:
        if not wait.pause(f"the instance {self._instance.name} {what}"):
            raise Failed(
                f"The instance {self._instance.name}, to which {self._named} is restored, "
                f"is not ready after {wait.seconds / 60:.0f} minutes: it has {what}. Nothing of the site was changed. "
                "The same command goes on with it; backup_wait_minutes says how long it waits."
            )

    def _begin(self) -> None:
        like = self._like()
        self._say(f"{self._source} is being restored to an instance beside, {self._instance.name}", "yellow")
        try:
            if self._time:
                self._instance.begin_at(self._time, like)
            else:
                self._instance.begin(self._source, like)
        except ClientError as error:
            raise Failed(
                f"RDS does not restore {self._named}: {reason(error).rstrip('.')}. Nothing of the site was "
                f"changed. Which backups there are: {verb('backups.yml', own=is_of_other(self._point))}"
            ) from None

    def _like(self) -> dict[str, Any]:
        like = self._instance.like(self.arguments["instance"])
        if like is None:
            raise Failed(
                f"The database {self._name} is not up ({self.arguments['instance']} is not there), so there is nothing "
                f"to restore it into. Type: {verb('site.yml')}"
            )
        return like

    # What is done

    def _perform(self) -> dict[str, Any]:
        return self._back() if self.arguments["back"] else self._restore()

    def _restore(self) -> dict[str, Any]:
        given = self.arguments
        with self._site() as server:
            there, beside = server.known(self._now), server.known(self._new)
            kept = server.free_name(self._now) if there else ""
        is_it = IS.fullmatch(there.comment) if there else None
        if is_it and is_it["point"] == self._point and not given["overwrite"] and not self._table:
            self._let_go()
            self._say(f"{self._now} is that of {self._then} already", "green")
            return {"changed": False, "beside": "", "switched": False, "kept": is_it["kept"]}
        self._check_beside(beside)
        switch = bool(given["confirm"]) and given["confirm"] == given["wanted"] and not self._table
        done: dict[str, Any] = {"beside": self._new, "switched": switch, "kept": kept if switch else ""}
        proven = bool(beside and beside.comment == f"{MARK} proven {self._what}")
        if not proven and not self._time:
            self._check_version()
        if self.check_mode:
            self._would(proven, switch, kept)
            return {"changed": switch or not proven, **done}
        if proven:
            self._say(f"{self._new} is beside already, and was compared", "green")
        else:
            done |= self._copied(beside)
        self._let_go()
        if switch:
            self._switch(kept)
        return {"changed": switch or not proven, **done}

    def _check_beside(self, beside: Known | None) -> None:
        if beside and beside.tables and not beside.comment.startswith(f"{MARK} "):
            raise Failed(
                f"The server has a database {beside.name} that restore.yml has not made, and would make anew. Give it "
                f"another name first; the way there: {verb('tunnel.yml')} -e database={self._name}"
            )

    def _check_version(self) -> None:
        """What a newer server has dumped, an older one need not take; of another environment it may be newer."""
        here, of_then = str(self._like()["EngineVersion"]), self._instance.version_of(self._source)
        if of_then and order(major(of_then)) > order(major(here)):
            raise Failed(
                f"The snapshot {self._source} is of PostgreSQL {of_then}, and the database {self._name} here has "
                f"{here}, which need not take what {major(of_then)} writes. Nothing of the site was changed. Bring it "
                f"to {major(of_then)} first: {verb('upgrade_database.yml')} -e database={self._name} -e "
                f"version={major(of_then)}"
            )

    def _would(self, proven: bool, switch: bool, kept: str) -> None:
        if not proven:
            self._say(f"{self._source} would be restored to an instance beside, and copied as {self._new}")
        if switch:
            self._say(f"{self._new} would be called {self._now} then" + (f", {self._now} {kept}" if kept else ""))

    def _copied(self, beside: Known | None) -> dict[str, Any]:
        """Have the database beside, as a whole, with the same in each table."""
        with self._beside() as login, self._site() as server:
            source = Server(login, self._idle)
            known = source.known(self._now)
            if known is None:
                raise Failed(
                    f"{self._source} has no database {self._now}. Nothing of the site was changed. Was it called "
                    "otherwise then? Its name is `name` in site_databases."
                )
            if beside and beside.comment == f"{MARK} restored {self._what}":
                self._say(f"{self._new} was copied as a whole; it is compared")
            else:
                self._check_room(server, known, beside)
                self._say(f"is being copied as {self._new}, beside the site's ({amount(known.size)})", "yellow")
                self._doing = "is being copied"
                server.make(self._new, self._what)
                lines = Dump(self._lines(login), server.settings(), self._tell)
                server.restore(self._new, iter(lines), self._what, owner(server.login.user))
            return self._compared(source, server)

    def _lines(self, login: Login) -> Iterator[bytes]:
        table = self._table
        if not table:
            return dumped(login, self._now, self._idle)
        # All of its tables as they are made, and rows of one: without keys to the others, nothing of these is needed.
        return chain(
            dumped(login, self._now, self._idle, "--section=pre-data"),
            dumped(login, self._now, self._idle, "--section=data", "--strict-names", f"--table={table}"),
        )

    def _check_room(self, server: Server, known: Known, beside: Known | None) -> None:
        """A database whose storage is full stops, and the site with it."""
        left = room(self._like(), server.used() - (beside.size if beside else 0))
        if known.size > left:
            raise Failed(
                f"The database {self._name} of the backup needs {amount(known.size)} beside the site's, and its "
                f"instance has room for {amount(max(0, left))}. Nothing of the site was changed. Write a larger "
                f"storage_gb of it into site_databases, type {verb('site.yml')}, then the same command again."
            )

    def _compared(self, source: Server, server: Server) -> dict[str, Any]:
        self._doing = "its tables are being compared"
        table = self._table
        of_then, here = source.contents(self._now, table), server.contents(self._new, table)
        if table and not of_then:
            raise Failed(
                f"The database {self._name} of {self._then} has no table {table} with rows of its own. "
                "Nothing of the site was changed. Of a partitioned one name its partitions, one after the other."
            )
        if wrong := unlike(here, of_then, "the backup"):
            raise Failed(
                f"What was copied is not what the backup has: {listed(wrong)}. Nothing of the site was changed; it "
                f"lies beside, as {self._new}, and the same command compares again."
            )
        if others := [each for each in source.others(self._now) if each != owner(source.login.user)]:
            self._say(
                f"what other users own or may do there is not restored ({', '.join(others)}): all of it is the site's "
                "user's; let them again what they need",
                "yellow",
            )
        server.analyze(self._new)
        server.note(self._new, f"{MARK} proven {self._what}")
        total = rows(of_then)
        self._say(f"{some(len(of_then), 'table')} with {some(total, 'row')}, each with the content of then", "green")
        return {"tables": len(of_then), "rows": total}

    def _let_go(self) -> None:
        """The instance beside is not needed any more, and one of a run that nobody went on with neither."""
        if self.check_mode:
            return
        names = [self._instance.name] if self._instance.let_go() else []
        for name in [*names, *self._instance.let_go_others()]:
            self._say(f"the instance beside is being deleted: {name}")

    def _switch(self, kept: str) -> None:
        self._doing = "the names are being changed"
        with self._site() as server:
            server.switch(self._now, self._new, kept, f"{MARK} is {self._point}; {kept or '-'} was before")
        self._say(f"{self._new} is {self._now} now" + (f"; what was before is {kept}" if kept else ""), "green")

    def _back(self) -> dict[str, Any]:
        """Let the database that was the site's before have its name again."""
        with self._site() as server:
            there = server.known(self._now)
            is_it = IS.fullmatch(there.comment) if there else None
            before = server.known(is_it["kept"]) if is_it else None
            if is_it is None and not self.arguments["named"]:
                self._say("was not switched to a backup: there is nothing to go back to")
                return {"changed": False, "beside": "", "switched": False, "kept": ""}
            if there is None or is_it is None or before is None:
                lack = "is not one that restore.yml has switched to" if is_it is None else f"{is_it['kept']} is gone"
                raise Failed(
                    f"There is nothing to go back to: the database {self._now} of {self._name} {lack}. Nothing was "
                    f"changed. Which backups there are: {verb('backups.yml')}"
                )
            left = server.free_name(self._now)
            if self.check_mode:
                self._say(f"{before.name} would be {self._now} again, and {self._now} {left}")
            else:
                server.switch(self._now, before.name, left, before.comment)
                self._say(f"{before.name} is {self._now} again; what was restored is {left}", "green")
        return {"changed": True, "beside": "", "switched": True, "kept": left}

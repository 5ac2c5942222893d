"""Restore a database out of a backup to an instance that is thrown away, and see that all of it can be had."""

from __future__ import annotations

import dataclasses
import sys
from functools import partial
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.action import database_restore
from plugins.modules.database_drill import DOCUMENTATION
from plugins.plugin_utils.aws_action import Failed, Wait
from plugins.plugin_utils.database_way import place
from plugins.plugin_utils.importing.amounts import amount
from plugins.plugin_utils.importing.login import credentials
from plugins.plugin_utils.importing.postgres import Known, Server
from plugins.plugin_utils.importing.sql import Dump
from plugins.plugin_utils.restoring.instance import DRILL, room
from plugins.plugin_utils.rotation.logins import handed_over, made, owner, verifier


class ActionModule(database_restore.ActionModule):
    """See plugins/modules/database_drill.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION
    VERB = DRILL

    def _perform(self) -> dict[str, Any]:
        snapshot = self.arguments["snapshot"]
        if self.check_mode:
            self._say(f"{snapshot} would be restored to an instance beside, copied there, and compared")
            return {"changed": True}
        with self._beside() as login:
            server = Server(login, self._idle, database_restore.MARK)
            known = server.known(self._now)
            if known is None:
                raise Failed(
                    f"The snapshot {snapshot} has no database {self._now}. Was it called otherwise then? Its name is "
                    "`name` in site_databases."
                )
            self._check_content(known)
            self._check_there_is_room(server, known)
            self._say(f"is being copied as {self._new}, within the instance beside ({amount(known.size)})", "yellow")
            self._doing = "is being copied"
            server.make(self._new, self._what)
            lines = Dump(self._lines(login), server.settings(), self._tell)
            server.restore(self._new, iter(lines), self._what, owner(login.user))
            done = {"changed": True, **self._compared(server, server)}
            if self.arguments["site_login"]:
                self._let_the_site_in(server)
            return done | {"address": self._there()["Endpoint"]["Address"]}

    def _let_the_site_in(self, server: Server) -> None:
        """Have whom the site logs in as now log in there, too, so that its tasks need no other secret than ever."""
        where, master = place(self.client, self.arguments), server.login.user
        user, password = credentials(self.client, where["login"] or where["secret"], self._name)
        wait = Wait(self.arguments["timeout"], self.say, self._name)
        if user == master:
            while not self._instance.let_in(password):
                self._pause(wait, "to take the site's password")
        else:
            kept = verifier(user, password, server.ask("SHOW password_encryption;")[0][0])
            server.ask(made(user, master, kept))
            server.ask(handed_over(master), self._now)
        site = dataclasses.replace(server.login, user=user, password=password)
        self._wait_to_be_let_in(site, partial(self._pause, wait, "to let the site's user in"), self._now)

    def _check_content(self, known: Known) -> None:
        """A backup of an empty database is made, read back and kept without a complaint of anybody."""
        with self._site() as site:
            now = site.known(self._now)
        if now and now.tables and not known.tables:
            raise Failed(
                f"The database {self._name} of the backup {self._point} has no table, and that of the site has "
                f"{now.tables}. A restore of it would be an empty site. Make another backup, and let this one go."
            )

    def _check_there_is_room(self, server: Server, known: Known) -> None:
        left = room(self._there(), server.used())
        if known.size > left:
            raise Failed(
                f"The database {self._name} takes {amount(known.size)}, and for a copy of it the instance beside has "
                f"room for {amount(max(0, left))}: it is as large as the site's was. Write a larger storage_gb of it "
                "into site_databases; the next backup can be drilled then."
            )

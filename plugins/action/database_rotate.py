"""Give a site another user and password of its database, while it goes on."""

from __future__ import annotations

import datetime
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.database_rotate import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.database_way import check_programs, place
from plugins.plugin_utils.importing.remote import Broken
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.rotation import logins
from plugins.plugin_utils.rotation.readers import Reader, named, readers, services, stale, wait_until_none_is_stale
from plugins.plugin_utils.rotation.users import Users, opened
from plugins.plugin_utils.rotation.versions import CURRENT, PREVIOUS, Version, Versions


class ActionModule(AwsAction):
    """See plugins/modules/database_rotate.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Go on with the rotation, or begin one.

        Raises:
            Failed: the database cannot be reached, the new login does not do, or the old one is still in use.
        """
        self._name = self.arguments["database"]
        check_programs(self.arguments["session_manager"], "psql")
        self._where = place(self.client, self.arguments)
        vault = self.client("secretsmanager")
        self._login, self._master = Versions(vault, self._where["login"]), Versions(vault, self._where["secret"])
        self._check_stack()
        try:
            return self._switched() if self.arguments["state"] == "switched" else self._retired()
        except Broken as error:
            raise Failed(
                f"The server of the database {self._name} did not do what it was told: {str(error).rstrip('.')}. What "
                "tasks log in with still works. When that is mended, type the same command again."
            ) from None

    def _say(self, text: str, color: str | None = None) -> None:
        self.say(self._name, text, color)

    def _check_stack(self) -> None:
        """Whether the site logs in with a secret that is not the master's."""
        if not self._where["login"]:
            raise Failed(
                f"The stack {self.arguments['stack']} has no secret of its own yet for what the site logs in with. "
                f"Type: {verb('site.yml')}"
            )
        if CURRENT not in self._login.ids():
            raise Failed(
                f"The site has no login of its database {self._name} yet: the run that was to make it was interrupted. "
                f"Type: {verb('site.yml')}"
            )
        now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
        if behind := self._readers(self._where["secret"], now):
            raise Failed(
                f"Tasks read the login of RDS's master user, which is about to change: {named(behind)}. Let them read "
                f"database.{self._name}.username and .password; type: {verb('site.yml')}"
            )

    def _readers(self, secret: str, until: datetime.datetime) -> list[Reader]:
        return readers(self.client("ecs"), self.arguments["cluster"], secret, until)

    # The other user takes its turn

    def _switched(self) -> dict[str, Any]:
        """Have the other user's login in the secret."""
        current, pending = self._login.current, self._login.pending
        if pending and pending.id == current.id:
            self._say(f"a rotation goes on: tasks that start log in as {current.value['username']} already")
            return self._result(bool(stale(self.client("ecs"), self.arguments["cluster"], self._login)))
        master = str(self._master.current.value["username"])
        if self.check_mode:
            return self._foreseen(master, current, pending)
        now = str(current.value["username"])
        with self._users as users:
            wanted = self._prepared(users, current, pending)
            user = str(wanted.value["username"])
            users.make(now, wanted.value, f"The site goes on as {now}.")
            users.prove(wanted.value, "The site goes on with the login it has.")
        self._login.switch(wanted.id)
        self._say(f"tasks that start log in as {user} from now on; {current.value['username']} still works", "yellow")
        return self._result(True)

    def _foreseen(self, master: str, current: Version, pending: Version | None) -> dict[str, Any]:
        now = str(current.value["username"])
        then = str(pending.value["username"]) if pending else logins.following(master, now)
        self._say(f"the site would log in as {then}, no longer as {now}, and {master} would get another password")
        return self._result(True, datetime.datetime.now(datetime.UTC))

    def _prepared(self, users: Users, current: Version, pending: Version | None) -> Version:
        """The version that is to become current; of a user that no task can have."""
        now = str(current.value["username"])
        if pending and pending.value["username"] != now:
            return pending  # of a run that was broken off: tasks may have its password by no way
        master, able = users.master, users.able()
        user = logins.following(master, now)
        if user in able:
            others = [each for each in logins.turns(master) if each != now and each not in able]
            if not others:
                raise Failed(
                    f"The users {' and '.join(logins.turns(master))} of the database {self._name} may both log in, and "
                    f"nobody has written down which of them tasks have. Take the right from the one that none has: "
                    f"ALTER ROLE … NOLOGIN; the way there: {verb('tunnel.yml')} -e database={self._name}"
                )
            user = others[0]
        return self._login.prepare(current.value | {"username": user, "password": logins.password()})

    # The one of before goes

    def _retired(self) -> dict[str, Any]:
        """Let nobody log in with what was in the secret before."""
        current, pending = self._login.current, self._login.pending
        if self.check_mode or not pending or pending.id != current.id:
            return self._result(self.check_mode, datetime.datetime.now(datetime.UTC) if self.check_mode else None)
        wait = Wait(self.arguments["timeout"], self.say, self._name)
        what = f"The login of before of the database {self._name}"
        wait_until_none_is_stale(self.client("ecs"), self.arguments["cluster"], self._login, wait, what)
        with self._users as users:
            users.hand_over()  # what a task of before has made as the master since
            for user in logins.turns(users.master):
                if user != current.value["username"]:
                    users.server.ask(logins.retired(user))
            self._change_master(users)
            if before := self._login.at(PREVIOUS):
                self._prove_refused(users, before)
        result = self._result(True)
        self._login.finish()
        return result

    def _change_master(self, users: Users) -> None:
        """Give RDS's master user another password, which stands in its secret once the server takes it."""
        current, pending = self._master.current, self._master.pending
        if pending is None or pending.id != current.id:
            pending = pending or self._master.prepare(current.value | {"password": logins.password()})
            self.client("rds").modify_db_instance(
                DBInstanceIdentifier=self._where["instance"], ApplyImmediately=True,
                MasterUserPassword=str(pending.value["password"]),
            )  # fmt: skip
            wait = Wait(self.arguments["timeout"], self.say, self._name)
            while not users.takes(pending.value):
                if not wait.pause("RDS to change the master's password"):
                    raise Failed(
                        f"RDS has not changed the password of the master user of the database {self._name} after "
                        f"{wait.seconds:.0f} s. The site's own login works. Type the same command again."
                    )
            self._master.switch(pending.id)
        self._master.finish()
        self._say(f"{current.value['username']}, which is RDS's master, has another password")

    def _prove_refused(self, users: Users, before: Version) -> None:
        """See that what was in the secret before opens nothing.

        Raises:
            Failed: it does.
        """
        if users.takes(before.value):
            raise Failed(
                f"The login of before of the database {self._name} ({before.value['username']}) still opens it. Type "
                "the same command again."
            )
        self._say(f"the login of before ({before.value['username']}) is refused", "green")

    @property
    def _users(self) -> AbstractContextManager[Users]:
        """The users, as the master user sees them, and the way there."""
        known = (self._master.current, self._master.pending)
        return opened(self.arguments, self._where, known, self.say)

    def _result(self, changed: bool, until: datetime.datetime | None = None) -> dict[str, Any]:
        found = self._readers(self._login.arn, until or self._login.changed())
        ids = self._login.ids()
        return {
            "changed": changed,
            "secret": self._login.arn,
            "version": "" if self.check_mode else ids["AWSCURRENT"],
            "previous": "" if self.check_mode else ids.get(PREVIOUS, ""),
            "services": services(found),
        }

"""The users of a database of the site, as RDS's master makes them through a host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.aws_action import Failed, Say, Wait
from plugins.plugin_utils.database_way import Reached, reached
from plugins.plugin_utils.ecs import some
from plugins.plugin_utils.importing.postgres import Login, Server
from plugins.plugin_utils.importing.remote import Broken
from plugins.plugin_utils.rotation import logins
from plugins.plugin_utils.rotation.versions import Version
from plugins.plugin_utils.tunnel import LOOPBACK

LOCKED_SECONDS = 120.0
"""For how long a change of owner is tried while something of the site holds a table."""
LISTED = 5
"""How many tables a message names."""
REFUSED = ("password authentication failed", "is not permitted to log in")
"""How PostgreSQL refuses a login."""


@dataclass(frozen=True)
class Users:
    """The users of one database, for as long as a host leads there.

    Attributes:
        name: of the database in the inventory.
        dbname: in the instance.
        found: the way there.
        server: as its master.
        say: shows a line.
    """

    name: str
    dbname: str
    found: Reached
    server: Server
    say: Say

    @property
    def master(self) -> str:
        """RDS's master user."""
        return self.server.login.user

    def able(self) -> set[str]:
        """Who may log in."""
        return {row[0] for row in self.server.ask("SELECT rolname FROM pg_roles WHERE rolcanlogin;")}

    def make(self, now: str, value: Mapping[str, Any], stays: str) -> None:
        """Have a user, as the server knows it; and the owner, whom all belongs to.

        Args:
            now: whom the site logs in as, or RDS's master: what that one may, the user is to.
            value: the user's login.
            stays: what the site goes on with if that is not so, as a sentence.

        Raises:
            Failed: it is not so.
            Broken: the server did not do what it was told.
        """
        user = str(value["username"])
        encryption = self.server.ask("SHOW password_encryption;")[0][0]
        kept = logins.verifier(user, str(value["password"]), encryption)
        self.server.ask(logins.made(user, self.master, kept))
        self.server.ask(logins.set_again(user, self.server.ask(logins.settings(now))))
        self.hand_over()
        if less := [row[0] for row in self.server.ask(logins.lacking(now, user), self.dbname)]:
            raise Failed(
                f"The user {user} of the database {self.name} may not use all that {now} may: {some(less, LISTED)}. "
                f"{stays} Let their owner type GRANT … TO {logins.owner(self.master)}, then type the same command "
                "again."
            )

    def hand_over(self) -> None:
        """All that the master user has in the site's databases becomes the owner's.

        Raises:
            Broken: something holds a table for too long.
        """
        found = self.server.ask(
            "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname <> 'postgres' AND "
            f"pg_get_userbyid(datdba) IN ('{self.master}', '{logins.owner(self.master)}') ORDER BY 1;"
        )
        for (database,) in found:
            wait = Wait(LOCKED_SECONDS, self.say, self.name)
            while True:
                try:
                    self.server.ask(logins.handed_over(self.master), database)
                    break
                except Broken as error:
                    if "lock timeout" not in str(error) or not wait.pause("what holds a table"):
                        raise

    def prove(self, value: Mapping[str, Any], stays: str) -> None:
        """Log in as a task will.

        Args:
            value: the user's login.
            stays: what the site goes on with if it acts as somebody else, as a sentence.

        Raises:
            Failed: it does.
        """
        acting, own = self._as(value).ask("SELECT current_user;", self.dbname)[0][0], logins.owner(self.master)
        if acting != own:
            raise Failed(
                f"The user {value['username']} of the database {self.name} acts as {acting}, not as {own}. {stays} "
                "Type the same command again."
            )
        self.say(self.name, f"{value['username']} logs in, and acts as {acting}", "green")

    def takes(self, value: Mapping[str, Any]) -> bool:
        """Whether the server lets in who is in a login.

        Raises:
            Broken: it says neither yes nor no.
        """
        return _takes(self._as(value))

    def _as(self, value: Mapping[str, Any]) -> Server:
        return _server(self.found, value)


@contextmanager
def opened(
    given: Mapping[str, Any], where: Mapping[str, Any], masters: Iterable[Version | None], say: Say
) -> Iterator[Users]:
    """The users of a database, for as long as the block.

    Args:
        given: `database`, `dbname`, `hosts`, `session_manager` and `region` of an action.
        where: of `database_way.place`.
        masters: the versions of the secret of RDS's master that it may have.
        say: shows a line.

    Raises:
        Failed: no host leads there, or it takes no password that the secret has.
    """
    with reached(given, where, say) as found:
        for version in masters:
            if version and _takes(server := _server(found, version.value)):
                yield Users(given["database"], given["dbname"], found, server, say)
                return
    raise Failed(
        f"The master user of the database {given['database']} is refused with the password in its secret "
        f"({where['secret']}). Set that of RDS again: aws rds modify-db-instance --db-instance-identifier "
        f"{where['instance']} --apply-immediately --master-user-password …"
    )


def _server(found: Reached, value: Mapping[str, Any]) -> Server:
    """The server, as who is in a login."""
    return Server(Login(LOOPBACK, found.port, str(value["username"]), str(value["password"]), found.mode))


def _takes(server: Server) -> bool:
    try:
        server.ask("SELECT 1;")
    except Broken as error:
        if not any(words in str(error) for words in REFUSED):
            raise
        return False
    return True

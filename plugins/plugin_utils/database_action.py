"""What the actions share whose work on a database takes long: what they are at, and the ways to the servers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from plugins.plugin_utils.aws_action import AwsAction
from plugins.plugin_utils.database_way import place
from plugins.plugin_utils.importing.amounts import TELL_SECONDS
from plugins.plugin_utils.importing.login import credentials, through
from plugins.plugin_utils.importing.postgres import Login, Server
from plugins.plugin_utils.importing.remote import Broken
from plugins.plugin_utils.restoring.instance import Instance

REFUSED = "authentication failed"


class DatabaseAction(AwsAction):
    """Base of them, with the arguments of the fragments `database_way` and `ssh_hosts`."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._told = time.monotonic()
        self._doing = ""  # what it is at, said where nothing else has been for a while

    @property
    def _name(self) -> str:
        """What the inventory calls the database."""
        return str(self.arguments["database"])

    def _say(self, text: str, color: str | None = None) -> None:
        self._told = time.monotonic()
        self.say(self._name, text, color)

    def _idle(self) -> None:
        """Say now and then what it is at."""
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._say(self._doing)

    def _tell(self, table: str, rows: int) -> None:
        self._doing = f"{table}: {rows:,} rows"
        self._idle()

    @contextmanager
    def _site_login(self) -> Iterator[Login]:
        """A way to the site's own server."""
        where = place(self.client, self.arguments)
        known = credentials(self.client, where["secret"], self._name)
        with through(self.arguments, where, known, self.say) as login:
            yield login

    @contextmanager
    def _login_beside(
        self, instance: Instance, found: Mapping[str, Any], pause: Callable[[str], None]
    ) -> Iterator[Login]:
        """A way to an instance beside, as its user with a password that nobody else has.

        Args:
            instance: it.
            found: it as RDS describes it.
            pause: waits a little for what it is told, and raises once that is in vain.
        """
        password = secrets.token_urlsafe(24)
        while not instance.let_in(password):
            pause("to take a password")
        where = {"address": found["Endpoint"]["Address"], "port": found["Endpoint"]["Port"]}
        with through(self.arguments, where, (found["MasterUsername"], password), self.say) as login:
            self._wait_to_be_let_in(login, lambda: pause("to know its new password"))
            yield login

    def _wait_to_be_let_in(self, login: Login, pause: Callable[[], None], database: str = "postgres") -> None:
        """RDS says that it has changed a password before the server knows it."""
        while True:
            try:
                Server(login, self._idle).ask("SELECT 1;", database)
                return
            except Broken as error:
                if REFUSED not in str(error):
                    raise
            pause()

"""Give a site a login of its databases that is not RDS's master."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.database_login import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.database_way import Unreached, check_programs, outputs, place
from plugins.plugin_utils.importing.remote import Broken
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.rotation import logins
from plugins.plugin_utils.rotation.users import opened
from plugins.plugin_utils.rotation.versions import CURRENT, Versions

ENGINE = "postgres"
"""As AWS calls it in a secret.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
"""
ADDRESS = ("host", "port", "dbname")
"""What in a secret says where the database is."""
NEW_HOST_SECONDS = 180.0
"""Until a host that has just joined lets this machine through: Session Manager's agent may come after ECS's."""
NOT_YET = "No task has its login yet."


class ActionModule(AwsAction):
    """See plugins/modules/database_login.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Make the logins that are missing, one after the other.

        Raises:
            Failed: a database cannot be reached, or its server did not do what it was told.
        """
        missing, masters = list[str](), list[str]()
        for name, database in self.arguments["databases"].items():
            self._name, self._database = name, database
            if not outputs(self.client, database["stack"]).get("LoginArn") and self._looks_only:
                missing.append(name)  # whose stack is yet to be made
                self._foresee({})
                continue
            where = place(self.client, {"database": name, "stack": database["stack"]})
            login = Versions(self.client("secretsmanager"), where["login"])
            current = login.at(CURRENT)
            known = current.value if current else {}
            there = self._address(where)
            if known.get("username") == database["username"]:
                masters.append(name)
                self._tell_master()
            elif any(str(known.get(key)) != str(there[key]) for key in ADDRESS):
                missing.append(name)
                if self._looks_only:
                    self._foresee(known)
                else:
                    self._make(where, login, known, there)
        changed = bool(missing) and (self.check_mode or not self._looks_only)
        return {"changed": changed, "missing": missing, "masters": masters}

    def _say(self, text: str, color: str | None = None) -> None:
        self.say(self._name, text, color)

    # What there is

    @property
    def _looks_only(self) -> bool:
        return self.check_mode or not self.arguments["hosts"]

    def _address(self, where: dict[str, Any]) -> dict[str, Any]:
        """What the secret is to say of the database."""
        return {
            "engine": ENGINE, "host": where["address"], "port": where["port"], "dbname": self._database["dbname"],
            "dbInstanceIdentifier": where["instance"],
        }  # fmt: skip

    def _user(self, known: dict[str, Any]) -> str:
        return str(known.get("username") or logins.turns(self._database["username"])[0])

    def _foresee(self, known: dict[str, Any]) -> None:
        if self.check_mode:
            why = "is another database now" if known else "the site has no login yet"
            self._say(f"{why}: {self._user(known)} would be made there")

    def _tell_master(self) -> None:
        self._say(
            f"the site logs in as {self._database['username']}, which is RDS's master, and goes on so. To give it "
            f"users of its own, type: {verb('rotate_secrets.yml')} -e database={self._name}",
            "yellow",
        )

    # What is done

    def _make(self, where: dict[str, Any], login: Versions, known: dict[str, Any], there: dict[str, Any]) -> None:
        """Have the user, prove it, and only then let tasks read it.

        Args:
            where: of `place`.
            login: the secret that tasks read.
            known: what is in it; empty at first.
            there: what it is to say of the database.
        """
        given = self.arguments | {"database": self._name, "dbname": self._database["dbname"]}
        check_programs(given["session_manager"], "psql")
        master = Versions(self.client("secretsmanager"), where["secret"])
        value = known | {"username": self._user(known), "password": known.get("password") or logins.password()} | there
        wait = Wait(NEW_HOST_SECONDS, self.say, self._name)
        try:
            while True:
                try:
                    with opened(given, where, (master.current, master.pending), self.say) as users:
                        users.make(users.master, value, NOT_YET)
                        users.prove(value, NOT_YET)
                    break
                except Unreached:
                    if not wait.pause("a host to lead to the database"):
                        raise
        except Broken as error:
            raise Failed(
                f"The server of the database {self._name} did not make the site's user: {str(error).rstrip('.')}. "
                f"{NOT_YET} When that is mended, type the same command again."
            ) from None
        login.put(value)
        self._say(f"tasks log in as {value['username']} from now on, not as RDS's master", "green")

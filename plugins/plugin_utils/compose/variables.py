"""The variables of a container: what stands under `environment` and what under `secrets`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.compose.addresses import ADDRESS, Addresses
from plugins.plugin_utils.compose.databases import Database
from plugins.plugin_utils.compose.environment import variable_name
from plugins.plugin_utils.compose.interpolation import missing_of, probe_of
from plugins.plugin_utils.compose.judging import complaints
from plugins.plugin_utils.compose.parts import Part
from plugins.plugin_utils.compose.report import Report
from plugins.plugin_utils.compose.secrets import MOUNTED, Secrets, file_of, identity, is_secret, of_aws
from plugins.plugin_utils.site.container import CONTAINER

OF_DATABASES = re.compile(r".*(DB|DATABASE|POSTGRES|PG|SQL|MARIADB).*", re.IGNORECASE)
USER, NAME, PORT = (
    re.compile(f".*({words})", re.IGNORECASE) for words in ("USER|USERNAME", "DB|NAME|DATABASE", "PORT")
)
PASSWORD = re.compile(r".*(PASSWORD|PASSWD|PASS|PWD)", re.IGNORECASE)
DSN = re.compile(
    r"(?P<scheme>(?:jdbc:)?[a-z][a-z0-9+.-]*)://(?:(?P<user>[^:@/\s]*)(?::(?P<password>[^@/\s]*))?@)?"
    r"(?P<host>[^:/?@\s]+)(?::[0-9]+)?(?:/(?P<name>[^?\s]*))?(?P<options>\?\S*)?",
    re.IGNORECASE,
)
LOGIN = re.compile(r"//[^/\s@]*@")
TLS = re.compile(r"(jdbc:)?postgres(ql)?(\+psycopg[23]?)?", re.IGNORECASE)
"""Schemes whose addresses take `sslmode`, as libpq does."""


@dataclass
class Variables:
    """The variables of a container.

    Attributes:
        environment, secrets: as the inventory has them.
        addresses: variable → its value for a shell, of what stands in other variables: a database's whole address.
        named: the services and databases that some variable names.
    """

    environment: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)


class Translator:
    """Makes the variables of containers.

    Args:
        databases: by their names in the Compose file.
        addresses: of the other services.
        secrets: of the site.
        report: to tell.
    """

    def __init__(
        self, databases: Mapping[str, Database], addresses: Addresses, secrets: Secrets, report: Report
    ) -> None:
        self._databases, self._addresses, self._secrets, self._report = databases, addresses, secrets, report

    def of(self, part: Part) -> Variables:
        """The variables of a service."""
        made = Variables()
        for name, value in part.variables.items():
            subject = f"{part.name}.environment.{name}"
            if reason := of_aws(name, value):
                self._report.drop(subject, reason)
            elif not (self._of_file(name, value, part, made) or self._of_database(name, value, made)):
                self._other(name, value, part, made)
        self._files(part, made)
        for name in set(made.environment) & set(made.secrets):
            del made.environment[name]
        return made

    # Compose's secrets are files; ECS's are variables.

    def _of_file(self, name: str, value: Any, part: Part, made: Variables) -> bool:
        if not (name.endswith("_FILE") and str(value).startswith(MOUNTED)):
            return False
        short = name.removesuffix("_FILE")
        made.secrets[short] = self._secret(short, file_of(value), part)
        self._report.choose(
            f"{part.name}.secrets.{short}", f"in place of the file in {name}: ECS has no files of secrets."
        )
        return True

    def _files(self, part: Part, made: Variables) -> None:
        files = {file_of(value) for value in part.variables.values() if str(value).startswith(MOUNTED)}
        for item in part.given.get("secrets") or []:
            name = str(item.get("source") or "") if isinstance(item, Mapping) else str(item)
            if ("file", name) in files:
                continue
            variable = variable_name(name)
            made.secrets[variable] = self._secret(variable, ("file", name), part)
            self._report.want(
                f"{part.name}.secrets.{variable}",
                f"ECS has no files of secrets: what reads {MOUNTED}{name} is to read this variable.",
            )

    def _secret(self, name: str, what: tuple[str, ...], part: Part) -> str:
        for database in self._databases.values():
            if what in database.passwords and (what[0] == "file" or OF_DATABASES.fullmatch(name)):
                return f"database.{database.entry}.password"
        return self._secrets.reference(name, what, part.name)

    # Databases

    def _of_database(self, name: str, value: Any, made: Variables) -> bool:
        probe = str(probe_of(value) if value is not None else "")
        found = DSN.fullmatch(probe)
        if found and found["host"] in self._databases:
            made.named.add(found["host"])
            self._address(name, found, self._databases[found["host"]], made)
            return True
        for database in self._databases.values():
            key = _attribute(name, value, database, len(self._databases) == 1)
            if key:
                made.named.add(database.service)
                self._put(name, database, key, made)
                return True
            if re.search(rf"(host=|@tcp\(|@|//|^){re.escape(database.service)}(?=[:/)\s])", probe):
                made.named.add(database.service)
                self._report.want(
                    f"environment.{name}", "has the address of the database in a form of its own: put it together in "
                    f"command, of database.{database.entry}.host, dbname, username and password.",
                )  # fmt: skip
                return True
        return False

    @staticmethod
    def _put(name: str, database: Database, key: str, made: Variables) -> None:
        reference = f"database.{database.entry}.{key}"
        if key in ("password", "username"):
            made.secrets[name] = reference
        else:
            made.environment[name] = {"from": reference}

    def _address(self, name: str, found: re.Match[str], database: Database, made: Variables) -> None:
        """A whole address: nobody stores it, as the password is in it; a shell puts it together."""
        prefix = variable_name("database", database.entry)
        keys = {"host": "HOST", "dbname": "NAME"}
        if found["user"] is not None:
            keys |= {"username": "USERNAME", "password": "PASSWORD"}
        for key, word in keys.items():
            self._put(f"{prefix}_{word}", database, key, made)
        login = f"${prefix}_USERNAME:${prefix}_PASSWORD@" if found["user"] is not None else ""
        options = found["options"] or ""
        if database.is_made and TLS.fullmatch(found["scheme"]) and "sslmode" not in options:
            options += f"{'&' if options else '?'}sslmode=require"
        made.addresses[name] = f"{found['scheme']}://{login}${prefix}_HOST:{database.port}/${prefix}_NAME{options}"

    # All others

    def _other(self, name: str, value: Any, part: Part, made: Variables) -> None:
        subject, probe = f"{part.name}.environment.{name}", probe_of(value)
        others = [each for each in self._addresses.mentioned(name, str(probe)) if each != part.name]
        made.named.update(others)
        if is_secret(name, value):
            what = identity(value)
            if others:  # an address with a password in it
                told = self._addresses.told(part.name, LOGIN.sub("//…@", str(probe)), others)
                self._report.want(subject, f"is an address with a password, to be stored whole: {told}.")
                made.secrets[name] = self._secrets.reference(name, what, part.name, given=True)
            else:
                made.secrets[name] = self._secret(name, what, part)
            return
        if value is None or missing_of(value):
            unset = ", ".join(f"${each}" for each in missing_of(value)) or f"${name}"
            self._report.want(subject, f"{unset} is set nowhere; Compose takes it from the shell or an .env.")
        told = self._addresses.told(part.name, str(value), others) if others else value
        told = "" if told is None else told
        problems = complaints(CONTAINER.keys["environment"].kind, {name: told}, part.name, "environment")
        for each in problems:
            self._report.drop(each.subject, each.sentence)
        if not problems:
            made.environment[name] = told


def _attribute(name: str, value: Any, database: Database, alone: bool) -> str:
    """What of a database a variable holds; empty if nothing."""
    text = "" if value is None else str(value)
    of_it = any(each.fullmatch(name) for each in (USER, PASSWORD, NAME))
    if text == database.service and (ADDRESS.fullmatch(name) or not of_it):
        return "host"
    if not OF_DATABASES.fullmatch(name):
        return ""
    if PASSWORD.fullmatch(name) and (identity(value) in database.passwords or (alone and "ROOT" not in name)):
        return "password"
    if USER.fullmatch(name) and text == database.user:
        return "username"
    if PORT.fullmatch(name) and text == str(database.port):
        return "port"
    return "dbname" if NAME.fullmatch(name) and text and text == database.name else ""

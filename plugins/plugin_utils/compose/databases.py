"""Databases of a Compose file: PostgreSQL becomes RDS's; another is one that has to exist."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.compose import images
from plugins.plugin_utils.compose.parts import Part
from plugins.plugin_utils.compose.report import Report
from plugins.plugin_utils.compose.secrets import Identity, file_of, identity
from plugins.plugin_utils.site.nouns.database import IDENTIFIER, KEPT_NAMES, KEPT_USERS, PORT
from plugins.plugin_utils.site.nouns.database import SCHEMA as DATABASE

MYSQL_PORT = 3306
VARIABLES: dict[str, dict[str, tuple[str, ...]]] = {
    "postgres": {"name": ("POSTGRES_DB",), "user": ("POSTGRES_USER",), "password": ("POSTGRES_PASSWORD",)},
    "mysql": {
        "name": ("MYSQL_DATABASE", "MARIADB_DATABASE"),
        "user": ("MYSQL_USER", "MARIADB_USER"),
        "password": ("MYSQL_PASSWORD", "MARIADB_PASSWORD", "MYSQL_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD"),
    },
}
"""What the images are told; https://hub.docker.com/_/postgres, https://hub.docker.com/_/mysql"""


@dataclass(frozen=True)
class Database:
    """A service that is a database.

    Attributes:
        service: its name in the Compose file.
        entry: of `site_databases`.
        keys: of the entry.
        is_made: whether Berth makes it.
        port: that it listens on.
        name: what the Compose file calls the database.
        user: and whoever owns it.
        passwords: how to tell its passwords from others.
    """

    service: str
    entry: str
    keys: dict[str, Any]
    is_made: bool
    port: int
    name: str
    user: str
    passwords: tuple[Identity, ...]


def databases(parts: Mapping[str, Part], report: Report) -> dict[str, Database]:
    """The databases, by the Compose file's names."""
    found = [part for part in parts.values() if part.is_database]
    return {part.name: _database(part, "main" if len(found) == 1 else part.container, report) for part in found}


def _database(part: Part, entry: str, report: Report) -> Database:
    told = VARIABLES[part.kind]
    name, user = _first(part, told["name"]), _first(part, told["user"])
    made = Database(
        part.name,
        entry,
        _rds(part, name, user, entry, report) if part.kind == "postgres" else _existing(name, entry, part, report),
        part.kind == "postgres",
        PORT if part.kind == "postgres" else MYSQL_PORT,
        name or user or ("postgres" if part.kind == "postgres" else ""),
        user or ("postgres" if part.kind == "postgres" else "root"),
        tuple(_passwords(part, told["password"])),
    )
    _tell_keys(part, entry, report)
    return made


def _first(part: Part, names: tuple[str, ...]) -> str:
    return next((str(part.variables[name]) for name in names if part.variables.get(name)), "")


def _passwords(part: Part, names: tuple[str, ...]) -> list[Identity]:
    found = [identity(part.variables[name]) for name in names if name in part.variables]
    return found + [file_of(part.variables[f"{name}_FILE"]) for name in names if part.variables.get(f"{name}_FILE")]


def _rds(part: Part, name: str, user: str, entry: str, report: Report) -> dict[str, Any]:
    keys: dict[str, Any] = {"engine": "postgres"}
    version = re.match(r"(?:pg)?([0-9]+)", images.tag(part.image))
    if version and int(version[1]) >= 10:
        keys["version"] = version[1]
    else:
        default = DATABASE.defaults()["version"]
        report.choose(f"site_databases.{entry}.version", f"{default}: {part.image} names none that RDS has.")
    if re.fullmatch(IDENTIFIER, name) and name.lower() not in KEPT_NAMES:
        keys["name"] = name
    if re.fullmatch(IDENTIFIER, user) and not KEPT_USERS.fullmatch(user):
        keys["username"] = user
    report.choose(
        f"site_databases.{entry}",
        f"PostgreSQL on RDS for the service {part.name}, with a password of its own; its backups are RDS's. What the "
        "old one holds comes by pg_dump and pg_restore (docs/move.md).",
    )
    if images.base(part.image) != "postgres":
        report.want(f"site_databases.{entry}", f"RDS chooses its extensions; what {part.image} adds may lack.")
    return keys


def _existing(name: str, entry: str, part: Part, report: Report) -> dict[str, Any]:
    engine: Any = DATABASE.keys["engine"].kind
    report.choose(f"site_databases.{entry}", f"{part.name} is {part.image}. {engine.instead['mysql']}")
    report.want(f"site_databases.{entry}.endpoint", "the host name of the database, for example of RDS.")
    report.want(f"site_databases.{entry}.secret_arn", "the ARN of its secret, JSON with username and password.")
    return {"endpoint": "", "port": MYSQL_PORT, **({"name": name} if re.fullmatch(IDENTIFIER, name) else {}),
            "secret_arn": ""}  # fmt: skip


def _tell_keys(part: Part, entry: str, report: Report) -> None:
    for key in part.given:
        if key not in ("image", "environment", "env_file"):
            report.drop(f"{part.name}.{key}", f"site_databases.{entry} takes the place of the container.")

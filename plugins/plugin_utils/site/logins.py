"""Who logs in to which database, by which variables: what a container takes of one by reference."""

from __future__ import annotations

from typing import Any

from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.nouns.database import Database
from plugins.plugin_utils.site.reference import Reference

NEEDED = "password"
"""Who does not take this one of a database logs in by a way of its own, which nobody else knows."""


def logins(site: Site) -> list[dict[str, Any]]:
    """One for each container of a service and each database that it takes the password of.

    Args:
        site: without problems.

    Returns:
        `service`, `container`, `database` (names), `variables` (attribute of the database → the container's variable
        that holds it), and `known` (attribute → what the inventory says, for what the container does not take).
    """
    found = []
    for service in site.services.values():
        for container in service.containers.values():
            taken: dict[str, dict[str, str]] = {}
            for variable, value in {**container.environment, **container.secrets}.items():
                if isinstance(value, Reference) and value.noun == "database":
                    taken.setdefault(value.entry, {})[value.attribute] = variable
            for name, variables in sorted(taken.items()):
                if NEEDED in variables:
                    names = {"service": service.entry, "container": container.name, "database": name}
                    found.append({**names, "variables": variables, "known": _known(site.databases[name])})
    return found


def _known(database: Database) -> dict[str, str]:
    if not database.endpoint:
        # Not the user: it is another one after a rotation.
        return {"dbname": database.name}
    return {"host": database.endpoint, "port": str(database.port), "dbname": database.name}

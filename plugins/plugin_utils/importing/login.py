"""How PostgreSQL's programs of this machine come to a database, through a host of the site."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from plugins.plugin_utils.aws_action import Failed, Say
from plugins.plugin_utils.database_way import reached
from plugins.plugin_utils.importing.postgres import Login
from plugins.plugin_utils.tunnel import LOOPBACK


def credentials(client: Callable[[str], Any], secret: str, name: str) -> tuple[str, str]:
    """User and password of a database of the site.

    Args:
        client: makes boto3 clients.
        secret: ARN of the database's.
        name: of the database in the inventory.

    Raises:
        Failed: they are not in it.
    """
    told = json.loads(client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    if lack := {"username", "password"} - told.keys():
        raise Failed(f"The secret of the database {name} has no {' and no '.join(sorted(lack))} in it.")
    return told["username"], told["password"]


@contextmanager
def through(
    given: Mapping[str, Any], where: Mapping[str, Any], credentials: tuple[str, str], say: Say
) -> Iterator[Login]:
    """A way to a database, for as long as the block.

    Args:
        given: `database`, `hosts`, `session_manager` and `region` of an action.
        where: `address` and `port` of the database behind the hosts.
        credentials: user and password.
        say: shows a line.

    Raises:
        Failed: no host leads there.
    """
    user, password = credentials
    with reached(given, where, say) as found:
        yield Login(LOOPBACK, found.port, user, password, found.mode)

"""How PostgreSQL's programs of this machine come to a database, through a host of the site."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from plugins.plugin_utils.aws_action import Failed, Say, Wait
from plugins.plugin_utils.database_way import behind
from plugins.plugin_utils.importing.postgres import Login
from plugins.plugin_utils.tunnel import LOOPBACK, Host, Way, by_session_manager, by_ssh_tied, held

READY_SECONDS = 30.0
"""Within which a port leads through a host and the database answers."""
MOST_HOSTS = 5
"""How many hosts are tried."""


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
    name, reasons = given["database"], []
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        way = Way(free.getsockname()[1], where["address"], where["port"])
    for host in [Host.of(each) for each in given["hosts"]][:MOST_HOSTS]:
        command = by_session_manager(way, host, given["region"]) if given["session_manager"] else by_ssh_tied(way, host)
        with held(command, tied=True) as holder:
            trouble, encrypted = behind(holder, way, Wait(READY_SECONDS, say, name))
            if not trouble:
                say(name, f"through {host.name} to {way.address}")
                user, password = credentials
                yield Login(LOOPBACK, way.port, user, password, "require" if encrypted == "S" else "prefer")
                return
            reasons.append(f"{host.name}: {trouble.rstrip('.')}")
    raise Failed(
        f"No host leads to the database {name} at {way.address}:{way.to}. {'. '.join(reasons)}. Port 22 of a "
        "host is open to host_admin_cidrs only; host_access_session_manager: true needs no port."
    )

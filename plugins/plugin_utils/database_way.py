"""Where a database of the site is, and whether it answers behind a port that leads there."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Failed, Say, Wait
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.tunnel import LOOPBACK, Held, Host, Way, answer, by_session_manager, by_ssh_tied, held

PROGRAMS = {
    "ssh": "Install an OpenSSH client.",
    "psql": "Install the package postgresql-client.",
    "aws": "Install the AWS CLI: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    "session-manager-plugin": "Install it: https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "session-manager-working-with-install-plugin.html",
}

READY_SECONDS = 30.0
"""Within which a port leads through a host and the database answers."""
MOST_HOSTS = 5
"""How many hosts are tried."""


class Unreached(Failed):
    """No host leads to a database, for now at least."""


@dataclass(frozen=True)
class Reached:
    """A database behind a port of this machine.

    Attributes:
        port: of the loopback.
        mode: libpq's sslmode that it is to be asked with.
    """

    port: int
    mode: str


def check_programs(session_manager: bool, *more: str) -> None:
    """Whether this machine has what leads to a host.

    Args:
        session_manager: whether the way is Session Manager.
        more: programs that are needed besides, by which a database is asked.

    Raises:
        Failed: it has not.
    """
    for name in ("aws", "session-manager-plugin") if session_manager else ("ssh",):
        if shutil.which(name) is None:
            raise Failed(f"This machine has no {name}, by which hosts are reached. {PROGRAMS[name]}")
    for name in more:
        if shutil.which(name) is None:
            raise Failed(f"This machine has no {name}, by which a database is asked. {PROGRAMS[name]}")


def place(client: Callable[[str], Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Address, port and secret of a database.

    Args:
        client: makes boto3 clients.
        given: `database`, and its `stack`; or where that is empty `address`, `to_port` and `secret`.

    Raises:
        Failed: it is not up.

    Returns:
        `address`, `port`, `secret`, which is RDS's master's, and of a database of Berth `login`, the secret that the
        site logs in with (empty of a stack that has none yet), and `instance`, its id.
    """
    if not given["stack"]:
        return {"address": given["address"], "port": given["to_port"], "secret": given["secret"]}
    found = outputs(client, given["stack"])
    if "Endpoint" not in found:
        raise Failed(f"The database {given['database']} is not up (stack {given['stack']}). Type: {verb('site.yml')}")
    return {
        "address": found["Endpoint"], "port": int(found["Port"]), "secret": found["SecretArn"],
        "login": found.get("LoginArn", ""), "instance": found.get("InstanceId", ""),
    }  # fmt: skip


def outputs(client: Callable[[str], Any], stack: str) -> dict[str, str]:
    """The outputs of a stack; none if it is not there."""
    try:
        found = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in error.response["Error"].get("Message", ""):
            raise
        return {}
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def behind(holder: Held, way: Way, wait: Wait) -> tuple[str, str]:
    """Wait until a database answers behind a port.

    Args:
        holder: the program that holds the port.
        way: the port, and where it leads.
        wait: for how long.

    Returns:
        Why it does not answer, empty if it does; and then `S` if it speaks TLS, `N` if not.
    """
    found = "-"
    while not holder.is_over:
        found = answer(way.port)
        if found in ("S", "N"):
            return "", found
        if not wait.pause("the database to answer"):
            lack = "nothing answers behind it" if found != "-" else "the port is not open"
            return f"{lack} after {wait.seconds:.0f} s", ""
    return holder.reason, ""


@contextmanager
def reached(given: Mapping[str, Any], where: Mapping[str, Any], say: Say) -> Iterator[Reached]:
    """A database behind a free port of this machine, through the first host that leads there, while the block runs.

    Args:
        given: an action's arguments: `database`, `hosts`, `session_manager`, `region`.
        where: of `place`.
        say: shows a line.

    Raises:
        Unreached: none leads there.
    """
    name = given["database"]
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        way = Way(free.getsockname()[1], where["address"], where["port"])
    reasons = []
    for host in [Host.of(each) for each in given["hosts"]][:MOST_HOSTS]:
        by_manager = given["session_manager"]
        command = by_session_manager(way, host, given["region"]) if by_manager else by_ssh_tied(way, host)
        with held(command, tied=True) as holder:
            trouble, encrypted = behind(holder, way, Wait(READY_SECONDS, say, name))
            if not trouble:
                say(name, f"through {host.name} to {way.address}")
                yield Reached(way.port, "require" if encrypted == "S" else "prefer")
                return
            reasons.append(f"{host.name}: {trouble.rstrip('.')}")
    raise Unreached(
        f"No host leads to the database {name} at {way.address}:{way.to}. {'. '.join(reasons)}. Port 22 of a host is "
        "open to host_admin_cidrs only; host_access_session_manager: true needs no port."
    )

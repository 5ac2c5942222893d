"""Where a database of the site is, and whether it answers behind a port that leads there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Failed, Wait
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.tunnel import Held, Way, answer

PROGRAMS = {
    "ssh": "Install an OpenSSH client.",
    "aws": "Install the AWS CLI: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    "session-manager-plugin": "Install it: https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "session-manager-working-with-install-plugin.html",
}


def check_programs(session_manager: bool) -> None:
    """Whether this machine has what leads to a host.

    Raises:
        Failed: it has not.
    """
    for name in ("aws", "session-manager-plugin") if session_manager else ("ssh",):
        if shutil.which(name) is None:
            raise Failed(f"This machine has no {name}, by which hosts are reached. {PROGRAMS[name]}")


def place(client: Callable[[str], Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Address, port and secret of a database.

    Args:
        client: makes boto3 clients.
        given: `database`, and its `stack`; or where that is empty `address`, `to_port` and `secret`.

    Raises:
        Failed: it is not up.
    """
    if not given["stack"]:
        return {"address": given["address"], "port": given["to_port"], "secret": given["secret"]}
    stack = given["stack"]
    try:
        found = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in error.response["Error"].get("Message", ""):
            raise
        found = {}
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    if "Endpoint" not in outputs:
        raise Failed(f"The database {given['database']} is not up (stack {stack}). Type: {verb('site.yml')}")
    return {"address": outputs["Endpoint"], "port": int(outputs["Port"]), "secret": outputs["SecretArn"]}


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

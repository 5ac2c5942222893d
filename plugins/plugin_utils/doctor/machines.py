"""The hosts themselves: what EC2 and ECS say of each, and its console where it has not joined.

Asks GetConsoleOutput; the rest is what was asked for already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.consoles import SAID, Consoles, boot_report
from plugins.plugin_utils.container_log import readable
from plugins.plugin_utils.doctor.signature import CONSOLE, HOST, Evidence

LINES = 200
"""Of a console: the end of what a host said when it booted."""
MOST = 5
"""How many consoles are read: a call each, and what ails one host ails the others."""


def of_instance(instance: Mapping[str, Any]) -> Iterator[Evidence]:
    """What EC2 says of an instance that keeps it from being a host."""
    about = f"host {instance['InstanceId']}"
    state = str(instance.get("State", {}).get("Name", ""))
    if state and state not in ("running", "pending"):
        why = instance.get("StateReason", {}).get("Message") or instance.get("StateTransitionReason", "")
        yield Evidence(HOST, about, f"instance state: {state}" + (f" ({why})" if why else ""), "ec2")
        if why:
            yield Evidence(HOST, about, why, "ec2")
    elif not instance.get("IamInstanceProfile"):
        yield Evidence(HOST, about, "instance profile: none", "ec2")


def of_status(host: Mapping[str, Any], provider: str | None) -> Iterator[Evidence]:
    """What ECS says of a host.

    Args:
        host: of the status.
        provider: its capacity provider; empty for none, None where that is not known.
    """
    about = f"host {host['instance']}"
    if host["state"] in ("not joined", "terminating"):
        return
    if not host["agent"]["connected"]:
        yield Evidence(HOST, about, "its ECS agent is not connected", "ecs")
    if provider == "":
        yield Evidence(HOST, about, "belongs to no capacity provider", "ecs")


def of_consoles(ec2: Any, names: Iterable[str]) -> Iterator[Evidence]:
    """The last lines of the consoles of hosts that have not joined."""
    consoles = Consoles(lambda: ec2)
    for name in list(names)[:MOST]:
        whole = consoles.whole(name)
        # What its own report says is on the console too, behind a stamp.
        lines = [*boot_report(whole), *(line for line in whole.splitlines()[-LINES:] if not SAID.search(line))]
        for line in lines:
            if line.strip():
                yield Evidence(CONSOLE, f"host {name}", readable(line.rstrip())[:300])

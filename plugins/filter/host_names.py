"""Short names for the hosts: host-a to host-z, host-aa, as many as there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

NAMED = re.compile(r"^Host host-(?P<label>[a-z]+) \S+ (?P<host>\S+)$", re.MULTILINE)
"""A host in a file that playbooks/templates/ssh.cfg.j2 made."""


def label(number: int) -> str:
    """`a` for 0, `z` for 25, `aa` for 26, as columns of a spreadsheet are called."""
    letters = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("a") + letter) + letters
    return letters


def host_labels(hosts: Iterable[str], before: str) -> dict[str, str]:
    """Host → its label, the last part of its short name.

    A host that had a label keeps it, so that the others' names stay what they were when one leaves. The others take the
    first labels that are free, in their order.

    Args:
        hosts: names in the inventory, in the order of their launch.
        before: what the file with the former names holds, nothing if there is none.
    """
    here = list(hosts)
    present = set(here)
    named = {match["label"]: match["host"] for match in NAMED.finditer(before)}
    kept = {host: text for text, host in named.items() if host in present}
    taken = set(kept.values())
    free = (text for text in map(label, range(len(here))) if text not in taken)
    return {host: kept.get(host) or next(free) for host in here}


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"host_labels": host_labels}

"""What a failure is known by, and the line in which it was found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from plugins.plugin_utils.places import typed_inventory, verb

EVENT, DEPLOYMENT, TASK, LOG = "service event", "deployment", "stopped task", "log"
TARGET, BALANCER, STACK, ACTIVITY = "target", "load balancer", "stack event", "scaling activity"
HOST, CONSOLE, SSH, SCHEDULE = "host", "console", "ssh", "schedule"
TRIED, RIGHT, LOGIN, SESSION, MESSAGE = "verify", "right", "login", "session", "message"
KINDS = (
    EVENT, DEPLOYMENT, TASK, LOG, TARGET, BALANCER, STACK, ACTIVITY, HOST, CONSOLE, SSH, SCHEDULE, TRIED, RIGHT, LOGIN,
    SESSION, MESSAGE,
)  # fmt: skip
"""Where a line is found."""
HOSTS = (HOST, CONSOLE)
DATA = (LOG, LOGIN)
"""Where a database's refusals stand: what a program wrote, and what this tried from inside its task."""
DONE = (TRIED, LOGIN, SESSION, MESSAGE)
"""What was done here: where it went wrong, that is a proof by itself, in whatever words."""
STARTS = (TASK, TRIED)
"""What says why a task did not start: of the site's own, and of those that `verify` starts."""
REASONS = (STACK, ACTIVITY)
ON_HOST = "on-host "
"""How a command begins that is typed for the host."""
VERB = re.compile(r"[a-z_]+\.yml\b")
ENTRY = re.compile(r"\b(service|job)\.([a-z0-9-]+)")


@dataclass(frozen=True)
class Evidence:
    """One line of what was found.

    Attributes:
        kind: one of `KINDS`.
        about: `service.web`, `host i-…`, a layer.
        text: the line, as AWS, Docker or the program wrote it.
        place: where exactly, a task or a section of what a host said; empty where the kind says all.
    """

    kind: str
    about: str
    text: str
    place: str = ""


class _Words(dict[str, str]):
    """What a text with `{name}` is filled with; what nobody knows stays a word for it."""

    def __missing__(self, key: str) -> str:
        return f"<{key}>"


@dataclass(frozen=True)
class Signature:
    """A failure that is known.

    Attributes:
        name: a word for it, in JSON and in the documentation.
        where: kinds of the lines in which it is looked for.
        pattern: what is found there, whatever its case. Its named groups may be used in the other texts, as `{group}`.
        cause: why it is so, in one sentence.
        types: the command that helps: a verb with its options, ``on-host`` and a command, or a command as it stands.
            `{noun}` and `{entry}` are what the line is about, `{host}` an instance.
        mend: what to change before, mostly in the inventory.
        told: whether stacks and waits for hosts too put `mend` behind a reason of AWS (known_reasons.py).
        vague: whether it says only that something is wrong, and is left out where another says what.
    """

    name: str
    where: tuple[str, ...]
    pattern: str
    cause: str
    types: str
    mend: str = ""
    told: bool = False
    vague: bool = False
    compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", re.compile(self.pattern, re.IGNORECASE))

    def found(self, evidence: Evidence) -> re.Match[str] | None:
        """Where a line has it."""
        return self.compiled.search(evidence.text) if evidence.kind in self.where else None

    def filled(self, text: str, match: re.Match[str], about: str = "") -> str:
        """One of the texts, with what was found.

        Args:
            text: `cause`, `mend` or `types`.
            match: of `found`.
            about: of the evidence.
        """
        return text.format_map(_Words(_known(match.groupdict(), about)))

    def command(self, match: re.Match[str], about: str) -> str:
        """What to type, from where the person stands."""
        words = _known(match.groupdict(), about)
        given = self.types
        if given.startswith(ON_HOST):
            host = words.get("host", "<instance id>")
            given = f"ansible {host} {typed_inventory()} -b -a '{given.removeprefix(ON_HOST)}'"
        elif found := VERB.match(given):
            given = verb(found[0]) + given[found.end() :]
        return given.format_map(_Words({"noun": "service"} | words))


def _known(groups: Mapping[str, str | None], about: str) -> dict[str, str]:
    words = {key: value for key, value in groups.items() if value}
    if entry := ENTRY.search(about):
        words |= {"noun": entry[1], "entry": entry[2]}
    if about.startswith("host "):
        words["host"] = about.removeprefix("host ")
    return words

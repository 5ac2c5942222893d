"""What a check comes to, and the table of all of them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from plugins.plugin_utils.aws_action import reason

State = Literal["OK", "WRONG", "NOT ASKED"]
OK: State = "OK"
WRONG: State = "WRONG"
NOT_ASKED: State = "NOT ASKED"
COLORS: dict[State, str] = {OK: "green", WRONG: "red", NOT_ASKED: "yellow"}
CHECKS = ("image", "secret", "role", "log", "way in", "volume", "database", "room", "last good release")
"""What is checked, in the order of the table."""
WIDTH = 132
"""Characters of a line."""


@dataclass(frozen=True)
class Finding:
    """One line of the table.

    Attributes:
        check: one of `CHECKS`.
        subject: what it is about: `service.web/<container>`, `database.main`.
        what: what was asked of it, in a few words.
        state: see `State`.
        reason: why; of what is OK what was seen, empty if that is `what`.
    """

    check: str
    subject: str
    what: str
    state: State
    reason: str = ""


def attempt(check: str, subject: str, what: str, question: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """The findings of a question; one that is NOT ASKED where AWS does not answer it, for want of a right for example.

    Args:
        check, subject, what: of that finding.
        question: asks.
    """
    try:
        return list(question())
    except (BotoCoreError, ClientError) as error:
        return [Finding(check, subject, what, NOT_ASKED, reason(error))]


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """By check, then by subject; what was said twice once."""
    return sorted(dict.fromkeys(findings), key=lambda each: (CHECKS.index(each.check), each.subject))


def lines(findings: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    """The table: each line with Ansible's name of its color. A reason that is long goes on below itself."""
    found = ordered(findings)
    subjects = max((len(each.subject) for each in found), default=0)
    whats = max((len(each.what) for each in found), default=0)
    for each in found:
        begin = f"{each.state:<9}  {each.subject:<{subjects}}  {each.what:<{whats}}  "
        room = max(40, WIDTH - len(begin))
        parts = textwrap.wrap(each.reason, room, break_long_words=False, break_on_hyphens=False) or [""]
        yield (begin + parts[0]).rstrip(), COLORS[each.state]
        for part in parts[1:]:
            yield " " * len(begin) + part, COLORS[each.state]


def plain(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """As JSON has them."""
    return [asdict(each) for each in ordered(findings)]


def count(findings: Iterable[Finding], state: State) -> int:
    """How many are so."""
    return sum(each.state == state for each in findings)

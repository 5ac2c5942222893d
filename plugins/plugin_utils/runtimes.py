"""The runtimes of Lambda, and until when it takes them.

`SOURCE` says it, and cfn-lint carries it; a test compares the two, so that a newer cfn-lint says which line is to be
changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

SOURCE = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"
WARNED_DAYS = 90
"""How long before the end a run begins to say so: as long as AWS does by mail."""


@dataclass(frozen=True)
class Runtime:
    """A runtime of Lambda.

    Attributes:
        block_create: the first day on which Lambda makes no function of it any more.
        successor: what to write instead; empty for the newest of its kind.
    """

    block_create: date
    successor: str = ""


RUNTIMES: Mapping[str, Runtime] = {
    "python3.14": Runtime(date(2029, 7, 31)),
    "python3.13": Runtime(date(2029, 7, 31), "python3.14"),
    "python3.12": Runtime(date(2028, 11, 30), "python3.14"),
    "python3.11": Runtime(date(2027, 7, 31), "python3.14"),
    "python3.10": Runtime(date(2027, 2, 1), "python3.14"),
    "python3.9": Runtime(date(2027, 2, 1), "python3.14"),
    "python3.8": Runtime(date(2027, 2, 1), "python3.14"),
    "python3.7": Runtime(date(2024, 1, 9), "python3.14"),
    "nodejs24.x": Runtime(date(2028, 6, 1)),
    "nodejs22.x": Runtime(date(2027, 6, 1), "nodejs24.x"),
    "nodejs20.x": Runtime(date(2027, 2, 1), "nodejs24.x"),
    "nodejs18.x": Runtime(date(2027, 2, 1), "nodejs24.x"),
    "nodejs16.x": Runtime(date(2027, 2, 1), "nodejs24.x"),
    "nodejs14.x": Runtime(date(2024, 1, 9), "nodejs24.x"),
    "ruby4.0": Runtime(date(2029, 4, 30)),
    "ruby3.4": Runtime(date(2028, 4, 30), "ruby4.0"),
    "ruby3.3": Runtime(date(2027, 4, 30), "ruby4.0"),
    "ruby3.2": Runtime(date(2027, 2, 1), "ruby4.0"),
    "ruby2.7": Runtime(date(2024, 1, 9), "ruby4.0"),
    "java25": Runtime(date(2029, 7, 31)),
    "java21": Runtime(date(2029, 7, 31), "java25"),
    "java17": Runtime(date(2027, 7, 31), "java25"),
    "java11": Runtime(date(2027, 7, 31), "java25"),
    "java8.al2": Runtime(date(2027, 7, 31), "java25"),
    "dotnet10": Runtime(date(2028, 12, 14)),
    "dotnet8": Runtime(date(2027, 2, 1), "dotnet10"),
    "provided.al2023": Runtime(date(2029, 7, 31)),
    "provided.al2": Runtime(date(2027, 2, 1), "provided.al2023"),
    "go1.x": Runtime(date(2024, 2, 8), "provided.al2023"),
}
"""What functions may be of. One that has ended stands here where people still have it, to be told what to write."""


def refusal(name: str, today: date) -> str:
    """Why Lambda makes no function of a runtime any more, and what to write; empty where it does."""
    found = RUNTIMES.get(name)
    if not found or today < found.block_create:
        return ""
    return f"is {name}, of which Lambda makes no function since {found.block_create} ({SOURCE}). {_instead(found)}"


def warning(name: str, today: date) -> str:
    """That a runtime ends within `WARNED_DAYS`; empty where it does not."""
    found = RUNTIMES.get(name)
    if not found or not 0 < (found.block_create - today).days <= WARNED_DAYS:
        return ""
    return f"is {name}, of which Lambda makes no function from {found.block_create} on ({SOURCE}). {_instead(found)}"


def _instead(found: Runtime) -> str:
    return f"Write {found.successor}." if found.successor else "Look there for a newer one."

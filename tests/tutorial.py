"""docs/tutorial.md as what a person does with it, in its order: files to write, commands to type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from plugins.plugin_utils.markdown import FENCE, slug
from scripts.docs_pages import MARK, PROJECT, filled

PATH = "docs/tutorial.md"
ACCOUNT = "an-account"
"""What the mark `wants` says of commands that nobody can type without an AWS account."""


@dataclass(frozen=True)
class Shown:
    """A file that the page shows.

    Attributes:
        path: where it stands in the project.
        text: its content, as the built page has it.
    """

    path: str
    text: str


@dataclass(frozen=True)
class Typed:
    """A command that the page says to type.

    Attributes:
        section: anchor of the heading under which it stands.
        command: as it stands there, without the prompt.
        wants: what the mark above its block says that it takes; empty where there is none.
    """

    section: str
    command: str
    wants: str


def steps(page: str) -> Iterator[Shown | Typed]:
    """What the page shows and says to type.

    Args:
        page: its Markdown, as it stands in the project.

    Raises:
        ValueError: a block of commands has a line that is none, or a mark stands above nothing.
    """
    anchor = wants = fence = ""
    for line in page.splitlines():
        if FENCE.match(line):
            fence = "" if fence else line.strip("`") or "text"
            wants = wants if fence else ""
        elif fence == "console":
            if not line.startswith("$ "):
                raise ValueError(f"{PATH}: {line!r} is no command; what is typed stands on one line behind `$ `.")
            yield Typed(anchor, line.removeprefix("$ "), wants)
        elif fence:
            continue
        elif wants and line:
            raise ValueError(f"{PATH}: the mark {wants!r} belongs right above a block of commands, not above {line!r}.")
        elif line.startswith("## "):
            anchor = slug(line.removeprefix("## "))
        elif (mark := MARK.match(line)) and mark["how"] == "wants":
            wants = mark["what"]
        elif mark and mark["how"] == "from" and not re.search(r"\.md(#|$)", mark["what"]):
            block = filled(line, PATH).splitlines()
            yield Shown(mark["what"], "\n".join(block[1:-1]) + "\n")


def of_the_page() -> list[Shown | Typed]:
    """What docs/tutorial.md shows and says to type."""
    return list(steps((PROJECT / PATH).read_text()))

"""Which entry of the page about messages explains one.

The page is its own index. What stands as code in the heading of an entry, or in the line `Also:` below it, is a part of
the messages that the entry explains; `…` stands for what differs from run to run, within one line.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from plugins.plugin_utils.markdown import headings, slug

PROJECT = Path(__file__).resolve().parents[2]
PATH = "docs/troubleshooting.md"
ADDRESS = PATH
"""Where a person finds the page: in the project, as the documentation has no public home yet."""
OTHER = "another-message"
"""Anchor of the entry for what no other explains: words of AWS, Docker or Ansible that nobody has met here."""
CODE = re.compile(r"`([^`]+)`")
ALSO = "Also: "


@dataclass(frozen=True)
class Entry:
    """An entry of the page.

    Attributes:
        anchor: of its heading.
        level: of its heading.
        messages: the parts of messages that it explains.
        body: what stands below its heading, without the line `Also:`.
    """

    anchor: str
    level: int
    messages: tuple[str, ...]
    body: str

    def found(self, message: str) -> int | None:
        """Where the message has something that the entry explains; None if nowhere."""
        places = [match.start() for part in self.messages if (match := pattern(part).search(message))]
        return min(places, default=None)


def pattern(part: str) -> re.Pattern[str]:
    """What finds a part of a message as the page has it."""
    return re.compile(r"[^\n]*?".join(re.escape(each) for each in part.split("…")))


@functools.cache
def entries() -> tuple[Entry, ...]:
    """The entries of the page, in its order; none in a copy of the project without it."""
    page = PROJECT / PATH
    return read(page.read_text(encoding="utf-8")) if page.is_file() else ()


def read(page: str) -> tuple[Entry, ...]:
    """The entries of a page: all its headings but the title."""
    lines, there = page.splitlines(), headings(page)
    ends = [*(number for number, _, _ in there), len(lines)][1:]
    found = []
    for (number, level, title), end in zip(there, ends, strict=True):
        paragraphs = "\n".join(lines[number + 1 : end]).strip().split("\n\n")
        also = [each for each in paragraphs if each.startswith(ALSO)]
        messages = [" ".join(part.split()) for text in (title, *also) for part in CODE.findall(text)]
        body = "\n\n".join(each for each in paragraphs if each not in also)
        if level > 1:
            found.append(Entry(slug(title), level, tuple(messages), body))
    return tuple(found)


def anchor(message: str) -> str:
    """The anchor of the entry that explains a message.

    Of several that do, it is the one with the deepest heading; where several are equally deep, as in a list of
    complaints, a heading above them that is in the message too; else the one whose words come first.
    """
    places = {entry: place for entry in entries() if (place := entry.found(message)) is not None}
    for level in sorted({entry.level for entry in places}, reverse=True):
        of_level = [entry for entry in places if entry.level == level]
        if len(of_level) == 1:
            return of_level[0].anchor
    return min(places, key=lambda entry: places[entry]).anchor if places else OTHER


def see(message: str) -> str:
    """The last line of a message: where it is explained."""
    return f"See {ADDRESS}#{anchor(message)}"

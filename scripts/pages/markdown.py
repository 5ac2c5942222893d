"""Markdown: what pages are made of, and parts of pages that stand elsewhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence

from plugins.plugin_utils.markdown import FENCE, headings, slug

LINK = re.compile(r"(\[(?:[^][]|\[[^][]*\])*\])\(([^()\s#]*)(#[^()\s]*)?\)")


def plain(text: str) -> str:
    """A text as it stands, whatever Markdown would make of it."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", text)


def code(text: str) -> str:
    """A text as code, fit for a cell."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}".replace("|", r"\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def section(text: str, anchor: str) -> tuple[int, str]:
    """What stands under a heading, without it: the heading's level, and the text with its subsections.

    Args:
        text: the page.
        anchor: the heading's; empty for what stands under the title, before all other headings.

    Raises:
        KeyError: the page has no such heading.
    """
    lines, there = text.splitlines(), headings(text)
    for place, (number, level, title) in enumerate(there):
        if slug(title) == anchor or (not anchor and level == 1):
            ends = [line for line, other, _ in there[place + 1 :] if other <= level or not anchor]
            return level, "\n".join(lines[number + 1 : ends[0] if ends else len(lines)]).strip("\n") + "\n"
    raise KeyError(anchor)


def deeper(text: str, by: int) -> str:
    """The text with its headings that many levels deeper; less deep if negative."""
    lines = text.splitlines()
    for number, level, title in headings(text):
        lines[number] = f"{'#' * (level + by)} {title}"
    return "\n".join(lines) + "\n"


def relinked(text: str, change: Callable[[str, str, str], str]) -> str:
    """The text with its links changed, but for those in blocks of code.

    Args:
        text: of a page.
        change: of a link's text with its brackets, its target and its anchor with `#` makes the link; called for links
            within the project only.
    """
    lines, fenced = text.splitlines(), False

    def one(found: re.Match[str]) -> str:
        outside = re.match(r"[a-z]+:", found[2])
        return found[0] if outside else change(found[1], found[2], found[3] or "")

    for number, line in enumerate(lines):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            lines[number] = LINK.sub(one, line)
    return "\n".join(lines) + "\n"


def moved(text: str, origin: str, page: str) -> str:
    """The text of one page as it has to stand on another, with links that lead to the same.

    Args:
        text: of a part of the page `origin`.
        origin: path of that page in the project.
        page: path of the page where it is to stand.
    """
    here, there = posixpath.dirname(page) or ".", posixpath.dirname(origin)

    def link(words: str, target: str, anchor: str) -> str:
        path = posixpath.normpath(posixpath.join(there, target)) if target else origin
        return f"{words}({posixpath.relpath(path, here)}{anchor})"

    return relinked(text, link)

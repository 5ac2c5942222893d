"""The headings of a page of Markdown, and the anchors that they get."""

from __future__ import annotations

import re

FENCE = re.compile(r"^ *(```|~~~)")
HEADING = re.compile(r"^(#+) +(.+?) *$")


def slug(heading: str) -> str:
    """The anchor that GitHub, and MyST after it, gives a heading.

    https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links
    """
    words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def headings(text: str) -> list[tuple[int, int, str]]:
    """The headings of a page: line (from 0), level and text. What stands in a block of code is none."""
    found, fenced = [], False
    for number, line in enumerate(text.splitlines()):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced and (heading := HEADING.match(line)):
            found.append((number, len(heading[1]), heading[2]))
    return found

"""What ails a site, as lines of a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from plugins.plugin_utils.ecs import some

WIDTH = 132
Line = tuple[str, str | None]
"""Text, and Ansible's name of its color."""
BAD, WARN, GOOD, DIM = "red", "yellow", "green", "bright gray"


def rendered(model: Mapping[str, Any]) -> Iterator[Line]:
    """The lines: each finding with its evidence, its cause and what to type."""
    for each in model["findings"]:
        yield f"{each['about']}: {each['signature']}", BAD
        for seen in each["evidence"]:
            place = f" {seen['place']}" if seen["place"] else ""
            yield from _part("seen", f"{seen['where']}{place}: {seen['line']}", DIM)
        if each["lines"] > len(each["evidence"]):
            yield from _part("", f"{each['lines']} lines say so", DIM)
        yield from _part("cause", each["cause"], None)
        if each["mend"]:
            yield from _part("do", each["mend"], None)
        yield f"  type   {each['type']}", WARN
        yield "", None
    for each in model["unexplained"]:
        yield f"{each['about']}: {each['what']}", BAD
        yield from _part("cause", "Nothing that was found explains it.", None)
        if each["type"]:
            yield f"  type   {each['type']}", WARN
        yield "", None
    for each in model["done"]:
        yield from _done(each)
    if model["not_looked_at"]:
        yield f"Not looked at by ssh: {some(model['not_looked_at'])}.", DIM
    if not model["findings"] and not model["unexplained"]:
        yield f"{model['asked']} lines were looked at, and none tells of a failure that is known.", GOOD


def _done(done: Mapping[str, str]) -> Iterator[Line]:
    colors = {"good": GOOD, "bad": BAD, "untried": DIM}
    begin = {"good": "", "bad": "failed: ", "untried": "not tried: "}[done["state"]]
    text = f"{done['about']}: {begin}{done['said']}"
    for part in textwrap.wrap(text, WIDTH - 9, break_long_words=False, break_on_hyphens=False):
        yield f"{done['what']:<8} {part}", colors[done["state"]]


def _part(name: str, text: str, color: str | None) -> Iterator[Line]:
    begin = f"  {name:<7}"
    parts = textwrap.wrap(text, WIDTH - len(begin), break_long_words=False, break_on_hyphens=False)
    for number, part in enumerate(parts):
        yield (begin if number == 0 else " " * len(begin)) + part, color

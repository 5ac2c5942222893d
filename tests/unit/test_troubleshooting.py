"""docs/troubleshooting.md: each message that it explains is one that a run can end with."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.plugin_utils.known_reasons import KNOWN, explained
from scripts.pages.markdown import headings

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "docs/troubleshooting.md").read_text()
MESSAGES = [title.strip("`") for _, level, title in headings(PAGE) if level == 3]
LEAST = 30
"""Messages that the page explains at least."""


def in_python(path: Path) -> Iterator[str]:
    """The texts of a module; what differs from run to run is `…`."""
    inner: set[ast.AST] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            inner |= set(ast.walk(node))
            parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inner:
            yield re.sub(r"\{\w+\}", "…", node.value)


def in_yaml(value: Any) -> Iterator[str]:
    """The texts of a YAML file, and those within its expressions."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from in_yaml(each)
    elif isinstance(value, str):
        yield re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "…", value, flags=re.DOTALL)
        yield re.sub(r"' ~ [^']+ ~ '", "…", value)


@functools.cache
def sentences() -> tuple[str, ...]:
    """All that the tree can say."""
    modules = [*(PROJECT / "plugins").rglob("*.py"), PROJECT / "local_aws/__main__.py"]
    files = [*(PROJECT / "playbooks").rglob("*.yml"), *(PROJECT / "roles").rglob("*.yml")]
    texts = [text for path in modules for text in in_python(path)]
    texts += [text for path in files for text in in_yaml(yaml.safe_load(path.read_text()))]
    return tuple(" ".join(text.split()) for text in texts)


def said(message: str) -> bool:
    """Whether something of the tree says it: its parts stand in one text, in their order."""
    parts = [part.strip() for part in message.split("…")]
    wanted = re.compile(".*".join(map(re.escape, parts)))
    return any(wanted.search(sentence) for sentence in sentences() if max(parts, key=len) in sentence)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_one_that_the_tree_says_or_that_it_knows_of_aws(message: str) -> None:
    assert said(message) or explained(message) != message


def test_what_nothing_says_would_be_noticed() -> None:
    assert said("The update was cancelled: the site goes on with what it had before.")
    assert not said("The update was cancelled: the site is as it was.")
    assert not said("site goes on … The update was cancelled"), "in another order"


def test_there_are_enough_messages_each_once_and_each_is_explained() -> None:
    assert len(MESSAGES) >= LEAST
    assert len(set(MESSAGES)) == len(MESSAGES)
    lines = PAGE.splitlines()
    places = [number for number, level, _ in headings(PAGE) if level == 3]
    for number in places:
        body = " ".join(lines[number + 1 :]).partition("##")[0].strip()
        assert len(body) > len("Type it again."), lines[number]


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in KNOWN], ids=lambda pattern: pattern.pattern[:30])
def test_every_reason_of_aws_that_is_known_is_explained(pattern: re.Pattern[str]) -> None:
    assert pattern.search(" ".join(PAGE.split()))

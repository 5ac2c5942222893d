"""What the model declares, keys and complaints, and what of it was seen while it read sites.

Both are found in the model itself, so that a key or a complaint that comes is counted without a word here.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest

from plugins.plugin_utils.site.kinds import Choice
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.place import Place, Step
from plugins.plugin_utils.site.reading import read_site
from plugins.plugin_utils.site.schema import Key, Schema
from tests.unit.render_support import PROJECT

MODEL = sorted((PROJECT / "plugins/plugin_utils/site").rglob("*.py"))
"""The files of the model."""


@cache
def schemas() -> dict[str, Schema]:
    """File and name → every schema of the model."""
    found: dict[str, Schema] = {}
    for file in MODEL:
        module = importlib.import_module(".".join(file.relative_to(PROJECT).with_suffix("").parts))
        named = {name: each for name, each in vars(module).items() if isinstance(each, Schema)}
        known = set(map(id, found.values()))
        found |= {f"{file.stem}.{name}": each for name, each in named.items() if id(each) not in known}
    return found


@cache
def keys() -> dict[str, Key]:
    """Schema and name → every key, once: a job has those of a container too."""
    found: dict[str, Key] = {}
    for label, schema in schemas().items():
        known = set(map(id, found.values()))
        found |= {f"{label}: {name}": key for name, key in schema.keys.items() if id(key) not in known}
    return found


def has_one_value(key: Key) -> bool:
    """Whether a key takes one word, its default, and is there for who writes it out."""
    return isinstance(key.kind, Choice) and key.kind.words == (key.default,)


@dataclass(frozen=True)
class Complaint:
    """A call of `Place.wrong`, or a sentence of the model wherever it stands, as some are put together of several.

    Attributes:
        file: of it.
        first: line on which it begins.
        last: line on which it ends.
        says: pattern of the sentence; empty for a call.
    """

    file: str
    first: int
    last: int
    says: str = ""

    def __str__(self) -> str:
        return f"{self.file.removeprefix(f'{PROJECT}/')}:{self.first}: {self.says or 'a call of wrong'}"


def complaints(file: str, text: str) -> list[Complaint]:
    """The complaints of a file of the model.

    Args:
        file: what it is called in them.
        text: of it.
    """
    nodes = list(ast.walk(ast.parse(text)))
    others = {id(other) for node in nodes for other in _no_sentences(node)}
    found = []
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "wrong":
            found.append(Complaint(file, node.lineno, node.end_lineno or node.lineno))
        elif isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in others and (says := _says(node)):
            found.append(Complaint(file, node.lineno, node.end_lineno or node.lineno, says))
    return found


def of_the_model() -> list[Complaint]:
    """Every complaint of the model."""
    return [each for file in MODEL for each in complaints(str(file), file.read_text())]


def _no_sentences(node: ast.AST) -> Iterator[ast.AST]:
    """Texts that are none of their own: docstrings, parts of a text, and what is raised at who renders too early."""
    if isinstance(node, ast.Expr):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield from (part for part in node.values if isinstance(part, ast.Constant))
    elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) == "NoImage":
        yield from node.exc.args


def _says(node: ast.Constant | ast.JoinedStr) -> str:
    """The pattern of a text that is a sentence, words with a full stop behind them; else empty."""
    parts = [node] if isinstance(node, ast.Constant) else node.values
    texts = [part.value if isinstance(part, ast.Constant) else None for part in parts]
    if not all(text is None or isinstance(text, str) for text in texts):
        return ""
    words = "".join("…" if text is None else str(text) for text in texts).strip()
    if not words.endswith(".") or " " not in words:
        return ""
    if "{entry}" in words:  # filled in later, see Noun.instead_of_uses
        words = words.format(entry="…")
    return re.escape(words).replace("…", ".*")


@dataclass
class Seen:
    """What was seen.

    Attributes:
        right: keys (as in `keys()`) that a right site gives another value than the default.
        refused: keys whose value was complained about, by the key itself and not by one in it.
        places: schema (as in `schemas()`) → where a right site has such a thing.
        said: file and line → what was said there.
    """

    right: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    places: dict[str, tuple[Step, ...]] = field(default_factory=dict)
    said: dict[tuple[str, int], set[str]] = field(default_factory=dict)

    def without_right_value(self) -> list[str]:
        """Keys that no right site gives another value than the default, though they have several."""
        return [label for label, key in keys().items() if label not in self.right and not has_one_value(key)]

    def without_wrong_value(self) -> list[str]:
        """Keys that have refused nothing."""
        return sorted(set(keys()) - self.refused)

    def unmade(self, known: list[Complaint]) -> list[str]:
        """Complaints that nobody has made."""
        sentences = {sentence for said in self.said.values() for sentence in said}

        def made(each: Complaint) -> bool:
            if each.says:
                return any(re.search(each.says, sentence, re.DOTALL) for sentence in sentences)
            return any(file == each.file and each.first <= line <= each.last for file, line in self.said)

        return [str(each) for each in known if not made(each)]


class Watch:
    """Reads sites, and notes what is seen.

    Args:
        monkeypatch: undoes what is noted by.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen = Seen()
        self._inside: list[str] = []
        self._right: set[str] = set()
        self._places: dict[str, tuple[Step, ...]] = {}
        labels = {id(key): label for label, key in keys().items()}
        schema_labels = {id(schema): label for label, schema in schemas().items()}
        for schema in schemas().values():
            for name, key in list(schema.keys.items()):
                watched = replace(key, kind=self._watched(labels[id(key)], key))
                monkeypatch.setitem(schema.keys, name, watched)
        given, wrong = Schema.given, Place.wrong

        def noted_place(schema: Schema, value: Any, at: Place) -> dict[str, Any]:
            self._places.setdefault(schema_labels[id(schema)], at.path)
            return given(schema, value, at)

        def noted_complaint(place: Place, sentence: str) -> None:
            caller = sys._getframe(1)
            self.seen.said.setdefault((caller.f_code.co_filename, caller.f_lineno), set()).add(sentence)
            self.seen.refused |= set(self._inside[-1:])
            wrong(place, sentence)

        monkeypatch.setattr(Schema, "given", noted_place)
        monkeypatch.setattr(Place, "wrong", noted_complaint)

    def _watched(self, label: str, key: Key) -> Callable[[Any, Place], Any]:
        def kind(value: Any, at: Place) -> Any:
            self._inside.append(label)
            read = key.kind(value, at)
            self._inside.pop()
            if read != key.default:
                self._right.add(label)
            return read

        return kind

    def read(self, variables: Mapping[str, Any]) -> Site:
        """Read a site."""
        self._right, self._places = set(), {}
        site = read_site(variables)
        if not site.problems:
            self.seen.right |= self._right
            self.seen.places |= self._places
        return site

"""What modules say of themselves is what their arguments are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.plugin_support import PROJECT

FILES = sorted([*PROJECT.glob("plugins/modules/*.py"), *PROJECT.glob("plugins/doc_fragments/*.py")])


def texts(path: Path) -> Iterator[str]:
    """A file's DOCUMENTATION, EXAMPLES and RETURN."""
    for text in path.read_text().split('r"""\n')[1:]:
        yield text.partition('"""')[0]


def blocks(path: Path) -> Iterator[yaml.Node | None]:
    """Their YAML."""
    for text in texts(path):
        yield yaml.compose(text)


def twice(node: yaml.Node | None) -> list[str]:
    """Keys that a mapping has more than once, of which YAML's readers take the last."""
    if isinstance(node, yaml.SequenceNode):
        return [name for each in node.value for name in twice(each)]
    if not isinstance(node, yaml.MappingNode):
        return []
    counted = Counter(key.value for key, _ in node.value)
    return [name for name, count in counted.items() if count > 1] + [
        name for _, value in node.value for name in twice(value)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_argument_is_described_twice(path: Path) -> None:
    found = list(blocks(path))
    assert found
    assert [name for block in found for name in twice(block)] == []


def test_one_that_is_described_twice_is_found() -> None:
    assert twice(yaml.compose("options: {hosts: {type: list}, other: {}, hosts: {type: dict}}")) == ["hosts"]


Options = dict[str, Any]
FRAGMENTS: dict[str, Options] = {
    path.stem: yaml.safe_load(next(texts(path)))["options"] for path in FILES if path.parent.name == "doc_fragments"
}


def repeated(options: Options) -> list[str]:
    """Fragments all of whose arguments a module writes out, in the same words."""
    return [name for name, shared in FRAGMENTS.items() if shared.items() <= options.items()]


@pytest.mark.parametrize("path", [each for each in FILES if each.parent.name == "modules"], ids=lambda path: path.stem)
def test_what_modules_share_is_written_once(path: Path) -> None:
    assert repeated(yaml.safe_load(next(texts(path))).get("options") or {}) == []


def test_what_is_written_again_is_found() -> None:
    assert repeated(FRAGMENTS["region"] | {"name": {"type": "str"}}) == ["region"]
    assert repeated({"region": {"description": "Of another kind.", "type": "str"}}) == []

"""No sentence advises to delete something: it may hold data, and whoever reads it is in trouble and in a hurry."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[3]
FOLDERS = ("roles", "plugins", "playbooks")
VERB = r"(?:delete|remove|destroy|drop|erase|wipe|purge|terminate)"
ADVICE = re.compile(
    # At the beginning of a sentence or a clause, or after "or", "and", "then"; and what is typed.
    rf"(?:(?:^|[.:;,!?(]|[Tt]ype|\b(?:or|and|then|please|either|first|should|must|can|may))\s+|^){VERB}\s+"
    r"(?:it|them|one|both|the|that|this|these|those|its|their|all|what|any|old|other)\b"
    r"|\b(?:aws \S+ (?:delete|terminate|remove)-\S+|rm -r\S*|docker volume rm)\b",
    re.IGNORECASE,
)
REASONS = {
    "quota is {{ preflight_vpcs.limit }}. Delete one, ask": "AWS deletes no VPC that has anything in it",
    "Never use docker volume rm there": "it says not to",
    "`docker volume rm` on a rexray volume deletes": "it warns of it",
    "| save what is in it, then remove it": "nothing else frees the name, and what is in it is saved first",
    "-f name=^$volume\\$ | xargs -r docker volume rm": "the same, in the words of the host",
    "sudo systemctl stop ecs && sudo rm -r /var/lib/ecs/data": "the agent's own notes on a host that was drained",
    "trap 'rm -rf \"$folder\"' EXIT": "a script's own temporary folder",
    "then rm -rf .move-volume-*": "a script's own sentinel",
    'rm -rf "$folder" echo "The sentinel is removed': "as above",
    'clear() { # $1: what this has made itself rm -rf "$1"': "a script's own room",
    'in ./aws-backup-restore_*) rm -rf "$from"': "what AWS Backup has made, once it is taken out of it",
    'in ./aws-backup-restore_*) rm -rf "$found" ;; esac': "the same, of a drill, of which nothing is to be left",
    ';; esac rm -rf "$beside" echo "nothing of what': "the folder that the drill itself has made",
    "every file with its content, and remove the folder again": "says what the comparison does with its own sentinel",
    "aws autoscaling terminate-instance-in-auto-scaling-group": "a host holds no data; another takes its place",
    "name: Delete the layers cloudformation_stacks": "the name of a task in an example",
    "short_description: Delete the certificates": "says what a module does; it asks whether they are used",
    "delete what is left of it, then create it anew": "says what a run does with a create that failed",
}
"""Part of a sentence → why it may stand."""


def sentences(path: Path) -> Iterator[str]:
    """What a file may show to a person: no comments, no names of tasks, no docstrings."""
    text = path.read_text()
    if path.suffix == ".py":
        yield from strings(ast.parse(text))
    elif path.suffix in (".yml", ".yaml"):
        for document in yaml.load_all(text, Loader):
            yield from values(document)
    else:
        kept = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        yield from "\n".join(kept).split("\n\n")


class Loader(yaml.SafeLoader):
    """Passes over tags."""


Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def values(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "name":
                yield from values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from values(inner)
    elif isinstance(value, str):
        yield value


def strings(tree: ast.Module) -> Iterator[str]:
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)  # type: ignore[misc]  # its parts are text
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def advice() -> Iterator[tuple[str, str]]:
    """File and sentence of each advice to delete."""
    files = (path for folder in FOLDERS for path in sorted((PROJECT / folder).rglob("*")))
    for path in files:
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        for sentence in sentences(path):
            whole = " ".join(sentence.split())
            for found in ADVICE.finditer(whole):
                yield str(path.relative_to(PROJECT)), whole[max(0, found.start() - 60) : found.end() + 40]


def test_no_sentence_advises_to_delete() -> None:
    found = [(path, text) for path, text in advice() if not any(part in text for part in REASONS)]
    assert not found


def test_each_exception_is_still_there() -> None:
    texts = [text for _, text in advice()]
    assert [part for part in REASONS if not any(part in text for text in texts)] == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Set media_file_system_id to its id to use it, or delete it; with two of that name",
        "rexray would take either. Delete it or change its tag.",
        "could not be made. Delete them, or choose another site_name",
        "Type: aws efs delete-file-system --file-system-id fs-1",
        "then all is well: remove the folder from the volume",
    ],
)
def test_advice_is_found(sentence: str) -> None:
    assert ADVICE.search(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "a VPC that cannot be deleted",
        "CloudFormation tries to delete it, gives up",
        "switch off the deletion protection",
        "teardown deletes the stacks",
    ],
)
def test_what_is_no_advice_is_let_be(sentence: str) -> None:
    assert not ADVICE.search(sentence)

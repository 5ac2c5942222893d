"""All places of the tree that end a run, and what they say: `…` stands for what differs from run to run."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
RAISED = (
    "Failed", "Stuck", "NoImage", "Refused", "NoAgent", "AnsibleActionFail", "AnsibleFilterError", "AnsibleLookupError",
)  # fmt: skip
"""Exceptions whose text a person sees as the end of a run."""
EMBEDDED = ("local_aws/__main__.py", "local_aws/real_agent/binary.py")
"""What says something to a person beside Berth's own plugins and playbooks."""
CALLED = ("fail_json", "fail_json_aws", "_end")
"""Methods that end it with their text."""
RETURNED = {
    "plugins/plugin_utils/ways.py": ("_settings", "_inventory", "_parts", "_limit"),
    "plugins/plugin_utils/account/places.py": ("region_problem",),
    "plugins/plugin_utils/stack_plan.py": ("refusal",),
    "plugins/plugin_utils/stack.py": ("_refusal", "__str__"),
    "plugins/plugin_utils/roles.py": ("cannot_work",),
    "plugins/plugin_utils/ecs_placement.py": ("hopeless",),
}
"""Functions whose text somebody else ends it with."""
OWN_LETTERS = 12
"""From how many letters on a text is one of ours, rather than a frame around somebody else's words."""
LITERAL = re.compile(r"(or )?'([^']*)'( \| verb)?")
"""A text in an expression; behind `or` and before the filter `verb` stands a part of a sentence."""

ITEM = re.compile(r"\{\{ item\.(\w+) \}\}")


@dataclass(frozen=True)
class End:
    """A place that ends a run: its file, what stands there, and the texts of which it says one."""

    file: str
    source: str
    texts: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file}: {self.source}"


def of_python(path: Path) -> Iterator[End]:
    """The ends of a run in a module."""
    name, tree = str(path.relative_to(PROJECT)), ast.parse(path.read_text())
    for node in ast.walk(tree):
        for said in _said(node, RETURNED.get(name, ())):
            yield End(name, ast.unparse(said), (text(said),))


def _said(node: ast.AST, returning: tuple[str, ...]) -> Iterator[ast.expr]:
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and _name(node.exc.func) in RAISED:
        yield node.exc.args[0]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLED:
        yield from [each.value for each in node.keywords if each.arg == "msg"] or node.args[:1]
    elif isinstance(node, ast.Dict):
        keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
        if "failed" in keys and "msg" in keys:
            yield node.values[keys.index("msg")]
    elif isinstance(node, ast.FunctionDef) and node.name in returning:
        returned = (each.value for each in ast.walk(node) if isinstance(each, ast.Return))
        yield from (each for each in returned if each is not None and len(own(text(each))) >= OWN_LETTERS)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def text(value: ast.expr) -> str:
    """What an expression says."""
    if isinstance(value, ast.JoinedStr):
        return "".join(map(text, value.values))
    if isinstance(value, ast.Constant):
        return str(value.value)
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        return text(value.left) + text(value.right)
    return "…"


def own(said: str) -> str:
    """The letters of a text that are ours."""
    return re.sub(r"\W", "", said)


def of_yaml(path: Path) -> Iterator[End]:
    """The ends of a run in a file of tasks or plays."""
    for task in _tasks(yaml.safe_load(path.read_text())):
        for module, key in (("ansible.builtin.assert", "fail_msg"), ("ansible.builtin.fail", "msg")):
            if module in task:
                said = [task[module].get(key, "")]
                if item := ITEM.fullmatch(said[0]):
                    said = [each[item[1]] for each in task["loop"]]
                texts = tuple(text for each in said for text in _alternatives(each))
                yield End(str(path.relative_to(PROJECT)), task["name"], texts)


def _tasks(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for each in value:
            yield from _tasks(each)
    elif isinstance(value, dict):
        yield value
        for key in ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"):
            yield from _tasks(value.get(key))


def _alternatives(said: str) -> Iterator[str]:
    """The text outside of expressions; where that is none of ours, the texts within them."""
    outside = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "…", said, flags=re.DOTALL)
    if len(own(outside)) >= OWN_LETTERS:
        yield outside
        return
    inside = re.sub(r"' ~ [^']+ ~ '", "…", said)
    whole = (each for before, each, behind in LITERAL.findall(inside) if not before and not behind)
    found = [each for each in whole if len(own(each)) >= OWN_LETTERS]
    yield from found or [outside]


@functools.cache
def ends() -> tuple[End, ...]:
    """All of the tree."""
    modules = [*sorted((PROJECT / "plugins").rglob("*.py")), *(PROJECT / name for name in EMBEDDED)]
    files = [*sorted((PROJECT / "playbooks").rglob("*.yml")), *sorted((PROJECT / "roles").glob("*/tasks/*.yml"))]
    found = [end for path in modules for end in of_python(path)]
    return tuple(found + [end for path in files for end in of_yaml(path)])


def of_shell(path: Path) -> list[str]:
    """What a script says with its function `fail`."""
    said = re.findall(r'\bfail "(.*)"', path.read_text())
    return [re.sub(r"\$\([^)]*\)|\$\{?[\w\[\]@*#]+\}?", "…", each) for each in said]

"""`patch`: what Berth has no word for, written into a stack's template as CloudFormation has it."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from plugins.plugin_utils.site.place import Place, shown

PATH = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9_-]+)+")


def patch(value: Any, at: Place) -> dict[str, Any] | None:
    """The kind: `Resource.Property` → value."""
    if not isinstance(value, Mapping):
        at.wrong(f"is {shown(value)}, must be a mapping, for example {{TaskDefinition.PidMode: host}}.")
        return None
    found = {}
    for path, item in value.items():
        if PATH.fullmatch(str(path)):
            found[str(path)] = item
        else:
            (at / path).wrong("is no property. Write <Resource>.<Property>, for example TaskDefinition.PidMode.")
    return found


def patched(resources: Mapping[str, Any], patches: Mapping[str, Any]) -> dict[str, Any]:
    """Resources of a template with patches applied.

    Args:
        resources: logical id → resource. Left as they are.
        patches: path → value. A step into a list names the item whose `Name` it is: the container of a definition.

    Raises:
        KeyError: a path, which is its argument, leads to no resource, to no item of a list, or into a text.
    """
    made = copy.deepcopy(dict(resources))
    for path, value in patches.items():
        resource, *steps = path.split(".")
        if resource not in made:
            raise KeyError(path)
        where: Any = made[resource].setdefault("Properties", {})
        for step in steps[:-1]:
            where = _item(where, step, path) if isinstance(where, list) else _mapping(where, path).setdefault(step, {})
        _mapping(where, path)
        where[steps[-1]] = _plain(value)
    return made


def _plain(value: Any) -> Any:
    """A copy without what Ansible remembers of where it was written: YAML would not know how to write that."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()  # a policy's `Version: 2012-10-17` without quotes, which CloudFormation has as a text
    kinds = (kind for kind in (bool, int, float, str) if isinstance(value, kind))
    return next(kinds, lambda other: other)(value)


def _mapping(where: Any, path: str) -> dict[str, Any]:
    if not isinstance(where, dict):
        raise KeyError(path)
    return where


def _item(items: list[Any], name: str, path: str) -> Any:
    for item in items:
        if isinstance(item, dict) and item.get("Name") == name:
            return item
    raise KeyError(path)

"""Where things are written, and how a person would type it from where he stands."""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible import context

try:  # where a value was written; internal in ansible-core 2.19, so its absence only costs the line numbers
    from ansible._internal._datatag._tags import Origin
except ImportError:
    Origin = None

PROJECT = Path(__file__).resolve().parents[2]
PREVIEW_VARIABLE = "BERTH_PREVIEW"
"""Environment variable of a run with the name of its preview environment, which has to be typed again."""
TEMPLATE = "new"
"""The folder of inventories/ that environments are copied from: none to choose. A rule of preflight refuses it."""


def origin(value: Any) -> tuple[str, int]:
    """File and line in which a value was written, as far as Ansible remembers; else an empty path and 0."""
    path, line, _ = position(value)
    return (shown(Path(path)), line) if path else ("", 0)


def position(value: Any) -> tuple[str, int, int]:
    """Whole path of the file in which a value was written, line and column from 1; empty and 0 if it is not known."""
    found = Origin.get_tag(value) if Origin else None
    if found is None or not found.path:
        return "", 0, 0
    return str(found.path), found.line_num or 0, found.col_num or 0


def origin_within(value: Any, path: Iterable[object]) -> tuple[str, int]:
    """File and line in which a part of a value was written: of its key, as near to it as Ansible remembers.

    Args:
        value: of a variable, its templates not resolved: what a template gives was not written anywhere.
        path: keys of mappings and places in lists, down to the part. It may lead further than the value does.
    """
    nearest = origin(value)
    for step in path:
        tagged: Any = None
        if isinstance(value, Mapping):
            tagged = next((key for key in value if str(key) == str(step)), None)
            if tagged is None:
                break
            value = value[tagged]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            break
        nearest = next((found for found in (origin(tagged), origin(value)) if found[0]), nearest)
    return nearest


def shown(path: Path) -> str:
    """A path as a person would type it from here: relative, unless it lies elsewhere."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def typed_inventory(sources: Iterable[str] | None = None, own: bool = False) -> str:
    """The inventory of this run as it was typed, `-i prod`, or `-i test -e environment=pr7`.

    Args:
        sources: the inventory's sources; those of the command line by default.
        own: whether the inventory's own environment is meant, whatever the run is about.
    """
    if sources is None:
        sources = context.CLIARGS.get("inventory") or ()
    names = [shown(Path(source)) if "," not in source else source for source in map(str, sources)]
    preview = "" if own else os.environ.get(PREVIEW_VARIABLE, "")
    typed = " ".join(f"-i {shlex.quote(name)}" for name in names) or "-i <inventory>"
    return f"{typed} -e environment={preview}" if preview else typed


def not_right(problems: Iterable[object]) -> str:
    """That a site cannot be read for what is wrong with it, and what names file and line of all that is."""
    return "\n".join(
        ["The site is not described right.", *(f"  {each}" for each in problems), f"Type: {verb('preflight.yml')}"]
    )


def verb(name: str, inventory: str | None = None, own: bool = False) -> str:
    """What to type for a verb on the inventory of this run, from where the person stands.

    Args:
        name: the verb's playbook, `site.yml`.
        inventory: another one.
        own: whether the inventory's own environment is meant, whatever the run is about.
    """
    where = typed_inventory(own=own) if inventory is None else f"-i {shlex.quote(inventory)}"
    return f"ansible-playbook {shlex.quote(shown(PROJECT / name))} {where}"


def nearest(typed: str, known: Iterable[str], instead: str = "…") -> str:
    """What of `known` somebody may mean, for an example to type; else the first, or `instead` if there is none."""
    names = list(known)
    return next(iter([*difflib.get_close_matches(typed, names, 1), *names]), instead)

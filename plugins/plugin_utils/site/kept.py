"""The site, read once for all who see the same variables: each noun's role looks it up, and one lookup leads to others.

A value is the same as long as it is the same object: Ansible replaces variables, and changes none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.reading import ALSO_READ, VARIABLES, read_site

_KEPT: ContextVar[dict[tuple[int, ...], tuple[list[Any], Site]] | None] = ContextVar("site_kept", default=None)
"""Identities of the variables as they are written → those, so that no other comes to have its identity; the site."""
_LAST: ContextVar[tuple[Mapping[str, Any], dict[str, Any], Site] | None] = ContextVar("site_last", default=None)
"""The variables of the last lookup, what was in them then, and the site."""


@contextlib.contextmanager
def keeping() -> Iterator[None]:
    """While it lasts, `site_of` reads a site once. It lasts no longer than the variables behind it stay the same."""
    token = _KEPT.set({})
    try:
        yield
    finally:
        _KEPT.reset(token)


def site_of(variables: Mapping[str, Any], resolve: Callable[[Any], Any]) -> Site:
    """The site that variables describe.

    Args:
        variables: as they are written.
        resolve: renders the templates in a value.

    Raises:
        AnsibleError: one cannot be rendered.
    """
    kept = _KEPT.get()
    if kept is None:
        return _as_last_time(variables) or _last(variables, _read(variables, resolve))
    written = [variables[name] for name in _named(variables)]
    key = tuple(map(id, written))
    if key not in kept:
        kept[key] = written, _read(variables, resolve)
    return kept[key][1]


def _as_last_time(variables: Mapping[str, Any]) -> Site | None:
    """The site of the last lookup if it saw the same variables, and all of them: any may stand in one of its templates.

    One template looks the site up a dozen times, by variables that are made of others. A task sees other variables than
    the one before, and an item of a loop than another.
    """
    if (last := _LAST.get()) is None or last[0] is not variables or len(last[1]) != len(variables):
        return None
    there = all(name in variables and variables[name] is value for name, value in last[1].items())
    return last[2] if there else None


def _last(variables: Mapping[str, Any], site: Site) -> Site:
    _LAST.set((variables, dict(variables), site))
    return site


def _named(variables: Mapping[str, Any]) -> list[str]:
    return [name for name in (*VARIABLES, *ALSO_READ) if name in variables]


def _read(variables: Mapping[str, Any], resolve: Callable[[Any], Any]) -> Site:
    return read_site({name: resolve(variables[name]) for name in _named(variables)})

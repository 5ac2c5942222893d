"""The site, read once in a task: each noun's role looks it up, and what it is made of stays the same meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.reading import ALSO_READ, VARIABLES, read_site

_KEPT: ContextVar[dict[tuple[int, ...], tuple[list[Any], Site]] | None] = ContextVar("site_kept", default=None)
"""Identities of the variables as they are written → those, so that no other comes to have its identity; the site."""


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
    names = [name for name in (*VARIABLES, *ALSO_READ) if name in variables]
    written = [variables[name] for name in names]
    kept, key = _KEPT.get(), tuple(map(id, written))
    if kept is None or key not in kept:
        site = read_site({name: resolve(value) for name, value in zip(names, written, strict=True)})
        if kept is None:
            return site
        kept[key] = written, site
    return kept[key][1]

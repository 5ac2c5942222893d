"""What is wrong with the templates that a site's entries become, as far as they can be made without an account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plugins.plugin_utils.layers import BODY_BYTES
from plugins.plugin_utils.roles import Roles, nowhere, patch_by_patch
from plugins.plugin_utils.site import rendering
from plugins.plugin_utils.site.definitions import Run
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.nouns import NOUNS
from plugins.plugin_utils.site.place import Problem

ROUTE_BYTES = 1_000
"""More than a route's rule and target group have."""


def template_problems(roles: Roles, site: Site, templates: Path) -> Iterator[Problem]:
    """Patches that lead nowhere, and templates that no call of an API can carry.

    Only the templates of entries that have a patch or may be too long are rendered, as rendering takes its time.

    Args:
        roles: as a task sees them.
        site: without problems.
        templates: where the templates lie.

    Raises:
        AnsibleError: a variable that a template is made of cannot be rendered.
        OSError: a template cannot be read.
    """
    for word, entries in site.entries.items():
        chosen = [name for name, entry in entries.items() if entry.patch or _may_be_long(site, word, name, templates)]
        if not chosen or not roles.has_entries(word):
            continue
        for name, body, patches in roles.bodies(word, templates, chosen):
            for path, sentence in _problems(f"{word}.{name}", body, patches):
                yield Problem((NOUNS[word].variable, name, *path), sentence)


def _problems(key: str, body: str, patches: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path in the entry, and sentence."""
    if patches:
        body, resources, lost = patch_by_patch(body, patches)
        for path in lost:
            yield ("patch", path), nowhere(key, resources)
    if (size := len(body.encode())) > BODY_BYTES:
        yield (
            (),
            f"makes a template of {size} bytes, and CloudFormation takes {BODY_BYTES}. Put what is long (a variable, a "
            "command) into a file of the image, or make two entries of it.",
        )


def _may_be_long(site: Site, word: str, name: str, templates: Path) -> bool:
    """Whether a template may be too long: one into which what an entry has is written, and which would be with all of
    that on lines of its own, indented deeper than it ever is."""
    if word in ("service", "job"):
        called = {each.image: each.image for each in site.task(f"{word}.{name}").containers.values()}
        made = rendering.entry(site, f"{word}.{name}", Run(called, ""))
    elif word == "function":
        made = rendering.function(site, site.functions[name])
    else:
        return False
    size = (templates / f"{word}.yml").stat().st_size + len(json.dumps(made, indent=10))
    return size + ROUTE_BYTES * len(made.get("routes", [])) > BODY_BYTES

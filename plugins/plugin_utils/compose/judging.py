"""What the site's model says of a value, and of a key that it has no word for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.site.kinds import Kind
from plugins.plugin_utils.site.place import Place, Problem, Step


def complaints(kind: Kind, value: Any, *path: Step) -> list[Problem]:
    """What is wrong with a value; nothing where it is right.

    Args:
        kind: what it is to be.
        value: as the inventory would have it.
        path: of it, for the sentences' subjects.
    """
    problems: list[Problem] = []
    kind(value, Place(path, problems))
    return problems


def no_word(key: str, elsewhere: Mapping[str, str]) -> str:
    """Why a key has no place in an inventory.

    Args:
        key: of the Compose file.
        elsewhere: words that the model knows from elsewhere, each with what to write.
    """
    if key.startswith("x-"):
        return "an extension, which nothing here reads."
    return elsewhere.get(key, "it has no word here.")

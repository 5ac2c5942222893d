"""What of a value may be shown: a secret is hidden by its name, by how it looks, and by what stands around it."""

from __future__ import annotations

import re

from plugins.plugin_utils.site.secretive import KEY_OF_AWS, NAME, NOT_ITSELF, PEM

HIDDEN = "(not shown)"
LONGEST = 300
"""Characters of a value that are shown: a plan is to be read."""
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
PASSWORD_IN_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@", re.IGNORECASE)
OPTION = re.compile(r"""([A-Za-z][A-Za-z0-9_-]*)["']?(?:=|:\s|,?\s+)\s*["']?(?=[^\s"'])""")
"""A name, and that something comes behind it, in a command or JSON: `--password x`, `TOKEN=x`, `"password": "x"`."""


def shown(name: str, value: str) -> str:
    """A value as it may be shown.

    Args:
        name: of the variable or parameter, in any spelling (`DB_PASSWORD`, `DatabasePassword`, `Environment.TOKEN`).
        value: what it is.
    """
    if not value:
        return ""
    if secret_by_name(name.rpartition(".")[2]) or looks_secret(value):
        return HIDDEN
    flat = " ".join(value.split())
    return flat if len(flat) <= LONGEST else f"{flat[:LONGEST]}…"


def secret_by_name(name: str) -> bool:
    """Whether what is called so is a secret itself, and not where one lies."""
    snake = CAMEL.sub("_", name).replace("-", "_")
    return bool(NAME.fullmatch(snake)) and not NOT_ITSELF.fullmatch(snake)


def looks_secret(value: str) -> bool:
    """Whether a secret is in a text, by how it looks or by the name before it."""
    return (
        PEM in value
        or bool(KEY_OF_AWS.search(value))
        or bool(PASSWORD_IN_ADDRESS.search(value))
        or any(secret_by_name(found[1]) for found in OPTION.finditer(value))
    )

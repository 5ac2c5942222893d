"""Variables of a service: Compose's two ways of writing them, and files of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plugins.plugin_utils.compose.interpolation import Filled

LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][\w.-]*)\s*[=:]\s*(?P<value>.*)")
QUOTED = re.compile(r"""(?P<quote>["'])(?P<text>.*)(?P=quote)\s*(#.*)?""")


def file_of_variables(path: Path) -> dict[str, str]:
    """The variables of an `.env` or a file named by `env_file`; none where there is no such file.

    https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
    """
    if not path.is_file():
        return {}
    found = {}
    for line in path.read_text(errors="replace").splitlines():
        match = LINE.fullmatch(line.strip())
        if match:
            quoted = QUOTED.fullmatch(match["value"])
            found[match["name"]] = quoted["text"] if quoted else re.sub(r"(^|\s+)#.*", "", match["value"]).strip()
    return found


def variables(value: Any) -> dict[str, Any]:
    """The variables of a service; None for one that Compose takes from the shell.

    Args:
        value: a mapping, or a list of `NAME=value`.
    """
    if isinstance(value, Mapping):
        return {str(name): item for name, item in value.items()}
    found: dict[str, Any] = {}
    for item in value if isinstance(value, list) else ():
        name, equals, text = str(item).partition("=")
        found[name.strip()] = value_of(item, text) if equals else None
    return found


def variable_name(*words: str) -> str:
    """The name of a variable: `DATABASE_MAIN_PASSWORD`."""
    name = re.sub(r"[^A-Z0-9]+", "_", "_".join(words).upper()).strip("_")
    return f"_{name}" if name[:1].isdigit() else name


def value_of(whole: Any, text: str) -> str:
    """The value of `NAME=value`, remembering which variables the whole was made of."""
    if not isinstance(whole, Filled):
        return text
    return Filled.of(text, whole.values, whole.missing, whole.probe.partition("=")[2])


def env_files(value: Any) -> list[str]:
    """The paths of `env_file`: one, a list, or a list of mappings with `path`."""
    items = value if isinstance(value, list) else [value]
    return [str(item.get("path", "")) if isinstance(item, Mapping) else str(item) for item in items]

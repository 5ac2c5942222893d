"""All variables with their defaults, from what the roles say of themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts.pages.markdown import code, plain, table
from scripts.pages.roles import grouped

LONG = 60
"""Characters of a default beyond which the table leads to the file."""


def variables(project: Path) -> str:
    """A section for each role that has inputs, in the order of the layers, then of the host roles."""
    return "\n".join(part for roles in grouped(project).values() for role in roles for part in _section(project, role))


def _section(project: Path, role: str) -> Iterator[str]:
    specification = yaml.safe_load((project / "roles" / role / "meta/argument_specs.yml").read_text())
    main = specification["argument_specs"]["main"]
    if options := main.get("options"):
        yield f"## {role}\n"
        yield f"{plain(main['short_description'])}. [More](../roles/{role}/README.md).\n"
        yield table(["variable", "is", "default", "what it is"], _rows(options, role))


def _rows(options: Mapping[str, Any], role: str, of: str = "") -> Iterator[list[str]]:
    for name, option in options.items():
        words = option["description"]
        words = words if isinstance(words, str) else " ".join(words)
        if "choices" in option:
            words += f" One of {', '.join(map(str, option['choices']))}."
        yield [code(f"{of}{name}"), _type(option), _default(option, role), plain(words)]
        yield from _rows(option.get("options", {}), role, f"{of}{name}.")


def _type(option: Mapping[str, Any]) -> str:
    kind = str(option.get("type", "str"))
    return f"{kind} of {option['elements']}" if "elements" in option else kind


def _default(option: Mapping[str, Any], role: str) -> str:
    """As YAML writes it; empty where there is none."""
    if "default" not in option:
        return "required" if option.get("required") else ""
    value = option["default"]
    shown = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return code(shown) if len(shown) <= LONG else f"[see there](../roles/{role}/defaults/main.yml)"

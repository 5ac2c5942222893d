"""An inventory's folder as files: a copy of inventories/new, with what a Compose file says filled in."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from plugins.plugin_utils.compose.addresses import Template
from plugins.plugin_utils.compose.describing import Described

DESCRIPTION = "group_vars/site/description.yml"
SETTINGS = "group_vars/site/main.yml"
ENVIRONMENT = "environment.yml"
WIDTH = 120
SHORT = 90
"""Characters of a list that stands on one line."""
JINJA = re.compile(r"\{[{%#]")


class _Dumper(yaml.SafeDumper):
    """Lists and references on one line where they are short, as the examples have them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are set in below their key, as yamllint asks."""
        del indentless
        super().increase_indent(flow, False)


def _list(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.Node:
    flat = all(not isinstance(each, (dict, list)) and "\n" not in str(each) for each in value)
    short = sum(len(str(each)) + 4 for each in value) < SHORT
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=flat and short)


def _mapping(dumper: yaml.SafeDumper, value: dict[str, Any]) -> yaml.Node:
    return dumper.represent_mapping(
        "tag:yaml.org,2002:map", value.items(), flow_style=not value or set(value) <= {"from", "condition"}
    )


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value.strip() else None)


_Dumper.add_representer(list, _list)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(str, _text)


def dumped(value: Mapping[str, Any]) -> str:
    """A mapping as YAML, in its own order."""
    return yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


def plain(value: Any) -> Any:
    """A tree as YAML takes it; what Ansible would take for a template of its own is kept from it."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Template) or not isinstance(value, str):
        return str(value) if isinstance(value, str) else value
    return f"{{% raw %}}{value}{{% endraw %}}" if JINJA.search(value) else str(value)


def folder(made: Described, compose: str, template: Path) -> dict[str, str]:
    """The files of an inventory: path in its folder → text.

    Args:
        made: of a Compose file.
        compose: how that was typed.
        template: the folder that environments are copied from.
    """
    found = {
        str(path.relative_to(template)): path.read_text() for path in sorted(template.rglob("*.yml")) if path.is_file()
    }
    found[DESCRIPTION] = "\n".join(["---", *_head(made, compose), dumped(plain(made.variables))])
    if made.site_name:
        found[ENVIRONMENT] = _set(found[ENVIRONMENT], "site_name", made.site_name)
    if made.host_instance_type not in found[SETTINGS]:
        found[SETTINGS] = _set(found[SETTINGS], "host_instance_type", made.host_instance_type)
        found[SETTINGS] = found[SETTINGS].replace("# 1 GiB; ", "# ")  # which is said of the smallest
    return found


def _set(text: str, name: str, value: str) -> str:
    return re.sub(rf"^{name}: \S+", f"{name}: {value}", text, count=1, flags=re.MULTILINE)


def _head(made: Described, compose: str) -> Iterator[str]:
    yield f"# Made of {Path(compose).name} by init.yml, once: from here on this file is yours (docs/your-site.md)."
    for line in made.report.lines():
        indent = "  " if line.startswith(" ") else ""
        yield from textwrap.wrap(
            line.strip(), WIDTH, initial_indent=f"# {indent}", subsequent_indent=f"# {indent}  ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip

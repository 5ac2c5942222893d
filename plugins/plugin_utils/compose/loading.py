"""A Compose file, read as `docker compose` reads it: YAML 1.2's few types, merged keys, variables filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from plugins.plugin_utils.compose.environment import file_of_variables
from plugins.plugin_utils.compose.interpolation import fill

WHOLE = "Make one file of it first, and name that: docker compose -f {name} config --no-interpolate > whole.yml"


class ComposeError(ValueError):
    """The file is none that can be read; the text says what is wrong and what to type."""


@dataclass(frozen=True)
class Composed:
    """A Compose file.

    Attributes:
        path: of the file.
        name: of the project: its `name`, or its folder's, as Compose has it.
        services: name → keys, variables filled in.
        volumes, secrets: as declared at the top; name → keys.
        others: further top-level keys.
    """

    path: Path
    name: str
    services: dict[str, dict[str, Any]]
    volumes: dict[str, dict[str, Any]]
    secrets: dict[str, dict[str, Any]]
    others: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the file lies; its paths start there."""
        return self.path.parent


class _Loader(yaml.SafeLoader):
    """Only `true`, `false` and nothing are no texts: 22:22 is no number of seconds, 1.10 keeps its nought."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
for _tag in ("!reset", "!override"):  # https://github.com/compose-spec/compose-spec/blob/main/13-merge.md
    _Loader.add_constructor(_tag, lambda loader, node: _untagged(loader, node))


def _untagged(loader: Any, node: Any) -> Any:
    kinds = {yaml.MappingNode: loader.construct_mapping, yaml.SequenceNode: loader.construct_sequence}
    return kinds[type(node)](node, deep=True) if type(node) in kinds else loader.construct_scalar(node)


def load(path: Path) -> Composed:
    """Read a Compose file, and the `.env` beside it.

    Raises:
        ComposeError: there is none, it is no Compose file, or only a part of one.
    """
    try:
        content = yaml.load(path.read_text(), _Loader)
    except OSError as error:
        raise ComposeError(f"{path} cannot be read ({error.strerror}). Name the Compose file: -e compose=…") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ComposeError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, Mapping) or not isinstance(content.get("services"), Mapping) or not content["services"]:
        raise ComposeError(f"{path} has no services, so it is no Compose file. Name one: -e compose=…/compose.yml")
    _whole(path, content)
    known = file_of_variables(path.parent / ".env")
    made = fill(content, known)
    parts = {key: _entries(path, key, made.pop(key, None)) for key in ("services", "volumes", "secrets")}
    named = made.pop("name", "")
    name = str(known.get("COMPOSE_PROJECT_NAME") or named or path.resolve().parent.name)
    return Composed(path, name, **parts, others=made)


def _whole(path: Path, content: Mapping[str, Any]) -> None:
    for name, service in content["services"].items():
        if isinstance(service, Mapping) and "extends" in service:
            raise ComposeError(f"{path}: {name} extends another service. {WHOLE.format(name=path.name)}")
    if "include" in content:
        raise ComposeError(f"{path} includes other files. {WHOLE.format(name=path.name)}")


def _entries(path: Path, key: str, value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, Mapping | None):
        raise ComposeError(f"{path}: {key} is no mapping of names.")
    for name, item in (value or {}).items():
        if not isinstance(item, Mapping | None):
            raise ComposeError(f"{path}: {key}.{name} is no mapping of keys.")
    return {str(name): dict(item or {}) for name, item in (value or {}).items()}

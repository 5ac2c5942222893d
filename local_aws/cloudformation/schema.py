"""What a resource type allows, from the official schemas that cfn-lint carries offline.

https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from local_aws.cloudformation.handlers import HANDLERS
from local_aws.cloudformation.template import function

REGION = "us-east-1"
"""The region whose schemas are used for all: it has every type, and the differences are none of ours."""

_lock = threading.Lock()  # cfn-lint's manager fills its caches without one


@dataclass(frozen=True)
class Schema:
    """The rules of one resource type.

    Attributes:
        document: the schema as it is.
        attributes: names that Fn::GetAtt knows; None if any name will do (a type without a schema).
    """

    document: dict[str, Any] = field(repr=False)
    attributes: frozenset[str] | None

    @property
    def taggable(self) -> bool:
        """Whether the stack's tags go onto resources of this type."""
        tagging = self.document.get("tagging") or {}
        return bool(tagging.get("taggable", "Tags" in self.document.get("properties", {})))

    def create_only(self, old: dict[str, Any], new: dict[str, Any]) -> set[str]:
        """Top-level properties whose change means a new resource."""
        return _changed(self.document.get("createOnlyProperties") or [], old, new)

    def conditionally_create_only(self, old: dict[str, Any], new: dict[str, Any]) -> set[str]:
        """Top-level properties whose change may mean a new resource."""
        return _changed(self.document.get("conditionalCreateOnlyProperties") or [], old, new)

    def problems(self, properties: Any) -> list[str]:
        """What is structurally wrong with a resource's properties as the template has them."""
        return list(_problems(self.document, self.document, properties, "", self._read_only()))

    def _read_only(self) -> set[str]:
        names = {path.removeprefix("/properties/") for path in self.document.get("readOnlyProperties") or []}
        return {name for name in names if "/" not in name}


@functools.cache
def schema(resource_type: str) -> Schema:
    """The schema of a type. One that cfn-lint does not know has its handler's `SCHEMA`, or no rules at all."""
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

    handler = HANDLERS.get(resource_type)
    if handler is not None and handler.SCHEMA is not None:
        return Schema(handler.SCHEMA, None)
    with _lock:
        try:
            found = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource_type)
        except ResourceNotFoundError:
            return Schema({}, None)
        document = found.schema
        if handler is not None and handler.ALSO_CONDITIONAL:
            conditional = [*(document.get("conditionalCreateOnlyProperties") or []), *handler.ALSO_CONDITIONAL]
            document = {**document, "conditionalCreateOnlyProperties": conditional}
        return Schema(document, frozenset(found.get_atts))


def plain(value: Any) -> Any:
    """`value` with all scalars as text, as CloudFormation compares them: 80 is "80", true is "true"."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _changed(paths: list[str], old: dict[str, Any], new: dict[str, Any]) -> set[str]:
    changed = set()
    for path in paths:
        steps = path.removeprefix("/properties/").split("/")
        if plain(_at(old, steps)) != plain(_at(new, steps)):
            changed.add(steps[0])
    return changed


def _at(value: Any, steps: list[str]) -> Any:
    for number, step in enumerate(steps):
        if isinstance(value, list):  # "*" stands for each item; some schemas leave it out
            rest = steps[number + 1 :] if step == "*" else steps[number:]
            return [_at(item, rest) for item in value]
        if not isinstance(value, dict):
            return value if step == "*" or value is None else repr(value)
        value = value.get(step)
    return value


def _problems(
    document: dict[str, Any], rules: Any, value: Any, path: str, read_only: set[str] | None = None
) -> Iterator[str]:
    """Unknown and missing properties of `value`, all the way down; intrinsic functions are taken on trust."""
    rules = _resolve(document, rules)
    if (call := function(value)) is not None:
        if call[0] == "Fn::If" and isinstance(call[1], list):
            for branch in call[1][1:]:
                if branch != {"Ref": "AWS::NoValue"}:
                    yield from _problems(document, rules, branch, path, read_only)
        return
    if isinstance(value, list):
        for number, item in enumerate(value):
            if "items" in rules:
                yield from _problems(document, rules["items"], item, f"{path}/{number}")
        return
    if not isinstance(value, dict):
        return
    alternatives = [_resolve(document, rule) for key in ("allOf", "anyOf", "oneOf") for rule in rules.get(key, [])]
    known = {name: rule for part in [*alternatives, rules] for name, rule in part.get("properties", {}).items()}
    closed = rules.get("additionalProperties") is False and not rules.get("patternProperties")
    for name, item in value.items():
        if closed and (name not in known or name in (read_only or ())):
            yield f"Encountered unsupported property {path.lstrip('/') + '/' if path else ''}{name}"
        elif name in known:
            yield from _problems(document, known[name], item, f"{path}/{name}")
    for name in rules.get("required", []):
        if name not in value:
            yield f"Property {path.lstrip('/') + '/' if path else ''}{name} cannot be empty."


def _resolve(document: dict[str, Any], rules: Any) -> dict[str, Any]:
    while isinstance(rules, dict) and "$ref" in rules:
        target: Any = document
        for step in rules["$ref"].removeprefix("#/").split("/"):
            target = target.get(step, {})
        rules = target
    return rules if isinstance(rules, dict) else {}

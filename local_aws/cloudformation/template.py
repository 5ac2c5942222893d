"""Templates as text: YAML with short tags or JSON, their sections, and what refers to what."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from local_aws.cloudformation.errors import ValidationError, limit

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
BODY_BYTES = 51_200
URL_BODY_BYTES = 1_048_576
MAXIMUM = {"Resources": 500, "Parameters": 200, "Outputs": 200, "Mappings": 200}

SECTIONS = {
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Resources",
    "Outputs",
}  # fmt: skip
UNSUPPORTED_SECTIONS = {"Rules", "Transform", "Hooks"}
SUB_VARIABLE = re.compile(r"\$\{([^!{}][^{}]*)\}")
PSEUDO_PARAMETERS = {
    "AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region", "AWS::StackId",
    "AWS::StackName", "AWS::URLSuffix",
}  # fmt: skip


class Reference(NamedTuple):
    """A Ref (no attribute) or Fn::GetAtt to something by its logical id."""

    name: str
    attribute: str | None = None


class _Loader(yaml.SafeLoader):
    """YAML as CloudFormation reads it: short tags, no dates, no aliases, no key twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML declares it so)
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise ValidationError("Template error: YAML aliases are not allowed in CloudFormation templates")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                key.tag = "tag:yaml.org,2002:str"  # names are text: account ids, ports, a condition called `No`
        keys = [key.value for key, _ in node.value]
        if twice := sorted({key for key in keys if isinstance(key, str) and keys.count(key) > 1}):
            raise ValidationError(
                f"Template format error: YAML not well-formed. Duplicate key {twice[0]!r} ({node.start_mark})"
            )
        return super().construct_mapping(node, deep)


def _short_tag(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    value: Any
    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_object(  # "!Select [0, …]" has plain scalars inside; "!Ref 1" is text all the same
            yaml.ScalarNode("tag:yaml.org,2002:str", node.value, node.start_mark, node.end_mark)
        )
    return {name: value}


_Loader.add_multi_constructor("!", _short_tag)


@dataclass(frozen=True)
class Template:
    """A parsed template. It is shared between stacks and must not be changed.

    Attributes:
        body: the text that it was read from.
        parameters, mappings, conditions, resources, outputs: the sections, empty if absent.
    """

    body: str = field(repr=False)
    description: str | None = None
    metadata: Any = None
    parameters: dict[str, Any] = field(default_factory=dict)
    mappings: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    def dependencies(self, logical_id: str) -> set[str]:
        """Logical ids of the resources that have to be there before this one."""
        resource = self.resources[logical_id]
        found = {reference.name for reference in references(resource.get("Properties"))}
        found.update(listed(resource.get("DependsOn")))
        return found & set(self.resources)


EMPTY = Template("")
"""What a stack has that was never created."""


def listed(value: Any) -> list[str]:
    """DependsOn and the like: nothing, one name, or a list of names."""
    if value is None:
        return []
    return [str(name) for name in value] if isinstance(value, list) else [str(value)]


def check_body_size(body: str) -> None:
    """Raises ValidationError: a TemplateBody over 51,200 bytes; larger ones have to come from S3."""
    if len(body.encode()) > BODY_BYTES:
        raise limit("templateBody", f"have length less than or equal to {BODY_BYTES}")


@functools.lru_cache(maxsize=64)
def parse(body: str) -> Template:
    """Read a template.

    Raises:
        ValidationError: not YAML or JSON, a section that CloudFormation or we do not know, too many of something.
    """
    if len(body.encode()) > URL_BODY_BYTES:
        raise ValidationError(f"Template may not exceed {URL_BODY_BYTES} bytes in size.")
    read = _load(body)
    if not isinstance(read, dict):
        raise ValidationError("Template format error: unsupported structure.")
    if unknown := set(read) - SECTIONS - UNSUPPORTED_SECTIONS:
        raise ValidationError(f"Invalid template property or properties [{', '.join(sorted(map(str, unknown)))}]")
    if unsupported := set(read) & UNSUPPORTED_SECTIONS:
        raise ValidationError(f"The embedded AWS does not support template sections {sorted(unsupported)}.")
    for section in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs"):
        if not isinstance(read.get(section) or {}, dict):
            raise ValidationError(f"Template format error: [/{section}] must be an object.")
    if not read.get("Resources"):
        raise ValidationError("Template format error: At least one Resources member must be defined.")
    for section, most in MAXIMUM.items():
        if (count := len(read.get(section) or {})) > most:
            raise ValidationError(
                f"Template format error: Number of {section.lower()}, {count}, is greater than maximum allowed, {most}"
            )
    return Template(
        body, read.get("Description"), read.get("Metadata"), read.get("Parameters") or {}, read.get("Mappings") or {},
        read.get("Conditions") or {}, read["Resources"], read.get("Outputs") or {},
    )  # fmt: skip


def _load(body: str) -> Any:
    if body.lstrip().startswith("{"):
        try:
            return json.loads(body)
        except ValueError as error:
            raise ValidationError(f"Template format error: JSON not well-formed. ({error})") from error
    try:
        return yaml.load(body, _Loader)  # a SafeLoader with CloudFormation's tags
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", "")
        raise ValidationError(f"Template format error: YAML not well-formed. ({mark})") from error


def function(node: Any) -> tuple[str, Any] | None:
    """The name and argument of an intrinsic function, None if `node` is something else."""
    if isinstance(node, dict) and len(node) == 1:
        ((name, argument),) = node.items()
        if name == "Ref" or (isinstance(name, str) and name.startswith("Fn::")):
            return name, argument
    return None


def attribute_reference(argument: Any) -> Reference:
    """The argument of Fn::GetAtt, in either form: `[Name, Attribute]` or `Name.Attribute`."""
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) < 2 or not isinstance(parts[0], str):
        raise ValidationError(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, "
            "the resource name and the resource attribute"
        )
    return Reference(parts[0], ".".join(str(part) for part in parts[1:]))


def sub_reference(variable: str) -> Reference:
    """What `${variable}` refers to."""
    name, _, attribute = variable.strip().partition(".")
    return Reference(name, attribute or None)


def references(node: Any) -> Iterator[Reference]:
    """All references in a part of a template, to resources, parameters and pseudo parameters alike."""
    if isinstance(node, list):
        for item in node:
            yield from references(item)
        return
    if not isinstance(node, dict):
        return
    for name, argument in node.items():
        if name == "Ref" and len(node) == 1:
            yield Reference(str(argument))
        elif name == "Fn::GetAtt":
            yield attribute_reference(argument)
            if isinstance(argument, list):
                yield from references(argument[1:])
        elif name == "Fn::Sub":
            text, variables = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
            for variable in SUB_VARIABLE.findall(str(text)):
                if variable.strip() not in variables:
                    yield sub_reference(variable)
            yield from references(variables)
        else:
            yield from references(argument)

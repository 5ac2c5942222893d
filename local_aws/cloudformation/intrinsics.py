"""Intrinsic functions and dynamic references: from a part of a template to its value.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from local_aws.cloudformation.errors import ValidationError
from local_aws.cloudformation.schema import plain
from local_aws.cloudformation.template import SUB_VARIABLE, Template, attribute_reference, function, sub_reference


class _Unknown:
    """A value that only the deployment will tell; unequal to everything, itself included."""

    def __repr__(self) -> str:
        return "{{changeSet:KNOWN_AFTER_APPLY}}"

    def __eq__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return id(self)


class _NoValue:
    def __repr__(self) -> str:
        return "AWS::NoValue"


class NotKnownYet(Exception):
    """Raised by `Resources` for what a planned resource does not have yet; the value becomes `UNKNOWN`."""


UNKNOWN = _Unknown()
NO_VALUE = _NoValue()


class Resources(Protocol):
    """Where Ref and Fn::GetAtt of resources come from."""

    def reference(self, logical_id: str) -> str:
        """Physical id; raises KeyError (there is no such resource) or NotKnownYet."""

    def attribute(self, logical_id: str, name: str) -> Any:
        """An attribute; raises KeyError (no such resource or attribute) or NotKnownYet."""


@dataclass
class Environment:
    """What a template is evaluated in, apart from its resources.

    Attributes:
        pseudo: pseudo parameters.
        parameters: what Ref gives for each parameter.
        zones: availability zones of a region.
        exported: value of an export; raises KeyError if there is none.
        imports: names of the exports that were used so far.
    """

    pseudo: Mapping[str, Any]
    parameters: Mapping[str, Any]
    zones: Callable[[str], list[str]]
    exported: Callable[[str], str]
    imports: set[str] = field(default_factory=set)


class Resolver:
    """Evaluates parts of one template for one operation on one stack."""

    def __init__(self, template: Template, environment: Environment, resources: Resources) -> None:
        self.template = template
        self.environment = environment
        self.resources = resources
        self._conditions: dict[str, bool] = {}

    def value(self, node: Any) -> Any:
        """The value of `node`, with `UNKNOWN` in place of functions that need what is not there yet.

        Raises:
            ValidationError: something in it cannot be evaluated.
        """
        if function(node) is not None:
            try:
                return self._evaluate(node)
            except NotKnownYet:
                return UNKNOWN
        if isinstance(node, dict):
            pairs = ((key, self.value(item)) for key, item in node.items())
            return {key: item for key, item in pairs if item is not NO_VALUE}
        if isinstance(node, list):
            return [item for item in map(self.value, node) if item is not NO_VALUE]
        return self._evaluate(node)

    def condition(self, name: str) -> bool:
        """Whether the condition called `name` holds."""
        if name not in self._conditions:
            if name not in self.template.conditions:
                raise ValidationError(f"Template format error: Unresolved condition [{name}]")
            self._conditions[name] = self._holds(self.template.conditions[name])
        return self._conditions[name]

    def enabled(self, part: Mapping[str, Any]) -> bool:
        """Whether a resource or output is wanted, by its `Condition`."""
        return "Condition" not in part or self.condition(part["Condition"])

    def wanted(self) -> list[str]:
        """Logical ids of the resources whose condition holds, in the template's order."""
        return [name for name, resource in self.template.resources.items() if self.enabled(resource)]

    def _evaluate(self, node: Any) -> Any:
        if (call := function(node)) is not None:
            name, argument = call
            if name not in FUNCTIONS:
                raise ValidationError(f"Template format error: Unsupported function {name}")
            try:
                return FUNCTIONS[name](self, argument)
            except (TypeError, ValueError, IndexError, AttributeError) as error:
                raise ValidationError(f"Template error: {name} cannot be evaluated: {error}") from error
        if isinstance(node, dict):
            pairs = ((key, self._evaluate(item)) for key, item in node.items())
            return {key: item for key, item in pairs if item is not NO_VALUE}
        if isinstance(node, list):
            return [item for item in map(self._evaluate, node) if item is not NO_VALUE]
        return node

    def _holds(self, node: Any) -> bool:
        if isinstance(node, dict) and set(node) == {"Condition"}:
            return self.condition(node["Condition"])
        call = function(node)
        if call is None:
            raise ValidationError("Template format error: Every Conditions member must be a condition function.")
        name, argument = call
        match name, argument:
            case "Fn::Equals", [left, right]:
                return bool(plain(self._evaluate(left)) == plain(self._evaluate(right)))
            case "Fn::Not", [operand]:
                return not self._holds(operand)
            case (("Fn::And" | "Fn::Or"), [*operands]) if 2 <= len(operands) <= 10:
                results = [self._holds(operand) for operand in operands]
                return all(results) if name == "Fn::And" else any(results)
        raise ValidationError(f"Template validation error: {name} in Conditions has the wrong number of operands.")

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        for place in (self.environment.pseudo, self.environment.parameters):
            if name in place:
                return place[name]
        try:
            return self.resources.reference(name)
        except KeyError:
            raise ValidationError(
                f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of the"
                " template"
            ) from None

    def _attribute(self, name: str, attribute: str) -> Any:
        try:
            return self.resources.attribute(name, attribute)
        except KeyError:
            raise ValidationError(
                f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt"
            ) from None

    def _text(self, node: Any, where: str) -> str:
        value = plain(self._evaluate(node))
        if not isinstance(value, str):
            raise ValidationError(f"Template error: {where} needs text, not {value!r}")
        return value

    def _ref(self, argument: Any) -> Any:
        return self._reference(str(argument))

    def _get_att(self, argument: Any) -> Any:
        name, attribute = attribute_reference(argument)
        if isinstance(argument, list) and not isinstance(argument[1], str):
            attribute = self._text(argument[1], "Fn::GetAtt")
        return self._attribute(name, attribute or "")

    def _sub(self, argument: Any) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})
        known = {name: self._text(value, "Fn::Sub") for name, value in variables.items()}

        def replacement(found: Any) -> str:
            name = found[1].strip()
            if name in known:
                return known[name]
            reference = sub_reference(name)
            if reference.attribute is None:
                value = plain(self._reference(name))
            else:
                value = plain(self._attribute(reference.name, reference.attribute))
            if not isinstance(value, str):
                raise ValidationError(
                    f"Template error: variable {name} in Fn::Sub expression does not resolve to a string"
                )
            return value

        return SUB_VARIABLE.sub(replacement, str(text)).replace("${!", "${")

    def _join(self, argument: Any) -> str:
        separator, items = argument
        values = plain(self._evaluate(items))
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise ValidationError("Template error: every Fn::Join object requires a delimiter and a list of strings")
        return str(separator).join(values)

    def _split(self, argument: Any) -> list[str]:
        separator, text = argument
        return self._text(text, "Fn::Split").split(separator)

    def _select(self, argument: Any) -> Any:
        index, items = argument
        values, number = self._evaluate(items), int(self._evaluate(index))
        if not isinstance(values, list) or not 0 <= number < len(values):
            raise ValidationError(f"Template error: Fn::Select cannot select nonexistent value at index {number}")
        return values[number]

    def _if(self, argument: Any) -> Any:
        name, yes, no = argument
        return self._evaluate(yes if self.condition(name) else no)

    def _find_in_map(self, argument: Any) -> Any:
        keys = [self._text(key, "Fn::FindInMap") for key in argument[:3]]
        found: Any = self.template.mappings
        for key in keys:
            named = {str(name): value for name, value in found.items()} if isinstance(found, dict) else {}
            if key not in named:
                if len(argument) > 3:
                    return self._evaluate(argument[3]["DefaultValue"])
                raise ValidationError(f"Template error: Unable to get mapping for {'::'.join(keys)}")
            found = named[key]
        return found

    def _base64(self, argument: Any) -> str:
        return base64.b64encode(self._text(argument, "Fn::Base64").encode()).decode()

    def _cidr(self, argument: Any) -> list[str]:
        block, count, *bits = (self._text(item, "Fn::Cidr") for item in argument)
        network = ipaddress.ip_network(block)
        prefix = network.max_prefixlen - int(bits[0] if bits else 8)
        subnets = [str(subnet) for subnet in islice(network.subnets(new_prefix=prefix), int(count))]
        if len(subnets) < int(count):
            raise ValidationError(f"Template error: Fn::Cidr: {block} has no {count} blocks of that size")
        return subnets

    def _get_azs(self, argument: Any) -> list[str]:
        return self.environment.zones(self._text(argument, "Fn::GetAZs") or self.environment.pseudo["AWS::Region"])

    def _import_value(self, argument: Any) -> str:
        name = self._text(argument, "Fn::ImportValue")
        try:
            value = self.environment.exported(name)
        except KeyError:
            raise ValidationError(f"No export named {name} found.") from None
        self.environment.imports.add(name)
        return value

    def _to_json_string(self, argument: Any) -> str:
        return json.dumps(self._evaluate(argument), separators=(",", ":"))

    def _length(self, argument: Any) -> int:
        return len(self._evaluate(argument))


FUNCTIONS: dict[str, Callable[[Resolver, Any], Any]] = {
    "Ref": Resolver._ref,
    "Fn::Base64": Resolver._base64,
    "Fn::Cidr": Resolver._cidr,
    "Fn::FindInMap": Resolver._find_in_map,
    "Fn::GetAZs": Resolver._get_azs,
    "Fn::GetAtt": Resolver._get_att,
    "Fn::If": Resolver._if,
    "Fn::ImportValue": Resolver._import_value,
    "Fn::Join": Resolver._join,
    "Fn::Length": Resolver._length,
    "Fn::Select": Resolver._select,
    "Fn::Split": Resolver._split,
    "Fn::Sub": Resolver._sub,
    "Fn::ToJsonString": Resolver._to_json_string,
}
"""Functions for values; And, Equals, Not and Or are for conditions alone."""

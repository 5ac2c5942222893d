"""Template parameters: defaults, previous values, constraints, types.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.cloudformation.errors import ValidationError, limit

VALUE_BYTES = 4096
SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
LIST = re.compile(r"List<(.+)>")
AWS_TYPE = re.compile(r"AWS::[A-Za-z0-9]+::[A-Za-z0-9:]+")


@dataclass(frozen=True)
class Given:
    """The parameters of a request.

    Attributes:
        values: values as they were passed.
        previous: names passed with UsePreviousValue.
    """

    values: dict[str, str]
    previous: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, parameters: list[dict[str, Any]]) -> Given:
        """Read a request's `Parameters`. Raises ValidationError: a value too long, or both value and previous."""
        values, previous = {}, set()
        for parameter in parameters:
            name, value = parameter["ParameterKey"], parameter.get("ParameterValue")
            if parameter.get("UsePreviousValue"):
                if value is not None:
                    raise ValidationError(
                        f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and non empty"
                        " value for a parameter"
                    )
                previous.add(name)
            else:
                values[name] = str(value if value is not None else "")
                if len(values[name].encode()) > VALUE_BYTES:
                    raise limit(
                        f"parameters.{name}.member.parameterValue",
                        f"have length less than or equal to {VALUE_BYTES}",
                    )
        return cls(values, frozenset(previous))


def effective(declared: Mapping[str, Any], given: Given, previous: Mapping[str, str]) -> dict[str, str]:
    """The value of every declared parameter as text: given, else previous where asked for, else the default.

    Raises:
        ValidationError: one is missing or not declared, or breaks its constraints.
    """
    if unknown := (set(given.values) | given.previous) - set(declared):
        raise ValidationError(f"Parameters: [{', '.join(sorted(unknown))}] do not exist in the template")
    values, missing = {}, []
    for name, declaration in declared.items():
        if not isinstance(declaration, dict) or "Type" not in declaration:
            raise ValidationError(
                f"Template format error: Every Parameters object must contain a Type member. [{name}]"
            )
        if name in given.values:
            values[name] = given.values[name]
        elif name in given.previous and name in previous:
            values[name] = previous[name]
        elif "Default" in declaration:
            values[name] = _text(declaration["Default"])
        else:
            missing.append(name)
    if missing:
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    for name, value in values.items():
        _check(name, declared[name], value)
    return values


def resolve(
    declared: Mapping[str, Any], values: Mapping[str, str], ssm: Callable[[str], str]
) -> dict[str, str | list[str]]:
    """What Ref gives: lists are split, parameters of type SSM are looked up.

    Args:
        declared: the template's section.
        values: from `effective`.
        ssm: reads a parameter of Parameter Store; raises KeyError if there is none.
    """
    resolved: dict[str, str | list[str]] = {}
    for name, value in values.items():
        kind = declared[name]["Type"]
        if found := SSM_VALUE.fullmatch(kind):
            kind = found[1]
            try:
                value = ssm(value)
            except KeyError:
                raise ValidationError(
                    f"Unable to fetch parameters [{value}] from parameter store for this account."
                ) from None
        if kind == "CommaDelimitedList" or LIST.fullmatch(kind):
            resolved[name] = [item.strip() for item in value.split(",")] if value else []
        else:
            resolved[name] = value
    return resolved


def is_secret(declaration: Mapping[str, Any]) -> bool:
    """Whether the API shows `****` instead of the value (NoEcho)."""
    return str(declaration.get("NoEcho", False)).lower() == "true"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(_text(item) for item in value) if isinstance(value, list) else str(value)


def _check(name: str, declaration: dict[str, Any], value: str) -> None:
    kind = declaration["Type"]
    listing = LIST.fullmatch(kind)
    if kind != "CommaDelimitedList" and not SSM_VALUE.fullmatch(kind):
        base = listing[1] if listing else kind
        if base not in ("String", "Number") and not AWS_TYPE.fullmatch(base):
            raise ValidationError(f"Template format error: Unrecognized parameter type: {kind}")
    items = [item.strip() for item in value.split(",")] if listing or kind == "CommaDelimitedList" else [value]
    allowed = [_text(item) for item in declaration.get("AllowedValues") or []]
    said = declaration.get("ConstraintDescription")
    for item in items:
        if allowed and item not in allowed:
            _refuse(name, said, f"must be one of AllowedValues: [{', '.join(allowed)}]")
        pattern = declaration.get("AllowedPattern")
        if pattern is not None and not re.fullmatch(pattern, item):
            _refuse(name, said, f"must match pattern {pattern}")
    if kind in ("Number", "List<Number>"):
        for item in items:
            _check_number(name, declaration, item, said)
    if "MinLength" in declaration and len(value) < int(declaration["MinLength"]):
        _refuse(name, said, f"must contain at least {declaration['MinLength']} characters")
    if "MaxLength" in declaration and len(value) > int(declaration["MaxLength"]):
        _refuse(name, said, f"must contain at most {declaration['MaxLength']} characters")


def _check_number(name: str, declaration: dict[str, Any], item: str, said: str | None) -> None:
    try:
        number = float(item)
    except ValueError:
        raise ValidationError(f"Parameter '{name}' must be a number.") from None
    if "MinValue" in declaration and number < float(declaration["MinValue"]):
        _refuse(name, said, f"must be a number not less than {declaration['MinValue']}")
    if "MaxValue" in declaration and number > float(declaration["MaxValue"]):
        _refuse(name, said, f"must be a number not greater than {declaration['MaxValue']}")


def _refuse(name: str, said: str | None, rule: str) -> None:
    raise ValidationError(f"Parameter '{name}' failed to satisfy constraint: {said or rule}")

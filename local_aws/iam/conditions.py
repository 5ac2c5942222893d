"""The Condition element: operators, their set forms and IfExists."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address, ip_network
from typing import Any, TypeVar

from local_aws.iam import patterns
from local_aws.iam.errors import Unevaluable
from local_aws.iam.facts import Facts

Pieces = tuple[tuple[str, bool], ...]
Test = Callable[[Pieces, str], bool]
"""Whether a value of the request (second) is as a policy's value says."""

T = TypeVar("T")
Ordered = TypeVar("Ordered", Decimal, datetime)

OPERATOR = re.compile(r"(?:(?P<set>ForAllValues|ForAnyValue):)?(?P<name>[A-Za-z]+?)(?P<if_exists>IfExists)?")
ISO = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise Unevaluable(f"{text} is no number") from None


def _time(text: str) -> datetime:
    if re.fullmatch(r"\d+", text) and len(text) != 4:
        return datetime.fromtimestamp(int(text), UTC)
    if not ISO.fullmatch(text):
        raise Unevaluable(f"{text} is no date: 2026-03-01T12:00:00Z or seconds since 1970")
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise Unevaluable(f"{text} is neither true nor false")
    return text.lower() == "true"


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unevaluable(f"{text} is not base64") from None


def _in_network(network: str, address: str) -> bool:
    try:
        asked = ip_address(address)
        inside = ip_network(network, strict=False)
    except ValueError as error:
        raise Unevaluable(f"IpAddress: {error}") from None
    return asked.version == inside.version and asked in inside


def _parsed(parse: Callable[[str], T], compare: Callable[[T, T], bool]) -> Test:
    """A test of two values of a type; the request's comes first in the comparison."""
    return lambda pieces, text: compare(parse(text), parse(patterns.joined(pieces)))


def _ordered(family: str, parse: Callable[[str], Ordered]) -> dict[str, Test]:
    return {
        f"{family}Equals": _parsed(parse, lambda asked, said: asked == said),
        f"{family}LessThan": _parsed(parse, lambda asked, said: asked < said),
        f"{family}LessThanEquals": _parsed(parse, lambda asked, said: asked <= said),
        f"{family}GreaterThan": _parsed(parse, lambda asked, said: asked > said),
        f"{family}GreaterThanEquals": _parsed(parse, lambda asked, said: asked >= said),
    }


POSITIVE: Mapping[str, Test] = {
    "StringEquals": lambda pieces, text: patterns.joined(pieces) == text,
    "StringEqualsIgnoreCase": lambda pieces, text: patterns.joined(pieces).lower() == text.lower(),
    "StringLike": patterns.like,
    "ArnEquals": patterns.arn_like,
    "ArnLike": patterns.arn_like,
    "Bool": _parsed(_boolean, lambda asked, said: asked == said),
    "BinaryEquals": _parsed(_bytes, lambda asked, said: asked == said),
    "IpAddress": lambda pieces, text: _in_network(patterns.joined(pieces), text),
    **_ordered("Numeric", _number),
    **_ordered("Date", _time),
}
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}
WITH_VARIABLES = ("String", "Arn")
"""Families of operators in whose values variables are replaced."""


@dataclass(frozen=True)
class Condition:
    """One key of one operator.

    Attributes:
        operator: as written, for messages.
        name: without prefix and suffix.
        for_all, for_any: its set form; neither where the key has one value.
        if_exists: holds where the request has no such key.
        key: as written.
        values: of which one has to fit; none where negated.
    """

    operator: str
    name: str
    for_all: bool
    for_any: bool
    if_exists: bool
    key: str
    values: tuple[str, ...]

    def holds(self, facts: Facts, variables: bool) -> bool:
        """Whether the request is as the condition says.

        Raises:
            Unevaluable: where that cannot be said.
        """
        asked = facts.values(self.key)
        if self.name == "Null":
            return any(_boolean(value) == (not asked) for value in self.values)
        if not asked:
            # ForAnyValue is false also with IfExists.
            return self.for_all or (not self.for_any and (self.if_exists or self.name in NEGATED))
        if not self.for_any and not self.for_all and (len(asked) > 1 or facts.has_lists(self.key)):
            raise Unevaluable(
                f"{self.key} may have several values; {self.operator} needs ForAnyValue: or ForAllValues:"
            )
        if self.for_all:
            return all(self._fits(value, facts, variables) for value in asked)
        return any(self._fits(value, facts, variables) for value in asked)

    def _fits(self, asked: str, facts: Facts, variables: bool) -> bool:
        negated = self.name in NEGATED
        test = POSITIVE[NEGATED.get(self.name, self.name)]
        replaced = variables and self.name.startswith(WITH_VARIABLES)
        said = (patterns.filled(value, facts.value) if replaced else patterns.plain(value) for value in self.values)
        return any(pieces is not None and test(pieces, asked) for pieces in said) != negated


def parse(element: Any) -> tuple[Condition, ...]:
    """The Condition element of a statement.

    Raises:
        Unevaluable: for an operator that is not known, or one written otherwise than IAM writes them.
    """
    if not isinstance(element, Mapping):
        raise Unevaluable("Condition is no object")
    return tuple(condition for operator, keys in element.items() for condition in _of(str(operator), keys))


def _of(operator: str, keys: Any) -> Iterator[Condition]:
    parts = OPERATOR.fullmatch(operator)
    if parts is None or parts["name"] not in {"Null", *POSITIVE, *NEGATED}:
        raise Unevaluable(f"the condition operator {operator} is not known")
    name = parts["name"]
    if name == "Null" and (parts["set"] or parts["if_exists"]):
        raise Unevaluable(f"{operator}: Null has no other form")
    if not isinstance(keys, Mapping):
        raise Unevaluable(f"{operator} is no object of keys")
    for key, value in keys.items():
        values = tuple(_text(one, operator) for one in (value if isinstance(value, list) else [value]))
        _check(name, values)
        yield Condition(
            operator,
            name,
            parts["set"] == "ForAllValues",
            parts["set"] == "ForAnyValue",
            bool(parts["if_exists"]),
            str(key),
            values,
        )


def _text(value: Any, operator: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise Unevaluable(f"a value of {operator} is neither a text nor a number: {value!r}")


def _check(name: str, values: tuple[str, ...]) -> None:
    """A value of the wrong type is noticed where the policy is read, not when a request comes that it concerns."""
    for value in values:
        if name in ("Null", "Bool"):
            _boolean(value)
        elif name.startswith("Numeric"):
            _number(value)
        elif name.startswith("Date"):
            _time(value)
        elif name.startswith("Binary"):
            _bytes(value)
        elif name.endswith("IpAddress"):
            _in_network(value, "192.0.2.1")

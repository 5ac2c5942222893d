"""Policy documents: what their statements say, in a form that can be asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from local_aws.iam import conditions, patterns
from local_aws.iam.conditions import Condition
from local_aws.iam.errors import Unevaluable
from local_aws.iam.facts import Facts
from local_aws.iam.principals import Kind, Named, Principal, named

ELEMENTS = {
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
}  # fmt: skip
VERSIONS = ("2008-10-17", "2012-10-17")
REQUEST_TAG = "aws:requesttag/"
"""How a key of a tag in a request begins, in small letters."""


@dataclass(frozen=True)
class Statement:
    """One statement.

    Attributes:
        sid: its Sid, or its number in the policy, counted from 1.
        allows: its Effect.
        principals: (family, value); None in a policy of an identity.
        actions, resources: patterns; no resources where the policy is that of one resource and names none.
        but_principals, but_actions, but_resources: whether the Not… form was written.
        conditions: all have to hold.
        variables: whether `${…}` stands for something: not in a policy of 2008.
    """

    sid: str
    allows: bool
    principals: tuple[tuple[str, str], ...] | None
    but_principals: bool
    actions: tuple[str, ...]
    but_actions: bool
    resources: tuple[str, ...]
    but_resources: bool
    conditions: tuple[Condition, ...]
    variables: bool

    def names(self, principal: Principal, bounded: bool) -> Named:
        """How closely it names somebody, by the closest of its names.

        NotPrincipal leaves out nobody who has a permissions boundary (`bounded`), whatever it names.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        """
        if self.but_principals and bounded:
            return Named.ITSELF
        found = [named(principal, family, value) for family, value in self.principals or ()]
        if not self.but_principals:
            return max(found, default=Named.NOT)
        return self._names_all_but(principal, found)

    def _names_all_but(self, principal: Principal, found: list[Named]) -> Named:
        """Whether NotPrincipal leaves somebody out: each of the names that somebody has must stand there."""
        needed = {Named.ITSELF, Named.ACCOUNT} if principal.kind in (Kind.USER, Kind.ROLE) else {Named.ITSELF}
        if principal.kind is Kind.ROLE:
            needed.add(Named.ROLE)
        if not set(found) & needed:
            return Named.ITSELF
        if needed <= set(found):
            return Named.NOT
        raise Unevaluable(
            f"statement {self.sid} leaves out {principal.arn} by NotPrincipal without all of its names: "
            "the session, its role and the account"
        )

    def covers(self, action: str) -> bool:
        """Whether it is about an action."""
        return patterns.any_action_like(self.actions, action) != self.but_actions

    def reaches(self, resource: str, kind: str, facts: Facts) -> bool:
        """Whether it is about a resource: an ARN, or `*` where the action has none.

        Args:
            resource: the request's.
            kind: with what the last part of its ARN begins, to say of which type it is: `role/`; '' if with nothing.
            facts: of the request.
        """
        if not self.resources:
            return True
        found = [self._is(pattern, resource, kind, facts) for pattern in self.resources]
        if self.but_resources and None in found and True not in found:
            raise Unevaluable("NotResource has a variable without a value; AWS does not tell what it then says")
        return (True in found) != self.but_resources

    def _is(self, pattern: str, resource: str, kind: str, facts: Facts) -> bool | None:
        """Whether a resource is of a pattern; None where the pattern has a variable without a value."""
        if pattern == "*":
            return True
        pieces = patterns.filled(pattern, facts.value) if self.variables else patterns.plain(pattern)
        if pieces is None:
            return None
        fits = patterns.arn_like(pieces, resource)
        last = pattern.split(":", 5)[5]
        if fits and last != "*" and not last.startswith(kind):
            raise Unevaluable(f"{pattern} has a wildcard in the type of the resource ({kind}), where IAM takes none")
        return fits

    def conditions_hold(self, facts: Facts) -> bool:
        """Whether all conditions hold. One that does not decides, also where another cannot be evaluated."""
        unknown: Unevaluable | None = None
        for condition in self.conditions:
            try:
                if not condition.holds(facts, self.variables):
                    return False
            except Unevaluable as error:
                unknown = unknown or error
        if unknown:
            raise unknown
        return True


@dataclass(frozen=True)
class Policy:
    """A policy and what it is called.

    Attributes:
        name: for messages: its name, or the resource's whose it is.
        document: as JSON, or as what JSON says.
    """

    name: str
    document: Mapping[str, Any] | str

    @cached_property
    def of_identity(self) -> tuple[Statement, ...]:
        """The statements of a policy that belongs to who asks: user's, role's, boundary, session policy.

        Raises:
            Unevaluable: for a document that is not understood.
        """
        return self._statements(of_resource=False)

    @cached_property
    def of_resource(self) -> tuple[Statement, ...]:
        """The statements of a policy that belongs to what is asked for, a role's trust policy too.

        Raises:
            Unevaluable: for a document that is not understood.
        """
        return self._statements(of_resource=True)

    @cached_property
    def request_tags(self) -> frozenset[str]:
        """The keys `aws:RequestTag/…` that its conditions ask for.

        Raises:
            Unevaluable: for a document that is not understood.
        """
        conditions_of = (condition for statement in self.of_identity for condition in statement.conditions)
        return frozenset(each.key for each in conditions_of if each.key.lower().startswith(REQUEST_TAG))

    def _statements(self, of_resource: bool) -> tuple[Statement, ...]:
        try:
            document = json.loads(self.document) if isinstance(self.document, str) else self.document
            return parsed(document, of_resource)
        except ValueError as error:
            raise Unevaluable(f"policy {self.name} is no JSON: {error}") from None
        except Unevaluable as error:
            raise Unevaluable(f"policy {self.name}: {error}") from None


def parsed(document: Any, of_resource: bool) -> tuple[Statement, ...]:
    """A document's statements.

    Raises:
        Unevaluable: for what is not understood; IAM would not have taken most of it.
    """
    if not isinstance(document, Mapping):
        raise Unevaluable("it is no object")
    if unknown := document.keys() - {"Version", "Id", "Statement"}:
        raise Unevaluable(f"the element {min(unknown)} is not known")
    version = document.get("Version", VERSIONS[0])
    if version not in VERSIONS:
        raise Unevaluable(f"its version is {version}; there are {' and '.join(VERSIONS)}")
    written = document.get("Statement")
    statements = written if isinstance(written, list) else [written]
    return tuple(
        _statement(number, statement, version == VERSIONS[1], of_resource)
        for number, statement in enumerate(statements, 1)
    )


def _statement(number: int, written: Any, variables: bool, of_resource: bool) -> Statement:
    if not isinstance(written, Mapping):
        raise Unevaluable(f"statement {number} is no object")
    sid = str(written.get("Sid") or number)
    try:
        if unknown := written.keys() - ELEMENTS:
            raise Unevaluable(f"the element {min(unknown)} is not known")
        if written.get("Effect") not in ("Allow", "Deny"):
            raise Unevaluable("Effect is neither Allow nor Deny")
        actions, but_actions = _either(written, "Action")
        resources, but_resources = _either(written, "Resource", needed=not of_resource)
        principals = _principals(written, of_resource)
        for action in actions:
            _check_action(action)
        for resource in resources:
            _check_resource(resource)
        return Statement(
            sid,
            written["Effect"] == "Allow",
            principals,
            "NotPrincipal" in written,
            actions,
            but_actions,
            resources,
            but_resources,
            conditions.parse(written.get("Condition", {})),
            variables,
        )
    except Unevaluable as error:
        raise Unevaluable(f"statement {sid}: {error}") from None


def _either(written: Mapping[str, Any], name: str, needed: bool = True) -> tuple[tuple[str, ...], bool]:
    """The values of an element or of its Not… form, and which of the two it is."""
    forms = [form for form in (name, f"Not{name}") if form in written]
    if len(forms) > 1 or (needed and not forms):
        raise Unevaluable(f"it needs one of {name} and Not{name}")
    if not forms:
        return (), False
    values = written[forms[0]] if isinstance(written[forms[0]], list) else [written[forms[0]]]
    if not values or not all(isinstance(value, str) for value in values):
        raise Unevaluable(f"{forms[0]} is no text and no list of texts")
    return tuple(values), forms[0] != name


def _principals(written: Mapping[str, Any], of_resource: bool) -> tuple[tuple[str, str], ...] | None:
    forms = [form for form in ("Principal", "NotPrincipal") if form in written]
    if not of_resource:
        if forms:
            raise Unevaluable(f"{forms[0]} has no place in the policy of an identity")
        return None
    if len(forms) != 1:
        raise Unevaluable("it needs one of Principal and NotPrincipal")
    element = written[forms[0]]
    if element == "*":
        return (("AWS", "*"),)
    if not isinstance(element, Mapping) or not element:
        raise Unevaluable(f"{forms[0]} is neither * nor an object")
    found = [
        (str(family), value)
        for family, values in element.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    if forms[0] == "NotPrincipal" and written.get("Effect") == "Allow":
        raise Unevaluable("NotPrincipal with Allow gives everybody else everything, nobodies included")
    for family, value in found:
        if not isinstance(value, str):
            raise Unevaluable(f"{forms[0]}: {value!r} is no text")
        named(Principal.anonymous(), family, value)  # says what it does not understand
    return tuple(found)


def _check_action(action: str) -> None:
    service, colon, _ = action.partition(":")
    if action != "*" and (not colon or "*" in service or "?" in service):
        raise Unevaluable(f"{action} is no action: service:Name, wildcards in the name only, or *")


def _check_resource(resource: str) -> None:
    if resource == "*":
        return
    if not resource.startswith("arn:") or resource.count(":") < 5:
        raise Unevaluable(f"{resource} is neither * nor an ARN of six parts")
    if "${" in ":".join(resource.split(":", 5)[:5]):
        raise Unevaluable(f"{resource} has a variable before its fifth colon, where IAM takes none")

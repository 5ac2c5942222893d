"""What is wrong with a policy that IAM takes all the same: it grants or denies less than it seems to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.iam import documents, patterns, reference
from local_aws.iam.documents import Statement
from local_aws.iam.errors import Unevaluable
from local_aws.iam.reference import Action


def policies_problems(document: Mapping[str, Any] | str, of_resource: bool = False) -> list[str]:
    """What of a policy has no effect: unknown actions, resources and condition keys that none of its actions has.

    Args:
        document: as JSON, or as what JSON says.
        of_resource: whether it is a resource's policy (bucket, key, secret, a role's trust policy).

    Returns:
        A sentence each, with the statement's Sid or number; also where the document cannot be evaluated at all.
    """
    try:
        read = json.loads(document) if isinstance(document, str) else document
        statements = documents.parsed(read, of_resource)
    except (ValueError, Unevaluable) as error:
        return [str(error)]
    return [f"statement {each.sid}: {problem}" for each in statements for problem in _problems(each)]


def _problems(statement: Statement) -> Iterator[str]:
    if statement.but_actions or "*" in statement.actions:
        return  # about everything that there is
    concerned: list[Action] = []
    for pattern in statement.actions:
        found = reference.actions(pattern)
        if not found:
            service = pattern.partition(":")[0]
            known = service.lower() in reference.services()
            yield (
                f"there is no action {pattern}"
                if known
                else f"the service {service} is not known; see scripts/iam_data.py"
            )
        concerned += found
    if concerned:
        yield from _of_resources(statement, concerned)
        yield from _of_conditions(statement, concerned)


def _of_resources(statement: Statement, concerned: list[Action]) -> Iterator[str]:
    if not statement.resources or statement.but_resources or "*" in statement.resources:
        return
    for pattern in statement.resources:
        if not any(_may_take(action, pattern) for action in concerned):
            yield f"none of its actions takes {pattern}"
    for action in concerned:
        if not action.types:
            yield f"{action.name} takes no resource but *"
        elif not any(_may_take(action, pattern) for pattern in statement.resources):
            yield f"{action.name} takes none of its resources, but {' or '.join(sorted(action.types))}"


def _of_conditions(statement: Statement, concerned: list[Action]) -> Iterator[str]:
    for condition in statement.conditions:
        having = [action for action in concerned if action.may_have(condition.key)]
        if not having:
            yield f"none of its actions has the condition key {condition.key}"
            continue
        lists = reference.key_type(having[0].name, condition.key).startswith("ArrayOf")
        if lists and condition.name != "Null" and not (condition.for_all or condition.for_any):
            yield f"{condition.key} may have several values; {condition.operator} needs ForAnyValue: or ForAllValues:"
        if not lists and condition.for_all and statement.allows:
            yield f"{condition.key} has one value, and {condition.operator} holds also where the request has none"


def _may_take(action: Action, pattern: str) -> bool:
    """Whether an ARN can be both of a policy's pattern and of one of an action's types of resources."""
    return any(_overlap(pattern, arn) for arn in action.arns.values())


def _overlap(pattern: str, arn: str) -> bool:
    """Whether a policy's pattern and a type's (`arn:${Partition}:s3:::${BucketName}`) have an ARN in common.

    Part by part, as policies are evaluated; in the last one each placeholder and variable is any text.
    """
    theirs = reference.PLACEHOLDER.sub("*", arn).split(":", 5)
    ours = patterns.VARIABLE.sub("*", pattern).split(":", 5)
    return len(theirs) == len(ours) == 6 and all(_meet(a, b) for a, b in zip(ours, theirs, strict=True))


def _meet(one: str, other: str) -> bool:
    """Whether two texts with wildcards have a text in common."""
    one, other = re.sub(r"\*+", "*", one), re.sub(r"\*+", "*", other)
    reached = {(0, 0)}
    seen: set[tuple[int, int]] = set()
    while reached:
        i, j = at = reached.pop()
        if at in seen:
            continue
        seen.add(at)
        a, b = one[i : i + 1], other[j : j + 1]
        if not a and not b:
            return True
        if a == "*":
            reached.add((i + 1, j))
            if b:
                reached.add((i, j + 1))
        if b == "*":
            reached.add((i, j + 1))
            if a:
                reached.add((i + 1, j))
        if a and b and "*" not in (a, b) and (a == b or "?" in (a, b)):
            reached.add((i + 1, j + 1))
    return False

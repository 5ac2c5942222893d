"""For tests of rights: a set of policies, each without one action of one statement, and who is denied something then.

An action that can be taken out of its statement without anybody being denied anything is one that nobody needs there.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from local_aws.iam import patterns, reference
from local_aws.iam.evaluate import Policy, Principal, Request, Unevaluable, decide

Json = dict[str, Any]
ACCOUNT = "123456789012"
USER = "AIDAANN0123456789"
ANN = Principal.user(f"arn:aws:iam::{ACCOUNT}:user/ann", USER)
ENDS = ("x", "x/x", "x/x/x", "x/x/x/x", "x:1", "x:log-stream:x", "")
"""What stands for the last asterisk of an ARN: a name; a file, a listener's rule; a revision; a stream of a log."""
OF_THE_KEY = Policy(
    "of the key",
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*",
        },
    },
)  # fmt: skip
"""A key of the account's own leaves it to IAM, as one that the console makes does."""


@dataclass(frozen=True)
class Entry:
    """One action of one statement.

    Attributes:
        policy: the policy's name.
        statement: its place in the policy, from 0.
        action: as it is written there, a pattern perhaps.
    """

    policy: str
    statement: int
    action: str


def listed(value: Any) -> list[Any]:
    """What IAM takes alone or in a list, as a list."""
    return value if isinstance(value, list) else [value]


def documents(policies: Sequence[Policy]) -> dict[str, Json]:
    """Name → document of the policies of somebody."""
    return {
        each.name: json.loads(each.document) if isinstance(each.document, str) else dict(each.document)
        for each in policies
    }


def entries(found: Mapping[str, Json]) -> Iterator[Entry]:
    """Each action that some statement allows."""
    for name, document in found.items():
        for number, statement in enumerate(listed(document["Statement"])):
            if statement["Effect"] == "Allow":
                yield from (Entry(name, number, action) for action in listed(statement["Action"]))


def statement(found: Mapping[str, Json], entry: Entry) -> Json:
    """The statement of an entry."""
    chosen: Json = listed(found[entry.policy]["Statement"])[entry.statement]
    return chosen


def without(found: Mapping[str, Json], entry: Entry) -> dict[str, Json]:
    """The same documents, less this one action in this one statement."""
    less = copy.deepcopy(dict(found))
    statements = listed(less[entry.policy]["Statement"])
    rest = [each for each in listed(statements[entry.statement]["Action"]) if each != entry.action]
    if rest:
        statements[entry.statement]["Action"] = rest
    else:
        del statements[entry.statement]
    less[entry.policy]["Statement"] = statements
    return less


def policies(found: Mapping[str, Json]) -> tuple[Policy, ...]:
    """Documents as the evaluator takes them; one without a statement says nothing."""
    return tuple(Policy(name, document) for name, document in found.items() if document["Statement"])


def unneeded(
    found: Mapping[str, Json],
    denied: Callable[[tuple[Policy, ...], Entry], bool],
    reasons: Mapping[str, str],
    of: str = "",
) -> list[str]:
    """What is wrong with each action that is there without a use, or with a reason that it does not need.

    Args:
        found: the documents, by name.
        denied: whether any need is denied under these policies, which lack the entry.
        reasons: action → why it is allowed though no call that is known here needs it.
        of: the policy whose actions are looked at; all of them by default.

    Returns:
        Sentences, none if all is well.
    """
    said, present = [], set()
    for entry in entries(found):
        if of not in ("", entry.policy):
            continue
        present.add(entry.action)
        used = denied(policies(without(found, entry)), entry)
        if used and entry.action in reasons:
            said.append(f"{entry.policy}, statement {entry.statement}: {entry.action} has a use, so needs no reason")
        elif not used and entry.action not in reasons:
            said.append(f"{entry.policy}, statement {entry.statement}: {entry.action} is allowed, and nobody needs it")
    return [*said, *(f"a reason for {each}, which is not allowed" for each in sorted(reasons.keys() - present))]


def requests(found: Mapping[str, Json], entry: Entry, needed: Collection[str]) -> Iterator[Request]:
    """What somebody asks for that an entry is there for.

    A recording of calls has no parameters, so each is judged on what the statement is about.

    Args:
        found: the documents, by name.
        entry: one of theirs.
        needed: the actions that are known to be needed.
    """
    chosen = statement(found, entry)
    keys = {
        key
        for document in found.values()
        for each in listed(document["Statement"])
        for pairs in each.get("Condition", {}).values()
        for key in pairs
    }
    for action in needed:
        if not patterns.action_like(entry.action.lower(), action.lower()):
            continue
        known = reference.action(action)
        assert known is not None, f"{action} is none that local_aws/iam/reference.json has"
        resources = {each for resource in listed(chosen["Resource"]) for each in _things(resource, known)}
        for resource, given in product(sorted(resources), _conditions(chosen)):
            yield Request(ANN, known.name, resource, {**dict.fromkeys(keys, ()), **given}, account=ACCOUNT)


def _things(resource: str, known: reference.Action) -> list[str]:
    """Things that a pattern takes and an action too: names in the place of asterisks, and ids behind the last."""
    if resource == "*":
        return ["*"]
    head, asterisk, tail = resource.replace("${aws:userid}", USER).rpartition("*")
    head = head.replace("*", "x")
    found = {f"{head}{end}{tail}" for end in ENDS} if asterisk else {tail}
    return sorted(each for each in found if known.takes(each) is not None)


def _conditions(found: Json) -> Iterator[dict[str, str]]:
    """What a request says so that a statement's conditions hold, in each of the ways that it names."""
    pairs = {key: listed(value) for each in found.get("Condition", {}).values() for key, value in each.items()}
    yield from (dict(zip(pairs, values, strict=True)) for values in product(*pairs.values()))


def allowed(request: Request, given: tuple[Policy, ...]) -> bool:
    """Whether policies allow a request; what cannot be judged fails the test."""
    try:
        return decide(request, given, OF_THE_KEY if ":key/" in request.resource else None).allowed
    except Unevaluable as unknown:
        raise AssertionError(f"{request.action} on {request.resource}: {unknown}") from unknown

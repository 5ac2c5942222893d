"""Whether a request is allowed: AWS's evaluation logic within an account and across two.

    decide(Request(Principal.user("arn:…:user/ann"), "ecs:RunTask", "arn:…:task-definition/web:1", {…}),
           identity_policies=[Policy("operate", {…})])

What it does not understand it refuses by `Unevaluable`, which whoever asks has to answer with a denial. Organizations'
policies (SCP, RCP), endpoint policies and S3's access lists are not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from local_aws.iam import reference
from local_aws.iam.documents import Policy, Statement
from local_aws.iam.errors import Unevaluable
from local_aws.iam.facts import Facts
from local_aws.iam.principals import Kind, Named, Principal

__all__ = ["Decision", "Policy", "PolicyKind", "Principal", "Reason", "Request", "Unevaluable", "decide"]


class Reason(StrEnum):
    """Why a request is allowed or not."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"


class PolicyKind(StrEnum):
    """The kinds of policies, in the words of AWS's messages."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"


@dataclass(frozen=True)
class Request:
    """What somebody asks for.

    Attributes:
        principal: who.
        action: `service:Action`, by IAM's prefix of the service.
        resource: ARN; `*` where there is none. Where the action has no resource-level permissions it counts as `*`.
        context: condition key → its value or values. No values (`()`) says that the request has no such key. Where it
            does not speak of a key that requests of this action may have, nobody knows, and a condition that asks for
            it cannot be evaluated. Keys about the principal (`aws:Principal…`, `aws:userid`, `aws:username`), the time,
            and what no request of this action has (reference.py) need not be given.
        account: whose the resource is, where its ARN does not say so (S3); by default the principal's.
    """

    principal: Principal
    action: str
    resource: str = "*"
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    account: str = ""

    @property
    def resource_account(self) -> str:
        """Whose the resource is."""
        parts = self.resource.split(":", 5)
        return self.account or (parts[4] if len(parts) == 6 else "") or self.principal.account


@dataclass(frozen=True)
class Decision:
    """What came of it.

    Attributes:
        allowed: whether the request may go on.
        reason: why.
        statement: Sid, or number from 1, of the statement that decided; '' where none did (implicit deny).
        policy: name of its policy; '' likewise.
        kind: the kind of policy that decided, or in which no statement allows the request.
    """

    allowed: bool
    reason: Reason
    statement: str = ""
    policy: str = ""
    kind: PolicyKind = PolicyKind.IDENTITY

    def message(self, request: Request) -> str:
        """A denial in AWS's words, as most services say it."""
        who = request.principal.arn or "anonymous"
        said = f"User: {who} is not authorized to perform: {request.action}"
        if request.resource != "*":
            said += f" on resource: {request.resource}"
        if self.reason is Reason.EXPLICIT_DENY:
            article = "an" if self.kind is PolicyKind.IDENTITY else "a"
            return f"{said} with an explicit deny in {article} {self.kind}"
        return f"{said} because no {self.kind} allows the {request.action} action"


@dataclass(frozen=True)
class _Found:
    """The statement found, and how closely it names who asks."""

    decision: Decision | None = None
    named: Named = Named.NOT


def decide(
    request: Request,
    identity_policies: Sequence[Policy] = (),
    resource_policy: Policy | None = None,
    boundary: Policy | None = None,
    session_policy: Policy | None = None,
) -> Decision:
    """Whether a request is allowed.

    Args:
        request: who asks what.
        identity_policies: of the user and its groups, or of the session's role: inline and managed ones.
        resource_policy: of the bucket, secret, key, queue, …; for sts:AssumeRole… the role's trust policy.
        boundary: the permissions boundary of the user or role.
        session_policy: what was given as Policy when the session began.

    Raises:
        Unevaluable: where a policy that would decide cannot be evaluated. Refuse the request.
    """
    action = reference.action(request.action)
    if action is None:
        raise Unevaluable(
            f"{request.action} is no action that is known; scripts/iam_data.py says of which services they are"
        )
    request = replace(request, resource=_resource(request, action))
    facts = Facts(request.principal, request.context, action)
    groups: list[tuple[PolicyKind, Policy]] = [(PolicyKind.IDENTITY, policy) for policy in identity_policies]
    groups += [(PolicyKind.RESOURCE, resource_policy)] if resource_policy else []
    groups += [(PolicyKind.BOUNDARY, boundary)] if boundary else []
    groups += [(PolicyKind.SESSION, session_policy)] if session_policy else []
    if denied := _first(request, groups, facts, allows=False).decision:
        return denied

    def by(kind: PolicyKind) -> _Found:
        return _first(request, [group for group in groups if group[0] is kind], facts, allows=True)

    if request.principal.kind in (Kind.SERVICE, Kind.FEDERATED, Kind.ANONYMOUS):
        return by(PolicyKind.RESOURCE).decision or _implicit(PolicyKind.RESOURCE)
    trusted = by(PolicyKind.RESOURCE)
    same = request.principal.account == request.resource_account
    if not trusted.decision and (not same or _needs_resource_policy(request)):
        return _implicit(PolicyKind.RESOURCE)
    if same and trusted.decision and trusted.named is Named.ITSELF:
        return trusted.decision
    decision = trusted.decision if same and trusted.named is Named.ROLE else None
    if decision is None:
        root = request.principal.kind is Kind.ROOT
        decision = Decision(True, Reason.ALLOWED) if root else by(PolicyKind.IDENTITY).decision
    if decision is None:
        return _implicit(PolicyKind.IDENTITY)
    for kind, policy in ((PolicyKind.BOUNDARY, boundary), (PolicyKind.SESSION, session_policy)):
        if policy and not by(kind).decision:
            return _implicit(kind)
    return decision


def _resource(request: Request, action: reference.Action) -> str:
    """What the policies' resources are compared with: `*` where the action has no resource-level permissions."""
    if request.resource == "*" or not action.types:
        return "*"
    if action.takes(request.resource) is None:
        raise Unevaluable(f"{action.name} takes no {request.resource}, but {' or '.join(sorted(action.types))}")
    return request.resource


def _implicit(kind: PolicyKind) -> Decision:
    return Decision(False, Reason.IMPLICIT_DENY, kind=kind)


def _needs_resource_policy(request: Request) -> bool:
    """Whether the resource's own policy has to allow it, also within the account: roles and keys."""
    service = request.action.partition(":")[0].lower()
    return request.action.lower().startswith("sts:assumerole") or (service == "kms" and ":key/" in request.resource)


def _first(request: Request, groups: Sequence[tuple[PolicyKind, Policy]], facts: Facts, allows: bool) -> _Found:
    """The statement that allows or denies a request, of several that which names who asks most closely.

    Raises:
        Unevaluable: where there is none, and one that cannot be evaluated might be.
    """
    found = _Found()
    unknown: Unevaluable | None = None
    for kind, policy in groups:
        for statement in policy.of_resource if kind is PolicyKind.RESOURCE else policy.of_identity:
            if statement.allows is not allows:
                continue
            try:
                closeness = _matches(statement, request, facts)
            except Unevaluable as error:
                unknown = unknown or Unevaluable(f"policy {policy.name}, statement {statement.sid}: {error}")
                continue
            if closeness > found.named:
                reason = Reason.ALLOWED if allows else Reason.EXPLICIT_DENY
                found = _Found(Decision(allows, reason, statement.sid, policy.name, kind), closeness)
    if unknown and not found.decision:
        raise unknown
    return found


def _matches(statement: Statement, request: Request, facts: Facts) -> Named:
    if not statement.covers(request.action) or not statement.reaches(request.resource, facts):
        return Named.NOT
    closeness = Named.ITSELF if statement.principals is None else statement.names(request.principal)
    return closeness if closeness is not Named.NOT and statement.conditions_hold(facts) else Named.NOT

"""Who asks, and how policies name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from local_aws.iam.errors import Unevaluable

ACCOUNT = re.compile(r"\d{12}")
UNIQUE_ID = re.compile(r"A(IDA|ROA)[A-Z0-9]{12,}")


class Kind(StrEnum):
    """What a principal is."""

    ROOT = "root"
    USER = "user"
    ROLE = "role"
    """A session of a role."""
    SERVICE = "service"
    FEDERATED = "federated"
    """Somebody of an identity provider, who has no credentials of AWS yet."""
    ANONYMOUS = "anonymous"


class Named(IntEnum):
    """How closely a policy names a principal; what the name gives depends on it."""

    NOT = 0
    ACCOUNT = 1
    """By its account, which has to allow it too."""
    ROLE = 2
    """A session by its role: boundary and session policy bound what it gives."""
    ITSELF = 3


@dataclass(frozen=True)
class Principal:
    """Who asks. Made by `user`, `session`, `root`, `service`, `federated` or `anonymous`.

    Attributes:
        kind: what it is.
        arn: of the user, the session (`arn:…:sts::…:assumed-role/…`), the account's root or the identity provider; a
            service's name (`ecs-tasks.amazonaws.com`); '' of nobody.
        account: twelve digits, '' where it is in none.
        role: ARN of a session's role, its path included.
        unique_id: `aws:userid`: `AIDA…`, or `AROA…:session`.
        tags: `aws:PrincipalTag/…`.
    """

    kind: Kind
    arn: str = ""
    account: str = ""
    role: str = ""
    unique_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def user(cls, arn: str, unique_id: str = "", tags: Mapping[str, str] | None = None) -> Principal:
        """A user of IAM, by its ARN."""
        return cls(Kind.USER, arn, _account(arn), unique_id=unique_id, tags=tags or {})

    @classmethod
    def session(
        cls, role: str, session_name: str, role_id: str = "", tags: Mapping[str, str] | None = None
    ) -> Principal:
        """A session of a role, by the role's ARN and the session's name; `role_id` is `AROA…`."""
        partition, account = role.split(":")[1], _account(role)
        arn = f"arn:{partition}:sts::{account}:assumed-role/{role.rpartition('/')[2]}/{session_name}"
        unique_id = f"{role_id}:{session_name}" if role_id else ""
        return cls(Kind.ROLE, arn, account, role=role, unique_id=unique_id, tags=tags or {})

    @classmethod
    def root(cls, account: str, partition: str = "aws") -> Principal:
        """The account itself, whom no policy of IAM has to allow anything."""
        return cls(Kind.ROOT, f"arn:{partition}:iam::{account}:root", account, unique_id=account)

    @classmethod
    def service(cls, name: str) -> Principal:
        """A service of AWS that acts by itself, as when it assumes a role: `ecs-tasks.amazonaws.com`."""
        return cls(Kind.SERVICE, name)

    @classmethod
    def federated(cls, provider: str) -> Principal:
        """Somebody whom an identity provider (its ARN, or its name) vouches for."""
        return cls(Kind.FEDERATED, provider)

    @classmethod
    def anonymous(cls) -> Principal:
        """Somebody without credentials."""
        return cls(Kind.ANONYMOUS)

    @property
    def name(self) -> str:
        """Of a user or a role; '' of others."""
        return (self.role or self.arn).rpartition("/")[2] if self.kind in (Kind.USER, Kind.ROLE) else ""


def named(principal: Principal, family: str, value: str) -> Named:
    """How a value of a policy's Principal names somebody.

    Args:
        principal: who asks.
        family: `AWS`, `Service` or `Federated`.
        value: an ARN, an account, a service's name, `*`.

    Raises:
        Unevaluable: for a family or value that is not understood.
    """
    match family:
        case "AWS":
            return _by_identity(principal, value)
        case "Service":
            _no_wildcard(value)
            same = principal.kind is Kind.SERVICE and value == principal.arn
        case "Federated":
            _no_wildcard(value)
            same = principal.kind is Kind.FEDERATED and value == principal.arn
        case _:
            raise Unevaluable(f"a principal is named by {family}; understood are AWS, Service and Federated")
    return Named.ITSELF if same else Named.NOT


def _by_identity(principal: Principal, value: str) -> Named:
    if value == "*":
        return Named.ITSELF
    _no_wildcard(value)
    if ACCOUNT.fullmatch(value):
        same = bool(principal.account) and value == principal.account
    elif UNIQUE_ID.fullmatch(value):
        if principal.unique_id.partition(":")[0] != value:
            return Named.NOT
        return Named.ROLE if principal.kind is Kind.ROLE else Named.ITSELF
    elif not value.startswith("arn:") or value.count(":") < 5:
        raise Unevaluable(f"{value} names no principal: an ARN, an account's twelve digits or an id of IAM do")
    elif value.split(":", 5)[5] == "root":
        same = bool(principal.account) and value.split(":")[4] == principal.account
    else:
        if principal.kind is Kind.ROLE and value == principal.role:
            return Named.ROLE
        return Named.ITSELF if principal.kind in (Kind.USER, Kind.ROLE) and value == principal.arn else Named.NOT
    if not same:
        return Named.NOT
    return Named.ITSELF if principal.kind is Kind.ROOT else Named.ACCOUNT


def _no_wildcard(value: str) -> None:
    if "*" in value or "?" in value:
        raise Unevaluable(f"{value} as a principal: IAM takes wildcards there only as the whole value, `*`")


def _account(arn: str) -> str:
    return arn.split(":")[4]

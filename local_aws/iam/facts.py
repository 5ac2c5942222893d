"""What is known of a request: the keys that conditions and variables ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from local_aws.iam import reference
from local_aws.iam.errors import Unevaluable
from local_aws.iam.principals import Kind, Principal

TYPES = {Kind.ROOT: "Account", Kind.USER: "User", Kind.ROLE: "AssumedRole", Kind.ANONYMOUS: "Anonymous"}
"""`aws:PrincipalType`; a service and who comes from an identity provider have none that is documented."""


class Facts:
    """The keys of one request, their names without case.

    Args:
        principal: who asks; says all `aws:Principal…` keys.
        context: what else is known. No values (`()`) says that the request has no such key.
        action: what is asked for; a key that the context does not speak of, and that no request of it has, is absent.
        now: the time of the request.
    """

    def __init__(
        self,
        principal: Principal,
        context: Mapping[str, str | Sequence[str]],
        action: reference.Action,
        now: datetime | None = None,
    ) -> None:
        self._principal = principal
        self._action = action
        when = now or datetime.now(UTC)
        known = {"aws:CurrentTime": when.strftime("%Y-%m-%dT%H:%M:%SZ"), "aws:EpochTime": str(int(when.timestamp()))}
        self._known = {key.lower(): _values(value) for key, value in (known | _of(principal) | dict(context)).items()}

    def values(self, key: str) -> tuple[str, ...]:
        """The request's values of a key; none where it has no such key.

        Raises:
            Unevaluable: where nobody said whether the request has it.
        """
        name = key.lower()
        if name in self._known:
            return self._known[name]
        if name.startswith("aws:principaltag/") or not self._action.may_have(key):
            return ()
        raise Unevaluable(
            f"a policy asks for {key}, and whoever asked did not say whether the request has it: it belongs into the "
            "request's context, without a value where it is absent"
        )

    def value(self, key: str) -> str | None:
        """The one value of a key, None where the request has no such key.

        Raises:
            Unevaluable: where nobody said whether the request has it, or it has several values.
        """
        values = self.values(key)
        if len(values) > 1:
            raise Unevaluable(f"${{{key}}} has {len(values)} values; a policy variable stands for one")
        return values[0] if values else None

    def has_lists(self, key: str) -> bool:
        """Whether a key may have several values; then only set operators are for it."""
        return reference.key_type(self._action.name, key).startswith("ArrayOf")


def _values(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _of(principal: Principal) -> dict[str, str | Sequence[str]]:
    service = principal.kind is Kind.SERVICE
    known: dict[str, str | Sequence[str]] = {
        # Of a session it is its role's.
        "aws:PrincipalArn": () if service else principal.role or principal.arn or (),
        "aws:PrincipalAccount": principal.account or (),
        "aws:PrincipalType": TYPES.get(principal.kind, ()),
        "aws:PrincipalIsAWSService": "true" if service else "false",
        "aws:PrincipalServiceName": principal.arn if service else (),
        "aws:userid": principal.unique_id or ("anonymous" if principal.kind is Kind.ANONYMOUS else ()),
        "aws:username": principal.name if principal.kind is Kind.USER else (),
    }
    known |= {f"aws:PrincipalTag/{name}": value for name, value in principal.tags.items()}
    if not service:
        known |= {"aws:SourceArn": (), "aws:SourceAccount": ()}
    return known

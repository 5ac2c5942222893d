"""Requests and policies out of a grammar, by a seed: what AWS's evaluation logic has to be asked about."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local_aws.iam.evaluate import Policy, Principal, Request

HERE, THERE = "111122223333", "444455556666"
DAY = "2026-03-01T12:00:00Z"
CLUSTER = f"arn:aws:ecs:us-east-1:{HERE}:cluster/shop-prod"
ROLE = f"arn:aws:iam::{HERE}:role/app"
VALUES: Mapping[str, tuple[str, Sequence[str]]] = {
    "aws:RequestedRegion": ("String", ["us-east-1", "eu-central-1"]),
    "aws:SourceVpce": ("String", ["vpce-1", "vpce-2"]),
    "aws:SecureTransport": ("Bool", ["true", "false"]),
    "aws:MultiFactorAuthAge": ("Numeric", ["59", "60", "3600"]),
    "aws:SourceIp": ("IPAddress", ["192.0.2.7", "203.0.113.9", "2001:db8::7"]),
    "aws:CurrentTime": ("Date", [DAY]),
    "aws:SourceVpcArn": ("ARN", [f"arn:aws:ec2:us-east-1:{HERE}:vpc/vpc-1", f"arn:aws:ec2:us-east-1:{THERE}:vpc/v:2"]),
    "aws:CalledVia": ("ArrayOfString", ["cloudformation.amazonaws.com", "athena.amazonaws.com"]),
    "aws:TagKeys": ("ArrayOfString", ["Site", "Team", "site"]),
    "aws:RequestTag/Site": ("String", ["shop", "Shop", "other"]),
    "aws:ResourceTag/Site": ("String", ["shop", "other", "ann"]),
    "aws:PrincipalTag/team": ("String", []),  # who asks says it
    "aws:username": ("String", []),
    "aws:PrincipalArn": ("ARN", []),
    "ecs:cluster": ("ARN", [CLUSTER, f"{CLUSTER}-2"]),
    "ecs:CreateAction": ("String", ["RunTask", "CreateService"]),
    "iam:PassedToService": ("String", ["ecs-tasks.amazonaws.com", "ec2.amazonaws.com"]),
    "s3:prefix": ("String", ["home/ann/", "home/", "", "media/a*b"]),
    "s3:max-keys": ("Numeric", ["1", "10", "1000"]),
    "sts:ExternalId": ("String", ["secret", "Secret"]),
    "secretsmanager:VersionStage": ("String", ["AWSCURRENT", "AWSPREVIOUS"]),
}
"""Key → its type, and values of requests."""
EVERYWHERE = ["aws:RequestedRegion", "aws:SourceVpce", "aws:SecureTransport", "aws:MultiFactorAuthAge", "aws:SourceIp"]
EVERYWHERE += ["aws:CurrentTime", "aws:SourceVpcArn", "aws:CalledVia"]
OF_PRINCIPAL = ["aws:PrincipalTag/team", "aws:username", "aws:PrincipalArn"]
ASKED: Sequence[tuple[str, Sequence[str], Sequence[str]]] = (
    ("s3:GetObject", ["arn:aws:s3:::shop/home/ann/a.txt", "arn:aws:s3:::shop/media/a:b", "arn:aws:s3:::other/x"], []),
    ("s3:ListBucket", ["arn:aws:s3:::shop", "arn:aws:s3:::shop-logs"], ["s3:prefix", "s3:max-keys"]),
    ("ec2:DescribeInstances", ["*"], []),
    ("ecs:RunTask", [f"arn:aws:ecs:us-east-1:{HERE}:task-definition/shop-prod-web:7"],
     ["ecs:cluster", "aws:RequestTag/Site", "aws:TagKeys", "aws:ResourceTag/Site"]),
    ("ecs:TagResource", [f"arn:aws:ecs:us-east-1:{HERE}:task/shop-prod/0123", f"{CLUSTER}"],
     ["ecs:CreateAction", "aws:TagKeys", "aws:RequestTag/Site"]),
    ("iam:PassRole", [ROLE, f"arn:aws:iam::{HERE}:role/shop/ann"], ["iam:PassedToService"]),
    ("sqs:SendMessage", [f"arn:aws:sqs:us-east-1:{HERE}:shop-dead", f"arn:aws:sqs:us-east-1:{THERE}:shop-live"], []),
    ("secretsmanager:GetSecretValue", [f"arn:aws:secretsmanager:us-east-1:{HERE}:secret:shop-django-AbCdEf"],
     ["secretsmanager:VersionStage", "aws:ResourceTag/Site"]),
    ("logs:PutLogEvents", [f"arn:aws:logs:us-east-1:{HERE}:log-group:/shop/web:log-stream:a/b"], []),
    ("kms:Decrypt", [f"arn:aws:kms:us-east-1:{HERE}:key/0a1b2c3d-0000-1111-2222-333344445555"], []),
    ("sts:AssumeRole", [ROLE, f"arn:aws:iam::{THERE}:role/app"], ["sts:ExternalId"]),
)  # fmt: skip
"""Action, resources, and the condition keys of its own."""
OPERATORS: Mapping[str, Sequence[str]] = {
    "String": ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
               "StringNotLike"),
    "ARN": ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringLike", "StringEquals"),
    "Numeric": ("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
                "NumericGreaterThanEquals"),
    "Date": ("DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan",
             "DateGreaterThanEquals"),
    "Bool": ("Bool",),
    "IPAddress": ("IpAddress", "NotIpAddress"),
}  # fmt: skip
# Not 0.0.0.0/0, no IPv4 address without its mask (beside one of IPv6), no seconds since 1970: the oracle errs there.
NETWORKS = ["192.0.2.0/24", "203.0.113.9/32", "203.0.113.0/29", "2001:db8::/32", "198.51.100.0/24"]
DATES = ["2026-03-01T12:00:00Z", "2026-03-01T11:59:59Z", "2027-01-01", "2026-03-01T13:00:00+01:00"]
VARIABLES = ("${aws:username, 'ann'}", "${aws:PrincipalTag/team, 'ann'}", "${aws:username}", "${aws:PrincipalTag/team}")


@dataclass
class Case:
    """What both are asked.

    Attributes:
        request: who asks what.
        identity, boundary, session, resource: documents; None where there is none.
    """

    request: Request
    identity: list[dict[str, Any]]
    boundary: dict[str, Any] | None = None
    session: dict[str, Any] | None = None
    resource: dict[str, Any] | None = None
    present: dict[str, Any] = field(default_factory=dict)
    """The keys that the request has, those about who asks too."""

    def ours(self) -> dict[str, Any]:
        """As arguments of `decide`."""
        named = {"boundary": self.boundary, "session_policy": self.session, "resource_policy": self.resource}
        return {
            "identity_policies": [Policy(f"identity{n}", document) for n, document in enumerate(self.identity)],
            **{name: Policy(name, document) for name, document in named.items() if document},
        }

    def theirs(self) -> dict[str, Any]:
        """As a simulation of the oracle's."""
        asked = self.request
        simulation: dict[str, Any] = {
            "request": {
                "principal": asked.principal.arn,
                "action": asked.action,
                "resource": {"resource": asked.resource, "accountId": asked.resource_account},
                "contextVariables": self.present,
            },
            "identityPolicies": [{"name": f"identity{n}", "policy": each} for n, each in enumerate(self.identity)],
        }
        if self.boundary:
            simulation["permissionBoundaryPolicies"] = [{"name": "boundary", "policy": self.boundary}]
        if self.session:
            simulation["sessionPolicy"] = self.session
        if self.resource:
            simulation["resourcePolicy"] = self.resource
        return simulation


class Grammar:
    """Cases of one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def case(self) -> Case:
        """One more case."""
        chance, choose = self._chance, self._random.choice
        action, resources, own = choose(ASKED)
        resource = choose(resources)
        principal = choose(self._principals())
        keys = [*EVERYWHERE, *own]
        context = {key: self._values_of(key) for key in keys}
        present: dict[str, Any] = {key: value for key, value in context.items() if value != ()}
        present |= {"aws:PrincipalArn": principal.role or principal.arn, "aws:PrincipalAccount": principal.account}
        present |= {f"aws:PrincipalTag/{name}": value for name, value in principal.tags.items()}
        if not principal.role:
            present["aws:username"] = principal.name
        conditions = [*keys, *OF_PRINCIPAL]

        def document(of_resource: bool = False, mostly: str = "Allow") -> dict[str, Any]:
            statements = [
                self._statement(action, resource, conditions, principal if of_resource else None, mostly)
                for _ in range(self._random.randint(1, 3))
            ]
            return {"Version": "2012-10-17", "Statement": statements[0] if len(statements) == 1 else statements}

        request = Request(principal, action, resource, context, THERE if THERE in resource else HERE)
        case = Case(request, [document() for _ in range(self._random.randint(0, 2))], present=present)
        if action != "ec2:DescribeInstances" and (chance(0.5) or action in ("sts:AssumeRole", "kms:Decrypt")):
            case.resource = document(of_resource=True)
        if chance(0.25):
            case.boundary = document()
        # The documents say that what a policy of the resource gives a session itself is not bounded by its session
        # policy; the oracle does not have that yet.
        if principal.role and not case.resource and chance(0.3):
            case.session = document()
        return case

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _principals(self) -> list[Principal]:
        return [
            Principal.user(f"arn:aws:iam::{HERE}:user/ann", tags={"team": "shop"}),
            Principal.user(f"arn:aws:iam::{HERE}:user/bob"),
            Principal.user(f"arn:aws:iam::{THERE}:user/ann"),
            Principal.session(f"arn:aws:iam::{HERE}:role/app", "one", tags={"team": "ann"}),
            Principal.session(f"arn:aws:iam::{HERE}:role/app", "two"),
            Principal.session(f"arn:aws:iam::{THERE}:role/app", "one"),
        ]

    def _values_of(self, key: str) -> str | tuple[str, ...]:
        kind, values = VALUES[key]
        if key == "aws:CurrentTime":
            return DAY
        if self._chance(0.35):
            return ()
        if kind.startswith("ArrayOf"):
            return tuple(self._random.sample(list(values), self._random.randint(1, 2)))
        return self._random.choice(list(values))

    def _statement(
        self, action: str, resource: str, keys: Sequence[str], named: Principal | None, mostly: str
    ) -> dict[str, Any]:
        """A statement that is often about the request: a random one hardly ever would be."""
        allows = self._chance(0.75) == (mostly == "Allow")
        statement: dict[str, Any] = {"Effect": "Allow" if allows else "Deny"}
        if named:
            form = "NotPrincipal" if not allows and self._chance(0.15) else "Principal"
            statement[form] = self._excepted(named) if form == "NotPrincipal" else self._named(named)
        statement |= self._either("Action", lambda: self._action(action), 0.1)
        if action != "sts:AssumeRole" or not named:
            statement |= self._either("Resource", lambda: self._resource(resource), 0.1)
        if self._chance(0.6):
            statement["Condition"] = self._conditions(keys)
        return statement

    def _either(self, name: str, make: Callable[[], str], inverted: float) -> dict[str, Any]:
        values = [make() for _ in range(self._random.randint(1, 2))]
        if self._chance(inverted):
            # A variable without a value in NotResource cannot be evaluated.
            return {f"Not{name}": [value for value in values if "${" not in value and value != "*"] or ["sns:Publish"
                    if name == "Action" else "arn:aws:sns:us-east-1:111122223333:a"]}  # fmt: skip
        return {name: values[0] if len(values) == 1 and self._chance(0.5) else values}

    def _action(self, action: str) -> str:
        service, _, name = action.partition(":")
        half = name[: len(name) // 2]
        forms = [action, action.lower(), "*", f"{service}:*", f"{service}:{half}*", f"{service}:?{name[1:]}"]
        forms += [f"{service}:*{name[-3:]}", f"{service}:{half}?", "sns:Publish", f"{service.upper()}:{name}"]
        return self._random.choice([action, action, *forms])

    def _resource(self, resource: str) -> str:
        if resource == "*":
            return self._random.choice(["*", "arn:aws:ec2:us-east-1:111122223333:instance/*"])
        parts = resource.split(":", 5)
        last = parts[5]
        # In the type of a resource (`role/`) there is no wildcard. Where an ARN has none (S3, SQS), the oracle takes
        # its first word for one as soon as there is an account in the pattern, or a variable in that word.
        kind = 0 if parts[2] in ("s3", "sqs") else re.search("[/:]", last).end()  # type: ignore[union-attr]  # all have
        cut = self._random.randint(kind + 1, len(last))
        lasts = [last, last, f"{last[:cut]}*", f"{last[:kind]}*{last[cut:]}", f"{last[:-1]}?", last.upper(), "*"]
        lasts += [f"{last[: kind + 1]}*{last[cut:]}", f"{last[:-1]}{'${*}'}", f"{last}x"]
        lasts += [last.replace("ann", self._random.choice(VARIABLES))] * 2
        heads = [parts[:5], parts[:5], [*parts[:3], parts[3] and "*", parts[4]], [*parts[:3], "eu-west-1", parts[4]]]
        heads += [[*parts[:4], parts[4] and "*"], [*parts[:4], parts[4].replace("1", "?")]]
        return self._random.choice(["*", *(":".join([*self._random.choice(heads), each]) for each in lasts)])

    def _named(self, principal: Principal) -> Any:
        root = f"arn:aws:iam::{principal.account}:root"
        ways: list[Any] = [{"AWS": principal.arn}, {"AWS": [principal.arn, ROLE]}, {"AWS": principal.account}]
        ways += [{"AWS": root}, {"AWS": principal.role or root}, "*", {"AWS": "*"}, {"AWS": [HERE, THERE]}]
        ways += [{"AWS": f"arn:aws:iam::{THERE}:user/zoe"}, {"Service": "ecs-tasks.amazonaws.com"}]
        return self._random.choice([{"AWS": principal.arn}, *ways])

    def _excepted(self, principal: Principal) -> Any:
        """All the names of who asks, or none: with some of them only AWS does not say what comes of it."""
        everybody = [name for name in (principal.arn, principal.role, principal.account) if name]
        return self._random.choice([{"AWS": everybody}, {"AWS": "arn:aws:iam::777788889999:user/zoe"}])

    def _conditions(self, keys: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key in self._random.sample(list(keys), self._random.randint(1, 2)):
            kind = VALUES[key][0]
            if self._chance(0.1):
                operator, values = "Null", [self._random.choice(["true", "false"])]
            else:
                several = kind.startswith("ArrayOf")
                base = self._random.choice(OPERATORS[kind.removeprefix("ArrayOf")])
                operator = self._random.choice(["ForAnyValue:", "ForAllValues:"]) if several else ""
                operator += base + ("IfExists" if self._chance(0.2) else "")
                values = [self._value(key, base) for _ in range(self._random.randint(1, 2))]
            written = key.upper() if self._chance(0.05) and "Tag/" not in key else key
            found.setdefault(operator, {})[written] = values[0] if len(values) == 1 else values
        return found

    def _value(self, key: str, operator: str) -> str:
        kind, values = VALUES[key]
        if kind == "IPAddress":
            return self._random.choice(NETWORKS)
        if kind == "Date":
            return self._random.choice(DATES)
        if not values:
            values = ["ann", "shop", ROLE, f"arn:aws:iam::{HERE}:user/ann"]
        value = self._random.choice(list(values))
        if operator.startswith("Arn"):
            if not value.startswith("arn:"):
                return ROLE
            parts = value.split(":", 5)
            return self._random.choice(
                [value, value[:-1] + "*", ":".join([*parts[:4], "*", parts[5]]), value[:-1] + "?"]
            )
        if operator.endswith("Like"):
            return self._random.choice([value, value[:2] + "*", "?" + value[1:], "*", value + "x", value.upper()])
        # A variable without a value fits a negated operator, says the documentation; the oracle has it otherwise.
        if operator.startswith("String") and self._chance(0.2):
            return self._random.choice(VARIABLES[:2] if "Not" in operator else VARIABLES)
        return value if self._chance(0.8) or kind != "String" else value.swapcase()

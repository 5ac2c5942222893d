"""The evaluation logic as AWS publishes it: a case or more for each rule, with the page that says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from local_aws.iam.evaluate import Policy, PolicyKind, Principal, Reason, Request, Unevaluable, decide

GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
LOGIC = GUIDE + "reference_policies_evaluation-logic_policy-eval-denyallow.html"
SINGLE = GUIDE + "reference_policies_evaluation-logic_policy-eval-basics.html"
CROSS = GUIDE + "reference_policies_evaluation-logic-cross-account.html"
SESSIONS = GUIDE + "access_policies.html#policies_session"
BOUNDARIES = GUIDE + "access_policies_boundaries.html"
ACTION = GUIDE + "reference_policies_elements_action.html"
NOT_ACTION = GUIDE + "reference_policies_elements_notaction.html"
RESOURCE = GUIDE + "reference_policies_elements_resource.html"
ARNS = GUIDE + "reference_identifiers.html#identifiers-arns"
NOT_RESOURCE = GUIDE + "reference_policies_elements_notresource.html"
PRINCIPAL = GUIDE + "reference_policies_elements_principal.html"
NOT_PRINCIPAL = GUIDE + "reference_policies_elements_notprincipal.html"
VARIABLES = GUIDE + "reference_policies_variables.html"
OPERATORS = GUIDE + "reference_policies_elements_condition_operators.html"
SETS = GUIDE + "reference_policies_condition-single-vs-multi-valued-context-keys.html"
SEVERAL = GUIDE + "reference_policies_condition-logic-multiple-context-keys-or-values.html"
KEYS = GUIDE + "reference_policies_condition-keys.html"
VERSION = GUIDE + "reference_policies_elements_version.html"
PASS_ROLE = GUIDE + "id_roles_use_passrole.html"
TRUST = GUIDE + "id_roles_update-role-trust-policy.html"
KMS = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html"
AUTHORIZATION = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"

HERE, THERE = "111122223333", "444455556666"
ANN = Principal.user(f"arn:aws:iam::{HERE}:user/ann", "AIDAANN0123456789", {"team": "shop"})
STRANGER = Principal.user(f"arn:aws:iam::{THERE}:user/ann")
ROLE = f"arn:aws:iam::{HERE}:role/service/app"
APP = Principal.session(ROLE, "one", "AROAAPP0123456789")
ROOT = Principal.root(HERE)
ECS = Principal.service("ecs-tasks.amazonaws.com")
OBJECT = "arn:aws:s3:::shop/home/ann/a.txt"
KEY = f"arn:aws:kms:us-east-1:{HERE}:key/0a1b2c3d"

YES, NO, NEVER = Reason.ALLOWED, Reason.IMPLICIT_DENY, Reason.EXPLICIT_DENY
Document = dict[str, Any]


def document(*statements: Mapping[str, Any], version: str = "2012-10-17") -> Document:
    return {"Version": version, "Statement": list(statements)}


def allow(action: str | Sequence[str] = "s3:GetObject", resource: str | Sequence[str] = "*", **more: Any) -> Document:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str | Sequence[str] = "s3:GetObject", resource: str | Sequence[str] = "*", **more: Any) -> Document:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def when(operator: str, key: str, values: Any, effect: str = "Allow") -> Document:
    """A statement about s3:GetObject with one condition."""
    return {**allow(), "Effect": effect, "Condition": {operator: {key: values}}}


@dataclass(frozen=True)
class Case:
    """A rule, and what follows from it.

    Attributes:
        source: the page.
        says: the rule.
        expected: the reason, or words of the error where it cannot be evaluated.
        identity, resource, boundary, session: statements; None: no such policy.
        context: of the request.
    """

    source: str
    says: str
    expected: Reason | str
    identity: tuple[Document, ...] = ()
    resource: tuple[Document, ...] | None = None
    boundary: tuple[Document, ...] | None = None
    session: tuple[Document, ...] | None = None
    principal: Principal = ANN
    action: str = "s3:GetObject"
    on: str = OBJECT
    context: Mapping[str, Any] | None = None
    account: str = ""
    version: str = "2012-10-17"

    def result(self) -> Reason | str:
        """What the evaluator says."""
        request = Request(self.principal, self.action, self.on, self.context or {}, self.account)

        def policy(name: str, statements: tuple[Document, ...] | None) -> Policy | None:
            return None if statements is None else Policy(name, document(*statements, version=self.version))

        identity = policy("identity", self.identity)
        try:
            return decide(
                request,
                [identity] if identity and self.identity else [],
                policy("resource", self.resource),
                policy("boundary", self.boundary),
                policy("session", self.session),
            ).reason
        except Unevaluable as error:
            return str(error)


ME: Document = {"Principal": {"AWS": ANN.arn}}
ALL: Document = {"Principal": "*"}
ITS_ROLE: Document = {"Principal": {"AWS": ROLE}}
ITS_SESSION: Document = {"Principal": {"AWS": APP.arn}}
ACCOUNT: Document = {"Principal": {"AWS": f"arn:aws:iam::{HERE}:root"}}
QUEUES = (allow("sqs:*"),)


def trust(who: Any, action: str = "sts:AssumeRole", effect: str = "Allow", **more: Any) -> Document:
    return {"Effect": effect, "Principal": who, "Action": action, **more}


EVALUATION = [
    Case(LOGIC, "what nobody allows is denied", NO),
    Case(LOGIC, "one allow is enough", YES, (allow("s3:PutObject"), allow())),
    Case(LOGIC, "an explicit deny is above each allow", NEVER, (allow(), deny())),
    Case(LOGIC, "also one in the resource's policy", NEVER, (allow(),), resource=(deny(**ALL),)),
    Case(LOGIC, "also one in the boundary", NEVER, (allow(),), boundary=(allow(), deny())),
    Case(LOGIC, "also one in the session's policy", NEVER, (allow(),), session=(allow(), deny()), principal=APP),
    Case(LOGIC, "the root user may do everything", YES, principal=ROOT),
    Case(LOGIC, "but not what the resource's policy denies", NEVER, principal=ROOT, resource=(deny(**ALL),)),
    Case(SINGLE, "the resource's policy alone is enough within an account", YES, resource=(allow(**ME),)),
    Case(SINGLE, "it gives nothing to others", NO, resource=(allow(**ITS_ROLE),)),
    Case(LOGIC, "what it gives a user, the boundary does not bound", YES, resource=(allow(**ME),), boundary=QUEUES),
    Case(
        LOGIC,
        "what it gives a role, the boundary bounds",
        NO,
        resource=(allow(**ITS_ROLE),),
        boundary=QUEUES,
        principal=APP,
    ),
    Case(LOGIC, "and the session's policy", NO, resource=(allow(**ITS_ROLE),), session=QUEUES, principal=APP),
    Case(LOGIC, "without either it is given", YES, resource=(allow(**ITS_ROLE),), principal=APP),
    Case(
        LOGIC,
        "what it gives a session itself, neither bounds",
        YES,
        resource=(allow(**ITS_SESSION),),
        boundary=QUEUES,
        session=QUEUES,
        principal=APP,
    ),
    Case(
        PRINCIPAL,
        "a role's session is meant by *, and not bounded",
        YES,
        resource=(allow(**ALL),),
        boundary=QUEUES,
        principal=APP,
    ),
    Case(PRINCIPAL, "to name the account leaves it to the account's policies", NO, resource=(allow(**ACCOUNT),)),
    Case(PRINCIPAL, "which may allow it", YES, (allow(),), resource=(allow(**ACCOUNT),)),
    Case(PRINCIPAL, "the account's number is the same", NO, resource=(allow(Principal={"AWS": HERE}),)),
    Case(BOUNDARIES, "identity's policy and boundary both have to allow it", NO, (allow(),), boundary=QUEUES),
    Case(BOUNDARIES, "the boundary alone gives nothing", NO, boundary=(allow(),)),
    Case(BOUNDARIES, "both allow it", YES, (allow(),), boundary=(allow("s3:*"),)),
    Case(
        SESSIONS,
        "a session has what role and session's policy both allow",
        NO,
        (allow(),),
        session=QUEUES,
        principal=APP,
    ),
    Case(SESSIONS, "the session's policy alone gives nothing", NO, session=(allow(),), principal=APP),
    Case(SESSIONS, "both allow it", YES, (allow(),), session=(allow(),), principal=APP),
    Case(CROSS, "across accounts the resource's policy is needed", NO, (allow(),), principal=STRANGER, account=HERE),
    Case(
        CROSS,
        "and the identity's",
        NO,
        resource=(allow(Principal={"AWS": STRANGER.arn}),),
        principal=STRANGER,
        account=HERE,
    ),
    Case(
        CROSS,
        "both allow it",
        YES,
        (allow(),),
        resource=(allow(Principal={"AWS": THERE}),),
        principal=STRANGER,
        account=HERE,
    ),
    Case(PRINCIPAL, "nobody is meant by *", YES, resource=(allow(**ALL),), principal=Principal.anonymous()),
    Case(PRINCIPAL, "and by nothing else", NO, resource=(allow(**ACCOUNT),), principal=Principal.anonymous()),
]
ELEMENTS = [
    Case(ACTION, "an action's case does not count", YES, (allow("S3:getobject"),)),
    Case(ACTION, "* is any text", YES, (allow("s3:*Object"),)),
    Case(ACTION, "? is one character", YES, (allow("s3:Get?bject"),)),
    Case(ACTION, "and not none", NO, (allow("s3:GetObject?"),)),
    Case(ACTION, "another service's is another action", NO, (allow("s3-object-lambda:GetObject"),)),
    Case(NOT_ACTION, "everything but what it names", YES,
         ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},)),
    Case(NOT_ACTION, "but not that", NO, ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"},)),
    Case(NOT_ACTION, "denied everything but that", NEVER,
         (allow("*"), {"Effect": "Deny", "NotAction": ["s3:PutObject", "iam:*"], "Resource": "*"})),
    Case(RESOURCE, "a resource is written as it is", NO, (allow(resource=OBJECT.replace("ann", "Ann")),)),
    Case(RESOURCE, "* goes beyond slashes", YES, (allow(resource="arn:aws:s3:::shop/*.txt"),)),
    Case(RESOURCE, "? is one character", YES, (allow(resource="arn:aws:s3:::shop/home/a??/a.txt"),)),
    Case(RESOURCE, "a bucket is none of its objects", NO, (allow(resource="arn:aws:s3:::shop"),)),
    Case(RESOURCE, "* in a part stands for that part", YES, (allow("sqs:SendMessage", f"arn:aws:sqs:*:{HERE}:shop-*"),),
         action="sqs:SendMessage", on=f"arn:aws:sqs:us-east-1:{HERE}:shop-dead"),
    Case(RESOURCE, "and not for others", NO, (allow("sqs:SendMessage", "arn:aws:sqs:*:shop-dead:*"),),
         action="sqs:SendMessage", on=f"arn:aws:sqs:us-east-1:{HERE}:shop-dead"),
    Case(ARNS, "* alone stands for resources of every type", YES, (allow("iam:PassRole", f"arn:aws:iam::{HERE}:*"),),
         action="iam:PassRole", on=ROLE),
    Case(ARNS, "there is no wildcard in a type", "a wildcard in the type of the resource (role/)",
         (allow("iam:PassRole", f"arn:aws:iam::{HERE}:r*"),), action="iam:PassRole", on=ROLE),
    Case(NOT_RESOURCE, "everything but what it names", YES,
         ({"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::logs/*"},)),
    Case(NOT_RESOURCE, "but not that", NO,
         ({"Effect": "Allow", "Action": "s3:*", "NotResource": ["arn:aws:s3:::logs/*", "arn:aws:s3:::shop/*"]},)),
    Case(AUTHORIZATION, "an action without resources is granted on * alone", NO,
         (allow("ec2:DescribeInstances", f"arn:aws:ec2:us-east-1:{HERE}:instance/*"),), action="ec2:DescribeInstances",
         on=f"arn:aws:ec2:us-east-1:{HERE}:instance/i-1"),
    Case(AUTHORIZATION, "on * it is", YES, (allow("ec2:DescribeInstances"),), action="ec2:DescribeInstances", on="*"),
    Case(PRINCIPAL, "a unique id names who has it", YES, resource=(allow(Principal={"AWS": "AIDAANN0123456789"}),)),
    Case(PRINCIPAL, "and nobody else", NO, resource=(allow(Principal={"AWS": "AIDABOB0123456789"}),)),
    Case(PRINCIPAL, "a list names each", YES, resource=(allow(Principal={"AWS": [ROLE, ANN.arn]}),)),
    Case(PRINCIPAL, "wildcards in a name are none of IAM's", "wildcards",
         resource=(allow(Principal={"AWS": f"arn:aws:iam::{HERE}:user/*"}),)),
    Case(NOT_PRINCIPAL, "everybody else is denied", NEVER, (allow(),),
         resource=({**deny(), "NotPrincipal": {"AWS": [ROLE, HERE.replace("1", "2")]}},)),
    Case(NOT_PRINCIPAL, "but not who is named, the account beside the user", YES, (allow(),),
         resource=({**deny(), "NotPrincipal": {"AWS": [ANN.arn, f"arn:aws:iam::{HERE}:root"]}},)),
    Case(NOT_PRINCIPAL, "of a session all three names stand there", YES, (allow(),), principal=APP,
         resource=({**deny(), "NotPrincipal": {"AWS": [APP.arn, ROLE, HERE]}},)),
    Case(NOT_PRINCIPAL, "what comes of some of them is not told", "without all of its names", (allow(),), principal=APP,
         resource=({**deny(), "NotPrincipal": {"AWS": [ROLE]}},)),
    Case(NOT_PRINCIPAL, "who has a boundary is left out by no name", NEVER, (allow(),), boundary=(allow("*"),),
         resource=({**deny(), "NotPrincipal": {"AWS": [ANN.arn, HERE]}},)),
    Case(NOT_PRINCIPAL, "with Allow it is refused", "NotPrincipal with Allow",
         resource=({**allow(), "NotPrincipal": {"AWS": [ROLE]}},)),
]  # fmt: skip
MINE = "arn:aws:s3:::shop/home/${aws:username}/*"
FILLED = [
    Case(VARIABLES, "a variable is the request's value", YES, (allow(resource=MINE),)),
    Case(VARIABLES, "a session has no user's name", NO, (allow(resource=MINE),), principal=APP),
    Case(VARIABLES, "then the default stands", YES,
         (allow(resource="arn:aws:s3:::shop/home/${aws:username, 'ann'}/*"),), principal=APP),
    Case(VARIABLES, "and only then", NO, (allow(resource="arn:aws:s3:::shop/home/${aws:username, 'ann'}/*"),),
         principal=Principal.user(f"arn:aws:iam::{HERE}:user/bob")),
    Case(VARIABLES, "a tag of who asks is one", NO,
         (allow(resource="arn:aws:s3:::${aws:PrincipalTag/team}/home/bob/*"),)),
    Case(VARIABLES, "its name stands in any case", YES, (allow(resource="arn:aws:s3:::${AWS:principaltag/team}/*"),)),
    Case(VARIABLES, "${*} is an asterisk", NO, (allow(resource="arn:aws:s3:::shop/${*}"),)),
    Case(VARIABLES, "that the name has to have", YES, (allow(resource="arn:aws:s3:::shop/${*}"),),
         on="arn:aws:s3:::shop/*"),
    Case(VARIABLES, "in conditions too", YES, (when("StringLike", "s3:ExistingObjectTag/of", "${aws:username}*"),),
         context={"s3:ExistingObjectTag/of": "ann and bob"}),
    Case(VARIABLES, "what has no value is like nothing", NO,
         (when("StringEquals", "s3:ExistingObjectTag/of", "${aws:username}"),), principal=APP,
         context={"s3:ExistingObjectTag/of": "ann"}),
    Case(VARIABLES, "so a negated operator holds", NEVER,
         (allow(), when("StringNotEquals", "s3:ExistingObjectTag/of", "${aws:PrincipalTag/of}", "Deny")),
         context={"s3:ExistingObjectTag/of": "ann"}),
    Case(VARIABLES, "what comes of it in NotResource is not told", "NotResource has a variable",
         ({"Effect": "Allow", "Action": "*", "NotResource": MINE},), principal=APP),
    Case(VARIABLES, "before the fifth colon there is none", "before its fifth colon",
         (allow(resource="arn:aws:${aws:username}:::a/b"),)),
    Case(VERSION, "in a policy of 2008 it is a text", NO, (allow(resource=MINE),), version="2008-10-17"),
]  # fmt: skip
TEAM = "aws:PrincipalTag/team"
CONDITIONS = [
    Case(OPERATORS, "StringEquals: the same text", YES, (when("StringEquals", TEAM, "shop"),)),
    Case(OPERATORS, "its case counts", NO, (when("StringEquals", TEAM, "Shop"),)),
    Case(OPERATORS, "wildcards are none in it", NO, (when("StringEquals", TEAM, "sh*"),)),
    Case(OPERATORS, "StringEqualsIgnoreCase: its case does not count", YES,
         (when("StringEqualsIgnoreCase", TEAM, "SHOP"),)),
    Case(OPERATORS, "StringLike: with wildcards", YES, (when("StringLike", TEAM, "s?o*"),)),
    Case(OPERATORS, "StringNotEquals: another text", NO, (when("StringNotEquals", TEAM, "shop"),)),
    Case(OPERATORS, "StringNotLike", YES, (when("StringNotLike", TEAM, "x*"),)),
    Case(OPERATORS, "a key that is not there fits nothing", NO, (when("StringEquals", "aws:PrincipalTag/x", "shop"),)),
    Case(OPERATORS, "and is other than anything", YES, (when("StringNotEquals", "aws:PrincipalTag/x", "shop"),)),
    Case(OPERATORS, "…IfExists holds where the key is not there", YES,
         (when("StringEqualsIfExists", "aws:PrincipalTag/x", "shop"),)),
    Case(OPERATORS, "and counts where it is", NO, (when("StringEqualsIfExists", TEAM, "other"),)),
    Case(OPERATORS, "Null true: it is not there", YES, (when("Null", "aws:PrincipalTag/x", "true"),)),
    Case(OPERATORS, "Null false: it is", YES, (when("Null", TEAM, "false"),)),
    Case(OPERATORS, "Null false, and it is not", NO, (when("Null", "aws:PrincipalTag/x", False),)),
    Case(KEYS, "a key's name stands in any case", YES, (when("StringEquals", "AWS:principaltag/team", "shop"),)),
    Case(SEVERAL, "of several values one has to fit", YES, (when("StringEquals", TEAM, ["x", "shop"]),)),
    Case(SEVERAL, "of several of a negated operator none", NO, (when("StringNotEquals", TEAM, ["x", "shop"]),)),
    Case(SEVERAL, "of several keys all", NO,
         ({**allow(), "Condition": {"StringEquals": {TEAM: "shop", "aws:username": "bob"}}},)),
    Case(SEVERAL, "of several operators all", NO,
         ({**allow(), "Condition": {"StringEquals": {TEAM: "shop"}, "Bool": {"aws:SecureTransport": "true"}}},),
         context={"aws:SecureTransport": "false"}),
    Case(OPERATORS, "Bool", NEVER, (allow(), when("Bool", "aws:SecureTransport", "false", "Deny")),
         context={"aws:SecureTransport": "false"}),
    Case(OPERATORS, "Bool, a value of JSON", YES, (when("Bool", "aws:SecureTransport", True),),
         context={"aws:SecureTransport": "true"}),
    Case(OPERATORS, "NumericLessThanEquals", YES, (when("NumericLessThanEquals", "aws:MultiFactorAuthAge", "3600"),),
         context={"aws:MultiFactorAuthAge": "900"}),
    Case(OPERATORS, "numbers are no texts", YES, (when("NumericEquals", "aws:MultiFactorAuthAge", "9.0"),),
         context={"aws:MultiFactorAuthAge": "9"}),
    Case(OPERATORS, "NumericGreaterThan", NO, (when("NumericGreaterThan", "aws:MultiFactorAuthAge", 900),),
         context={"aws:MultiFactorAuthAge": "900"}),
    Case(OPERATORS, "DateLessThan: a time", YES,
         (when("DateLessThan", "aws:CurrentTime", "2026-03-01T13:00:01+01:00"),),
         context={"aws:CurrentTime": "2026-03-01T12:00:00Z"}),
    Case(OPERATORS, "DateGreaterThan: or seconds since 1970", NO,
         (when("DateGreaterThan", "aws:CurrentTime", "1772366400"),),
         context={"aws:CurrentTime": "2026-03-01T12:00:00Z"}),
    Case(OPERATORS, "IpAddress: a network", YES, (when("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "192.0.2.0/24"]),),
         context={"aws:SourceIp": "192.0.2.7"}),
    Case(OPERATORS, "an address is a network of one", NO, (when("IpAddress", "aws:SourceIp", "192.0.2.8"),),
         context={"aws:SourceIp": "192.0.2.7"}),
    Case(OPERATORS, "NotIpAddress, IPv6 beside IPv4", YES,
         (when("NotIpAddress", "aws:SourceIp", ["192.0.2.0/24", "2001:db8::/32"]),),
         context={"aws:SourceIp": "2001:db9::1"}),
    Case(OPERATORS, "ArnLike: each part by itself", YES,
         (when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/a*"),)),
    Case(OPERATORS, "a wildcard does not go beyond its part", NO,
         (when("ArnLike", "aws:PrincipalArn", "arn:aws:*:user/ann"),)),
    Case(OPERATORS, "ArnEquals is the same", YES, (when("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::*:user/ann"),)),
    Case(OPERATORS, "ArnNotLike", NO, (when("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*"),)),
    Case(KEYS, "aws:PrincipalArn of a session is its role's", YES, (when("ArnEquals", "aws:PrincipalArn", ROLE),),
         principal=APP),
    Case(KEYS, "aws:userid of a session", YES, (when("StringEquals", "aws:userid", "AROAAPP0123456789:one"),),
         principal=APP),
    Case(KEYS, "aws:PrincipalType", YES, (when("StringEquals", "aws:PrincipalType", "AssumedRole"),), principal=APP),
    Case(OPERATORS, "BinaryEquals: the same bytes", YES, (when("BinaryEquals", TEAM, "c2hvcA=="),),
         principal=Principal.user(ANN.arn, tags={"team": "c2hvcA=="})),
    Case(OPERATORS, "an operator that there is not", "condition operator StringMatches",
         (when("StringMatches", TEAM, "shop"),)),
    Case(OPERATORS, "a value that its operator cannot have", "is no number", (when("NumericEquals", TEAM, "many"),)),
]  # fmt: skip
TASK = {"action": "ecs:RunTask", "on": f"arn:aws:ecs:us-east-1:{HERE}:task-definition/web:7"}
TAGS = "aws:TagKeys"


def tagged(operator: str, expected: Reason | str, keys: Any, says: str, values: Any = ("Site", "Team")) -> Case:
    statement = {**allow("ecs:RunTask"), "Condition": {operator: {TAGS: list(values)}}}
    return Case(SETS, says, expected, (statement,), context={TAGS: keys}, **TASK)  # type: ignore[arg-type]  # two texts


SET_FORMS = [
    tagged("ForAllValues:StringEquals", YES, ("Site", "Team"), "ForAllValues: each of the request's fits"),
    tagged("ForAllValues:StringEquals", NO, ("Site", "Other"), "one does not"),
    tagged("ForAllValues:StringEquals", YES, (), "also where there is none"),
    tagged("ForAnyValue:StringEquals", YES, ("Site", "Other"), "ForAnyValue: one of the request's fits"),
    tagged("ForAnyValue:StringEquals", NO, ("Other",), "none does"),
    tagged("ForAnyValue:StringEquals", NO, (), "and not where there is none"),
    tagged("ForAnyValue:StringEqualsIfExists", NO, (), "with IfExists neither"),
    tagged("ForAllValues:StringNotLike", NO, ("Site", "Other"), "negated, for all", ("Si*",)),
    tagged("ForAnyValue:StringNotLike", YES, ("Site", "Other"), "negated, for any", ("Si*",)),
    tagged("StringEquals", "may have several values", ("Site",), "a list without a set operator is not told"),
]
PROVIDER = f"arn:aws:iam::{HERE}:oidc-provider/token.actions.githubusercontent.com"
GITHUB = {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/shop:environment:prod"}}
ASSUME: dict[str, Any] = {"action": "sts:AssumeRole", "on": ROLE}
WEB: dict[str, Any] = {"action": "sts:AssumeRoleWithWebIdentity", "on": ROLE}
OF_ACCOUNT = {"StringEquals": {"aws:SourceAccount": HERE}}
ROLES = [
    Case(TRUST, "a service that is trusted", YES, resource=(trust({"Service": ECS.arn}),), principal=ECS, **ASSUME),
    Case(TRUST, "another service", NO, resource=(trust({"Service": "ec2.amazonaws.com"}),), principal=ECS, **ASSUME),
    Case(TRUST, "for an account's resources", YES, resource=(trust({"Service": ECS.arn}, Condition=OF_ACCOUNT),),
         principal=ECS, context={"aws:SourceAccount": HERE}, **ASSUME),
    Case(TRUST, "for another account's", NO, resource=(trust({"Service": ECS.arn}, Condition=OF_ACCOUNT),),
         principal=ECS, context={"aws:SourceAccount": THERE}, **ASSUME),
    Case(TRUST, "a role's trust is needed within an account too", NO, (allow("sts:AssumeRole"),), **ASSUME),
    Case(TRUST, "a trusted user needs nothing else within the account", YES, resource=(trust({"AWS": ANN.arn}),),
         **ASSUME),
    Case(TRUST, "a trusted account's needs a policy of its own", NO, resource=(trust({"AWS": HERE}),), **ASSUME),
    Case(TRUST, "with it", YES, (allow("sts:AssumeRole", ROLE),), resource=(trust({"AWS": HERE}),), **ASSUME),
    Case(TRUST, "someone of an identity provider", YES, principal=Principal.federated(PROVIDER),
         resource=(trust({"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity", Condition=GITHUB),),
         context={"token.actions.githubusercontent.com:sub": "repo:acme/shop:environment:prod"}, **WEB),
    Case(TRUST, "someone else of it", NO, principal=Principal.federated(PROVIDER),
         resource=(trust({"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity", Condition=GITHUB),),
         context={"token.actions.githubusercontent.com:sub": "repo:evil/shop:environment:prod"}, **WEB),
    Case(PASS_ROLE, "a role to a service", YES,
         (allow("iam:PassRole", ROLE, Condition={"StringEquals": {"iam:PassedToService": [ECS.arn]}}),),
         action="iam:PassRole", on=ROLE, context={"iam:PassedToService": ECS.arn}),
    Case(PASS_ROLE, "but not to another", NO,
         (allow("iam:PassRole", ROLE, Condition={"StringEquals": {"iam:PassedToService": [ECS.arn]}}),),
         action="iam:PassRole", on=ROLE, context={"iam:PassedToService": "lambda.amazonaws.com"}),
    Case(PASS_ROLE, "nor another role", NO, (allow("iam:PassRole", ROLE),), action="iam:PassRole", on=ROLE + "2"),
    Case(KMS, "a key's policy has to let the account's policies count", NO, (allow("kms:Decrypt"),),
         action="kms:Decrypt", on=KEY, resource=(allow("kms:*", Principal={"AWS": ROLE}),)),
    Case(KMS, "then they do", YES, (allow("kms:Decrypt"),), action="kms:Decrypt", on=KEY,
         resource=(allow("kms:*", **ACCOUNT),)),
]  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [*EVALUATION, *ELEMENTS, *FILLED, *CONDITIONS, *SET_FORMS, *ROLES],
    ids=lambda case: f"{case.source.rpartition('/')[2].removesuffix('.html')}: {case.says}",
)
def test_it_is_decided_as_aws_says(case: Case) -> None:
    result = case.result()
    if isinstance(case.expected, Reason):
        assert result is case.expected, f"{case.source}: {result}"
    else:
        assert case.expected in result, f"{case.source}: {result}"


# What is not known is not allowed


REQUEST = Request(ANN, "s3:GetObject", OBJECT)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(ANN, "s3:FetchObject", OBJECT), "s3:FetchObject is no action that is known"),
        (Request(ANN, "elbv2:CreateRule"), "elbv2:CreateRule is no action"),
        (Request(ANN, "s3:GetObject", f"arn:aws:sqs:us-east-1:{HERE}:q"), "s3:GetObject takes no arn:aws:sqs"),
    ],
)
def test_a_request_that_there_cannot_be_is_refused(request_: Request, words: str) -> None:
    with pytest.raises(Unevaluable, match=words):
        decide(request_, [Policy("all", document(allow("*")))])


def test_an_asterisk_in_aws_s_own_pattern_of_an_arn_is_one() -> None:
    """A recovery point's account: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbackup.html"""
    policy = Policy("p", document(allow("backup:DeleteRecoveryPoint")))
    point = f"arn:aws:backup:us-east-1:{HERE}:recovery-point:0a1b"
    assert decide(Request(ANN, "backup:DeleteRecoveryPoint", point), [policy]).allowed
    with pytest.raises(Unevaluable, match="takes no arn:aws:backup"):
        decide(Request(ANN, "backup:DeleteRecoveryPoint", f"arn:aws:backup:us-east-1:{HERE}"), [policy])


def test_a_key_that_the_request_may_have_has_to_be_spoken_of() -> None:
    policy = Policy("operate", document(when("StringEquals", "aws:RequestedRegion", "us-east-1")))
    with pytest.raises(Unevaluable, match=r"policy operate, statement 1: a policy asks for aws:RequestedRegion"):
        decide(REQUEST, [policy])
    absent = Request(ANN, "s3:GetObject", OBJECT, {"aws:RequestedRegion": ()})
    assert decide(absent, [policy]).reason is Reason.IMPLICIT_DENY


def test_a_key_that_no_such_request_has_is_absent() -> None:
    of_another = when("StringEquals", "ecs:CreateAction", "RunTask")
    assert decide(REQUEST, [Policy("tags", document(of_another))]).reason is Reason.IMPLICIT_DENY


def test_an_asterisk_in_a_variable_s_value_is_no_wildcard() -> None:
    """Else who may choose a tag's value chooses what it reaches."""
    mine = Policy("mine", document(allow(resource="arn:aws:s3:::${aws:PrincipalTag/team}/*")))
    everybody = Principal.user(ANN.arn, tags={"team": "*"})
    assert decide(REQUEST, [mine]).allowed
    assert not decide(Request(everybody, "s3:GetObject", OBJECT), [mine]).allowed
    assert decide(Request(everybody, "s3:GetObject", "arn:aws:s3:::*/a"), [mine]).allowed


def test_what_decides_anyway_need_not_be_evaluated() -> None:
    unknown = when("StringEquals", "aws:RequestedRegion", "us-east-1")
    assert decide(REQUEST, [Policy("a", document(unknown)), Policy("b", document(allow()))]).policy == "b"
    assert decide(REQUEST, [Policy("a", document(allow(), {**unknown, "Effect": "Deny"}, deny()))]).statement == "3"
    false_too = {**unknown, "Condition": {**unknown["Condition"], "StringLike": {"aws:username": "bob"}}}
    assert decide(REQUEST, [Policy("a", document(allow(), {**false_too, "Effect": "Deny"}))]).allowed
    with pytest.raises(Unevaluable):
        decide(REQUEST, [Policy("a", document(allow(), {**unknown, "Effect": "Deny"}))])


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{", "is no JSON"),
        ([], "it is no object"),
        ({"Statement": [allow()], "Version": "2020-01-01"}, "its version is 2020-01-01"),
        ({"Statement": [allow()], "Verison": "2012-10-17"}, "the element Verison is not known"),
        (document({**allow(), "Effect": "allow"}), "Effect is neither"),
        (document({**allow(), "Principle": "*"}), "the element Principle is not known"),
        (document({**allow(), "Principal": "*"}), "no place in the policy of an identity"),
        (document({**allow(), "NotAction": "s3:*"}), "one of Action and NotAction"),
        (document({"Effect": "Allow", "Action": "s3:*"}), "one of Resource and NotResource"),
        (document(allow("GetObject")), "GetObject is no action"),
        (document(allow("*:GetObject")), "is no action"),
        (document(allow(resource="shop/*")), "neither \\* nor an ARN"),
        (document(allow(resource="arn:aws:s3:::${aws:username")), "does not end it"),
        (document(allow(resource="arn:aws:s3:::${aws:username, ann}")), "no policy variable"),
        (document({**allow(), "Condition": {"Null": {"a:b": "maybe"}}}), "neither true nor false"),
    ],
)
def test_a_document_that_is_not_understood_is_refused_by_its_name(written: Any, words: str) -> None:
    with pytest.raises(Unevaluable, match=words) as refused:
        decide(REQUEST, [Policy("operate", written)])
    assert str(refused.value).startswith("policy operate")


# What is said of it


def test_a_decision_names_the_statement_and_the_policy() -> None:
    policies = [
        Policy("first", document(allow("s3:PutObject"))),
        Policy("second", document({**allow(), "Sid": "Read"})),
    ]
    decision = decide(REQUEST, policies)
    assert (decision.statement, decision.policy, decision.kind) == ("Read", "second", PolicyKind.IDENTITY)
    denied = decide(REQUEST, policies, Policy("shop", document(deny(**ALL))))
    assert (denied.statement, denied.policy, denied.kind) == ("1", "shop", PolicyKind.RESOURCE)


WHO = f"User: {ANN.arn} is not authorized to perform: s3:GetObject on resource: {OBJECT}"


@pytest.mark.parametrize(
    ("identity", "more", "words"),
    [
        ([], {}, "because no identity-based policy allows the s3:GetObject action"),
        ([allow()], {"boundary": QUEUES}, "because no permissions boundary allows the s3:GetObject action"),
        ([allow(), deny()], {}, "with an explicit deny in an identity-based policy"),
        ([allow()], {"resource_policy": (deny(**ALL),)}, "with an explicit deny in a resource-based policy"),
        ([allow()], {"session_policy": QUEUES}, "because no session policy allows the s3:GetObject action"),
    ],
)
def test_a_denial_reads_as_on_aws(identity: list[Document], more: dict[str, Any], words: str) -> None:
    """docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
    named = {kind: Policy(kind, document(*statements)) for kind, statements in more.items()}
    decision = decide(REQUEST, [Policy("identity", document(*identity))] if identity else [], **named)
    assert not decision.allowed
    assert decision.message(REQUEST) == f"{WHO} {words}"

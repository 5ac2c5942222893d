"""One need of a caller before `local_aws.iam`: with what identity, resource and session have for or against it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from local_aws.access.callers import Caller, read
from local_aws.access.denials import Denial
from local_aws.access.estate import Estate
from local_aws.access.needs import Context, Need
from local_aws.iam.errors import Unevaluable
from local_aws.iam.evaluate import Policy, Request, decide
from local_aws.iam.principals import Principal

Json = dict[str, Any]
COMPUTED = (
    "aws:TagKeys", "aws:CalledVia", "aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp", "aws:ViaAWSService",
    "aws:PrincipalOrgID", "aws:FederatedProvider", "aws:MultiFactorAuthPresent",
    "ecs:cluster", "ecs:CreateAction", "ec2:CreateAction", "iam:AWSServiceName", "iam:PassedToService",
    "iam:PermissionsBoundary", "s3:prefix", "s3:delimiter", "s3:x-amz-server-side-encryption",
    "elasticfilesystem:AccessPointArn",
)  # fmt: skip
"""Keys of which it is known that a request has them where `needs` says so, and else not."""
ACCOUNT_KEYS = ("aws:SourceAccount", "aws:SourceArn")


def judge(caller: Caller, need: Need, context: Context, estate: Estate, call: str = "") -> Denial | None:
    """None if a caller may, else the denial.

    Args:
        caller: who.
        need: what.
        context: everything that is known of the request.
        estate: for the policies of buckets, secrets and queues.
        call: for the denial.
    """
    known: dict[str, str | Sequence[str]] = {**dict.fromkeys(COMPUTED, ()), **context}
    try:
        for key in (key for policy in caller.policies for key in policy.request_tags):
            known.setdefault(key, ())  # a request without such a tag has no such key
        request = Request(caller.principal, need.action, need.resource, known, account=estate.owner(need.resource))
        decision = decide(
            request, caller.policies, _of_resource(need, estate), caller.boundary, caller.session,
        )  # fmt: skip
    except Unevaluable as unknown:
        said = f"User: {caller.principal.arn or 'anonymous'} is not authorized to perform: {need.action}, as {unknown}"
        return Denial(caller.principal.arn, need.action, need.resource, said, "", call)
    if decision.allowed:
        return None
    statement = f"{decision.policy} {decision.statement}".strip()
    return Denial(caller.principal.arn, need.action, need.resource, decision.message(request), statement, call)


def trusts(
    trust: Json | str, principal: Principal, role: str, context: Mapping[str, str], action: str = "sts:AssumeRole"
) -> str:
    """Whether a role's trust policy lets a principal assume it: empty if so, else why not.

    Args:
        trust: the policy.
        principal: a service of AWS, for example.
        role: the role's ARN.
        context: keys of the request: a service says for whom it acts by `aws:SourceAccount` and `aws:SourceArn`.
        action: by which it is assumed.
    """
    request = Request(principal, action, role, {**dict.fromkeys((*COMPUTED, *ACCOUNT_KEYS), ()), **context})
    try:
        decision = decide(request, (), read("trust policy", trust if isinstance(trust, str) else json.dumps(trust)))
    except Unevaluable as unknown:
        return str(unknown)
    return "" if decision.allowed else decision.message(request)


def _of_resource(need: Need, estate: Estate) -> Policy | None:
    """The policy of a bucket, a secret, a queue or a key; None of what has none."""
    parts = need.resource.split(":", 5)
    if len(parts) < 6:
        return None
    service, region, rest = parts[2], parts[3], parts[5]
    match service:
        case "s3":
            found = estate.bucket_policy(rest.partition("/")[0])
        case "secretsmanager":
            found = estate.secret_policy(need.resource, region)
        case "sqs":
            found = estate.queue_policy(rest, region)
        case "iam" if need.action.startswith("sts:"):
            role = estate.role(need.resource)
            found = json.loads(role.assume_role_policy_document) if role is not None else None
        case "kms" if rest.startswith("key/"):
            found = estate.key_policy(need.resource, region)
        case _:
            found = None
    return read(f"of {rest.partition('/')[0]}", json.dumps(found)) if found is not None else None

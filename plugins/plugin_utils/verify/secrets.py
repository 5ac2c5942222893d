"""The secrets: each place is there. Whether the execution role may read it, a start on a host says (`starts`).

No value is read here, nor may whoever types the verb read one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.verify.finding import NOT_ASKED, WRONG, Finding
from plugins.plugin_utils.verify.subjects import Secret


def check(secretsmanager: Any, ssm: Any, subject: str, secret: Secret) -> Iterator[Finding]:
    """Say what is wrong with the place of a secret; nothing of one that is there.

    Args:
        secretsmanager, ssm: clients.
        subject: of the finding.
        secret: to look for.

    Raises:
        ClientError: it cannot be asked for.
    """
    if not secret.where:
        why = f"{secret.missing} is not there yet; {verb('site.yml')} makes it"
        yield Finding("secret", subject, secret.name, NOT_ASKED, why)
    elif is_parameter(secret.where):
        yield from _parameter(ssm, subject, secret)
    else:
        yield from _secret(secretsmanager, subject, secret)


def is_parameter(where: str) -> bool:
    """Whether `valueFrom` names a parameter of the Parameter Store."""
    return where.startswith("/") or ":ssm:" in where


def _parameter(ssm: Any, subject: str, secret: Secret) -> Iterator[Finding]:
    name = "/" + secret.where.partition(":parameter/")[2] if secret.where.startswith("arn:") else secret.where
    names = {name, name.lstrip("/")} if name.count("/") == 1 else {name}
    filters = [{"Key": "Name", "Option": "Equals", "Values": sorted(names)}]
    pages = ssm.get_paginator("describe_parameters").paginate(ParameterFilters=filters)
    if not any(page["Parameters"] for page in pages):
        why = f"there is no parameter {name}. Type: aws ssm put-parameter --name {name} --type SecureString --value …"
        yield Finding("secret", subject, secret.name, WRONG, why)


def _secret(secretsmanager: Any, subject: str, secret: Secret) -> Iterator[Finding]:
    arn = ":".join(secret.where.split(":")[:7])
    try:
        found = secretsmanager.describe_secret(SecretId=arn)
    except secretsmanager.exceptions.ResourceNotFoundException:
        yield Finding("secret", subject, secret.name, WRONG, f"there is no secret {arn}, so no task starts")
        return
    if found.get("DeletedDate"):
        why = f"{arn} is being deleted. Type: aws secretsmanager restore-secret --secret-id {arn}"
        yield Finding("secret", subject, secret.name, WRONG, why)

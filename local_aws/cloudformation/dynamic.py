"""Dynamic references: `{{resolve:ssm:…}}`, `{{resolve:ssm-secure:…}}`, `{{resolve:secretsmanager:…}}`.

References to plain parameters are resolved whenever a stack is planned. Secrets are resolved only when a resource is
made or changed and are stored as the reference: as on AWS, a new version of a secret does not change a stack.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from local_aws.cloudformation.errors import ValidationError

PLAIN = re.compile(r"\{\{resolve:ssm:([^{}]+)\}\}")
SECRET = re.compile(r"\{\{resolve:(ssm-secure|secretsmanager):([^{}]+)\}\}")
ARN_FIELDS = 7

Clients = Callable[[str], Any]
"""Service name → boto3 client in the stack's region."""


def resolve_plain(value: Any, clients: Clients) -> Any:
    """`value` with its references to plain parameters resolved. Raises ValidationError: there is no such parameter."""
    return _replace(value, PLAIN, lambda found: _parameter(clients, found[1]))


def resolve_secrets(value: Any, clients: Clients) -> Any:
    """`value` with its references to secrets resolved. Raises ValidationError: there is no such secret or key."""

    def read(found: re.Match[str]) -> str:
        return _parameter(clients, found[2]) if found[1] == "ssm-secure" else _secret(clients, found[2])

    return _replace(value, SECRET, read)


def _replace(value: Any, pattern: re.Pattern[str], read: Callable[[re.Match[str]], str]) -> Any:
    if isinstance(value, dict):
        return {key: _replace(item, pattern, read) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace(item, pattern, read) for item in value]
    return pattern.sub(read, value) if isinstance(value, str) else value


def _parameter(clients: Clients, name: str) -> str:
    try:
        return str(clients("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
    except ClientError as error:
        raise ValidationError(f"Parameters: [ssm:{name}] cannot be found. ({error})") from error


def _secret(clients: Clients, text: str) -> str:
    fields = text.split(":")
    length = ARN_FIELDS if fields[0] == "arn" else 1
    identifier, rest = ":".join(fields[:length]), [*fields[length:], "", "", "", ""]
    _kind, key, stage, version = rest[:4]
    options = {"VersionStage": stage} if stage else {}
    if version:
        options["VersionId"] = version
    try:
        secret = clients("secretsmanager").get_secret_value(SecretId=identifier, **options)["SecretString"]
    except ClientError as error:
        raise ValidationError(f"Secrets Manager can't find the specified secret {identifier}. ({error})") from error
    if not key:
        return str(secret)
    try:
        return str(json.loads(secret)[key])
    except (ValueError, KeyError, TypeError):
        raise ValidationError(f"Could not find a value associated with JSONKey {key} in SecretString") from None

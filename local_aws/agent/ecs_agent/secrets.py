"""Secrets of a task: read from Secrets Manager or the Parameter Store, with the execution role's credentials.

Source: amazon-ecs-agent, agent/taskresource/{asmsecret,ssmsecret}, agent/asm/asm.go, agent/ssm/ssm.go; their texts are
those of the reasons.
"""

from __future__ import annotations

import json

from .aws import Api, ApiError, Credentials, Json


class SecretError(Exception):
    """Secrets could not be had; the message says which and why, as the agent reports it for the task."""


def values(containers: list[Json], region: str, credentials: Credentials) -> dict[str, dict[str, str]]:
    """Environment variables of the secrets of `containers`, by container.

    Raises:
        SecretError: one of them is not there, or not allowed.
    """
    found: dict[str, dict[str, str]] = {}
    problems = []
    for container in containers:
        for secret in container.get("secrets") or []:
            where = secret.get("region") or region
            try:
                read = _from_secrets_manager if secret.get("provider") == "asm" else _from_parameter_store
                found.setdefault(container["name"], {})[secret["name"]] = read(secret["valueFrom"], where, credentials)
            except (ApiError, OSError, ValueError, KeyError) as error:
                problems.append(str(error))
    if problems:
        raise SecretError(";".join(dict.fromkeys(problems)))
    return found


def split(reference: str) -> tuple[str, str, str, str]:
    """Secret id, JSON key, version stage and version id of `arn:…:secret:<name>[:<key>[:<stage>[:<version>]]]`."""
    parts = reference.split(":")
    key, stage, version = ([*parts[7:], "", "", ""])[:3]
    return ":".join(parts[:7]), key, stage, version


def _from_secrets_manager(reference: str, region: str, credentials: Credentials) -> str:
    identity, key, stage, version = split(reference)
    request = {"SecretId": identity}
    if stage:
        request["VersionStage"] = stage
    if version:
        request["VersionId"] = version
    try:
        answer = Api("secretsmanager", "secretsmanager", region).call("GetSecretValue", request, credentials)
    except (ApiError, OSError) as error:
        cause = f"operation error Secrets Manager: GetSecretValue, {error}"
        if isinstance(error, ApiError) and error.kind == "ResourceNotFoundException":
            raise ValueError(
                f"ResourceNotFoundException: The task can't retrieve the secret with ARN '{identity}' from AWS Secrets "
                f"Manager. Check whether the secret exists in the specified Region: {cause}"
            ) from error
        raise ValueError(f"secret {identity}: {cause}") from error
    text = str(answer["SecretString"])
    if not key:
        return text
    document = json.loads(text)
    if key not in document:
        raise ValueError(f"retrieved secret from Secrets Manager did not contain json key {key}")
    value = document[key]
    return value if isinstance(value, str) else json.dumps(value)


def _from_parameter_store(reference: str, region: str, credentials: Credentials) -> str:
    name = reference.partition(":parameter")[2] if reference.startswith("arn:") else reference
    if name.count("/") == 1:
        name = name.lstrip("/") if reference.startswith("arn:") else name
    request = {"Names": [name], "WithDecryption": True}
    problem = f"fetching secret data from SSM Parameter Store in {region}"
    try:
        answer = Api("ssm", "AmazonSSM", region).call("GetParameters", request, credentials)
    except (ApiError, OSError) as error:
        raise ValueError(f"{problem}: operation error SSM: GetParameters, {error}") from error
    if not answer.get("Parameters"):
        raise ValueError(f"{problem}: invalid parameters: {reference}")
    return str(answer["Parameters"][0]["Value"])

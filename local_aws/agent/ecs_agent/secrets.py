"""Secrets of a container: read from Secrets Manager or the Parameter Store, with the execution role's credentials."""

from __future__ import annotations

import json

from .aws import Api, ApiError, Credentials, Json


class SecretError(Exception):
    """A secret could not be had; the message says which and why, as the agent reports it."""


def values(secrets: list[Json], region: str, credentials: Credentials) -> dict[str, str]:
    """Environment variables of `secrets`.

    Raises:
        SecretError: one of them is not there, or not allowed.
    """
    found = {}
    for secret in secrets:
        reference, where = secret["valueFrom"], secret.get("region") or region
        try:
            read = _from_secrets_manager if secret.get("provider") == "asm" else _from_parameter_store
            found[secret["name"]] = read(reference, where, credentials)
        except (ApiError, OSError, ValueError, KeyError) as error:
            raise SecretError(
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
                f"failed: unable to retrieve secret from {secret.get('provider')}: {reference}: {error}"
            ) from error
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
    text = str(
        Api("secretsmanager", "secretsmanager", region).call("GetSecretValue", request, credentials)["SecretString"]
    )
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
    request = {"Name": name, "WithDecryption": True}
    answer = Api("ssm", "AmazonSSM", region).call("GetParameter", request, credentials)
    return str(answer["Parameter"]["Value"])

"""Which version each secret of a task has: written down with a release, so that a rollback can say what changed since.

No value is read, here or by the call that asks. A rollback does not bring a version back by itself: with most secrets
something else was changed, a database's password for example, and the value of before opens nothing any more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.verify.secrets import is_parameter

CURRENT = "AWSCURRENT"
LOGIN = re.compile(r":secret:[^:]+/database/[^:/]+/login-[A-Za-z0-9]{6}$")
"""How the ARN ends of what a site logs in with to a database (cloudformation/database.yml)."""
UNKNOWN = ("ResourceNotFoundException", "AccessDeniedException", "AccessDenied")
Client = Callable[[str], Any]


def places(definitions: Iterable[Mapping[str, Any]]) -> list[str]:
    """Where the secrets of task definitions lie: ARNs without key and version, and names of parameters; each once.

    Args:
        definitions: of DescribeTaskDefinition.
    """
    containers = [each for definition in definitions for each in definition["containerDefinitions"]]
    given = [str(secret["valueFrom"]) for each in containers for secret in each.get("secrets", [])]
    return list(dict.fromkeys(each if is_parameter(each) else ":".join(each.split(":")[:7]) for each in given))


def read(client: Client, definitions: Iterable[str]) -> dict[str, str]:
    """Place → version, of the secrets that task definitions name. What cannot be asked for is left out.

    Args:
        client: gives a boto3 client by the service's name.
        definitions: their ARNs.
    """
    ecs = client("ecs")
    named = dict.fromkeys(definitions)
    described = [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in named]
    return current(client, places(described))


def current(client: Client, where: Iterable[str]) -> dict[str, str]:
    """Place → the version that a task reads when it starts. What cannot be asked for is left out.

    Args:
        client: gives a boto3 client by the service's name.
        where: see `places`.
    """
    found = {}
    for place in where:
        try:
            version = _parameter(client("ssm"), place) if is_parameter(place) else _secret(client, place)
        except ClientError as error:
            if error.response["Error"]["Code"] not in UNKNOWN:
                raise
            continue
        if version:
            found[place] = version
    return found


def _secret(client: Client, arn: str) -> str:
    stages = client("secretsmanager").describe_secret(SecretId=arn).get("VersionIdsToStages") or {}
    return next((version for version, labels in stages.items() if CURRENT in labels), "")


def _parameter(ssm: Any, where: str) -> str:
    name = "/" + where.partition(":parameter/")[2] if where.startswith("arn:") else where
    names = [name, name.lstrip("/")] if name.count("/") == 1 else [name]
    filters = [{"Key": "Name", "Option": "Equals", "Values": names}]
    pages = ssm.get_paginator("describe_parameters").paginate(ParameterFilters=filters)
    return next((str(each["Version"]) for page in pages for each in page["Parameters"]), "")


def changed(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """A line for each secret that has another version than it had, with what brings it back.

    Args:
        then: place → version, as the ledger has it.
        now: the same, as it is.
    """
    for place, was in sorted(then.items()):
        if now.get(place, was) != was:
            yield f"{place} had another value then (version {was}; now {now[place]}). {_back(place, was, now[place])}"


def _back(place: str, was: str, now: str) -> str:
    if is_parameter(place):
        return f"Its history has it: aws ssm get-parameter-history --name {place}"
    if LOGIN.search(place):
        return (
            "rotate_secrets.yml has changed it, and what it was opens nothing any more: nothing is to be brought back."
        )
    return (
        f"To bring it back: aws secretsmanager update-secret-version-stage --secret-id {place} "
        f"--version-stage {CURRENT} --move-to-version-id {was} --remove-from-version-id {now}, "
        f"then {verb('restart.yml')} -e service=…"
    )

"""The IAM statements of a service, job or function: they follow from its images, references, volumes and `uses`.

What every task may do (log, ask ECR for a token) stands in the templates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.site import images
from plugins.plugin_utils.site.definitions import stored
from plugins.plugin_utils.site.inputs import Inputs, Value, substituted
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.nouns import NOUNS
from plugins.plugin_utils.site.nouns.function import Function
from plugins.plugin_utils.site.reference import Output, Stored

Json = dict[str, Any]
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
HERE = "arn:${{AWS::Partition}}:{}:${{AWS::Region}}:${{AWS::AccountId}}"
FULL_SECRET = re.compile(r".*-[A-Za-z0-9]{6}")


def execution_statements(site: Site, key: str, inputs: Inputs) -> list[Json]:
    """What ECS itself may do to start a task: pull its images and read its secrets.

    Raises:
        KeyError: there is no such service or job.
    """
    containers = site.task(key).containers.values()
    secrets = [stored(site, value) for each in containers for value in each.secrets.values()]
    pulled = [_repository(each.image, inputs) for each in containers]
    return ([_allow(PULL, pulled)] if any(pulled) else []) + _reading(secrets, ("ssm:GetParameters",), inputs)


def task_statements(site: Site, key: str, inputs: Inputs) -> list[Json]:
    """What the containers themselves may do: mount their volumes, and what `uses` says.

    Raises:
        KeyError: there is no such service or job.
    """
    return _volumes(site, key, inputs) + _uses(site, site.task(key).uses, inputs)


def function_statements(site: Site, entry: Function, inputs: Inputs) -> list[Json]:
    """What a function may do: read its secrets, as Lambda does not do that for it, and what `uses` says."""
    secrets = [stored(site, value) for value in entry.secrets.values()]
    return _reading(secrets, ("ssm:GetParameter", "ssm:GetParameters"), inputs) + _uses(site, entry.uses, inputs)


def _reading(secrets: list[tuple[str, Stored]], of_parameters: tuple[str, ...], inputs: Inputs) -> list[Json]:
    found: dict[tuple[str, ...], list[Value]] = {
        ("secretsmanager:GetSecretValue",): [_secret(*each, inputs) for each in secrets if not each[1].is_parameter],
        of_parameters: [_parameter(each[1]) for each in secrets if each[1].is_parameter],
        # Secrets under AWS's own keys need no right to these.
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
        ("kms:Decrypt",): [each[1].kms_key_arn for each in secrets],
    }
    return [_allow(actions, resources) for actions, resources in found.items() if any(resources)]


def _volumes(site: Site, key: str, inputs: Inputs) -> list[Json]:
    """With the native driver the mount itself asks for these; rexray mounts as the host."""
    writable: dict[str, bool] = {}
    for container in site.task(key).containers.values():
        for mount in container.volumes:
            writable[mount.volume] = writable.get(mount.volume, False) or not mount.read_only
    made = []
    for name, write in writable.items():
        if site.volumes[name].driver != "efs":
            continue
        of = f"volume.{name}"
        file_system = inputs.parameter(of, "FileSystemId")
        arn = f"{HERE.format('elasticfilesystem')}:file-system/${{{file_system}}}"
        # Without write access root is nobody's special user: ClientRootAccess goes with it.
        actions = ["ClientMount", *(["ClientWrite", "ClientRootAccess"] if write else [])]
        point = {"elasticfilesystem:AccessPointArn": inputs.value(of, Output("AccessPointArn"))}
        allowed = _allow(tuple(f"elasticfilesystem:{action}" for action in actions), [substituted(arn)])
        made.append({**allowed, "Condition": {"StringEquals": point}})
    return made


def _uses(site: Site, uses: Mapping[tuple[str, str], tuple[str, ...]], inputs: Inputs) -> list[Json]:
    found: dict[tuple[str, ...], list[Value]] = {}
    for (noun, entry), rights in uses.items():
        arn = NOUNS[noun].arn(site.entries[noun][entry])
        if key := getattr(site.entries[noun][entry], "kms_key_arn", ""):  # only what is read has one so far: secrets
            found.setdefault(("kms:Decrypt",), []).append(key)
        for right in rights:
            for grant in (NOUNS[noun].grants or {})[right]:
                found.setdefault(grant.actions, []).append(inputs.sub(f"{noun}.{entry}", arn, grant.on))
    return [_allow(actions, resources) for actions, resources in found.items()]


def _repository(image: str, inputs: Inputs) -> Value:
    if images.is_local(image):
        return inputs.value(f"image.{images.entry_of(image)}", Output("RepositoryArn"))
    return substituted(images.ecr_repository(image))


def _secret(key: str, secret: Stored, inputs: Inputs) -> Value:
    if isinstance(secret.where, Output):
        return inputs.value(key, secret.where)
    # An ARN may be written without the six characters that Secrets Manager puts behind the name.
    return secret.where if FULL_SECRET.fullmatch(secret.where) else f"{secret.where}-??????"


def _parameter(secret: Stored) -> Value:
    where = str(secret.where)
    if where.startswith("arn:"):
        return where
    return substituted(f"{HERE.format('ssm')}:parameter{where}")


def _allow(actions: tuple[str, ...], resources: list[Any]) -> Json:
    """A statement. Each resource stands in it once, in one order: another order would be another template."""
    distinct = {str(each): each for each in resources if each}
    return {"Effect": "Allow", "Action": list(actions), "Resource": [distinct[text] for text in sorted(distinct)]}

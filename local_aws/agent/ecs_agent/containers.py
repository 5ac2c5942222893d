"""How a container of a payload looks to Docker.

Source: amazon-ecs-agent, agent/engine/docker_task_engine.go (createContainer) and agent/api/task/task.go.
"""

from __future__ import annotations

import json

from .aws import Json
from .ports import published
from .task import Task
from .task_host import Host

ENDPOINT = "http://169.254.170.2"
"""Where containers find the agent: `network` leads there."""
LABEL = "com.amazonaws.ecs."
MINIMUM_MEMORY = 6 * 1024 * 1024
REGION_NAMES = ("AWS_REGION", "AWS_DEFAULT_REGION")
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
"""Of the host, with the embedded AWS's own among them."""
TRUSTED = "/run/local-aws/ca-certificates.crt"
"""Where a container with a role has them: that AWS's endpoints have certificates which every image trusts cannot be had
here. The real agent adds nothing of the kind."""
TRUSTED_NAMES = ("AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""What the SDKs for Python and Node read: https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html"""


def configuration(host: Host, task: Task, name: str, secrets: dict[str, str], image_environment: list[str]) -> Json:
    """The body of Docker's create call: the payload's own fields over its dockerConfig.

    Args:
        host, task, name: which container, and where.
        secrets: environment variables with their values.
        image_environment: the image's own, `NAME=value`.
    Raises:
        PortError: no host port is free.
    """
    definition = task.definition(name)
    carried = definition.get("dockerConfig") or {}
    config: Json = json.loads(carried.get("config") or "{}")
    config["Image"] = definition["image"]
    variables = environment(host, task, name, secrets, image_environment)
    config["Env"] = [f"{key}={value}" for key, value in variables.items()]
    if definition.get("command"):
        config["Cmd"] = definition["command"]
    if definition.get("entryPoint"):
        config["Entrypoint"] = definition["entryPoint"]
    labels = {
        "cluster": host.cluster,
        "container-name": name,
        "task-arn": task.arn,
        "task-definition-family": task.payload["family"],
        "task-definition-version": task.payload["version"],
    }
    config["Labels"] = {**(config.get("Labels") or {}), **{LABEL + key: value for key, value in labels.items()}}
    own: Json = json.loads(carried.get("hostConfig") or "{}")
    own["NetworkMode"] = own.get("NetworkMode") or "default"
    own.setdefault("IpcMode", "shareable")  # of the API version that the payload is for
    _limit(own, definition)
    _mount(own, definition, host, task)
    if own["NetworkMode"] in ("default", "bridge"):
        own["Links"] = _links(definition, task)
        config["ExposedPorts"], own["PortBindings"] = published(definition, host.ports)
    execution = task.payload.get("executionRoleCredentials")
    if definition.get("logsAuthStrategy") == "ExecutionRole" and execution:
        options = own.setdefault("LogConfig", {}).setdefault("Config", {})
        options["awslogs-credentials-endpoint"] = f"/v2/credentials/{execution['credentialsId']}"
    config["HostConfig"] = own
    return config


def environment(
    host: Host, task: Task, name: str, secrets: dict[str, str], image_environment: list[str]
) -> dict[str, str]:
    """Environment variables of a container: its own, its secrets, and those that the agent adds.

    The region is added only where neither the container nor its image names one.
    """
    found = {**(task.definition(name).get("environment") or {}), **secrets}
    there = {*found, *(each.partition("=")[0] for each in image_environment)}
    if not there.intersection(REGION_NAMES):
        found |= dict.fromkeys(REGION_NAMES, host.region)
    if _has_role(host, task):
        identity = task.payload["roleCredentials"]["credentialsId"]
        found["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = f"/v2/credentials/{identity}"
        found |= dict.fromkeys(set(TRUSTED_NAMES) - there, TRUSTED)
    endpoint = task.containers[name].endpoint
    found["ECS_CONTAINER_METADATA_URI"] = f"{ENDPOINT}/v3/{endpoint}"
    found["ECS_CONTAINER_METADATA_URI_V4"] = f"{ENDPOINT}/v4/{endpoint}"
    found["ECS_AGENT_URI"] = f"{ENDPOINT}/api/{endpoint}"
    return found


def _has_role(host: Host, task: Task) -> bool:
    return bool(task.payload.get("roleCredentials") and host.configuration.task_role)


def _limit(config: Json, definition: Json) -> None:
    if definition.get("memory"):
        config["Memory"] = max(MINIMUM_MEMORY, int(definition["memory"]) * 1024 * 1024)
    config["CpuShares"] = max(2, int(definition.get("cpu") or 0))


def _mount(config: Json, definition: Json, host: Host, task: Task) -> None:
    config["Binds"] = [
        f"{task.sources[each['sourceVolume']]}:{each['containerPath']}" + (":ro" if each.get("readOnly") else "")
        for each in definition.get("mountPoints") or []
    ]
    if _has_role(host, task):
        config["Binds"].append(f"{AUTHORITIES}:{TRUSTED}:ro")
    config["VolumesFrom"] = [
        task.containers[each["sourceContainer"]].id + (":ro" if each.get("readOnly") else "")
        for each in definition.get("volumesFrom") or []
    ]


def _links(definition: Json, task: Task) -> list[str]:
    found = []
    for link in definition.get("links") or []:
        target, _, alias = link.partition(":")
        found.append(f"{task.containers[target].id}:{alias or target}")
    return found

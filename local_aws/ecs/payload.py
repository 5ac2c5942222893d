"""A task as the agent is told of it, in the shape of the ACS protocol.

Source: amazon-ecs-agent, `ecs-agent/acs/model/api/api-2.json` (PayloadMessage), and the agent's task parsing, which
takes what has no field of its own from `dockerConfig`, two JSON strings in the form of Docker's API.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import Any

from local_aws.config import ACCOUNT_ID
from local_aws.ecs.state import Json, Task

SECOND = 10**9
"""Docker's durations are in nanoseconds."""
ECR_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([\w-]+)\.amazonaws\.com/")
"""An image of a private registry: for it the agent needs a token."""


def task(it: Task, cluster_arn: str, credentials: dict[str, Json], registry: str = "") -> Json:
    """The Task of a PayloadMessage.

    Args:
        it: the task; its definition has the overrides merged in.
        cluster_arn: its cluster.
        credentials: role type (`TaskApplication`, `TaskExecution`) → IAMRoleCredentials.
        registry: host and port of the registry that stands in for ECR; empty if there is none.
    """
    definition = it.definition
    answer: Json = {
        "arn": it.arn,
        "taskClusterArn": cluster_arn,
        "taskDefinitionAccountId": ACCOUNT_ID,
        "family": definition["family"],
        "version": str(definition["revision"]),
        "desiredStatus": it.desired,
        "overrides": "{}",
        "networkMode": definition.get("networkMode", "bridge"),
        "launchType": "EC2",
        "volumes": [_volume(each) for each in definition.get("volumes", [])],
        "containers": [_container(each, it, registry) for each in definition["containerDefinitions"]],
    }
    if it.service:
        answer["serviceName"] = it.service.rpartition("/")[2]
    if definition.get("cpu"):
        answer["cpu"] = int(definition["cpu"]) / 1024  # vCPU
    if definition.get("memory"):
        answer["memory"] = int(definition["memory"])
    if "TaskApplication" in credentials:
        answer["roleCredentials"] = credentials["TaskApplication"]
    if "TaskExecution" in credentials:
        answer["executionRoleCredentials"] = credentials["TaskExecution"]
    return answer


def credentials_message(task_arn: str, role_type: str, credentials: Json) -> Json:
    """An IAMRoleCredentialsMessage: fresh credentials for a task that runs."""
    return {
        "taskArn": task_arn,
        "messageId": str(uuid.uuid4()),
        "roleType": role_type,
        "roleCredentials": credentials,
    }


def role_credentials(role_arn: str, credentials_id: str, assumed: Json, seconds: float) -> Json:
    """The IAMRoleCredentials of an assumed role, good for so many seconds."""
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    return {
        "credentialsId": credentials_id,
        "roleArn": role_arn,
        "accessKeyId": assumed["AccessKeyId"],
        "secretAccessKey": assumed["SecretAccessKey"],
        "sessionToken": assumed["SessionToken"],
        "expiration": expires,
    }


def _volume(volume: Json) -> Json:
    if docker := volume.get("dockerVolumeConfiguration"):
        return {"name": volume["name"], "type": "docker", "dockerVolumeConfiguration": docker}
    if efs := volume.get("efsVolumeConfiguration"):
        return {"name": volume["name"], "type": "efs", "efsVolumeConfiguration": efs}
    return {"name": volume["name"], "type": "host", "host": volume.get("host", {})}


def _container(container: Json, it: Task, registry: str) -> Json:
    answer: Json = {
        "name": container["name"],
        "image": container["image"],
        "cpu": container.get("cpu", 0),
        "memory": container.get("memory", 0),
        "essential": container.get("essential", True),
        "environment": {each["name"]: each.get("value", "") for each in container.get("environment", [])},
        "links": container.get("links", []),
        "portMappings": [
            {
                "containerPort": each["containerPort"],
                "hostPort": each.get("hostPort", 0),
                "protocol": each.get("protocol", "tcp"),
            }
            for each in container.get("portMappings", [])
        ],
        "mountPoints": [
            {
                "sourceVolume": each["sourceVolume"],
                "containerPath": each["containerPath"],
                "readOnly": each.get("readOnly", False),
            }
            for each in container.get("mountPoints", [])
        ],
        "volumesFrom": container.get("volumesFrom", []),
        "dependsOn": container.get("dependsOn", []),
        "overrides": "{}",
        "dockerConfig": {
            "version": "1.18",
            "config": json.dumps(_config(container)),
            "hostConfig": json.dumps(_host_config(container, it)),
        },
    }
    if known := it.container(container["name"]):
        answer["containerArn"] = known.arn
    executes = bool(it.definition.get("executionRoleArn"))
    if executes and (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
        answer["logsAuthStrategy"] = "ExecutionRole"  # else Docker writes the log with the host's own role
    if private := _private_registry(container["image"], it, registry):
        data = {**private, "useExecutionRole": executes}
        answer["registryAuthentication"] = {"type": "ecr", "ecrAuthData": data}
    for key in ("command", "entryPoint", "startTimeout", "stopTimeout"):
        if container.get(key) is not None:
            answer[key] = container[key]
    if container.get("healthCheck"):
        answer["healthCheckType"] = "docker"
    if container.get("secrets"):
        answer["secrets"] = [_secret(each) for each in container["secrets"]]
    return answer


def _private_registry(image: str, it: Task, registry: str) -> Json | None:
    """registryId and region of the private registry that `image` is in; None for a public one."""
    if found := ECR_IMAGE.match(image):
        return {"registryId": found[1], "region": found[2]}
    if registry and image.startswith(f"{registry}/"):
        return {"registryId": ACCOUNT_ID, "region": it.arn.split(":")[3]}
    return None


def _secret(secret: Json) -> Json:
    value = secret["valueFrom"]
    provider = "asm" if ":secretsmanager:" in value else "ssm"
    region = value.split(":")[3] if value.startswith("arn:") else ""
    return {
        "name": secret["name"],
        "valueFrom": value,
        "provider": provider,
        "region": region,
        "type": "ENVIRONMENT_VARIABLE",
    }


def _config(container: Json) -> Json:
    """The part of Docker's container configuration that ACS has no field for."""
    config: dict[str, Any] = {"Labels": container.get("dockerLabels", {})}
    if check := container.get("healthCheck"):
        config["Healthcheck"] = {
            "Test": check["command"],
            "Interval": check.get("interval", 30) * SECOND,
            "Timeout": check.get("timeout", 5) * SECOND,
            "Retries": check.get("retries", 3),
            "StartPeriod": check.get("startPeriod", 0) * SECOND,
        }
    for key, name in (
        ("user", "User"),
        ("workingDirectory", "WorkingDir"),
        ("hostname", "Hostname"),
        ("interactive", "OpenStdin"),
        ("pseudoTerminal", "Tty"),
        ("disableNetworking", "NetworkDisabled"),
    ):
        if container.get(key):
            config[name] = container[key]
    return config


def _host_config(container: Json, it: Task) -> Json:
    """The part of Docker's host configuration that ACS has no field for.

    The network mode is in it too: the agent takes it from here, the task's own field is for `awsvpc`.
    """
    host: dict[str, Any] = {"NetworkMode": it.definition.get("networkMode", "bridge")}
    if log := container.get("logConfiguration"):
        options = dict(log.get("options") or {})
        # Docker's driver knows no prefix: ECS turns it into the stream's name before the agent sees it.
        if prefix := options.pop("awslogs-stream-prefix", None):
            options["awslogs-stream"] = f"{prefix}/{container['name']}/{it.id}"
        host["LogConfig"] = {"Type": log["logDriver"], "Config": options}
    if container.get("memoryReservation"):
        host["MemoryReservation"] = container["memoryReservation"] * 1024 * 1024
    if container.get("ulimits"):
        host["Ulimits"] = [
            {"Name": each["name"], "Soft": each["softLimit"], "Hard": each["hardLimit"]}
            for each in container["ulimits"]
        ]
    if container.get("extraHosts"):
        host["ExtraHosts"] = [f"{each['hostname']}:{each['ipAddress']}" for each in container["extraHosts"]]
    if container.get("systemControls"):
        host["Sysctls"] = {each["namespace"]: each["value"] for each in container["systemControls"]}
    for key, name in (
        ("privileged", "Privileged"),
        ("readonlyRootFilesystem", "ReadonlyRootfs"),
        ("dnsServers", "Dns"),
        ("dnsSearchDomains", "DnsSearch"),
        ("dockerSecurityOptions", "SecurityOpt"),
    ):
        if container.get(key):
            host[name] = container[key]
    linux = container.get("linuxParameters") or {}
    if linux.get("initProcessEnabled"):
        host["Init"] = True
    if capabilities := linux.get("capabilities"):
        host["CapAdd"], host["CapDrop"] = capabilities.get("add", []), capabilities.get("drop", [])
    if linux.get("sharedMemorySize"):
        host["ShmSize"] = linux["sharedMemorySize"] * 1024 * 1024
    if linux.get("maxSwap") is not None:  # swappiness counts only beside it
        host["MemorySwap"] = (container["memory"] + linux["maxSwap"]) * 1024 * 1024
        host["MemorySwappiness"] = linux.get("swappiness", 60)
    if linux.get("tmpfs"):
        host["Tmpfs"] = {
            each["containerPath"]: ",".join([f"size={each['size']}m", *each.get("mountOptions", [])])
            for each in linux["tmpfs"]
        }
    if linux.get("devices"):
        host["Devices"] = [
            {
                "PathOnHost": each["hostPath"],
                "PathInContainer": each.get("containerPath", each["hostPath"]),
                "CgroupPermissions": "".join(permission[0] for permission in each.get("permissions", ["rwm"]))
                if each.get("permissions")
                else "rwm",
            }
            for each in linux["devices"]
        ]
    return host

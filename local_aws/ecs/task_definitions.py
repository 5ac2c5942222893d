"""Registering a task definition: what AWS refuses, what it fills in, which attributes an instance then needs."""

from __future__ import annotations

import re
from typing import Any

from local_aws.ecs.errors import client, invalid
from local_aws.ecs.state import Json

PREFIX = "com.amazonaws.ecs.capability."
STORED = (
    "family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "volumes",
    "placementConstraints", "requiresCompatibilities", "cpu", "memory", "pidMode", "ipcMode", "proxyConfiguration",
    "inferenceAccelerators", "ephemeralStorage", "runtimePlatform", "enableFaultInjection",
)  # fmt: skip
CPU_ATTRIBUTE = "ecs.cpu-architecture"
ARCHITECTURES = {"X86_64": "x86_64", "ARM64": "arm64"}


def validate(request: Json) -> None:
    """Refuse what AWS refuses at registration.

    Raises:
        EcsError: ClientException or InvalidParameterException with AWS's own words where they are known.
    """
    if not re.fullmatch(r"[\w-]{1,255}", request["family"]):
        raise client("Invalid family: must be 1 to 255 letters, numbers, hyphens and underscores.")
    if "FARGATE" in request.get("requiresCompatibilities", []):
        raise client("The embedded AWS has no Fargate: requiresCompatibilities must be [EC2].")
    mode = request.get("networkMode", "bridge")
    if mode not in ("bridge", "host", "none"):
        raise client(f"The embedded AWS has no network mode {mode}: use bridge, host or none.")
    containers = request["containerDefinitions"]
    if not containers:
        raise client("Container list cannot be empty.")
    names = [each.get("name", "") for each in containers]
    for name in names:
        if not re.fullmatch(r"[\w-]{1,255}", name):
            raise client("Container.name should not be null or empty." if not name else f"Invalid name {name!r}.")
        if names.count(name) > 1:
            raise client(f"Container.name contains duplicate value: {name}")
    volumes = {each["name"] for each in request.get("volumes", [])}
    for each in containers:
        _validate_container(each, request, set(names), volumes, mode)
    if not any(each.get("essential", True) for each in containers):
        raise client("At least one container must be marked as essential in the task definition.")
    _refuse_cycle(containers)
    _refuse_doubles(request)
    for volume in request.get("volumes", []):
        _validate_volume(volume)
    _validate_task(request)


def _validate_task(request: Json) -> None:
    """Task-level sizes and platform."""
    for key in ("cpu", "memory"):
        if request.get(key) and not str(request[key]).isdigit():
            raise client(f"The embedded AWS takes {key} of a task in units or MiB, not {request[key]!r}.")
    platform = request.get("runtimePlatform") or {}
    if platform.get("operatingSystemFamily", "LINUX") != "LINUX":
        raise client(f"The embedded AWS has no hosts with {platform['operatingSystemFamily']}: use LINUX.")
    if platform.get("cpuArchitecture", "X86_64") not in ARCHITECTURES:
        raise client(f"Invalid cpuArchitecture {platform['cpuArchitecture']}: use {' or '.join(ARCHITECTURES)}.")


def _refuse_doubles(request: Json) -> None:
    """Names and host ports that are given twice."""
    volumes = [each["name"] for each in request.get("volumes", [])]
    if double := next((name for name in volumes if volumes.count(name) > 1), None):
        raise client(f"Volume.name contains duplicate value: {double}")
    taken = [
        (mapping["hostPort"], mapping.get("protocol", "tcp"))
        for container in request["containerDefinitions"]
        for mapping in container.get("portMappings", [])
        if mapping.get("hostPort")
    ]
    if twice := next((port for port in taken if taken.count(port) > 1), None):
        raise client(f"Host port {twice[0]}/{twice[1]} is mapped more than once: a host has it only once.")


def _validate_container(container: Json, request: Json, names: set[str], volumes: set[str], mode: str) -> None:
    name = container["name"]
    if not container.get("image"):
        raise client("Container.image should not be null or empty.")
    hard, soft = container.get("memory"), container.get("memoryReservation")
    if not (hard or soft or request.get("memory")):
        raise client(
            "Invalid setting for container "
            f"'{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
        )
    for amount in (hard, soft):
        if amount is not None and amount < 6:
            raise client(f"Invalid 'memory' setting for container '{name}': the minimum is 6 MiB.")
    if hard and soft and hard < soft:
        raise client(f"Invalid setting for container '{name}'. 'memory' must be greater than 'memoryReservation'.")
    if container.get("links") and mode != "bridge":
        raise client(f"Links are not supported when networkMode={mode}.")
    for link in container.get("links", []):
        if link.partition(":")[0] not in names - {name}:
            raise client(f"Invalid link from '{name}' to unknown container '{link.partition(':')[0]}'.")
    for dependency in container.get("dependsOn", []):
        target = next(
            (each for each in request["containerDefinitions"] if each["name"] == dependency["containerName"]), None
        )
        if target is None or target is container:
            raise client(f"Container {name} depends on unknown container {dependency['containerName']}.")
        if dependency["condition"] == "HEALTHY" and not target.get("healthCheck"):
            raise client(
                f"Container {name} depends on {target['name']} being HEALTHY, "
                "which requires a health check in its container definition."
            )
        if dependency["condition"] in ("COMPLETE", "SUCCESS") and target.get("essential", True):
            raise client(
                f"Container {name} cannot wait for {dependency['condition']} of {target['name']}, which is essential."
            )
    for mount in container.get("mountPoints", []):
        if mount.get("sourceVolume") not in volumes:
            raise client("Unknown volume " + repr(mount.get("sourceVolume", "")) + ".")
        if not mount.get("containerPath"):
            raise client("MountPoint.containerPath should not be null or empty.")
    for source in container.get("volumesFrom", []):
        if source.get("sourceContainer") not in names - {name}:
            raise client(f"Unknown container {source.get('sourceContainer', '')!r} in volumesFrom of '{name}'.")
    for mapping in container.get("portMappings", []):
        if not 1 <= mapping.get("containerPort", 0) <= 65535:
            raise client(f"Invalid port mapping of container '{name}': containerPort must be 1 to 65535.")
        if mode == "host" and mapping.get("hostPort") not in (None, 0, mapping["containerPort"]):
            raise client("When networkMode=host, the host ports and container ports in port mappings must match.")
    if container.get("secrets") and not request.get("executionRoleArn"):
        raise client("When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.")
    variables = {each.get("name") for each in container.get("environment", [])}
    for secret in container.get("secrets", []):
        if secret["name"] in variables:
            raise client(
                "The secret name must be unique and not shared with any new or existing environment variables set on "
                f"the container, such as '{secret['name']}'."
            )
        variables.add(secret["name"])
    if container.get("versionConsistency") == "enabled":
        raise client(
            f"The embedded AWS does not resolve tags to digests (container '{name}'): name the image's digest."
        )
    _validate_swap(container)
    _validate_health_check(container.get("healthCheck"))
    if (container.get("logConfiguration") or {}).get("logDriver") == "awsfirelens":
        raise client(f"The embedded AWS has no FireLens (container '{name}').")
    options = (container.get("logConfiguration") or {}).get("options", {})
    if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
        for key in ("awslogs-group", "awslogs-region"):
            if not options.get(key):
                raise client(f"Log driver awslogs requires options: {key}")


def _validate_swap(container: Json) -> None:
    # ECS API reference, LinuxParameters.
    linux = container.get("linuxParameters") or {}
    if linux.get("maxSwap") is not None and not container.get("memory"):
        raise client(f"Invalid 'maxSwap' setting for container '{container['name']}': it needs 'memory'.")
    if not 0 <= linux.get("swappiness", 60) <= 100:
        raise client(f"Invalid 'swappiness' setting for container '{container['name']}': it is 0 to 100.")


def _validate_health_check(check: Json | None) -> None:
    if not check:
        return
    if not check.get("command"):
        raise client("Health check command should not be null or empty.")
    # ECS API reference, HealthCheck.
    for key, low, high in (("interval", 5, 300), ("timeout", 2, 120), ("retries", 1, 10), ("startPeriod", 0, 300)):
        if key in check and not low <= check[key] <= high:
            raise client(f"Health check {key} must be between {low} and {high}.")


def _validate_volume(volume: Json) -> None:
    docker, efs = volume.get("dockerVolumeConfiguration"), volume.get("efsVolumeConfiguration")
    if sum(bool(volume.get(key)) for key in ("host", "dockerVolumeConfiguration", "efsVolumeConfiguration")) > 1:
        raise client(f"Volume {volume['name']}: only one of host, dockerVolumeConfiguration, efsVolumeConfiguration.")
    if docker and docker.get("autoprovision") and docker.get("scope", "task") == "task":
        raise client("Volume autoprovision is only supported for shared scope.")
    if efs:
        authorization = efs.get("authorizationConfig", {})
        encrypted = efs.get("transitEncryption") == "ENABLED"
        if authorization.get("accessPointId"):
            if efs.get("rootDirectory") not in (None, "", "/"):
                raise invalid("Root directory must be omitted or set to / when an access point is used.")
            if not encrypted:
                raise client("Transit encryption must be enabled when an EFS access point is used.")
        if authorization.get("iam") == "ENABLED" and not encrypted:
            raise client("Transit encryption must be enabled when IAM authorization is used.")


def _refuse_cycle(containers: list[Json]) -> None:
    waits = {
        each["name"]: {item["containerName"] for item in each.get("dependsOn", [])}
        | {link.partition(":")[0] for link in each.get("links", [])}
        for each in containers
    }
    while waits:
        free = {name for name, others in waits.items() if not others}
        if not free:
            raise client("There is a cycle in the container dependencies (dependsOn or links).")
        waits = {name: others - free for name, others in waits.items() if name not in free}


def complete(request: Json) -> Json:
    """What is stored for a valid request: the request with AWS's defaults filled in."""
    stored: Json = {key: request[key] for key in STORED if request.get(key) is not None}
    stored.setdefault("networkMode", "bridge")
    stored.setdefault("volumes", [])
    stored.setdefault("placementConstraints", [])
    stored.setdefault("compatibilities", ["EC2", "EXTERNAL"])
    stored["volumes"] = [_complete_volume(each) for each in stored["volumes"]]
    stored["containerDefinitions"] = [
        _complete_container(each, stored["networkMode"]) for each in stored["containerDefinitions"]
    ]
    stored["requiresAttributes"] = required_attributes(stored)
    return stored


def _complete_volume(volume: Json) -> Json:
    completed = dict(volume)
    if completed.get("dockerVolumeConfiguration") is not None:
        completed["dockerVolumeConfiguration"] = {"scope": "task", **completed["dockerVolumeConfiguration"]}
    elif completed.get("efsVolumeConfiguration"):
        completed["efsVolumeConfiguration"] = {"rootDirectory": "/", **completed["efsVolumeConfiguration"]}
    else:
        completed.setdefault("host", {})
    return completed


def _complete_container(container: Json, mode: str) -> Json:
    defaults: Json = {"cpu": 0, "essential": True, "environment": [], "mountPoints": [], "volumesFrom": []}
    completed = {**defaults, **container}
    mappings = []
    for mapping in completed.get("portMappings", []):
        host = mapping["containerPort"] if mode == "host" else 0
        mappings.append({"hostPort": host, "protocol": "tcp", **mapping})
    completed["portMappings"] = mappings
    if completed.get("healthCheck"):
        completed["healthCheck"] = {"interval": 30, "timeout": 5, "retries": 3, **completed["healthCheck"]}
    completed.setdefault("systemControls", [])
    return completed


def required_attributes(definition: Json) -> list[Json]:
    """The attributes that a container instance must have to run `definition`, as AWS derives them."""
    names = {PREFIX + "docker-remote-api.1.18"}
    if definition.get("taskRoleArn"):
        names.add(PREFIX + "task-iam-role")
    if definition.get("executionRoleArn"):
        names.add("ecs.capability.execution-role-awslogs") if _logs(definition) else None
    for container in definition["containerDefinitions"]:
        driver = (container.get("logConfiguration") or {}).get("logDriver")
        if driver:
            names.add(PREFIX + f"logging-driver.{driver}")
        if container.get("healthCheck"):
            names.add("ecs.capability.container-health-check")
        if container.get("dependsOn"):
            names.add("ecs.capability.container-ordering")
        if container.get("privileged"):
            names.add(PREFIX + "privileged-container")
        for secret in container.get("secrets", []):
            store = "asm" if ":secretsmanager:" in secret["valueFrom"] else "ssm"
            names.add(f"ecs.capability.secrets.{store}.environment-variables")
    for volume in definition.get("volumes", []):
        if docker := volume.get("dockerVolumeConfiguration"):
            driver = docker.get("driver") or "local"
            names.add(f"ecs.capability.docker-plugin.{driver.replace(':', '.')}")
        if efs := volume.get("efsVolumeConfiguration"):
            names.add("ecs.capability.efs")
            if efs.get("authorizationConfig"):
                names.add("ecs.capability.efsAuth")
    found: list[Json] = [{"name": name} for name in sorted(names)]
    if architecture := (definition.get("runtimePlatform") or {}).get("cpuArchitecture"):
        found.append({"name": CPU_ATTRIBUTE, "value": ARCHITECTURES[architecture]})
    return found


def _logs(definition: Json) -> bool:
    return any(
        (each.get("logConfiguration") or {}).get("logDriver") == "awslogs"
        for each in definition["containerDefinitions"]
    )


def merge_overrides(definition: Json, overrides: Json) -> Json:
    """The definition that a run-task with `overrides` starts.

    Raises:
        EcsError: an override names a container that is not in the definition.
    """
    merged: Json = {**definition, "containerDefinitions": [dict(each) for each in definition["containerDefinitions"]]}
    for key in ("taskRoleArn", "executionRoleArn", "cpu", "memory"):
        if overrides.get(key):
            merged[key] = overrides[key]
    by_name = {each["name"]: each for each in merged["containerDefinitions"]}
    for override in overrides.get("containerOverrides", []):
        container: dict[str, Any] | None = by_name.get(override.get("name", ""))
        if container is None:
            raise invalid(
                f"Override for container named {override.get('name')} is not a container in the TaskDefinition."
            )
        for key in ("command", "cpu", "memory", "memoryReservation"):
            if key in override:
                container[key] = override[key]
        environment = {each["name"]: each.get("value", "") for each in container.get("environment", [])}
        environment |= {each["name"]: each.get("value", "") for each in override.get("environment", [])}
        container["environment"] = [{"name": name, "value": value} for name, value in environment.items()]
    return merged

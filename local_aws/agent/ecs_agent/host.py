"""What the agent tells about its host: resources, attributes, versions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from . import VERSION
from .configuration import Configuration

PREFIX = "com.amazonaws.ecs.capability."
LIMITS = ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max")
"""The host's memory limit, cgroup v1 and v2: on a host that is itself a container /proc/meminfo shows the machine."""


def memory_mib(limits: tuple[str, ...] = LIMITS, meminfo: str = "/proc/meminfo") -> int:
    """The host's memory in MiB: its own limit, or all there is."""
    total = 0
    for line in Path(meminfo).read_text().splitlines():
        if line.startswith("MemTotal:"):
            total = int(line.split()[1]) * 1024
    for name in limits:
        path = Path(name)
        if path.exists():
            text = path.read_text().strip()
            if text.isdigit() and 0 < int(text) < total:
                total = int(text)
    return total // (1024 * 1024)


def resources(configuration: Configuration) -> list[dict[str, Any]]:
    """`totalResources` of RegisterContainerInstance: 1024 CPU units a core, memory without the reserved part."""

    def integer(name: str, value: int) -> dict[str, Any]:
        return {"name": name, "type": "INTEGER", "integerValue": value}

    def ports(name: str, values: tuple[int, ...]) -> dict[str, Any]:
        return {"name": name, "type": "STRINGSET", "stringSetValue": [str(value) for value in values]}

    return [
        integer("CPU", (os.cpu_count() or 1) * 1024),
        integer("MEMORY", memory_mib() - configuration.reserved_memory),
        ports("PORTS", configuration.reserved_ports),
        ports("PORTS_UDP", configuration.reserved_ports_udp),
    ]


def attributes(configuration: Configuration, plugins: list[tuple[str, bool]]) -> list[dict[str, str]]:
    """The attributes that the host registers with each time; the user's own come on top once (`session.Registration`).

    Args:
        configuration: logging drivers and volume plugin capabilities.
        plugins: Docker's volume plugins, (name with tag, enabled).
    """
    names = [f"{PREFIX}docker-remote-api.1.{minor}" for minor in range(17, 42)]
    names += [f"{PREFIX}logging-driver.{driver}" for driver in configuration.logging_drivers]
    if not configuration.disable_privileged:
        names.append(PREFIX + "privileged-container")
    if configuration.task_role:
        names += [PREFIX + "task-iam-role", PREFIX + "task-iam-role-network-host"]
    names += [
        PREFIX + "ecr-auth",
        "ecs.capability.execution-role-awslogs",
        "ecs.capability.execution-role-ecr-pull",
        "ecs.capability.secrets.asm.environment-variables",
        "ecs.capability.secrets.ssm.environment-variables",
        "ecs.capability.container-health-check",
        "ecs.capability.container-ordering",
        "ecs.capability.docker-plugin.local",
    ]
    for name, enabled in plugins:
        if enabled:
            names += plugin_attributes(name)
    for capability in configuration.volume_plugin_capabilities:
        if capability == "efsAuth":
            names += ["ecs.capability.efs", "ecs.capability.efsAuth"]
    return [{"name": name} for name in dict.fromkeys(names)]


def plugin_attributes(name: str) -> list[str]:
    """Attributes of a plugin: without its tag only where that is `latest`.

    Source: amazon-ecs-agent, agent/app/agent_capability_unix.go, appendVolumeDriverCapabilities.
    """
    plain, _, tag = name.partition(":")
    if tag in ("", "latest"):
        return [f"ecs.capability.docker-plugin.{plain}", f"ecs.capability.docker-plugin.{plain}.latest"]
    return [f"ecs.capability.docker-plugin.{plain}.{tag}"]


def version_info(docker_version: str) -> dict[str, str]:
    """`versionInfo` of RegisterContainerInstance."""
    return {"agentVersion": VERSION, "agentHash": "standin", "dockerVersion": f"DockerVersion: {docker_version}"}

"""What the agent tells about its host: resources and attributes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .configuration import Configuration

PREFIX = "com.amazonaws.ecs.capability."
API_VERSIONS = tuple(f"1.{minor}" for minor in range(17, 33) if minor not in (26, 27, 31))
"""Versions of Docker's API that are published; the agent leaves out some, for their number is limited."""
CAPABILITIES = (
    "aws-appmesh",
    "container-health-check",
    "container-ordering",
    "container-restart-policy",
    "docker-plugin.local",
    "ecr-endpoint",
    "efs",
    "env-files.s3",
    "execution-role-ecr-pull",
    "firelens.fluentbit",
    "firelens.fluentd",
    "firelens.non-root-user",
    "firelens.options.config.file",
    "firelens.options.config.s3",
    "full-sync",
    "ipv6-only",
    "logging-driver.awsfirelens.log-driver-buffer-limit",
    "network.container-port-range",
    "private-registry-authentication.secretsmanager",
    "secrets.asm.bootstrap.log-driver",
    "secrets.asm.environment-variables",
    "secrets.ssm.bootstrap.log-driver",
    "secrets.ssm.environment-variables",
    "storage.ebsta-non-root-user",
    "storage.s3-files",
)
"""`ecs.capability.…` of every agent of this version on an EC2 instance without awsvpc, GPU and SELinux
(amazon-ecs-agent, agent/app/agent_capability.go)."""
LIMITS = ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max")
"""The host's memory limit, cgroup v1 and v2: on a host that is itself a container /proc/meminfo shows the machine."""
OS = {"ecs.os-type": "linux", "ecs.os-family": "LINUX", "ecs.os-type-detailed": "LINUX"}
"""The last one is of ecs-init, which this host has not."""


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
    """The attributes that the host registers with each time; the user's own come on top once (`Registration`).

    Args:
        configuration: logging drivers, roles and volume plugin capabilities.
        plugins: Docker's volume plugins, (name with tag, enabled).
    """
    names = [f"{PREFIX}docker-remote-api.{version}" for version in API_VERSIONS]
    names += [f"{PREFIX}logging-driver.{driver}" for driver in (*configuration.logging_drivers, "awsfirelens")]
    if not configuration.disable_privileged:
        names.append(PREFIX + "privileged-container")
    if configuration.task_role:
        names.append(PREFIX + "task-iam-role")
    # ecs-init switches this one on by itself, whatever becomes of the other.
    names += [PREFIX + "task-iam-role-network-host", PREFIX + "ecr-auth"]
    names += [f"ecs.capability.{name}" for name in (*CAPABILITIES, *configuration.volume_plugin_capabilities)]
    if configuration.awslogs_execution_role:
        names.append("ecs.capability.execution-role-awslogs")
    for name, enabled in plugins:
        if enabled:
            names += plugin_attributes(name)
    found = [{"name": name} for name in dict.fromkeys(names)]
    return found + [{"name": name, "value": value} for name, value in OS.items()]


def plugin_attributes(name: str) -> list[str]:
    """Attributes of a plugin: without its tag only where that is `latest`.

    Source: amazon-ecs-agent, agent/app/agent_capability_unix.go, appendVolumeDriverCapabilities.
    """
    plain, _, tag = name.partition(":")
    if tag in ("", "latest"):
        return [f"ecs.capability.docker-plugin.{plain}", f"ecs.capability.docker-plugin.{plain}.latest"]
    return [f"ecs.capability.docker-plugin.{plain}.{tag}"]

"""On a host: become the agent, as ecs-init starts it.

ecs-init runs the agent in a container with its own defaults, and over them the keys and values of the two ecs.config:
a line is split at its first `=`, without quotes and comments (amazon-ecs-agent, ecs-init/docker/docker.go,
getContainerConfig and getEnvVars). What is otherwise here is said at `DIFFERENT`. It runs on the host's own Python.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

AGENT = "/usr/libexec/local-aws-agent/agent"
FILES = ("/var/lib/ecs/ecs.config", "/etc/ecs/ecs.config")
DEFAULTS = {
    "ECS_AGENT_CONFIG_FILE_PATH": "/etc/ecs/ecs.config.json",
    "ECS_AGENT_LABELS": "",
    "ECS_AVAILABLE_LOGGING_DRIVERS": '["json-file","syslog","awslogs","fluentd","none"]',
    "ECS_DETAILED_OS_FAMILY": "LINUX",
    "ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE": "true",
    "ECS_ENABLE_TASK_IAM_ROLE": "true",
    "ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST": "true",
    "ECS_UPDATES_ENABLED": "true",
    "ECS_UPDATE_DOWNLOAD_DIR": "/var/cache/ecs",
    "ECS_VOLUME_PLUGIN_CAPABILITIES": '["efsAuth"]',
}
DIFFERENT = {
    "ECS_DATADIR": "/var/lib/ecs/data",
    "ECS_LOGFILE": "/var/log/ecs/ecs-agent.log",
    "ECS_EBSTA_SUPPORTED": "false",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
"""The host's paths, as there is no container around the agent; and no EBS task volumes, whose driver is an image that
comes with ecs-init. ECS_ENABLE_TASK_ENI is left out: `awsvpc` needs the pause image and the network plugins."""
LIMITS = ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max")
MEMINFO = "/run/local-aws/meminfo"


def environment(files: Sequence[str] = FILES) -> dict[str, str]:
    """The agent's environment variables."""
    found = {**DEFAULTS, **DIFFERENT}
    for name in files:
        path = Path(name)
        if not path.exists():
            continue
        for line in path.read_text().strip().split("\n"):
            key, equals, value = line.strip().partition("=")
            if equals:
                found[key] = value
    return found


def meminfo(machine: str, limits: Sequence[str]) -> str:
    """`/proc/meminfo` of a host whose cgroup has a memory limit; the machine's own where it has none.

    Args:
        machine: the text of /proc/meminfo, which shows the whole machine's memory.
        limits: texts of the files with the cgroup's limit in bytes.
    """
    given = [int(text) // 1024 for text in (each.strip() for each in limits) if text.isdecimal()]
    lines = []
    for line in machine.splitlines():
        key, _, value = line.partition(":")
        number = value.split()[0] if value.split() else ""
        if given and key.startswith(("MemTotal", "MemFree", "MemAvailable")) and number.isdecimal():
            line = f"{key}:{min([int(number), *given]):>16} kB"
        lines.append(line)
    return "\n".join(lines) + "\n"


def write_meminfo(target: str = MEMINFO, limits: Sequence[str] = LIMITS, source: str = "/proc/meminfo") -> None:
    """Write what real-agent.conf puts over the agent's /proc/meminfo: the agent registers what it finds there."""
    texts = [Path(each).read_text() for each in limits if Path(each).exists()]
    Path(target).write_text(meminfo(Path(source).read_text(), texts))


def main(arguments: Sequence[str], variables: Mapping[str, str] | None = None) -> None:
    """`meminfo`: write that file. Without an argument: become the agent.

    Raises:
        OSError: there is no agent, or it cannot be started.
    """
    if list(arguments) == ["meminfo"]:
        write_meminfo()
    else:
        os.execve(AGENT, [AGENT], dict(environment() if variables is None else variables))


if __name__ == "__main__":
    main(sys.argv[1:])

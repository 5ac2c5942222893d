"""ecs.config, read and checked as ecs-init and the agent do.

A line is split at its first `=`; there is no quoting and no comment (amazon-ecs-agent, ecs-init/docker/docker.go,
getEnvVars), so a quoted JSON object is fatal here as it is there; a list that cannot be read is not (agent/config,
parse.go). The later file wins, and both win over the environment. Defaults are those that ecs-init sets on the
ECS-optimized AMI.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

log = logging.getLogger("ecs-agent")

FILES = ("/var/lib/ecs/ecs.config", "/etc/ecs/ecs.config")
"""Instance configuration (from the AMI), then the user's."""
PULL_BEHAVIORS = ("default", "always", "once", "prefer-cached")
LOGGING_DRIVERS = ("awsfirelens", "awslogs", "fluentd", "gelf", "journald", "json-file", "logentries", "none", "splunk",
                   "sumologic", "syslog")  # fmt: skip
AGENT_LOGGING_DRIVERS = ("json-file", "none")
"""The agent's own default, which counts where the list cannot be read: ecs-init's is overwritten by then."""
PORT_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class ConfigurationError(Exception):
    """The agent cannot start with this configuration, now or later."""


@dataclass(frozen=True)
class Configuration:
    """What the agent was told. Durations are in seconds, memory in MiB."""

    cluster: str = "default"
    data_directory: str = "/var/lib/ecs/data"
    backend_host: str = ""
    logging_drivers: tuple[str, ...] = ("json-file", "syslog", "awslogs", "fluentd", "none")
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    propagate_tags: bool = False
    volume_plugin_capabilities: tuple[str, ...] = ("efsAuth",)
    reserved_memory: int = 0
    reserved_ports: tuple[int, ...] = (22, 2375, 2376, 51678, 51679)
    reserved_ports_udp: tuple[int, ...] = ()
    dynamic_ports: tuple[int, int] = (32768, 60999)
    pull_behavior: str = "default"
    pull_dependants_upfront: bool = False
    stop_timeout: float = 30.0
    start_timeout: float = 180.0
    cleanup_wait: float = 3 * 3600.0
    image_cleanup_interval: float = 1800.0
    image_minimum_age: float = 3600.0
    images_per_cycle: int = 5
    disable_image_cleanup: bool = False
    disable_metrics: bool = False
    disable_privileged: bool = False
    task_role: bool = True
    awslogs_execution_role: bool = True
    shared_volume_match: bool = False
    log_level: str = "info"


def read(files: Sequence[str] = FILES, environment: Mapping[str, str] = os.environ) -> Configuration:
    """The configuration from the environment and the files.

    Raises:
        ConfigurationError: a JSON object is none (a quote around it is enough), or a logging driver is unknown.
    """
    values = {key: value for key, value in environment.items() if key.startswith("ECS_")}
    for name in files:
        path = Path(name)
        if path.exists():
            values.update(parse(path.read_text()))
    return from_values(values)


def parse(text: str) -> dict[str, str]:
    """The keys and values of an ecs.config. No unquoting; the last of two equal keys wins."""
    values = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals:
            values[key] = value
    return values


def from_values(values: Mapping[str, str]) -> Configuration:
    """The configuration from keys and values.

    Raises:
        ConfigurationError: see `read`.
    """
    default = Configuration()
    drivers = _list(values, "ECS_AVAILABLE_LOGGING_DRIVERS", default.logging_drivers, AGENT_LOGGING_DRIVERS)
    for driver in drivers:
        if driver not in LOGGING_DRIVERS:
            raise ConfigurationError(f"Invalid logging driver: {driver}")
    behavior = values.get("ECS_IMAGE_PULL_BEHAVIOR", "default")
    return Configuration(
        cluster=values.get("ECS_CLUSTER") or default.cluster,
        data_directory=values.get("ECS_DATADIR") or default.data_directory,
        backend_host=values.get("ECS_BACKEND_HOST", ""),
        logging_drivers=tuple(drivers),
        attributes=_hash(values, "ECS_INSTANCE_ATTRIBUTES"),
        tags=_hash(values, "ECS_CONTAINER_INSTANCE_TAGS"),
        propagate_tags=values.get("ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM") == "ec2_instance",
        volume_plugin_capabilities=tuple(
            _list(values, "ECS_VOLUME_PLUGIN_CAPABILITIES", default.volume_plugin_capabilities)
        ),
        reserved_memory=_integer(values, "ECS_RESERVED_MEMORY", default.reserved_memory, 2**16 - 1),
        reserved_ports=tuple(_list(values, "ECS_RESERVED_PORTS", default.reserved_ports, kind=int)),
        reserved_ports_udp=tuple(_list(values, "ECS_RESERVED_PORTS_UDP", (), kind=int)),
        dynamic_ports=_port_range(values),
        pull_behavior=behavior if behavior in PULL_BEHAVIORS else "default",
        pull_dependants_upfront=_boolean(values, "ECS_PULL_DEPENDENT_CONTAINERS_UPFRONT", False),
        stop_timeout=_at_least(values, "ECS_CONTAINER_STOP_TIMEOUT", default.stop_timeout, 1.0),
        start_timeout=_at_least(values, "ECS_CONTAINER_START_TIMEOUT", default.start_timeout, 45.0),
        cleanup_wait=_duration(values, "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION", default.cleanup_wait, 1.0),
        image_cleanup_interval=_duration(values, "ECS_IMAGE_CLEANUP_INTERVAL", default.image_cleanup_interval, 600.0),
        image_minimum_age=_duration(values, "ECS_IMAGE_MINIMUM_CLEANUP_AGE", default.image_minimum_age, 0.0),
        images_per_cycle=_integer(values, "ECS_NUM_IMAGES_DELETE_PER_CYCLE", default.images_per_cycle),
        disable_image_cleanup=_boolean(values, "ECS_DISABLE_IMAGE_CLEANUP", False),
        disable_metrics=_boolean(values, "ECS_DISABLE_METRICS", False),
        disable_privileged=_boolean(values, "ECS_DISABLE_PRIVILEGED", False),
        task_role=_boolean(values, "ECS_ENABLE_TASK_IAM_ROLE", True),
        awslogs_execution_role=_boolean(
            values, "ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE", default.awslogs_execution_role
        ),
        shared_volume_match=_boolean(values, "ECS_SHARED_VOLUME_MATCH_FULL_CONFIG", False),
        log_level=values.get("ECS_LOGLEVEL", default.log_level),
    )


def duration(text: str) -> float:
    """Seconds of a Go duration, for example `10m`, `1h30m`, `1.5s`.

    Raises:
        ValueError: it is none; a bare number has no unit and is none either.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"time: invalid duration {text!r}")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def _duration(values: Mapping[str, str], key: str, default: float, minimum: float) -> float:
    text = values.get(key)
    if not text:
        return default
    try:
        seconds = duration(text)
    except ValueError as error:
        log.warning("Could not parse %s: %s; using the default, %gs", key, error, default)
        return default
    if seconds < minimum:
        log.warning("%s is below the minimum of %gs; using the default, %gs", key, minimum, default)
        return default
    return seconds


def _at_least(values: Mapping[str, str], key: str, default: float, minimum: float) -> float:
    """As `_duration`, but what is too short becomes the minimum."""
    seconds = _duration(values, key, default, 0.0)
    if seconds < minimum:
        log.warning("%s is below the minimum of %gs, which is used", key, minimum)
    return max(seconds, minimum)


def _boolean(values: Mapping[str, str], key: str, default: bool) -> bool:
    text = values.get(key, "")
    if text in ("1", "t", "T", "TRUE", "true", "True"):  # Go's strconv.ParseBool
        return True
    if text in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    if text:
        log.warning("Invalid format for %s, expected a boolean: %r; using %s", key, text, default)
    return default


def _integer(values: Mapping[str, str], key: str, default: int, maximum: int = 2**31) -> int:
    """What is no number from 0 to `maximum` becomes the default."""
    text = values.get(key, "")
    if not text:
        return default
    if text.isdecimal() and int(text) <= maximum:
        return int(text)
    log.warning("Invalid format for %s, expected an integer up to %d: %r; using %d", key, maximum, text, default)
    return default


def _list(
    values: Mapping[str, str], key: str, default: Sequence[Any], broken: Sequence[Any] | None = None, kind: type = str
) -> list[Any]:
    """A JSON list of `kind`; `broken` (else the default) where it cannot be read."""
    text = values.get(key)
    if not text:
        return list(default)
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, list) and all(type(each) is kind for each in found):
        return found
    used = list(default if broken is None else broken)
    log.warning("Invalid format for %s, expected a JSON array: %s; using %s", key, text, json.dumps(used))
    return used


def _port_range(values: Mapping[str, str]) -> tuple[int, int]:
    """First and last port for containers that ask for any: `<first>-<last>`, the kernel's range by default."""
    kernel = Path(PORT_RANGE)
    first, last = kernel.read_text().split() if kernel.exists() else ("32768", "60999")
    text = values.get("ECS_DYNAMIC_HOST_PORT_RANGE", "")
    given = re.fullmatch(r"(\d+)-(\d+)", text)
    if given and 0 < int(given[1]) <= int(given[2]) < 2**16:
        return int(given[1]), int(given[2])
    if text:
        log.warning("Invalid dynamicHostPortRange value from config: %s; using %s-%s", text, first, last)
    return int(first), int(last)


def _hash(values: Mapping[str, str], key: str) -> dict[str, str]:
    text = values.get(key)
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ConfigurationError(f"Invalid format for {key}. Expected a json hash: {text}")
    return found

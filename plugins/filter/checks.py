"""What preflight's rules need to look into networks and containers; each answers, none raises on a wrong value."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

CONTAINER_KEYS = {
    "memory", "memory_reservation", "port", "command", "environment", "secrets", "links", "depends_on", "volumes",
    "health", "stop_seconds",
}  # fmt: skip
CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")
SECRET_KEYS = {
    "database": ("username", "password", "host", "port", "dbname", "engine"),
    "django": ("secret_key",),
    "admin": ("username", "password"),
}
"""The secrets of cloudformation/data.yml and the keys in them."""
REPOSITORIES = ("django", "nginx")
"""Containers that cloudformation/data.yml has an image repository for."""
MEMORY_LEAST_MIB = 6
"""Docker's own minimum; ECS refuses less."""


def network(cidr: object) -> ipaddress.IPv4Network | None:
    """`cidr` as a network, or None if it is none (host bits set count as none)."""
    try:
        return ipaddress.IPv4Network(str(cidr)) if "/" in str(cidr) else None
    except ValueError:
        return None


def prefix_length(cidr: object) -> int:
    """The number behind the slash, or 0."""
    found = network(cidr)
    return found.prefixlen if found else 0


def overlaps(cidr: object, other: str) -> bool:
    """Whether two networks share addresses."""
    found = network(cidr)
    return found is not None and found.overlaps(ipaddress.IPv4Network(other))


def container_problems(containers: Any, volume: str = "media") -> list[str]:
    """Everything that is wrong with `site_containers`, a sentence each.

    Args:
        containers: as given, of any shape.
        volume: name of the one volume there is.
    """
    if not isinstance(containers, Mapping) or not containers:
        return ["has no containers."]
    problems = []
    for name, given in containers.items():
        problems += [f"{name} {text}" for text in _problems(str(name), given, containers, volume)]
    fronts = [str(name) for name, given in containers.items() if isinstance(given, Mapping) and given.get("port")]
    if len(fronts) != 1:
        problems.append(f"exactly one container needs a port (the load balancer asks there), not {len(fronts)}.")
    return problems + _circles(containers)


def _problems(name: str, given: Any, containers: Mapping[str, Any], volume: str) -> list[str]:
    if not isinstance(given, Mapping):
        return ["is no mapping of keys to values."]
    found = []
    if name not in REPOSITORIES:
        found.append(f"has no image repository; use {' or '.join(REPOSITORIES)}.")
    found += [f"has {key}, which is not known." for key in given if key not in CONTAINER_KEYS]
    memory = _number(given.get("memory"))
    if memory is None:
        found.append("needs memory, a whole number of MiB.")
    elif memory < MEMORY_LEAST_MIB:
        found.append(f"has memory {memory}; ECS takes {MEMORY_LEAST_MIB} MiB or more.")
    reserved = _number(given.get("memory_reservation", 0))
    if reserved is None or (memory is not None and reserved > memory):
        found.append("has a memory_reservation above its memory.")
    port = given.get("port")
    if port is not None and not 1 <= (_number(port) or 0) <= 65535:
        found.append(f"has port {port}; use 1 to 65535.")
    for other, condition in _pairs(given.get("depends_on")):
        if other not in containers or other == name:
            found.append(f"depends on {other}, which is no other container.")
        elif condition not in CONDITIONS:
            found.append(f"waits for {other} to be {condition}; use one of {', '.join(CONDITIONS)}.")
        elif condition == "HEALTHY" and not (
            isinstance(containers[other], Mapping) and containers[other].get("health")
        ):
            found.append(
                f"waits for {other} to be HEALTHY, but {other} has no health check here; the image's does not count."
            )
    links = given.get("links") or []
    if not isinstance(links, (list, tuple)):
        found.append(f"has links that are no list; write for example links: [{next(iter(containers))}].")
        links = []
    for other in map(str, links):
        if other not in containers or other == name:
            found.append(f"links to {other}, which is no other container.")
    for other, _ in _pairs(given.get("volumes")):
        if other != volume:
            found.append(f"mounts {other}; the only volume is {volume}.")
    for key, source in _pairs(given.get("secrets")):
        secret, _, part = str(source).partition(".")
        if part not in SECRET_KEYS.get(secret, ()):
            found.append(f"takes {key} from {source}, which is no key of a secret; there are {_sources()}.")
        if key in dict(_pairs(given.get("environment"))):
            found.append(f"has {key} in environment and in secrets; leave it in one.")
    for section in ("environment", "secrets"):
        found += [
            f"has {key!r} in {section}, which is no name of an environment variable."
            for key, _ in _pairs(given.get(section)) if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(key))
        ]  # fmt: skip
    health = given.get("health")
    if health is not None and not (isinstance(health, Mapping) and health.get("command")):
        found.append("has a health check without a command.")
    return found


def _circles(containers: Mapping[str, Any]) -> list[str]:
    def reach(name: str, seen: tuple[str, ...]) -> str:
        for other, _ in _pairs(_entry(containers, name).get("depends_on")):
            if other in seen:
                return " → ".join((*seen[seen.index(other) :], other))
            found = reach(other, (*seen, other))
            if found:
                return found
        return ""

    found = next(filter(None, (reach(str(name), (str(name),)) for name in containers)), "")
    return [f"containers wait for each other in a circle: {found}."] if found else []


def _entry(containers: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    given = containers.get(name)
    return given if isinstance(given, Mapping) else {}


def _pairs(value: Any) -> list[tuple[str, Any]]:
    return [(str(key), item) for key, item in value.items()] if isinstance(value, Mapping) else []


def _number(value: Any) -> int | None:
    """A whole number, or None; 256.9 is none."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if isinstance(value, bool) or number != float(value) else number


def _sources() -> str:
    return ", ".join(f"{secret}.{key}" for secret, keys in SECRET_KEYS.items() for key in keys)


def containers_memory(containers: Any) -> int:
    """Memory that ECS sets aside for one task, in MiB, or 0 where it cannot be told.

    Of a container with a soft limit that is this one, see `ecs_placement.Needs`.
    """
    if not isinstance(containers, Mapping):
        return 0
    numbers = [
        _number(given.get("memory_reservation") or given.get("memory")) if isinstance(given, Mapping) else None
        for given in containers.values()
    ]
    return sum(number for number in numbers if number is not None) if all(numbers) else 0


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {
            "prefix_length": prefix_length,
            "overlaps": overlaps,
            "container_problems": container_problems,
            "containers_memory": containers_memory,
        }

"""Ports of containers: which host port they get, and which they have."""

from __future__ import annotations

import socket
import threading

from .aws import Json


class PortError(Exception):
    """No port is free."""


class Ports:
    """Host ports for containers that ask for any: the next free one of a range, as the agent chooses.

    Source: amazon-ecs-agent, agent/utils/ephemeral_ports.go.

    Args:
        first, last: the range (ECS_DYNAMIC_HOST_PORT_RANGE).
    """

    def __init__(self, first: int, last: int) -> None:
        self._first = first
        self._last = last
        self._given = first - 1
        self._lock = threading.Lock()

    def take(self, protocol: str) -> int:
        """A port that nobody listens on.

        Raises:
            PortError: all are taken.
        """
        with self._lock:
            size = self._last - self._first + 1
            for step in range(size):
                port = self._first + (self._given + 1 - self._first + step) % size
                if free(port, protocol):
                    self._given = port
                    return port
        raise PortError("a host port is unavailable")


def free(port: int, protocol: str) -> bool:
    """Whether a port of this host can be listened on."""
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def published(definition: Json, ports: Ports) -> tuple[Json, Json]:
    """ExposedPorts and PortBindings of Docker's API; a host port of 0 becomes one of `ports`."""
    exposed: Json = {}
    bound: Json = {}
    for mapping in definition.get("portMappings") or []:
        protocol = mapping.get("protocol") or "tcp"
        key = f"{mapping['containerPort']}/{protocol}"
        exposed[key] = {}
        port = mapping.get("hostPort") or ports.take(protocol)
        bound.setdefault(key, []).append({"HostPort": str(port)})
    return exposed, bound


def bindings(inspected: Json) -> list[Json]:
    """networkBindings of a running container, from its inspection; none on the host's network."""
    found = []
    for key, places in sorted((inspected["NetworkSettings"].get("Ports") or {}).items()):
        port, _, protocol = key.partition("/")
        found += [
            {
                "bindIP": place["HostIp"],
                "containerPort": int(port),
                "hostPort": int(place["HostPort"]),
                "protocol": protocol or "tcp",
            }
            for place in places or []
            if ":" not in place["HostIp"]  # the agent leaves out IPv6 (ECS_EXCLUDE_IPV6_PORTBINDING)
        ]
    return found

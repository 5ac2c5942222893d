"""The target groups that the routes of a service need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def route_targets(routes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One target for each port of a container that routes lead to, in their order.

    Each has `container`, `port`, `health`, the `key` `<container>:<port>`, and an `id` for the logical id of its target
    group: letters and digits, no two alike. The first port of a container has the container's: with another port the
    group stays, and the old tasks in it answer until new ones do. A new group is asked before anything is in it.

    Args:
        routes: each with `to` (a container), `port` and `health`.

    Raises:
        AnsibleFilterError: two routes ask one port for its health in two ways; a target group has one.
    """
    targets: dict[str, dict[str, Any]] = {}
    containers: set[str] = set()
    for route in routes:
        key = f"{route['to']}:{route['port']}"
        health = str(route.get("health") or "/")
        further = f"Port{route['port']}" if route["to"] in containers else ""
        target = targets.setdefault(
            key,
            {
                "key": key,
                "container": route["to"],
                "port": route["port"],
                "health": health,
                # A hyphen as x2d, as `a-b` and `ab` may be two containers.
                "id": re.sub(r"[^0-9A-Za-z]", lambda found: f"x{ord(found[0]):x}", str(route["to"])) + further,
            },
        )
        containers.add(route["to"])
        if target["health"] != health:
            raise AnsibleFilterError(
                f"Two routes lead to port {route['port']} of {route['to']}, with health {target['health']} and "
                f"{health}. The load balancer asks a port in one way: write the same health in both."
            )
    return list(targets.values())


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filter name → function."""
        return {"route_targets": route_targets}

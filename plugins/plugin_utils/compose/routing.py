"""Which container answers from outside: the one whose port looks most like a site's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.compose import images
from plugins.plugin_utils.compose.parts import Part
from plugins.plugin_utils.compose.ports import Seen

WEB = (80, 8080, 8000, 3000, 5000, 8888, 9000, 4000, 8001, 8081, 3001, 5173, 5001, 9090)
"""Ports that web servers are published on, the likeliest first; then any other."""
NEVER = frozenset({22, 25, 443, 465, 587, 1025, 2525, 5432, 3306, 6379, 8443, 9229, 5858, 5678, 4443})
"""Mail, databases, debuggers; and TLS, which ends at the load balancer."""
URL = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(?P<port>[0-9]+))?(?P<path>/[^\s\"'|;&)]*)?"
)


@dataclass(frozen=True)
class Candidate:
    """A service with a port that can be a site's.

    Attributes:
        name: of the service, in the Compose file.
        port: in the container.
        published: on the machine, 0 for any.
    """

    name: str
    port: int
    published: int


def candidates(parts: Mapping[str, Part], ports: Mapping[str, Iterable[Seen]]) -> list[Candidate]:
    """Who could answer, the likeliest first."""
    found = [
        Candidate(name, seen.target, seen.published)
        for name, part in parts.items()
        if part.kind == "app"
        for seen in ports[name]
        if seen.published is not None and seen.protocol == "tcp" and not {seen.target, seen.published} & NEVER
    ]

    def likely(each: Candidate) -> tuple[Any, ...]:
        part = parts[each.name]
        tool = bool(images.TOOLS.fullmatch(images.base(part.image)) or images.TOOLS.fullmatch(each.name))
        return tool, not part.is_front, _rank(each.published), "build" not in part.given, _rank(each.port)

    return sorted(found, key=likely)


def _rank(port: int) -> int:
    return WEB.index(port) if port in WEB else len(WEB)


def health_path(healthcheck: Mapping[str, Any] | None, port: int) -> str:
    """The path that a container's own health check asks for, if it asks by HTTP on this port; else nothing."""
    test = (healthcheck or {}).get("test") or ""
    found = URL.search(" ".join(map(str, test)) if isinstance(test, list) else str(test))
    return (found["path"] or "") if found and int(found["port"] or 80) == port else ""

"""Ports of a service: which it listens on, and which the Compose file publishes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.compose import images
from plugins.plugin_utils.compose.judging import complaints
from plugins.plugin_utils.compose.parts import Part
from plugins.plugin_utils.compose.report import Report
from plugins.plugin_utils.site.container_kinds import port as model_port

SHORT = re.compile(
    r"(?:(?P<ip>\[[0-9a-f:]*\]|[0-9.]+):)?(?:(?P<published>[0-9]*):)?(?P<target>[0-9]+)(?:/(?P<how>\w+))?"
)
LABEL = re.compile(r"traefik\.http\.services\.[^.]+\.loadbalancer\.server\.port")
VARIABLE = "VIRTUAL_PORT"
"""By which nginx-proxy learns where a container listens; Traefik learns it by a label.

https://github.com/nginx-proxy/nginx-proxy/tree/main/docs, https://doc.traefik.io/traefik/routing/providers/docker/
"""


@dataclass(frozen=True)
class Seen:
    """A port of a container.

    Attributes:
        target: in the container.
        published: on the machine; 0 for a free one, None if it is not published.
        protocol: `tcp` or `udp`.
    """

    target: int
    published: int | None
    protocol: str = "tcp"


def ports(part: Part, report: Report) -> list[Seen]:
    """The ports of a service, each once; what cannot be one is told."""
    found: dict[tuple[int, str], Seen] = {}
    given = part.given
    for item in given.get("ports") or []:
        seen = _port(item)
        if seen is None:
            problems = complaints(model_port, item, part.name, "ports")
            report.drop(f"{part.name}.ports", problems[0].sentence if problems else f"is {item}, no port.")
        else:
            found.setdefault((seen.target, seen.protocol), seen)
    for target, published in (*_exposed(given), *_told_to_proxies(part)):
        found.setdefault((target, "tcp"), Seen(target, published))
    store = images.store(part.image)
    if store and not found:
        found[store.port, "tcp"] = Seen(store.port, None)
    return list(found.values())


def _port(item: Any) -> Seen | None:
    if isinstance(item, dict):
        target, published = str(item.get("target") or ""), str(item.get("published") or "")
        if not target.isdigit() or (published and not published.isdigit()):
            return None
        local = str(item.get("host_ip") or "").startswith("127.")
        return Seen(int(target), None if local else int(published or 0), str(item.get("protocol") or "tcp"))
    found = SHORT.fullmatch(str(item))
    if not found:
        return None
    local = (found["ip"] or "").startswith(("127.", "[::1]"))
    return Seen(int(found["target"]), None if local else int(found["published"] or 0), found["how"] or "tcp")


def _exposed(given: dict[str, Any]) -> Iterator[tuple[int, int | None]]:
    for item in given.get("expose") or []:
        found = re.fullmatch(r"([0-9]+)(?:/tcp)?", str(item))
        if found:
            yield int(found[1]), None


def _told_to_proxies(part: Part) -> Iterator[tuple[int, int | None]]:
    labels = part.given.get("labels") or {}
    pairs = labels.items() if isinstance(labels, dict) else (str(each).partition("=")[::2] for each in labels)
    for name, value in pairs:
        if LABEL.fullmatch(str(name)) and str(value).isdigit():
            yield int(str(value)), 0
    if str(part.variables.get(VARIABLE) or "").isdigit():
        yield int(str(part.variables[VARIABLE])), 0

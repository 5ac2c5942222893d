"""Which services of a Compose file stand together as one task: what passes requests on, and those behind it.

A proxy's own configuration names who is behind it by the host names of the Compose file. Within a task `links` give
these names; between services there are others.
"""

from __future__ import annotations

from collections.abc import Mapping

from plugins.plugin_utils.compose.parts import Part
from plugins.plugin_utils.compose.report import Report
from plugins.plugin_utils.site.nouns.service import CONTAINERS_MOST


def groups(parts: Mapping[str, Part], report: Report) -> dict[str, list[str]]:
    """Entry of `site_services` → its members, by the Compose file's names; what stands in front comes last."""
    apps = [name for name, part in parts.items() if part.kind == "app"]
    behind: dict[str, str] = {}
    for name in apps:
        if parts[name].is_front:
            for other in _behind(name, apps, parts)[: CONTAINERS_MOST - 1]:
                behind.setdefault(other, name)
    found: dict[str, list[str]] = {}
    for name, part in parts.items():
        if part.kind in ("app", "store") and name not in behind:
            members = [other for other in apps if behind.get(other) == name]
            found[part.container] = [*members, name]
            if members:
                report.choose(
                    f"site_services.{part.container}",
                    f"{' and '.join(found[part.container])} are one task, in which links give the names that "
                    f"{name} knows. "
                    "To replace or scale one by itself, make a service of it, with expose.",
                )
    return found


def _behind(name: str, apps: list[str], parts: Mapping[str, Part]) -> list[str]:
    """The applications that one in front passes requests on to, and which nobody reaches by themselves."""
    named = [*parts[name].depends_on, *linked(parts[name])]
    found = [other for other in apps if other in named and other != name]
    rest = [other for other in apps if other != name and not parts[other].is_front]
    found = found or (rest if len(rest) == 1 else [])
    return [other for other in found if not parts[other].is_front]


def linked(part: Part) -> dict[str, str]:
    """The services that a service has under `links` → the name it knows each by."""
    pairs = (str(each).partition(":") for each in part.given.get("links") or [])
    return {name: alias or name for name, _, alias in pairs}

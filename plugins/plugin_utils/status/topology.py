"""What a site is made of and who reaches what, for the picture: nodes in columns, and lines between them.

Asks nothing: it is the inventory's, with the states that were found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.site.container import Container
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.nouns import NOUNS
from plugins.plugin_utils.site.reference import Reference
from plugins.plugin_utils.status.words import many

RUNNING = ("service", "job", "function")
KEEPING = tuple(noun for noun in NOUNS if noun not in RUNNING)
VISITORS, BALANCER = "visitors", "balancer"


def drawn(site: Site, facts: Mapping[str, Any], wrong: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """The nodes and the lines.

    Args:
        site: as the inventory describes it.
        facts: what was found, by part.
        wrong: what is not well; its node is marked.

    Returns:
        `nodes`: `id`, `kind`, `name`, `detail`, `column` (0 visitors, 1 the load balancer, 2 what runs, 3 what keeps
        data), `well`. `lines`: `from` and `to`, ids.
    """
    ill = {each["about"] for each in wrong}
    nodes = [*_front(site), *_running(site, facts), *_keeping(site, facts)]
    there = {each["id"] for each in nodes}
    lines = [each for each in dict.fromkeys(_lines(site)) if each[0] in there and each[1] in there]
    for node in nodes:
        node["well"] = node["id"] not in ill and (node["id"] != BALANCER or "certificate" not in ill)
    return {"nodes": nodes, "lines": [{"from": start, "to": end} for start, end in lines]}


def _node(key: str, kind: str, name: str, detail: str, column: int) -> dict[str, Any]:
    return {"id": key, "kind": kind, "name": name, "detail": detail, "column": column}


def _routed(site: Site) -> list[str]:
    return [name for name, each in site.services.items() if each.routes]


def _front(site: Site) -> Iterator[dict[str, Any]]:
    if _routed(site) or any(each.routes for each in site.functions.values()):
        yield _node(VISITORS, "visitors", "visitors", site.identity.domain_name, 0)
    if _routed(site):
        yield _node(BALANCER, "load balancer", "load balancer", "HTTPS", 1)


def _running(site: Site, facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    counts = {each["name"]: each for each in facts.get("services") or []}
    for name in site.services:
        found = counts.get(name)
        detail = f"{found['running']} of {many(found['desired'], 'task')}" if found else "not seen"
        yield _node(f"service.{name}", "service", name, detail, 2)
    for name, job in site.jobs.items():
        detail = "on a schedule" if job.schedule else job.run.replace("_", " ")
        yield _node(f"job.{name}", "job", name, detail, 2)
    for name, function in site.functions.items():
        yield _node(f"function.{name}", "function", name, function.runtime, 2)


def _keeping(site: Site, facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    databases = {each["name"]: each for each in facts.get("databases") or []}
    volumes = {each["name"]: each for each in facts.get("volumes") or []}
    for noun in KEEPING:
        for name, entry in site.entries[noun].items():
            detail = noun
            if noun == "database":
                detail = databases[name]["class"] if name in databases else entry.endpoint or entry.class_
            elif noun == "volume":
                detail = f"{volumes[name]['size_gb']} GB" if name in volumes else entry.driver
            yield _node(f"{noun}.{name}", noun, name, detail, 3)


def _lines(site: Site) -> Iterator[tuple[str, str]]:
    for name in _routed(site):
        yield VISITORS, BALANCER
        yield BALANCER, f"service.{name}"
    for key, task in site.tasks():
        yield from ((key, f"{noun}.{entry}") for noun, entry in task.uses)
        for container in task.containers.values():
            yield from ((key, to) for to in _reached(container) if to != key)
    for name, function in site.functions.items():
        key = f"function.{name}"
        if function.routes:
            yield VISITORS, key
        yield from ((key, f"{noun}.{entry}") for noun, entry in function.uses)
        yield from ((key, to) for to in _named(function.environment, function.secrets))


def _reached(container: Container) -> Iterator[str]:
    yield from (f"volume.{mount.volume}" for mount in container.volumes)
    yield from _named(container.environment, container.secrets)


def _named(*variables: Mapping[str, Any]) -> Iterator[str]:
    for each in variables:
        yield from (value.key for value in each.values() if isinstance(value, Reference) and value.noun in NOUNS)

"""Who is asked from outside (`routes`) and from inside (`expose`): ports, and what may not be said twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from plugins.plugin_utils.site.container import Container
from plugins.plugin_utils.site.domains import covers
from plugins.plugin_utils.site.noun import Identity
from plugins.plugin_utils.site.nouns.service import Expose, Service
from plugins.plugin_utils.site.place import Place, listed, unknown
from plugins.plugin_utils.site.routes import Route, conditions, numbered, settled

GROUPS_MOST = 5
"""Target groups of a service: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/register-multiple-targetgroups.html"""


def port_of(
    name: str, port: int, containers: Mapping[str, Container], names: list[str], at: Place, key: str
) -> int | None:
    """The port on which a container is asked; None where there is none, which is complained about.

    Args:
        name: of the container.
        port: as given, or 0.
        containers: of the service, those that could be read.
        names: of all of them.
        at: where the container is named.
        key: what to write where there are several ports, with {port} in it.
    """
    if name not in names:
        at.wrong(f"is {name}, which {unknown(name, names, 'container of this service')}")
    if name not in containers:
        return None
    if not containers[name].essential:
        at.wrong(f"is {name}, which another container waits for to end, so it cannot answer. Name one that stays.")
        return None
    ports = list(dict.fromkeys(each.container for each in containers[name].ports if each.protocol == "tcp"))
    if not ports:
        at.wrong(f'is {name}, which has no TCP port. Write {name}: {{ports: ["8000"]}}, the port that it listens on.')
    elif port and port not in ports:
        at.wrong(f"asks port {port} of {name}, which has {listed(ports)}. Write {key.format(port=ports[0])}.")
    elif not port and len(ports) > 1:
        at.wrong(f"does not say which port of {name}: {listed(ports)}. Write {key.format(port=ports[0])}.")
    else:
        return port or ports[0]
    return None


def routed(
    routes: tuple[Route, ...], containers: Mapping[str, Container], names: list[str], at: Place
) -> tuple[Route, ...]:
    """The routes of a service with their ports; without a container what leads to none, so that places stay."""
    made = []
    for place, route in enumerate(routes):
        here = at / place / "to"
        port = port_of(route.to, route.port, containers, names, here, "port: {port}") if route.to else None
        made.append(settled(route, port) if port else replace(route, to=""))
    return tuple(made)


def exposed(
    given: Mapping[str, Any] | None, containers: Mapping[str, Container], names: list[str], at: Place
) -> Expose | None:
    """What a service exposes, with its port."""
    if not given:
        return None
    name, wanted = given["to"]
    port = port_of(name, wanted, containers, names, at, f"expose: {name}:{{port}}")
    return Expose(name, port, given["port"] or port, given["scheme"]) if port else None


def check(services: Mapping[str, Service], identity: Identity, at: Place) -> dict[str, Service]:
    """The services with the priorities of their rules; complains about what two of them claim."""
    _one_route_each(services, identity, at)
    _one_health_each(services, at)
    _one_port_each(services, at)
    _fixed_ports(services, at)
    _few_groups(services, at)
    _requests_of_one_group(services, at)
    numbers = numbered([(name, route) for name, _, route in _routes(services)])
    return {
        name: replace(
            service, routes=tuple(replace(route, priority=numbers[name, route]) for route in service.routes if route.to)
        )
        for name, service in services.items()
    }


def _routes(services: Mapping[str, Service]) -> Iterator[tuple[str, int, Route]]:
    """Service, place in it and route, of those that lead to a container."""
    for name, service in services.items():
        for place, route in enumerate(service.routes):
            if route.to:
                yield name, place, route


def _one_route_each(services: Mapping[str, Service], identity: Identity, at: Place) -> None:
    claimed: dict[tuple[str, str], str] = {}
    numbers: dict[int, str] = {}
    for name, place, route in _routes(services):
        here = at / name / "routes" / place
        for host, path in conditions(route):
            pair = host, "*" if path == "/*" else path  # a route without a path is for /* too
            what = f"{pair[0]}{pair[1] if pair[1] != '*' else '/*'}" if pair[0] != "*" else pair[1]
            what = "every request" if pair == ("*", "*") else what
            if pair in claimed:
                here.wrong(
                    f"takes {what}, as {claimed[pair]} does. Part them by path or host: "
                    '{to: …, path: "/api/*"} or {to: …, host: api.acme.io}.'
                )
            else:
                claimed[pair] = f"{name}.{route.to}"
        if route.priority:
            if route.priority in numbers:
                (here / "priority").wrong(f"is {route.priority}, as of {numbers[route.priority]}. Write another.")
            numbers.setdefault(route.priority, f"{name}.{route.to}")
        ours = (identity.domain_name, *identity.domain_aliases)
        for host in route.hosts if identity.domain_name else ():
            if not any(covers(mine, host) for mine in ours):
                (here / "host").wrong(
                    f"is {host}, no name of this site ({listed(filter(None, ours))}), so no request for it has a "
                    f"certificate. Write domain_aliases: [{host}]."
                )


def _one_health_each(services: Mapping[str, Service], at: Place) -> None:
    """A port of a container is one target group, which is asked for one path."""
    asked: dict[tuple[str, str, int], str] = {}
    for name, place, route in _routes(services):
        before = asked.setdefault((name, route.to, route.port), route.health)
        if before != route.health:
            (at / name / "routes" / place).wrong(
                f"has {route.to} asked for {route.health}, another route for {before}; a port is asked for one path. "
                f"Write health: {before if before != '/' else route.health} in both."
            )


def _one_port_each(services: Mapping[str, Service], at: Place) -> None:
    claimed: dict[int, str] = {}
    for name, service in services.items():
        if not service.expose:
            continue
        port = service.expose.port
        if port in claimed:
            free = next((other for other in range(port + 1, 65536) if other not in claimed), 1024)
            (at / name / "expose").wrong(
                f"has port {port} of the site's internal balancer, as {claimed[port]} has. Write another: "
                f"expose: {{to: {service.expose.container}:{service.expose.container_port}, port: {free}}}."
            )
        claimed.setdefault(port, name)


def _groups(service: Service) -> list[tuple[str, int]]:
    """Container and port of each target group: a port that routes and expose lead to has one of either balancer."""
    found = sorted({(route.to, route.port) for route in service.routes if route.to})
    return found + ([(service.expose.container, service.expose.container_port)] if service.expose else [])


def asked(service: Service) -> set[tuple[str, int]]:
    """Container and port of what a load balancer asks of a service."""
    return set(_groups(service))


def _few_groups(services: Mapping[str, Service], at: Place) -> None:
    for name, service in services.items():
        if len(groups := _groups(service)) > GROUPS_MOST:
            where = listed(f"{container}:{port}" for container, port in groups)
            (at / name).wrong(
                f"has {len(groups)} target groups by routes and expose ({where}), and ECS takes {GROUPS_MOST} of a "
                "service. Put some of its containers into another service."
            )


def _requests_of_one_group(services: Mapping[str, Service], at: Place) -> None:
    """A policy counts the requests of one target group; of several, one that is seldom asked would keep all tasks."""
    for name, service in services.items():
        here = at / name / "scale" / "requests"
        if not service.scale or service.scale.requests is None or any(not route.to for route in service.routes):
            continue
        ports = sorted({f"{route.to}:{route.port}" for route in service.routes})
        if not ports:
            here.wrong("counts what the load balancer sends, and no route leads here. Write cpu: 60, or routes.")
        elif len(ports) > 1:
            here.wrong(
                f"counts the requests of one port, and routes lead to {listed(ports)}. Write cpu: 60, or put one of "
                "them into another service."
            )


def _fixed_ports(services: Mapping[str, Service], at: Place) -> None:
    claimed: dict[tuple[int, str], str] = {}
    for name, service in services.items():
        for container in service.containers.values():
            for port in container.ports:
                if not port.host:
                    continue
                here = at / name / "containers" / container.name / "ports"
                if port.protocol == "tcp" and (container.name, port.container) in asked(service):
                    # The hosts' security group lets the load balancers in to the ports that Docker gives.
                    here.wrong(
                        f"takes port {port.host} of the host, and a load balancer reaches free ones only. Write "
                        f'"{port.container}".'
                    )
                elif not service.stop_first:
                    here.wrong(
                        f"takes port {port.host} of the host, so a new task finds no place beside the old one. Write "
                        f'"{port.container}" for a free one, or deploy: {{update_config: {{order: stop-first}}}}.'
                    )
                mine = port.host, port.protocol
                if mine in claimed:
                    here.wrong(
                        f"takes port {port.host} of the host, as {claimed[mine]} does. Write another, or "
                        f'"{port.container}" for a free one.'
                    )
                claimed.setdefault(mine, f"{name}.{container.name}")

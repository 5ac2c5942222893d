"""Routes: which requests of the load balancer come to which container, and in which order its rules ask.

A rule's number is made of the route itself: the more a route says, the earlier it is asked. So the order of an
inventory does not matter, nothing is shadowed by a route for everything, and a route that comes or goes changes no
other's number. Numbers that move between stacks meet while these are updated side by side (PriorityInUse,
https://github.com/aws/copilot-cli/issues/1455).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from plugins.plugin_utils.site.kinds import Listed, Whole, is_list
from plugins.plugin_utils.site.place import Place, shown
from plugins.plugin_utils.site.schema import Key, Schema

PRIORITY_MOST = 50_000
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html"""
VALUES_MOST = 5
"""Condition values of a rule; https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"""
WILDCARDS_MOST = 6
"""`*` and `?` of a rule; same page, some translations of which say 5."""
PATH = re.compile(r"/[A-Za-z0-9_.$/~\"'@:+&*?!,;=%-]{0,127}")
HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
REDIRECTS_MOST = 20
"""The first numbers are those of the rules that lead domain_aliases to domain_name (cloudformation/cluster.yml)."""
KEPT_MOST = 99
"""Those behind them are maintenance.yml's, whose rules come before all routes (plugin_utils/maintenance.py)."""
BANDS = 100
BAND = PRIORITY_MOST // BANDS
LETTERS_MOST = 31
"""Letters of a path that have a band of their own each."""
SHARE = BAND // 100
"""Numbers for each further letter, within the band of those that have as many or more: a path has 128 at most."""


@dataclass(frozen=True)
class Route:
    """One rule of the load balancer.

    Attributes:
        to: the container that answers.
        port: of it.
        hosts: names that it is for; none for all.
        paths: patterns of paths (`*` and `?`); none for all.
        health: path that is asked for, and answered with 200 whatever the Host header.
        priority: number of the rule; the smaller is asked first.
    """

    to: str
    port: int
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    health: str
    priority: int


def _to(value: Any, at: Place) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value):
        return str(value)
    at.wrong(f"is {shown(value)}, must be a container of this service, for example nginx.")
    return None


def path(value: Any, at: Place) -> str | None:
    """A pattern of a path."""
    if isinstance(value, str) and PATH.fullmatch(value):
        return str(value)
    better = f"/{value}" if isinstance(value, str) and PATH.fullmatch(f"/{value}") else "/api/*"
    at.wrong(f"is {shown(value)}, no pattern of a path. Write for example {better}.")
    return None


def health(value: Any, at: Place) -> str | None:
    """The path of a health check."""
    if isinstance(value, str) and re.fullmatch(r"/[^\s]{0,1023}", value):
        return str(value)
    better = f"/{value}" if isinstance(value, str) and re.fullmatch(r"[^\s/]+", value) else "/healthz"
    at.wrong(f"is {shown(value)}, no path. Write for example {better}.")
    return None


def priority(value: Any, at: Place) -> int | None:
    """The number of a rule, behind those of the redirects and of maintenance."""
    number = Whole(1, PRIORITY_MOST - 1)(value, at)
    if number is None or number > KEPT_MOST:
        return number
    at.wrong(
        f"is {number}, and 1 to {KEPT_MOST} are kept for the rules that lead domain_aliases to domain_name and for "
        f"those of maintenance.yml. Write {KEPT_MOST + number}."
    )
    return None


def host(value: Any, at: Place) -> str | None:
    """A host name, or *.acme.io."""
    if isinstance(value, str) and len(value) <= 128 and HOST.fullmatch(value):
        return str(value)
    at.wrong(f"is {shown(value)}, no host name. Use small letters, no scheme and no port: www.acme.io, or *.acme.io.")
    return None


_STICKY = (
    "write patch: {TargetGroup<container>.TargetGroupAttributes: [{Key: stickiness.enabled, Value: 'true'}, …]} beside "
    "containers."
)
_ROUTE = Schema(
    "a route",
    {
        "to": Key(_to, missing="Name the container that answers: to: nginx."),
        "port": Key(Whole(1, 65535), 0),
        "host": Key(Listed(host, "www.acme.io", single=True, least=1), ()),
        "path": Key(Listed(path, "/api/*", single=True, least=1), ()),
        "health": Key(health, "/"),
        "priority": Key(priority, 0),
    },
    {
        "container": "write to: nginx.",
        "domain": "write host: www.acme.io.",
        "hosts": "write host: [www.acme.io].",
        "paths": 'write path: ["/api/*"].',
        "prefix": 'write path: "/api/*".',
        "health_path": "write health: /healthz.",
        "healthcheck": "write health: /healthz, the path that the load balancer asks for.",
        "sticky": _STICKY,
        "stickiness": _STICKY,
        "protocol": "the load balancer speaks HTTP to containers; take the line out.",
    },
)


def ROUTES(value: Any, at: Place) -> tuple[Route, ...] | None:
    """The routes of a service; ports and priorities are settled when all services are known."""
    if isinstance(value, Mapping) or not is_list(value):
        at.wrong(f"is {shown(value)}, must be a list, for example [{{to: nginx, health: /healthz}}].")
        return None
    made = []
    for place, item in enumerate(value):
        given = _ROUTE.read(item, at / place)
        values = len(given["host"]) + len(given["path"])
        if values > VALUES_MOST:
            (at / place).wrong(f"has {values} hosts and paths; a rule takes {VALUES_MOST}. Make two routes of it.")
        wildcards = sum(text.count(each) for text in (*given["host"], *given["path"]) for each in "*?")
        if wildcards > WILDCARDS_MOST:
            (at / place).wrong(
                f"has {wildcards} wildcards (* and ?); a rule takes {WILDCARDS_MOST}. Make two routes of it, or end a "
                "path at its first *."
            )
        # What is wrong in itself stands here without a container, so that places stay.
        made.append(
            Route(given["to"] or "", given["port"], given["host"], given["path"], given["health"], given["priority"])
        )
    return tuple(made)


def conditions(route: Route) -> list[tuple[str, str]]:
    """Each pair of host and path that a route takes; `*` where it does not say."""
    return [(host, path) for host in route.hosts or ("*",) for path in route.paths or ("*",)]


def numbered(routes: Collection[tuple[str, Route]]) -> dict[tuple[str, Route], int]:
    """A priority for each route, by service and route: its own, or one made of what it says.

    Two that come to one number are parted by what they say, so the outcome depends on no order.
    """
    found = {key: key[1].priority for key in routes if key[1].priority}
    taken = set(found.values())
    rest = [key for key in routes if not key[1].priority]
    for key in sorted(rest, key=lambda each: (each[0], conditions(each[1]))):
        number = _band(key[1]) * BAND + _spread(key)
        while number in taken or not KEPT_MOST < number < PRIORITY_MOST:
            number = number % (PRIORITY_MOST - 1) + 1
        taken.add(number)
        found[key] = number
    return found


def _band(route: Route) -> int:
    """0 for the route that says most, 99 for the one that takes everything."""
    hosts = 0 if not route.hosts else 1 if any("*" in host for host in route.hosts) else 2
    return BANDS - 1 - (hosts * 33 + min(_letters(route), LETTERS_MOST) + _exact(route))


def _letters(route: Route) -> int:
    """The letters before the first wildcard, of the pattern that says least."""
    return min((len(re.split(r"[*?]", path)[0]) for path in route.paths), default=0)


def _exact(route: Route) -> bool:
    """Whether it takes single paths only, of which none takes what another does."""
    return bool(route.paths) and not any(set("*?") & set(path) for path in route.paths)


def _spread(key: tuple[str, Route]) -> int:
    """The place in its band: made of what is said, the longer of long paths before the shorter that takes it too."""
    said = f"{key[0]} {conditions(key[1])}"
    number = int.from_bytes(hashlib.sha256(said.encode()).digest()[:4])
    further = _letters(key[1]) - LETTERS_MOST
    if further < 0 or _exact(key[1]):
        return number % BAND
    return BAND - (further + 1) * SHARE + number % SHARE


def settled(route: Route, port: int) -> Route:
    """The route with its container's port."""
    return replace(route, port=port)

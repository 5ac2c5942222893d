"""Services: containers that run all the time, as one task, behind the load balancer or not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.site.container import Container, Draft, draft, is_name
from plugins.plugin_utils.site.kinds import Choice, Kind, Pairs, Whole
from plugins.plugin_utils.site.noun import FAMILY, LOG_GROUP, STACK, Identity, Noun
from plugins.plugin_utils.site.place import Place, shown
from plugins.plugin_utils.site.reference import Attribute, right
from plugins.plugin_utils.site.routes import ROUTES, Route
from plugins.plugin_utils.site.schema import Key, Schema
from plugins.plugin_utils.site.task_patch import task_patch

CONTAINERS_MOST = 10
"""Containers of a task; https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"""
EXPOSED = re.compile(r"([a-z0-9][a-z0-9_-]*)(?::([0-9]{1,5}))?")


def _containers(value: Any, at: Place) -> dict[str, Draft] | None:
    if not isinstance(value, Mapping) or not value:
        at.wrong(f"is {shown(value)}, must be a mapping of names to containers: {{django: {{image: shop/django}}}}.")
        return None
    for name in value:
        if not is_name(str(name)):
            (at / name).wrong("is no name of a container. Use small letters, digits, hyphens and underscores.")
    if len(value) > CONTAINERS_MOST:
        at.wrong(
            f"has {len(value)} containers; a task of ECS has {CONTAINERS_MOST} at most. Make another service of some."
        )
    return {str(name): draft(str(name), item, at / name) for name, item in value.items()}


@dataclass(frozen=True)
class Expose:
    """How the others reach a service: an address in the site's private zone.

    Attributes:
        container: that listens.
        container_port: where.
        port: of the address; each port of the site's internal balancer leads to one service.
        scheme: of `service.<entry>.url`.
    """

    container: str
    container_port: int
    port: int
    scheme: str = "http"


def _target(value: Any, at: Place) -> tuple[str, int] | None:
    found = EXPOSED.fullmatch(value) if isinstance(value, str) else None
    if found:
        return found[1], int(found[2] or 0)
    at.wrong(f"is {shown(value)}, must be a container, with its port if it has several: redis, or redis:6379.")
    return None


def _scheme(value: Any, at: Place) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9+.-]*", value):
        return str(value)
    at.wrong(f"is {shown(value)}, must be the begin of an address, for example redis.")
    return None


_EXPOSE = Schema(
    "expose",
    {
        "to": Key(_target, missing="Name the container that listens: to: redis."),
        "port": Key(Whole(1, 65535), 0),
        "scheme": Key(_scheme, "http"),
    },
    {"container": "write to: redis.", "protocol": "TCP is all there is; take the line out."},
)


def _expose(value: Any, at: Place) -> dict[str, Any] | None:
    if isinstance(value, Mapping):
        given = _EXPOSE.read(value, at)
        return given if given["to"] else None
    if isinstance(value, (list, tuple)):
        at.wrong("is a list. A service has one address: write one container, and make another service of the rest.")
        return None
    target = _target(value, at)
    return {"to": target, "port": 0, "scheme": "http"} if target else None


_UPDATE = Schema(
    "update_config",
    {"order": Key(Choice(("start-first", "stop-first")), "start-first")},
    dict.fromkeys(
        ("parallelism", "delay", "failure_action", "monitor", "max_failure_ratio"),
        "ECS replaces tasks as it finds room, and goes back by itself; take the line out.",
    ),
)
_DEPLOY = Schema(
    "deploy",
    {"replicas": Key(Whole(0, 1000), 1), "update_config": Key(_UPDATE, _UPDATE.defaults())},
    {
        "resources": "a container's memory is mem_limit: 256m, its share of the CPU cpu_shares: 256.",
        "restart_policy": "ECS replaces a task whose container ends; take the line out.",
        "rollback_config": "ECS goes back by itself; take the line out.",
        "placement": "ECS spreads tasks over zones and hosts. Write patch: {Service.PlacementConstraints: […]}.",
        "labels": "write labels of a container.",
        "mode": "write replicas: 2.",
        "endpoint_mode": "others reach the service by expose; take the line out.",
        "order": "write update_config: {order: stop-first}.",
        "count": "write replicas: 2.",
    },
)


@dataclass(frozen=True)
class Scale:
    """Autoscaling: limits of the count, and the averages that it aims at (None: not looked at).

    Attributes:
        min, max: tasks.
        cpu, memory: percent of what a task reserves.
        requests: that a task gets in a minute.
    """

    min: int
    max: int
    cpu: int | None
    memory: int | None
    requests: int | None


_SCALE = Schema(
    "scale",
    {
        "min": Key(Whole(0, 1000), 1),
        "max": Key(Whole(1, 1000), missing="Write the most tasks there may be: max: 4."),
        "cpu": Key(Whole(10, 90, "percent")),
        "memory": Key(Whole(10, 90, "percent")),
        "requests": Key(Whole(1, 1_000_000, "requests a minute")),
    },
    {
        "replicas": "write min and max.",
        "target": "write cpu: 60.",
        "rps": "write requests, which a task gets a minute.",
    },
)


def _scale(value: Any, at: Place) -> Scale | None:
    given = _SCALE(value, at)
    if not given or given["max"] is None:
        return None
    made = Scale(**given)
    if made.min > made.max:
        (at / "min").wrong(f"is {made.min}, above max, {made.max}. Write min: {made.max} or less.")
    if (made.cpu, made.memory, made.requests) == (None, None, None) and not at.is_wrong:
        at.wrong(
            "says not by what to scale. Write cpu: 60, or memory: 70, percent on average, or requests: 1000, of a task "
            "in a minute."
        )
    return made


USES: Kind = Pairs(right, "bucket.uploads: [read, write]", r"[^\s]+")

SCHEMA = Schema(
    "a service",
    {
        "containers": Key(_containers, missing="Write containers: {django: {image: shop/django, mem_limit: 256m}}."),
        "routes": Key(ROUTES, ()),
        "expose": Key(_expose),
        "deploy": Key(_DEPLOY, _DEPLOY.defaults()),
        "scale": Key(_scale),
        "uses": Key(USES, {}),
        "patch": Key(task_patch, {}),
    },
    {
        "image": "it belongs to a container: containers: {web: {image: shop/web}}.",
        "command": "it belongs to a container: containers: {web: {command: …}}.",
        "environment": "it belongs to a container: containers: {web: {environment: …}}.",
        "secrets": "it belongs to a container: containers: {web: {secrets: …}}.",
        "volumes": "a container mounts them: containers: {web: {volumes: [media:/srv/media]}}.",
        "ports": 'they belong to a container: containers: {web: {ports: ["8000"]}}.',
        "like": "it belongs to a container: containers: {worker: {like: web.django}}.",
        "replicas": "write deploy: {replicas: 2}.",
        "desired_count": "write deploy: {replicas: 2}.",
        "count": "write deploy: {replicas: 2}.",
        "update_config": "write deploy: {update_config: {order: stop-first}}.",
        "singleton": "write deploy: {replicas: 1, update_config: {order: stop-first}}.",
        "domain": "write routes: [{to: web, host: www.acme.io}].",
        "health_path": "write routes: [{to: web, health: /healthz}].",
        "depends_on": "services are not started in an order; a container of the same task may wait for another.",
        "policy": "rights follow from references and uses: {bucket.uploads: [read, write]}.",
        "schedule": "what runs on a schedule is a job: site_jobs.",
    },
)


@dataclass(frozen=True)
class Service:
    """A service.

    Attributes:
        entry: its name in the site.
        containers: name → container.
        routes: which requests of the load balancer come here.
        expose: how the other services reach it.
        replicas: tasks that run; with `scale` what it begins with.
        stop_first: whether the old task goes before the new one comes: for what must not run twice.
        scale: autoscaling, or None.
        uses: (noun, entry) → rights.
        patch: see patch.py.
    """

    entry: str
    containers: dict[str, Container]
    routes: tuple[Route, ...]
    expose: Expose | None
    replicas: int
    stop_first: bool
    scale: Scale | None
    uses: dict[tuple[str, str], tuple[str, ...]]
    patch: dict[str, Any] = field(default_factory=dict)

    @property
    def most(self) -> int:
        """Tasks at most."""
        return self.scale.max if self.scale else self.replicas


def attributes(entry: Service, identity: Identity) -> dict[str, Attribute]:
    """What a service can be asked for: its address.

    It is made of the entry's name in the site's private zone, so it is known before the stack is there: two services
    may expose to each other, and each is rolled without the other.
    """
    if not entry.expose:
        return {}
    host = f"{entry.entry}.{identity.zone}"
    exposed = entry.expose
    return {
        "url": Attribute(f"{exposed.scheme}://{host}:{exposed.port}"),
        "host": Attribute(host),
        "port": Attribute(str(exposed.port)),
    }


def check(entry: Any, given: Mapping[Any, Any], at: Place) -> None:
    """Keys of a service that exclude each other."""
    deploy = given.get("deploy")
    if entry["scale"] and isinstance(deploy, Mapping) and "replicas" in deploy:
        (at / "deploy" / "replicas").wrong("stands beside scale, which sets the count. Take the line out.")


NOUN = Noun(
    "service",
    "site_services",
    SCHEMA,
    Service,
    check,
    attributes,
    names=(STACK, FAMILY, LOG_GROUP),
    instead_of_uses="services reach each other by expose: environment: {{URL: {{from: service.{entry}.url}}}}.",
)

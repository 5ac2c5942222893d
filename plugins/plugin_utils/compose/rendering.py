"""A Compose file of a site, for work on one machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.compose import standing_in
from plugins.plugin_utils.compose.parts import ENDED
from plugins.plugin_utils.compose.standing_in import (
    StandIns,
    container_name,
    database_name,
    escaped,
    job_name,
    volume_name,
)
from plugins.plugin_utils.site.container import Container
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.nouns.job import Job
from plugins.plugin_utils.site.nouns.service import Service
from plugins.plugin_utils.site.reference import Reference

PLAIN = (
    "mem_swappiness", "cpu_shares", "user", "working_dir", "hostname", "init", "read_only", "privileged", "tty",
    "stdin_open",
)  # fmt: skip
SIZES = ("mem_limit", "mem_reservation", "memswap_limit", "shm_size")
LISTS = ("cap_add", "cap_drop", "security_opt", "dns", "dns_search")
FIRST = 8000
"""What is added to a port below 1024, which only root publishes."""


@dataclass(frozen=True)
class Local:
    """A site on one machine.

    Attributes:
        compose: the Compose file.
        variables: that it reads → their defaults; empty for one that has to be given.
        addresses: where what has a route answers: container → URL, of its first route.
    """

    compose: dict[str, Any]
    variables: dict[str, str]
    addresses: dict[str, str]


def render(site: Site) -> Local:
    """The Compose file of a site.

    Args:
        site: without problems.
    """
    made = _Rendering(site)
    # No `name`: Debian's docker-compose 1.29 refuses it. The file of variables says it (compose.env.j2).
    compose: dict[str, Any] = {"services": made.services()}
    if made.volumes:
        compose["volumes"] = {name: {} for name in sorted(made.volumes)}
    return Local(compose, made.stand_ins.variables, made.addresses)


class _Rendering:
    """One rendering of a site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.stand_ins = StandIns(site)
        self.volumes: set[str] = set()
        self.addresses: dict[str, str] = {}
        self._published: dict[tuple[str, int], int] = {}
        self._first = [job for job in site.jobs.values() if job.run == "before_release"]

    def services(self) -> dict[str, Any]:
        """Every service of the Compose file, those that others wait for first."""
        found: dict[str, Any] = {}
        for name, entry in self._site.databases.items():
            if not entry.endpoint:
                found[database_name(name)] = standing_in.database(entry, self.stand_ins.password(entry))
                self.volumes.add(database_name(name))
        mounted = {mount.volume for _, container in self._site.containers() for mount in container.volumes}
        for name in sorted(mounted):
            self.volumes.add(name)
            if self._site.volumes[name].driver != "task":
                found[volume_name(name)] = standing_in.owner(self._site.volumes[name])
        for job in self._site.jobs.values():
            found[job_name(job.entry)] = self._job(job)
        for name, service in self._site.services.items():
            for container in service.containers.values():
                found[container_name(name, container.name, len(service.containers))] = self._member(service, container)
        return found

    def _job(self, job: Job) -> dict[str, Any]:
        """A job; those before a release run one after the other, as site.yml runs them."""
        made = self._container(job.container)
        if job not in self._first:
            return made | {"profiles": ["jobs"]}
        before = self._first[: self._first.index(job)][-1:]
        return _waiting(made, {job_name(each.entry): ENDED for each in before})

    def _member(self, service: Service, container: Container) -> dict[str, Any]:
        made = self._container(container)

        def called(other: str) -> str:
            return container_name(service.entry, other, len(service.containers))

        if container.links:
            made["links"] = [f"{called(other)}:{alias}" for other, alias in container.links]
        waits = {called(other): condition for other, condition in container.depends_on.items()}
        waits |= {job_name(job.entry): ENDED for job in self._first if job.container.image == container.image}
        made = _waiting(made, waits)
        ports = [
            self._publish(called(container.name), route.port) for route in service.routes if route.to == container.name
        ]
        if ports:
            made["ports"] = list(dict.fromkeys(ports))
        return made

    def _publish(self, name: str, port: int) -> str:
        """A port of this machine for a port of a container."""
        if (name, port) not in self._published:
            wanted = port if port >= 1024 else FIRST + port
            free = next(number for number in range(wanted, 65536) if number not in self._published.values())
            self._published[name, port] = free
            self.addresses.setdefault(name, f"http://localhost:{free}")
        return f"127.0.0.1:{self._published[name, port]}:{port}"

    def _container(self, container: Container) -> dict[str, Any]:
        """What a container is, wherever it stands."""
        made: dict[str, Any] = standing_in.pulling(container.image)
        for key in ("entrypoint", "command"):
            if words := getattr(container, key):
                made[key] = [escaped(word) for word in words]
        environment = {name: self.stand_ins.plain(value) for name, value in container.environment.items()}
        environment |= {name: self.stand_ins.secret(name, value) for name, value in container.secrets.items()}
        made["environment"] = {"RELEASE": "local", **environment}
        if container.volumes:
            made["volumes"] = [
                f"{each.volume}:{each.path}{':ro' if each.read_only else ''}" for each in container.volumes
            ]
        return _waiting(made, dict(self._waits(container))) | dict(_others(container))

    def _waits(self, container: Container) -> Iterator[tuple[str, str]]:
        for value in (*container.environment.values(), *container.secrets.values()):
            if not isinstance(value, Reference) or value.noun != "database":
                continue
            if not self._site.databases[value.entry].endpoint:
                yield database_name(value.entry), "service_healthy"
        for mount in container.volumes:
            if self._site.volumes[mount.volume].driver != "task":
                yield volume_name(mount.volume), ENDED


def _waiting(made: dict[str, Any], waits: Mapping[str, str]) -> dict[str, Any]:
    """A service of Compose that waits for these too: name → condition."""
    known = {name: {"condition": condition} for name, condition in waits.items()}
    return {**made, "depends_on": {**made.get("depends_on", {}), **known}} if waits else made


def _others(container: Container) -> Iterator[tuple[str, Any]]:
    """The keys that are written as they were read."""
    for key in SIZES:
        if amount := getattr(container, key):
            yield key, f"{amount}m"
    for key in PLAIN:
        value = getattr(container, key)
        if value is not None and value is not False:  # 0 is a value
            yield key, value
    for key in LISTS:
        if values := getattr(container, key):
            yield key, list(values)
    if container.tmpfs:
        yield (
            "tmpfs",
            [":".join((each.path, ",".join((f"size={each.size}m", *each.options)))) for each in container.tmpfs],
        )
    if container.devices:
        yield "devices", [f"{each.host}:{each.container}{_rights(each.permissions)}" for each in container.devices]
    if container.ulimits:
        yield "ulimits", {name: {"soft": each.soft, "hard": each.hard} for name, each in container.ulimits.items()}
    for key in ("sysctls", "extra_hosts", "labels"):
        if pairs := getattr(container, key):
            yield key, {name: escaped(value) for name, value in pairs.items()}
    if container.stop_grace_period:
        yield "stop_grace_period", f"{container.stop_grace_period}s"
    if check := container.healthcheck:
        times = {key: f"{getattr(check, key)}s" for key in ("interval", "timeout", "start_period")}
        yield "healthcheck", {"test": [escaped(word) for word in check.test], "retries": check.retries, **times}


def _rights(words: tuple[str, ...]) -> str:
    letters = {"read": "r", "write": "w", "mknod": "m"}
    return f":{''.join(letters[word] for word in words)}" if words else ""

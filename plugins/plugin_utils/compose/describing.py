"""The description of a site, made of a Compose file."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.compose import fitting, grouping, images, keys, routing
from plugins.plugin_utils.compose.addresses import Addresses
from plugins.plugin_utils.compose.commands import Command
from plugins.plugin_utils.compose.databases import Database, databases
from plugins.plugin_utils.compose.interpolation import missing_of
from plugins.plugin_utils.compose.judging import complaints, no_word
from plugins.plugin_utils.compose.loading import Composed, ComposeError
from plugins.plugin_utils.compose.mounts import Mounts
from plugins.plugin_utils.compose.parts import ENDED, Part, parts
from plugins.plugin_utils.compose.ports import Seen, ports
from plugins.plugin_utils.compose.report import Report
from plugins.plugin_utils.compose.secrets import Secrets
from plugins.plugin_utils.compose.variables import Translator, Variables
from plugins.plugin_utils.site.container import CONTAINER
from plugins.plugin_utils.site.container_words import OF_COMPOSE
from plugins.plugin_utils.site.images import is_local
from plugins.plugin_utils.site.nouns.job import SCHEMA as JOB
from plugins.plugin_utils.site.nouns.job import UNPLACED
from plugins.plugin_utils.site.nouns.service import SCHEMA as SERVICE

SITE_NAME = re.compile(r"(?!aws|ecs|fargate)[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 20
"""Characters of a site's name; a rule of roles/preflight has both."""
MEMORY, MEMORY_OF_FRONTS = "256m", "64m"
NEVER_TWICE = re.compile(r"(.*[-_\s])?(beat|scheduler|cron)([-_\s].*)?", re.DOTALL)
"""Names and words of what must not run twice."""
TOP = {
    "version": "Compose itself reads it no longer.",
    "networks": OF_COMPOSE["networks"],
    "configs": OF_COMPOSE["configs"],
}


@dataclass(frozen=True)
class Described:
    """A first description of a site.

    Attributes:
        site_name: made of the Compose file's project; empty where that is no name that a site can have.
        variables: of the inventory, those with nothing in them left out.
        host_instance_type: the smallest that all of it fits.
        report: what a person is told.
    """

    site_name: str
    variables: dict[str, Any]
    host_instance_type: str
    report: Report


@dataclass
class _Work:
    """What is at hand while a description is made."""

    composed: Composed
    report: Report
    site: str
    parts: dict[str, Part]
    databases: dict[str, Database]
    ports: dict[str, list[Seen]]
    groups: dict[str, list[str]]
    addresses: Addresses
    secrets: Secrets
    mounts: Mounts
    built: dict[str, str] = field(default_factory=dict)


def describe(composed: Composed) -> Described:
    """Make the description.

    Raises:
        ComposeError: nothing is left that a site could run.
    """
    work = _work(composed)
    made = _variables(work)
    known = _known(work, made)
    services = {entry: _service(work, entry, made, known) for entry in work.groups}
    jobs = {part.container: _job(work, part, made[name]) for name, part in work.parts.items() if part.kind == "job"}
    for entry, exposed in work.addresses.exposed.items():
        services[entry]["expose"] = exposed.keys()
    _route(work, services)
    _tell_rest(work)
    variables: dict[str, Any] = {
        "site_services": services,
        "site_jobs": jobs,
        "site_volumes": work.mounts.entries,
        "site_databases": {each.entry: each.keys for each in work.databases.values()},
        "site_secrets": work.secrets.entries,
    }
    variables = {name: value for name, value in variables.items() if value}
    instance_type, hosts = fitting.fit(variables, work.report)
    variables |= {"site_hosts": hosts} if hosts else {}
    return Described(site_name(composed.name), variables, instance_type, work.report)


def site_name(project: str) -> str:
    """The name of a Compose project as a site's; empty if it cannot be one."""
    name = re.sub(r"[^a-z0-9]+", "-", project.lower())[:LONGEST].strip("-")
    return name if SITE_NAME.fullmatch(name) and name != "example" else ""


def _work(composed: Composed) -> _Work:
    report = Report()
    found = parts(composed, report)
    if not any(part.kind in ("app", "store") for part in found.values()):
        raise ComposeError(f"{composed.path} has nothing that a site would run: {', '.join(composed.services)}.")
    site = site_name(composed.name) or "site"
    seen = {name: ports(part, report) for name, part in found.items() if part.kind in ("app", "store")}
    groups = grouping.groups(found, report)
    return _Work(
        composed, report, site, found, databases(found, report), seen, groups, Addresses(found, seen, groups, report),
        Secrets(site, report), Mounts(composed, report),
    )  # fmt: skip


def _variables(work: _Work) -> dict[str, Variables]:
    """Service of the Compose file → its variables; those who listen are known when all have been read."""
    translator = Translator(work.databases, work.addresses, work.secrets, work.report)
    return {name: translator.of(part) for name, part in work.parts.items() if not part.is_database}


def _known(work: _Work, made: Mapping[str, Variables]) -> dict[str, dict[str, str]]:
    """Service of the Compose file → those that it knows within its task, each by its name there; told for others."""
    found: dict[str, dict[str, str]] = {}
    for name, part in work.parts.items():
        if name not in made:
            continue
        wanted = dict.fromkeys([*part.depends_on, *grouping.linked(part), *made[name].named])
        members = work.groups.get(work.addresses.entry(name), [])
        if members[-1:] == [name]:
            wanted |= dict.fromkeys(members)
        aliases = grouping.linked(part)
        found[name] = {
            other: aliases.get(other, other) for other in wanted if other != name and work.addresses.beside(name, other)
        }
        _tell_apart(work, part, made[name], [other for other in wanted if other not in found[name] and other != name])
    return found


def _tell_apart(work: _Work, part: Part, made: Variables, others: list[str]) -> None:
    """What a service waits for that is no container of its task."""
    for other in others:
        named, wait = other in made.named, f"{part.name}.depends_on.{other}"
        if other in part.depends_on and (other in work.databases or work.addresses.entry(other)):
            work.report.drop(wait, "only containers of one task wait for each other; let the application try again.")
        elif other in part.depends_on and part.depends_on[other] != ENDED:
            work.report.drop(wait, "it is no service here.")
        if other in grouping.linked(part):
            work.report.drop(f"{part.name}.links.{other}", OF_COMPOSE["external_links"])
        if other in work.databases and not named:
            work.report.want(
                f"{part.name}.environment", f"no variable tells it where {other} is: write DB_HOST: {{from: "
                f"database.{work.databases[other].entry}.host}}, and DB_PASSWORD under secrets.",
            )  # fmt: skip
        elif work.addresses.entry(other) and not named:
            exposed = work.addresses.expose(other)
            if exposed:
                work.report.want(
                    f"{part.name}.environment",
                    f"no variable tells it where {other} is: it is {{from: "
                    f"service.{work.addresses.entry(other)}.url}}, no longer {other}:{exposed.target}.",
                )


def _service(
    work: _Work, entry: str, made: Mapping[str, Variables], known: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    members = work.groups[entry]
    containers = {work.parts[name].container: _container(work, work.parts[name], made[name]) for name in members}
    links: dict[str, set[str]] = {}
    for name in reversed(members):  # what stands in front first: nobody behind it links to it
        _join(work, name, known[name], containers, links)
    service: dict[str, Any] = {"containers": containers}
    for name in members[:-1]:
        if work.parts[name].given.get("deploy") or work.parts[name].given.get("scale"):
            work.report.drop(f"{name}.deploy", "containers of a task are as many as the task.")
    if deploy := _deploy(work, work.parts[members[-1]]):
        service["deploy"] = deploy
    return service


def _join(
    work: _Work, name: str, known: Mapping[str, str], containers: dict[str, Any], links: dict[str, set[str]]
) -> None:
    """Links of a container, and what it waits for, within its task."""
    part, own = work.parts[name], containers[work.parts[name].container]
    for other, alias in known.items():
        target = work.parts[other].container
        if not _acyclic({**links, name: links.get(name, set()) | {other}}):
            continue
        links.setdefault(name, set()).add(other)
        own.setdefault("links", []).append(target if alias == target else f"{target}:{alias}")
        if other in part.depends_on:
            condition = part.depends_on[other]
            if condition == "service_healthy" and "healthcheck" not in containers[target]:
                condition = "service_started"
                work.report.choose(
                    f"{name}.depends_on.{other}", f"waits for its start: {other} has no healthcheck that ECS can ask."
                )
            own.setdefault("depends_on", {})[target] = {"condition": condition}


def _acyclic(links: Mapping[str, set[str]]) -> bool:
    try:
        graphlib.TopologicalSorter(links).prepare()
    except graphlib.CycleError:
        return False
    return True


def _container(work: _Work, part: Part, made: Variables) -> dict[str, Any]:
    """A container of the inventory, its keys in the order in which a person would write them."""
    store = images.store(part.image)
    default = store.mem_limit if store else MEMORY_OF_FRONTS if part.is_front else MEMORY
    found: dict[str, Any] = {"image": _image(work, part)}
    command = Command(part, work.secrets, work.report, made.addresses)
    found |= {"entrypoint": command.entrypoint} if command.entrypoint else {}
    found |= {"command": command.command} if command.command else {}
    found |= keys.memory(part, default, work.report)
    listed = _ports(work, part)
    found |= {"ports": listed} if listed else {}
    found |= {"environment": made.environment} if made.environment else {}
    secrets = made.secrets | command.secrets
    found |= {"secrets": secrets} if secrets else {}
    volumes, memory = work.mounts.of(part)
    found |= {"volumes": volumes} if volumes else {}
    if check := keys.health(part, work.report):
        found["healthcheck"] = check
    found |= keys.plain_keys(part, work.report)
    if memory:
        found["tmpfs"] = [*found.get("tmpfs", []), *memory]
    return found


def _ports(work: _Work, part: Part) -> list[str]:
    seen = {(each.target, each.protocol): each for each in work.ports.get(part.name, [])}
    for target in work.addresses.needed(part.name):
        seen.setdefault((target, "tcp"), Seen(target, None))
    found = []
    for target, protocol in seen:
        written = str(target) if protocol == "tcp" else f"{target}/{protocol}"
        problems = complaints(CONTAINER.keys["ports"].kind, [written], part.name, "ports")
        for each in problems:
            work.report.drop(f"{part.name}.ports", each.sentence)
        found += [] if problems else [written]
    return found


def _image(work: _Work, part: Part) -> str:
    build, written = part.given.get("build"), part.image
    wrong = complaints(CONTAINER.keys["image"].kind, written, part.name, "image")
    if written and not missing_of(written) and not wrong:
        image = written if build and is_local(written) else images.pulled(written)
    elif build:
        image = work.built.setdefault(str(build), f"{work.site}/{part.container}")
    else:
        image = f"{work.site}/{part.container}"
        work.report.want(
            f"{part.name}.image", f"{image} stands for an image that {written or 'nothing'} does not name."
        )
    if build:
        if is_local(image):
            typed = images.build_command(image, build)
            sentence = f"the image is built before a run. Type, beside the Compose file: {typed}"
            work.report.want(f"{part.name}.build", sentence)
        else:
            work.report.drop(f"{part.name}.build", f"{image} is pulled from its registry: build it and push it there.")
    return image


def _deploy(work: _Work, part: Part) -> dict[str, Any]:
    given = part.given.get("deploy") or {}
    kind: Any = SERVICE.keys["deploy"].kind
    update: Any = kind.keys["update_config"].kind
    made: dict[str, Any] = {}
    replicas = str(given.get("replicas") or part.given.get("scale") or "")
    if replicas.isdigit():
        made["replicas"] = int(replicas)
    for key in given:
        if key not in kind.keys and key != "resources":
            work.report.drop(f"{part.name}.deploy.{key}", no_word(key, kind.elsewhere))
    for key in given.get("update_config") or {}:
        if key not in update.keys:
            work.report.drop(f"{part.name}.deploy.update_config.{key}", no_word(key, update.elsewhere))
    order = str((given.get("update_config") or {}).get("order") or "")
    command = part.given.get("command") or ""
    words = [part.name, *map(str, command if isinstance(command, list) else [command])]
    if part.kind == "store" or NEVER_TWICE.fullmatch(" ".join(words)):
        order = "stop-first"
        work.report.choose(f"site_services.{part.container}.deploy", "stop-first, as it is not to run twice.")
    if order in ("start-first", "stop-first"):
        made["update_config"] = {"order": order}
    return made


def _job(work: _Work, part: Part, made: Variables) -> dict[str, Any]:
    found = {key: value for key, value in _container(work, part, made).items() if key not in UNPLACED}
    for key in ("deploy", "scale", "ports", "links"):
        if key in part.given:
            work.report.drop(f"{part.name}.{key}", JOB.elsewhere[key])
    work.report.choose(
        f"site_jobs.{part.container}",
        "a job before each release, as others wait for its end."
        if part.run == "before_release"
        else f"a job by hand, as it is not to run all the time: run.yml -e job={part.container}",
    )
    return {**found, "run": part.run}


def _route(work: _Work, services: dict[str, dict[str, Any]]) -> None:
    found = [
        each for each in routing.candidates(work.parts, work.ports) if str(each.port) in _listed(work, services, each)
    ]
    if not found:
        work.report.want(
            "site_services.<service>.routes", "no service publishes a port that could be a site's: write routes: [{to: "
            "<container>}] for the one that answers.",
        )  # fmt: skip
        return
    first, *rest = found
    entry, part = work.addresses.entry(first.name), work.parts[first.name]
    container = services[entry]["containers"][part.container]
    route: dict[str, Any] = {"to": part.container}
    if len([port for port in container["ports"] if "/" not in port]) > 1:
        route["port"] = first.port
    path = routing.health_path(container.get("healthcheck"), first.port)
    route |= {"health": path} if path else {}
    services[entry]["routes"] = [route]
    work.report.choose(
        f"site_services.{entry}.routes",
        f"requests come to {first.name}, port {first.port}. Another: write its routes: [{{to: <container>}}].",
    )
    work.report.want(
        f"site_services.{entry}.routes[0].health",
        f"the load balancer asks for {path or '/'}, which must be answered with 200 whatever the Host header.",
    )
    for each in rest:
        if (each.name, each.port) != (first.name, first.port):
            work.report.choose(
                f"site_services.{work.addresses.entry(each.name)}",
                f"port {each.port} is published too, and has no route: write routes: [{{to: "
                f"{work.parts[each.name].container}, "
                'path: "/…/*"}], or a host, if people are to come there.',
            )


def _listed(work: _Work, services: dict[str, dict[str, Any]], each: routing.Candidate) -> list[str]:
    containers = services[work.addresses.entry(each.name)]["containers"]
    return list(containers[work.parts[each.name].container].get("ports", []))


def _tell_rest(work: _Work) -> None:
    for key in work.composed.others:
        work.report.drop(key, no_word(key, TOP))
    work.report.want("domain_name", "what people type; in group_vars/site/main.yml.")
    work.report.want("hosted_zone_id", "if Route 53 has its DNS; beside it.")
    work.report.want("aws_region", "where all of it is to be, for good; in environment.yml.")

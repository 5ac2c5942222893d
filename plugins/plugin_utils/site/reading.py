"""Read a site from the variables of an inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plugins.plugin_utils.site import backups, domains, edge, hosts, images, names, room, tasks, traffic, waf
from plugins.plugin_utils.site.container import Draft, draft
from plugins.plugin_utils.site.like import Likes
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.moving import MOVED, moved
from plugins.plugin_utils.site.noun import STACK, Identity
from plugins.plugin_utils.site.nouns import NOUNS
from plugins.plugin_utils.site.nouns.job import SCHEMA as JOB
from plugins.plugin_utils.site.nouns.job import Job
from plugins.plugin_utils.site.nouns.service import Service
from plugins.plugin_utils.site.place import Place, Problem
from plugins.plugin_utils.site.relations import Relations
from plugins.plugin_utils.site.unseen import check_unseen

VARIABLES = (
    *(noun.variable for noun in NOUNS.values()),
    "site_hosts",
    "domain_aliases",
    "site_edge",
    "site_backups",
    "site_waf",
)
"""The variables that describe a site."""
ALSO_READ = (
    "site_name",
    "environment_name",
    "aws_region",
    "domain_name",
    "hosted_zone_id",
    "host_instance_type",
    "ecs_agent_reserved_memory",
    MOVED,
)
"""What the description is judged with; nothing is complained about these, as other rules do."""


def read_site(variables: Mapping[str, Any]) -> Site:
    """The site that an inventory describes.

    Args:
        variables: of the inventory, templates resolved; `VARIABLES` and `ALSO_READ` are looked at, any may be missing.

    Returns:
        The site, with everything that is wrong in `problems`. No value of whatever shape raises.
    """
    return _Reading(variables).site()


class _Reading:
    """One reading: from what is written, over what each thing is, to what they are to each other."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = moved(variables)
        self._problems: list[Problem] = []
        self._aliases: tuple[domains.Alias, ...] = ()
        self._identity = self._read_identity()
        self._hosts = hosts.read(variables, self._at("site_hosts"))
        self._backups = backups.read(variables, self._at("site_backups"))
        self._raw: dict[str, dict[str, Any]] = {word: self._read_noun(word) for word in NOUNS}
        self._keys: dict[str, dict[str, dict[str, Any]]] = {"service": {}, "job": {}}
        self._jobs: dict[str, Draft] = {}
        self._entries: dict[str, dict[str, Any]] = {word: {} for word in NOUNS}

    def site(self) -> Site:
        """Read it all."""
        for word in NOUNS:
            self._read_entries(word)
        self._likes = Likes({name: keys["containers"] or {} for name, keys in self._keys["service"].items()})
        self._build_services()
        self._build_jobs()
        self._relate()
        own = any(not each.endpoint for each in self._entries["database"].values())
        backups.check(self._backups, own, self._text("aws_region"), self._at("site_backups"))
        made = Site(
            self._identity, self._hosts, self._entries, self._images(), self._domains(), self._edge(), self._backups,
            waf.read(self._variables.get("site_waf"), self._at("site_waf")),
        )  # fmt: skip
        for name in VARIABLES:
            check_unseen(self._variables.get(name), self._at(name))
        self._check_room()
        made.problems.extend(sorted(self._problems, key=self._order))
        return made

    # What is written

    def _at(self, word: str) -> Place:
        return Place((NOUNS[word].variable if word in NOUNS else word,), self._problems)

    def _read_identity(self) -> Identity:
        texts = {name: self._text(name) for name in ("site_name", "environment_name", "domain_name")}
        given = self._variables.get("domain_aliases")
        if given is not None:
            self._aliases = domains.read(given, texts["domain_name"], self._at("domain_aliases"))
        return Identity(**texts, domain_aliases=tuple(alias.name for alias in self._aliases))

    def _text(self, name: str) -> str:
        value = self._variables.get(name)
        return str(value) if isinstance(value, str) else ""

    def _read_noun(self, word: str) -> dict[str, Any]:
        """Entry → as written, of one noun."""
        noun, at = NOUNS[word], self._at(word)
        value = self._variables.get(noun.variable)
        if value is None and noun.variable not in self._variables:
            return {}
        if not isinstance(value, Mapping):
            at.wrong(
                f"is {noun.schema.told(value)}, must be a mapping of names to {noun.schema.what.removeprefix('a ')}s."
            )
            return {}
        found = {str(name): item for name, item in value.items()}
        for name in found:
            names.check_entry(noun, name, self._identity, at / name)
        names.check_words(noun, list(found), at)
        return found

    # What each thing is

    def _read_entries(self, word: str) -> None:
        noun = NOUNS[word]
        for name, raw in self._raw[word].items():
            at = self._at(word) / name
            value = {} if raw is None and word in ("volume", "database", "bucket") else raw
            if word == "job":
                self._jobs[name] = draft(name, value, at, JOB)
                keys = noun.schema.defaults() | noun.schema.given(value, at)
            else:
                keys = noun.schema.read(value, at)
            if not isinstance(value, Mapping):
                continue
            if word in self._keys:
                noun.check(keys, value, at)
                self._keys[word][name] = keys
            else:
                entry = noun.make(name, **keys)
                noun.check(entry, value, at)
                self._entries[word][name] = entry

    def _build_services(self) -> None:
        for name, keys in self._keys["service"].items():
            at = self._at("service") / name
            drafts: dict[str, Draft] = keys["containers"] or {}
            made = {}
            for each in drafts.values():
                self._likes.check(each, f"{name}.{each.name}")
                container = tasks.finish(each, self._likes)
                if container:
                    made[each.name] = container
            made = tasks.relate(made, list(drafts), at / "containers")
            self._entries["service"][name] = Service(
                name,
                made,
                traffic.routed(keys["routes"], made, list(drafts), at / "routes"),
                traffic.exposed(keys["expose"], made, list(drafts), at / "expose"),
                keys["scale"].min if keys["scale"] else keys["deploy"]["replicas"],
                keys["deploy"]["update_config"]["order"] == "stop-first",
                keys["scale"],
                keys["uses"],
                keys["patch"],
            )
        self._entries["service"] = traffic.check(self._entries["service"], self._identity, self._at("service"))

    def _build_jobs(self) -> None:
        for name, keys in self._keys["job"].items():
            self._likes.check(self._jobs[name])
            container = tasks.finish(self._jobs[name], self._likes)
            if container:
                run = keys["run"] or ("" if keys["schedule"] else "by_hand")
                self._entries["job"][name] = Job(
                    name,
                    container,
                    run,
                    keys["schedule"] or "",
                    keys["zone"],
                    keys["overlap"],
                    keys["minutes"],
                    keys["maintenance"],
                    keys["uses"],
                    keys["patch"],
                )

    # What they are to each other

    def _relate(self) -> None:
        relations = Relations({word: list(raw) for word, raw in self._raw.items()}, self._entries, self._identity)
        drafts = [
            each for keys in self._keys["service"].values() for each in (keys["containers"] or {}).values()
        ] + list(self._jobs.values())
        for each in drafts:
            relations.container(each)
        relations.mounted(drafts, self._at("volume"))
        for word in ("service", "job"):
            for name, keys in self._keys[word].items():
                uses = relations.uses(keys["uses"], self._at(word) / name / "uses")
                if name in self._entries[word]:
                    self._entries[word][name] = replace(self._entries[word][name], uses=uses)
        for name, entry in self._entries["function"].items():
            self._entries["function"][name] = relations.function(entry, self._at("function") / name)
        # Else the image may be one of what could not be read, or is not known yet.
        if self._raw["service"] and all(each.sound for each in drafts):
            run = [*self._entries["service"].values(), *self._entries["job"].values()]
            images_run = sorted({each.image for entry in run for each in entry.containers.values()})
            for name, entry in self._entries["static"].items():
                relations.files(entry, images_run, self._at("static") / name)
        if not self._raw["service"] and not any(each.path == ("site_services",) for each in self._problems):
            self._at("service").wrong(
                "is missing: a site runs something. Write site_services: {web: {containers: {web: {image: shop/web}}}}."
            )

    def _images(self) -> dict[str, images.Image]:
        found: dict[str, images.Image] = {}
        likes: dict[str, str] = {}
        for word in ("service", "job"):
            for name, entry in self._entries[word].items():
                for container in entry.containers.values():
                    if not images.is_local(container.image):
                        continue
                    key, image = images.entry_of(container.image), images.name_of(container.image)
                    most = STACK.most - len(STACK.form.format(prefix=self._identity.prefix, noun="image", entry=""))
                    if self._identity.site_name and len(key) > most:
                        (self._at(word) / name).wrong(
                            f"has an image whose name has {len(key)} characters; AWS takes {most} in the name of its "
                            f"repository's stack. Give it a shorter one: docker tag {image} …"
                        )
                    before = found.get(key, images.Image(key, image, ()))
                    if before.name != image:
                        (self._at(word) / name).wrong(
                            f"has an image {image}, and another container has {before.name}: both would be the "
                            f"repository {key}. Rename one of them: docker tag {image} …"
                        )
                    if (like := likes.setdefault(names.word(f"image.{key}"), image)) != image and before.name == image:
                        (self._at(word) / name).wrong(
                            f"has an image {image}, too like {like}: in a template both are "
                            f"{names.word(f'image.{key}')}. Rename one of them: docker tag {image} …"
                        )
                    written = tuple(sorted({*before.written, container.image}))
                    found[key] = images.Image(key, before.name, written)
        return found

    def _domains(self) -> dict[str, dict[str, Any]]:
        routes = [route for service in self._entries["service"].values() for route in service.routes]
        zone = self._text("hosted_zone_id")
        return domains.described(self._identity.domain_name, zone, self._aliases, routes)

    def _edge(self) -> edge.Edge | None:
        entries, at = self._entries, self._at("site_edge")
        given = self._variables.get("site_edge")
        # Of a noun that could not be read its entries may be missing: then nothing is said of what leads to them.
        if any(each.path[0] in ("site_services", "site_static", "site_buckets") for each in self._problems):
            return None
        return edge.read(given, entries["service"], entries["static"], entries["bucket"], at)

    # Whether it fits

    def _check_room(self) -> None:
        fits = not self._problems
        for word in ("service", "job"):
            for name, entry in self._entries[word].items():
                at = self._at(word) / name
                inside = at / "containers" if word == "service" else at
                alone = [
                    room.check_container(each, self._hosts, inside / each.name if word == "service" else at)
                    for each in entry.containers.values()
                ]
                fits = all(alone) and (word == "job" or room.check_task(entry.containers, self._hosts, inside)) and fits
        if fits:
            room.check_all(self._entries["service"], self._entries["job"], self._hosts, self._at("site_hosts"))

    def _order(self, problem: Problem) -> tuple[int, tuple[tuple[int, str], ...]]:
        """Variables in the order of the nouns, what is in them by its place."""
        known = [*VARIABLES, *ALSO_READ]
        first = known.index(str(problem.path[0])) if problem.path[0] in known else len(known)
        steps = tuple((step, "") if isinstance(step, int) else (0, str(step)) for step in problem.path[1:])
        return first, steps

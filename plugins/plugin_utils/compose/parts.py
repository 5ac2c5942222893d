"""What each service of a Compose file is to a site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.compose import images
from plugins.plugin_utils.compose.environment import env_files, file_of_variables, variables
from plugins.plugin_utils.compose.loading import Composed
from plugins.plugin_utils.compose.report import Report
from plugins.plugin_utils.site.container_words import OF_COMPOSE

SOCKET = "docker.sock"
ENDED = "service_completed_successfully"


@dataclass
class Part:
    """A service of a Compose file.

    Attributes:
        name: in the Compose file, which is its host name there.
        kind: `postgres`, `mysql`, `store` (keeps something for others), `job`, or `app`.
        given: its keys.
        container: what it is called in the inventory.
        variables: of its environment, those of its files first.
        run: of a job.
        depends_on: name of another service → what is waited for.
    """

    name: str
    kind: str
    given: dict[str, Any]
    container: str
    variables: dict[str, Any] = field(default_factory=dict)
    run: str = ""
    depends_on: dict[str, str] = field(default_factory=dict)

    @property
    def image(self) -> str:
        """Its image as written; empty for one that is only built."""
        return str(self.given.get("image") or "")

    @property
    def is_database(self) -> bool:
        """Whether an entry of `site_databases` takes its place."""
        return self.kind in ("postgres", "mysql")

    @property
    def is_front(self) -> bool:
        """Whether it stands in front of others and passes requests on."""
        return bool(images.FRONTS.fullmatch(images.base(self.image)) or images.FRONTS.fullmatch(self.name.lower()))


def kebab(text: str) -> str:
    """A name that an entry of a noun can have: small letters, digits, single hyphens, a letter first."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return name if name[:1].isalpha() else f"x-{name}".rstrip("-")


def parts(composed: Composed, report: Report) -> dict[str, Part]:
    """The services that a site has something of, by name; the others are told."""
    ended = set(_ended(composed))
    found: dict[str, Part] = {}
    for name, given in composed.services.items():
        image = str(given.get("image") or "")
        if reason := images.done_by_berth(image) or _of_docker(given):
            report.drop(f"services.{name}", reason)
            continue
        part = Part(name, "app", given, kebab(name))
        part.kind, part.run = _kind(part, name in ended)
        if given.get("profiles") and part.kind != "job":
            report.drop(f"services.{name}", f"it only runs with a profile: {OF_COMPOSE['profiles']}")
            continue
        part.variables = _variables(part, composed, report)
        part.depends_on = dict(_depends_on(given.get("depends_on")))
        found[name] = part
    return found


def _of_docker(given: dict[str, Any]) -> str:
    mounts = given.get("volumes") or []
    if any(SOCKET in str(each) for each in mounts):
        return "it works by the Docker of the machine it is on, and a host's is its ECS agent's."
    return ""


def _kind(part: Part, ended: bool) -> tuple[str, str]:
    base = images.base(part.image)
    if images.POSTGRES.fullmatch(base):
        return "postgres", ""
    if images.MYSQL.fullmatch(base):
        return "mysql", ""
    if images.store(part.image):
        return "store", ""
    if ended:
        return "job", "before_release"
    once = str(part.given.get("restart") or "") == "no" or part.given.get("profiles")
    return ("job", "by_hand") if once and not part.given.get("ports") else ("app", "")


def _ended(composed: Composed) -> Iterator[str]:
    for given in composed.services.values():
        for name, condition in _depends_on(given.get("depends_on")):
            if condition == ENDED:
                yield name


def _depends_on(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield str(name), str((item or {}).get("condition") or "service_started")
    for name in value if isinstance(value, list) else ():
        yield str(name), "service_started"


def _variables(part: Part, composed: Composed, report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "env_file" in part.given:
        report.drop(f"{part.name}.env_file", OF_COMPOSE["env_file"])
        for name in env_files(part.given["env_file"]):
            path = composed.folder / name
            found |= file_of_variables(path)
            if path.is_file():
                report.choose(f"{part.name}.env_file", f"the lines of {name} are under environment and secrets.")
            else:
                report.want(
                    f"{part.name}.env_file", f"{name} is not there: its lines are to be typed under environment, and "
                    "what is secret under secrets.",
                )  # fmt: skip
    return found | variables(part.given.get("environment"))

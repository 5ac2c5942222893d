"""Variables that tell a container where another service is: by that service's name, which is its host in Compose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from plugins.plugin_utils.compose import images
from plugins.plugin_utils.compose.parts import Part
from plugins.plugin_utils.compose.ports import Seen
from plugins.plugin_utils.compose.report import Report

ADDRESS = re.compile(
    r".*(HOST|HOSTNAME|SERVER|SERVERS|ADDR|ADDRESS|URL|URI|BROKER|BACKEND|ENDPOINT|NODES?|LOCATION|UPSTREAM)",
    re.IGNORECASE,
)
"""Names of variables whose value can be a host."""


class Template(str):
    """A text that Ansible is to render."""


@dataclass
class Exposed:
    """How others reach a service.

    Attributes:
        container: that listens.
        target: its port.
        port: of the address; each port of the site's internal balancer leads to one service.
        scheme: of its address.
    """

    container: str
    target: int
    port: int
    scheme: str

    def keys(self) -> str | dict[str, str | int]:
        """As `expose` of a service is written, in short where that says all."""
        found: dict[str, str | int] = {"to": f"{self.container}:{self.target}"}
        if self.port != self.target:
            found["port"] = self.port
        if self.scheme != "http":
            found["scheme"] = self.scheme
        return found if len(found) > 1 else str(found["to"])


class Addresses:
    """Where the services of a site are.

    Args:
        parts: the services of the Compose file.
        ports: their ports.
        groups: entry of `site_services` → its members.
        report: to tell what cannot be said.
    """

    def __init__(
        self,
        parts: Mapping[str, Part],
        ports: Mapping[str, Iterable[Seen]],
        groups: Mapping[str, list[str]],
        report: Report,
    ) -> None:
        self.exposed: dict[str, Exposed] = {}
        self._parts, self._report = parts, report
        self._entry = {member: entry for entry, members in groups.items() for member in members}
        self._ports = {name: [seen.target for seen in found if seen.protocol == "tcp"] for name, found in ports.items()}

    def beside(self, name: str, other: str) -> bool:
        """Whether two services are containers of one task."""
        return name in self._entry and self._entry.get(name) == self._entry.get(other)

    def entry(self, name: str) -> str:
        """The entry of `site_services` that has a service; empty for a job and a database."""
        return self._entry.get(name, "")

    def mentioned(self, name: str, text: str) -> list[str]:
        """The other services that a variable's text names as hosts.

        Args:
            name: of the variable.
            text: its value.
        """
        found = []
        for other in self._entry:
            exact = text == other and (bool(ADDRESS.fullmatch(name)) or self._parts[other].kind == "store")
            if exact or _within(other).search(text):
                found.append(other)
        return found

    def told(self, owner: str, text: str, others: Iterable[str]) -> str | dict[str, str]:
        """A variable's value in the inventory: a reference where it is one address, else a text with the addresses.

        Args:
            owner: the service that has the variable.
            text: its value.
            others: the services that it names.
        """
        made = text
        for other in others:
            if self.beside(owner, other):
                continue
            found = _within(other).search(text)
            scheme = (found["scheme"] or "") if found else ""
            port = int(found["port"] or 0) if found else 0
            exposed = self.expose(other, port, scheme)
            if exposed is None:
                continue
            entry = self._entry[other]
            if text == other:
                return {"from": f"service.{entry}.host"}
            if scheme == exposed.scheme and text in (f"{scheme}://{other}", f"{scheme}://{other}:{exposed.target}"):
                return {"from": f"service.{entry}.url"}
            made = _within(other).sub(lambda hit, to=exposed, at=entry: _there(hit, at, to), made)  # type: ignore[misc]  # bound
        return Template(made) if made != text else text

    def expose(self, name: str, port: int = 0, scheme: str = "") -> Exposed | None:
        """Let a service be reached by others; None, and told, where that cannot be.

        Args:
            name: of the service.
            port: of its container; the first that it has by default.
            scheme: of its address.
        """
        entry, known = self._entry[name], images.store(self._parts[name].image)
        target = port or (self._ports[name] or [0])[0]
        if not target:
            self._report.want(
                f"site_services.{entry}.expose", f"others wait for {name}, and nothing says on which port it listens. "
                f'Write ports: ["…"] and expose: {self._parts[name].container}.',
            )  # fmt: skip
            return None
        there = self.exposed.get(entry)
        if there and (there.container, there.target) != (self._parts[name].container, target):
            self._report.want(
                f"site_services.{entry}.expose",
                f"it has one address, port {there.target} of {there.container}; others ask {name}:{target} too. Make a "
                "service of its own of that.",
            )
            return None
        if not there:
            taken = {each.port for each in self.exposed.values()}
            free = next(number for number in range(target, 65536) if number not in taken)
            scheme = scheme or (known.scheme if known else "http")
            there = self.exposed[entry] = Exposed(self._parts[name].container, target, free, scheme)
        return there

    def needed(self, name: str) -> set[int]:
        """The ports of a service that others ask, which it may not list itself."""
        there = self.exposed.get(self.entry(name))
        return {there.target} if there and there.container == self._parts[name].container else set()


def host(entry: str) -> str:
    """The name of a service in the site's private zone, as a template."""
    return f"{entry}.{{{{ site_name }}}}-{{{{ environment_name }}}}.internal"


def _within(name: str) -> re.Pattern[str]:
    """Where a text names a host: behind `//` or `@`, or before a port."""
    return re.compile(
        rf"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^/\s@]*@)?|(?<=@)|(?<![\w./@:-])(?={re.escape(name)}:[0-9]))"
        rf"(?P<host>{re.escape(name)})(?::(?P<port>[0-9]+))?(?![\w.-])"
    )


def _there(hit: re.Match[str], entry: str, exposed: Exposed) -> str:
    before = hit[0][: hit.start("host") - hit.start()]
    port = exposed.port if hit["port"] or exposed.port != exposed.target else 0
    return f"{before}{host(entry)}{f':{port}' if port else ''}"

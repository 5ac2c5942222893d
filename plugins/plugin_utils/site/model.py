"""A site, read and checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.site.backups import Backups
from plugins.plugin_utils.site.container import Container
from plugins.plugin_utils.site.edge import Edge
from plugins.plugin_utils.site.hosts import Hosts
from plugins.plugin_utils.site.images import Image
from plugins.plugin_utils.site.noun import Identity
from plugins.plugin_utils.site.nouns import NOUNS
from plugins.plugin_utils.site.nouns.database import Database
from plugins.plugin_utils.site.nouns.function import Function
from plugins.plugin_utils.site.nouns.job import Job
from plugins.plugin_utils.site.nouns.secret import Secret
from plugins.plugin_utils.site.nouns.service import Service
from plugins.plugin_utils.site.nouns.table import Table
from plugins.plugin_utils.site.nouns.volume import Volume
from plugins.plugin_utils.site.place import Problem
from plugins.plugin_utils.site.reference import Attribute
from plugins.plugin_utils.site.waf import Waf


@dataclass(frozen=True)
class Site:
    """What an inventory says of a site.

    Where there are problems, the entries that they are about may be missing, or have defaults for what was wrong: then
    nothing is to be built of it.

    Attributes:
        identity: whose it is.
        hosts: how many, and what they hold.
        entries: noun → entry → what it is.
        images: entry of the noun `image` → an image of this machine that the site's registry gets.
        domains: name → what is to be made of it (domains.py), `domain_name` first.
        edge: the CDN before it; None if there is none.
        backups: how often there has to be one, and how many are kept.
        waf: the firewall where visitors come in; None if there is none.
        problems: everything that is wrong, in the order of the description.
    """

    identity: Identity
    hosts: Hosts
    entries: dict[str, dict[str, Any]]
    images: dict[str, Image]
    domains: dict[str, dict[str, Any]]
    edge: Edge | None = None
    backups: Backups = field(default_factory=Backups)
    waf: Waf | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def services(self) -> dict[str, Service]:
        """Entry → service."""
        return self.entries["service"]

    @property
    def jobs(self) -> dict[str, Job]:
        """Entry → job."""
        return self.entries["job"]

    @property
    def functions(self) -> dict[str, Function]:
        """Entry → function."""
        return self.entries["function"]

    @property
    def volumes(self) -> dict[str, Volume]:
        """Entry → volume."""
        return self.entries["volume"]

    @property
    def databases(self) -> dict[str, Database]:
        """Entry → database."""
        return self.entries["database"]

    @property
    def tables(self) -> dict[str, Table]:
        """Entry → table."""
        return self.entries["table"]

    @property
    def secrets(self) -> dict[str, Secret]:
        """Entry → secret."""
        return self.entries["secret"]

    def tasks(self) -> Iterator[tuple[str, Service | Job]]:
        """Key (`service.web`) and entry of everything that runs containers."""
        for word in ("service", "job"):
            for name, entry in self.entries[word].items():
                yield f"{word}.{name}", entry

    def task(self, key: str) -> Service | Job:
        """The service or job of a key.

        Raises:
            KeyError: there is none.
        """
        word, _, name = key.partition(".")
        if word not in ("service", "job"):
            raise KeyError(key)
        found: Service | Job = self.entries[word][name]
        return found

    def attributes(self, noun: str, entry: str) -> dict[str, Attribute]:
        """What an entry can be asked for.

        Raises:
            KeyError: there is none.
        """
        return NOUNS[noun].attributes(self.entries[noun][entry], self.identity)

    def containers(self) -> Iterator[tuple[str, Container]]:
        """Key of the service or job, and container; of all."""
        for key, entry in self.tasks():
            for container in entry.containers.values():
                yield key, container

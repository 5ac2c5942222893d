"""The entries of a noun of the site, as the model reads them from the inventory."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils.places import not_right
from plugins.plugin_utils.site import edge, logins, rendering, room, waf
from plugins.plugin_utils.site.definitions import Run
from plugins.plugin_utils.site.kept import site_of
from plugins.plugin_utils.site.model import Site

DOCUMENTATION = r"""
name: site
short_description: What the inventory says of the site, noun by noun
description:
  - The variables C(site_services), C(site_jobs) and so on are read and checked together; what a template needs of one
    entry is made of all of them, as references lead from one to the other.
options:
  _terms:
    description:
      - A noun (C(service), C(job), C(function), C(static), C(volume), C(database), C(bucket), C(table),
        C(secret), C(image)); C(edge) for the CDN before it, empty where there is none; C(waf) for its firewall,
        likewise; C(backups) for what C(site_backups) says;
        C(domain) for the names of the site, also where no service is known yet; C(memory) for what the tasks take that
        may stand at the same time; C(logins) for which container of a service logs in to which database by which
        variables; or C(entries) for the names of each noun's entries.
    required: true
  images:
    description:
      - For C(service) and C(job), image as containers call it to image to run. One that is missing runs as it is
        called.
    type: dict
    default: {}
  running:
    description:
      - For C(service) and C(job), key (C(service.web)) to C(images), which win over those of O(images), and C(release),
        the name that its containers are given; it is made of their images if it is empty.
    type: dict
    default: {}
  region:
    description: For C(service) and C(job), region of their log groups.
    type: str
    default: ""
  log_options:
    description: For C(service) and C(job), more options of the log driver C(awslogs).
    type: dict
    default: {}
"""

EXAMPLES = r"""
database_entries: "{{ lookup('site', 'database') }}"
service_entries: "{{ lookup('site', 'service', images=service_images, region=aws_region) }}"
"""

RETURN = r"""
_raw:
  description: Entry to what it is; for C(memory) a list of MiB, the largest first; for C(logins) a list of who logs in
    where; for C(entries) noun to names.
  type: raw
"""


class LookupModule(LookupBase):
    """See `DOCUMENTATION`."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        """What there is of each noun.

        Raises:
            AnsibleLookupError: the description is wrong, with all that is; or there is no such noun.
        """
        self.set_options(var_options=variables, direct=kwargs)
        site = site_of(variables or {}, self._templar.template)
        problems = [each for each in site.problems if terms != ["domain"] or each.path != ("site_services",)]
        if problems:
            raise AnsibleLookupError(not_right(problems))
        return [self._entries(site, noun) for noun in terms]

    def _entries(self, site: Site, noun: str) -> Any:
        if noun == "memory":
            return room.at_once(site.services, site.jobs)
        if noun == "logins":
            return logins.logins(site)
        if noun == "domain":
            return site.domains
        if noun == "backups":
            return dataclasses.asdict(site.backups)
        if noun == "edge":
            return edge.described(site.edge)
        if noun == "waf":
            return waf.described(site.waf)
        if noun == "image":
            return {name: {"name": each.name, "written": list(each.written)} for name, each in site.images.items()}
        if noun == "entries":
            return {name: list(entries) for name, entries in {**site.entries, "image": site.images}.items()}
        if noun not in site.entries:
            others = ["backups", "logins", "image", "edge", "waf", "domain", "memory", "entries"]
            known = ", ".join([*site.entries, *others])
            raise AnsibleLookupError(f"{noun} is no noun of a site; there are {known}.")
        if noun == "function":
            return {name: rendering.function(site, each) for name, each in site.functions.items()}
        if noun not in ("service", "job"):
            return {name: rendering.plain(entry) for name, entry in site.entries[noun].items()}
        called = {container.image: container.image for _, container in site.containers()}
        options = {name: self.get_option(name) for name in ("region", "log_options")}
        made = {}
        for name in site.entries[noun]:
            key = f"{noun}.{name}"
            own = self.get_option("running").get(key, {})
            images = {**called, **self.get_option("images"), **own.get("images", {})}
            made[name] = rendering.entry(site, key, Run(images, **options, release=own.get("release", "")))
        return made

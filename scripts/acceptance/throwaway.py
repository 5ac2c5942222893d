"""The inventory of a throw-away site: of the example site, in an account and a zone of whoever types it."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from local_aws.config import PROJECT

KEPT = PROJECT / ".cache/acceptance"
"""What is left of a run: its report and its recording; and the inventory, as long as its site may be up."""
ENVIRONMENT = """\
# Made by `make acceptance`: a site that is taken down at the end of the run.
plugin: environment
site_name: {site}
aws_region: {region}
"""
MAIN = """\
---
domain_name: {domain}
hosted_zone_id: {zone}
host_instance_type: t3.micro
host_access_session_manager: true
release_shown_at: {{path: /healthz, header: X-Release}}
service_deregistration_seconds: 5
"""


@dataclass(frozen=True)
class Throwaway:
    """A site that is to go again.

    Attributes:
        inventory: what `-i` names.
        environment: its name, which a teardown is confirmed with.
        domain: under which it answers.
        embedded: whether it is on the embedded AWS `test`.
    """

    inventory: str
    environment: str
    domain: str
    embedded: bool = False

    def forget(self) -> None:
        """It is down: the inventory is of no use any more."""
        if not self.embedded:
            shutil.rmtree(self.inventory)


EMBEDDED = Throwaway("test", "test", "legacy.test.berth.localhost", embedded=True)


def made(domain: str, zone: str, region: str, kept: Path = KEPT) -> Throwaway:
    """Write an inventory.

    Args:
        domain: a name that nothing has yet.
        zone: id of the hosted zone that it lies in.
        region: of AWS.
        kept: the folder that it comes to.
    """
    folder = kept / "sites" / f"try{secrets.token_hex(3)}"
    shutil.copytree(PROJECT / "inventories/new", folder)
    folder.joinpath("environment.yml").write_text(ENVIRONMENT.format(site="acceptance", region=region))
    folder.joinpath("group_vars/site/main.yml").write_text(MAIN.format(domain=domain, zone=zone))
    shutil.copyfile(PROJECT / "examples/legacy_site/site.yml", folder / "group_vars/site/description.yml")
    return Throwaway(str(folder), folder.name, domain)


def left(kept: Path = KEPT) -> list[Throwaway]:
    """Those of runs that were killed before they could take their site down."""
    found = []
    for folder in sorted(kept.glob("sites/*")):
        lines = folder.joinpath("group_vars/site/main.yml").read_text().splitlines()
        (domain,) = (line.partition(": ")[2] for line in lines if line.startswith("domain_name"))
        found.append(Throwaway(str(folder), folder.name, domain))
    return found

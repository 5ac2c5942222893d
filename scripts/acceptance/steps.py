"""What is typed on a throw-away site: every verb once, in the order of a site's life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LATER = ("teardown", "unlock", "move_volume")
"""Typed at the end whatever happens; of no use where no run was killed; and where a volume has the old driver alone."""


@dataclass(frozen=True)
class Step:
    """One command, or one look at the site from outside.

    Attributes:
        verb: the playbook; empty for a look.
        given: its variables, where `{…}` stands for what `steps` is told.
        ends: the exit status that is right.
        unchanged: whether nothing may be changed by it.
        look: what is looked at: `answers`, `upload` or `find`.
    """

    verb: str = ""
    given: tuple[str, ...] = ()
    ends: int = 0
    unchanged: bool = False
    look: str = ""

    @property
    def name(self) -> str:
        """As the report shows it."""
        return " ".join([f"{self.verb}.yml", *(f"-e {each}" for each in self.given)]) if self.verb else self.look


STEPS = (
    Step("preflight"),
    Step("plan"),
    Step("site"),
    Step("site", unchanged=True),
    Step(look="answers"),
    Step(look="upload"),
    Step("verify"),
    Step("release", ("release=acceptance",)),
    Step(look="answers"),
    Step("releases"),
    Step("migrate"),
    Step("run", ("command=true", "service=web", "container=django")),
    Step("exec", ("command=true", "container=django")),
    Step("logs", ("since=1h", "lines=20")),
    Step("restart", ("service=web",)),
    Step("scale", ("service=web", "replicas=1")),
    Step("maintenance", ("maintenance=on",)),
    Step("maintenance", ("maintenance=off",)),
    Step("backup", ("backup=acceptance",)),
    Step("backups"),
    Step("restore", ("backup=acceptance",)),
    Step("drill", ("backup=acceptance",)),
    Step("rotate_secrets", ("database=main",)),
    Step("upgrade_database"),
    Step("import_data", ("folder={folder}", "in_use=false")),
    Step("tunnel", ("local_port=15498", "for=3s")),
    Step("ssh_config"),
    Step("hosts"),
    Step("refresh_hosts", ("host_volume_gb=31",)),
    Step(look="find"),
    Step("alarms_test", ends=2),
    Step("dns_switch"),
    Step("status", ends=1),
    Step("doctor", ends=1),
    Step("rollback", ends=2),
    Step("publish"),
    Step("compose_file"),
    Step("init", ("compose={compose}", "inventory={made}")),
)
"""`alarms_test`, `status` and `doctor` end with an error as nobody has confirmed to be told of alarms; `rollback`, as
it asks first whether jobs have changed the database."""
EVERYWHERE = ('{{"alarms_subscribers": ["acceptance@example.org"], "site_backups": {{"every": "1d", "keep": 1}}}}',)
"""Variables of each step on a site, so that what is off by default is tried, too."""


def places(folder: Path) -> dict[str, str]:
    """Make what the words in braces of the steps stand for.

    Args:
        folder: an empty one.
    """
    (folder / "folder").mkdir()
    (folder / "folder/old.txt").write_text("of the old server")
    (folder / "compose.yml").write_text("services: {web: {image: nginx, ports: ['80']}}\n")
    return {"folder": str(folder / "folder"), "compose": str(folder / "compose.yml"), "made": str(folder / "made")}


def command(step: Step, inventory: str, places: Mapping[str, str]) -> list[str]:
    """What is typed for a step.

    Args:
        step: one with a verb.
        inventory: what `-i` names.
        places: what the words in braces stand for, as of `places`.
    """
    typed = ["ansible-playbook", f"{step.verb}.yml"]
    if step.verb != "init":  # the one that makes an inventory, and has none
        typed += ["-i", inventory]
    for each in [*step.given, *(EVERYWHERE if step.verb not in ("init", "preflight") else ())]:
        typed += ["-e", each.format(**places)]
    return typed

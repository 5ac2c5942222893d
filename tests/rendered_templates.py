"""Write the templates as they are deployed, for a scanner that reads files: those of inventories, and what none has.

Usage: python -m tests.rendered_templates FOLDER
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.unit.cloudformation.test_noun_templates import ENTRIES
from tests.unit.cloudformation.test_templates import CARD, SAFE
from tests.unit.noun_support import NOUNS, TASKS, body, made
from tests.unit.render_support import LAYERS, render

NEW = {"site_name": "shop", "domain_name": "shop.test"}
INVENTORIES = {"card": (CARD, "prod"), "safe": (SAFE, "prod"), "new": (NEW, "new")}
IMAGE = {"image": "registry.test/some:1", "mem_limit": "64m", "ports": ["80"]}
SITE: dict[str, Any] = {
    **ENTRIES,
    "aws_region": "eu-west-1",
    "site_services": {
        **ENTRIES["site_services"],
        "front": {
            "containers": {"app": {**IMAGE, "volumes": ["media:/srv", "kept:/kept:ro"]}}, "routes": [{"to": "app"}],
            "uses": {"table.items": ["read", "write"], "bucket.uploads": ["read", "write"]},
        },
        "back": {"containers": {"app": IMAGE}, "expose": "app", "scale": {"min": 1, "max": 2, "cpu": 60}},
    },
    "site_jobs": {"report": {"like": "front.app", "command": "report", "schedule": "0 3 * * *"}},
    "site_edge": {"default": "front"},
    "site_waf": {"mode": "block", "rate": 2000, "allow": ["192.0.2.0/24"], "block": ["2001:db8::/32"], "log_days": 30},
    "deployer_subjects": ["repo:acme/shop:environment:prod"],
    "site_backups": {"every": "1d", "keep": 14, "at": "04:00", "copy_to": "us-west-2"},
    "alarms_subscribers": ["ops@shop.test"],
    "alarms_budget": 40,
    "site_access_logs": 30,
    "deployer_plan_subjects": ["repo:acme/shop:environment:plan"],
}  # fmt: skip
MORE = (*NOUNS, *TASKS, "expose", "edge_certificate", "edge_waf", "waf", "deployer", "backup", "backup_copy", "alarms",
        "access_logs")  # fmt: skip
"""Layers of `SITE`: nouns that no inventory has, and those there is one of that the inventories leave out."""


def templates() -> Iterator[tuple[str, str]]:
    """A name that begins with the layer's, and the template's text."""
    for name, (given, inventory) in INVENTORIES.items():
        with tempfile.TemporaryDirectory() as folder:
            for layer, text in render(Path(folder), given, inventory).bodies.items():
                yield f"{layer}.{name}", text
    for layer, options in made(SITE, MORE).items():
        yield f"{layer}.more", body(options)


def write(folder: Path) -> list[str]:
    """Write them all into a folder, which is emptied first.

    Returns:
        The layers of which there is no template.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    seen = set()
    for name, text in templates():
        (folder / f"{name}.yml").write_text(text)
        seen.add(name.partition(".")[0])
    return sorted(set(LAYERS) - seen)


if __name__ == "__main__":
    if missing := write(Path(sys.argv[1])):
        sys.exit(f"No template was rendered of: {', '.join(missing)}. Add one to tests/rendered_templates.py.")
